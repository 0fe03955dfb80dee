//! How the command line reaches a running suite.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

use crate::dev;

/// The addresses of gateway and admin port: those of the suite that runs on the data directory, else the settings.
pub(crate) fn addresses() -> Result<(SocketAddr, SocketAddr), Box<dyn std::error::Error + Send + Sync>> {
    let config = dev::config()?;
    let written = std::fs::read_to_string(dev::data_dir(&config).join("addresses")).unwrap_or_default();
    let mut lines = written.lines().filter_map(|line| line.parse().ok());
    let (gateway, admin) = (lines.next(), lines.next());
    let told = |name: &'static str| std::env::var_os(name).map(|_| config.listen(name)).transpose();
    let pick = |name, found: Option<SocketAddr>| {
        Ok::<_, chassis::config::BadSetting>(match told(name)?.filter(|a| a.port() != 0).or(found) {
            Some(address) => address,
            None => config.listen(name)?,
        })
    };
    Ok((pick("LINLI_GATEWAY_LISTEN", gateway)?, pick("LINLI_ADMIN_LISTEN", admin)?))
}

/// Sends a request and yields status and body.
pub(crate) async fn send(
    request: Request<Full<Bytes>>,
) -> Result<(http::StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>> {
    let uri = request.uri().clone();
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let answer =
        client.request(request).await.map_err(|error| format!("{uri}: {error}; does the suite run?"))?;
    let status = answer.status();
    Ok((status, answer.into_body().collect().await?.to_bytes()))
}
