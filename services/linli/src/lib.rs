//! The suite in one process, and its command line.

mod client;
mod commands;
mod dev;
mod suite;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

#[derive(Parser)]
#[command(name = "linli", version, about = "Linli 邻里: community work of a town")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the suite or one service (the default: everything, for development).
    Serve {
        /// What to run.
        #[arg(long, value_enum, default_value_t = Target::All)]
        target: Target,
    },
    /// Prints a token of the development issuer.
    Token(commands::token::Arguments),
    /// Shows or moves business time in development.
    Clock {
        #[command(subcommand)]
        act: Option<commands::clock::Act>,
    },
    /// Prints a trace that a running process keeps, as a tree.
    Trace(commands::trace::Arguments),
    /// Imports tables through a running gateway.
    Import(commands::import::Arguments),
    /// Exports a table through a running gateway.
    Export(commands::export::Arguments),
    /// Brings the schemas up to date.
    Migrate,
    /// Looks for what would keep the suite from running.
    Doctor,
    /// Shows the settings.
    Config {
        #[command(subcommand)]
        act: ConfigAct,
    },
    /// What operators do.
    Admin {
        #[command(subcommand)]
        act: AdminAct,
    },
}

#[derive(Subcommand)]
enum ConfigAct {
    /// Prints every setting with its value and meaning; secrets are masked.
    Print,
}

#[derive(Subcommand)]
enum AdminAct {
    /// Names the first administrator, once.
    Bootstrap(commands::bootstrap::Arguments),
}

/// What a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// Every service and the gateway in one process.
    All,
    /// The governance service.
    Governance,
    /// The funding service.
    Funding,
    /// The insurance service.
    Insurance,
    /// The workforce service.
    Workforce,
    /// The gateway.
    Gateway,
}

/// Any failure, told to the one who called.
type Done = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// The command line.
pub async fn command_line() -> ExitCode {
    ended(run(Arguments::parse().command.unwrap_or(Command::Serve { target: Target::All })).await)
}

/// One service as a process of its own, without a command line.
pub async fn serve_alone(target: Target) -> ExitCode {
    ended(suite::serve(target).await)
}

fn ended(done: Done) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let causes =
                std::iter::successors(Some(&*error as &dyn std::error::Error), |error| error.source());
            eprintln!("linli: {}", causes.map(ToString::to_string).collect::<Vec<_>>().join(": "));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Done {
    match command {
        Command::Serve { target } => suite::serve(target).await,
        Command::Token(arguments) => commands::token::run(&arguments),
        Command::Clock { act } => commands::clock::run(act).await,
        Command::Trace(arguments) => commands::trace::run(&arguments).await,
        Command::Import(arguments) => commands::import::run(&arguments).await,
        Command::Export(arguments) => commands::export::run(&arguments).await,
        Command::Migrate => commands::migrate::run().await,
        Command::Doctor => commands::doctor::run().await,
        Command::Config { act: ConfigAct::Print } => commands::config::run(),
        Command::Admin { act: AdminAct::Bootstrap(arguments) } => commands::bootstrap::run(&arguments).await,
    }
}
