//! The SQL of runs.

use chassis::{listing::Asked, refusal::Refusal};
use kernel::{name::AllocationRunName, state::Named};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::{actor::Actor, allocation::rules::RunState};

/// A run as it is stored.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Run {
    pub(crate) town: String,
    pub(crate) id: String,
    pub(crate) fiscal_year: i32,
    pub(crate) policy: String,
    pub(crate) policy_number: i32,
    pub(crate) policy_in_force: bool,
    pub(crate) purpose: String,
    pub(crate) state: String,
    pub(crate) as_of: String,
    pub(crate) households_as_of: String,
    pub(crate) read_time: i64,
    pub(crate) skipped: i32,
    pub(crate) pool_fen: i64,
    pub(crate) pool_former_fen: i64,
    pub(crate) former_runs: Vec<String>,
    pub(crate) operation: Uuid,
    pub(crate) created_by: String,
    pub(crate) created_person: String,
    pub(crate) submitted_by: Vec<String>,
    pub(crate) submitted_person: Vec<String>,
    pub(crate) approved_by: String,
    pub(crate) released: Option<i64>,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

impl Run {
    /// The step that `who` did and that keeps him from deciding the run: he began or submitted it.
    pub(crate) fn made_by(&self, who: &Actor) -> Option<&'static str> {
        if Actor::new(&self.created_by, &self.created_person).is(who) {
            return Some("create");
        }
        let submitted = self.submitted_by.contains(&who.principal)
            || (!who.person.is_empty() && self.submitted_person.contains(&who.person));
        submitted.then_some("submit")
    }
}

const COLUMNS: &str = "select r.town, r.id, r.fiscal_year, r.policy, p.number as policy_number, p.state = 'PUBLISHED' as policy_in_force, r.purpose,
    r.state, r.as_of::text as as_of, r.households_as_of::text as households_as_of, (extract(epoch from r.read_time) * 1000000)::bigint as read_time,
    r.skipped, r.pool_fen, r.pool_former_fen, r.former_runs, r.operation, r.created_by, r.created_person, r.submitted_by, r.submitted_person,
    r.approved_by, (extract(epoch from r.released) * 1000000)::bigint as released, r.version,
    (extract(epoch from r.created) * 1000000)::bigint as created, (extract(epoch from r.updated) * 1000000)::bigint as updated
    from allocation_run r join policy p on p.town = r.town and p.id = r.policy where r.town = ";

/// A run; locked until the end of the transaction when it is to be changed.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &AllocationRunName,
    lock: bool,
) -> Result<Option<Run>, Refusal> {
    let mut query = QueryBuilder::new(COLUMNS);
    query.push_bind(name.town()).push(" and r.id = ").push_bind(name.allocation_run());
    if lock {
        query.push(" for no key update of r");
    }
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// How the caller stands to the runs that a List shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relationship {
    /// However it is.
    Any,
    /// He began it.
    Created,
    /// He may approve it.
    CanApprove,
    /// None at all: of those to approve, for somebody who may approve none.
    Nothing,
    /// He decided it.
    HasApproved,
}

/// Appends that a column of a principal, or that of his person, is the caller's.
fn push_is(query: &mut QueryBuilder<Postgres>, who: &Actor, by: &'static str, person: &'static str) {
    query.push("(").push(by).push(" = ").push_bind(who.principal.clone());
    query.push(" or (").push(person).push(" <> '' and ").push(person).push(" = ");
    query.push_bind(who.person.clone()).push("))");
}

fn push_relationship(query: &mut QueryBuilder<Postgres>, relationship: Relationship, who: &Actor) {
    match relationship {
        Relationship::Any => {}
        Relationship::Nothing => {
            query.push(" and false");
        }
        Relationship::Created => {
            query.push(" and ");
            push_is(query, who, "r.created_by", "r.created_person");
        }
        Relationship::HasApproved => {
            query.push(" and ");
            push_is(query, who, "r.approved_by", "r.approved_person");
        }
        Relationship::CanApprove => {
            query.push(" and r.state = 'SUBMITTED' and not ");
            push_is(query, who, "r.created_by", "r.created_person");
            query.push(" and ").push_bind(who.principal.clone()).push(" <> all (r.submitted_by) and ");
            query
                .push_bind(who.person.clone())
                .push(" <> all (r.submitted_person) and not exists (select from allocation_adjustment d ");
            query.push("where d.town = r.town and d.run = r.id and ");
            push_is(query, who, "d.adjusted_by", "d.adjusted_person");
            query.push(")");
        }
    }
}

