//! The account that Postgres runs as: not root.

use std::{
    fs, io,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
};

/// A user and its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// The account to run Postgres as when we are root: `postgres`, else `nobody`; `None` when we aren't.
pub fn unprivileged() -> Option<Account> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let account = |wanted: &str| {
        passwd
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|f| f.len() > 3 && f[0] == wanted)
            .and_then(|f| Some(Account { uid: f[2].parse().ok()?, gid: f[3].parse().ok()? }))
    };
    Some(account("postgres").or_else(|| account("nobody")).unwrap_or(Account { uid: 65_534, gid: 65_534 }))
}

/// The first directory above (or at) `path` that `account` can't pass through, if there is one.
pub fn unreachable_ancestor(path: &Path, account: Account) -> Option<PathBuf> {
    let ancestors: Vec<&Path> = path.ancestors().collect();
    ancestors
        .into_iter()
        .rev()
        .find(|dir| {
            fs::metadata(dir).is_ok_and(|meta| {
                let mode = meta.permissions().mode();
                let needed = if meta.uid() == account.uid {
                    0o100
                } else if meta.gid() == account.gid {
                    0o010
                } else {
                    0o001
                };
                mode & needed == 0
            })
        })
        .map(Path::to_owned)
}

/// A command with a clean environment that runs as `account`.
pub(crate) fn command(program: &Path, account: Option<Account>) -> Command {
    let mut command = Command::new(program);
    if let Some(account) = account {
        // std drops the supplementary groups when root sets a uid
        command.uid(account.uid).gid(account.gid);
    }
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .current_dir("/");
    command
}

/// A directory that is `owner`'s alone.
pub(crate) fn private_dir(dir: &Path, owner: Option<Account>) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    if let Some(owner) = owner {
        chown(dir, Some(owner.uid), Some(owner.gid))?;
    }
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_directory_above_is_named() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let stranger = Account { uid: 64_000, gid: 64_000 };
        assert_eq!(unreachable_ancestor(&inner, stranger), Some(outer.path().to_owned()));
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert_ne!(unreachable_ancestor(&inner, stranger), Some(outer.path().to_owned()));
    }
}
