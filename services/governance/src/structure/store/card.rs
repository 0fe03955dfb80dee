//! The SQL of the card and of the town at a glance.

use std::collections::BTreeMap;

use chassis::{refusal::Refusal, wire};
use contracts::linli::governance::v1 as pb;
use kernel::name::CommitteeName;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

use super::Target;
use crate::{
    as_of::AsOf,
    fields::number,
    listing::{push_as_of, push_known},
    store::day,
};

/// A resident, as far as counting needs.
#[derive(FromRow)]
pub(crate) struct Resident {
    pub(crate) id: String,
    pub(crate) sex: String,
    pub(crate) birth_sealed: Vec<u8>,
    /// Whether one of the residences on the day is a registration 户籍.
    pub(crate) registered: bool,
}

/// The residents of a committee on the day, each once.
pub(crate) fn residents_query(name: &CommitteeName, as_of: &AsOf) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select x.id, x.sex, x.birth_sealed, bool_or(r.ground = 'REGISTERED') as registered
         from building_period p join household h on h.town = p.town and h.building = p.building
         join residence r on r.town = h.town and r.household = h.id
         join person x on x.town = r.town and x.id = r.person where p.town = ",
    );
    query.push_bind(name.town().to_owned()).push(" and p.committee = ");
    query.push_bind(name.committee().to_owned());
    push_as_of(&mut query, "p", as_of);
    push_as_of(&mut query, "r", as_of);
    query.push(" group by x.town, x.id");
    query
}

/// Appends that the household `h` was recorded by the instant.
fn push_recorded(query: &mut QueryBuilder<Postgres>, as_of: &AsOf) {
    if let Some(at) = as_of.read_time {
        query.push(" and h.created <= ").push_bind(at.to_string()).push("::timestamptz");
    }
}

#[derive(FromRow)]
struct BlockRow {
    id: String,
    display_name: String,
    worker: Option<String>,
    kind: Option<String>,
    pending: Option<bool>,
    buildings: i64,
    households: i64,
    forces: i64,
}

/// The statement of [`blocks_on_card`].
pub(crate) fn blocks_on_card_query(name: &CommitteeName, as_of: &AsOf) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::<Postgres>::new(
        "select b.block as id, b.display_name, s.worker, s.kind, s.handover_pending as pending, u.buildings, u.households,
            (select count(*) from block_force f where f.town = b.town and f.block = b.block",
    );
    push_as_of(&mut query, "f", as_of);
    query.push(
        ") as forces from block_period b left join stewardship s on s.town = b.town and s.block = b.block",
    );
    push_as_of(&mut query, "s", as_of);
    query.push(
        " cross join lateral (select count(*) as buildings, coalesce(sum((select count(*) from household h
              where h.town = p.town and h.building = p.building",
    );
    push_recorded(&mut query, as_of);
    query.push(
        ")), 0)::bigint as households
            from building_period p where p.town = b.town and p.block = b.block",
    );
    push_as_of(&mut query, "p", as_of);
    query.push(") u where b.town = ").push_bind(name.town().to_owned()).push(" and b.committee = ");
    query.push_bind(name.committee().to_owned());
    push_as_of(&mut query, "b", as_of);
    query.push(" order by b.block");
    query
}

/// The blocks of a committee on the day, with their stewards.
pub(crate) async fn blocks_on_card(
    sql: &mut PgConnection,
    name: &CommitteeName,
    as_of: &AsOf,
) -> Result<Vec<pb::BlockOnCard>, Refusal> {
    let rows: Vec<BlockRow> = blocks_on_card_query(name, as_of).build_query_as().fetch_all(sql).await?;
    let block = |row: BlockRow| pb::BlockOnCard {
        block: format!("towns/{}/blocks/{}", name.town(), row.id),
        display_name: row.display_name,
        steward_worker: row.worker.unwrap_or_default(),
        steward_kind: row.kind.unwrap_or_default(),
        handover_pending: row.pending.unwrap_or_default(),
        buildings: number(row.buildings),
        households: number(row.households),
        forces: number(row.forces),
    };
    Ok(rows.into_iter().map(block).collect())
}

#[derive(FromRow)]
struct EstateRow {
    id: String,
    display_name: String,
    company: Option<String>,
    owners: Option<String>,
    buildings: i64,
    households: i64,
}