/// A page of runs in the order in which they were begun.
pub(crate) fn list_query(asked: &Asked, relationship: Relationship, who: &Actor) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(COLUMNS);
    query.push_bind(asked.town.clone());
    push_relationship(&mut query, relationship, who);
    asked.push_page(&mut query, "r.id");
    query
}

/// A run that is begun.
#[derive(Debug)]
pub(crate) struct New<'a> {
    pub(crate) fiscal_year: i32,
    pub(crate) policy: &'a str,
    pub(crate) purpose: &'a str,
    pub(crate) as_of: String,
    pub(crate) households_as_of: String,
    /// What was known when; now when `None`.
    pub(crate) read_time: Option<String>,
    pub(crate) pool_fen: i64,
    pub(crate) operation: Uuid,
}

/// Stores a run, with the runs of its year that were released before it.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn create(
    sql: &mut PgConnection,
    name: &AllocationRunName,
    new: &New<'_>,
    by: &Actor,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "with at as (select clock_timestamp() as instant),
              former as (select coalesce(array_agg(f.id order by f.id), '{}') as ids, coalesce(sum(f.pool_fen - f.pool_former_fen), 0)::bigint as pool
                         from allocation_run f where f.town = $1 and f.fiscal_year = $3 and f.state = 'RELEASED')
         insert into allocation_run (town, id, fiscal_year, policy, purpose, as_of, households_as_of, read_time, pool_fen, pool_former_fen,
                                     former_runs, operation, created_by, created_person, created, updated)
         select $1, $2, $3, $4, $5, $6::text::date, $7::text::date, coalesce($8::text::timestamptz, at.instant), $9, former.pool, former.ids,
                $10, $11, $12, at.instant, at.instant
         from at, former",
        name.town(),
        name.allocation_run(),
        new.fiscal_year,
        new.policy,
        new.purpose,
        new.as_of,
        new.households_as_of,
        new.read_time.as_deref() as Option<&str>,
        new.pool_fen,
        new.operation,
        by.principal,
        by.person,
    );
    done.execute(sql).await?;
    Ok(())
}

/// The open run of a year.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn open(
    sql: &mut PgConnection,
    town: &str,
    fiscal_year: i32,
) -> Result<Option<String>, Refusal> {
    let id = sqlx::query_scalar!(
        "select id from allocation_run where town = $1 and fiscal_year = $2
             and state in ('COMPUTING', 'COMPUTED', 'SUBMITTED', 'APPROVED', 'RELEASING')",
        town,
        fiscal_year,
    );
    Ok(id.fetch_optional(sql).await?)
}

/// What a step writes beside the state.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mark<'a> {
    /// Nothing.
    None,
    /// All committees are computed; so many were skipped.
    Computed(i32),
    /// Who submitted it.
    Submitted(&'a Actor),
    /// Who approved or rejected it.
    Decided(&'a Actor),
    /// The operation that releases it.
    Releasing(Uuid),
    /// It is booked.
    Released,
}

/// Brings a locked run into a state.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn step(
    sql: &mut PgConnection,
    name: &AllocationRunName,
    state: RunState,
    mark: Mark<'_>,
) -> Result<(), Refusal> {
    let mut query = QueryBuilder::new("update allocation_run set state = ");
    query.push_bind(state.name()).push(", version = version + 1, updated = clock_timestamp()");
    match mark {
        Mark::None => {}
        Mark::Computed(skipped) => {
            query.push(", skipped = ").push_bind(skipped);
        }
        Mark::Submitted(by) => {
            query.push(", submitted_by = array_remove(submitted_by, ").push_bind(by.principal.clone());
            query.push(") || ").push_bind(by.principal.clone());
            if !by.person.is_empty() {
                query
                    .push(", submitted_person = array_remove(submitted_person, ")
                    .push_bind(by.person.clone());
                query.push(") || ").push_bind(by.person.clone());
            }
        }
        Mark::Decided(by) => {
            query.push(", approved_by = ").push_bind(by.principal.clone());
            query.push(", approved_person = ").push_bind(by.person.clone());
        }
        Mark::Releasing(operation) => {
            query.push(", operation = ").push_bind(operation);
        }
        Mark::Released => {
            query.push(", released = clock_timestamp()");
        }
    }
    query.push(" where town = ").push_bind(name.town()).push(" and id = ").push_bind(name.allocation_run());
    query.build().execute(sql).await?;
    Ok(())
}

