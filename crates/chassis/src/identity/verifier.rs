//! Tokens verified: issuer, algorithm, key, signature, audience, times.

use std::{collections::HashMap, sync::Arc, time::Duration};

use http::{HeaderMap, header::AUTHORIZATION};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, errors::ErrorKind};
use moka::sync::Cache;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::jwks::{JwksSource, Keys};

/// Bytes of a token at most.
const LONGEST: usize = 16 * 1024;
/// Seconds that clocks may differ by.
const LEEWAY: u64 = 30;

/// An issuer whose tokens count.
#[derive(Clone, Debug)]
pub struct IssuerConfig {
    /// `iss`.
    pub issuer: String,
    /// `aud` that its tokens must name.
    pub audience: String,
    /// Its keys.
    pub keys: JwksSource,
    /// The algorithms that it signs with; others are refused.
    pub algorithms: Vec<Algorithm>,
    /// The claim that holds groups.
    pub groups_claim: String,
}

/// Who a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// The groups that the issuer says he is in.
    pub groups: Vec<String>,
    /// The person that the development issuer says he is.
    pub person: Option<String>,
    /// `exp`, in seconds since 1970.
    pub expires: u64,
}

impl Identity {
    /// `issuer|subject`.
    pub fn principal(&self) -> String {
        format!("{}|{}", self.issuer, self.subject)
    }
}

/// Why a token doesn't hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.cause())]
pub enum Unverified {
    /// There is none.
    Missing,
    /// It isn't a token.
    Malformed,
    /// Nobody we know issued it.
    UnknownIssuer,
    /// Signed in a way that we don't accept.
    Algorithm,
    /// Signed with a key that its issuer doesn't publish.
    UnknownKey,
    /// The signature doesn't hold.
    Signature,
    /// Too old.
    Expired,
    /// Not yet valid.
    NotYet,
    /// Made for somebody else.
    Audience,
    /// The issuer's keys can't be had.
    KeysUnavailable,
}

impl Unverified {
    /// A stable word for it.
    pub fn cause(self) -> &'static str {
        match self {
            Unverified::Missing => "missing",
            Unverified::Malformed => "malformed",
            Unverified::UnknownIssuer => "unknown issuer",
            Unverified::Algorithm => "algorithm",
            Unverified::UnknownKey => "unknown key",
            Unverified::Signature => "signature",
            Unverified::Expired => "expired",
            Unverified::NotYet => "not yet valid",
            Unverified::Audience => "audience",
            Unverified::KeysUnavailable => "keys unavailable",
        }
    }
}

/// The token of an `authorization` header (RFC 6750).
///
/// # Errors
/// When there is none, more than one, or another scheme.
pub fn bearer(headers: &HeaderMap) -> Result<&str, Unverified> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Unverified::Missing)?;
    if values.next().is_some() {
        return Err(Unverified::Malformed);
    }
    let text = value.to_str().map_err(|_| Unverified::Malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(Unverified::Malformed)?;
    let token = token.trim();
    let good = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= LONGEST;
    good.then_some(token).ok_or(Unverified::Malformed)
}

#[derive(Debug)]
struct Issuer {
    config: IssuerConfig,
    keys: Keys,
}

/// Verifies tokens. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Verifier {
    issuers: Arc<HashMap<String, Issuer>>,
    verified: Cache<[u8; 32], Identity>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    exp: u64,
    #[serde(default)]
    person: Option<String>,
    #[serde(flatten)]
    others: HashMap<String, serde_json::Value>,
}

impl Verifier {
    /// Accepts the tokens of `issuers`.
    pub fn new(issuers: Vec<IssuerConfig>) -> Verifier {
        let issuers = issuers.into_iter().map(|config| {
            let keys = Keys::new(config.keys.clone());
            (config.issuer.clone(), Issuer { config, keys })
        });
        let verified = Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(60)).build();
        Verifier { issuers: Arc::new(issuers.collect()), verified }
    }

    /// Who `token` speaks for.
    ///
    /// # Errors
    /// Why it doesn't hold.
    pub async fn verify(&self, token: &str) -> Result<Identity, Unverified> {
        if token.len() > LONGEST {
            return Err(Unverified::Malformed);
        }
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let now = u64::try_from(crate::clock::recorded_now().as_second()).unwrap_or_default();
        if let Some(identity) = self.verified.get(&digest) {
            return if identity.expires + LEEWAY > now { Ok(identity) } else { Err(Unverified::Expired) };
        }
        let identity = self.verify_afresh(token).await?;
        self.verified.insert(digest, identity.clone());
        Ok(identity)
    }

    async fn verify_afresh(&self, token: &str) -> Result<Identity, Unverified> {
        let header = decode_header(token).map_err(|_| Unverified::Malformed)?;
        // whose it claims to be, before anything is trusted or fetched
        let issuer = self.issuers.get(&claimed_issuer(token)?).ok_or(Unverified::UnknownIssuer)?;
        if !issuer.config.algorithms.contains(&header.alg) {
            return Err(Unverified::Algorithm);
        }
        let kid = header.kid.ok_or(Unverified::UnknownKey)?;
        let found = issuer.keys.find(&kid).await.map_err(|cause| {
            tracing::warn!(issuer = %issuer.config.issuer, %cause, "keys of an issuer can't be had");
            Unverified::KeysUnavailable
        })?;
        let key = DecodingKey::from_jwk(&found.ok_or(Unverified::UnknownKey)?)
            .map_err(|_| Unverified::UnknownKey)?;
        let mut validation = Validation::new(header.alg);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_issuer(&[&issuer.config.issuer]);
        validation.set_audience(&[&issuer.config.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "sub", "aud"]);
        let claims =
            decode::<Claims>(token, &key, &validation).map_err(|error| refusal(error.kind()))?.claims;
        let groups = claims.others.get(&issuer.config.groups_claim).and_then(|v| v.as_array());
        let groups = groups.into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect();
        Ok(Identity {
            issuer: claims.iss,
            subject: claims.sub,
            groups,
            person: claims.person,
            expires: claims.exp,
        })
    }
}

/// `iss` as the token has it, unverified.
fn claimed_issuer(token: &str) -> Result<String, Unverified> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    #[derive(Deserialize)]
    struct Issuer {
        iss: String,
    }
    let payload = token.split('.').nth(1).ok_or(Unverified::Malformed)?;
    let bytes = URL_SAFE_NO_PAD.decode(payload).map_err(|_| Unverified::Malformed)?;
    serde_json::from_slice::<Issuer>(&bytes).map(|claims| claims.iss).map_err(|_| Unverified::Malformed)
}

fn refusal(kind: &ErrorKind) -> Unverified {
    match kind {
        ErrorKind::ExpiredSignature => Unverified::Expired,
        ErrorKind::ImmatureSignature => Unverified::NotYet,
        ErrorKind::InvalidAudience => Unverified::Audience,
        ErrorKind::InvalidIssuer => Unverified::UnknownIssuer,
        ErrorKind::InvalidAlgorithm => Unverified::Algorithm,
        ErrorKind::InvalidSignature => Unverified::Signature,
        // the library's list is open-ended; whatever else it finds, the token is not one of ours
        _ => Unverified::Malformed,
    }
}
