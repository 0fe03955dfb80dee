//! What belongs to a policy: its uplift table, its categories, what becomes of what is left.

use std::collections::HashMap;

use chassis::refusal::Refusal;
use kernel::{
    money::{Fen, Ppm},
    name::FundingPolicyName,
    state::Named,
};
use sqlx::PgConnection;

use super::{Head, Stored, state};
use crate::{
    ledger::{rules::Fund, store::named},
    policy::rules::{CarryOver, Category, Policy, Terms, Uplift},
};

/// The rows of a policy.
#[derive(Default)]
struct Rows {
    uplifts: Vec<Uplift>,
    categories: Vec<Category>,
    carry_overs: Vec<(Fund, CarryOver)>,
}

fn named_or_none<N: Named>(text: Option<String>) -> Result<Option<N>, Refusal> {
    text.map(|text| named(&text)).transpose()
}

/// The policies of `heads` with their rows, in that order: three statements, however many they are.
pub(super) async fn whole(
    sql: &mut PgConnection,
    town: &str,
    heads: Vec<Head>,
) -> Result<Vec<Stored>, Refusal> {
    let mut rows = read(sql, town, &heads).await?;
    heads
        .into_iter()
        .map(|head| {
            let its = rows.remove(&head.id).unwrap_or_default();
            stored(head, its)
        })
        .collect()
}

async fn read(sql: &mut PgConnection, town: &str, heads: &[Head]) -> Result<HashMap<String, Rows>, Refusal> {
    let ids: Vec<String> = heads.iter().map(|head| head.id.clone()).collect();
    let mut of: HashMap<String, Rows> = HashMap::new();
    if ids.is_empty() {
        return Ok(of);
    }
    let uplifts = sqlx::query!(
        "select policy, difficulty, management_class, kind, work_fen, service_fen from policy_uplift
         where town = $1 and policy = any($2) order by policy, n",
        town,
        &ids,
    );
    for row in uplifts.fetch_all(&mut *sql).await? {
        of.entry(row.policy).or_default().uplifts.push(Uplift {
            difficulty: named_or_none(row.difficulty)?,
            management_class: named_or_none(row.management_class)?,
            kind: named_or_none(row.kind)?,
            work: Fen::of(row.work_fen),
            service: Fen::of(row.service_fen),
        });
    }
    let categories = sqlx::query!(
        "select policy, fund, category, display_name, allowed from policy_category where town = $1 and policy = any($2) order by policy, n",
        town,
        &ids,
    );
    for row in categories.fetch_all(&mut *sql).await? {
        of.entry(row.policy).or_default().categories.push(Category {
            fund: named(&row.fund)?,
            id: row.category,
            display_name: row.display_name,
            allowed: row.allowed,
        });
    }
    let carry_overs = sqlx::query!(
        "select policy, fund, carry_over from policy_carry_over where town = $1 and policy = any($2) order by policy, fund",
        town,
        &ids,
    );
    for row in carry_overs.fetch_all(sql).await? {
        let its = (named(&row.fund)?, named(&row.carry_over)?);
        of.entry(row.policy).or_default().carry_overs.push(its);
    }
    Ok(of)
}

