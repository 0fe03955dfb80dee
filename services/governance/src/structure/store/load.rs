//! Loads what a check looks at: a few statements, whatever the number of committees.

use std::collections::BTreeMap;

use chassis::{identity::Scope, refusal::Refusal};
use kernel::periods::Period;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

use crate::{
    as_of::AsOf,
    body::store::KindRow,
    listing::{push_as_of, push_known},
    store::{day, period},
    structure::rules::{Block, Body, Owner, Place, Requirement, Snapshot, Undivided, run_from},
};

/// What is looked at: a town, or a part of it.
#[derive(Clone, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) town: &'a str,
    pub(crate) scope: &'a Scope,
    pub(crate) as_of: &'a AsOf,
    /// Only this community.
    pub(crate) community: Option<&'a str>,
    /// Only this committee.
    pub(crate) committee: Option<&'a str>,
}

impl Target<'_> {
    /// Whether the town itself is looked at, with what is above its communities.
    fn whole(&self) -> bool {
        self.scope.is_town() && self.community.is_none() && self.committee.is_none()
    }

    fn day(&self) -> String {
        self.as_of.day.to_string()
    }
}

/// Everything that a check of `target` looks at.
pub(crate) async fn load(sql: &mut PgConnection, target: &Target<'_>) -> Result<Snapshot, Refusal> {
    let mut owners = committees(&mut *sql, target).await?;
    let committees: Vec<String> = owners.iter().map(|owner| owner.id.clone()).collect();
    let places: BTreeMap<String, Place> =
        owners.iter().map(|owner| (owner.id.clone(), owner.place.clone())).collect();
    let estates = estates(&mut *sql, target, &committees, &places).await?;
    owners.extend(communities(&mut *sql, target).await?);
    owners.extend(estates);
    owners.extend(town(&mut *sql, target).await?);
    let of = |level: &str| -> Vec<String> {
        owners.iter().filter(|owner| owner.level == level).map(|owner| owner.id.clone()).collect()
    };
    let (communities, estates) = (of("COMMUNITY"), of("ESTATE"));
    let mut bodies = bodies(&mut *sql, target, [&communities, &committees, &estates]).await?;
    terms(&mut *sql, target, &mut bodies).await?;
    let mut blocks = blocks(&mut *sql, target, &committees).await?;
    forces(&mut *sql, target, &mut blocks).await?;
    let undivided = undivided(&mut *sql, target, &committees).await?;
    Ok(Snapshot { requirements: requirements(sql, target.town).await?, owners, bodies, blocks, undivided })
}

#[derive(FromRow)]
struct CommitteeRow {
    id: String,
    display_name: String,
    community: String,
    state: String,
    founded: Option<String>,
}

/// The statement of the committees on the day within the target.
pub(crate) fn committees_query(target: &Target<'_>) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::<Postgres>::new(
        "select p.committee as id, p.display_name, p.community, p.state, (select min(lower(f.valid))::text from committee_period f
            where f.town = p.town and f.committee = p.committee and f.state = 'FOUNDED'",
    );
    push_known(&mut query, "f", target.as_of);
    query.push(") as founded from committee_period p where p.town = ").push_bind(target.town.to_owned());
    push_as_of(&mut query, "p", target.as_of);
    query.push(" and p.state in ('FOUNDED', 'PREPARING')");
    if let Some(id) = target.committee {
        query.push(" and p.committee = ").push_bind(id.to_owned());
    }
    if let Some(id) = target.community {
        query.push(" and p.community = ").push_bind(id.to_owned());
    }
    if !target.scope.is_town() {
        let (communities, committees, _) = target.scope.ids();
        query.push(" and (p.community = any(").push_bind(communities.to_vec());
        query.push(") or p.committee = any(").push_bind(committees.to_vec()).push("))");
    }
    query.push(" order by p.committee");
    query
}

