//! The token with which a service calls another one.

use std::{
    fmt,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tonic::metadata::AsciiMetadataValue;

use crate::{
    config::{BadSetting, Config},
    identity::{DevClaims, DevIssuer},
    refusal::Refusal,
};

/// The setting.
const SETTING: &str = "LINLI_SERVICE_TOKEN";
/// How often a file is read again, because such tokens are rotated.
const READ_AGAIN: Duration = Duration::from_secs(60);
/// How long a token of the development issuer holds; it is renewed after half of it.
const LIFETIME: Duration = Duration::from_secs(3_600);

/// The token of a service's own account. Cheap to clone.
#[derive(Clone)]
pub struct ServiceToken(Arc<Inner>);

struct Inner {
    source: Source,
    held: Mutex<Option<(AsciiMetadataValue, Instant)>>,
}

enum Source {
    Given(SecretString),
    File(PathBuf),
    Development { issuer: DevIssuer, claims: DevClaims },
}

impl fmt::Debug for ServiceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceToken").finish_non_exhaustive()
    }
}

impl ServiceToken {
    /// The one that `LINLI_SERVICE_TOKEN` says; when a file says it, the file is read again from time to time.
    ///
    /// # Errors
    /// When neither is set.
    pub fn of(config: &Config) -> Result<ServiceToken, BadSetting> {
        let given: String = config.parsed(SETTING)?;
        Ok(ServiceToken::new(match config.file(SETTING) {
            Some(path) => Source::File(path.to_owned()),
            None => Source::Given(given.into()),
        }))
    }

    /// Those of the development issuer for `service-{service}`.
    pub fn development(issuer: DevIssuer, service: &str) -> ServiceToken {
        let claims = DevClaims {
            subject: format!("service-{service}"),
            groups: vec!["service@everywhere".to_owned()],
            person: None,
            lifetime: LIFETIME,
        };
        ServiceToken::new(Source::Development { issuer, claims })
    }

    fn new(source: Source) -> ServiceToken {
        ServiceToken(Arc::new(Inner { source, held: Mutex::new(None) }))
    }

    /// The value of `authorization`.
    ///
    /// # Errors
    /// INTERNAL when there is none to be had.
    pub(super) async fn bearer(&self) -> Result<AsciiMetadataValue, Refusal> {
        self.at(Instant::now()).await
    }

    async fn at(&self, now: Instant) -> Result<AsciiMetadataValue, Refusal> {
        let mut held = self.0.held.lock().await;
        let good = self.0.source.good_for();
        let young = held.as_ref().filter(|(_, made)| now.saturating_duration_since(*made) < good);
        if let Some((value, _)) = young {
            return Ok(value.clone());
        }
        match self.0.source.make().await {
            Ok(value) => {
                *held = Some((value.clone(), now));
                Ok(value)
            }
            Err(refusal) => {
                let Some((value, made)) = held.as_mut() else { return Err(refusal) };
                tracing::warn!(error = ?std::error::Error::source(&refusal), "the service's token can't be renewed; the one before is used");
                *made = now;
                Ok(value.clone())
            }
        }
    }
}

impl Source {
    fn good_for(&self) -> Duration {
        match self {
            Source::Given(_) => Duration::MAX,
            Source::File(_) => READ_AGAIN,
            Source::Development { .. } => LIFETIME / 2,
        }
    }

    async fn make(&self) -> Result<AsciiMetadataValue, Refusal> {
        let token = match self {
            Source::Given(token) => token.expose_secret().to_owned(),
            Source::File(path) => tokio::fs::read_to_string(path).await.map_err(Refusal::internal)?,
            Source::Development { issuer, claims } => issuer.token(claims).map_err(Refusal::internal)?,
        };
        let mut value: AsciiMetadataValue =
            format!("Bearer {}", token.trim()).parse().map_err(Refusal::internal)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Verifier;

    fn config(name: &str, value: &str) -> Config {
        Config::read(|asked| (asked == name).then(|| value.to_owned())).unwrap()
    }

    #[tokio::test]
    async fn a_file_is_read_again_and_what_can_not_be_read_changes_nothing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one\n").unwrap();
        let token =
            ServiceToken::of(&config("LINLI_SERVICE_TOKEN_FILE", file.path().to_str().unwrap())).unwrap();
        let start = Instant::now();
        let at = async |seconds| token.at(start + Duration::from_secs(seconds)).await.unwrap();
        assert_eq!(at(0).await, "Bearer one");
        std::fs::write(file.path(), "two\n").unwrap();
        assert_eq!(at(59).await, "Bearer one");
        assert_eq!(at(60).await, "Bearer two");
        file.close().unwrap();
        assert_eq!(at(200).await, "Bearer two");
        assert!(!format!("{:?} {:?}", token, at(0).await).contains("two"));
    }

    #[tokio::test]
    async fn a_value_stays_and_none_is_a_fault() {
        let token = ServiceToken::of(&config("LINLI_SERVICE_TOKEN", "given")).unwrap();
        assert_eq!(token.bearer().await.unwrap(), "Bearer given");
        assert_eq!(ServiceToken::of(&config("LINLI_LOG", "info")).unwrap_err().name, "LINLI_SERVICE_TOKEN");
    }

    #[tokio::test]
    async fn development_renews_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let issuer = || DevIssuer::load_or_create(dir.path()).unwrap();
        let token = ServiceToken::development(issuer(), "funding");
        let start = Instant::now();
        let first = token.at(start).await.unwrap();
        let verifier = Verifier::new(vec![issuer().config()]);
        let text = first.to_str().unwrap().trim_start_matches("Bearer ").to_owned();
        let identity = verifier.verify(&text).await.unwrap();
        assert_eq!(
            (identity.subject.as_str(), identity.groups),
            ("service-funding", vec!["service@everywhere".to_owned()])
        );
        let made = async |at| {
            token.at(at).await.unwrap();
            token.0.held.lock().await.as_ref().unwrap().1
        };
        let half = start + LIFETIME / 2;
        assert_eq!(made(half.checked_sub(Duration::from_secs(1)).unwrap()).await, start);
        assert_eq!(made(half).await, half);
    }
}
