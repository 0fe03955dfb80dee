//! The SQL of blocks.

use chassis::{identity::Scope, paging, refusal::Refusal};
use jiff::civil::Date;
use kernel::{
    filter::Predicate,
    name::BlockName,
    periods::{Believed, Period, Splice},
};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::rules::Facts;
use crate::{
    as_of::AsOf,
    stewardship::push_scope,
    store::{bounds, close, period},
};

/// A block that is locked until the end of the transaction.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) life: Period,
    pub(crate) version: i64,
}

/// A block on a day, as known at an instant.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct View {
    pub(crate) town: String,
    pub(crate) id: String,
    pub(crate) starts: String,
    pub(crate) ends: Option<String>,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) display_name: String,
    pub(crate) committee: String,
    pub(crate) steward_id: Option<Uuid>,
    pub(crate) person: Option<String>,
    pub(crate) worker: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) handover_pending: Option<bool>,
    pub(crate) reason: Option<String>,
    pub(crate) steward_from: Option<String>,
    pub(crate) steward_to: Option<String>,
    pub(crate) steward_recorded: Option<i64>,
    pub(crate) steward_superseded: Option<i64>,
}

/// Locks a block that the caller may see today.
pub(crate) async fn lock(
    sql: &mut PgConnection,
    name: &BlockName,
    scope: &Scope,
    today: Date,
) -> Result<Option<Head>, Refusal> {
    let mut query = QueryBuilder::new(
        "select lower(b.life)::text as starts, upper(b.life)::text as ends, b.version from block b where b.town = ",
    );
    query.push_bind(name.town().to_owned()).push(" and b.id = ").push_bind(name.block().to_owned());
    push_scope(&mut query, scope, name.town(), today);
    query.push(" for update of b");
    let row: Option<(String, Option<String>, i64)> = query.build_query_as().fetch_optional(sql).await?;
    row.map(|(from, to, version)| Ok(Head { life: period(&from, to.as_deref())?, version })).transpose()
}

/// The line that is believed now.
pub(crate) async fn believed(
    sql: &mut PgConnection,
    name: &BlockName,
) -> Result<Vec<Believed<Uuid, Facts>>, Refusal> {
    let rows = sqlx::query!(
        r#"select id, lower(valid)::text as "from!", upper(valid)::text as "to", committee, display_name
           from block_period where town = $1 and block = $2 and upper_inf(recorded) order by valid"#,
        name.town(),
        name.block(),
    )
    .fetch_all(sql)
    .await?;
    rows.into_iter()
        .map(|row| {
            let value = Facts { committee: row.committee, display_name: row.display_name };
            Ok(Believed { id: row.id, period: period(&row.from, row.to.as_deref())?, value })
        })
        .collect()
}

/// Writes what is believed instead.
pub(crate) async fn write(
    sql: &mut PgConnection,
    name: &BlockName,
    splice: &Splice<Uuid, Facts>,
    at: &str,
    reason: &str,
) -> Result<(), Refusal> {
    close(sql, "block_period", name.town(), splice, at).await?;
    for (period, facts) in &splice.insert {
        let (from, to) = bounds(*period);
        sqlx::query!(
            "insert into block_period (town, id, block, valid, recorded, committee, display_name, reason)
             values ($1, $2, $3, daterange($4::text::date, $5::text::date), tstzrange($6::text::timestamptz, null), $7, $8, $9)",
            name.town(),
            Uuid::now_v7(),
            name.block(),
            from,
            to,
            at,
            facts.committee,
            facts.display_name,
            reason,
        )
        .execute(&mut *sql)
        .await?;
    }
    Ok(())
}

