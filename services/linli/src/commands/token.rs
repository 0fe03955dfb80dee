//! `linli token`: a token of the development issuer for scripts.

use std::time::Duration;

use chassis::identity::{DevIssuer, ROLES, role};

use crate::{Done, dev};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The role: town-officer, committee-officer, auditor, operator, ….
    #[arg(long = "as")]
    role: String,
    /// Where it holds: a town, a committee's code, community:ID, block:ID, organisation:ID, everywhere. Default: the demo town.
    #[arg(long)]
    area: Option<String>,
    /// The person; two stand-ins of a role are town-officer-1 and town-officer-2.
    #[arg(long)]
    person: Option<String>,
    /// For how many hours it holds.
    #[arg(long, default_value_t = 12)]
    hours: u64,
}

pub(crate) fn run(arguments: &Arguments) -> Done {
    if role(&arguments.role).is_none() {
        let known: Vec<&str> = ROLES.iter().map(|role| role.id).collect();
        return Err(format!("there is no role {}; roles: {}", arguments.role, known.join(", ")).into());
    }
    let config = dev::config()?;
    if !dev::is_development(&config) {
        return Err("tokens come from your issuer: this is not development (LINLI_OIDC_ISSUER is set)".into());
    }
    let dir = dev::data_dir(&config);
    dev::prepare(&dir)?;
    let issuer = DevIssuer::load_or_create(&dir)?;
    let lifetime = Duration::from_secs(arguments.hours.saturating_mul(3_600));
    println!(
        "{}",
        dev::token(
            &issuer,
            &arguments.role,
            arguments.area.as_deref(),
            arguments.person.as_deref(),
            lifetime
        )?
    );
    Ok(())
}
