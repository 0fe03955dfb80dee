//! The SQL of committees.

mod counts;
mod lineage;

pub(crate) use counts::{Count, all_counts, counted_after, counted_on, counts, record_count, was_counted};
pub(crate) use lineage::{Step, expects, note_split, steps};

use chassis::{identity::Scope, paging, refusal::Refusal};
use jiff::civil::Date;
use kernel::{
    filter::Predicate,
    name::CommitteeName,
    periods::{Believed, Splice},
    state::Named,
};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::rules::{Facts, State};
use crate::{
    as_of::AsOf,
    store::{bounds, close, day, period},
};

/// What never changes about a committee, and its version. Locked until the end of the transaction.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) kind: String,
    pub(crate) preparation_start: Option<Date>,
    pub(crate) founding_date: Option<Date>,
    pub(crate) version: i64,
}

/// A committee on a day, as known at an instant.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct View {
    pub(crate) town: String,
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) preparation_start: Option<String>,
    pub(crate) founding_date: Option<String>,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) display_name: String,
    pub(crate) community: String,
    pub(crate) state: String,
    pub(crate) management_class: String,
    pub(crate) difficulty: String,
    pub(crate) merged_into: Option<String>,
    pub(crate) period_from: String,
    pub(crate) period_to: Option<String>,
    pub(crate) count_valid: Option<String>,
    pub(crate) count: Option<i32>,
    pub(crate) count_source: Option<String>,
    pub(crate) count_reason: Option<String>,
    pub(crate) count_reported: Option<String>,
    pub(crate) count_recorded: Option<i64>,
}

/// Locks a committee that the caller may see today.
pub(crate) async fn lock(
    sql: &mut PgConnection,
    name: &CommitteeName,
    scope: &Scope,
    today: Date,
) -> Result<Option<Head>, Refusal> {
    let (communities, committees, _) = scope.ids();
    let row = sqlx::query!(
        r#"select kind, preparation_start::text as preparation_start, founding_date::text as founding_date, version
           from committee c where town = $1 and id = $2
             and ($3 or id = any($4) or exists (select from committee_period p where p.town = c.town and p.committee = c.id
                  and upper_inf(p.recorded) and p.valid @> $6::text::date and p.community = any($5)))
           for update"#,
        name.town(),
        name.committee(),
        scope.is_town(),
        committees,
        communities,
        today.to_string(),
    )
    .fetch_optional(sql)
    .await?;
    row.map(|row| {
        Ok(Head {
            kind: row.kind,
            preparation_start: row.preparation_start.as_deref().map(day).transpose()?,
            founding_date: row.founding_date.as_deref().map(day).transpose()?,
            version: row.version,
        })
    })
    .transpose()
}

/// The line that is believed now.
pub(crate) async fn believed(
    sql: &mut PgConnection,
    name: &CommitteeName,
) -> Result<Vec<Believed<Uuid, Facts>>, Refusal> {
    let rows = sqlx::query!(
        r#"select id, lower(valid)::text as "from!", upper(valid)::text as "to", display_name, community, state, management_class,
                  difficulty, merged_into
           from committee_period where town = $1 and committee = $2 and upper_inf(recorded) order by valid"#,
        name.town(),
        name.committee(),
    )
    .fetch_all(sql)
    .await?;
    rows.into_iter()
        .map(|row| {
            let state = State::from_name(&row.state)
                .ok_or_else(|| Refusal::internal(format!("state {}", row.state)))?;
            let value = Facts {
                display_name: row.display_name,
                community: row.community,
                state,
                management_class: row.management_class,
                difficulty: row.difficulty,
                merged_into: row.merged_into,
            };
            Ok(Believed { id: row.id, period: period(&row.from, row.to.as_deref())?, value })
        })
        .collect()
}

/// Writes what is believed instead.
pub(crate) async fn write(
    sql: &mut PgConnection,
    name: &CommitteeName,
    splice: &Splice<Uuid, Facts>,
    at: &str,
    reason: &str,
) -> Result<(), Refusal> {
    close(sql, "committee_period", name.town(), splice, at).await?;
    for (period, facts) in &splice.insert {
        let (from, to) = bounds(*period);
        sqlx::query!(
            "insert into committee_period (town, id, committee, valid, recorded, display_name, community, state, management_class,
                                           difficulty, merged_into, reason)
             values ($1, $2, $3, daterange($4::text::date, $5::text::date), tstzrange($6::text::timestamptz, null), $7, $8, $9, $10,
                     $11, $12, $13)",
            name.town(),
            Uuid::now_v7(),
            name.committee(),
            from,
            to,
            at,
            facts.display_name,
            facts.community,
            facts.state.name(),
            facts.management_class,
            facts.difficulty,
            facts.merged_into,
            reason,
        )
        .execute(&mut *sql)
        .await?;
    }
    Ok(())
}

/// Whether there is a committee under this name.
pub(crate) async fn exists(sql: &mut PgConnection, name: &CommitteeName) -> Result<bool, Refusal> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from committee where town = $1 and id = $2) as "found!""#,
        name.town(),
        name.committee()
    );
    Ok(found.fetch_one(sql).await?)
}

/// Creates the head; `false` when the id is taken.
pub(crate) async fn create(
    sql: &mut PgConnection,
    name: &CommitteeName,
    head: &Head,
) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "insert into committee (town, id, kind, preparation_start, founding_date)
         values ($1, $2, $3, $4::text::date, $5::text::date) on conflict do nothing",
        name.town(),
        name.committee(),
        head.kind,
        head.preparation_start.map(|date| date.to_string()),
        head.founding_date.map(|date| date.to_string()),
    )
    .execute(sql)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The next version; with a founding date when there is a new one.
