//! Recording, renaming and moving buildings.

use chassis::{
    identity::Scope,
    refusal::{ALREADY_EXISTS, Faults, FieldFault, Refusal},
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::governance::v1 as pb;
use jiff::civil::Date;
use kernel::{
    name::{BlockName, BuildingName, CommitteeName, EstateName, TownName},
    periods::{Period, Splice, amend, gaps},
};
use serde_json::json;

use super::store::{self, Facts, LINE};
use crate::{
    as_of::AsOf,
    block, committee, estate,
    fields::{self, in_town, some},
    reasons::{BLOCK_ELSEWHERE, MIXED_PARTITION, OUTSIDE_LIFE, PARTITION_GAP, UNKNOWN_PARENT},
    store::stamp,
};

/// The change that tells of a building.
pub(crate) fn change(
    name: &BuildingName,
    version: i64,
    verb: &'static str,
    event: &'static str,
    facts: &Facts,
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
        data: json!({"building": name.to_string(), "committee": facts.committee, "block": facts.block}),
    }
}

/// A building that is to be recorded.
pub(crate) struct New {
    pub(crate) name: BuildingName,
    pub(crate) display_name: String,
    pub(crate) estate: EstateName,
    pub(crate) block: Option<BlockName>,
    /// The first day; the estate's when not said.
    pub(crate) start: Option<Date>,
}

impl New {
    /// Stores it where its estate lies; in its block from the block's first day on.
    pub(crate) async fn store(
        &self,
        work: &mut Work,
        scope: &Scope,
        verb: &'static str,
    ) -> Result<Change, Refusal> {
        let (town, today) = (self.name.town().to_owned(), work.call().today());
        let missing = || Refusal::new(&UNKNOWN_PARENT).with("field", "estate").with("name", &self.estate);
        let (estate_life, _) =
            estate::store::LINE.lock(work.sql(), &town, self.estate.estate()).await?.ok_or_else(missing)?;
        let day = today.max(estate_life.from());
        let seen = estate::store::get(work.sql(), &self.estate, scope, &AsOf::now(day), today).await?;
        if seen.is_none() {
            return Err(if scope.is_town() { missing() } else { work.call().clone().denied() });
        }
        let life = Period::since(self.start.unwrap_or(estate_life.from()));
        if !estate_life.covers(life) {
            return Err(Refusal::new(&OUTSIDE_LIFE).with("name", &self.estate).with("period", estate_life));
        }
        let parts = self.parts(work, life).await?;
        self.need_whole(work, &parts).await?;
        if !store::create(work.sql(), &self.name, self.estate.estate(), life).await? {
            return Err(Refusal::new(&ALREADY_EXISTS).with("name", &self.name));
        }
        let at = stamp(work.sql()).await?;
        let last = parts.last().map(|(_, facts)| facts.clone());
        let splice = Splice { close: Vec::new(), insert: parts };
        LINE.write(work.sql(), &town, self.name.building(), &splice, &at, "").await?;
        let last = last.ok_or_else(|| Refusal::internal("a building without a place"))?;
        Ok(change(&self.name, 1, verb, "building.created", &last, ""))
    }

    /// Refuses a building in no block beside others that lie in one, and the other way round.
    async fn need_whole(&self, work: &mut Work, parts: &[(Period, Facts)]) -> Result<(), Refusal> {
        let (town, today) = (self.name.town(), work.call().today());
        for (period, facts) in parts {
            let name = CommitteeName::new(town, &facts.committee).map_err(Refusal::internal)?;
            committee::store::lock(work.sql(), &name, &Scope::Town, today).await?;
            let (within, mut without) = store::divided(work.sql(), &name, *period, None).await?;
            if facts.block.is_none() && within > 0 {
                without = vec![self.name.building().to_owned()];
            } else if facts.block.is_none() || without.is_empty() {
                continue;
            }
            return Err(Refusal::new(&PARTITION_GAP).with("buildings", some(&without)));
        }
        Ok(())
    }

