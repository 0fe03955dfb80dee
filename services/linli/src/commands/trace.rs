//! `linli trace`: one call as a tree.

use bytes::Bytes;
use chassis::telemetry::{StoredSpan, render};
use http::Request;
use http_body_util::Full;

use crate::{Done, client};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The trace id, as in `linli-trace-id`.
    id: String,
    /// Admin ports to ask, address:port; several for separate processes. Default: the suite that runs here.
    #[arg(long)]
    admin: Vec<String>,
}

pub(crate) async fn run(arguments: &Arguments) -> Done {
    let ports = if arguments.admin.is_empty() {
        vec![client::addresses()?.1.to_string()]
    } else {
        arguments.admin.clone()
    };
    let mut spans: Vec<StoredSpan> = Vec::new();
    for port in &ports {
        let request = Request::get(format!("http://{port}/traces/{}?format=json", arguments.id))
            .body(Full::new(Bytes::new()))?;
        let (status, body) = client::send(request).await?;
        if status.is_success() {
            spans.extend(serde_json::from_slice::<Vec<StoredSpan>>(&body)?);
        }
    }
    if spans.is_empty() {
        return Err(format!("{} keeps no trace {}", ports.join(", "), arguments.id).into());
    }
    print!("{}", render(&spans));
    Ok(())
}
