//! The SQL of calendar papers.

use chassis::refusal::Refusal;
use jiff::civil::Date;
use kernel::{
    calendar::{DayKind, Paper},
    state::Named,
};
use sqlx::PgConnection;

use crate::store::day;

/// A paper without its days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) issued: Date,
    pub(crate) note: String,
    pub(crate) created: i64,
}

/// A day that a paper sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PaperDay {
    pub(crate) day: Date,
    pub(crate) kind: DayKind,
    pub(crate) holiday: String,
}

/// The papers in the order in which they apply.
pub(crate) async fn heads(sql: &mut PgConnection) -> Result<Vec<Head>, Refusal> {
    let rows = sqlx::query!(
        r#"select id, title, issued::text as "issued!", note, (extract(epoch from created) * 1000000)::bigint as "created!"
           from calendar_paper order by issued, id"#
    );
    let head = |id, title, issued: String, note, created| {
        Ok(Head { id, title, issued: day(&issued)?, note, created })
    };
    rows.fetch_all(sql)
        .await?
        .into_iter()
        .map(|row| head(row.id, row.title, row.issued, row.note, row.created))
        .collect()
}

/// The days of one paper, or of all.
pub(crate) async fn days(
    sql: &mut PgConnection,
    paper: Option<&str>,
) -> Result<Vec<(String, PaperDay)>, Refusal> {
    let rows = sqlx::query!(
        r#"select paper, day::text as "day!", kind, holiday from calendar_paper_day where $1::text is null or paper = $1 order by paper, day"#,
        paper
    );
    let parse = |row: (String, String, String, String)| {
        let kind = DayKind::from_name(&row.2).ok_or_else(|| Refusal::internal(format!("kind {}", row.2)))?;
        Ok((row.0, PaperDay { day: day(&row.1)?, kind, holiday: row.3 }))
    };
    rows.fetch_all(sql)
        .await?
        .into_iter()
        .map(|row| parse((row.paper, row.day, row.kind, row.holiday)))
        .collect()
}

/// All papers as rules take them.
pub(crate) async fn papers(sql: &mut PgConnection) -> Result<Vec<Paper>, Refusal> {
    let heads = heads(&mut *sql).await?;
    let days = days(sql, None).await?;
    let of =
        |id: &str| days.iter().filter(|(paper, _)| paper == id).map(|(_, day)| (day.day, day.kind)).collect();
    Ok(heads
        .iter()
        .map(|head| Paper { code: head.id.clone(), dated: head.issued, days: of(&head.id) })
        .collect())
}

/// Enters a paper; `false` when the id is taken.
pub(crate) async fn create(sql: &mut PgConnection, head: &Head, days: &[PaperDay]) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "insert into calendar_paper (id, title, issued, note) values ($1, $2, $3::text::date, $4) on conflict do nothing",
        head.id,
        head.title,
        head.issued.to_string(),
        head.note,
    );
    if done.execute(&mut *sql).await?.rows_affected() == 0 {
        return Ok(false);
    }
    for day in days {
        sqlx::query!(
            "insert into calendar_paper_day (paper, day, kind, holiday) values ($1, $2::text::date, $3, $4)",
            head.id,
            day.day.to_string(),
            day.kind.name(),
            day.holiday,
        )
        .execute(&mut *sql)
        .await?;
    }
    Ok(true)
}
