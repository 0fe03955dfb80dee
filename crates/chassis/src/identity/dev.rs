//! The development issuer: tokens for whoever works on this machine, and a refusal to do so on any other interface.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{IssuerConfig, JwksSource};

/// `iss` of its tokens.
pub const DEV_ISSUER: &str = "urn:linli:development";
const AUDIENCE: &str = "linli";
const FILE: &str = "dev-issuer.key";

/// The development issuer listens on something that others can reach.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "development mode gives tokens to anybody: it refuses to listen on {0}, which is not a loopback address"
)]
pub struct NotLoopback(pub SocketAddr);

/// Refuses development mode on anything but loopback.
///
/// # Errors
/// Names the first address that isn't.
pub fn refuse_unless_loopback(listen: &[SocketAddr]) -> Result<(), NotLoopback> {
    listen
        .iter()
        .find(|address| !address.ip().is_loopback())
        .map_or(Ok(()), |address| Err(NotLoopback(*address)))
}

/// What a token says.
#[derive(Clone, Debug)]
pub struct DevClaims {
    /// `sub`: a stand-in like `town-officer-1`.
    pub subject: String,
    /// Groups like `town-officer@malu`.
    pub groups: Vec<String>,
    /// The person, as a name.
    pub person: Option<String>,
    /// How long it holds.
    pub lifetime: Duration,
}

/// The development issuer.
#[derive(Clone)]
pub struct DevIssuer {
    key: EncodingKey,
    kid: String,
    keys: jsonwebtoken::jwk::JwkSet,
}

impl std::fmt::Debug for DevIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DevIssuer").field("kid", &self.kid).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
    groups: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<&'a str>,
}

impl DevIssuer {
    /// The issuer whose key is kept in `dir`; a new key when there is none.
    ///
    /// # Errors
    /// When the key can't be read or kept.
    pub fn load_or_create(dir: &Path) -> io::Result<DevIssuer> {
        let file = dir.join(FILE);
        let key = match fs::read(&file) {
            Ok(key) => key,
            Err(error) if error.kind() == io::ErrorKind::NotFound => create(&file)?,
            Err(error) => return Err(error),
        };
        DevIssuer::from_pkcs8(&key)
    }

    fn from_pkcs8(pkcs8: &[u8]) -> io::Result<DevIssuer> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new())
            .map_err(|error| io::Error::other(format!("the key of the development issuer: {error}")))?;
        let point = pair.public_key().as_ref(); // 0x04, x, y
        let kid = hex::encode(&Sha256::digest(point)[..8]);
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..65]));
        let keys = serde_json::json!({"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid, "x": x, "y": y}]});
        let keys = serde_json::from_value(keys).map_err(io::Error::other)?;
        Ok(DevIssuer { key: EncodingKey::from_ec_der(pkcs8), kid, keys })
    }

    /// A token.
    ///
    /// # Errors
    /// When signing fails.
    pub fn token(&self, claims: &DevClaims) -> io::Result<String> {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.kid.clone());
        let now = crate::clock::recorded_now().as_second();
        let lifetime = i64::try_from(claims.lifetime.as_secs()).unwrap_or(i64::MAX / 2);
        let body = Claims {
            iss: DEV_ISSUER,
            aud: AUDIENCE,
            sub: &claims.subject,
            iat: now,
            exp: now.saturating_add(lifetime),
            groups: &claims.groups,
            person: claims.person.as_deref(),
        };
        encode(&header, &body, &self.key).map_err(io::Error::other)
    }

    /// How its tokens are verified.
    pub fn config(&self) -> IssuerConfig {
        IssuerConfig {
            issuer: DEV_ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            keys: JwksSource::Fixed(self.keys.clone()),
            algorithms: vec![Algorithm::ES256],
            groups_claim: "groups".to_owned(),
        }
    }
}

