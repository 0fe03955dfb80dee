//! The SQL of policies.

mod rows;

use std::collections::BTreeMap;

use chassis::{listing::Asked, refusal::Refusal};
use kernel::{name::FundingPolicyName, state::Named};
use sqlx::{FromRow, PgConnection, QueryBuilder};

use super::rules::{Policy, State, Terms};
use crate::{
    actor::Actor,
    ledger::{rules::Fund, store::named},
};

/// A policy as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) policy: Policy,
    pub(crate) state: State,
    pub(crate) supersedes: Option<String>,
    pub(crate) superseded_by: Option<String>,
    /// Everybody who wrote some of it: principals, and persons where they are known.
    pub(crate) written_by: Vec<String>,
    pub(crate) written_person: Vec<String>,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) published: Option<i64>,
}

impl Stored {
    /// Whether `who` wrote some of it: by his login or as a person.
    pub(crate) fn is_written_by(&self, who: &Actor) -> bool {
        self.written_by.contains(&who.principal)
            || (!who.person.is_empty() && self.written_person.contains(&who.person))
    }
}

#[derive(Clone, Debug, FromRow)]
struct Head {
    id: String,
    display_name: String,
    fiscal_year: i32,
    number: i32,
    state: String,
    effective_from: String,
    households_as_of: String,
    work_floor_fen: i64,
    service_floor_fen: i64,
    household_threshold: i32,
    supplement_fen: i64,
    growth_ppm: i64,
    growth_of_floor: bool,
    growth_of_uplift: bool,
    eligible_kinds: Vec<String>,
    month_counts_until: i32,
    notice_above_fen: Option<i64>,
    notice_always_for: Vec<String>,
    notice_days: i32,
    project_pool_fen: i64,
    days: Vec<i32>,
    supersedes: Option<String>,
    superseded_by: Option<String>,
    written_by: Vec<String>,
    written_person: Vec<String>,
    version: i64,
    created: i64,
    updated: i64,
    published: Option<i64>,
}

const HEAD: &str = "select p.id, p.display_name, p.fiscal_year, p.number, p.state, p.effective_from::text as effective_from,
    p.households_as_of::text as households_as_of, p.work_floor_fen, p.service_floor_fen, p.household_threshold, p.supplement_fen, p.growth_ppm,
    p.growth_of_floor, p.growth_of_uplift, p.eligible_kinds, p.month_counts_until, p.notice_above_fen, p.notice_always_for, p.notice_days,
    p.project_pool_fen, p.days, p.supersedes,
    (select s.id from policy s where s.town = p.town and s.supersedes = p.id) as superseded_by, p.written_by, p.written_person, p.version,
    (extract(epoch from p.created) * 1000000)::bigint as created, (extract(epoch from p.updated) * 1000000)::bigint as updated,
    (extract(epoch from p.published) * 1000000)::bigint as published
    from policy p where p.town = ";

/// A policy; locked until the end of the transaction when it is to be changed.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &FundingPolicyName,
    lock: bool,
) -> Result<Option<Stored>, Refusal> {
    let mut query = QueryBuilder::new(HEAD);
    query.push_bind(name.town()).push(" and p.id = ").push_bind(name.funding_policy());
    if lock {
        query.push(" for no key update of p");
    }
    let heads: Vec<Head> = query.build_query_as().fetch_all(&mut *sql).await?;
    Ok(rows::whole(sql, name.town(), heads).await?.into_iter().next())
}

/// The policy that is in force for a year.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn in_force(
    sql: &mut PgConnection,
    town: &str,
    fiscal_year: i32,
) -> Result<Option<Policy>, Refusal> {
    Ok(published(sql, town, fiscal_year, false).await?.map(|stored| stored.policy))
}

/// The same with what else is stored of it, locked when another is to supersede it.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn published(
    sql: &mut PgConnection,
    town: &str,
    fiscal_year: i32,
    lock: bool,
) -> Result<Option<Stored>, Refusal> {
    let mut query = QueryBuilder::new(HEAD);
    query.push_bind(town).push(" and p.fiscal_year = ").push_bind(fiscal_year);
    query.push(" and p.state = 'PUBLISHED'");
    if lock {
        query.push(" for no key update of p");
    }
    let heads: Vec<Head> = query.build_query_as().fetch_all(&mut *sql).await?;
    Ok(rows::whole(sql, town, heads).await?.into_iter().next())
}

