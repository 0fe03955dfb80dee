//! `linli export`: a table through a running gateway, as a file.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    Done,
    client::{Caller, Tables, call},
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The table: committees, blocks, residents, ….
    table: String,
    /// How the file is written.
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Only the header: a template to fill in.
    #[arg(long)]
    template: bool,
    /// The file, replaced when it is there, numbered in parts where a table has more than 100,000 rows; default: the name that the service gives, here, if nothing has it yet.
    #[arg(long)]
    output: Option<PathBuf>,
    #[command(flatten)]
    caller: Caller,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// For any program.
    Csv,
    /// For a spreadsheet.
    Xlsx,
}

impl Format {
    /// Its name in the contract.
    fn name(self) -> &'static str {
        match self {
            Format::Csv => "TABLE_FORMAT_CSV",
            Format::Xlsx => "TABLE_FORMAT_XLSX",
        }
    }
}

pub(crate) async fn run(arguments: &Arguments) -> Done {
    let (_, service) = Tables::ask(&arguments.caller).await.find(&arguments.table)?;
    let (mut token, mut parts) = (String::new(), 0);
    loop {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("town", &arguments.caller.town())
            .append_pair("table", &arguments.table)
            .append_pair("format", arguments.format.name())
            .append_pair("template", if arguments.template { "true" } else { "false" })
            .append_pair("pageToken", &token)
            .finish();
        let path = format!("/v1/services/{service}/tables:export?{query}");
        let (answer, _) = call(&arguments.caller, "GET", &path, None).await?;
        let content = STANDARD.decode(answer["content"].as_str().unwrap_or_default())?;
        answer["nextPageToken"].as_str().unwrap_or_default().clone_into(&mut token);
        parts += 1;
        let name = PathBuf::from(answer["fileName"].as_str().unwrap_or_default());
        let part = |file: &Path| {
            if parts == 1 && token.is_empty() { file.to_owned() } else { numbered(file, parts) }
        };
        let file = match &arguments.output {
            Some(file) => part(file),
            None => free(&part(&name).to_string_lossy())?,
        };
        store(&file, &content).map_err(|error| format!("{}: {error}", file.display()))?;
        println!("{}: {} bytes", file.display(), content.len());
        if token.is_empty() {
            return Ok(());
        }
    }
}

/// The file of a part of a large table: `residents.csv` becomes `residents-1.csv`, each with the header.
fn numbered(file: &Path, part: u32) -> PathBuf {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let ending = file.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    file.with_file_name(format!("{stem}-{part}{ending}"))
}

/// The file of this name here; what is there already may hold somebody's work.
fn free(name: &str) -> Result<PathBuf, String> {
    let file =
        Path::new(name).file_name().map(PathBuf::from).ok_or("the answer names no file: say --output")?;
    match file.try_exists() {
        Ok(false) => Ok(file),
        _ => Err(format!("{} is there already: say --output to replace it", file.display())),
    }
}

/// Writes a file that is whole or not there. It may hold personal data, so it is its owner's alone.
fn store(file: &Path, content: &[u8]) -> io::Result<()> {
    let part = file.with_file_name(format!(".{}.part", uuid::Uuid::new_v4()));
    let write = |part: &Path| {
        let mut open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part)?;
        open.write_all(content)?;
        open.sync_all()?;
        fs::rename(part, file)
    };
    write(&part).inspect_err(|_| {
        let _ = fs::remove_file(&part); // what failed is told; a remainder that can't be removed changes nothing of it
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_a_name_from_outside_stays_here() {
        let dir = std::env::temp_dir().join(uuid::Uuid::new_v4().to_string());
        fs::create_dir(&dir).unwrap();
        let file = dir.join("table.csv");
        store(&file, b"one").unwrap();
        store(&file, b"two").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        assert!(store(&dir.join("nowhere/table.csv"), b"").is_err());
        fs::remove_dir_all(&dir).unwrap();
        assert_eq!(free("../../etc/malu.csv").unwrap(), PathBuf::from("malu.csv"));
        assert!(free("").is_err() && free("Cargo.toml").is_err());
        assert_eq!(numbered(Path::new("a/malu-residents.csv"), 2), PathBuf::from("a/malu-residents-2.csv"));
    }
}
