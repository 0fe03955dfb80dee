//! `linli migrate`: the schemas, as the owner.

use chassis::db::migrate;

use crate::{Done, dev, suite::governance_schema};

pub(crate) async fn run() -> Done {
    let config = dev::config()?;
    let url = config.get("LINLI_DATABASE_URL").or_else(|| config.get("LINLI_GOVERNANCE_DATABASE_URL"));
    let schema = governance_schema();
    match url {
        Some(url) => migrate(url, &schema).await?,
        None => {
            let dir = dev::data_dir(&config);
            dev::prepare(&dir)?;
            let (_server, url) = dev::database(&dir.canonicalize()?).await?;
            migrate(&url, &schema).await?;
        }
    }
    println!("governance is up to date");
    Ok(())
}
