//! The SQL of households.

pub(crate) mod sets;

use chassis::{identity::Scope, refusal::Refusal};
use jiff::civil::Date;
use kernel::name::{BuildingName, HouseholdName};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

use crate::{
    as_of::AsOf,
    listing::{Asked, push_as_of, push_within},
};

/// A household with the place of its building on a day.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct View {
    pub(crate) town: String,
    pub(crate) id: String,
    pub(crate) building: String,
    pub(crate) door: String,
    pub(crate) occupancy: String,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) estate: String,
    pub(crate) committee: String,
    pub(crate) block: Option<String>,
}

const VIEW: &str = "select h.town, h.id, h.building, h.door, h.occupancy, h.version,
    (extract(epoch from h.created) * 1000000)::bigint as created, (extract(epoch from h.updated) * 1000000)::bigint as updated,
    b.estate, p.committee, p.block
    from household h join building b on b.town = h.town and b.id = h.building
    join building_period p on p.town = h.town and p.building = h.building where h.town = ";

fn view(town: &str, scope: &Scope, as_of: &AsOf, today: Date) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(VIEW);
    query.push_bind(town.to_owned());
    push_as_of(&mut query, "p", as_of);
    push_within(&mut query, (scope, town, today), "p.committee", "p.block");
    query
}

/// A household that the caller may see.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &HouseholdName,
    scope: &Scope,
    as_of: &AsOf,
    today: Date,
) -> Result<Option<View>, Refusal> {
    let mut query = view(name.town(), scope, as_of, today);
    query.push(" and h.id = ").push_bind(name.household().to_owned());
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// The household behind a door that the caller may see.
pub(crate) async fn behind(
    sql: &mut PgConnection,
    (building, door): (&BuildingName, &str),
    scope: &Scope,
    as_of: &AsOf,
    today: Date,
) -> Result<Option<View>, Refusal> {
    let mut query = view(building.town(), scope, as_of, today);
    query.push(" and h.building = ").push_bind(building.building().to_owned());
    query.push(" and h.door = ").push_bind(door.to_owned());
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of households by id.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = view(&asked.town, &asked.scope, &asked.as_of, asked.today);
    asked.push_page(&mut query, "h.id");
    query
}

/// A page of households.
pub(crate) async fn list(sql: &mut PgConnection, asked: &Asked) -> Result<Vec<View>, Refusal> {
    Ok(list_query(asked).build_query_as().fetch_all(sql).await?)
}

/// What is recorded of a household when it is new.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) building: String,
    pub(crate) door: String,
    pub(crate) occupancy: &'static str,
}

/// Creates a household; `false` when its id or its door is taken.
pub(crate) async fn create(
    sql: &mut PgConnection,
    name: &HouseholdName,
    facts: &Facts,
) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "insert into household (town, id, building, door, occupancy) values ($1, $2, $3, $4, $5) on conflict do nothing",
        name.town(),
        name.household(),
        facts.building,
        facts.door,
        facts.occupancy,
    );
    Ok(done.execute(sql).await?.rows_affected() == 1)
}

/// Building, door, occupancy and version of a household, which is locked until the end of the transaction.
pub(crate) async fn lock(
    sql: &mut PgConnection,
    name: &HouseholdName,
) -> Result<Option<(String, String, String, i64)>, Refusal> {
    let row = sqlx::query!(
        "select building, door, occupancy, version from household where town = $1 and id = $2 for update",
        name.town(),
        name.household(),
    );
    Ok(row.fetch_optional(sql).await?.map(|row| (row.building, row.door, row.occupancy, row.version)))
}

/// Changes how it is used; the next version.
pub(crate) async fn update(
    sql: &mut PgConnection,
    name: &HouseholdName,
    occupancy: &str,
) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update household set occupancy = $3, version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2 returning version",
        name.town(),
        name.household(),
        occupancy,
    );
    Ok(version.fetch_one(sql).await?)
}
