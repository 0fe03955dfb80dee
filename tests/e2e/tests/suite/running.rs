//! A suite of one test.

use std::{
    ops::{Deref, DerefMut},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

pub(crate) use e2e::LOG;
use e2e::Suite;

/// A running process of `linli`.
pub(crate) struct Running(Suite);

impl Deref for Running {
    type Target = Suite;
    fn deref(&self) -> &Suite {
        &self.0
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Suite {
        &mut self.0
    }
}

/// The binary that this workspace builds.
pub(crate) fn binary() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| e2e::build().unwrap()).clone()
}

/// A directory that the account of Postgres can reach.
pub(crate) fn open_dir() -> tempfile::TempDir {
    e2e::open_dir().unwrap()
}

/// A command of `linli` on a data directory.
pub(crate) fn linli(dir: &Path, arguments: &[&str]) -> Command {
    e2e::command(&binary(), dir, arguments)
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
    let mut command = linli(dir, arguments);
    command.envs(settings.iter().copied());
    Running(Suite::start(command, dir).unwrap())
}

/// Starts one service or the gateway as a process of its own, listening wherever there is room.
pub(crate) fn start_apart(dir: &Path, target: &str, settings: &[(&str, String)]) -> Running {
    let mut command = linli(dir, &["serve", "--target", target]);
    let listen = format!("LINLI_{}_LISTEN", target.to_uppercase());
    command.env(listen, "127.0.0.1:0").envs(settings.iter().map(|(key, value)| (key, value)));
    Running(Suite::start_apart(command, dir, target).unwrap())
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

/// A request with these headers alone.
pub(crate) async fn send(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> (u16, String, String) {
    e2e::send(address, method, path, headers, body).await.unwrap()
}
