//! Moving in, moving, moving out, and correcting where somebody lived.

use chassis::{
    identity::Scope,
    refusal::{Faults, FieldFault, Refusal},
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::governance::v1 as pb;
use jiff::civil::Date;
use kernel::{
    name::{HouseholdName, PersonName, ResidenceName, TownName},
    periods::{Believed, Splice},
};
use serde_json::json;
use uuid::Uuid;

use super::{
    rules::{self, GROUNDS},
    store::{self, Facts, LINE},
};
use crate::{
    as_of::AsOf,
    fields::{self, in_town},
    household, person,
    reasons::{BEFORE_BIRTH, NOT_RESIDENT, OUTSIDE_LIFE, RESIDENCE_OVERLAP, UNKNOWN_PARENT},
    store::stamp,
};

/// A person who is locked, with the lines that are believed.
pub(crate) struct Locked {
    pub(crate) name: PersonName,
    pub(crate) line: Vec<Believed<Uuid, Facts>>,
}

/// Locks a person of the town; who may not see the person learns so by the household, which is in the areas or not.
async fn lock(work: &mut Work, name: PersonName, etag: &str) -> Result<Locked, Refusal> {
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    let version = person::store::lock(work.sql(), &name).await?;
    let version = version.ok_or_else(|| call.missing(&scope, "linli.dev/Person", name.to_string()))?;
    check_etag(&name.to_string(), etag, version)?;
    let line = LINE.believed::<Facts>(work.sql(), name.town(), name.person()).await?;
    Ok(Locked { name, line })
}

/// Locks a person for an import.
pub(crate) async fn lock_as(work: &mut Work, name: PersonName) -> Result<Locked, Refusal> {
    person::store::lock(work.sql(), &name).await?;
    let line = LINE.believed::<Facts>(work.sql(), name.town(), name.person()).await?;
    Ok(Locked { name, line })
}

/// Refuses a household that the caller doesn't have in his areas today.
pub(crate) async fn need_household(work: &mut Work, name: &HouseholdName) -> Result<(), Refusal> {
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    let today = call.today();
    let seen = household::store::get(work.sql(), name, &scope, &AsOf::now(today), today).await?;
    match seen {
        Some(_) => Ok(()),
        None if scope.is_town() => {
            Err(Refusal::new(&UNKNOWN_PARENT).with("field", "household").with("name", name))
        }
        None => Err(call.denied()),
    }
}

/// Refuses days before the person was born; says so without the day.
pub(crate) async fn need_born(work: &mut Work, name: &PersonName, day: Date) -> Result<(), Refusal> {
    let (today, vault) = (work.call().today(), work.vault().clone());
    let found = person::store::get(work.sql(), name, &Scope::Town, today).await?;
    let found =
        found.ok_or_else(|| Refusal::new(&UNKNOWN_PARENT).with("field", "person").with("name", name))?;
    if person::encode::open(&vault, &found)?.birth_date() > day {
        return Err(Refusal::new(&BEFORE_BIRTH).with("field", "start_date"));
    }
    Ok(())
}

/// What is told of a person's residences.
pub(crate) struct Told<'a> {
    pub(crate) verb: &'static str,
    pub(crate) event: &'static str,
    pub(crate) household: &'a str,
    pub(crate) day: Date,
    pub(crate) comment: &'a str,
}

/// The change that tells of a person's residences.
pub(crate) fn change(name: &PersonName, version: i64, told: &Told<'_>) -> Change {
    let household = match told.household {
        "" => String::new(),
        id => format!("towns/{}/households/{id}", name.town()),
    };
    Change {
        resource: name.to_string(),
        version,
        verb: told.verb,
        from_state: "",
        to_state: "",
        comment: told.comment.to_owned(),
        event: told.event,
        data: json!({"person": name.to_string(), "household": household, "effective_date": told.day.to_string()}),
    }
}