/// The statement of [`estates_on_card`].
pub(crate) fn estates_on_card_query(name: &CommitteeName, as_of: &AsOf) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::<Postgres>::new(
        "select e.estate as id, e.display_name, e.property_company as company,
            (select min(o.id) from body_period q join body o on o.town = q.town and o.id = q.body and o.kind = 'OWNERS_COMMITTEE'
                where q.town = e.town and q.estate = e.estate",
    );
    push_as_of(&mut query, "q", as_of);
    query.push(
        ") as owners, u.buildings, u.households from estate_period e
         cross join lateral (select count(*) as buildings, coalesce(sum((select count(*) from household h
              where h.town = b.town and h.building = b.id",
    );
    push_recorded(&mut query, as_of);
    query.push(
        ")), 0)::bigint as households
            from building b join building_period p on p.town = b.town and p.building = b.id
            where b.town = e.town and b.estate = e.estate",
    );
    push_as_of(&mut query, "p", as_of);
    query.push(") u where e.town = ");
    query
        .push_bind(name.town().to_owned())
        .push(" and e.committee = ")
        .push_bind(name.committee().to_owned());
    push_as_of(&mut query, "e", as_of);
    query.push(" order by e.estate");
    query
}

/// The estates of a committee on the day.
pub(crate) async fn estates_on_card(
    sql: &mut PgConnection,
    name: &CommitteeName,
    as_of: &AsOf,
) -> Result<Vec<pb::EstateOnCard>, Refusal> {
    let rows: Vec<EstateRow> = estates_on_card_query(name, as_of).build_query_as().fetch_all(sql).await?;
    let of = |kind: &str, id: Option<String>| {
        id.map(|id| format!("towns/{}/{kind}/{id}", name.town())).unwrap_or_default()
    };
    let estate = |row: EstateRow| pb::EstateOnCard {
        estate: of("estates", Some(row.id)),
        display_name: row.display_name,
        property_company: of("organisations", row.company),
        owners_committee: of("bodies", row.owners),
        buildings: number(row.buildings),
        households: number(row.households),
    };
    Ok(rows.into_iter().map(estate).collect())
}

#[derive(FromRow)]
struct BodyRow {
    id: String,
    display_name: String,
    kind: String,
    seats: i32,
    seated: i64,
    ends: Option<String>,
}

/// The statement of [`bodies_on_card`].
pub(crate) fn bodies_on_card_query(name: &CommitteeName, as_of: &AsOf) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::<Postgres>::new(
        "select o.id, p.display_name, o.kind, p.seats, m.seated, m.ends from body_period p join body o on o.town = p.town and o.id = p.body
         cross join lateral (select count(*) as seated, min(upper(s.valid))::text as ends from membership s
            where s.town = p.town and s.body = p.body",
    );
    push_as_of(&mut query, "s", as_of);
    query.push(") m where p.town = ").push_bind(name.town().to_owned());
    push_as_of(&mut query, "p", as_of);
    query.push(" and (p.committee = ").push_bind(name.committee().to_owned());
    query
        .push(" or p.estate in (select e.estate from estate_period e where e.town = ")
        .push_bind(name.town().to_owned());
    push_as_of(&mut query, "e", as_of);
    query.push(" and e.committee = ").push_bind(name.committee().to_owned()).push(")) order by o.kind, o.id");
    query
}

/// The bodies of a committee and of its estates on the day.
pub(crate) async fn bodies_on_card(
    sql: &mut PgConnection,
    name: &CommitteeName,
    as_of: &AsOf,
) -> Result<Vec<pb::BodyOnCard>, Refusal> {
    let rows: Vec<BodyRow> = bodies_on_card_query(name, as_of).build_query_as().fetch_all(sql).await?;
    rows.into_iter()
        .map(|row| {
            Ok(pb::BodyOnCard {
                body: format!("towns/{}/bodies/{}", name.town(), row.id),
                display_name: row.display_name,
                kind: row.kind,
                seats: row.seats,
                seated: number(row.seated),
                term_end_date: row.ends.as_deref().map(day).transpose()?.map(wire::to_date),
            })
        })
        .collect()
}

/// The declared counts of households on the day, by committee.
pub(crate) async fn declared(
    sql: &mut PgConnection,
    target: &Target<'_>,
) -> Result<BTreeMap<String, i64>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(
        "select distinct on (n.committee) n.committee, n.households::bigint from household_count n where n.town = ",
    );
    query.push_bind(target.town);
    push_known(&mut query, "n", target.as_of);
    query.push(" and n.valid_on <= ").push_bind(target.as_of.day.to_string());
    query.push("::date order by n.committee, n.valid_on desc");
    let rows: Vec<(String, i64)> = query.build_query_as().fetch_all(sql).await?;
    Ok(rows.into_iter().collect())
}

/// The communities of a town by id, with their names.
pub(crate) async fn communities(
    sql: &mut PgConnection,
    town: &str,
) -> Result<Vec<(String, String)>, Refusal> {
    let rows = sqlx::query!("select id, display_name from community where town = $1 order by id", town);
    Ok(rows.fetch_all(sql).await?.into_iter().map(|row| (row.id, row.display_name)).collect())
}
