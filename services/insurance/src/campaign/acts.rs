//! Planning a campaign, and what becomes of it.

use chassis::{
    actor::Actor,
    comment, fields,
    governance::{CommitteesAsked, Governance},
    identity::Scope,
    refusal::{Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, VerbGiven, Work, check_etag},
};
use contracts::linli::insurance::v1 as pb;
use jiff::civil::Date;
use kernel::{
    name::{CampaignName, CommitteeName, ProgrammeName, TownName},
    state::Named,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    encode,
    rules::{Channel, State, TABLE, Verb as Do},
    store::{self, Campaign, Hold, Plan},
};
use crate::document::owner;
use crate::reasons::{CAMPAIGN_NOT_YET, PEER_UNKNOWN, PROGRAMME_UNKNOWN};

/// The faults of a list whose items each stand once.
fn once<T: PartialEq>(faults: &mut Faults, field: &str, all: &[T]) {
    for (n, one) in all.iter().enumerate() {
        if all[..n].contains(one) {
            faults.push(FieldFault::new(format!("{field}[{n}]"), "REPEATED", "重复", "given twice"));
        }
    }
}

/// A part of a name.
type Part<N> = fn(&N) -> &str;

/// The ids of a list of names in the town.
fn ids<N>(
    faults: &mut Faults,
    field: &str,
    town: &str,
    (names, of, id): (&[String], Part<N>, Part<N>),
) -> Vec<String>
where
    N: std::str::FromStr,
    N::Err: std::fmt::Display,
{
    let mut found = Vec::new();
    for (n, name) in names.iter().enumerate() {
        let name = faults.take(fields::in_town(&format!("{field}[{n}]"), name, town, of));
        found.extend(name.map(|name: N| id(&name).to_owned()));
    }
    once(faults, field, &found);
    if names.is_empty() {
        faults.push(FieldFault::new(field, "REQUIRED", "至少一项", "one at least"));
    }
    found
}

