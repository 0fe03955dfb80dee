//! Recording, changing and correcting committees.

use chassis::{
    call::Call,
    refusal::{ALREADY_EXISTS, Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::governance::v1 as pb;
use jiff::civil::Date;
use kernel::{
    name::{CommitteeName, TownName},
    periods::{Believed, Period, Splice, amend},
    state::Named,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    encode,
    rules::{self, Facts, Patch, State, TABLE, Verb as Do},
    store::{self, Head},
};
use crate::{
    as_of::AsOf,
    fields,
    reasons::{BAD_ORDER_OF_DATES, FUTURE_DATE, OUTSIDE_LIFE, UNKNOWN_PARENT},
    store::stamp,
};

/// A committee that is locked, with what is believed of it.
pub(crate) struct Locked {
    pub(crate) name: CommitteeName,
    pub(crate) head: Head,
    pub(crate) line: Vec<Believed<Uuid, Facts>>,
    pub(crate) state: State,
}

/// Locks a committee within the caller's areas and checks its etag.
pub(crate) async fn lock(work: &mut Work, name: &str, etag: &str) -> Result<Locked, Refusal> {
    let name: CommitteeName = wire::name("name", name)?;
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    let head = store::lock(work.sql(), &name, &scope, call.today()).await?;
    let head = head.ok_or_else(|| call.missing(&scope, "linli.dev/Committee", name.to_string()))?;
    check_etag(&name.to_string(), etag, head.version)?;
    locked(work, name, head).await
}

/// Locks a committee whatever the caller's areas, for an import that was permitted in the whole town.
pub(crate) async fn lock_as(work: &mut Work, name: CommitteeName) -> Result<Locked, Refusal> {
    let today = work.call().today();
    let head = store::lock(work.sql(), &name, &chassis::identity::Scope::Town, today).await?;
    let head =
        head.ok_or_else(|| Refusal::new(&UNKNOWN_PARENT).with("field", "committee").with("name", &name))?;
    locked(work, name, head).await
}

async fn locked(work: &mut Work, name: CommitteeName, head: Head) -> Result<Locked, Refusal> {
    let line = store::believed(work.sql(), &name).await?;
    let state = rules::last(&line).map(|facts| facts.state);
    let state = state.ok_or_else(|| Refusal::internal(format!("{name} has no state")))?;
    Ok(Locked { name, head, line, state })
}

/// Refuses a community that the town doesn't have.
pub(crate) async fn need_community(work: &mut Work, town: &str, community: &str) -> Result<(), Refusal> {
    if store::has_community(work.sql(), town, community).await? {
        return Ok(());
    }
    let name = format!("towns/{town}/communities/{community}");
    Err(Refusal::new(&UNKNOWN_PARENT).with("field", "community").with("name", name))
}

/// Refuses a day after today.
pub(crate) fn not_future(call: &Call, field: &'static str, date: Date) -> Result<(), Refusal> {
    if date <= call.today() {
        Ok(())
    } else {
        Err(Refusal::new(&FUTURE_DATE).with("field", field).with("date", date))
    }
}

/// What is recorded with a transition, beside its line.
pub(crate) struct Told<'a> {
    pub(crate) verb: Do,
    pub(crate) to: State,
    pub(crate) comment: &'a str,
    pub(crate) event: &'static str,
    pub(crate) day: Date,
    pub(crate) founding: Option<Date>,
}

/// Writes the new line and yields the change and the committee as it is on the day of it.
pub(crate) async fn write(
    work: &mut Work,
    locked: &Locked,
    splice: &Splice<Uuid, Facts>,
    told: Told<'_>,
) -> Result<(Change, pb::Committee), Refusal> {
    let at = stamp(work.sql()).await?;
    store::write(work.sql(), &locked.name, splice, &at, told.comment).await?;
    let version = store::bump(work.sql(), &locked.name, told.founding).await?;
    let view =
        store::get(work.sql(), &locked.name, &chassis::identity::Scope::Town, &AsOf::now(told.day)).await?;
    let view =
        view.ok_or_else(|| Refusal::internal(format!("{} is nothing on {}", locked.name, told.day)))?;
    let change = Change {
        resource: locked.name.to_string(),
        version,
        verb: told.verb.name(),
        from_state: locked.state.name(),
        to_state: told.to.name(),
        comment: told.comment.to_owned(),
        event: told.event,
        data: json!({
            "committee": locked.name.to_string(), "state": view.state, "community": view.community,
            "merged_into": view.merged_into, "effective_date": told.day.to_string(),
        }),
    };
    Ok((change, encode::committee(&view)?))
}

/// The record of a transition of one committee.
pub(crate) fn record(locked: &Locked, change: Change, answer: pb::Committee) -> Record<pb::Committee> {
    Record {
        town: locked.name.town().to_owned(),
        resource: locked.name.to_string(),
        summary: format!("{} {}", change.verb, locked.name),
        changes: vec![change],
        answer,
    }
}

/// CreateCommittee.
pub(super) struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateCommitteeRequest;
    type Answer = pb::Committee;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Committee>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let call = work.call().clone();
        call.whole_town(town.town())?;
        let new = New::parse(town.town(), &request.committee_id, request.committee.as_ref())?;
        new.check(&call)?;
        need_community(work, town.town(), &new.facts.community).await?;
        let (change, answer) = new.store(work, "create").await?;
        Ok(Record {
            town: town.town().to_owned(),
            resource: new.name.to_string(),
            summary: format!("create {}", new.name),
            changes: vec![change],
            answer,
        })
    }
}

