//! The SQL of pay statements.

use std::collections::HashMap;

use chassis::{history, listing::Asked, refusal::Refusal};
use jiff::civil::Date;
use kernel::{
    name::{PayRunName, PersonName},
    state::Named,
};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder, types::Json};
use uuid::Uuid;

use crate::pay::{
    lives::RunState,
    rules::{Because, Line},
};

/// A statement as it is stored, without its lines.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Row {
    pub(crate) town: String,
    pub(crate) id: Uuid,
    pub(crate) run: String,
    pub(crate) worker: String,
    pub(crate) display_name: String,
    /// The worker's person: an id of governance.
    pub(crate) person: String,
    month: String,
    pub(crate) scale: String,
    state: String,
    pub(crate) total_fen: i64,
    pub(crate) created: i64,
}

impl Row {
    /// The first day of its month.
    pub(crate) fn month(&self) -> Result<Date, Refusal> {
        history::day(&self.month)
    }

    /// The state of its run.
    pub(crate) fn state(&self) -> Result<RunState, Refusal> {
        RunState::from_name(&self.state).ok_or_else(|| Refusal::internal("a state that is none"))
    }
}

/// A statement with its lines.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    pub(crate) row: Row,
    pub(crate) lines: Vec<Line>,
}

const HEAD: &str = "select s.town, s.id, s.run, s.worker, w.display_name, w.person, s.month::text as month, r.scale, r.state, s.total_fen,
    (extract(epoch from s.created) * 1000000)::bigint as created
    from pay_statement s join pay_run r on r.town = s.town and r.id = s.run join worker w on w.town = s.town and w.id = s.worker where s.town = ";

/// A statement.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn get(sql: &mut PgConnection, town: &str, id: Uuid) -> Result<Option<Whole>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(town).push(" and s.id = ").push_bind(id);
    let found: Vec<Row> = query.build_query_as().fetch_all(&mut *sql).await?;
    Ok(whole(sql, town, found).await?.into_iter().next())
}

/// The approved statement of a person and a month.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn of_person(
    sql: &mut PgConnection,
    person: &PersonName,
    month: Date,
) -> Result<Option<Whole>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query
        .push_bind(person.town())
        .push(" and r.state = 'APPROVED' and w.person = ")
        .push_bind(person.person());
    query
        .push(" and s.month = ")
        .push_bind(month.to_string())
        .push("::text::date order by w.hired_on desc limit 1");
    let found: Vec<Row> = query.build_query_as().fetch_all(&mut *sql).await?;
    Ok(whole(sql, person.town(), found).await?.into_iter().next())
}

/// A page of statements by id.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(HEAD);
    query.push_bind(asked.town.clone());
    asked.push_uuid_page(&mut query, "s.id");
    query
}

/// The statements of a run by worker.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn of_run(sql: &mut PgConnection, name: &PayRunName) -> Result<Vec<Row>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(name.town()).push(" and s.run = ").push_bind(name.pay_run()).push(" order by s.worker");
    Ok(query.build_query_as().fetch_all(sql).await?)
}

/// Statements with their lines.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn whole(sql: &mut PgConnection, town: &str, rows: Vec<Row>) -> Result<Vec<Whole>, Refusal> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let found = sqlx::query!(
        r#"select statement, month::text as "month!", amount_fen, input as "input: Json<Because>" from pay_line
           where town = $1 and statement = any($2) order by statement, n"#,
        town,
        &ids,
    );
    let mut lines: HashMap<Uuid, Vec<Line>> = HashMap::new();
    for line in found.fetch_all(sql).await? {
        let month = history::day(&line.month)?;
        let of = lines.entry(line.statement).or_default();
        of.push(Line { month, fen: line.amount_fen, because: line.input.0 });
    }
    let with_lines = |row: Row| {
        let lines = lines.remove(&row.id).unwrap_or_default();
        Whole { row, lines }
    };
    Ok(rows.into_iter().map(with_lines).collect())
}