/// The days of a request: two dates that must be set, the second after the first.
pub(super) fn days(
    faults: &mut Faults,
    field: &str,
    (from, to): (Option<&contracts::google::r#type::Date>, Option<&contracts::google::r#type::Date>),
) -> Option<(Date, Date)> {
    let (start, end) = (format!("{field}.start_date"), format!("{field}.end_date"));
    let from = faults.take(wire::required_date(&start, from));
    let to = faults.take(wire::required_date(&end, to));
    let (from, to) = from.zip(to)?;
    if from < to {
        return Some((from, to));
    }
    let (zh, en) = ("应晚于 start_date", "must come after start_date");
    faults.push(FieldFault::new(end, "ORDER", zh, en));
    None
}

/// Reads a plan, with every fault of it.
fn read(town: &str, given: &pb::Campaign) -> Result<Plan, Refusal> {
    let mut faults = Faults::default();
    let title = faults.take(fields::display("campaign.title", &given.title));
    let programmes = (&given.programmes[..], ProgrammeName::town as _, ProgrammeName::programme as _);
    let programmes = ids::<ProgrammeName>(&mut faults, "campaign.programmes", town, programmes);
    let committees = (&given.committees[..], CommitteeName::town as _, CommitteeName::committee as _);
    let committees = ids::<CommitteeName>(&mut faults, "campaign.committees", town, committees);
    let channels: Vec<Channel> =
        given.channels.iter().filter_map(|channel| encode::channel_of(*channel)).collect();
    if channels.is_empty() || channels.len() < given.channels.len() {
        faults.push(FieldFault::new("campaign.channels", "REQUIRED", "至少一种渠道", "one channel at least"));
    }
    once(&mut faults, "campaign.channels", &channels);
    let days = days(&mut faults, "campaign", (given.start_date.as_ref(), given.end_date.as_ref()));
    let (title, (starts_on, ends_on)) = faults.finish(title.zip(days))?;
    Ok(Plan { title, programmes, channels, committees, starts_on, ends_on })
}

/// The committees of a request that governance doesn't know.
pub(super) struct Unknown(Vec<String>);

impl Unknown {
    /// It wasn't asked.
    pub(super) fn none() -> Unknown {
        Unknown(Vec::new())
    }
}

/// Asks governance for the committees of a plan. Those outside the caller's areas are not asked for: he is refused them anyway, and
/// learns nothing of what there is.
pub(super) async fn unknown(
    governance: &Governance,
    (town, scope, today): (&TownName, &Scope, Date),
    names: &[String],
) -> Result<Unknown, Refusal> {
    let mine = |name: &&String| {
        CommitteeName::parse(name)
            .is_ok_and(|name| name.town() == town.town() && scope.holds_committee(name.committee()))
    };
    let mut left: Vec<String> = names.iter().filter(mine).cloned().collect();
    let mut page_token = String::new();
    while !left.is_empty() {
        let asked = CommitteesAsked {
            town: town.clone(),
            as_of_date: today,
            household_count_date: None,
            read_time: None,
            page_token,
        };
        let page = governance.committees(asked).await?;
        left.retain(|name| page.committees.iter().all(|committee| committee.name != *name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    Ok(Unknown(left))
}

/// Refuses a plan whose committees aren't all the caller's, or that names what there isn't.
async fn need_known(
    work: &mut Work,
    (town, scope): (&TownName, &Scope),
    plan: &Plan,
    unknown: &Unknown,
) -> Result<(), Refusal> {
    if !plan.committees.iter().all(|committee| scope.holds_committee(committee)) {
        return Err(work.call().denied());
    }
    if !unknown.0.is_empty() {
        return Err(Refusal::new(&PEER_UNKNOWN).with("name", fields::some(&unknown.0)));
    }
    let known = store::programmes(work.sql(), town.town(), &plan.programmes).await?;
    let missing = plan.programmes.iter().filter(|id| !known.contains(id));
    let missing: Vec<String> = missing.map(|id| format!("{town}/programmes/{id}")).collect();
    if !missing.is_empty() {
        return Err(Refusal::new(&PROGRAMME_UNKNOWN).with("programme", fields::some(&missing)));
    }
    Ok(())
}

fn change(campaign: &Campaign, (verb, from): (Do, &'static str), comment: &str) -> Result<Change, Refusal> {
    let event = match verb {
        Do::Create => "campaign.planned",
        Do::Update => "campaign.changed",
        Do::Start => "campaign.started",
        Do::Complete => "campaign.completed",
        Do::Cancel => "campaign.cancelled",
        Do::RecordPlacement | Do::RecordAwarenessSample => {
            return Err(Refusal::internal("placements and samples have histories of their own"));
        }
    };
    let committees = campaign.committees.iter().map(|id| format!("towns/{}/committees/{id}", campaign.town));
    Ok(Change {
        resource: campaign.name(),
        version: campaign.version,
        verb: verb.name(),
        from_state: from,
        to_state: campaign.state()?.name(),
        comment: comment.to_owned(),
        event,
        data: json!({
            "campaign": campaign.name(), "state": campaign.state, "start_date": campaign.starts_on, "end_date": campaign.ends_on,
            "committees": committees.collect::<Vec<_>>(), "channels": campaign.channels,
        }),
    })
}

async fn record(
    work: &mut Work,
    name: &CampaignName,
    step: (Do, &'static str),
    comment: &str,
) -> Result<Record<pb::Campaign>, Refusal> {
    let now = store::get(work.sql(), name, &Scope::Town, Hold::No).await?;
    let now = now.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("{} {name}", step.0.name()),
        changes: vec![change(&now, step, comment)?],
        answer: encode::campaign(&now)?,
    })
}

/// CreateCampaign.
pub(super) struct Create;

#[tonic::async_trait]
impl VerbGiven for Create {
    type Given = Unknown;
    type Request = pb::CreateCampaignRequest;
    type Answer = pb::Campaign;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        given: &Self::Given,
        request: &Self::Request,
    ) -> Result<Record<pb::Campaign>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let call = work.call().clone();
        let scope = call.scope(town.town())?;
        let default = pb::Campaign::default();
        let plan = read(town.town(), request.campaign.as_ref().unwrap_or(&default))?;
        need_known(work, (&town, &scope), &plan, given).await?;
        let id = Uuid::now_v7();
        store::create(work.sql(), &town, id, &plan, &Actor::of(&call)).await?;
        let name = CampaignName::new(town.town(), id.to_string()).map_err(Refusal::internal)?;
        record(work, &name, (Do::Create, ""), "").await
    }
}

/// A campaign that the caller sees, locked, with its name and his areas.
async fn lock(
    work: &mut Work,
    name: &str,
    etag: &str,
    verb: Do,
) -> Result<(CampaignName, Campaign, State), Refusal> {
    let name: CampaignName = wire::name("name", name)?;
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    let campaign = store::get(work.sql(), &name, &scope, Hold::ToChange).await?;
    let campaign = campaign.ok_or_else(|| call.missing(&scope, "linli.dev/Campaign", name.to_string()))?;
    if !campaign.committees.iter().all(|committee| scope.holds_committee(committee)) {
        return Err(call.denied());
    }
    check_etag(&campaign.name(), etag, campaign.version)?;
    let to = transition(&TABLE, &campaign.name(), campaign.state()?, verb)?;
    Ok((name, campaign, to))
}

/// UpdateCampaign.
pub(super) struct Update;

#[tonic::async_trait]
impl VerbGiven for Update {
    type Given = Unknown;
    type Request = pb::UpdateCampaignRequest;
    type Answer = pb::Campaign;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        given: &Self::Given,
        request: &Self::Request,
    ) -> Result<Record<pb::Campaign>, Refusal> {
        let default = pb::Campaign::default();
        let asked = request.campaign.as_ref().unwrap_or(&default);
        let (name, campaign, _) = lock(work, &asked.name, &asked.etag, Do::Update).await?;
        let fields = wire::mask(request.update_mask.as_ref(), encode::CHANGEABLE)
            .map_err(|fault| Refusal::fields(vec![fault]))?;
        let whole = updated(encode::campaign(&campaign)?, asked, &fields);
        let plan = read(name.town(), &whole)?;
        let town = TownName::new(name.town()).map_err(Refusal::internal)?;
        let scope = work.call().scope(name.town())?;
        need_known(work, (&town, &scope), &plan, given).await?;
        store::update(work.sql(), &campaign, &plan).await?;
        // its evidence is seen by whoever sees it now
        owner::follow(work.sql(), name.town(), owner::Kind::Campaign, campaign.id).await?;
        record(work, &name, (Do::Update, State::Planned.name()), &request.comment).await
    }
}

/// A campaign with those of its fields changed that an update names.
fn updated(mut now: pb::Campaign, given: &pb::Campaign, fields: &[&str]) -> pb::Campaign {
    for field in fields {
        match *field {
            "title" => now.title.clone_from(&given.title),
            "programmes" => now.programmes.clone_from(&given.programmes),
            "channels" => now.channels.clone_from(&given.channels),
            "committees" => now.committees.clone_from(&given.committees),
            "start_date" => now.start_date = given.start_date,
            "end_date" => now.end_date = given.end_date,
            _ => {}
        }
    }
    now
}

async fn step(
    work: &mut Work,
    (name, campaign, to): (CampaignName, Campaign, State),
    verb: Do,
    (reason, comment): (&str, &str),
) -> Result<Record<pb::Campaign>, Refusal> {
    let today = work.call().today();
    let from = campaign.state()?.name();
    store::step(work.sql(), &campaign, to, today, reason).await?;
    record(work, &name, (verb, from), comment).await
}

/// Why a campaign can't be begun yet.
pub(super) fn need_begun(campaign: &Campaign, today: Date) -> Result<(), Refusal> {
    let starts_on = store::day(&campaign.starts_on)?;
    if starts_on <= today {
        return Ok(());
    }
    Err(Refusal::new(&CAMPAIGN_NOT_YET).with("name", campaign.name()).with("date", starts_on))
}

/// StartCampaign.
pub(super) struct Start;

#[tonic::async_trait]
impl Verb for Start {
    type Request = pb::StartCampaignRequest;
    type Answer = pb::Campaign;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Campaign>, Refusal> {
        let locked = lock(work, &request.name, &request.etag, Do::Start).await?;
        need_begun(&locked.1, work.call().today())?;
        step(work, locked, Do::Start, ("", &request.comment)).await
    }
}

/// CompleteCampaign.
pub(super) struct Complete;

#[tonic::async_trait]
impl Verb for Complete {
    type Request = pb::CompleteCampaignRequest;
    type Answer = pb::Campaign;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Campaign>, Refusal> {
        let locked = lock(work, &request.name, &request.etag, Do::Complete).await?;
        step(work, locked, Do::Complete, ("", &request.comment)).await
    }
}

/// CancelCampaign.
pub(super) struct Cancel;

#[tonic::async_trait]
impl Verb for Cancel {
    type Request = pb::CancelCampaignRequest;
    type Answer = pb::Campaign;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Campaign>, Refusal> {
        let locked = lock(work, &request.name, &request.etag, Do::Cancel).await?;
        let reason = comment::reason(&request.comment, &locked.1.name(), Do::Cancel.name())?.to_owned();
        step(work, locked, Do::Cancel, (&reason, &request.comment)).await
    }
}
