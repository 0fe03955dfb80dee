//! The daily commands: `cargo xtask check | sqlx | dev-db | walk`.

mod check;
mod sqlx_data;
mod walk;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Daily commands of the repository")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything that CI runs.
    Check,
    /// Writes the offline data of the checked queries (`.sqlx`), or with --check compares it.
    Sqlx {
        /// Compare only; differences fail.
        #[arg(long)]
        check: bool,
    },
    /// Holds a migrated database for checked queries and prints its URL, until Ctrl-C.
    DevDb,
    /// Walks through a fresh suite over the gateway and holds its answers against the files.
    Walk {
        /// What: `structure`.
        what: walk::What,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Check => check::run(),
        Command::Sqlx { check } => sqlx_data::run(check).await,
        Command::DevDb => sqlx_data::hold().await,
        Command::Walk { what } => walk::run(what).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Any failure, told to the one who called.
type Done = Result<(), Box<dyn std::error::Error + Send + Sync>>;
