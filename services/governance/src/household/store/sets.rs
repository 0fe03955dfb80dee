//! Many households at once, for imports. Each statement finds its rows by one probe of an index for each id, whatever the
//! planner thinks of a table that grew since it was looked at.

use std::collections::{HashMap, HashSet};

use chassis::refusal::Refusal;
use sqlx::PgConnection;

use super::Facts;

/// A household as it is recorded.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) building: String,
    pub(crate) door: String,
    pub(crate) occupancy: String,
    pub(crate) version: i64,
}

/// Which of `ids` are households, by id.
pub(crate) async fn recorded(
    sql: &mut PgConnection,
    town: &str,
    ids: &[String],
) -> Result<HashMap<String, Recorded>, Refusal> {
    let rows = sqlx::query!(
        r#"select h.id as "id!", h.building as "building!", h.door as "door!", h.occupancy as "occupancy!", h.version as "version!"
           from unnest($2::text[]) as asked (id) cross join lateral (
               select h.id, h.building, h.door, h.occupancy, h.version from household h
               where h.town = $1 and h.id = asked.id limit 1) as h"#,
        town,
        ids,
    );
    let rows = rows.fetch_all(sql).await?.into_iter().map(|row| {
        let (building, door, occupancy, version) = (row.building, row.door, row.occupancy, row.version);
        (row.id, Recorded { building, door, occupancy, version })
    });
    Ok(rows.collect())
}

/// Which of `ids` are households.
pub(crate) async fn existing(
    sql: &mut PgConnection,
    town: &str,
    ids: &[String],
) -> Result<HashSet<String>, Refusal> {
    let rows = sqlx::query_scalar!(
        r#"select h.id as "id!" from unnest($2::text[]) as asked (id)
           cross join lateral (select h.id from household h where h.town = $1 and h.id = asked.id limit 1) as h"#,
        town,
        ids,
    );
    Ok(rows.fetch_all(sql).await?.into_iter().collect())
}

/// Which doors of these buildings are taken; building and door of each stand at one place.
pub(crate) async fn taken(
    sql: &mut PgConnection,
    town: &str,
    buildings: &[String],
    doors: &[String],
) -> Result<HashSet<(String, String)>, Refusal> {
    let rows = sqlx::query!(
        r#"select h.building as "building!", h.door as "door!"
           from unnest($2::text[], $3::text[]) as asked (building, door) cross join lateral (
               select h.building, h.door from household h
               where h.town = $1 and h.building = asked.building and h.door = asked.door limit 1) as h"#,
        town,
        buildings,
        doors,
    );
    Ok(rows.fetch_all(sql).await?.into_iter().map(|row| (row.building, row.door)).collect())
}

/// Creates households; how many there are of them that nobody had created.
pub(crate) async fn create(
    sql: &mut PgConnection,
    town: &str,
    new: &[(String, Facts, i64)],
) -> Result<usize, Refusal> {
    let column = |of: fn(&Facts) -> &str| new.iter().map(|(_, facts, _)| of(facts).to_owned()).collect();
    let (ids, versions): (Vec<String>, Vec<i64>) =
        new.iter().map(|(id, _, version)| (id.clone(), *version)).unzip();
    let (buildings, doors, occupancies): (Vec<String>, Vec<String>, Vec<String>) =
        (column(|facts| &facts.building), column(|facts| &facts.door), column(|facts| facts.occupancy));
    let done = sqlx::query!(
        "insert into household (town, id, building, door, occupancy, version)
         select $1, id, building, door, occupancy, version
         from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[]) as new (id, building, door, occupancy, version)
         on conflict do nothing",
        town,
        &ids,
        &buildings,
        &doors,
        &occupancies,
        &versions,
    );
    Ok(usize::try_from(done.execute(sql).await?.rows_affected()).unwrap_or_default())
}

/// Locks households in the order of `ids` until the end of the transaction; their versions.
pub(crate) async fn lock(
    sql: &mut PgConnection,
    town: &str,
    ids: &[String],
) -> Result<HashMap<String, i64>, Refusal> {
    let rows = sqlx::query!(
        r#"select h.id as "id!", h.version as "version!" from unnest($2::text[]) as asked (id) cross join lateral (
               select h.id, h.version from household h where h.town = $1 and h.id = asked.id limit 1 for update) as h"#,
        town,
        ids,
    );
    Ok(rows.fetch_all(sql).await?.into_iter().map(|row| (row.id, row.version)).collect())
}

/// Changes how locked households are used.
pub(crate) async fn update(
    sql: &mut PgConnection,
    town: &str,
    changed: &[(String, &'static str, i64)],
) -> Result<(), Refusal> {
    let ids: Vec<String> = changed.iter().map(|(id, ..)| id.clone()).collect();
    let occupancies: Vec<String> = changed.iter().map(|(_, occupancy, _)| (*occupancy).to_owned()).collect();
    let versions: Vec<i64> = changed.iter().map(|(.., version)| *version).collect();
    sqlx::query!(
        "update household h set occupancy = new.occupancy, version = new.version, updated = clock_timestamp()
         from unnest($2::text[], $3::text[], $4::bigint[]) as new (id, occupancy, version)
         where h.town = $1 and h.id = new.id",
        town,
        &ids,
        &occupancies,
        &versions,
    )
    .execute(sql)
    .await?;
    Ok(())
}
