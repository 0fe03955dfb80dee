//! Development: where data lives, the private Postgres, keys that make themselves, what is printed at the start.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use chassis::{
    config::{BadSetting, Config},
    identity::{DevClaims, DevIssuer},
};
use devdb::Server;

/// The town of the demonstration.
pub(crate) const DEMO_TOWN: &str = "malu";
/// What every page of the demonstration says.
pub(crate) const BANNER: &str = "示例数据 · demonstration data, for development only";

/// The settings of the environment.
pub(crate) fn config() -> Result<Config, Box<dyn std::error::Error + Send + Sync>> {
    let read = Config::read(|name| std::env::var(name).ok());
    read.map_err(|bad: Vec<BadSetting>| {
        bad.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ").into()
    })
}

/// Whether this process is for development: it says so, or nothing says otherwise.
pub(crate) fn is_development(config: &Config) -> bool {
    match config.get("LINLI_DEVELOPMENT") {
        Some(value) => value == "true",
        None => config.get("LINLI_OIDC_ISSUER").is_none(),
    }
}

/// `LINLI_DATA_DIR`, else `.linli` here; for root, whose Postgres runs as somebody else, a directory that this somebody
/// can reach.
pub(crate) fn data_dir(config: &Config) -> PathBuf {
    if let Some(dir) = config.get("LINLI_DATA_DIR") {
        return dir.into();
    }
    let here = PathBuf::from(".linli");
    match devdb::unprivileged() {
        Some(_) => PathBuf::from("/var/lib/linli-dev"),
        None => here,
    }
}

/// The directory, ours alone to write, but passable for the account of Postgres.
pub(crate) fn prepare(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(dir)?;
    if devdb::unprivileged().is_some() {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// A secret of `dir`, made when it isn't there.
pub(crate) fn secret(dir: &Path, name: &str) -> io::Result<String> {
    let file = dir.join(name);
    match fs::read_to_string(&file) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
            OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&file)?
                .write_all(text.as_bytes())?;
            Ok(text)
        }
        Err(error) => Err(error),
    }
}

/// The key of personal data in `dir`, made when it isn't there.
pub(crate) fn data_key(dir: &Path) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let file = dir.join("data.key");
    if !file.exists() {
        let key = chassis::vault::fresh_key(1)?;
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&file)?
            .write_all(key.as_bytes())?;
    }
    Ok(fs::read_to_string(&file)?)
}

/// Holds `dir` for this process alone.
pub(crate) fn claim(dir: &Path) -> Result<fs::File, Box<dyn std::error::Error + Send + Sync>> {
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(dir.join("suite.lock"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => Err(format!(
            "another suite runs on {} already; stop it, or set LINLI_DATA_DIR (and LINLI_GATEWAY_LISTEN, LINLI_ADMIN_LISTEN) to \
             run a second one",
            dir.display()
        )
        .into()),
        Err(fs::TryLockError::Error(error)) => Err(error.into()),
    }
}

/// The private Postgres of `dir` and the URL of its database.
pub(crate) async fn database(
    dir: &Path,
) -> Result<(Server, String), Box<dyn std::error::Error + Send + Sync>> {
    let options = devdb::Options { dir: dir.join("postgres"), durable: true, connections: 100 };
    let server = tokio::task::spawn_blocking(move || Server::join_or_start(&options)).await??;
    server.ensure_database("linli").await?;
    let url = server.owner_url("linli");
    Ok((server, url))
}

/// A token of a stand-in for `role`.
pub(crate) fn token(
    issuer: &DevIssuer,
    role: &str,
    area: Option<&str>,
    person: Option<&str>,
    lifetime: Duration,
) -> io::Result<String> {
    let subject = person.map_or_else(|| role.to_owned(), str::to_owned);
    issuer.token(&DevClaims {
        person: Some(format!("towns/{DEMO_TOWN}/people/{subject}")),
        subject,
        groups: vec![format!("{role}@{}", area.unwrap_or(DEMO_TOWN))],
        lifetime,
    })
}

/// What a newcomer reads: where everything is, and three calls.
pub(crate) fn welcome(gateway: SocketAddr, admin: SocketAddr, dir: &Path, token: &str) {
    println!(
        "\n  Linli 邻里 is up — FOR DEVELOPMENT ONLY: tokens for anybody on this machine, demonstration data (示例数据).\n
  gateway   http://{gateway}        gRPC, gRPC-Web and REST under /v1; /docs to read, /openapi.json
  services  governance, funding, insurance, workforce    what each refuses and which states it has: /v1/services/funding/reasons, …/stateTables
  admin     http://{admin}        /live /ready /metrics /traces
  data      {}\n
  Three calls to try:\n
  export T={token}\n
  curl -H \"authorization: Bearer $T\" 'http://{gateway}/v1/towns/{DEMO_TOWN}/committees?page_size=3'
  curl -H \"authorization: Bearer $T\" 'http://{gateway}/v1/towns/{DEMO_TOWN}/blocks/b-001-2:steward?as_of_date=2020-10-10'
  curl -H \"authorization: Bearer $T\" 'http://{gateway}/v1/towns/{DEMO_TOWN}/committees/310114106001'\n
  Each answer carries linli-trace-id: `cargo run -- trace ID` prints the call as a tree. Ctrl-C stops.\n",
        dir.display()
    );
}
