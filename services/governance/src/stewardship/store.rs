//! The SQL of stewardships.

use chassis::{identity::Scope, paging, refusal::Refusal};
use jiff::civil::Date;
use kernel::{
    filter::Predicate,
    name::{BlockName, PersonName, StewardshipName},
    periods::{Believed, Splice},
    state::Named,
};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::rules::{Facts, Kind};
use crate::{
    as_of::AsOf,
    store::{bounds, close, period},
};

/// A stewardship as it is shown.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct View {
    pub(crate) town: String,
    pub(crate) id: Uuid,
    pub(crate) block: String,
    pub(crate) person: String,
    pub(crate) worker: String,
    pub(crate) kind: String,
    pub(crate) handover_pending: bool,
    pub(crate) reason: String,
    pub(crate) starts: String,
    pub(crate) ends: Option<String>,
    pub(crate) recorded: i64,
    pub(crate) superseded: Option<i64>,
    pub(crate) block_version: i64,
}

/// The line of a block that is believed now.
pub(crate) async fn believed(
    sql: &mut PgConnection,
    block: &BlockName,
) -> Result<Vec<Believed<Uuid, Facts>>, Refusal> {
    let rows = sqlx::query!(
        r#"select id, lower(valid)::text as "from!", upper(valid)::text as "to", person, worker, kind, handover_pending
           from stewardship where town = $1 and block = $2 and upper_inf(recorded) order by valid"#,
        block.town(),
        block.block(),
    )
    .fetch_all(sql)
    .await?;
    rows.into_iter()
        .map(|row| {
            let kind =
                Kind::from_name(&row.kind).ok_or_else(|| Refusal::internal(format!("kind {}", row.kind)))?;
            let value = Facts {
                person: row.person,
                worker: row.worker,
                kind,
                handover_pending: row.handover_pending,
            };
            Ok(Believed { id: row.id, period: period(&row.from, row.to.as_deref())?, value })
        })
        .collect()
}

/// Writes what is believed instead; yields the ids of the new rows, in the order of the splice.
pub(crate) async fn write(
    sql: &mut PgConnection,
    block: &BlockName,
    splice: &Splice<Uuid, Facts>,
    at: &str,
    reason: &str,
) -> Result<Vec<Uuid>, Refusal> {
    close(sql, "stewardship", block.town(), splice, at).await?;
    let mut ids = Vec::with_capacity(splice.insert.len());
    for (period, facts) in &splice.insert {
        let ((from, to), id) = (bounds(*period), Uuid::now_v7());
        sqlx::query!(
            "insert into stewardship (town, id, block, valid, recorded, person, worker, kind, handover_pending, reason)
             values ($1, $2, $3, daterange($4::text::date, $5::text::date), tstzrange($6::text::timestamptz, null), $7, $8, $9, $10, $11)",
            block.town(),
            id,
            block.block(),
            from,
            to,
            at,
            facts.person,
            facts.worker,
            facts.kind.name(),
            facts.handover_pending,
            reason,
        )
        .execute(&mut *sql)
        .await?;
        ids.push(id);
    }
    Ok(ids)
}

const VIEW: &str = r"select s.town, s.id, s.block, s.person, s.worker, s.kind, s.handover_pending, s.reason,
       lower(s.valid)::text as starts, upper(s.valid)::text as ends,
       (extract(epoch from lower(s.recorded)) * 1000000)::bigint as recorded,
       (extract(epoch from upper(s.recorded)) * 1000000)::bigint as superseded, b.version as block_version
  from stewardship s join block b on b.town = s.town and b.id = s.block where ";

/// Where the caller's areas hold the block: as it lies today.
pub(crate) fn push_scope(sql: &mut QueryBuilder<Postgres>, scope: &Scope, town: &str, today: Date) {
    if scope.is_town() {
        return;
    }
    let (communities, committees, blocks) = scope.ids();
    sql.push(" and (b.id = any(").push_bind(blocks.to_vec());
    sql.push(") or exists (select from block_period bp where bp.town = b.town and bp.block = b.id and upper_inf(bp.recorded) and bp.valid @> ");
    sql.push_bind(today.to_string()).push("::date and (bp.committee = any(").push_bind(committees.to_vec());
    sql.push(") or exists (select from committee_period cp where cp.town = ").push_bind(town.to_owned());
    sql.push(" and cp.committee = bp.committee and upper_inf(cp.recorded) and cp.valid @> ")
        .push_bind(today.to_string());
    sql.push("::date and cp.community = any(").push_bind(communities.to_vec()).push(")))))");
}

