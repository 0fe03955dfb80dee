//! Making a rota; policies; what every step of a rota begins and ends with.

use std::sync::Arc;

use chassis::{
    actor::Actor,
    fields,
    identity::Scope,
    refusal::{Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, VerbGiven, Work, check_etag},
};
use contracts::linli::workforce::v1 as pb;
use jiff::{ToSpan, civil::Date};
use kernel::{
    calendar::Calendar,
    name::{RotaName, TownName},
    state::Named,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    encode,
    plan::{self, Committee, Fairness, Input, Policy, Rota},
    rules::{State, TABLE, Verb as Do},
    store::{self, Even, New, Row, duties, facts},
};
use crate::reasons::{PEER_UNKNOWN, ROTA_COMMITTEE_EMPTY, ROTA_OVERLAPS, ROTA_REPLACES_OTHER};

/// Days of a rota, at most.
const DAYS: i32 = 366;

/// What a rota rests on that governance knows.
#[derive(Debug)]
pub(super) struct Known {
    /// The calendar.
    pub(super) calendar: Arc<Calendar>,
    /// The committees of the request that there aren't.
    pub(super) unknown: Vec<String>,
}

/// CreateRotaPolicy.
pub(super) struct CreatePolicy;

#[tonic::async_trait]
impl Verb for CreatePolicy {
    type Request = pb::CreateRotaPolicyRequest;
    type Answer = pb::RotaPolicy;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::RotaPolicy>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        work.call().whole_town(town.town())?;
        let default = pb::RotaPolicy::default();
        let (from, policy) = encode::read_policy(request.rota_policy.as_ref().unwrap_or(&default))?;
        let stored = store::create_policy(work.sql(), town.town(), from, &policy).await?;
        let answer = encode::policy(&stored)?;
        let change = Change {
            resource: answer.name.clone(),
            version: 1,
            verb: "create",
            from_state: "",
            to_state: "",
            comment: request.comment.clone(),
            event: "rotaPolicy.created",
            data: json!({ "rota_policy": answer.name, "start_date": stored.from_day }),
        };
        Ok(Record {
            town: town.town().to_owned(),
            resource: answer.name.clone(),
            summary: format!("create {}", answer.name),
            changes: vec![change],
            answer,
        })
    }
}

/// What happened to a rota, told.
pub(super) fn change(row: &Row, verb: Do, from: &'static str, comment: &str) -> Result<Change, Refusal> {
    let (starts, ends) = row.days()?;
    let event = match verb {
        Do::Generate => "rota.generated",
        Do::Assign | Do::Unassign => "rota.edited",
        Do::Publish => "rota.published",
        Do::Discard => "rota.discarded",
        Do::Supersede => "rota.superseded",
    };
    let committees: Vec<String> =
        row.committees.iter().map(|id| encode::below(&row.town, "committees", id)).collect();
    Ok(Change {
        resource: row.name(),
        version: row.version,
        verb: verb.name(),
        from_state: from,
        to_state: row.state()?.name(),
        comment: comment.to_owned(),
        event,
        data: json!({
            "rota": row.name(),
            "committees": committees,
            "start_date": starts.to_string(),
            "end_date": ends.to_string(),
            "state": row.state()?.name(),
        }),
    })
}

/// The rota as it is now.
pub(super) async fn reread(work: &mut Work, row: (&str, Uuid), calendar: &Calendar) -> Result<Row, Refusal> {
    let name = RotaName::new(row.0, row.1.to_string()).map_err(Refusal::internal)?;
    let found = store::get(work.sql(), &name, &Scope::Town, calendar).await?;
    found.ok_or_else(|| Refusal::internal("a rota vanished"))
}

