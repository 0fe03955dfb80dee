//! Founding, changing and dissolving bodies.

use chassis::{
    identity::Scope,
    refusal::{ALREADY_EXISTS, Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::governance::v1 as pb;
use jiff::civil::Date;
use kernel::{
    name::{BodyName, CommitteeName, CommunityName, EstateName, TownName},
    periods::{Believed, Period, Splice, amend, truncate},
    state::Named,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    rules::{self, Facts, State, TABLE, Verb as Do},
    store::{self, Head, LINE, Seen},
};
use crate::{
    as_of::AsOf,
    block::edit::need_committee,
    committee::edit::need_community,
    estate,
    fields::{self, in_town},
    membership,
    reasons::{BODY_KIND_FULL, OUTSIDE_LIFE, SEATS_HELD, UNKNOWN_BODY_KIND, UNKNOWN_PARENT},
    store::stamp,
};

/// Seats at most.
pub(crate) const SEATS: std::ops::RangeInclusive<i64> = 1..=1_000;

/// A body that is to be recorded.
#[derive(Debug)]
pub(crate) struct New {
    pub(crate) name: BodyName,
    pub(crate) head: Head,
    pub(crate) facts: Facts,
}

impl New {
    /// Stores it where it belongs.
    pub(crate) async fn store(
        &self,
        work: &mut Work,
        scope: &Scope,
        verb: &'static str,
    ) -> Result<Change, Refusal> {
        let town = self.name.town();
        if !store::has_kind(work.sql(), &self.head.kind, self.head.level).await? {
            return Err(Refusal::new(&UNKNOWN_BODY_KIND)
                .with("field", "kind")
                .with_typed("kind", &self.head.kind)
                .with("level", self.head.level));
        }
        need_owner(work, scope, town, &self.facts, self.head.life.from()).await?;
        let full = store::full(work.sql(), town, (&self.head, &self.facts)).await?;
        if let Some(maximum) = full {
            return Err(Refusal::new(&BODY_KIND_FULL)
                .with("owner", owner(town, &self.facts))
                .with("kind", &self.head.kind)
                .with("maximum", maximum));
        }
        if !store::create(work.sql(), &self.name, &self.head).await? {
            return Err(Refusal::new(&ALREADY_EXISTS).with("name", &self.name));
        }
        let at = stamp(work.sql()).await?;
        let splice = Splice { close: Vec::new(), insert: vec![(self.head.life, self.facts.clone())] };
        LINE.write(work.sql(), town, self.name.body(), &splice, &at, "").await?;
        Ok(Change {
            resource: self.name.to_string(),
            version: 1,
            verb,
            from_state: "",
            to_state: State::Active.name(),
            comment: String::new(),
            event: "body.created",
            data: json!({"body": self.name.to_string(), "kind": self.head.kind, "owner": owner(town, &self.facts)}),
        })
    }
}

/// The name of what a body belongs to.
pub(crate) fn owner(town: &str, facts: &Facts) -> String {
    super::owner_name(town, [&facts.community, &facts.committee, &facts.estate])
}

/// Refuses an owner that isn't there, or isn't the caller's.
async fn need_owner(
    work: &mut Work,
    scope: &Scope,
    town: &str,
    facts: &Facts,
    day: Date,
) -> Result<(), Refusal> {
    if let Some(id) = &facts.committee {
        let name = CommitteeName::new(town, id).map_err(Refusal::internal)?;
        // a party branch may be older than the committee that it is of: what matters is that it is there now
        let day = day.max(work.call().today());
        return need_committee(work, scope, &name, day).await;
    }
    if let Some(id) = &facts.estate {
        let name = EstateName::new(town, id).map_err(Refusal::internal)?;
        let today = work.call().today();
        let seen = estate::store::get(work.sql(), &name, scope, &AsOf::now(today), today).await?;
        return match seen {
            Some(_) => Ok(()),
            None if scope.is_town() => {
                Err(Refusal::new(&UNKNOWN_PARENT).with("field", "owner").with("name", name))
            }
            None => Err(work.call().clone().denied()),
        };
    }
    if let Some(id) = &facts.community
        && (scope.is_town() || scope.ids().0.contains(id))
    {
        return need_community(work, town, id).await;
    }
    if scope.is_town() { Ok(()) } else { Err(work.call().clone().denied()) }
}

/// A body that is locked, with what is believed of it.
pub(crate) struct Locked {
    pub(crate) name: BodyName,
    pub(crate) life: Period,
    pub(crate) version: i64,
    pub(crate) line: Vec<Believed<Uuid, Facts>>,
    pub(crate) state: State,
}

/// Locks a body that the caller may change, and checks its etag.
pub(crate) async fn lock(work: &mut Work, field: &str, name: &str, etag: &str) -> Result<Locked, Refusal> {
    let name: BodyName = wire::name(field, name)?;
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    let missing = || call.missing(&scope, "linli.dev/Body", name.to_string());
    let locked = lock_as(work, name.clone()).await?.ok_or_else(missing)?;
    let last = locked.life.to().and_then(|to| to.yesterday().ok());
    let day = last.map_or(call.today(), |last| last.min(call.today())).max(locked.life.from());
    let seen = store::get(work.sql(), &name, &scope, (&AsOf::now(day), call.today()), Seen::ToChange).await?;
    seen.ok_or_else(missing)?;
    check_etag(&name.to_string(), etag, locked.version)?;
    Ok(locked)
}

/// Locks a body whatever the caller's areas, for an import.
pub(crate) async fn lock_as(work: &mut Work, name: BodyName) -> Result<Option<Locked>, Refusal> {
    let Some((life, version)) = LINE.lock(work.sql(), name.town(), name.body()).await? else {
        return Ok(None);
    };
    let line = LINE.believed::<Facts>(work.sql(), name.town(), name.body()).await?;
    Ok(Some(Locked { life, version, line, state: rules::state(life), name }))
}

/// The next version, and the change that tells of it.
pub(crate) async fn change(
    work: &mut Work,
    locked: &Locked,
    verb: Do,
    (event, comment): (&'static str, &str),
    data: serde_json::Value,
) -> Result<Change, Refusal> {
    let version = LINE.bump(work.sql(), locked.name.town(), locked.name.body()).await?;
    let to = TABLE.next(locked.state, verb).unwrap_or(locked.state);
    Ok(Change {
        resource: locked.name.to_string(),
        version,
        verb: verb.name(),
        from_state: locked.state.name(),
        to_state: to.name(),
        comment: comment.to_owned(),
        event,
        data,
    })
}

async fn answer(
    work: &mut Work,
    name: &BodyName,
    day: Date,
    change: Change,
) -> Result<Record<pb::Body>, Refusal> {
    let today = work.call().today();
    let view = store::get(work.sql(), name, &Scope::Town, (&AsOf::now(day), today), Seen::Publicly).await?;
    let view = view.ok_or_else(|| Refusal::internal(format!("{name} is nothing on {day}")))?;
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("{} {name}", change.verb),
        changes: vec![change],
        answer: super::encode(&view)?,
    })
}

/// What a body belongs to, at its level.
fn owned(town: &str, level: &str, text: &str) -> Result<[Option<String>; 3], FieldFault> {
    const FIELD: &str = "body.owner";
    match level {
        "COMMUNITY" => {
            let name = in_town(FIELD, text, town, CommunityName::town)?;
            Ok([Some(name.community().to_owned()), None, None])
        }
        "COMMITTEE" => {
            let name = in_town(FIELD, text, town, CommitteeName::town)?;
            Ok([None, Some(name.committee().to_owned()), None])
        }
        "ESTATE" => {
            let name = in_town(FIELD, text, town, EstateName::town)?;
            Ok([None, None, Some(name.estate().to_owned())])
        }
        _ => in_town(FIELD, text, town, TownName::town).map(|_: TownName| [None, None, None]),
    }
}

fn level(given: i32) -> Result<&'static str, FieldFault> {
    let name = pb::BodyLevel::try_from(given).unwrap_or_default().as_str_name();
    let found = rules::LEVELS.iter().find(|known| name.strip_prefix("BODY_LEVEL_") == Some(known));
    found.copied().ok_or_else(|| FieldFault::new("body.level", "REQUIRED", "必填", "required"))
}

