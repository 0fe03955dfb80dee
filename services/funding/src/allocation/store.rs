//! The SQL of allocations.

pub(crate) mod run;
pub(crate) mod set;

use chassis::{identity::Scope, listing::Asked, refusal::Refusal};
use kernel::{money::Fen, name::AllocationName};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::{actor::Actor, ledger::store::views::push_within};

/// An allocation as it is stored, with what its run rests on.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Allocation {
    pub(crate) id: String,
    pub(crate) run: String,
    pub(crate) run_state: String,
    pub(crate) run_created_by: String,
    pub(crate) run_created_person: String,
    pub(crate) policy: String,
    pub(crate) households_as_of: String,
    pub(crate) fiscal_year: i32,
    pub(crate) committee: String,
    pub(crate) fund: String,
    pub(crate) display_name: String,
    pub(crate) kind: String,
    pub(crate) management_class: Option<String>,
    pub(crate) difficulty: Option<String>,
    pub(crate) begun_on: Option<String>,
    pub(crate) households: Option<i32>,
    pub(crate) counted_on: Option<String>,
    pub(crate) months: i32,
    pub(crate) above: i32,
    pub(crate) floor_year_fen: i64,
    pub(crate) floor_fen: i64,
    pub(crate) uplift_year_fen: i64,
    pub(crate) uplift_fen: i64,
    pub(crate) growth_year_fen: i64,
    pub(crate) growth_fen: i64,
    pub(crate) supplement_year_fen: i64,
    pub(crate) supplement_fen: i64,
    pub(crate) year_fen: i64,
    pub(crate) amount_fen: i64,
    pub(crate) least_fen: i64,
    pub(crate) former_fen: i64,
    pub(crate) exception_reason: String,
    pub(crate) excepted_by: String,
    pub(crate) excepted: Option<i64>,
    pub(crate) exception_needed: bool,
    pub(crate) state: String,
    pub(crate) entry: Option<Uuid>,
    pub(crate) released: Option<i64>,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

const COLUMNS: &str = "select a.id, a.run, r.state as run_state, r.created_by as run_created_by, r.created_person as run_created_person, r.policy,
    r.households_as_of::text as households_as_of, a.fiscal_year, a.committee, a.fund, a.display_name, a.kind, a.management_class, a.difficulty,
    a.begun_on::text as begun_on, a.households, a.counted_on::text as counted_on, a.months, a.above, a.floor_year_fen, a.floor_fen,
    a.uplift_year_fen, a.uplift_fen, a.growth_year_fen, a.growth_fen, a.supplement_year_fen, a.supplement_fen, a.year_fen, a.amount_fen,
    a.least_fen, a.former_fen, a.exception_reason, a.excepted_by, (extract(epoch from a.excepted) * 1000000)::bigint as excepted,
    a.exception_needed, a.state, a.entry, (extract(epoch from a.released) * 1000000)::bigint as released, a.version,
    (extract(epoch from a.created) * 1000000)::bigint as created, (extract(epoch from a.updated) * 1000000)::bigint as updated
    from allocation a join allocation_run r on r.town = a.town and r.id = a.run where a.town = ";

/// An allocation in the caller's areas.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &AllocationName,
    scope: &Scope,
) -> Result<Option<Allocation>, Refusal> {
    let mut query = QueryBuilder::new(COLUMNS);
    query.push_bind(name.town()).push(" and a.id = ").push_bind(name.allocation());
    push_within(&mut query, scope, "a.committee");
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// The same, locked behind its run: the run keeps its state until the end of the transaction, and other allocations of it can be
/// changed meanwhile.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn lock(
    sql: &mut PgConnection,
    name: &AllocationName,
) -> Result<Option<Allocation>, Refusal> {
    let held = sqlx::query_scalar!(
        "select r.id from allocation_run r
         where r.town = $1 and r.id = (select run from allocation where town = $1 and id = $2) for share",
        name.town(),
        name.allocation(),
    );
    held.fetch_optional(&mut *sql).await?;
    let mut query = QueryBuilder::new(COLUMNS);
    query.push_bind(name.town()).push(" and a.id = ").push_bind(name.allocation());
    query.push(" for no key update of a");
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of allocations by id, which follows the committees within a run.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(COLUMNS);
    query.push_bind(asked.town.clone());
    push_within(&mut query, &asked.scope, "a.committee");
    asked.push_page(&mut query, "a.id");
    query
}

/// A page of allocations.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn list(sql: &mut PgConnection, asked: &Asked) -> Result<Vec<Allocation>, Refusal> {
    Ok(list_query(asked).build_query_as().fetch_all(sql).await?)
}

/// An adjustment by hand.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Adjustment {
    pub(crate) allocation: String,
    pub(crate) amount_fen: i64,
    pub(crate) reason: String,
    pub(crate) adjusted_by: String,
    pub(crate) adjusted_person: String,
    pub(crate) adjusted: i64,
}

impl Adjustment {
    /// Who adjusted.
    pub(crate) fn by(&self) -> Actor {
        Actor::new(&self.adjusted_by, &self.adjusted_person)
    }
}

/// The adjustments of allocations, oldest first.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn adjustments(
    sql: &mut PgConnection,
    town: &str,
    allocations: &[String],
) -> Result<Vec<Adjustment>, Refusal> {
    let found = sqlx::query_as!(
        Adjustment,
        r#"select allocation, amount_fen, reason, adjusted_by, adjusted_person,
                  (extract(epoch from adjusted) * 1000000)::bigint as "adjusted!"
           from allocation_adjustment where town = $1 and allocation = any($2) order by allocation, n"#,
        town,
        allocations,
    );
    Ok(found.fetch_all(sql).await?)
}

/// Adds an adjustment to a locked allocation; an exception that was granted is void. The next version.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn adjust(
    sql: &mut PgConnection,
    name: &AllocationName,
    (amount, reason): (Fen, &str),
    by: &Actor,
) -> Result<i64, Refusal> {
    let line = sqlx::query!(
        "insert into allocation_adjustment (town, allocation, n, run, amount_fen, reason, adjusted_by, adjusted_person)
         select a.town, a.id, 1 + (select coalesce(max(d.n), 0) from allocation_adjustment d where d.town = a.town and d.allocation = a.id),
                a.run, $3, $4, $5, $6
         from allocation a where a.town = $1 and a.id = $2",
        name.town(),
        name.allocation(),
        amount.fen(),
        reason,
        by.principal,
        by.person,
    );
    line.execute(&mut *sql).await?;
    let version = sqlx::query_scalar!(
        "update allocation set adjustment_fen = adjustment_fen + $3, exception_reason = '', excepted_by = '', excepted_person = '',
                excepted = null, version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2 returning version",
        name.town(),
        name.allocation(),
        amount.fen(),
    );
    Ok(version.fetch_one(sql).await?)
}

/// Grants a locked allocation that it stays below its floor; the next version.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn except(
    sql: &mut PgConnection,
    name: &AllocationName,
    reason: &str,
    by: &Actor,
) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update allocation set exception_reason = $3, excepted_by = $4, excepted_person = $5, excepted = clock_timestamp(),
                version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2 returning version",
        name.town(),
        name.allocation(),
        reason,
        by.principal,
        by.person,
    );
    Ok(version.fetch_one(sql).await?)
}
