//! The SQL of pay scales.

use chassis::{actor::Actor, history, listing::Asked, refusal::Refusal};
use jiff::civil::Date;
use kernel::{name::PayScaleName, state::Named};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder, types::Json};

use crate::pay::{lives::ScaleState, rules::Scale};

/// A scale as it is stored.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Row {
    pub(crate) town: String,
    pub(crate) id: String,
    pub(crate) display_name: String,
    from_month: String,
    pub(crate) terms: Json<Scale>,
    state: String,
    pub(crate) written_by: Vec<String>,
    pub(crate) written_person: Vec<String>,
    pub(crate) approved: Option<i64>,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

impl Row {
    /// The first day of the month from which on it holds.
    pub(crate) fn since(&self) -> Result<Date, Refusal> {
        history::day(&self.from_month)
    }

    /// Its state.
    pub(crate) fn state(&self) -> Result<ScaleState, Refusal> {
        ScaleState::from_name(&self.state).ok_or_else(|| Refusal::internal("a state that is none"))
    }
}

/// What is written of a scale.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) display_name: String,
    pub(crate) from_month: Date,
    pub(crate) terms: Scale,
}

const HEAD: &str = "select s.town, s.id, s.display_name, s.from_month::text as from_month, s.terms, s.state, s.written_by, s.written_person,
    (extract(epoch from s.approved) * 1000000)::bigint as approved, s.version, (extract(epoch from s.created) * 1000000)::bigint as created,
    (extract(epoch from s.updated) * 1000000)::bigint as updated from pay_scale s where s.town = ";

/// A scale; locked until the end of the transaction when it is to be changed.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &PayScaleName,
    lock: bool,
) -> Result<Option<Row>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(name.town()).push(" and s.id = ").push_bind(name.pay_scale());
    if lock {
        query.push(" for no key update");
    }
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of scales by id.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(HEAD);
    query.push_bind(asked.town.clone());
    asked.push_page(&mut query, "s.id");
    query
}

/// The approved scales of a town, in the order in which they hold: of several that hold for a month the last counts.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn approved(sql: &mut PgConnection, town: &str) -> Result<Vec<Row>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(town).push(" and s.state = 'APPROVED' order by s.from_month, s.approved, s.id");
    Ok(query.build_query_as().fetch_all(sql).await?)
}

/// Stores a draft; `false` when the id is taken.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn create(
    sql: &mut PgConnection,
    name: &PayScaleName,
    written: &Written,
    by: &Actor,
) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "insert into pay_scale (town, id, display_name, from_month, terms, written_by, written_person)
         values ($1, $2, $3, $4::text::date, $5, array[$6::text], array[$7::text]) on conflict (town, id) do nothing",
        name.town(),
        name.pay_scale(),
        written.display_name,
        written.from_month.to_string(),
        Json(&written.terms) as _,
        by.principal,
        by.person,
    );
    Ok(done.execute(sql).await?.rows_affected() == 1)
}

/// Writes a draft anew; its writer is kept beside those before.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn update(
    sql: &mut PgConnection,
    name: &PayScaleName,
    written: &Written,
    by: &Actor,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update pay_scale set display_name = $3, from_month = $4::text::date, terms = $5,
                written_by = case when $6 = any(written_by) then written_by else written_by || $6::text end,
                written_person = case when $7 = any(written_person) then written_person else written_person || $7::text end,
                version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2",
        name.town(),
        name.pay_scale(),
        written.display_name,
        written.from_month.to_string(),
        Json(&written.terms) as _,
        by.principal,
        by.person,
    );
    done.execute(sql).await?;
    Ok(())
}

/// Approves a draft.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn approve(sql: &mut PgConnection, name: &PayScaleName, by: &Actor) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update pay_scale set state = 'APPROVED', approved_by = $3, approved_person = $4, approved = clock_timestamp(),
                version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2",
        name.town(),
        name.pay_scale(),
        by.principal,
        by.person,
    );
    done.execute(sql).await?;
    Ok(())
}