/// Committees 居筹 on the day within the target.
async fn committees(sql: &mut PgConnection, target: &Target<'_>) -> Result<Vec<Owner>, Refusal> {
    let rows: Vec<CommitteeRow> = committees_query(target).build_query_as().fetch_all(sql).await?;
    rows.into_iter()
        .map(|row| {
            Ok(Owner {
                level: "COMMITTEE",
                place: Place { community: Some(row.community), committee: Some(row.id.clone()) },
                id: row.id,
                display_name: row.display_name,
                since: row.founded.as_deref().map(day).transpose()?,
                must: row.state == "FOUNDED",
            })
        })
        .collect()
}

/// Communities of the target; nothing says since when they are there.
async fn communities(sql: &mut PgConnection, target: &Target<'_>) -> Result<Vec<Owner>, Refusal> {
    if target.committee.is_some() {
        return Ok(Vec::new());
    }
    let mut query =
        QueryBuilder::<Postgres>::new("select c.id, c.display_name from community c where c.town = ");
    query.push_bind(target.town.to_owned());
    if let Some(id) = target.community {
        query.push(" and c.id = ").push_bind(id);
    }
    if !target.scope.is_town() {
        query.push(" and c.id = any(").push_bind(target.scope.ids().0.to_vec()).push(")");
    }
    let rows: Vec<(String, String)> = query.build_query_as().fetch_all(sql).await?;
    let owner = |(id, display_name): (String, String)| Owner {
        level: "COMMUNITY",
        place: Place { community: Some(id.clone()), committee: None },
        id,
        display_name,
        since: None,
        must: true,
    };
    Ok(rows.into_iter().map(owner).collect())
}

async fn town(sql: &mut PgConnection, target: &Target<'_>) -> Result<Option<Owner>, Refusal> {
    if !target.whole() {
        return Ok(None);
    }
    let town = crate::town::store::get(sql, target.town).await?;
    Ok(town.map(|town| Owner {
        level: "TOWN",
        id: town.town,
        display_name: town.display_name,
        place: Place::default(),
        since: None,
        must: true,
    }))
}

/// The statement of the estates of some committees on the day.
pub(crate) fn estates_query(target: &Target<'_>, committees: &[String]) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::<Postgres>::new(
        "select e.id, p.display_name, p.committee, lower(e.life)::text from estate_period p
         join estate e on e.town = p.town and e.id = p.estate where p.town = ",
    );
    query
        .push_bind(target.town.to_owned())
        .push(" and p.committee = any(")
        .push_bind(committees.to_vec())
        .push(")");
    push_as_of(&mut query, "p", target.as_of);
    query
}

async fn estates(
    sql: &mut PgConnection,
    target: &Target<'_>,
    committees: &[String],
    places: &BTreeMap<String, Place>,
) -> Result<Vec<Owner>, Refusal> {
    let rows: Vec<(String, String, String, String)> =
        estates_query(target, committees).build_query_as().fetch_all(sql).await?;
    rows.into_iter()
        .map(|(id, display_name, committee, since)| {
            let place = places.get(&committee).cloned().unwrap_or_default();
            Ok(Owner { level: "ESTATE", id, display_name, place, since: Some(day(&since)?), must: true })
        })
        .collect()
}

#[derive(FromRow)]
struct BodyRow {
    id: String,
    kind: String,
    level: String,
    starts: String,
    ends: Option<String>,
    display_name: String,
    seats: i32,
    quorum: i32,
    owner: String,
}

/// The statement of the bodies that some owners have or had.
pub(crate) fn bodies_query(
    target: &Target<'_>,
    [communities, committees, estates]: [&[String]; 3],
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::<Postgres>::new(
        "select o.id, o.kind, o.level, lower(p.valid)::text as starts, upper(p.valid)::text as ends, p.display_name, p.seats, p.quorum,
                coalesce(p.committee, p.community, p.estate, p.town) as owner
         from body o join body_period p on p.town = o.town and p.body = o.id where o.town = ",
    );
    query.push_bind(target.town.to_owned());
    push_known(&mut query, "p", target.as_of);
    query.push(" and lower(p.valid) <= ").push_bind(target.day()).push("::date and o.id in (");
    query.push("select q.body from body_period q where q.town = ").push_bind(target.town.to_owned());
    push_known(&mut query, "q", target.as_of);
    query.push(" and (q.committee = any(").push_bind(committees.to_vec());
    query.push(") or q.estate = any(").push_bind(estates.to_vec()).push(")");
    if !communities.is_empty() {
        query.push(" or q.community = any(").push_bind(communities.to_vec()).push(")");
    }
    query.push(")");
    if target.whole() {
        query.push(" union select t.id from body t where t.level = 'TOWN' and t.town = ");
        query.push_bind(target.town.to_owned());
    }
    query.push(") order by o.id, p.valid");
    query
}

