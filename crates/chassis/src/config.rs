//! Settings from the environment: declared with their meaning, unit and default, checked all at once, printed without
//! their secrets.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use jsonwebtoken::Algorithm;
use kernel::page::PageKey;
use sha2::{Digest, Sha256};

use crate::{
    identity::{IssuerConfig, JwksSource},
    objects::Objects,
    vault::Vault,
};

/// A setting. `NAME_FILE` names a file with its value where `NAME` isn't set.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The environment variable.
    pub name: &'static str,
    /// What holds when it isn't set; `None` when it stays unset.
    pub default: Option<&'static str>,
    /// What it is, with its unit.
    pub about: &'static str,
    /// Whether its value is never printed.
    pub secret: bool,
}

const fn setting(name: &'static str, default: Option<&'static str>, about: &'static str) -> Setting {
    Setting { name, default, about, secret: false }
}

const fn secret(name: &'static str, about: &'static str) -> Setting {
    Setting { name, default: None, about, secret: true }
}

/// Every setting of the suite.
pub static SETTINGS: &[Setting] = &[
    setting(
        "LINLI_GATEWAY_LISTEN",
        Some("127.0.0.1:8080"),
        "where the gateway listens, address:port; port 0 takes a free one",
    ),
    setting(
        "LINLI_ADMIN_LISTEN",
        Some("127.0.0.1:8081"),
        "where the admin port listens: /live /ready /metrics (and in development /traces /clock)",
    ),
    setting(
        "LINLI_GOVERNANCE_LISTEN",
        Some("127.0.0.1:8091"),
        "where the governance service listens when it is a process of its own",
    ),
    setting(
        "LINLI_FUNDING_LISTEN",
        Some("127.0.0.1:8092"),
        "where the funding service listens when it is a process of its own",
    ),
    setting(
        "LINLI_INSURANCE_LISTEN",
        Some("127.0.0.1:8093"),
        "where the insurance service listens when it is a process of its own",
    ),
    setting(
        "LINLI_WORKFORCE_LISTEN",
        Some("127.0.0.1:8094"),
        "where the workforce service listens when it is a process of its own",
    ),
    setting(
        "LINLI_GOVERNANCE_URL",
        None,
        "the governance service for a gateway and for other services of their own: http://host:port",
    ),
    setting("LINLI_FUNDING_URL", None, "the funding service for a gateway of its own: http://host:port"),
    setting("LINLI_INSURANCE_URL", None, "the insurance service for a gateway of its own: http://host:port"),
    setting("LINLI_WORKFORCE_URL", None, "the workforce service for a gateway of its own: http://host:port"),
    secret(
        "LINLI_DATABASE_URL",
        "a database of the owner for all services; unset: a private Postgres in LINLI_DATA_DIR",
    ),
    secret(
        "LINLI_GOVERNANCE_DATABASE_URL",
        "the database of governance, with a role that may become linli_governance",
    ),
    secret(
        "LINLI_FUNDING_DATABASE_URL",
        "the database of funding, with a role that may become linli_funding",
    ),
    secret(
        "LINLI_INSURANCE_DATABASE_URL",
        "the database of insurance, with a role that may become linli_insurance",
    ),
    secret(
        "LINLI_WORKFORCE_DATABASE_URL",
        "the database of workforce, with a role that may become linli_workforce",
    ),
    setting(
        "LINLI_OBJECT_STORE",
        None,
        "where files of claims are kept: file:///a/directory (in development objects/ in LINLI_DATA_DIR), or s3://bucket/prefix with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and, for another service than Amazon's, AWS_ENDPOINT (with AWS_ALLOW_HTTP=true where it is http://)",
    ),
    secret(
        "LINLI_SERVICE_TOKEN",
        "the token with which a service calls the others, of an account that holds the role `service` everywhere; its file is read again every minute",
    ),
    setting(
        "LINLI_DATA_DIR",
        None,
        "the private Postgres and the keys of development; default .linli, for root /var/lib/linli-dev",
    ),
    setting(
        "LINLI_DEVELOPMENT",
        None,
        "true: development mode (issuer of tokens, clock that can be set, loopback only); the default where no LINLI_OIDC_ISSUER is set and the target is all",
    ),
    setting(
        "LINLI_DEMO",
        Some("true"),
        "whether development loads the demonstration town when it isn't there; false: an empty database",
    ),
    setting("LINLI_OIDC_ISSUER", None, "`iss` of the tokens that count"),
    setting("LINLI_OIDC_AUDIENCE", Some("linli"), "`aud` that they must name"),
    setting("LINLI_OIDC_JWKS", None, "the issuer's keys: a URL or a file"),
    setting("LINLI_OIDC_ALGORITHMS", Some("ES256,RS256,EdDSA"), "the algorithms that it signs with"),
    setting("LINLI_OIDC_GROUPS_CLAIM", Some("groups"), "the claim that holds groups"),
    secret("LINLI_PAGE_KEY", "32 or more secret characters, the same in every replica: seals page tokens"),
    secret(
        "LINLI_DATA_KEYS",
        "keys of personal data at rest: number:base64 of 32 bytes, comma-separated; the first seals, all open",
    ),
    secret("LINLI_INDEX_KEY", "32 or more secret characters: finds sealed data; never changes"),
    setting(
        "LINLI_RATE_PER_SECOND",
        Some("200"),
        "calls a second for each caller at the gateway; twice as many at once",
    ),
    setting("LINLI_MAX_BODY_BYTES", Some("16777216"), "bytes of a REST body at most"),
    setting(
        "LINLI_CORS_ORIGINS",
        None,
        "origins of browsers that may call, comma-separated; default: loopback",
    ),
    setting("LINLI_POOL_CONNECTIONS", Some("16"), "database connections of each service at most"),
    setting("LINLI_LOG", Some("info"), "what is logged, as tracing's EnvFilter"),
    setting("LINLI_LOG_FORMAT", Some("json"), "json, or text for people"),
    setting("LINLI_KEPT_TRACES", Some("0"), "traces kept in the process for /traces; 2000 in development"),
    setting("OTEL_EXPORTER_OTLP_ENDPOINT", None, "where spans go by OTLP over gRPC: http://host:4317"),
];

