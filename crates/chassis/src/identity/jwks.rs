//! Where an issuer's keys come from, fetched seldom and kept while the issuer can't be reached.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use http_body_util::{BodyExt, Empty, Limited};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use tokio::sync::{Mutex, RwLock};

/// Bytes of a key set at most.
const LIMIT: usize = 256 * 1024;
/// How long fetching may take.
const WITHIN: Duration = Duration::from_secs(5);
/// How often an unknown key may cause a fetch.
const PAUSE: Duration = Duration::from_secs(10);
/// After how long keys are fetched again anyway.
const STALE: Duration = Duration::from_secs(600);

/// Where the keys of an issuer are.
#[derive(Clone, Debug)]
pub enum JwksSource {
    /// `http://` or `https://`.
    Url(String),
    /// A file.
    File(PathBuf),
    /// Here.
    Fixed(JwkSet),
}

/// The keys of an issuer.
#[derive(Debug)]
pub(super) struct Keys {
    source: JwksSource,
    known: RwLock<Option<Arc<JwkSet>>>,
    fetched: Mutex<Option<Instant>>,
}

impl Keys {
    pub(super) fn new(source: JwksSource) -> Keys {
        Keys { source, known: RwLock::new(None), fetched: Mutex::new(None) }
    }

    /// The key `kid`; `Err` when there are no keys at all.
    pub(super) async fn find(&self, kid: &str) -> Result<Option<Jwk>, String> {
        if let Some(key) = self.known.read().await.as_ref().and_then(|set| set.find(kid).cloned())
            && !self.is_stale().await
        {
            return Ok(Some(key));
        }
        let failure = self.refresh().await.err();
        match (self.known.read().await.as_ref(), failure) {
            (Some(set), _) => Ok(set.find(kid).cloned()),
            (None, failure) => Err(failure.unwrap_or_default()),
        }
    }

    async fn is_stale(&self) -> bool {
        self.fetched.lock().await.is_none_or(|at| at.elapsed() > STALE)
    }

    /// Fetches, one at a time and not too often: a flood of unknown keys doesn't reach the issuer.
    async fn refresh(&self) -> Result<(), String> {
        let mut fetched = self.fetched.lock().await;
        if fetched.is_some_and(|at| at.elapsed() < PAUSE) {
            return Ok(());
        }
        *fetched = Some(Instant::now());
        let set = match &self.source {
            JwksSource::Fixed(set) => set.clone(),
            JwksSource::File(path) => parse(&tokio::fs::read(path).await.map_err(|e| e.to_string())?)?,
            JwksSource::Url(url) => {
                let fetched = tokio::time::timeout(WITHIN, get(url)).await;
                parse(&fetched.map_err(|_| "timed out".to_owned())??)?
            }
        };
        *self.known.write().await = Some(Arc::new(set));
        Ok(())
    }
}

fn parse(bytes: &[u8]) -> Result<JwkSet, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("not a key set: {error}"))
}

async fn get(url: &str) -> Result<Vec<u8>, String> {
    use hyper_util::{client::legacy::Client, rt::TokioExecutor};
    let connector =
        hyper_rustls::HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
    let client: Client<_, Empty<bytes::Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let answer = client
        .get(url.parse().map_err(|_| "not a URL".to_owned())?)
        .await
        .map_err(|error| error.to_string())?;
    if !answer.status().is_success() {
        return Err(format!("answered {}", answer.status()));
    }
    let body = Limited::new(answer.into_body(), LIMIT).collect().await.map_err(|error| error.to_string())?;
    Ok(body.to_bytes().to_vec())
}
