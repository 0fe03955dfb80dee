//! The SQL of buildings.

use std::collections::HashSet;

use chassis::{identity::Scope, refusal::Refusal};
use jiff::civil::Date;
use kernel::{
    name::{BuildingName, CommitteeName},
    periods::Period,
};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

use crate::{
    as_of::AsOf,
    line::Line,
    listing::{Asked, push_as_of, push_within},
    store::bounds,
};

/// The line of a building.
pub(crate) const LINE: Line =
    Line { head: "building", table: "building_period", columns: &["display_name", "committee", "block"] };

/// What is said of a building on some days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) display_name: String,
    /// The id of its committee.
    pub(crate) committee: String,
    /// The id of its block; none while the committee is not divided.
    pub(crate) block: Option<String>,
}

/// A building on a day, as known at an instant.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct View {
    pub(crate) town: String,
    pub(crate) id: String,
    pub(crate) estate: String,
    pub(crate) starts: String,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) display_name: String,
    pub(crate) committee: String,
    pub(crate) block: Option<String>,
}

const VIEW: &str = "select b.town, b.id, b.estate, lower(b.life)::text as starts, b.version,
    (extract(epoch from b.created) * 1000000)::bigint as created, (extract(epoch from b.updated) * 1000000)::bigint as updated,
    p.display_name, p.committee, p.block
    from building b join building_period p on p.town = b.town and p.building = b.id where b.town = ";

fn view(town: &str, scope: &Scope, as_of: &AsOf, today: Date) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(VIEW);
    query.push_bind(town.to_owned());
    push_as_of(&mut query, "p", as_of);
    push_within(&mut query, (scope, town, today), "p.committee", "p.block");
    query
}

/// A building that the caller may see.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &BuildingName,
    scope: &Scope,
    as_of: &AsOf,
    today: Date,
) -> Result<Option<View>, Refusal> {
    let mut query = view(name.town(), scope, as_of, today);
    query.push(" and b.id = ").push_bind(name.building().to_owned());
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of buildings by id.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = view(&asked.town, &asked.scope, &asked.as_of, asked.today);
    asked.push_page(&mut query, "b.id");
    query
}

/// A page of buildings.
pub(crate) async fn list(sql: &mut PgConnection, asked: &Asked) -> Result<Vec<View>, Refusal> {
    Ok(list_query(asked).build_query_as().fetch_all(sql).await?)
}

/// Creates the head; `false` when the id is taken.
pub(crate) async fn create(
    sql: &mut PgConnection,
    name: &BuildingName,
    estate: &str,
    life: Period,
) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "insert into building (town, id, estate, life) values ($1, $2, $3, daterange($4::text::date, null)) on conflict do nothing",
        name.town(),
        name.building(),
        estate,
        life.from().to_string(),
    );
    Ok(done.execute(sql).await?.rows_affected() == 1)
}

/// The estate of a building.
pub(crate) async fn estate_of(
    sql: &mut PgConnection,
    name: &BuildingName,
) -> Result<Option<String>, Refusal> {
    let (town, id) = (name.town(), name.building());
    let found = sqlx::query_scalar!("select estate from building where town = $1 and id = $2", town, id);
    Ok(found.fetch_optional(sql).await?)
}

/// Whether there is such a building.
pub(crate) async fn exists(sql: &mut PgConnection, town: &str, id: &str) -> Result<bool, Refusal> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from building where town = $1 and id = $2) as "found!""#,
        town,
        id
    );
    Ok(found.fetch_one(sql).await?)
}

/// Which of `ids` are buildings: one probe of the index for each.
pub(crate) async fn existing(
    sql: &mut PgConnection,
    town: &str,
    ids: &[String],
) -> Result<HashSet<String>, Refusal> {
    let found = sqlx::query_scalar!(
        r#"select b.id as "id!" from unnest($2::text[]) as asked (id)
           cross join lateral (select b.id from building b where b.town = $1 and b.id = asked.id limit 1) as b"#,
        town,
        ids,
    );
    Ok(found.fetch_all(sql).await?.into_iter().collect())
}

/// The buildings of an estate, locked in the order of their ids.
pub(crate) async fn lock_of_estate(
    sql: &mut PgConnection,
    town: &str,
    estate: &str,
) -> Result<Vec<String>, Refusal> {
    let ids = sqlx::query_scalar!(
        "select id from building where town = $1 and estate = $2 order by id for update",
        town,
        estate,
    );
    Ok(ids.fetch_all(sql).await?)
}

/// The buildings of some estates.
pub(crate) async fn of_estates(
    sql: &mut PgConnection,
    town: &str,
    estates: &[String],
) -> Result<Vec<String>, Refusal> {
    let ids = sqlx::query_scalar!(
        "select id from building where town = $1 and estate = any($2) order by id",
        town,
        estates
    );
    Ok(ids.fetch_all(sql).await?)
}

/// The blocks of a committee in which buildings lie on `day` or later, with the estates of these buildings.
pub(crate) async fn estates_of_blocks(
    sql: &mut PgConnection,
    committee: &CommitteeName,
    day: Date,
) -> Result<Vec<(String, Vec<String>)>, Refusal> {
    let rows = sqlx::query!(
        r#"select p.block as "block!", array_agg(distinct b.estate) as "estates!"
           from building_period p join building b on b.town = p.town and b.id = p.building
           where p.town = $1 and p.committee = $2 and upper_inf(p.recorded) and p.block is not null
             and p.valid && daterange($3::text::date, null)
           group by p.block"#,
        committee.town(),
        committee.committee(),
        day.to_string(),
    );
    Ok(rows.fetch_all(sql).await?.into_iter().map(|row| (row.block, row.estates)).collect())
}

/// How many buildings of a committee (or of those named in `only`) lie in a block on days of a period, and which lie in
/// none.
pub(crate) async fn divided(
    sql: &mut PgConnection,
    committee: &CommitteeName,
    period: Period,
    only: Option<&[String]>,
) -> Result<(i64, Vec<String>), Refusal> {
    let (from, to) = bounds(period);
    let row = sqlx::query!(
        r#"select count(*) filter (where block is not null) as "within!",
                  coalesce(array_agg(distinct building) filter (where block is null), '{}') as "without!"
           from building_period where town = $1 and committee = $2 and upper_inf(recorded)
             and valid && daterange($3::text::date, $4::text::date) and ($5::text[] is null or building = any($5))"#,
        committee.town(),
        committee.committee(),
        from,
        to,
        only,
    );
    let row = row.fetch_one(sql).await?;
    Ok((row.within, row.without))
}

/// How many buildings lie in a block on `day` or later.
pub(crate) async fn in_block(
    sql: &mut PgConnection,
    town: &str,
    block: &str,
    day: Date,
) -> Result<i64, Refusal> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from building_period
           where town = $1 and block = $2 and upper_inf(recorded) and valid && daterange($3::text::date, null)"#,
        town,
        block,
        day.to_string(),
    );
    Ok(count.fetch_one(sql).await?)
}