    /// Where it lies on the days of its life.
    async fn parts(&self, work: &mut Work, life: Period) -> Result<Vec<(Period, Facts)>, Refusal> {
        let town = self.name.town();
        let line = estate::store::LINE
            .believed::<estate::store::Facts>(work.sql(), town, self.estate.estate())
            .await?;
        let block_life = match &self.block {
            Some(block) => Some(block_of(work, block).await?),
            None => None,
        };
        let mut parts = Vec::new();
        for row in &line {
            let Some(period) = row.period.intersection(life) else { continue };
            let facts = |block: Option<&BlockName>| Facts {
                display_name: self.display_name.clone(),
                committee: row.value.committee.clone(),
                block: block.map(|name| name.block().to_owned()),
            };
            let cut = block_life.as_ref().and_then(|(life, committee)| {
                life.intersection(period).filter(|_| *committee == row.value.committee)
            });
            match cut {
                None => parts.push((period, facts(None))),
                Some(cut) => {
                    let (before, after) = period.minus(cut);
                    parts.extend(before.into_iter().chain(after).map(|period| (period, facts(None))));
                    parts.push((cut, facts(self.block.as_ref())));
                }
            }
        }
        parts.sort_by_key(|(period, _)| *period);
        let last = parts.last().map(|(_, facts)| facts);
        if let (Some(block), Some(last)) = (&self.block, last)
            && last.block.is_none()
        {
            let committee = CommitteeName::new(town, &last.committee).map_err(Refusal::internal)?;
            return Err(Refusal::new(&BLOCK_ELSEWHERE)
                .with("name", block)
                .with("committee", committee)
                .with("date", life.from()));
        }
        Ok(parts)
    }
}

/// The life of a block and the committee that it ends in.
async fn block_of(work: &mut Work, name: &BlockName) -> Result<(Period, String), Refusal> {
    let line = block::store::believed(work.sql(), name).await?;
    let last = line.last();
    let committee = last.map(|row| row.value.committee.clone());
    let missing = || Refusal::new(&UNKNOWN_PARENT).with("field", "block").with("name", name);
    let committee = committee.ok_or_else(missing)?;
    let its: Vec<_> = line.iter().filter(|row| row.value.committee == committee).collect();
    let first = its.first().map(|row| row.period.from()).ok_or_else(missing)?;
    let period = Period::new(first, its.last().and_then(|row| row.period.to())).map_err(Refusal::internal)?;
    let parts: Vec<Period> = its.iter().map(|row| row.period).collect();
    if gaps(period, &parts).is_empty() { Ok((period, committee)) } else { Err(missing()) }
}

/// Refuses to bring undivided buildings into a committee that is divided.
pub(crate) async fn need_undivided(
    work: &mut Work,
    estate: &EstateName,
    into: &CommitteeName,
    day: Date,
) -> Result<(), Refusal> {
    match store::divided(work.sql(), into, Period::since(day), None).await? {
        (0, _) => Ok(()),
        _ => Err(Refusal::new(&MIXED_PARTITION).with("name", estate).with("into", into)),
    }
}

/// The buildings of an estate are of another committee from the day on, in no block of it yet.
pub(crate) async fn move_of_estate(
    work: &mut Work,
    estate: &EstateName,
    into: &str,
    day: Date,
    at: &str,
    comment: &str,
) -> Result<Vec<Change>, Refusal> {
    let town = estate.town();
    let mut changes = Vec::new();
    for id in store::lock_of_estate(work.sql(), town, estate.estate()).await? {
        let name = BuildingName::new(town, id).map_err(Refusal::internal)?;
        let line = LINE.believed::<Facts>(work.sql(), town, name.building()).await?;
        let splice = amend(&line, Period::since(day), |facts| Facts {
            committee: into.to_owned(),
            block: None,
            display_name: facts.display_name.clone(),
        });
        let Some((_, last)) = splice.insert.last().cloned() else { continue };
        LINE.write(work.sql(), town, name.building(), &splice, at, comment).await?;
        let version = LINE.bump(work.sql(), town, name.building()).await?;
        changes.push(change(&name, version, "move", "building.moved", &last, comment));
    }
    Ok(changes)
}

