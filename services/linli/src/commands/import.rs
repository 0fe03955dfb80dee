//! `linli import`: files through a running gateway, and what became of them.

use std::path::PathBuf;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::{Done, client, dev};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Tables and files: committees=committees.csv, or a file named after its table.
    files: Vec<String>,
    /// The town.
    #[arg(long, default_value = dev::DEMO_TOWN)]
    town: String,
    /// Reports every faulty row and stores nothing.
    #[arg(long)]
    dry_run: bool,
    /// Stores good rows and lists the others.
    #[arg(long)]
    good_rows_only: bool,
    /// The token; default: one of the development issuer.
    #[arg(long, env = "LINLI_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

pub(crate) async fn run(arguments: &Arguments) -> Done {
    let (gateway, _) = client::addresses()?;
    let token = match &arguments.token {
        Some(token) => token.clone(),
        None => {
            let issuer = chassis::identity::DevIssuer::load_or_create(&dev::data_dir(&dev::config()?))?;
            dev::token(
                &issuer,
                "town-officer",
                Some(&arguments.town),
                None,
                std::time::Duration::from_secs(3_600),
            )?
        }
    };
    let files = arguments.files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
    let body = json!({
        "town": format!("towns/{}", arguments.town), "files": files, "requestId": uuid::Uuid::new_v4(), "validateOnly": arguments.dry_run,
        "mode": if arguments.good_rows_only { "IMPORT_MODE_GOOD_ROWS_ONLY" } else { "IMPORT_MODE_ATOMIC" },
    });
    let mut operation =
        call(&gateway.to_string(), &token, "POST", "/v1/services/governance/tables:import", Some(body))
            .await?;
    let name = operation["name"].as_str().unwrap_or_default().to_owned();
    while operation["done"] != true {
        operation = call(&gateway.to_string(), &token, "GET", &format!("/v1/{name}:wait"), None).await?;
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

async fn call(
    gateway: &str,
    token: &str,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
    let bytes = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
    let request = Request::builder()
        .method(method)
        .uri(format!("http://{gateway}{path}"))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Full::new(bytes))?;
    let (status, body) = client::send(request).await?;
    if !status.is_success() {
        return Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into());
    }
    Ok(serde_json::from_slice(&body)?)
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
