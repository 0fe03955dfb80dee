//! `linli`: the suite and its command line.

#[tokio::main]
async fn main() -> std::process::ExitCode {
    linli::command_line().await
}