pub(crate) async fn bump(
    sql: &mut PgConnection,
    name: &CommitteeName,
    founding: Option<Date>,
) -> Result<i64, Refusal> {
    Ok(sqlx::query_scalar!(
        "update committee set version = version + 1, updated = clock_timestamp(),
                founding_date = coalesce($3::text::date, founding_date)
         where town = $1 and id = $2 returning version",
        name.town(),
        name.committee(),
        founding.map(|date| date.to_string()),
    )
    .fetch_one(sql)
    .await?)
}

/// Whether the town has this community.
pub(crate) async fn has_community(
    sql: &mut PgConnection,
    town: &str,
    community: &str,
) -> Result<bool, Refusal> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from community where town = $1 and id = $2) as "found!""#,
        town,
        community
    );
    Ok(found.fetch_one(sql).await?)
}

/// The columns of a [`View`]. `$1` town, `$2` day, `$3` instant.
const VIEW: &str = r"select c.town, c.id, c.kind, c.preparation_start::text as preparation_start, c.founding_date::text as founding_date,
       c.version, (extract(epoch from c.created) * 1000000)::bigint as created, (extract(epoch from c.updated) * 1000000)::bigint as updated,
       p.display_name, p.community, p.state, p.management_class, p.difficulty, p.merged_into,
       lower(p.valid)::text as period_from, upper(p.valid)::text as period_to,
       n.valid_on::text as count_valid, n.households as count, n.source as count_source, n.reason as count_reason,
       n.reported_on::text as count_reported, (extract(epoch from lower(n.recorded)) * 1000000)::bigint as count_recorded
  from committee c
  join committee_period p on p.town = c.town and p.committee = c.id";

const BELIEVED: &str =
    " (case when i.at = 'infinity' then upper_inf(p.recorded) else p.recorded @> i.at end) and p.valid @> ";

/// The declared count of the last day up to the one that is asked about.
const COUNTED_BY: &str = "(select * from household_count n where n.town = c.town and n.committee = c.id
    and (case when i.at = 'infinity' then upper_inf(n.recorded) else n.recorded @> i.at end) and n.valid_on <= ";

/// The first count after that day.
const COUNTED_AFTER: &str = "(select * from household_count n where n.town = c.town and n.committee = c.id
    and (case when i.at = 'infinity' then upper_inf(n.recorded) else n.recorded @> i.at end) and n.valid_on > ";

/// Committees on a day with their declared counts; with those of `counted` when it is given, and then of the first day after it
/// where there is none before.
fn view(as_of: &AsOf, counted: Option<Date>) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new(VIEW);
    sql.push(" cross join (select ").push_bind(as_of.instant()).push("::text::timestamptz as at) i");
    sql.push(" left join lateral (").push(COUNTED_BY);
    sql.push_bind(counted.unwrap_or(as_of.day).to_string()).push("::date order by n.valid_on desc limit 1)");
    if let Some(day) = counted {
        sql.push(" union all ").push(COUNTED_AFTER);
        sql.push_bind(day.to_string()).push("::date order by n.valid_on limit 1) order by valid_on limit 1");
    }
    sql.push(") n on true where").push(BELIEVED).push_bind(as_of.day.to_string()).push("::date and ");
    sql
}

fn push_scope(sql: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if !scope.is_town() {
        let (communities, committees, _) = scope.ids();
        sql.push(" and (p.community = any(")
            .push_bind(communities.to_vec())
            .push(") or c.id = any(")
            .push_bind(committees.to_vec())
            .push("))");
    }
}

/// A committee that the caller may see.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &CommitteeName,
    scope: &Scope,
    as_of: &AsOf,
) -> Result<Option<View>, Refusal> {
    let mut query = view(as_of, None);
    query.push("c.town = ").push_bind(name.town()).push(" and c.id = ").push_bind(name.committee());
    push_scope(&mut query, scope);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// What a List is asked.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) town: &'a str,
    pub(crate) scope: &'a Scope,
    pub(crate) as_of: &'a AsOf,
    /// The day whose declared count is shown, when it is another one.
    pub(crate) counted: Option<Date>,
    pub(crate) filter: &'a Predicate,
    pub(crate) descending: bool,
    pub(crate) after: Option<&'a str>,
    pub(crate) limit: i64,
}

/// A page of committees by id.
pub(crate) fn list_query(asked: &Asked<'_>) -> QueryBuilder<Postgres> {
    let mut query = view(asked.as_of, asked.counted);
    query.push("c.town = ").push_bind(asked.town.to_owned());
    push_scope(&mut query, asked.scope);
    query.push(" and ");
    paging::push_predicate(&mut query, asked.filter);
    if let Some(after) = asked.after {
        query
            .push(if asked.descending { " and c.id < " } else { " and c.id > " })
            .push_bind(after.to_owned());
    }
    query
        .push(if asked.descending { " order by c.id desc limit " } else { " order by c.id limit " })
        .push_bind(asked.limit);
    query
}

/// A page of committees.
pub(crate) async fn list(sql: &mut PgConnection, asked: &Asked<'_>) -> Result<Vec<View>, Refusal> {
    Ok(list_query(asked).build_query_as().fetch_all(sql).await?)
}

/// How many committees match, up to a bound.
pub(crate) async fn count(sql: &mut PgConnection, asked: &Asked<'_>, bound: i64) -> Result<i64, Refusal> {
    let all = Asked { after: None, limit: bound + 1, ..*asked };
    let found = list_query(&all).build().fetch_all(sql).await?.len();
    Ok(i64::try_from(found).unwrap_or(bound))
}