/// Writes the new line; the ids of its rows and the change.
pub(crate) async fn write(
    work: &mut Work,
    locked: &Locked,
    splice: &Splice<Uuid, Facts>,
    told: Told<'_>,
) -> Result<(Vec<Uuid>, Change), Refusal> {
    let (town, name) = (locked.name.town(), &locked.name);
    let at = stamp(work.sql()).await?;
    let ids = LINE.write(work.sql(), town, name.person(), splice, &at, told.comment).await?;
    let version = person::store::bump(work.sql(), name).await?;
    Ok((ids, change(name, version, &told)))
}

/// The record, with the residence `id` as it is now.
async fn record(
    work: &mut Work,
    name: &PersonName,
    id: Option<Uuid>,
    change: Change,
) -> Result<Record<pb::Residence>, Refusal> {
    let today = work.call().today();
    let answer = match id {
        None => pb::Residence { person: name.to_string(), ..Default::default() },
        Some(id) => {
            let residence = ResidenceName::new(name.town(), id.to_string()).map_err(Refusal::internal)?;
            let view = store::get(work.sql(), &residence, &Scope::Town, today).await?;
            super::encode(&view.ok_or_else(|| Refusal::internal(format!("{residence} vanished")))?)?
        }
    };
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("{} {name}", change.verb),
        changes: vec![change],
        answer,
    })
}

fn ground(field: &str, given: i32) -> Result<&'static str, FieldFault> {
    let name = pb::ResidenceGround::try_from(given).unwrap_or_default().as_str_name();
    let found = GROUNDS.iter().find(|known| name.strip_prefix("RESIDENCE_GROUND_") == Some(known));
    found.copied().ok_or_else(|| FieldFault::new(field, "REQUIRED", "必填", "required"))
}

/// CreateResidence.
pub(super) struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateResidenceRequest;
    type Answer = pb::Residence;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Residence>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        work.call().scope(town.town())?;
        let default = pb::Residence::default();
        let given = request.residence.as_ref().unwrap_or(&default);
        let mut faults = Faults::default();
        let who = faults.take(in_town("residence.person", &given.person, town.town(), PersonName::town));
        let home =
            faults.take(in_town("residence.household", &given.household, town.town(), HouseholdName::town));
        let ground = faults.take(ground("residence.ground", given.ground));
        let start = faults.take(wire::required_date("residence.start_date", given.start_date.as_ref()));
        let end = faults.take(wire::date("residence.end_date", given.end_date.as_ref()));
        let all = who.zip(home).zip(ground).zip(start).zip(end);
        let ((((who, home), ground), start), end) = faults.finish(all)?;
        let period = fields::period(start, end)?;
        need_household(work, &home).await?;
        let locked = lock(work, who, "").await?;
        need_born(work, &locked.name, start).await?;
        let facts = Facts { household: home.household().to_owned(), ground: ground.to_owned() };
        let splice = rules::move_in(&locked.line, period, facts).map_err(|days| {
            Refusal::new(&RESIDENCE_OVERLAP)
                .with("name", &locked.name)
                .with("ground", ground)
                .with("period", days)
        })?;
        let told = Told {
            verb: "moveIn",
            event: "residence.began",
            household: home.household(),
            day: start,
            comment: "",
        };
        let (ids, change) = write(work, &locked, &splice, told).await?;
        record(work, &locked.name, ids.first().copied(), change).await
    }
}

/// MovePerson.
pub(super) struct Move;

#[tonic::async_trait]
impl Verb for Move {
    type Request = pb::MovePersonRequest;
    type Answer = pb::Residence;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Residence>, Refusal> {
        let name: PersonName = wire::name("name", &request.name)?;
        work.call().scope(name.town())?;
        let mut faults = Faults::default();
        let home = faults.take(in_town("household", &request.household, name.town(), HouseholdName::town));
        let ground = faults.take(ground("ground", request.ground));
        let day = faults.take(wire::required_date("effective_date", request.effective_date.as_ref()));
        let ((home, ground), day) = faults.finish(home.zip(ground).zip(day))?;
        need_household(work, &home).await?;
        let locked = lock(work, name, &request.etag).await?;
        let facts = Facts { household: home.household().to_owned(), ground: ground.to_owned() };
        let splice = rules::move_on(&locked.line, day, facts).ok_or_else(|| {
            Refusal::new(&NOT_RESIDENT).with("name", &locked.name).with("ground", ground).with("date", day)
        })?;
        let told = Told {
            verb: "move",
            event: "residence.moved",
            household: home.household(),
            day,
            comment: &request.comment,
        };
        let (ids, change) = write(work, &locked, &splice, told).await?;
        record(work, &locked.name, ids.last().copied(), change).await
    }
}

