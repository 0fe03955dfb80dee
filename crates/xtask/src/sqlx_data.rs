//! The offline data of `sqlx::query!`: made by compiling each service against a private, freshly migrated Postgres.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use chassis::db::{Schema, migrate};
use devdb::{TestCluster, TestDatabase};
use sqlx::migrate::Migrator;

use crate::Done;

/// The services with checked queries: package, schema.
const SERVICES: &[(&str, &str)] = &[
    ("governance", "governance"),
    ("funding", "funding"),
    ("insurance", "insurance"),
    ("workforce", "workforce"),
];

async fn database(schema: &'static str) -> Result<TestDatabase, Box<dyn std::error::Error + Send + Sync>> {
    let path = format!("services/{schema}/migrations");
    let migrator: &'static Migrator = Box::leak(Box::new(Migrator::new(Path::new(&path)).await?));
    let schema = Schema::new(schema, migrator);
    let key = schema.fingerprint();
    let made = TestCluster::shared().database(&key, |url| async move {
        migrate(&url, &schema)
            .await
            .map_err(|refusal| format!("{refusal}: {:?}", std::error::Error::source(&refusal)))
    });
    Ok(made.await?)
}

fn url(database: &TestDatabase, schema: &str) -> String {
    format!("{}&options=-csearch_path%3D{schema},public", database.owner_url)
}

pub(crate) async fn run(check: bool) -> Done {
    for (package, schema) in SERVICES {
        let database = database(schema).await?;
        let fresh = tempfile::tempdir()?;
        let home = Path::new("services").join(package);
        // unchanged crates are not compiled and write nothing
        fs::File::options().append(true).open(home.join("src/lib.rs"))?.set_modified(now())?;
        let done = Command::new("cargo")
            .args(["check", "--quiet", "-p", package])
            .env("SQLX_OFFLINE", "false")
            .env("SQLX_OFFLINE_DIR", fresh.path())
            .env(format!("LINLI_{}_DATABASE_URL", schema.to_uppercase()), url(&database, schema))
            .status()?;
        if !done.success() {
            return Err(format!("{package} does not compile against its schema").into());
        }
        let (new, old) = (read(fresh.path())?, read(&home.join(".sqlx")).unwrap_or_default());
        if new == old {
            println!("{package}: {} queries, unchanged", new.len());
        } else if check {
            return Err(format!("{package}: .sqlx is out of date; run `cargo xtask sqlx`").into());
        } else {
            let kept = home.join(".sqlx");
            let _ = fs::remove_dir_all(&kept);
            fs::create_dir_all(&kept)?;
            for (name, text) in &new {
                fs::write(kept.join(name), text)?;
            }
            println!("{package}: {} queries written", new.len());
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a file's modification time is the real clock's")]
fn now() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

fn read(dir: &Path) -> std::io::Result<BTreeMap<String, String>> {
    let entries = fs::read_dir(dir)?.flatten();
    entries
        .map(|entry| {
            Ok((entry.file_name().to_string_lossy().into_owned(), fs::read_to_string(entry.path())?))
        })
        .collect()
}

pub(crate) async fn hold() -> Done {
    for (_, schema) in SERVICES {
        println!(
            "export LINLI_{}_DATABASE_URL='{}'",
            schema.to_uppercase(),
            url(&database(schema).await?, schema)
        );
    }
    tokio::signal::ctrl_c().await?;
    Ok(())
}