/// A rota of which the caller has all committees, locked, whose state knows `verb`.
pub(super) async fn lock(
    work: &mut Work,
    calendar: &Calendar,
    (name, etag, verb): (&str, &str, Do),
) -> Result<Row, Refusal> {
    let name: RotaName = wire::name("name", name)?;
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    store::lock(work.sql(), name.town()).await?;
    let row = store::get(work.sql(), &name, &scope, calendar).await?;
    let row = row.ok_or_else(|| call.missing(&scope, "linli.dev/Rota", name.to_string()))?;
    if !row.committees.iter().all(|committee| scope.holds_committee(committee)) {
        return Err(call.denied());
    }
    check_etag(&row.name(), etag, row.version)?;
    transition(&TABLE, &row.name(), row.state()?, verb)?;
    Ok(row)
}

/// What a request to make a rota says.
struct Asked {
    days: (Date, Date),
    committees: Vec<String>,
    replaces: Option<RotaName>,
}

fn read(town: &TownName, request: &pb::GenerateRotaRequest) -> Result<Asked, Refusal> {
    let mut faults = Faults::default();
    let from = faults.take(wire::required_date("start_date", request.start_date.as_ref()));
    let to = faults.take(wire::required_date("end_date", request.end_date.as_ref()));
    if let Some((from, to)) = from.zip(to) {
        let days = (to - from).get_days();
        if !(1..=DAYS).contains(&days) {
            let (zh, en) = ("应晚于 start_date，最多 366 天", "after start_date, by 366 days at most");
            faults.push(FieldFault::new("end_date", "ORDER", zh, en));
        }
    }
    let mut committees = Vec::new();
    for (n, name) in request.committees.iter().enumerate() {
        let id = faults.take(fields::committee_id(&format!("committees[{n}]"), town.town(), name));
        if id.as_ref().is_some_and(|id| committees.contains(id)) {
            faults.push(FieldFault::new(format!("committees[{n}]"), "REPEATED", "重复", "given twice"));
        }
        committees.extend(id);
    }
    if request.committees.is_empty() {
        faults.push(FieldFault::new("committees", "REQUIRED", "至少一项", "one at least"));
    }
    let replaces = match request.replaces.is_empty() {
        true => Some(None),
        false => {
            faults.take(fields::in_town("replaces", &request.replaces, town.town(), RotaName::town)).map(Some)
        }
    };
    let ((from, to), replaces) = faults.finish(from.zip(to).zip(replaces))?;
    // whatever the order in which they are named: it is the same rota
    committees.sort();
    Ok(Asked { days: (from, to), committees, replaces })
}

/// The published rota that another is to replace.
async fn replaced(work: &mut Work, (asked, calendar): (&Asked, &Calendar)) -> Result<Option<Row>, Refusal> {
    let Some(name) = &asked.replaces else { return Ok(None) };
    let found = store::get(work.sql(), name, &Scope::Town, calendar).await?;
    let found = match found {
        Some(row) => {
            let (starts, ends) = row.days()?;
            let same = row.committees == asked.committees && ends == asked.days.1;
            (same && starts <= asked.days.0 && row.state()? == State::Published).then_some(row)
        }
        None => None,
    };
    let refused = || Refusal::new(&ROTA_REPLACES_OTHER).with("name", "the rota").with("other", name);
    found.map(Some).ok_or_else(refused)
}

/// Refuses a committee for which nobody can ever be on duty: a rota of nobody is none.
fn need_somebody(town: &str, committees: &[Committee], days: (Date, Date)) -> Result<(), Refusal> {
    match committees.iter().find(|committee| committee.candidates.is_empty()) {
        None => Ok(()),
        Some(empty) => Err(Refusal::new(&ROTA_COMMITTEE_EMPTY)
            .with("committee", encode::below(town, "committees", &empty.id))
            .with("days", format!("[{}, {})", days.0, days.1))),
    }
}

fn even(committees: &[Committee], its: &Fairness) -> Even {
    Even {
        committee: committees[its.committee].id.clone(),
        whole_days: its.whole_days,
        duties: its.duties,
        uncovered: its.uncovered,
        least: its.least,
        most: its.most,
        evenness: its.evenness.name().to_owned(),
    }
}

/// GenerateRota 编制.
pub(super) struct Generate;