/// The policy that something stored rests on.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn by_id(sql: &mut PgConnection, town: &str, id: &str) -> Result<Policy, Refusal> {
    let name = FundingPolicyName::new(town, id).map_err(Refusal::internal)?;
    let found = get(sql, &name, false).await?;
    Ok(found.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?.policy)
}

/// A page of policies by id.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<sqlx::Postgres> {
    let mut query = QueryBuilder::new(HEAD);
    query.push_bind(asked.town.clone());
    asked.push_page(&mut query, "p.id");
    query
}

/// A page of policies.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn list(sql: &mut PgConnection, asked: &Asked) -> Result<Vec<Stored>, Refusal> {
    let heads: Vec<Head> = list_query(asked).build_query_as().fetch_all(&mut *sql).await?;
    rows::whole(sql, &asked.town, heads).await
}

/// The columns that `terms` fill; the rows stand in tables of their own.
struct Columns<'a> {
    terms: &'a Terms,
    kinds: Vec<String>,
    effective_from: String,
    households_as_of: String,
}

impl Columns<'_> {
    fn of(terms: &Terms) -> Columns<'_> {
        Columns {
            terms,
            kinds: terms.eligible_kinds.iter().map(|kind| kind.name().to_owned()).collect(),
            effective_from: terms.effective_from.to_string(),
            households_as_of: terms.households_as_of.to_string(),
        }
    }
}

/// Stores a draft; `false` when the id is taken.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn create(
    sql: &mut PgConnection,
    name: &FundingPolicyName,
    terms: &Terms,
    by: &Actor,
) -> Result<bool, Refusal> {
    let columns = Columns::of(terms);
    let person: Vec<String> =
        Some(by.person.clone()).filter(|person| !person.is_empty()).into_iter().collect();
    let done = sqlx::query!(
        "insert into policy (town, id, display_name, fiscal_year, effective_from, households_as_of, work_floor_fen, service_floor_fen,
                             household_threshold, supplement_fen, growth_ppm, growth_of_floor, growth_of_uplift, eligible_kinds,
                             month_counts_until, notice_above_fen, notice_always_for, notice_days, project_pool_fen, days, written_by,
                             written_person)
         values ($1, $2, $3, $4, $5::text::date, $6::text::date, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
         on conflict do nothing",
        name.town(),
        name.funding_policy(),
        terms.display_name,
        terms.fiscal_year,
        columns.effective_from,
        columns.households_as_of,
        terms.work_floor.fen(),
        terms.service_floor.fen(),
        terms.household_threshold,
        terms.supplement_per_household.fen(),
        terms.growth.parts(),
        terms.growth_of_floor,
        terms.growth_of_uplift,
        &columns.kinds,
        terms.month_counts_until_day,
        terms.public_notice_above.map(|above| above.fen()),
        &terms.public_notice_always_for,
        terms.public_notice_days,
        terms.project_pool.fen(),
        &terms.days,
        std::slice::from_ref(&by.principal),
        &person,
    );
    if done.execute(&mut *sql).await?.rows_affected() == 0 {
        return Ok(false);
    }
    rows::write(sql, name, columns.terms).await?;
    Ok(true)
}

/// Writes a draft anew; the next version.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn update(
    sql: &mut PgConnection,
    name: &FundingPolicyName,
    terms: &Terms,
    by: &Actor,
) -> Result<i64, Refusal> {
    let columns = Columns::of(terms);
    let version = sqlx::query_scalar!(
        "update policy set display_name = $3, effective_from = $4::text::date, households_as_of = $5::text::date, work_floor_fen = $6,
                service_floor_fen = $7, household_threshold = $8, supplement_fen = $9, growth_ppm = $10, growth_of_floor = $11,
                growth_of_uplift = $12, eligible_kinds = $13, month_counts_until = $14, notice_above_fen = $15, notice_always_for = $16,
                notice_days = $17, project_pool_fen = $18, days = $19,
                written_by = case when $20 = any (written_by) then written_by else written_by || $20 end,
                written_person = case when $21 = '' or $21 = any (written_person) then written_person else written_person || $21 end,
                version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2 returning version",
        name.town(),
        name.funding_policy(),
        terms.display_name,
        columns.effective_from,
        columns.households_as_of,
        terms.work_floor.fen(),
        terms.service_floor.fen(),
        terms.household_threshold,
        terms.supplement_per_household.fen(),
        terms.growth.parts(),
        terms.growth_of_floor,
        terms.growth_of_uplift,
        &columns.kinds,
        terms.month_counts_until_day,
        terms.public_notice_above.map(|above| above.fen()),
        &terms.public_notice_always_for,
        terms.public_notice_days,
        terms.project_pool.fen(),
        &terms.days,
        by.principal,
        by.person,
    );
    let version = version.fetch_one(&mut *sql).await?;
    rows::clear(sql, name).await?;
    rows::write(sql, name, columns.terms).await?;
    Ok(version)
}

