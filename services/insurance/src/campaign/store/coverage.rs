//! The SQL of coverage: what stands in committees, and their last samples.

use chassis::refusal::Refusal;
use jiff::civil::Date;
use kernel::periods::Period;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

use super::samples::{self, Sample};
use crate::campaign::rules::coverage::Placed;

/// What is asked of committees.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Of<'a> {
    /// The town's id.
    pub(crate) town: &'a str,
    /// Ids of committees.
    pub(crate) committees: &'a [String],
    /// Of one programme alone.
    pub(crate) programme: Option<&'a str>,
}

#[derive(FromRow)]
struct Row {
    committee: String,
    channel: String,
    shown_from: String,
    shown_to: String,
    copies: i32,
    households_reached: i32,
    people_reached: i32,
}

/// Appends the committees and the programme of the campaigns of `alias`.
fn push_of(query: &mut QueryBuilder<Postgres>, of: Of<'_>, alias: &'static str) {
    query.push(" and ").push(alias).push(".committee = any(").push_bind(of.committees.to_vec()).push(")");
    if let Some(programme) = of.programme {
        query
            .push(" and exists (select from campaign_programme q where q.town = ")
            .push(alias)
            .push(".town and q.campaign = ");
        query.push(alias).push(".campaign and q.programme = ").push_bind(programme.to_owned()).push(")");
    }
}

/// The placements that stand and have a day from `from` until `to`, with their committees.
pub(crate) async fn placed(
    sql: &mut PgConnection,
    of: Of<'_>,
    (from, to): (Date, Date),
) -> Result<Vec<(String, Placed)>, Refusal> {
    let mut query = QueryBuilder::new(
        "select p.committee, p.channel, p.shown_from::text as shown_from, p.shown_to::text as shown_to, p.copies, p.households_reached,
                p.people_reached
         from placement p where p.town = ",
    );
    query.push_bind(of.town);
    push_of(&mut query, of, "p");
    query.push(" and p.shown_from < ").push_bind(to.to_string()).push("::date and p.shown_to > ");
    query.push_bind(from.to_string()).push(
        "::date and not exists (select from placement_removal r where r.town = p.town and r.placement = p.id)",
    );
    let rows: Vec<Row> = query.build_query_as().fetch_all(sql).await?;
    rows.into_iter().map(read).collect()
}

fn read(row: Row) -> Result<(String, Placed), Refusal> {
    let days: Period = super::period(&row.shown_from, &row.shown_to)?;
    let placed = Placed {
        channel: super::named(&row.channel)?,
        days,
        copies: row.copies.into(),
        households: row.households_reached.into(),
        people: row.people_reached.into(),
    };
    Ok((row.committee, placed))
}

/// The last sample of each committee before the day `to`: of the last day, and of several of it the one that was recorded last.
pub(crate) async fn last_samples(
    sql: &mut PgConnection,
    of: Of<'_>,
    to: Date,
) -> Result<Vec<Sample>, Refusal> {
    let columns = samples::COLUMNS.replacen("select ", "select distinct on (s.committee) ", 1);
    let mut query = QueryBuilder::new(columns);
    query.push_bind(of.town);
    push_of(&mut query, of, "s");
    query.push(" and s.surveyed_on < ").push_bind(to.to_string());
    query.push("::date order by s.committee, s.surveyed_on desc, s.created desc, s.id desc");
    Ok(query.build_query_as().fetch_all(sql).await?)
}
