//! Workforce as a process of its own: the same as `linli serve --target=workforce`.

#[tokio::main]
async fn main() -> std::process::ExitCode {
    linli::serve_alone(linli::Target::Workforce).await
}
