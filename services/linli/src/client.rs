//! How the command line reaches a running suite.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::Value;

use crate::{dev, suite::SERVICES};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Who calls, and about which town.
#[derive(clap::Args)]
pub(crate) struct Caller {
    /// The town.
    #[arg(long, default_value = dev::DEMO_TOWN)]
    town: String,
    /// The token; default: one of the development issuer.
    #[arg(long, env = "LINLI_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

impl Caller {
    /// The town's name: `towns/{town}`.
    pub(crate) fn town(&self) -> String {
        format!("towns/{}", self.town)
    }

    /// The token that was given, else a fresh one, which lives an hour, for an officer of the town.
    fn token(&self) -> Result<String, Failure> {
        if let Some(token) = &self.token {
            return Ok(token.clone());
        }
        let issuer = chassis::identity::DevIssuer::load_or_create(&dev::data_dir(&dev::config()?))?;
        Ok(dev::token(&issuer, "town-officer", Some(&self.town), None, Duration::from_secs(3_600))?)
    }
}

/// The addresses of gateway and admin port: those of the suite that runs on the data directory, else the settings.
pub(crate) fn addresses() -> Result<(SocketAddr, SocketAddr), Failure> {
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
pub(crate) async fn send(request: Request<Full<Bytes>>) -> Result<(http::StatusCode, Bytes), Failure> {
    let (head, body) = answer(request).await?;
    Ok((head.status, body))
}

/// Sends a request and yields the head of the answer and its body.
async fn answer(request: Request<Full<Bytes>>) -> Result<(http::response::Parts, Bytes), Failure> {
    let uri = request.uri().clone();
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let answer =
        client.request(request).await.map_err(|error| format!("{uri}: {error}; does the suite run?"))?;
    let (head, body) = answer.into_parts();
    Ok((head, body.collect().await?.to_bytes()))
}

/// Calls the running gateway, JSON in and out: the answer, and whether it was given before under the same request id.
/// What is refused is the error.
pub(crate) async fn call(
    caller: &Caller,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> Result<(Value, bool), Failure> {
    let (gateway, _) = addresses()?;
    let bytes = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
    let request = Request::builder()
        .method(method)
        .uri(format!("http://{gateway}{path}"))
        .header("authorization", format!("Bearer {}", caller.token()?))
        .header("content-type", "application/json")
        .body(Full::new(bytes))?;
    let (head, body) = answer(request).await?;
    if !head.status.is_success() {
        return Err(format!("{}: {}", head.status, String::from_utf8_lossy(&body)).into());
    }
    Ok((serde_json::from_slice(&body)?, head.headers.contains_key("linli-replayed")))
}

/// The tables of every service, each after those that it requires.
pub(crate) struct Tables {
    all: Vec<(&'static str, String)>,
    failed: Option<Failure>,
}

impl Tables {
    /// Asks each service that the suite knows; one that does not answer is told of when a table is missed.
    pub(crate) async fn ask(caller: &Caller) -> Tables {
        let mut tables = Tables { all: Vec::new(), failed: None };
        for service in SERVICES {
            match call(caller, "GET", &format!("/v1/services/{}/tables", service.name), None).await {
                Ok((answer, _)) => {
                    let names = answer["tables"].as_array().into_iter().flatten();
                    let names = names.filter_map(|table| table["table"].as_str());
                    tables.all.extend(names.map(|table| (service.name, table.to_owned())));
                }
                Err(error) => tables.failed = Some(error),
            }
        }
        tables
    }

    /// Where a table stands among all, and the service that it belongs to: the first that has one of this name.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn find(&self, table: &str) -> Result<(usize, &'static str), String> {
        let found = self.all.iter().position(|(_, name)| name == table);
        let found = found.and_then(|at| Some((at, self.all.get(at)?.0)));
        found.ok_or_else(|| {
            let names = self.all.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", ");
            let failed = self.failed.as_ref().map(|error| format!("; {error}")).unwrap_or_default();
            format!("no table {table}; there are {names}{failed}")
        })
    }
}
