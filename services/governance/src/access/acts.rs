//! Granting and withdrawing roles, and the first administrator.

use chassis::{
    context::Context,
    identity::{Area, AreaTree, covers, role},
    refusal::{ALREADY_EXISTS, Faults, Refusal},
    wire,
    work::{Begun, Change, Intent, Record, Verb, Work, check_etag},
};
use contracts::linli::governance::v1 as pb;
use kernel::name::{BlockName, CommitteeName, CommunityName, RoleBindingName, TownName};
use serde_json::json;
use uuid::Uuid;

use super::{
    encode,
    store::{self, Binding},
};
use crate::reasons::{BOOTSTRAPPED, MORE_THAN_HELD, UNKNOWN_ROLE};

/// CreateRoleBinding.
pub(super) struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateRoleBindingRequest;
    type Answer = pb::RoleBinding;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::RoleBinding>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let call = work.call().clone();
        call.whole_town(town.town())?;
        let default = pb::RoleBinding::default();
        let given = request.role_binding.as_ref().unwrap_or(&default);
        let mut faults = Faults::default();
        let area: Option<Area> = faults.take(wire::parsed("role_binding.area", &given.area));
        let area = faults.finish(area)?;
        let wanted =
            role(&given.role).ok_or_else(|| Refusal::new(&UNKNOWN_ROLE).with_typed("role", &given.role))?;
        if area.town().is_some_and(|its| its != town.town()) {
            return Err(Refusal::field(
                "role_binding.area",
                "ANOTHER_TOWN",
                "属于另一个镇",
                "lies in another town",
            ));
        }
        let tree = tree(work, town.town()).await?;
        if !covers(call.grants(), wanted, &area, &tree) {
            return Err(Refusal::new(&MORE_THAN_HELD).with("role", wanted.id).with("area", &area));
        }
        grant(work, town.town(), &given.member, wanted.id, &area, &given.person).await
    }
}

async fn tree(work: &mut Work, town: &str) -> Result<AreaTree, Refusal> {
    let day = work.call().today().to_string();
    let (committees, blocks) = store::tree(work.sql(), town, &day).await?;
    let committee = |id: &str| CommitteeName::new(town, id).ok();
    let communities =
        committees.iter().filter_map(|(a, b)| Some((committee(a)?, CommunityName::new(town, b).ok()?)));
    let parents = blocks.iter().filter_map(|(a, b)| Some((BlockName::new(town, a).ok()?, committee(b)?)));
    Ok(AreaTree { communities: communities.collect(), committees: parents.collect() })
}

async fn grant(
    work: &mut Work,
    town: &str,
    member: &str,
    role: &str,
    area: &Area,
    person: &str,
) -> Result<Record<pb::RoleBinding>, Refusal> {
    let name = RoleBindingName::new(town, Uuid::now_v7().to_string()).map_err(Refusal::internal)?;
    let binding = Binding {
        town: town.to_owned(),
        id: name.role_binding().to_owned(),
        member: member.to_owned(),
        role: role.to_owned(),
        area: area.to_string(),
        person: person.to_owned(),
        version: 1,
        created: 0,
        updated: 0,
        deleted: None,
    };
    if !store::create(work.sql(), &binding).await? {
        return Err(Refusal::new(&ALREADY_EXISTS).with("name", format!("{member} {role} {area}")));
    }
    record(work, &name, 1, "create", "roleBinding.created").await
}

async fn record(
    work: &mut Work,
    name: &RoleBindingName,
    version: i64,
    verb: &'static str,
    event: &'static str,
) -> Result<Record<pb::RoleBinding>, Refusal> {
    let binding = store::get(work.sql(), name)
        .await?
        .ok_or_else(|| Refusal::not_found("linli.dev/RoleBinding", name.to_string()))?;
    let change = Change {
        resource: name.to_string(),
        version,
        verb,
        from_state: "",
        to_state: "",
        comment: String::new(),
        event,
        data: json!({"role_binding": name.to_string(), "role": binding.role, "area": binding.area}),
    };
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("{verb} {} in {} for {}", binding.role, binding.area, binding.member),
        changes: vec![change],
        answer: encode(&binding),
    })
}

/// DeleteRoleBinding.
pub(super) struct Withdraw;

#[tonic::async_trait]
impl Verb for Withdraw {
    type Request = pb::DeleteRoleBindingRequest;
    type Answer = pb::RoleBinding;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::RoleBinding>, Refusal> {
        let name: RoleBindingName = wire::name("name", &request.name)?;
        let call = work.call().clone();
        call.whole_town(name.town())?;
        let binding = store::lock(work.sql(), &name).await?.filter(|binding| binding.deleted.is_none());
        let binding = binding.ok_or_else(|| Refusal::not_found("linli.dev/RoleBinding", name.to_string()))?;
        check_etag(&name.to_string(), &request.etag, binding.version)?;
        let held = role(&binding.role).zip(binding.area.parse::<Area>().ok());
        let tree = tree(work, name.town()).await?;
        if held.is_some_and(|(role, area)| !covers(call.grants(), role, &area, &tree)) {
            return Err(Refusal::new(&MORE_THAN_HELD)
                .with("role", &binding.role)
                .with("area", &binding.area));
        }
        let version = store::withdraw(work.sql(), &name).await?;
        record(work, &name, version, "delete", "roleBinding.deleted").await
    }
}

/// Names the first administrator of the installation, once, with its audit record. `call` is the operator's own.
///
/// # Errors
/// BOOTSTRAPPED when there was one.
pub async fn bootstrap(
    context: &Context,
    call: &chassis::call::Call,
    town: &str,
    subject: &str,
) -> Result<pb::RoleBinding, Refusal> {
    let member = format!("principal:{subject}");
    let asked = pb::RoleBinding { member: member.clone(), ..Default::default() };
    let Begun::New(mut work) =
        Work::begin::<pb::RoleBinding>(&context.db, call, Intent::of(&asked, "", false)).await?
    else {
        return Err(Refusal::new(&BOOTSTRAPPED));
    };
    if !store::bootstrap(work.sql(), subject).await? {
        let first = store::first_administrator(work.sql()).await?.unwrap_or_default();
        tracing::info!(%first, "there was a first administrator already");
        return Err(Refusal::new(&BOOTSTRAPPED));
    }
    let record = grant(&mut work, town, &member, "administrator", &Area::Everywhere, "").await?;
    Ok(work.commit(record).await?.answer)
}