/// The settings as they are.
#[derive(Clone, Debug, Default)]
pub struct Config {
    values: BTreeMap<&'static str, String>,
    files: BTreeMap<&'static str, PathBuf>,
}

/// A setting that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {why}")]
pub struct BadSetting {
    /// Which.
    pub name: &'static str,
    /// Why.
    pub why: String,
}

impl Config {
    /// Reads every setting through `look_up` (the environment, or a map in a test).
    ///
    /// # Errors
    /// Every file that can't be read.
    pub fn read(look_up: impl Fn(&str) -> Option<String>) -> Result<Config, Vec<BadSetting>> {
        let mut config = Config::default();
        let mut bad = Vec::new();
        for setting in SETTINGS {
            let name = setting.name;
            let given = look_up(name).filter(|value| !value.is_empty());
            let file = look_up(&format!("{name}_FILE")).filter(|_| given.is_none()).map(PathBuf::from);
            let from_file = file.as_deref().and_then(|file| match std::fs::read_to_string(file) {
                Ok(text) => Some(text.trim_end().to_owned()),
                Err(error) => {
                    bad.push(BadSetting { name, why: format!("{}: {error}", file.display()) });
                    None
                }
            });
            config.files.extend(file.map(|file| (name, file)));
            let value = given.or(from_file).or_else(|| setting.default.map(str::to_owned));
            config.values.extend(value.map(|value| (name, value)));
        }
        if bad.is_empty() { Ok(config) } else { Err(bad) }
    }

    /// The file that holds the value of a setting, when one does: what changes in it can be read again.
    pub fn file(&self, name: &str) -> Option<&Path> {
        self.files.get(name).map(PathBuf::as_path)
    }

    /// The value of a setting.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Sets a value that the environment left open.
    pub fn or_set(&mut self, name: &'static str, value: impl Into<String>) {
        self.values.entry(name).or_insert_with(|| value.into());
    }

