//! `linli import`: files through a running gateway, and what became of them.

use std::path::PathBuf;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    Done,
    client::{Caller, call},
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Tables and files, CSV or XLSX: committees=committees.csv, or a file named after its table.
    files: Vec<String>,
    #[command(flatten)]
    caller: Caller,
    /// Reports every faulty row and stores nothing.
    #[arg(long)]
    dry_run: bool,
    /// Stores good rows and lists the others.
    #[arg(long)]
    good_rows_only: bool,
}

pub(crate) async fn run(arguments: &Arguments) -> Done {
    let files = arguments.files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
    let body = json!({
        "town": arguments.caller.town(), "files": files, "requestId": uuid::Uuid::new_v4(), "validateOnly": arguments.dry_run,
        "mode": if arguments.good_rows_only { "IMPORT_MODE_GOOD_ROWS_ONLY" } else { "IMPORT_MODE_ATOMIC" },
    });
    let token = arguments.caller.token()?;
    let mut operation = call(&token, "POST", "/v1/services/governance/tables:import", Some(body)).await?;
    let name = operation["name"].as_str().unwrap_or_default().to_owned();
    while operation["done"] != true {
        operation = call(&token, "GET", &format!("/v1/{name}:wait"), None).await?;
    }
    report(&name, &operation)
}

fn read(file: &str) -> Result<Value, String> {
    let (table, path) = match file.split_once('=') {
        Some((table, path)) => (table.to_owned(), PathBuf::from(path)),
        None => {
            let path = PathBuf::from(file);
            (path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default(), path)
        }
    };
    let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(json!({"table": table, "fileName": name, "content": STANDARD.encode(bytes)}))
}

fn report(name: &str, operation: &Value) -> Done {
    if operation["error"].is_object() {
        return Err(format!("{name}: {}", operation["error"]["message"].as_str().unwrap_or_default()).into());
    }
    let report = &operation["response"];
    for table in report["tables"].as_array().into_iter().flatten() {
        let number = |key: &str| table[key].as_str().unwrap_or("0").to_owned();
        println!(
            "{} ({}): {} rows, {} new, {} changed, {} as before, {} faulty",
            table["file"].as_str().unwrap_or_default(),
            table["encoding"].as_str().unwrap_or_default(),
            number("rows"),
            number("created"),
            number("updated"),
            number("unchanged"),
            number("faulty")
        );
    }
    for row in report["rows"].as_array().into_iter().flatten() {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        println!(
            "  {} row {} {} {:?}: {} {} / {}",
            text("file"),
            text("row"),
            text("column"),
            text("value"),
            text("reason"),
            text("messageZh"),
            text("messageEn")
        );
    }
    println!("{name}: {}", if report["stored"] == true { "stored" } else { "nothing stored" });
    Ok(())
}