#[tonic::async_trait]
impl VerbGiven for Generate {
    type Given = Known;
    type Request = pb::GenerateRotaRequest;
    type Answer = pb::Rota;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        known: &Known,
        request: &Self::Request,
    ) -> Result<Record<pb::Rota>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let call = work.call().clone();
        let scope = call.scope(town.town())?;
        let asked = read(&town, request)?;
        if !asked.committees.iter().all(|committee| scope.holds_committee(committee)) {
            return Err(call.denied());
        }
        if let Some(unknown) = known.unknown.first() {
            return Err(Refusal::new(&PEER_UNKNOWN).with("name", unknown));
        }
        store::lock(work.sql(), town.town()).await?;
        let old = replaced(work, (&asked, &known.calendar)).await?;
        let replaces = old.as_ref().map(|row| row.id);
        let (from, to) = asked.days;
        let whole = (&asked.committees[..], from, to);
        if let Some((other, committee)) = store::overlapping(work.sql(), town.town(), whole, replaces).await?
        {
            return Err(Refusal::new(&ROTA_OVERLAPS)
                .with("other", store::name(town.town(), other))
                .with("committee", encode::below(town.town(), "committees", &committee)));
        }
        let of = facts::Asked { town: town.town(), committees: &asked.committees, from, to };
        let (policy, input) = input(work, of, (&known.calendar, replaces)).await?;
        need_somebody(town.town(), &input.committees, asked.days)?;
        let made = plan::generate(&input);
        let id = Uuid::now_v7();
        let new = New {
            town: town.town(),
            id,
            days: asked.days,
            policy,
            terms: &input.policy,
            provisional: known
                .calendar
                .announced_until()
                .is_none_or(|last| to > last.saturating_add(1.day())),
            fairness: made.fairness.iter().map(|its| even(&input.committees, its)).collect(),
            replaces,
            committees: &asked.committees,
            kinds: &input.days,
        };
        keep(work, &new, (&input, &made)).await?;
        let row = reread(work, (town.town(), id), &known.calendar).await?;
        record(&row, vec![change(&row, Do::Generate, "", &request.comment)?], Do::Generate)
    }
}

/// What the rota is made of, and the policy that it is made by.
async fn input(
    work: &mut Work,
    of: facts::Asked<'_>,
    (calendar, replaces): (&Calendar, Option<Uuid>),
) -> Result<(Option<Uuid>, Input), Refusal> {
    let (id, policy) = store::policy_on(work.sql(), of.town, of.from).await?.unzip();
    let committees = facts::committees(work.sql(), of).await?;
    let standing = facts::standing(work.sql(), of, replaces).await?;
    let days = plan::days(calendar, of.from, of.to);
    Ok((id, Input { days, policy: policy.unwrap_or_default(), committees, standing }))
}

async fn keep(work: &mut Work, new: &New<'_>, (input, made): (&Input, &Rota)) -> Result<(), Refusal> {
    let who = Actor::of(work.call());
    store::create(work.sql(), new, &who).await?;
    let of = (new.town, new.id);
    duties::create(work.sql(), of, (&input.policy, &input.committees), &made.duties).await
}

pub(super) fn record(row: &Row, changes: Vec<Change>, verb: Do) -> Result<Record<pb::Rota>, Refusal> {
    Ok(Record {
        town: row.town.clone(),
        resource: row.name(),
        summary: format!("{} {}", verb.name(), row.name()),
        changes,
        answer: encode::rota(row)?,
    })
}

/// The policy of a duty's rota and its state, which must know `verb`.
pub(super) async fn rota_of(
    work: &mut Work,
    (town, id): (&str, Uuid),
    verb: Do,
) -> Result<(Policy, Row), Refusal> {
    // nothing of the calendar is asked here
    let row = reread(work, (town, id), &Calendar::default()).await?;
    transition(&TABLE, &row.name(), row.state()?, verb)?;
    Ok((row.terms.0.clone(), row))
}