/// EndResidence.
pub(super) struct End;

#[tonic::async_trait]
impl Verb for End {
    type Request = pb::EndResidenceRequest;
    type Answer = pb::Residence;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Residence>, Refusal> {
        let name: ResidenceName = wire::name("name", &request.name)?;
        let call = work.call().clone();
        let scope = call.scope(name.town())?;
        let day = wire::required_date("end_date", request.end_date.as_ref())
            .map_err(|fault| Refusal::fields(vec![fault]))?;
        let missing = || call.missing(&scope, "linli.dev/Residence", name.to_string());
        let view = store::get(work.sql(), &name, &scope, call.today()).await?.ok_or_else(missing)?;
        let who = PersonName::new(name.town(), &view.person).map_err(Refusal::internal)?;
        let locked = lock(work, who, &request.etag).await?;
        let row = locked.line.iter().find(|row| row.id == view.id).ok_or_else(missing)?;
        if day <= row.period.from() || !row.period.contains(day) {
            return Err(Refusal::new(&OUTSIDE_LIFE).with("name", &name).with("period", row.period));
        }
        let splice = kernel::periods::truncate(std::slice::from_ref(row), day);
        let told = Told {
            verb: "moveOut",
            event: "residence.ended",
            household: &view.household,
            day,
            comment: &request.comment,
        };
        let (ids, change) = write(work, &locked, &splice, told).await?;
        record(work, &locked.name, ids.first().copied(), change).await
    }
}

/// CorrectResidence.
pub(super) struct Correct;

#[tonic::async_trait]
impl Verb for Correct {
    type Request = pb::CorrectResidenceRequest;
    type Answer = pb::Residence;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Residence>, Refusal> {
        let name: PersonName = wire::name("name", &request.name)?;
        work.call().scope(name.town())?;
        let mut faults = Faults::default();
        let ground = faults.take(ground("ground", request.ground));
        let start = faults.take(wire::required_date("start_date", request.start_date.as_ref()));
        let end = faults.take(wire::date("end_date", request.end_date.as_ref()));
        let home = match request.household.as_str() {
            "" => Some(None),
            text => faults.take(in_town("household", text, name.town(), HouseholdName::town)).map(Some),
        };
        fields::need_reason_to_correct(&mut faults, "reason", &request.reason);
        let (((ground, start), end), home) = faults.finish(ground.zip(start).zip(end).zip(home))?;
        let period = fields::period(start, end)?;
        let locked = lock(work, name, &request.etag).await?;
        // what is corrected lies in the areas, and so does what is believed instead
        let before =
            rules::of_ground(&locked.line, ground).into_iter().filter(|row| row.period.intersects(period));
        for row in before {
            let home =
                HouseholdName::new(locked.name.town(), &row.value.household).map_err(Refusal::internal)?;
            need_household(work, &home).await?;
        }
        if let Some(home) = &home {
            need_household(work, home).await?;
            need_born(work, &locked.name, start).await?;
        } else {
            work.call().whole_town(locked.name.town())?;
        }
        let household = home.as_ref().map(HouseholdName::household);
        let splice = rules::correct(&locked.line, period, ground, household);
        let told = Told {
            verb: "correctResidence",
            event: "residence.corrected",
            household: household.unwrap_or_default(),
            day: start,
            comment: &request.reason,
        };
        let at = splice.insert.iter().position(|(its, _)| its.contains(start) && home.is_some());
        let (ids, change) = write(work, &locked, &splice, told).await?;
        record(work, &locked.name, at.and_then(|at| ids.get(at).copied()), change).await
    }
}
