//! Changing what is claimed until the loss is assessed, and who is paid.

use chassis::{
    actor::Actor,
    amount::finish as told_by_name,
    call::Call,
    governance::Governance,
    payee::Payee,
    refusal::{Faults, FieldFault, Refusal},
    wire,
    work::{Record, VerbGiven, Work},
};
use contracts::linli::insurance::v1 as pb;
use kernel::{money::Fen, name::ClaimName};

use super::{
    edit::{Told, finish, lock},
    open::{beneficiaries, claimed, need_known, need_within_sum, unknown},
    rules::Verb,
    store,
};
use crate::policy::store::covering::covering;

/// What was read of governance before: people of the request that it doesn't know.
#[derive(Debug, Default)]
pub(super) struct Known {
    unknown: Vec<String>,
}

/// Reads whom governance knows of the beneficiaries; what is no name is told with the other faults of the request.
///
/// # Errors
/// UNAVAILABLE while governance can't be asked.
pub(super) async fn known(
    governance: &Governance,
    call: &Call,
    request: &pb::UpdateClaimRequest,
) -> Result<Known, Refusal> {
    let Some(given) = &request.claim else { return Ok(Known::default()) };
    let Ok(name) = ClaimName::parse(&given.name) else { return Ok(Known::default()) };
    if call.scope(name.town()).is_err() {
        return Ok(Known::default());
    }
    let people = given.beneficiaries.iter().map(|one| &one.person);
    Ok(Known { unknown: unknown(governance, name.town(), people, call.today()).await? })
}

/// UpdateClaim.
pub(super) struct Update;

const CHANGEABLE: &[&str] = &["claimed_amount", "beneficiaries", "payee"];

#[tonic::async_trait]
impl VerbGiven for Update {
    type Given = Known;
    type Request = pb::UpdateClaimRequest;
    type Answer = pb::Claim;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        known: &Known,
        request: &Self::Request,
    ) -> Result<Record<pb::Claim>, Refusal> {
        let default = pb::Claim::default();
        let given = request.claim.as_ref().unwrap_or(&default);
        let mut locked = lock(work, &given.name, &given.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        locked.next(Verb::Update, &who, today)?;
        let fields = wire::mask(request.update_mask.as_ref(), CHANGEABLE).map_err(Refusal::one)?;
        // without a mask, what isn't given stays
        let whole = request.update_mask.is_none();
        let (town, mut faults) = (locked.row.town.clone(), Faults::default());
        let stopped =
            locked.row.resumes.as_deref().is_some_and(|state| matches!(state, "ASSESSED" | "APPEALED"));
        if stopped && (given.claimed_amount.is_some() || !given.beneficiaries.is_empty()) {
            let (zh, en) =
                ("已定损，只能更正收款账户", "the loss is assessed: the payee alone can be changed");
            faults.push(FieldFault::new("update_mask", "ASSESSED", zh, en));
        }
        if fields.contains(&"claimed_amount") && !stopped && !(whole && given.claimed_amount.is_none()) {
            let claimed = claimed(&mut faults, given).flatten();
            let coverings = covering(work.sql(), &town, locked.row.happened()?).await?;
            need_within_sum(&coverings, &locked.row.peril, claimed)?;
            locked.row.claimed_fen = claimed.map(Fen::fen);
        }
        let wanted = beneficiaries(&mut faults, &town, &given.beneficiaries);
        let account = match (&given.payee, fields.contains(&"payee")) {
            (Some(_), true) => faults.take_all(Payee::parse("claim.payee", given.payee.as_ref())),
            _ => None,
        };
        told_by_name(faults, Some(()))?;
        if fields.contains(&"beneficiaries") && !wanted.is_empty() && !stopped {
            need_known(&known.unknown)?;
            store::set_beneficiaries(work.sql(), &town, locked.row.id, &wanted).await?;
        }
        if let Some(account) = account {
            locked.row.set_payee(work.vault(), &account)?;
        }
        (locked.row.changed_by, locked.row.changed_person) = (Some(who.principal), who.person);
        let told = Told { verb: Verb::Update, event: "claim.changed", comment: &request.comment };
        finish(work, locked, told).await
    }
}