/// Brings a policy into another state; the next version.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn set_state(
    sql: &mut PgConnection,
    name: &FundingPolicyName,
    state: State,
) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update policy set state = $3, version = version + 1, updated = clock_timestamp() where town = $1 and id = $2 returning version",
        name.town(),
        name.funding_policy(),
        state.name(),
    );
    Ok(version.fetch_one(sql).await?)
}

/// Publishes a draft with the next number of its year, in place of `former`; the next version.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn publish(
    sql: &mut PgConnection,
    name: &FundingPolicyName,
    former: Option<&str>,
    by: &Actor,
) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update policy p set state = $3, supersedes = $4, published_by = $5, published_person = $6, published = clock_timestamp(),
                number = 1 + (select coalesce(max(o.number), 0) from policy o where o.town = p.town and o.fiscal_year = p.fiscal_year),
                version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2 returning version",
        name.town(),
        name.funding_policy(),
        State::Published.name(),
        former,
        by.principal,
        by.person,
    );
    Ok(version.fetch_one(sql).await?)
}

/// Tells the ledger what each fund may pay in the policy's year. What an account was opened for stays: what was paid stands, and the
/// policy in force refuses more of it. So does what somebody applied for: it goes its way, whatever becomes of it.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn allow(sql: &mut PgConnection, town: &str, policy: &Policy) -> Result<(), Refusal> {
    let (mut funds, mut ids, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for fund in crate::ledger::rules::Fund::ALL {
        for (id, display_name) in policy.allowed(*fund) {
            funds.push(fund.name().to_owned());
            ids.push(id.to_owned());
            names.push(display_name.to_owned());
        }
    }
    // an application that is under way is waited for: the statement behind this one sees it
    let list = sqlx::query!(
        "select from allowed_category where town = $1 and fiscal_year = $2 order by fund, category for update",
        town,
        policy.fiscal_year(),
    );
    list.execute(&mut *sql).await?;
    let gone = sqlx::query!(
        "delete from allowed_category c where c.town = $1 and c.fiscal_year = $2
             and not exists (select from unnest($3::text[], $4::text[]) as k (fund, category) where k.fund = c.fund and k.category = c.category)
             and not exists (select from account a where a.town = c.town and a.fiscal_year = c.fiscal_year and a.fund = c.fund
                             and a.category = c.category)
             and not exists (select from expense x where x.town = c.town and x.fiscal_year = c.fiscal_year and x.fund = c.fund
                             and x.category = c.category)",
        town,
        policy.fiscal_year(),
        &funds,
        &ids,
    );
    gone.execute(&mut *sql).await?;
    let added = sqlx::query!(
        "insert into allowed_category (town, fiscal_year, fund, category, display_name)
         select $1, $2, fund, category, display_name from unnest($3::text[], $4::text[], $5::text[]) as k (fund, category, display_name)
         on conflict (town, fiscal_year, fund, category) do update set display_name = excluded.display_name",
        town,
        policy.fiscal_year(),
        &funds,
        &ids,
        &names,
    );
    added.execute(sql).await?;
    Ok(())
}

/// A column's text as the state that it names.
fn state(text: &str) -> Result<State, Refusal> {
    named(text)
}

/// The names of the categories that a fund paid in any year; of several, that of the last year.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn category_names(
    sql: &mut PgConnection,
    town: &str,
    fund: Fund,
) -> Result<BTreeMap<String, String>, Refusal> {
    let rows = sqlx::query!(
        "select category, display_name from allowed_category where town = $1 and fund = $2 order by fiscal_year",
        town,
        fund.name(),
    );
    Ok(rows.fetch_all(sql).await?.into_iter().map(|row| (row.category, row.display_name)).collect())
}
