//! A suite as a process of its own, asked over the network: for the tests beside this and for `cargo xtask walk`.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

/// Any failure, told to the one who called.
pub type Done<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How long a start may take.
const START: Duration = Duration::from_secs(120);

/// The file in the data directory that takes what a suite writes on its standard error: not a pipe, because nobody
/// reads while it runs.
pub const LOG: &str = "suite.log";

/// A running process of `linli`. Dropped, it is killed.
#[derive(Debug)]
pub struct Suite {
    /// The process.
    pub child: Child,
    /// Its data directory.
    pub dir: PathBuf,
    /// Where it listens: the gateway, or the service that is a process of its own.
    pub gateway: String,
    /// Where the admin port listens.
    pub admin: String,
}

/// Builds the binary of this workspace and says where it is.
///
/// # Errors
/// When it does not build.
pub fn build() -> Done<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let done = Command::new(cargo).args(["build", "--quiet", "-p", "linli"]).current_dir(&root).status()?;
    if !done.success() {
        return Err("linli does not build".into());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("debug/linli"))
}

/// A directory that the account of Postgres can reach.
///
/// # Errors
/// When it can't be made.
pub fn open_dir() -> std::io::Result<tempfile::TempDir> {
    let dir = tempfile::tempdir()?;
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755))?;
    Ok(dir)
}

/// A command of `binary` on a data directory, with free ports.
pub fn command(binary: &Path, dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary);
    command
        .args(arguments)
        .env("LINLI_DATA_DIR", dir)
        .env("LINLI_GATEWAY_LISTEN", "127.0.0.1:0")
        .env("LINLI_ADMIN_LISTEN", "127.0.0.1:0")
        .stdin(Stdio::null());
    command
}

impl Suite {
    /// Starts a command and waits until it says where it listens.
    ///
    /// # Errors
    /// What it said when it ended instead.
    pub fn start(command: Command, dir: &Path) -> Done<Suite> {
        Suite::start_part(command, dir, "addresses", LOG)
    }

    /// The same with one service or the gateway as a process of its own: it writes `{target}.addresses`.
    ///
    /// # Errors
    /// What it said when it ended instead.
    pub fn start_apart(command: Command, dir: &Path, target: &str) -> Done<Suite> {
        Suite::start_part(command, dir, &format!("{target}.addresses"), &format!("{target}.log"))
    }

    fn start_part(mut command: Command, dir: &Path, told: &str, log: &str) -> Done<Suite> {
        let (told, log) = (dir.join(told), dir.join(log));
        let _ = fs::remove_file(&told);
        let said = fs::File::create(&log)?;
        let mut child = command.stdout(Stdio::null()).stderr(said).spawn()?;
        let begun = Instant::now();
        loop {
            let addresses = fs::read_to_string(&told).unwrap_or_default();
            let mut lines = addresses.lines().map(str::to_owned);
            if let (Some(gateway), Some(admin)) = (lines.next(), lines.next()) {
                return Ok(Suite { child, dir: dir.to_owned(), gateway, admin });
            }
            if child.try_wait()?.is_some() || begun.elapsed() > START {
                let _ = child.kill();
                let said = fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("the suite did not start: {said}").into());
            }
            std::thread::yield_now();
        }
    }
}

impl Drop for Suite {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request with these headers alone; status, trace id, body.
///
/// # Errors
/// When nothing answers.
pub async fn send(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Done<(u16, String, String)> {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let mut request = Request::builder().method(method).uri(format!("http://{address}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = client.request(request.body(Full::from(body))?).await?;
    let status = answer.status().as_u16();
    let trace = answer.headers().get("linli-trace-id").and_then(|value| value.to_str().ok());
    let trace = trace.unwrap_or_default().to_owned();
    let body = answer.into_body().collect().await?.to_bytes();
    Ok((status, trace, String::from_utf8_lossy(&body).into_owned()))
}
