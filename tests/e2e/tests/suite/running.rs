//! A suite as a process of its own.

use std::{
    fs,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

/// A running process of `linli`.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) dir: PathBuf,
    pub(crate) gateway: String,
    pub(crate) admin: String,
}

/// The binary that this workspace builds.
pub(crate) fn binary() -> PathBuf {
    static BUILT: std::sync::Once = std::sync::Once::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    BUILT.call_once(|| {
        let done = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "-p", "linli"])
            .current_dir(&root)
            .status()
            .unwrap();
        assert!(done.success());
    });
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    target.join("debug/linli")
}

/// A directory that the account of Postgres can reach.
pub(crate) fn open_dir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

/// A command of `linli` on a data directory.
pub(crate) fn linli(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command
        .args(arguments)
        .env("LINLI_DATA_DIR", dir)
        .env("LINLI_GATEWAY_LISTEN", "127.0.0.1:0")
        .env("LINLI_ADMIN_LISTEN", "127.0.0.1:0");
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run(dir: &Path, arguments: &[&str]) -> Output {
    linli(dir, arguments).output().unwrap()
}

/// Starts the suite and waits until it says where it listens.
pub(crate) fn start(dir: &Path) -> Running {
    start_with(dir, &["serve"], &[])
}

/// The same with other arguments and settings.
pub(crate) fn start_with(dir: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Running {
    let _ = fs::remove_file(dir.join("addresses"));
    let mut command = linli(dir, arguments);
    command.envs(settings.iter().copied()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let begun = Instant::now();
    loop {
        let addresses = fs::read_to_string(dir.join("addresses")).unwrap_or_default();
        let mut lines = addresses.lines();
        if let (Some(gateway), Some(admin)) = (lines.next(), lines.next()) {
            return Running {
                child,
                dir: dir.to_owned(),
                gateway: gateway.to_owned(),
                admin: admin.to_owned(),
            };
        }
        if child.try_wait().unwrap().is_some() || begun.elapsed() > Duration::from_secs(120) {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("the suite did not start: {said}");
        }
        std::thread::yield_now();
    }
}

impl Running {
    /// A token of the development issuer.
    pub(crate) fn token(&self, role: &str) -> String {
        let out = run(&self.dir, &["token", "--as", role]);
        assert!(out.status.success(), "{out:?}");
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    /// A call as the town officer: status, trace id, body.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &str) -> (u16, String, String) {
        let token = format!("Bearer {}", self.token("town-officer"));
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        send(&self.gateway, method, path, &headers, body.as_bytes().to_vec()).await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A request with these headers alone.
pub(crate) async fn send(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> (u16, String, String) {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let mut request = Request::builder().method(method).uri(format!("http://{address}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = client.request(request.body(Full::from(body)).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let trace = answer
        .headers()
        .get("linli-trace-id")
        .map(|value| value.to_str().unwrap().to_owned())
        .unwrap_or_default();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, trace, String::from_utf8_lossy(&body).into_owned())
}