/// A stewardship, believed or not, that the caller may see.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &StewardshipName,
    scope: &Scope,
    today: Date,
) -> Result<Option<View>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.stewardship()) else { return Ok(None) };
    let mut query = QueryBuilder::new(VIEW);
    query.push("s.town = ").push_bind(name.town().to_owned()).push(" and s.id = ").push_bind(id);
    push_scope(&mut query, scope, name.town(), today);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// Who was steward of a block on a day, as known at an instant.
pub(crate) async fn on(
    sql: &mut PgConnection,
    block: &BlockName,
    scope: &Scope,
    as_of: &AsOf,
    today: Date,
) -> Result<Option<View>, Refusal> {
    let mut query = QueryBuilder::new(VIEW);
    query
        .push("s.town = ")
        .push_bind(block.town().to_owned())
        .push(" and s.block = ")
        .push_bind(block.block().to_owned());
    push_as_of(&mut query, as_of);
    query.push(" and s.valid @> ").push_bind(as_of.day.to_string()).push("::date");
    push_scope(&mut query, scope, block.town(), today);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

fn push_as_of(query: &mut QueryBuilder<Postgres>, as_of: &AsOf) {
    match as_of.read_time {
        None => query.push(" and upper_inf(s.recorded)"),
        Some(at) => query.push(" and s.recorded @> ").push_bind(at.to_string()).push("::timestamptz"),
    };
}

/// What a List is asked.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) town: &'a str,
    pub(crate) scope: &'a Scope,
    pub(crate) today: Date,
    /// Only those of this day.
    pub(crate) day: Option<Date>,
    pub(crate) as_of: &'a AsOf,
    pub(crate) filter: &'a Predicate,
    pub(crate) descending: bool,
    /// Start and id of the last one before.
    pub(crate) after: Option<(&'a str, Uuid)>,
    pub(crate) limit: i64,
}

/// A page of stewardships by their first day.
pub(crate) fn list_query(asked: &Asked<'_>) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(VIEW);
    query.push("s.town = ").push_bind(asked.town.to_owned());
    push_as_of(&mut query, asked.as_of);
    if let Some(day) = asked.day {
        query.push(" and s.valid @> ").push_bind(day.to_string()).push("::date");
    }
    push_scope(&mut query, asked.scope, asked.town, asked.today);
    query.push(" and ");
    paging::push_predicate(&mut query, asked.filter);
    if let Some((start, id)) = asked.after {
        query.push(if asked.descending {
            " and (lower(s.valid), s.id) < ("
        } else {
            " and (lower(s.valid), s.id) > ("
        });
        query.push_bind(start.to_owned()).push("::date, ").push_bind(id).push(")");
    }
    let order = if asked.descending {
        " order by lower(s.valid) desc, s.id desc limit "
    } else {
        " order by lower(s.valid), s.id limit "
    };
    query.push(order).push_bind(asked.limit);
    query
}

/// A page of stewardships.
pub(crate) async fn list(sql: &mut PgConnection, asked: &Asked<'_>) -> Result<Vec<View>, Refusal> {
    Ok(list_query(asked).build_query_as().fetch_all(sql).await?)
}

/// Every stewardship of a person, believed or not, oldest first.
pub(crate) async fn of_person(sql: &mut PgConnection, person: &PersonName) -> Result<Vec<View>, Refusal> {
    let mut query = QueryBuilder::new(VIEW);
    query.push("s.town = ").push_bind(person.town()).push(" and s.person = ").push_bind(person.to_string());
    query.push(" order by lower(s.recorded), lower(s.valid)");
    Ok(query.build_query_as().fetch_all(sql).await?)
}

/// The open blocks of a committee in which a worker is steward on `day` or later.
pub(crate) async fn blocks_of(
    sql: &mut PgConnection,
    town: &str,
    committee: &str,
    worker: &str,
    day: Date,
) -> Result<Vec<String>, Refusal> {
    Ok(sqlx::query_scalar!(
        r#"select distinct s.block as "block!" from stewardship s
           join block_period p on p.town = s.town and p.block = s.block and upper_inf(p.recorded) and p.committee = $2
                and p.valid && daterange($4::text::date, null)
           where s.town = $1 and s.worker = $3 and upper_inf(s.recorded) and s.valid && daterange($4::text::date, null) order by 1"#,
        town,
        committee,
        worker,
        day.to_string(),
    )
    .fetch_all(sql)
    .await?)
}
