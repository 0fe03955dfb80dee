//! `linli migrate`: the schemas, as the owner.

use chassis::db::migrate;

use crate::{Done, dev, suite::SERVICES};

pub(crate) async fn run() -> Done {
    let config = dev::config()?;
    let mut own = None;
    for service in SERVICES {
        let given = config.get("LINLI_DATABASE_URL").or_else(|| config.get(service.database));
        let url = match (given, &own) {
            (Some(url), _) => url.to_owned(),
            (None, Some((_, url))) => String::clone(url),
            (None, None) => {
                let dir = dev::data_dir(&config);
                dev::prepare(&dir)?;
                own.insert(dev::database(&dir.canonicalize()?).await?).1.clone()
            }
        };
        migrate(&url, &service.schema()).await?;
        println!("{} is up to date", service.name);
    }
    Ok(())
}
