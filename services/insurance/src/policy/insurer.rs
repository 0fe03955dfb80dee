//! The insurer of a policy, as governance has it.

use chassis::{governance::Governance, refusal::Refusal};
use contracts::linli::governance::v1::{Organisation, OrganisationKind};
use kernel::name::OrganisationName;

use super::rules::Head;
use crate::reasons::{INSURER_CODE_DIFFERS, NOT_AN_INSURER, PEER_UNKNOWN};

/// An organisation of governance, read before the unit of work.
#[derive(Clone, Debug)]
pub(super) struct Insurer {
    name: OrganisationName,
    organisation: Organisation,
}

impl Insurer {
    /// The id of the organisation.
    pub(super) fn id(&self) -> &str {
        self.name.organisation()
    }

    /// The organisation of this name; nothing for a name that is none, which the reader of the request refuses.
    ///
    /// # Errors
    /// UNAVAILABLE when governance can't be asked.
    pub(super) async fn read(
        governance: &Governance,
        town: &str,
        name: &str,
    ) -> Result<Option<Insurer>, Refusal> {
        let name = name.parse::<OrganisationName>().ok().filter(|name| name.town() == town);
        let Some(name) = name else { return Ok(None) };
        let found = governance.organisation(&name).await?;
        Ok(found.map(|organisation| Insurer { name, organisation }))
    }
}

/// Refuses an organisation that isn't there, is no insurer, or has another code.
///
/// # Errors
/// PEER_UNKNOWN, NOT_AN_INSURER, INSURER_CODE_DIFFERS.
pub(super) fn need_insurer(found: Option<&Insurer>, town: &str, head: &Head) -> Result<(), Refusal> {
    let name = format!("towns/{town}/organisations/{}", head.insurer);
    let Some(Insurer { organisation, .. }) = found else {
        return Err(Refusal::new(&PEER_UNKNOWN).with("name", name));
    };
    if organisation.kind() != OrganisationKind::Insurer {
        return Err(Refusal::new(&NOT_AN_INSURER).with("insurer", name));
    }
    let code = &organisation.unified_social_credit_code;
    if *code == head.credit_code {
        return Ok(());
    }
    Err(Refusal::new(&INSURER_CODE_DIFFERS).with("insurer", name).with("code", code))
}
