//! The SQL of statements.

use chassis::refusal::Refusal;
use jiff::civil::Date;
use kernel::{money::Fen, name::CommitteeName};
use sqlx::PgConnection;

use super::rules::{Period, Sum};
use crate::ledger::{
    rules::{Earmark, Fund},
    store::named,
};

/// Entries that a line names at most.
const NAMED: i32 = 20;

fn earmark(text: Option<String>) -> Result<Option<Earmark>, Refusal> {
    text.map(|text| text.parse()).transpose().map_err(Refusal::internal)
}

/// The postings of a committee's accounts of a fiscal year, added up, until the end of the period.
pub(crate) async fn sums(
    sql: &mut PgConnection,
    name: &CommitteeName,
    year: i32,
    period: Period,
) -> Result<Vec<Sum>, Refusal> {
    let until = (!period.open_ended).then(|| period.to.to_string());
    // what is booked for a year before it begins is of its first days
    let from = if period.from.month() == 1 { "-infinity".to_owned() } else { period.from.to_string() };
    let rows = sqlx::query!(
        r#"select a.fund, a.earmark, a.id, a.kind, a.category, e.kind as entry_kind, p.amount_fen > 0 as "inflow!",
                  p.booked_on < $4::text::date as "before!", sum(p.amount_fen)::bigint as "amount!", count(*) as "count!",
                  (array_agg(e.id order by e.ord))[1:$6] as "entries!"
           from account a join posting p on p.town = a.town and p.account = a.id join entry e on e.town = p.town and e.id = p.entry
           where a.town = $1 and a.committee = $2 and a.fiscal_year = $3 and ($5::text is null or p.booked_on <= $5::text::date)
           group by 1, 2, 3, 4, 5, 6, 7, 8 order by 1, 2, 4, 5, 6"#,
        name.town(),
        name.committee(),
        year,
        from,
        until,
        NAMED,
    );
    let rows = rows.fetch_all(sql).await?.into_iter().map(|row| {
        Ok(Sum {
            fund: named(&row.fund)?,
            earmark: earmark(row.earmark)?,
            account: row.id,
            kind: named(&row.kind)?,
            category: row.category,
            entry: named(&row.entry_kind)?,
            inflow: row.inflow,
            before: row.before,
            amount: Fen::of(row.amount),
            count: row.count,
            entries: row.entries,
        })
    });
    rows.collect()
}

/// What was held of a committee's accounts of a fiscal year at the end of a day.
pub(crate) async fn held(
    sql: &mut PgConnection,
    name: &CommitteeName,
    year: i32,
    day: Date,
) -> Result<Vec<(Fund, Option<Earmark>, Fen)>, Refusal> {
    let rows = sqlx::query!(
        r#"select a.fund, a.earmark, sum(h.amount_fen)::bigint as "held!"
           from account a join hold h on h.town = a.town and h.account = a.id
           where a.town = $1 and a.committee = $2 and a.fiscal_year = $3 and h.held_on <= $4::text::date
               and (h.resolved_on is null or h.resolved_on > $4::text::date) and (h.expires_on is null or h.expires_on >= $4::text::date)
           group by 1, 2 order by 1, 2"#,
        name.town(),
        name.committee(),
        year,
        day.to_string(),
    );
    let rows = rows.fetch_all(sql).await?.into_iter();
    rows.map(|row| Ok((named(&row.fund)?, earmark(row.earmark)?, Fen::of(row.held)))).collect()
}