/// Creates the head; `false` when the id is taken.
pub(crate) async fn create(sql: &mut PgConnection, name: &BlockName, life: Period) -> Result<bool, Refusal> {
    let (from, to) = bounds(life);
    let done = sqlx::query!(
        "insert into block (town, id, life) values ($1, $2, daterange($3::text::date, $4::text::date)) on conflict do nothing",
        name.town(),
        name.block(),
        from,
        to,
    )
    .execute(sql)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The next version, with the end of its life when there is one.
pub(crate) async fn bump(
    sql: &mut PgConnection,
    name: &BlockName,
    ends: Option<Date>,
) -> Result<i64, Refusal> {
    Ok(sqlx::query_scalar!(
        "update block set version = version + 1, updated = clock_timestamp(),
                life = daterange(lower(life), coalesce($3::text::date, upper(life)))
         where town = $1 and id = $2 returning version",
        name.town(),
        name.block(),
        ends.map(|date| date.to_string()),
    )
    .fetch_one(sql)
    .await?)
}

/// The blocks of a committee on `day` or later, locked in the order of their ids.
pub(crate) async fn lock_of_committee(
    sql: &mut PgConnection,
    town: &str,
    committee: &str,
    day: Date,
) -> Result<Vec<String>, Refusal> {
    Ok(sqlx::query_scalar!(
        r#"select b.id from block b where b.town = $1 and exists (select from block_period p where p.town = b.town and p.block = b.id
              and upper_inf(p.recorded) and p.committee = $2 and p.valid && daterange($3::text::date, null))
           order by b.id for update of b"#,
        town,
        committee,
        day.to_string(),
    )
    .fetch_all(sql)
    .await?)
}

const VIEW: &str = r"select b.town, b.id, lower(b.life)::text as starts, upper(b.life)::text as ends, b.version,
       (extract(epoch from b.created) * 1000000)::bigint as created, (extract(epoch from b.updated) * 1000000)::bigint as updated,
       p.display_name, p.committee, s.id as steward_id, s.person, s.worker, s.kind, s.handover_pending, s.reason,
       lower(s.valid)::text as steward_from, upper(s.valid)::text as steward_to,
       (extract(epoch from lower(s.recorded)) * 1000000)::bigint as steward_recorded,
       (extract(epoch from upper(s.recorded)) * 1000000)::bigint as steward_superseded
  from block b join block_period p on p.town = b.town and p.block = b.id cross join (select ";

fn view(as_of: &AsOf) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new(VIEW);
    sql.push_bind(as_of.instant()).push("::text::timestamptz as at, ").push_bind(as_of.day.to_string());
    sql.push(
        "::date as day) i left join stewardship s on s.town = b.town and s.block = b.id and s.valid @> i.day",
    );
    sql.push(" and (case when i.at = 'infinity' then upper_inf(s.recorded) else s.recorded @> i.at end)");
    sql.push(" where (case when i.at = 'infinity' then upper_inf(p.recorded) else p.recorded @> i.at end) and p.valid @> i.day and ");
    sql
}

/// A block that the caller may see; on a day after its life, as it was on its last day.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &BlockName,
    scope: &Scope,
    as_of: &AsOf,
    today: Date,
) -> Result<Option<View>, Refusal> {
    let mut query = view(as_of);
    query
        .push("b.town = ")
        .push_bind(name.town().to_owned())
        .push(" and b.id = ")
        .push_bind(name.block().to_owned());
    push_scope(&mut query, scope, name.town(), today);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// What a List is asked.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) town: &'a str,
    pub(crate) scope: &'a Scope,
    pub(crate) today: Date,
    pub(crate) as_of: &'a AsOf,
    pub(crate) filter: &'a Predicate,
    pub(crate) descending: bool,
    pub(crate) after: Option<&'a str>,
    pub(crate) limit: i64,
}

/// A page of blocks by id.
pub(crate) fn list_query(asked: &Asked<'_>) -> QueryBuilder<Postgres> {
    let mut query = view(asked.as_of);
    query.push("b.town = ").push_bind(asked.town.to_owned());
    push_scope(&mut query, asked.scope, asked.town, asked.today);
    query.push(" and ");
    paging::push_predicate(&mut query, asked.filter);
    if let Some(after) = asked.after {
        query
            .push(if asked.descending { " and b.id < " } else { " and b.id > " })
            .push_bind(after.to_owned());
    }
    query
        .push(if asked.descending { " order by b.id desc limit " } else { " order by b.id limit " })
        .push_bind(asked.limit);
    query
}

/// A page of blocks.
pub(crate) async fn list(sql: &mut PgConnection, asked: &Asked<'_>) -> Result<Vec<View>, Refusal> {
    Ok(list_query(asked).build_query_as().fetch_all(sql).await?)
}
