//! Where Postgres is installed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The oldest release that will do.
const OLDEST: u32 = 15;

/// The directory with `initdb` and `postgres`, 15 or newer, with `btree_gist`: `LINLI_POSTGRES_BIN`, PATH, then the
/// usual places, newest first.
pub fn find_binaries() -> Option<PathBuf> {
    if let Some(dir) = std::env::var_os("LINLI_POSTGRES_BIN") {
        return Some(dir.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path)
        .filter(|dir| is_complete(dir))
        .filter_map(|dir| Some((version(&dir)?, dir)));
    let mut found: Vec<(u32, PathBuf)> = on_path.collect();
    for root in [
        "/usr/lib/postgresql",
        "/usr/local/pgsql",
        "/opt/homebrew/opt",
        "/usr/local/opt",
        "/Applications/Postgres.app/Contents/Versions",
    ] {
        let dirs = fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
        found.extend(dirs.filter(|dir| is_complete(dir)).filter_map(|dir| Some((version(&dir)?, dir))));
    }
    found.sort();
    found.pop().filter(|(version, _)| *version >= OLDEST).map(|(_, dir)| dir)
}

fn is_complete(dir: &Path) -> bool {
    dir.join("initdb").is_file() && dir.join("postgres").is_file() && has_btree_gist(dir)
}

/// Contrib is a package of its own in some distributions.
fn has_btree_gist(dir: &Path) -> bool {
    let beside = ["../share/postgresql/extension", "../share/extension", "../share/postgresql@17/extension"];
    let told = Command::new(dir.join("pg_config")).arg("--sharedir").output().ok();
    let told = told.map(|out| PathBuf::from(String::from_utf8_lossy(&out.stdout).trim()).join("extension"));
    let debian = dir
        .parent()
        .and_then(Path::file_name)
        .map(|v| Path::new("/usr/share/postgresql").join(v).join("extension"));
    let places = beside.iter().map(|place| dir.join(place)).chain(told).chain(debian);
    places.into_iter().any(|place| place.join("btree_gist.control").is_file())
}

fn version(dir: &Path) -> Option<u32> {
    let out = Command::new(dir.join("postgres")).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let number = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
