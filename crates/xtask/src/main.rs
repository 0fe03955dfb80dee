//! The daily commands: `cargo xtask check | sqlx | dev-db`.

mod check;
mod sqlx_data;

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
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Check => check::run(),
        Command::Sqlx { check } => sqlx_data::run(check).await,
        Command::DevDb => sqlx_data::hold().await,
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
