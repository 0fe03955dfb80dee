//! `linli admin bootstrap`: the first administrator, once, audited.

use std::sync::Arc;

use chassis::{
    call::{Call, Caller},
    clock::Clock,
    context::Context,
    db::{Db, PoolSettings},
    identity::Grants,
    vault::Vault,
};
use kernel::page::PageKey;

use crate::{Done, dev, suite::GOVERNANCE};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// `issuer|subject` of the first administrator, as in his tokens.
    #[arg(long)]
    subject: String,
    /// A town, under which the binding is kept; it holds everywhere. It is created when it isn't there.
    #[arg(long)]
    town: String,
}

pub(crate) async fn run(arguments: &Arguments) -> Done {
    if !arguments.subject.contains('|') {
        return Err("--subject is issuer|subject, as in the tokens".into());
    }
    let config = dev::config()?;
    let mut _server = None;
    let url = match config.get(GOVERNANCE.database).or_else(|| config.get("LINLI_DATABASE_URL")) {
        Some(url) => url.to_owned(),
        None => {
            let (server, url) = dev::database(&dev::data_dir(&config).canonicalize()?).await?;
            _server = Some(server);
            url
        }
    };
    let db = Db::open(&url, &GOVERNANCE.schema(), &PoolSettings::default(), Vault::random()?)?;
    // nothing is read page by page here: any key will do
    let context = Context { service: GOVERNANCE.name, db, pages: PageKey::new([0; 32]) };
    let operator = Caller {
        principal: "urn:linli:command-line|bootstrap".to_owned(),
        grants: Arc::new(Grants::default()),
    };
    let call = Call::new(operator, GOVERNANCE.name, "linli admin bootstrap", "public", Clock::real());
    let binding = governance::access::bootstrap(&context, &call, &arguments.town, &arguments.subject).await?;
    println!("{} is administrator: {}", arguments.subject, binding.name);
    Ok(())
}
