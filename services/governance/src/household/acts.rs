//! Recording households and how they are used.

use chassis::{
    identity::Scope,
    refusal::{ALREADY_EXISTS, Faults, FieldFault, Refusal},
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::governance::v1 as pb;
use kernel::{
    name::{BuildingName, HouseholdName, TownName},
    text,
};
use serde_json::json;

use super::store::{self, Facts};
use crate::{as_of::AsOf, building, fields::in_town, reasons::UNKNOWN_PARENT};

/// How a household is used, by the names in store and files.
pub(crate) const OCCUPANCIES: &[&str] = &["OWNED", "RENTED", "VACANT"];

/// Characters of a door at most.
pub(crate) const DOOR_CHARS: usize = 50;

/// The change that tells of a household. Its door stays out of the event: it is an address.
pub(crate) fn change(name: &HouseholdName, version: i64, verb: &'static str, building: &str) -> Change {
    Change {
        resource: name.to_string(),
        version,
        verb,
        from_state: "",
        to_state: "",
        comment: String::new(),
        event: if version == 1 { "household.created" } else { "household.updated" },
        data: json!({"household": name.to_string(), "building": building}),
    }
}

fn occupancy(field: &str, given: i32) -> Result<&'static str, FieldFault> {
    let name = pb::Occupancy::try_from(given).unwrap_or_default().as_str_name();
    let found = OCCUPANCIES.iter().find(|known| name.strip_prefix("OCCUPANCY_") == Some(known));
    found.copied().ok_or_else(|| FieldFault::new(field, "REQUIRED", "必填", "required"))
}

async fn answer(
    work: &mut Work,
    name: &HouseholdName,
    change: Change,
) -> Result<Record<pb::Household>, Refusal> {
    let today = work.call().today();
    let view = store::get(work.sql(), name, &Scope::Town, &AsOf::now(today), today).await?;
    let view = view.ok_or_else(|| Refusal::internal(format!("{name} lies nowhere today")))?;
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("{} {name}", change.verb),
        changes: vec![change],
        answer: super::encode(&view),
    })
}

/// CreateHousehold.
pub(super) struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateHouseholdRequest;
    type Answer = pb::Household;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Household>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let call = work.call().clone();
        let scope = call.scope(town.town())?;
        let default = pb::Household::default();
        let given = request.household.as_ref().unwrap_or(&default);
        let mut faults = Faults::default();
        let name = HouseholdName::new(town.town(), &request.household_id);
        let name =
            faults.take(name.map_err(|error| {
                FieldFault::new("household_id", "FORMAT", "编号格式不符", error.to_string())
            }));
        let building =
            faults.take(in_town("household.building", &given.building, town.town(), BuildingName::town));
        let door =
            faults.take(text::display_name(&given.door, DOOR_CHARS).map(str::to_owned).map_err(|error| {
                FieldFault::new("household.door", "TEXT", "室号须为非空文字", error.to_string())
            }));
        let occupancy = faults.take(occupancy("household.occupancy", given.occupancy));
        let (((name, building), door), occupancy) =
            faults.finish(name.zip(building).zip(door).zip(occupancy))?;
        let today = call.today();
        let seen = building::store::get(work.sql(), &building, &scope, &AsOf::now(today), today).await?;
        if seen.is_none() {
            return Err(if scope.is_town() {
                Refusal::new(&UNKNOWN_PARENT).with("field", "building").with("name", building)
            } else {
                call.denied()
            });
        }
        let facts = Facts { building: building.building().to_owned(), door, occupancy };
        if !store::create(work.sql(), &name, &facts).await? {
            return Err(Refusal::new(&ALREADY_EXISTS).with("name", &name));
        }
        let change = change(&name, 1, "create", &building.to_string());
        answer(work, &name, change).await
    }
}

/// UpdateHousehold.
pub(super) struct Update;

#[tonic::async_trait]
impl Verb for Update {
    type Request = pb::UpdateHouseholdRequest;
    type Answer = pb::Household;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Household>, Refusal> {
        let default = pb::Household::default();
        let given = request.household.as_ref().unwrap_or(&default);
        let name: HouseholdName = wire::name("household.name", &given.name)?;
        let call = work.call().clone();
        let scope = call.scope(name.town())?;
        let missing = || call.missing(&scope, "linli.dev/Household", name.to_string());
        let (.., version) = store::lock(work.sql(), &name).await?.ok_or_else(missing)?;
        let (as_of, today) = (AsOf::now(call.today()), call.today());
        let view = store::get(work.sql(), &name, &scope, &as_of, today).await?.ok_or_else(missing)?;
        check_etag(&name.to_string(), &given.etag, version)?;
        let mut faults = Faults::default();
        faults.take(wire::mask(request.update_mask.as_ref(), &["occupancy"]));
        let occupancy = faults.take(occupancy("household.occupancy", given.occupancy));
        let occupancy = faults.finish(occupancy)?;
        let version = store::update(work.sql(), &name, occupancy).await?;
        let building = format!("towns/{}/buildings/{}", view.town, view.building);
        answer(work, &name, change(&name, version, "update", &building)).await
    }
}