fn quorum(seats: i32, quorum: i32) -> Option<FieldFault> {
    (quorum > seats).then(|| {
        FieldFault::new("body.quorum", "OUT_OF_RANGE", "法定人数不能超过席位", "a quorum within the seats")
    })
}

/// CreateBody.
pub(super) struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateBodyRequest;
    type Answer = pb::Body;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Body>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let call = work.call().clone();
        let scope = call.scope(town.town())?;
        let default = pb::Body::default();
        let given = request.body.as_ref().unwrap_or(&default);
        let mut faults = Faults::default();
        let name = BodyName::new(town.town(), &request.body_id);
        let name = faults.take(
            name.map_err(|error| FieldFault::new("body_id", "FORMAT", "编号格式不符", error.to_string())),
        );
        let display_name = faults.take(fields::display("body.display_name", &given.display_name));
        let level = faults.take(level(given.level));
        let owner = level.and_then(|level| faults.take(owned(town.town(), level, &given.owner)));
        let start = faults.take(wire::date("body.start_date", given.start_date.as_ref()));
        if let Some(fault) = quorum(given.seats, given.quorum) {
            faults.push(fault);
        }
        let all = name.zip(display_name).zip(level).zip(owner).zip(start);
        let ((((name, display_name), level), owner), start) = faults.finish(all)?;
        let life = Period::since(start.unwrap_or_else(|| call.today()));
        let [community, committee, estate] = owner;
        let (seats, quorum) = (given.seats, given.quorum);
        let facts = Facts { display_name, seats, quorum, community, committee, estate };
        let new = New { name, head: Head { level, kind: given.kind.clone(), life }, facts };
        let change = new.store(work, &scope, "create").await?;
        answer(work, &new.name, life.from().max(call.today()), change).await
    }
}