/// The bodies that the owners have or had, with all of their days so far.
async fn bodies(
    sql: &mut PgConnection,
    target: &Target<'_>,
    [communities, committees, estates]: [&[String]; 3],
) -> Result<Vec<Body>, Refusal> {
    let rows: Vec<BodyRow> =
        bodies_query(target, [communities, committees, estates]).build_query_as().fetch_all(sql).await?;
    let mut all: Vec<Body> = Vec::new();
    for row in rows {
        let days = period(&row.starts, row.ends.as_deref())?;
        if all.last().is_none_or(|last| last.id != row.id) {
            all.push(Body {
                id: row.id,
                kind: row.kind,
                level: row.level,
                owned: Vec::new(),
                display_name: String::new(),
                sized: Vec::new(),
                terms: Vec::new(),
            });
        }
        if let Some(body) = all.last_mut() {
            // rows come in the order of days: the last name is that of the day
            body.display_name = row.display_name;
            body.owned.push((days, row.owner));
            body.sized.push((days, row.seats, row.quorum));
        }
    }
    Ok(all)
}

/// The statement of the terms of some bodies.
pub(crate) fn terms_query(target: &Target<'_>, ids: &[String]) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::<Postgres>::new(
        "select m.body, m.seat, lower(m.valid)::text, upper(m.valid)::text from membership m where m.town = ",
    );
    query.push_bind(target.town.to_owned()).push(" and m.body = any(").push_bind(ids.to_vec()).push(")");
    push_known(&mut query, "m", target.as_of);
    query
}

async fn terms(sql: &mut PgConnection, target: &Target<'_>, bodies: &mut [Body]) -> Result<(), Refusal> {
    let ids: Vec<String> = bodies.iter().map(|body| body.id.clone()).collect();
    let rows: Vec<(String, i32, String, Option<String>)> =
        terms_query(target, &ids).build_query_as().fetch_all(sql).await?;
    let mut of: BTreeMap<String, Vec<(i32, Period)>> = BTreeMap::new();
    for (body, seat, from, to) in rows {
        of.entry(body).or_default().push((seat, period(&from, to.as_deref())?));
    }
    for body in bodies {
        body.terms = of.remove(&body.id).unwrap_or_default();
    }
    Ok(())
}

#[derive(FromRow)]
struct BlockRow {
    id: String,
    committee: String,
    display_name: String,
    starts: String,
    ends: Option<String>,
    pending: Option<String>,
}

/// The statement of the blocks that some committees have or had.
pub(crate) fn blocks_query(target: &Target<'_>, committees: &[String]) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::<Postgres>::new(
        "select p.block as id, p.committee, p.display_name, lower(p.valid)::text as starts, upper(p.valid)::text as ends,
                (select lower(s.valid)::text from stewardship s where s.town = p.town and s.block = p.block and s.handover_pending",
    );
    push_as_of(&mut query, "s", target.as_of);
    query.push(") as pending from block_period p where p.town = ").push_bind(target.town.to_owned());
    push_known(&mut query, "p", target.as_of);
    query.push(" and lower(p.valid) <= ").push_bind(target.day()).push("::date and p.block in (");
    query.push("select q.block from block_period q where q.town = ").push_bind(target.town.to_owned());
    push_known(&mut query, "q", target.as_of);
    query.push(" and q.committee = any(").push_bind(committees.to_vec()).push(")) order by p.block, p.valid");
    query
}

