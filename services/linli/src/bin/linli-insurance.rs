//! Insurance as a process of its own: the same as `linli serve --target=insurance`.

#[tokio::main]
async fn main() -> std::process::ExitCode {
    linli::serve_alone(linli::Target::Insurance).await
}