/// A committee that is to be recorded.
pub(crate) struct New {
    pub(crate) name: CommitteeName,
    pub(crate) kind: &'static str,
    pub(crate) preparation: Option<Date>,
    pub(crate) founding: Option<Date>,
    pub(crate) facts: Facts,
}

impl New {
    fn parse(town: &str, id: &str, committee: Option<&pb::Committee>) -> Result<New, Refusal> {
        let default = pb::Committee::default();
        let given = committee.unwrap_or(&default);
        let mut faults = Faults::default();
        let name =
            faults.take(CommitteeName::new(town, id).map_err(|error| {
                FieldFault::new("committee_id", "FORMAT", "编号格式不符", error.to_string())
            }));
        let display_name = faults.take(fields::display("committee.display_name", &given.display_name));
        let community = faults.take(fields::community_id("committee.community", town, &given.community));
        let preparation = faults
            .take(wire::date("committee.preparation_start_date", given.preparation_start_date.as_ref()));
        let founding = faults.take(wire::date("committee.founding_date", given.founding_date.as_ref()));
        let kind = faults.take(kind(given.kind));
        if preparation.is_some_and(|p| p.is_none()) && founding.is_some_and(|f| f.is_none()) {
            faults.push(FieldFault::new(
                "committee.preparation_start_date",
                "REQUIRED",
                "筹建日期与成立日期至少填一项",
                "one of preparation and founding date is required",
            ));
        }
        let all = name.zip(display_name).zip(community).zip(preparation).zip(founding).zip(kind);
        let (((((name, display_name), community), preparation), founding), kind) = faults.finish(all)?;
        let facts = Facts {
            display_name,
            community,
            state: State::Preparing,
            management_class: encode::class(given.management_class),
            difficulty: encode::difficulty(given.difficulty),
            merged_into: None,
        };
        Ok(New { name, kind, preparation, founding, facts })
    }

    /// Refuses days that can't be.
    pub(crate) fn check(&self, call: &Call) -> Result<(), Refusal> {
        if let Some(founding) = self.founding {
            not_future(call, "founding_date", founding)?;
            if let Some(preparation) = self.preparation.filter(|preparation| *preparation >= founding) {
                return Err(Refusal::new(&BAD_ORDER_OF_DATES)
                    .with("field", "founding_date")
                    .with("date", founding)
                    .with("after", preparation));
            }
        }
        Ok(())
    }

    /// Stores it; ALREADY_EXISTS when the id is taken.
    pub(crate) async fn store(
        &self,
        work: &mut Work,
        verb: &'static str,
    ) -> Result<(Change, pb::Committee), Refusal> {
        let head = Head {
            kind: self.kind.to_owned(),
            preparation_start: self.preparation,
            founding_date: self.founding,
            version: 1,
        };
        if !store::create(work.sql(), &self.name, &head).await? {
            return Err(Refusal::new(&ALREADY_EXISTS).with("name", &self.name));
        }
        let at = stamp(work.sql()).await?;
        let splice = Splice {
            close: Vec::new(),
            insert: rules::beginning(self.preparation, self.founding, &self.facts),
        };
        store::write(work.sql(), &self.name, &splice, &at, "").await?;
        let first = self.preparation.or(self.founding).unwrap_or_default();
        let day = first.max(work.call().today());
        let view =
            store::get(work.sql(), &self.name, &chassis::identity::Scope::Town, &AsOf::now(day)).await?;
        let view = view.ok_or_else(|| Refusal::internal(format!("{} is nothing on {day}", self.name)))?;
        let state = State::from_name(&view.state).map_or("", State::name);
        let change = Change {
            resource: self.name.to_string(),
            version: 1,
            verb,
            from_state: "",
            to_state: state,
            comment: String::new(),
            event: "committee.created",
            data: json!({"committee": self.name.to_string(), "state": state, "community": self.facts.community}),
        };
        Ok((change, encode::committee(&view)?))
    }
}

