//! Recording, changing and moving estates.

use chassis::{
    identity::Scope,
    refusal::{ALREADY_EXISTS, Faults, FieldFault, Refusal},
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::governance::v1 as pb;
use jiff::civil::Date;
use kernel::{
    name::{CommitteeName, EstateName, OrganisationName, TownName},
    periods::{Period, Splice, amend},
};
use serde_json::json;

use super::store::{self, Facts, LINE};
use crate::{
    as_of::AsOf,
    block, building, fields, organisation,
    reasons::{OUTSIDE_LIFE, UNKNOWN_PARENT},
    store::stamp,
};

/// The change that tells of an estate.
pub(crate) fn change(
    name: &EstateName,
    version: i64,
    verb: &'static str,
    event: &'static str,
    committee: &str,
    comment: &str,
) -> Change {
    Change {
        resource: name.to_string(),
        version,
        verb,
        from_state: "",
        to_state: "",
        comment: comment.to_owned(),
        event,
        data: json!({"estate": name.to_string(), "committee": committee}),
    }
}

/// An estate that is to be recorded.
pub(crate) struct New {
    pub(crate) name: EstateName,
    pub(crate) facts: Facts,
    /// The first day; the committee's when not said.
    pub(crate) start: Option<Date>,
}

impl New {
    /// Stores it in a committee that can have one.
    pub(crate) async fn store(
        &self,
        work: &mut Work,
        scope: &Scope,
        verb: &'static str,
    ) -> Result<Change, Refusal> {
        let town = self.name.town();
        let committee = CommitteeName::new(town, &self.facts.committee).map_err(Refusal::internal)?;
        let first = store::first_day(work.sql(), town, committee.committee()).await?;
        let start = self.start.or(first).unwrap_or_else(|| work.call().today());
        block::edit::need_committee(work, scope, &committee, start).await?;
        need_company(work, town, self.facts.property_company.as_deref()).await?;
        let life = Period::since(start);
        if !store::create(work.sql(), &self.name, life).await? {
            return Err(Refusal::new(&ALREADY_EXISTS).with("name", &self.name));
        }
        let at = stamp(work.sql()).await?;
        let splice = Splice { close: Vec::new(), insert: vec![(life, self.facts.clone())] };
        LINE.write(work.sql(), town, self.name.estate(), &splice, &at, "").await?;
        Ok(change(&self.name, 1, verb, "estate.created", committee.committee(), ""))
    }
}

/// Refuses a property company that the town doesn't have.
pub(crate) async fn need_company(work: &mut Work, town: &str, id: Option<&str>) -> Result<(), Refusal> {
    let Some(id) = id else { return Ok(()) };
    let name = OrganisationName::new(town, id).map_err(Refusal::internal)?;
    if organisation::store::get(work.sql(), &name, false).await?.is_some() {
        return Ok(());
    }
    Err(Refusal::new(&UNKNOWN_PARENT).with("field", "property_company").with("name", name))
}

async fn answer(
    work: &mut Work,
    name: &EstateName,
    day: Date,
    change: Change,
) -> Result<Record<pb::Estate>, Refusal> {
    let today = work.call().today();
    let view = store::get(work.sql(), name, &Scope::Town, &AsOf::now(day), today).await?;
    let view = view.ok_or_else(|| Refusal::internal(format!("{name} is nothing on {day}")))?;
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("{} {name}", change.verb),
        changes: vec![change],
        answer: super::encode(&view)?,
    })
}

fn company(field: &str, town: &str, text: &str) -> Result<Option<String>, FieldFault> {
    if text.is_empty() {
        return Ok(None);
    }
    let name: OrganisationName = wire::parsed(field, text)?;
    if name.town() == town {
        Ok(Some(name.organisation().to_owned()))
    } else {
        Err(FieldFault::new(field, "ANOTHER_TOWN", "属于另一个镇", "lies in another town"))
    }
}

/// CreateEstate.
pub(super) struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateEstateRequest;
    type Answer = pb::Estate;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Estate>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let scope = work.call().scope(town.town())?;
        let default = pb::Estate::default();
        let given = request.estate.as_ref().unwrap_or(&default);
        let mut faults = Faults::default();
        let name = EstateName::new(town.town(), &request.estate_id);
        let name = faults.take(
            name.map_err(|error| FieldFault::new("estate_id", "FORMAT", "编号格式不符", error.to_string())),
        );
        let display_name = faults.take(fields::display("estate.display_name", &given.display_name));
        let committee = faults.take(fields::committee_id("estate.committee", town.town(), &given.committee));
        let property_company =
            faults.take(company("estate.property_company", town.town(), &given.property_company));
        let start = faults.take(wire::date("estate.start_date", given.start_date.as_ref()));
        let all = name.zip(display_name).zip(committee).zip(property_company).zip(start);
        let ((((name, display_name), committee), property_company), start) = faults.finish(all)?;
        let new = New { name, facts: Facts { display_name, committee, property_company }, start };
        let change = new.store(work, &scope, "create").await?;
        let today = work.call().today();
        let (life, _) = LINE
            .lock(work.sql(), town.town(), new.name.estate())
            .await?
            .ok_or_else(|| Refusal::internal(format!("{} vanished", new.name)))?;
        answer(work, &new.name, today.max(life.from()), change).await
    }
}

