//! The gateway as a process of its own: the same as `linli serve --target=gateway`.

#[tokio::main]
async fn main() -> std::process::ExitCode {
    linli::serve_alone(linli::Target::Gateway).await
}