async fn answer(
    work: &mut Work,
    name: &BuildingName,
    change: Change,
) -> Result<Record<pb::Building>, Refusal> {
    let today = work.call().today();
    let life = LINE.lock(work.sql(), name.town(), name.building()).await?.map(|(life, _)| life);
    let day = life.map_or(today, |life| life.from().max(today));
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

/// CreateBuilding.
pub(super) struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateBuildingRequest;
    type Answer = pb::Building;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Building>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let scope = work.call().scope(town.town())?;
        let default = pb::Building::default();
        let given = request.building.as_ref().unwrap_or(&default);
        let mut faults = Faults::default();
        let name = BuildingName::new(town.town(), &request.building_id);
        let name =
            faults.take(name.map_err(|error| {
                FieldFault::new("building_id", "FORMAT", "编号格式不符", error.to_string())
            }));
        let display_name = faults.take(fields::display("building.display_name", &given.display_name));
        let estate = faults.take(in_town("building.estate", &given.estate, town.town(), EstateName::town));
        let block = match given.block.as_str() {
            "" => Some(None),
            text => faults.take(in_town("building.block", text, town.town(), BlockName::town)).map(Some),
        };
        let start = faults.take(wire::date("building.start_date", given.start_date.as_ref()));
        let all = name.zip(display_name).zip(estate).zip(block).zip(start);
        let ((((name, display_name), estate), block), start) = faults.finish(all)?;
        let new = New { name, display_name, estate, block, start };
        let change = new.store(work, &scope, "create").await?;
        answer(work, &new.name, change).await
    }
}

/// UpdateBuilding.
pub(super) struct Update;

#[tonic::async_trait]
impl Verb for Update {
    type Request = pb::UpdateBuildingRequest;
    type Answer = pb::Building;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Building>, Refusal> {
        let default = pb::Building::default();
        let given = request.building.as_ref().unwrap_or(&default);
        let name: BuildingName = wire::name("building.name", &given.name)?;
        let call = work.call().clone();
        let scope = call.scope(name.town())?;
        let missing = || call.missing(&scope, "linli.dev/Building", name.to_string());
        let (life, version) =
            LINE.lock(work.sql(), name.town(), name.building()).await?.ok_or_else(missing)?;
        let day = call.today().max(life.from());
        store::get(work.sql(), &name, &scope, &AsOf::now(day), call.today()).await?.ok_or_else(missing)?;
        check_etag(&name.to_string(), &given.etag, version)?;
        let mut faults = Faults::default();
        faults.take(wire::mask(request.update_mask.as_ref(), &["display_name"]));
        let display_name = faults.take(fields::display("building.display_name", &given.display_name));
        let display_name = faults.finish(display_name)?;
        let change = rename(work, &name, &display_name, day, "update").await?;
        let change = change.ok_or_else(|| Refusal::internal(format!("{name} has no line")))?;
        answer(work, &name, change).await
    }
}

/// Renames a locked building from a day on; nothing when it has no line.
pub(crate) async fn rename(
    work: &mut Work,
    name: &BuildingName,
    display_name: &str,
    day: Date,
    verb: &'static str,
) -> Result<Option<Change>, Refusal> {
    let line = LINE.believed::<Facts>(work.sql(), name.town(), name.building()).await?;
    let Some(last) = line.last().map(|row| row.value.clone()) else { return Ok(None) };
    let splice = amend(&line, Period::since(day), |facts| Facts {
        display_name: display_name.to_owned(),
        ..facts.clone()
    });
    let at = stamp(work.sql()).await?;
    LINE.write(work.sql(), name.town(), name.building(), &splice, &at, "").await?;
    let version = LINE.bump(work.sql(), name.town(), name.building()).await?;
    Ok(Some(change(name, version, verb, "building.updated", &last, "")))
}
