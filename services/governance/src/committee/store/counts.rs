//! The SQL of declared household counts.

use chassis::refusal::Refusal;
use jiff::civil::Date;
use kernel::name::CommitteeName;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{as_of::AsOf, store::day};

/// A declared count as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) valid_on: Date,
    pub(crate) households: i32,
    pub(crate) source: String,
    pub(crate) reason: String,
    pub(crate) reported_on: Option<Date>,
}

/// Records a count, or corrects the one that is believed for that day. `false` when it was believed already.
pub(crate) async fn record_count(
    sql: &mut PgConnection,
    name: &CommitteeName,
    count: &Count,
    at: &str,
) -> Result<bool, Refusal> {
    let same = sqlx::query_scalar!(
        r#"select households = $4 and source = $5 and reason = $6 as "same!" from household_count
           where town = $1 and committee = $2 and valid_on = $3::text::date and upper_inf(recorded)"#,
        name.town(),
        name.committee(),
        count.valid_on.to_string(),
        count.households,
        count.source,
        count.reason,
    )
    .fetch_optional(&mut *sql)
    .await?;
    if same == Some(true) {
        return Ok(false);
    }
    sqlx::query!(
        "update household_count set recorded = tstzrange(lower(recorded), $4::text::timestamptz)
         where town = $1 and committee = $2 and valid_on = $3::text::date and upper_inf(recorded)",
        name.town(),
        name.committee(),
        count.valid_on.to_string(),
        at,
    )
    .execute(&mut *sql)
    .await?;
    sqlx::query!(
        "insert into household_count (town, id, committee, valid_on, recorded, households, source, reason, reported_on)
         values ($1, $2, $3, $4::text::date, tstzrange($5::text::timestamptz, null), $6, $7, $8, $9::text::date)",
        name.town(),
        Uuid::now_v7(),
        name.committee(),
        count.valid_on.to_string(),
        at,
        count.households,
        count.source,
        count.reason,
        count.reported_on.map(|date| date.to_string()),
    )
    .execute(sql)
    .await?;
    Ok(true)
}

/// The first day after `day` for which a count is believed.
pub(crate) async fn counted_after(
    sql: &mut PgConnection,
    name: &CommitteeName,
    on: Date,
) -> Result<Option<String>, Refusal> {
    let day = sqlx::query_scalar!(
        "select min(valid_on)::text from household_count
         where town = $1 and committee = $2 and valid_on > $3::text::date and upper_inf(recorded)",
        name.town(),
        name.committee(),
        on.to_string(),
    );
    Ok(day.fetch_one(sql).await?)
}

/// The count that is believed for a day.
pub(crate) async fn counted_on(
    sql: &mut PgConnection,
    name: &CommitteeName,
    on: Date,
) -> Result<Option<i32>, Refusal> {
    let count = sqlx::query_scalar!(
        "select households from household_count
         where town = $1 and committee = $2 and valid_on = $3::text::date and upper_inf(recorded)",
        name.town(),
        name.committee(),
        on.to_string(),
    );
    Ok(count.fetch_optional(sql).await?)
}

/// The counts of a committee as known at an instant, newest day first.
pub(crate) async fn counts(
    sql: &mut PgConnection,
    name: &CommitteeName,
    as_of: &AsOf,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<(Count, i64)>, Refusal> {
    let rows = sqlx::query!(
        r#"select valid_on::text as "valid_on!", households, source, reason, reported_on::text as reported_on,
                  (extract(epoch from lower(recorded)) * 1000000)::bigint as "recorded!"
           from household_count where town = $1 and committee = $2
             and (case when $3::text::timestamptz = 'infinity' then upper_inf(recorded) else recorded @> $3::text::timestamptz end)
             and ($4::text is null or valid_on < $4::text::date)
           order by valid_on desc limit $5"#,
        name.town(),
        name.committee(),
        as_of.instant(),
        before,
        limit,
    )
    .fetch_all(sql)
    .await?;
    rows.into_iter()
        .map(|row| {
            let count = Count {
                valid_on: day(&row.valid_on)?,
                households: row.households,
                source: row.source,
                reason: row.reason,
                reported_on: row.reported_on.as_deref().map(day).transpose()?,
            };
            Ok((count, row.recorded))
        })
        .collect()
}

/// Whether this count says nothing new: it was recorded from this source, believed still or not, or the number is believed,
/// whichever source it came from.
pub(crate) async fn was_counted(
    sql: &mut PgConnection,
    name: &CommitteeName,
    count: &Count,
) -> Result<bool, Refusal> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from household_count where town = $1 and committee = $2 and valid_on = $3::text::date
                          and households = $4 and (source = $5 or upper_inf(recorded))) as "found!""#,
        name.town(),
        name.committee(),
        count.valid_on.to_string(),
        count.households,
        count.source,
    );
    Ok(found.fetch_one(sql).await?)
}

/// Every count of a town that is believed now, by committee and day.
pub(crate) async fn all_counts(sql: &mut PgConnection, town: &str) -> Result<Vec<(String, Count)>, Refusal> {
    let rows = sqlx::query!(
        r#"select committee, valid_on::text as "valid_on!", households, source, reason, reported_on::text as reported_on
           from household_count where town = $1 and upper_inf(recorded) order by committee, valid_on"#,
        town
    );
    let rows = rows.fetch_all(sql).await?.into_iter().map(|row| {
        let count = Count {
            valid_on: day(&row.valid_on)?,
            households: row.households,
            source: row.source,
            reason: row.reason,
            reported_on: row.reported_on.as_deref().map(day).transpose()?,
        };
        Ok((row.committee, count))
    });
    rows.collect()
}