fn kind(value: i32) -> Result<&'static str, FieldFault> {
    match pb::CommitteeKind::try_from(value).unwrap_or_default() {
        pb::CommitteeKind::ResidentsCommittee => Ok("RESIDENTS_COMMITTEE"),
        pb::CommitteeKind::VillagersCommittee => Ok("VILLAGERS_COMMITTEE"),
        pb::CommitteeKind::Unspecified => {
            Err(FieldFault::new("committee.kind", "REQUIRED", "必填", "required"))
        }
    }
}

/// The change that a request asks for, by its mask.
fn patch(town: &str, given: &pb::Committee, paths: &[&str]) -> Result<Patch, Refusal> {
    let (mut patch, mut faults) = (Patch::default(), Faults::default());
    for path in paths {
        match *path {
            "display_name" => {
                patch.display_name =
                    faults.take(fields::display("committee.display_name", &given.display_name))
            }
            "community" => {
                patch.community =
                    faults.take(fields::community_id("committee.community", town, &given.community))
            }
            "management_class" => patch.management_class = Some(encode::class(given.management_class)),
            "difficulty" => patch.difficulty = Some(encode::difficulty(given.difficulty)),
            _ => {}
        }
    }
    faults.finish(Some(patch))
}

/// UpdateCommittee.
pub(super) struct Update;

#[tonic::async_trait]
impl Verb for Update {
    type Request = pb::UpdateCommitteeRequest;
    type Answer = pb::Committee;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Committee>, Refusal> {
        let default = pb::Committee::default();
        let given = request.committee.as_ref().unwrap_or(&default);
        let locked = lock(work, &given.name, &given.etag).await?;
        let paths =
            wire::mask(request.update_mask.as_ref(), &["display_name", "management_class", "difficulty"])
                .map_err(|f| Refusal::fields(vec![f]))?;
        let patch = patch(locked.name.town(), given, &paths)?;
        let day = wire::date("effective_date", request.effective_date.as_ref())
            .map_err(|f| Refusal::fields(vec![f]))?;
        let day = day.unwrap_or_else(|| work.call().today());
        let to = transition(&TABLE, &locked.name.to_string(), locked.state, Do::Update)?;
        let splice = amend(&locked.line, Period::since(day), |facts| patch.apply(facts));
        let told = Told {
            verb: Do::Update,
            to,
            comment: &request.comment,
            event: "committee.updated",
            day,
            founding: None,
        };
        let (change, answer) = write(work, &locked, &splice, told).await?;
        Ok(record(&locked, change, answer))
    }
}

/// CorrectCommittee.
pub(super) struct Correct;

#[tonic::async_trait]
impl Verb for Correct {
    type Request = pb::CorrectCommitteeRequest;
    type Answer = pb::Committee;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Committee>, Refusal> {
        let locked = lock(work, &request.name, &request.etag).await?;
        let mut faults = Faults::default();
        let start = faults.take(wire::required_date("start_date", request.start_date.as_ref()));
        let end = faults.take(wire::date("end_date", request.end_date.as_ref()));
        let known = ["display_name", "community", "management_class", "difficulty"];
        let paths = faults.take(wire::mask(request.update_mask.as_ref(), &known));
        fields::need_reason_to_correct(&mut faults, "comment", &request.comment);
        let ((start, end), paths) = faults.finish(start.zip(end).zip(paths))?;
        let period = fields::period(start, end)?;
        let default = pb::Committee::default();
        let patch = patch(locked.name.town(), request.committee.as_ref().unwrap_or(&default), &paths)?;
        if let Some(community) = &patch.community {
            need_community(work, locked.name.town(), community).await?;
        }
        let first = locked.head.preparation_start.or(locked.head.founding_date).unwrap_or(start);
        if end.is_some_and(|end| end <= first) {
            let life = Period::since(first);
            return Err(Refusal::new(&OUTSIDE_LIFE).with("name", &locked.name).with("period", life));
        }
        let day = start.max(first);
        let to = transition(&TABLE, &locked.name.to_string(), locked.state, Do::Correct)?;
        let splice = amend(&locked.line, period, |facts| patch.apply(facts));
        let told = Told {
            verb: Do::Correct,
            to,
            comment: &request.comment,
            event: "committee.corrected",
            day,
            founding: None,
        };
        let (change, answer) = write(work, &locked, &splice, told).await?;
        Ok(record(&locked, change, answer))
    }
}