/// A new key in `file`, which another process may be making at the same time: the first one counts.
fn create(file: &Path) -> io::Result<Vec<u8>> {
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .map_err(|error| io::Error::other(format!("making a key: {error}")))?;
    let beside = file.with_extension(format!("new-{}", std::process::id()));
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?
        .write_all(document.as_ref())?;
    let linked = fs::hard_link(&beside, file);
    fs::remove_file(&beside)?;
    match linked {
        Ok(()) => Ok(document.as_ref().to_vec()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => fs::read(file),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Unverified, Verifier};

    fn claims(lifetime: u64) -> DevClaims {
        DevClaims {
            subject: "town-officer-1".to_owned(),
            groups: vec!["town-officer@malu".to_owned()],
            person: None,
            lifetime: Duration::from_secs(lifetime),
        }
    }

    fn issuer() -> DevIssuer {
        DevIssuer::load_or_create(tempfile::tempdir().unwrap().path()).unwrap()
    }

    #[tokio::test]
    async fn a_token_is_verified_and_its_key_kept() {
        let dir = tempfile::tempdir().unwrap();
        let token = DevIssuer::load_or_create(dir.path()).unwrap().token(&claims(60)).unwrap();
        let again = DevIssuer::load_or_create(dir.path()).unwrap();
        let identity = Verifier::new(vec![again.config()]).verify(&token).await.unwrap();
        assert_eq!(identity.principal(), "urn:linli:development|town-officer-1");
        assert_eq!(identity.groups, ["town-officer@malu"]);
    }

    #[tokio::test]
    async fn tokens_that_do_not_hold_are_refused_for_their_reason() {
        let (ours, other) = (issuer(), issuer());
        let verifier = Verifier::new(vec![ours.config()]);
        let verify = async |token: String| verifier.verify(&token).await.unwrap_err();
        assert_eq!(verify(other.token(&claims(60)).unwrap()).await, Unverified::UnknownKey);

        // signed by another key under our key's id
        let forged = DevIssuer { kid: ours.kid.clone(), ..other };
        assert_eq!(verify(forged.token(&claims(60)).unwrap()).await, Unverified::Signature);

        let payload = ours.token(&claims(60)).unwrap().split('.').nth(1).unwrap().to_owned();
        let none = format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#));
        assert_eq!(verify(none).await, Unverified::Malformed);
        let hmac = encode(
            &Header { kid: Some(ours.kid.clone()), ..Header::new(Algorithm::HS256) },
            &serde_json::json!({"iss": DEV_ISSUER, "sub": "x", "aud": "linli", "exp": 9_999_999_999u64}),
            &EncodingKey::from_secret(b"x"),
        )
        .unwrap();
        assert_eq!(verify(hmac).await, Unverified::Algorithm);

        let signed = |body: serde_json::Value| {
            let header = Header { kid: Some(ours.kid.clone()), ..Header::new(Algorithm::ES256) };
            encode(&header, &body, &ours.key).unwrap()
        };
        let body = |aud: &str, iss: &str, exp: u64, nbf: u64| serde_json::json!({"iss": iss, "sub": "x", "aud": aud, "exp": exp, "nbf": nbf});
        assert_eq!(verify(signed(body("else", DEV_ISSUER, 9_999_999_999, 0))).await, Unverified::Audience);
        assert_eq!(verify(signed(body("linli", "else", 9_999_999_999, 0))).await, Unverified::UnknownIssuer);
        assert_eq!(verify(signed(body("linli", DEV_ISSUER, 1_000, 0))).await, Unverified::Expired);
        assert_eq!(
            verify(signed(body("linli", DEV_ISSUER, 9_999_999_999, 9_999_999_998))).await,
            Unverified::NotYet
        );
        assert_eq!(verify("x.y.z".to_owned()).await, Unverified::Malformed);
    }

    #[tokio::test]
    async fn a_key_that_was_rotated_in_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("jwks.json");
        let (old, new) = (issuer(), issuer());
        fs::write(&file, serde_json::to_vec(&new.keys).unwrap()).unwrap();
        let config = IssuerConfig { keys: JwksSource::File(file), ..old.config() };
        let verifier = Verifier::new(vec![config]);
        assert_eq!(verifier.verify(&old.token(&claims(60)).unwrap()).await, Err(Unverified::UnknownKey));
        assert!(verifier.verify(&new.token(&claims(60)).unwrap()).await.is_ok());
    }

    /// An issuer over HTTP: its keys are fetched, an unknown key asks again but not at once, and keys stay while it is down.
    #[tokio::test]
    async fn keys_come_over_http_and_stay_while_the_issuer_is_down() {
        let (ours, other) = (issuer(), issuer());
        let body = serde_json::to_string(&ours.keys).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = asked.clone();
        let answer = move || {
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            std::future::ready(body.clone())
        };
        let app = axum::Router::new().route("/jwks", axum::routing::get(answer));
        let server = tokio::spawn(async move { axum::serve(listener, app).await });
        let verifier = Verifier::new(vec![IssuerConfig { keys: JwksSource::Url(url), ..ours.config() }]);
        assert!(verifier.verify(&ours.token(&claims(60)).unwrap()).await.is_ok());
        for _ in 0..20 {
            assert_eq!(
                verifier.verify(&other.token(&claims(60)).unwrap()).await,
                Err(Unverified::UnknownKey)
            );
        }
        assert_eq!(
            asked.load(std::sync::atomic::Ordering::SeqCst),
            1,
            "a flood of unknown keys does not reach the issuer"
        );
        server.abort();
        assert!(verifier.verify(&ours.token(&claims(61)).unwrap()).await.is_ok());
        let nobody = Verifier::new(vec![IssuerConfig {
            keys: JwksSource::Url("http://127.0.0.1:1/jwks".to_owned()),
            ..ours.config()
        }]);
        assert_eq!(nobody.verify(&ours.token(&claims(60)).unwrap()).await, Err(Unverified::KeysUnavailable));
    }

    #[test]
    fn only_loopback_will_do() {
        let refused = refuse_unless_loopback(&["127.0.0.1:1".parse().unwrap(), "0.0.0.0:2".parse().unwrap()]);
        assert_eq!(refused, Err(NotLoopback("0.0.0.0:2".parse().unwrap())));
    }
}
