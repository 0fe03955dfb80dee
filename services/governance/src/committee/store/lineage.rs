//! The SQL of mergers and splits.

use chassis::refusal::Refusal;
use jiff::civil::Date;
use kernel::name::CommitteeName;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::{as_of::AsOf, line::Carry};

/// A merger or a split.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, FromRow)]
pub(crate) struct Step {
    pub(crate) committee: String,
    pub(crate) successor: String,
    /// MERGED or SPLIT.
    pub(crate) kind: String,
    pub(crate) day: String,
}

/// The mergers and splits of some committees by a day, as known at an instant.
pub(crate) async fn steps(
    sql: &mut PgConnection,
    town: &str,
    committees: &[String],
    as_of: &AsOf,
) -> Result<Vec<Step>, Refusal> {
    let rows = sqlx::query_as!(
        Step,
        r#"select committee as "committee!", merged_into as "successor!", 'MERGED' as "kind!", min(lower(valid))::text as "day!"
           from committee_period where town = $1 and committee = any($2) and merged_into is not null
             and (case when $3::text::timestamptz = 'infinity' then upper_inf(recorded) else recorded @> $3::text::timestamptz end)
             and lower(valid) <= $4::text::date
           group by committee, merged_into
           union all
           select committee, successor, 'SPLIT', day::text from committee_split where town = $1 and committee = any($2)
             and (case when $3::text::timestamptz = 'infinity' then upper_inf(recorded) else recorded @> $3::text::timestamptz end)
             and day <= $4::text::date"#,
        town,
        committees,
        as_of.instant(),
        as_of.day.to_string(),
    );
    Ok(rows.fetch_all(sql).await?)
}

/// The first day after `day` on which something of another committee is to come to this one.
pub(crate) async fn expects(
    sql: &mut PgConnection,
    name: &CommitteeName,
    day: Date,
) -> Result<Option<String>, Refusal> {
    let first = sqlx::query_scalar!(
        r#"select min(day)::text from (
             select min(lower(valid)) as day from committee_period
             where town = $1 and merged_into = $2 and upper_inf(recorded) group by committee
             union all select day from committee_split where town = $1 and successor = $2 and upper_inf(recorded)) x
           where day > $3::text::date"#,
        name.town(),
        name.committee(),
        day.to_string(),
    );
    Ok(first.fetch_one(sql).await?)
}

/// Keeps that a part went to another committee.
pub(crate) async fn note_split(
    sql: &mut PgConnection,
    carry: &Carry<'_>,
    households: i32,
) -> Result<(), Refusal> {
    sqlx::query!(
        "insert into committee_split (town, id, committee, successor, day, recorded, households, reason)
         values ($1, $2, $3, $4, $5::text::date, tstzrange(clock_timestamp(), null), $6, $7)",
        carry.from.town(),
        Uuid::now_v7(),
        carry.from.committee(),
        carry.into.committee(),
        carry.day.to_string(),
        households,
        carry.comment,
    )
    .execute(sql)
    .await?;
    Ok(())
}