/// An estate that is locked, as it is today.
async fn lock(work: &mut Work, name: &str, field: &str, etag: &str) -> Result<(EstateName, Period), Refusal> {
    let name: EstateName = wire::name(field, name)?;
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    let missing = || call.missing(&scope, "linli.dev/Estate", name.to_string());
    let (life, version) = LINE.lock(work.sql(), name.town(), name.estate()).await?.ok_or_else(missing)?;
    let day = call.today().max(life.from());
    store::get(work.sql(), &name, &scope, &AsOf::now(day), call.today()).await?.ok_or_else(missing)?;
    check_etag(&name.to_string(), etag, version)?;
    Ok((name, life))
}

/// UpdateEstate.
pub(super) struct Update;

#[tonic::async_trait]
impl Verb for Update {
    type Request = pb::UpdateEstateRequest;
    type Answer = pb::Estate;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Estate>, Refusal> {
        let default = pb::Estate::default();
        let given = request.estate.as_ref().unwrap_or(&default);
        let (name, life) = lock(work, &given.name, "estate.name", &given.etag).await?;
        let mut faults = Faults::default();
        let fields =
            faults.take(wire::mask(request.update_mask.as_ref(), &["display_name", "property_company"]));
        let fields = fields.unwrap_or_default();
        let named = fields.contains(&"display_name");
        let display_name =
            named.then(|| faults.take(fields::display("estate.display_name", &given.display_name))).flatten();
        let company_given = fields.contains(&"property_company");
        let property_company = company_given
            .then(|| faults.take(company("estate.property_company", name.town(), &given.property_company)))
            .flatten();
        faults.finish(Some(()))?;
        need_company(work, name.town(), property_company.as_ref().and_then(|id| id.as_deref())).await?;
        let day = work.call().today().max(life.from());
        let line = LINE.believed::<Facts>(work.sql(), name.town(), name.estate()).await?;
        let splice = amend(&line, Period::since(day), |facts| Facts {
            display_name: display_name.clone().unwrap_or_else(|| facts.display_name.clone()),
            property_company: property_company.clone().unwrap_or_else(|| facts.property_company.clone()),
            committee: facts.committee.clone(),
        });
        let at = stamp(work.sql()).await?;
        LINE.write(work.sql(), name.town(), name.estate(), &splice, &at, "").await?;
        let version = LINE.bump(work.sql(), name.town(), name.estate()).await?;
        let committee = line.last().map(|row| row.value.committee.clone()).unwrap_or_default();
        let change = change(&name, version, "update", "estate.updated", &committee, "");
        answer(work, &name, day, change).await
    }
}

/// MoveEstate: the estate and its buildings are of another committee from the day on.
pub(super) struct Move;

#[tonic::async_trait]
impl Verb for Move {
    type Request = pb::MoveEstateRequest;
    type Answer = pb::Estate;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Estate>, Refusal> {
        let (name, life) = lock(work, &request.name, "name", &request.etag).await?;
        let town = name.town();
        let mut faults = Faults::default();
        let day = faults.take(wire::required_date("effective_date", request.effective_date.as_ref()));
        let into = faults.take(fields::committee_id("committee", town, &request.committee));
        let (day, into) = faults.finish(day.zip(into))?;
        if !life.contains(day) {
            return Err(Refusal::new(&OUTSIDE_LIFE).with("name", &name).with("period", life));
        }
        let scope = work.call().scope(town)?;
        let target = CommitteeName::new(town, &into).map_err(Refusal::internal)?;
        block::edit::need_committee(work, &scope, &target, day).await?;
        building::acts::need_undivided(work, &name, &target, day).await?;
        let at = stamp(work.sql()).await?;
        let line = LINE.believed::<Facts>(work.sql(), town, name.estate()).await?;
        let splice =
            amend(&line, Period::since(day), |facts| Facts { committee: into.clone(), ..facts.clone() });
        LINE.write(work.sql(), town, name.estate(), &splice, &at, &request.comment).await?;
        let version = LINE.bump(work.sql(), town, name.estate()).await?;
        let mut changes =
            building::acts::move_of_estate(work, &name, &into, day, &at, &request.comment).await?;
        let own = change(&name, version, "move", "estate.moved", &into, &request.comment);
        let mut record = answer(work, &name, day, own).await?;
        record.changes.append(&mut changes);
        Ok(record)
    }
}