/// UpdateBody.
pub(super) struct Update;

#[tonic::async_trait]
impl Verb for Update {
    type Request = pb::UpdateBodyRequest;
    type Answer = pb::Body;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Body>, Refusal> {
        let default = pb::Body::default();
        let given = request.body.as_ref().unwrap_or(&default);
        let locked = lock(work, "body.name", &given.name, &given.etag).await?;
        transition(&TABLE, &locked.name.to_string(), locked.state, Do::Update)?;
        let mut faults = Faults::default();
        let fields =
            faults.take(wire::mask(request.update_mask.as_ref(), &["display_name", "seats", "quorum"]));
        let fields = fields.unwrap_or_default();
        let has = |field| fields.contains(&field);
        let display_name = has("display_name")
            .then(|| faults.take(fields::display("body.display_name", &given.display_name)))
            .flatten();
        let last = locked.line.last().map(|row| row.value.clone());
        let last = last.ok_or_else(|| Refusal::internal(format!("{} has no line", locked.name)))?;
        let seats = if has("seats") { given.seats } else { last.seats };
        let quorum_now = if has("quorum") { given.quorum } else { last.quorum };
        if let Some(fault) = quorum(seats, quorum_now) {
            faults.push(fault);
        }
        faults.finish(Some(()))?;
        let day = work.call().today().max(locked.life.from());
        need_vacant_above(work, &locked, seats, day).await?;
        let splice = amend(&locked.line, Period::since(day), |facts| Facts {
            display_name: display_name.clone().unwrap_or_else(|| facts.display_name.clone()),
            seats,
            quorum: quorum_now,
            ..facts.clone()
        });
        let at = stamp(work.sql()).await?;
        LINE.write(work.sql(), locked.name.town(), locked.name.body(), &splice, &at, "").await?;
        let data = json!({"body": locked.name.to_string()});
        let change = change(work, &locked, Do::Update, ("body.updated", ""), data).await?;
        answer(work, &locked.name, day, change).await
    }
}

/// Refuses to take away a seat that is held on `day` or later.
pub(crate) async fn need_vacant_above(
    work: &mut Work,
    locked: &Locked,
    seats: i32,
    day: Date,
) -> Result<(), Refusal> {
    let line = membership::store::believed(work.sql(), &locked.name).await?;
    let held = line.iter().find(|row| row.value.seat > seats && row.period.intersects(Period::since(day)));
    held.map_or(Ok(()), |row| {
        Err(Refusal::new(&SEATS_HELD)
            .with("name", &locked.name)
            .with("seat", row.value.seat)
            .with("period", row.period))
    })
}

/// DissolveBody.
pub(super) struct Dissolve;

#[tonic::async_trait]
impl Verb for Dissolve {
    type Request = pb::DissolveBodyRequest;
    type Answer = pb::Body;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Body>, Refusal> {
        let day = wire::required_date("end_date", request.end_date.as_ref())
            .map_err(|fault| Refusal::fields(vec![fault]))?;
        let locked = lock(work, "name", &request.name, &request.etag).await?;
        transition(&TABLE, &locked.name.to_string(), locked.state, Do::Dissolve)?;
        if day <= locked.life.from() {
            return Err(Refusal::new(&OUTSIDE_LIFE).with("name", &locked.name).with("period", locked.life));
        }
        let at = stamp(work.sql()).await?;
        let terms = membership::store::believed(work.sql(), &locked.name).await?;
        membership::store::write(work.sql(), &locked.name, &truncate(&terms, day), &at, &request.comment)
            .await?;
        let splice = truncate(&locked.line, day);
        LINE.write(work.sql(), locked.name.town(), locked.name.body(), &splice, &at, &request.comment)
            .await?;
        store::end(work.sql(), &locked.name, day).await?;
        let data = json!({"body": locked.name.to_string(), "end_date": day.to_string()});
        let change = change(work, &locked, Do::Dissolve, ("body.dissolved", &request.comment), data).await?;
        answer(work, &locked.name, day.yesterday().unwrap_or(day), change).await
    }
}