fn stored(head: Head, rows: Rows) -> Result<Stored, Refusal> {
    let kinds = head.eligible_kinds.iter().map(|kind| named(kind)).collect::<Result<_, _>>()?;
    let days = head.days.try_into().map_err(|_| Refusal::internal("terms of a policy"))?;
    let terms = Terms {
        display_name: head.display_name,
        fiscal_year: head.fiscal_year,
        effective_from: head.effective_from.parse().map_err(Refusal::internal)?,
        households_as_of: head.households_as_of.parse().map_err(Refusal::internal)?,
        work_floor: Fen::of(head.work_floor_fen),
        service_floor: Fen::of(head.service_floor_fen),
        household_threshold: head.household_threshold,
        supplement_per_household: Fen::of(head.supplement_fen),
        uplifts: rows.uplifts,
        growth: Ppm::of(head.growth_ppm),
        growth_of_floor: head.growth_of_floor,
        growth_of_uplift: head.growth_of_uplift,
        eligible_kinds: kinds,
        month_counts_until_day: head.month_counts_until,
        carry_overs: rows.carry_overs,
        public_notice_above: head.notice_above_fen.map(Fen::of),
        public_notice_always_for: head.notice_always_for,
        public_notice_days: head.notice_days,
        categories: rows.categories,
        project_pool: Fen::of(head.project_pool_fen),
        days,
    };
    let policy = Policy::new(&head.id, head.number, terms)
        .map_err(|faults| Refusal::internal(format!("policy {}: {faults:?}", head.id)))?;
    Ok(Stored {
        policy,
        state: state(&head.state)?,
        supersedes: head.supersedes,
        superseded_by: head.superseded_by,
        written_by: head.written_by,
        written_person: head.written_person,
        version: head.version,
        created: head.created,
        updated: head.updated,
        published: head.published,
    })
}

/// Takes the rows of a draft away.
pub(super) async fn clear(sql: &mut PgConnection, name: &FundingPolicyName) -> Result<(), Refusal> {
    let (town, policy) = (name.town(), name.funding_policy());
    sqlx::query!("delete from policy_uplift where town = $1 and policy = $2", town, policy)
        .execute(&mut *sql)
        .await?;
    sqlx::query!("delete from policy_category where town = $1 and policy = $2", town, policy)
        .execute(&mut *sql)
        .await?;
    sqlx::query!("delete from policy_carry_over where town = $1 and policy = $2", town, policy)
        .execute(sql)
        .await?;
    Ok(())
}

fn column<'a, T, V>(rows: &'a [T], of: impl Fn(&'a T) -> V) -> Vec<V> {
    rows.iter().map(of).collect()
}

fn text<N: Named>(name: Option<N>) -> Option<String> {
    name.map(|name| name.name().to_owned())
}

/// Writes the rows of a draft.
pub(super) async fn write(
    sql: &mut PgConnection,
    name: &FundingPolicyName,
    terms: &Terms,
) -> Result<(), Refusal> {
    let uplifts = sqlx::query!(
        "insert into policy_uplift (town, policy, n, difficulty, management_class, kind, work_fen, service_fen)
         select $1, $2, n, difficulty, management_class, kind, work_fen, service_fen
         from unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[]) with ordinality
              as u (difficulty, management_class, kind, work_fen, service_fen, n)",
        name.town(),
        name.funding_policy(),
        &column(&terms.uplifts, |row| text(row.difficulty)) as &[Option<String>],
        &column(&terms.uplifts, |row| text(row.management_class)) as &[Option<String>],
        &column(&terms.uplifts, |row| text(row.kind)) as &[Option<String>],
        &column(&terms.uplifts, |row| row.work.fen()),
        &column(&terms.uplifts, |row| row.service.fen()),
    );
    uplifts.execute(&mut *sql).await?;
    let categories = sqlx::query!(
        "insert into policy_category (town, policy, n, fund, category, display_name, allowed)
         select $1, $2, n, fund, category, display_name, allowed
         from unnest($3::text[], $4::text[], $5::text[], $6::bool[]) with ordinality as c (fund, category, display_name, allowed, n)",
        name.town(),
        name.funding_policy(),
        &column(&terms.categories, |row| row.fund.name().to_owned()),
        &column(&terms.categories, |row| row.id.clone()),
        &column(&terms.categories, |row| row.display_name.clone()),
        &column(&terms.categories, |row| row.allowed),
    );
    categories.execute(&mut *sql).await?;
    let carry_overs = sqlx::query!(
        "insert into policy_carry_over (town, policy, fund, carry_over)
         select $1, $2, fund, carry_over from unnest($3::text[], $4::text[]) as c (fund, carry_over)",
        name.town(),
        name.funding_policy(),
        &column(&terms.carry_overs, |(fund, _)| fund.name().to_owned()),
        &column(&terms.carry_overs, |(_, what)| what.name().to_owned()),
    );
    carry_overs.execute(sql).await?;
    Ok(())
}