/// The blocks that the committees have or had, with all of their days so far.
async fn blocks(
    sql: &mut PgConnection,
    target: &Target<'_>,
    committees: &[String],
) -> Result<Vec<Block>, Refusal> {
    let rows: Vec<BlockRow> = blocks_query(target, committees).build_query_as().fetch_all(sql).await?;
    let mut all: Vec<Block> = Vec::new();
    for row in rows {
        let days = period(&row.starts, row.ends.as_deref())?;
        if all.last().is_none_or(|last| last.id != row.id) {
            let pending = row.pending.as_deref().map(day).transpose()?;
            all.push(Block {
                id: row.id,
                display_name: String::new(),
                owned: Vec::new(),
                forces: Vec::new(),
                pending,
            });
        }
        if let Some(block) = all.last_mut() {
            block.display_name = row.display_name;
            block.owned.push((days, row.committee));
        }
    }
    Ok(all)
}

/// The statement of the forces of some blocks.
pub(crate) fn forces_query(target: &Target<'_>, ids: &[String]) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::<Postgres>::new(
        "select f.block, lower(f.valid)::text, upper(f.valid)::text from block_force f where f.town = ",
    );
    query.push_bind(target.town.to_owned()).push(" and f.block = any(").push_bind(ids.to_vec()).push(")");
    push_known(&mut query, "f", target.as_of);
    query
}

async fn forces(sql: &mut PgConnection, target: &Target<'_>, blocks: &mut [Block]) -> Result<(), Refusal> {
    let ids: Vec<String> = blocks.iter().map(|block| block.id.clone()).collect();
    let rows: Vec<(String, String, Option<String>)> =
        forces_query(target, &ids).build_query_as().fetch_all(sql).await?;
    let mut of: BTreeMap<String, Vec<Period>> = BTreeMap::new();
    for (block, from, to) in rows {
        of.entry(block).or_default().push(period(&from, to.as_deref())?);
    }
    for block in blocks {
        block.forces = of.remove(&block.id).unwrap_or_default();
    }
    Ok(())
}

/// The statement of buildings in no block.
pub(crate) fn undivided_query(target: &Target<'_>, committees: &[String]) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::<Postgres>::new(
        "select p.committee, p.building, lower(p.valid)::text, upper(p.valid)::text from building_period p where p.town = ",
    );
    query.push_bind(target.town.to_owned()).push(" and p.block is null and p.committee = any(");
    query.push_bind(committees.to_vec()).push(")");
    push_known(&mut query, "p", target.as_of);
    query.push(" and lower(p.valid) <= ").push_bind(target.day()).push("::date");
    query
}

async fn undivided(
    sql: &mut PgConnection,
    target: &Target<'_>,
    committees: &[String],
) -> Result<Vec<Undivided>, Refusal> {
    let rows: Vec<(String, String, String, Option<String>)> =
        undivided_query(target, committees).build_query_as().fetch_all(sql).await?;
    let mut lines: BTreeMap<(String, String), Vec<Period>> = BTreeMap::new();
    for (committee, building, from, to) in rows {
        lines.entry((committee, building)).or_default().push(period(&from, to.as_deref())?);
    }
    let mut all: BTreeMap<String, Undivided> = BTreeMap::new();
    for ((committee, _), days) in lines {
        let Some(since) = run_from(&days, target.as_of.day) else { continue };
        let new = || Undivided { committee: committee.clone(), buildings: 0, since };
        let its = all.entry(committee.clone()).or_insert_with(new);
        its.buildings = its.buildings.saturating_add(1);
        its.since = its.since.min(since);
    }
    Ok(all.into_values().collect())
}

/// What each level must have in a town: its own setting, else that of all.
async fn requirements(sql: &mut PgConnection, town: &str) -> Result<Vec<Requirement>, Refusal> {
    let kinds = crate::body::store::kinds(sql, town).await?;
    let requirement = |row: KindRow| Requirement {
        kind: row.kind,
        level: row.level,
        minimum: row.minimum,
        maximum: row.maximum,
        clause: row.clause,
        zh: row.zh,
        en: row.en,
    };
    Ok(kinds.into_iter().map(requirement).collect())
}
