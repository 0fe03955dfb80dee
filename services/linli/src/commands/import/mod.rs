//! `linli import`: files through a running gateway, and what became of them.

mod parts;

use std::path::PathBuf;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    Done,
    client::{Caller, Tables, call},
};

/// Bytes of one call's files at most; what is larger goes in parts.
const WHOLE: u64 = 12 << 20;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Tables and files, CSV or XLSX: committees=committees.csv, or a file named after its table.
    files: Vec<String>,
    #[command(flatten)]
    caller: Caller,
    /// Reports every faulty row and stores nothing.
    #[arg(long)]
    dry_run: bool,
    /// Stores good rows and lists the others. CSV files of more than 12 MiB then go in parts, and the same command again goes
    /// on where it stopped; a key that stands in two parts is no fault, the later row is taken as a change.
    #[arg(long)]
    good_rows_only: bool,
    /// Sends the parts of large files anew, also those that an earlier command has done.
    #[arg(long)]
    again: bool,
}

/// A file that was named.
struct Given {
    table: String,
    /// The service whose table it is.
    service: &'static str,
    /// Where the table stands among all: what others refer to comes first.
    order: usize,
    name: String,
    path: PathBuf,
    bytes: u64,
}

pub(crate) async fn run(arguments: &Arguments) -> Done {
    let tables = Tables::ask(&arguments.caller).await;
    let files = arguments.files.iter().map(|file| given(file, &tables)).collect::<Result<Vec<_>, _>>()?;
    let bytes: u64 = files.iter().map(|file| file.bytes).sum();
    if bytes > WHOLE && !arguments.good_rows_only {
        return Err(format!(
            "{:.1} MiB are too much for all or nothing, which is one transaction of {} MiB at most; with --good-rows-only large files \
             go in parts, good rows are stored and the others listed",
            bytes as f64 / f64::from(1 << 20),
            WHOLE >> 20
        )
        .into());
    }
    if bytes > WHOLE {
        return parts::run(arguments, files).await;
    }
    let service = files.first().map(|file| file.service).ok_or("name a file")?;
    if let Some(other) = files.iter().find(|file| file.service != service) {
        return Err(format!(
            "{} belongs to {}, {} to {service}: one import goes to one service, so give two commands",
            other.table, other.service, files[0].table
        )
        .into());
    }
    let files = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let body = json!({
        "town": arguments.caller.town(), "files": files, "requestId": uuid::Uuid::new_v4(), "validateOnly": arguments.dry_run,
        "mode": if arguments.good_rows_only { "IMPORT_MODE_GOOD_ROWS_ONLY" } else { "IMPORT_MODE_ATOMIC" },
    });
    let (operation, _) = import(&arguments.caller, service, body).await?;
    report(&operation)
}

/// A file as it was named: `TABLE=PATH`, or a path whose name is the table's.
fn given(named: &str, tables: &Tables) -> Result<Given, String> {
    let (table, path) = match named.split_once('=') {
        Some((table, path)) => (table.to_owned(), PathBuf::from(path)),
        None => {
            let path = PathBuf::from(named);
            (path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default(), path)
        }
    };
    let found = std::fs::metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (order, service) = tables.find(&table)?;
    Ok(Given { table, service, order, name, path, bytes: found.len() })
}

fn read(file: &Given) -> Result<Value, String> {
    let bytes = std::fs::read(&file.path).map_err(|error| format!("{}: {error}", file.path.display()))?;
    Ok(json!({"table": file.table, "fileName": file.name, "content": STANDARD.encode(bytes)}))
}

/// Begins an import and waits for its end: the operation, and whether it was begun before under its request id.
async fn import(
    caller: &Caller,
    service: &str,
    body: Value,
) -> Result<(Value, bool), Box<dyn std::error::Error + Send + Sync>> {
    let (mut operation, replayed) =
        call(caller, "POST", &format!("/v1/services/{service}/tables:import"), Some(body)).await?;
    let name = operation["name"].as_str().unwrap_or_default().to_owned();
    while operation["done"] != true {
        (operation, _) = call(caller, "GET", &format!("/v1/{name}:wait"), None).await?;
    }
    Ok((operation, replayed))
}

/// A text, or a number, which JSON writes as a text.
fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// What an operation failed by, when it did.
fn failure(operation: &Value) -> Option<String> {
    operation["error"].is_object().then(|| text(&operation["error"], "message"))
}

fn report(operation: &Value) -> Done {
    let name = text(operation, "name");
    if let Some(failure) = failure(operation) {
        return Err(format!("{name}: {failure}").into());
    }
    let report = &operation["response"];
    for table in report["tables"].as_array().into_iter().flatten() {
        let number = |key: &str| table[key].as_str().unwrap_or("0").to_owned();
        println!(
            "{} ({}): {} rows, {} new, {} changed, {} as before, {} faulty",
            text(table, "file"),
            text(table, "encoding"),
            number("rows"),
            number("created"),
            number("updated"),
            number("unchanged"),
            number("faulty")
        );
    }
    show_rows(report);
    println!("{name}: {}", if report["stored"] == true { "stored" } else { "nothing stored" });
    Ok(())
}

/// Prints the faults and warnings of a report.
fn show_rows(report: &Value) {
    for row in report["rows"].as_array().into_iter().flatten() {
        println!(
            "  {} row {} {} {:?}: {} {} / {}",
            text(row, "file"),
            text(row, "row"),
            text(row, "column"),
            text(row, "value"),
            text(row, "reason"),
            text(row, "messageZh"),
            text(row, "messageEn")
        );
    }
}