/// Everybody who adjusted an allocation of a run.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn adjusters(
    sql: &mut PgConnection,
    name: &AllocationRunName,
) -> Result<Vec<Actor>, Refusal> {
    let found = sqlx::query!(
        "select distinct adjusted_by, adjusted_person from allocation_adjustment where town = $1 and run = $2",
        name.town(),
        name.allocation_run(),
    );
    let found = found.fetch_all(sql).await?;
    Ok(found.into_iter().map(|row| Actor::new(row.adjusted_by, row.adjusted_person)).collect())
}

/// How many allocations of a run are below their floor without an exception.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn exceptions_open(
    sql: &mut PgConnection,
    name: &AllocationRunName,
) -> Result<i64, Refusal> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from allocation where town = $1 and run = $2 and exception_needed"#,
        name.town(),
        name.allocation_run(),
    );
    Ok(count.fetch_one(sql).await?)
}

/// The sums of a fund in a run.
#[derive(Clone, Debug)]
pub(crate) struct FundSum {
    pub(crate) fund: String,
    pub(crate) committees: i64,
    pub(crate) floor_fen: i64,
    pub(crate) uplift_fen: i64,
    pub(crate) growth_fen: i64,
    pub(crate) supplement_fen: i64,
    pub(crate) adjustment_fen: i64,
    pub(crate) amount_fen: i64,
    pub(crate) former_fen: i64,
    pub(crate) adjusted: i64,
    pub(crate) exceptions_open: i64,
    pub(crate) exceptions_granted: i64,
    pub(crate) uncounted: i64,
    pub(crate) released: i64,
}

/// The sums of a run, by fund.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn sums(sql: &mut PgConnection, name: &AllocationRunName) -> Result<Vec<FundSum>, Refusal> {
    let sums = sqlx::query_as!(
        FundSum,
        r#"select fund, count(*) as "committees!", sum(floor_fen)::bigint as "floor_fen!", sum(uplift_fen)::bigint as "uplift_fen!",
                  sum(growth_fen)::bigint as "growth_fen!", sum(supplement_fen)::bigint as "supplement_fen!",
                  sum(adjustment_fen)::bigint as "adjustment_fen!", sum(amount_fen)::bigint as "amount_fen!",
                  sum(former_fen)::bigint as "former_fen!", count(*) filter (where adjustment_fen <> 0) as "adjusted!",
                  count(*) filter (where exception_needed) as "exceptions_open!", count(*) filter (where excepted is not null) as "exceptions_granted!",
                  count(*) filter (where households is null) as "uncounted!", count(*) filter (where state = 'RELEASED') as "released!"
           from allocation where town = $1 and run = $2 group by fund order by fund desc"#,
        name.town(),
        name.allocation_run(),
    );
    Ok(sums.fetch_all(sql).await?)
}

/// How many committees have money of former runs of the year but no allocation in this one.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn left_out(
    sql: &mut PgConnection,
    name: &AllocationRunName,
    fiscal_year: i32,
) -> Result<i64, Refusal> {
    let count = sqlx::query_scalar!(
        r#"select count(distinct f.committee) as "count!" from allocation f
           where f.town = $1 and f.fiscal_year = $3 and f.state = 'RELEASED' and f.run <> $2
               and not exists (select from allocation a where a.town = f.town and a.run = $2 and a.committee = f.committee and a.fund = f.fund)"#,
        name.town(),
        name.allocation_run(),
        fiscal_year,
    );
    Ok(count.fetch_one(sql).await?)
}