    /// Sets a value over the default.
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.values.insert(name, value.into());
    }

    /// A value of some type.
    ///
    /// # Errors
    /// When it isn't set or can't be parsed.
    pub fn parsed<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, BadSetting>
    where
        T::Err: std::fmt::Display,
    {
        let text = self.get(name).ok_or_else(|| BadSetting { name, why: "is not set".to_owned() })?;
        text.parse().map_err(|error: T::Err| BadSetting { name, why: format!("{text}: {error}") })
    }

    /// An address to listen on.
    ///
    /// # Errors
    /// When it isn't one.
    pub fn listen(&self, name: &'static str) -> Result<SocketAddr, BadSetting> {
        self.parsed(name)
    }

    /// The key of page tokens.
    ///
    /// # Errors
    /// When it isn't set or too short.
    pub fn page_key(&self) -> Result<PageKey, BadSetting> {
        let name = "LINLI_PAGE_KEY";
        let text: String = self.parsed(name)?;
        if text.len() < 32 {
            return Err(BadSetting { name, why: "is shorter than 32 characters".to_owned() });
        }
        Ok(PageKey::new(Sha256::digest(text.as_bytes()).into()))
    }

    /// The keys of personal data at rest.
    ///
    /// # Errors
    /// When they aren't set or can't be used.
    pub fn vault(&self) -> Result<Vault, BadSetting> {
        let name = "LINLI_DATA_KEYS";
        let (keys, index): (String, String) = (self.parsed(name)?, self.parsed("LINLI_INDEX_KEY")?);
        Vault::new(&keys, &index).map_err(|error| BadSetting { name, why: error.to_string() })
    }

    /// Where files are kept.
    ///
    /// # Errors
    /// When it isn't set or can't be used.
    pub fn objects(&self) -> Result<Objects, BadSetting> {
        let name = "LINLI_OBJECT_STORE";
        let url: String = self.parsed(name)?;
        Objects::open(&url).map_err(|error| BadSetting { name, why: error.to_string() })
    }

    /// The issuer whose tokens count, when one is set.
    ///
    /// # Errors
    /// When it is set without its keys, or with an algorithm that isn't one.
    pub fn issuer(&self) -> Result<Option<IssuerConfig>, BadSetting> {
        let Some(issuer) = self.get("LINLI_OIDC_ISSUER") else { return Ok(None) };
        let keys: String = self.parsed("LINLI_OIDC_JWKS")?;
        let keys = if keys.contains("://") { JwksSource::Url(keys) } else { JwksSource::File(keys.into()) };
        let algorithms: String = self.parsed("LINLI_OIDC_ALGORITHMS")?;
        let parse = |text: &str| match text.trim().parse::<Algorithm>() {
            Ok(Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) | Err(_) => Err(BadSetting {
                name: "LINLI_OIDC_ALGORITHMS",
                why: format!("{text} is not an asymmetric algorithm"),
            }),
            Ok(algorithm) => Ok(algorithm),
        };
        Ok(Some(IssuerConfig {
            issuer: issuer.to_owned(),
            audience: self.parsed("LINLI_OIDC_AUDIENCE")?,
            keys,
            algorithms: algorithms.split(',').map(parse).collect::<Result<_, _>>()?,
            groups_claim: self.parsed("LINLI_OIDC_GROUPS_CLAIM")?,
        }))
    }

    /// Every setting for people: name, value (secrets masked), what it is.
    pub fn table(&self) -> Vec<[String; 3]> {
        let shown = |setting: &Setting| match self.get(setting.name) {
            Some(_) if setting.secret => "(set)".to_owned(),
            Some(value) => value.to_owned(),
            None => "-".to_owned(),
        };
        SETTINGS
            .iter()
            .map(|setting| [setting.name.to_owned(), shown(setting), setting.about.to_owned()])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Config {
        let pairs: BTreeMap<String, String> =
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Config::read(|name| pairs.get(name).cloned()).unwrap()
    }

    #[test]
    fn secrets_come_from_files_and_are_not_printed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "0123456789abcdef0123456789abcdef\n").unwrap();
        let config = with(&[("LINLI_PAGE_KEY_FILE", &file.path().display().to_string())]);
        assert!(config.page_key().is_ok());
        assert!(!format!("{:?}", config.table()).contains("0123456789abcdef"));
        assert!(with(&[("LINLI_PAGE_KEY", "short")]).page_key().is_err());
    }

    #[test]
    fn files_have_a_place_or_the_setting_says_what_is_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let folder = format!("file://{}", dir.path().display());
        assert!(with(&[("LINLI_OBJECT_STORE", &folder)]).objects().is_ok());
        for (pairs, why) in [
            (&[][..], "is not set"),
            (&[("LINLI_OBJECT_STORE", "ftp://x")], "is neither file:///a/directory nor s3://bucket/prefix"),
        ] {
            let bad = with(pairs).objects().unwrap_err();
            assert_eq!((bad.name, bad.why.as_str()), ("LINLI_OBJECT_STORE", why));
        }
    }

    #[test]
    fn an_issuer_signs_with_keys_of_its_own() {
        let base =
            [("LINLI_OIDC_ISSUER", "https://id.example"), ("LINLI_OIDC_JWKS", "https://id.example/jwks")];
        assert!(with(&base).issuer().unwrap().is_some());
        assert!(with(&base[..1]).issuer().is_err());
        assert!(with(&[base[0], base[1], ("LINLI_OIDC_ALGORITHMS", "HS256")]).issuer().is_err());
        assert!(with(&[]).issuer().unwrap().is_none());
    }
}
