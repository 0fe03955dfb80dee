//! Allocations by sets of a thousand: computed ones stored, approved ones taken up and marked as booked.

use chassis::refusal::Refusal;
use kernel::{
    money::Fen,
    name::{AllocationRunName, CommitteeName},
    state::Named,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    allocation::rules::{Calculation, Facts},
    ledger::{rules::Fund, store::named},
};

/// What is computed for a committee and a fund.
#[derive(Clone, Debug)]
pub(crate) struct Computed {
    pub(crate) committee: CommitteeName,
    pub(crate) display_name: String,
    pub(crate) fund: Fund,
    pub(crate) facts: Facts,
    pub(crate) calculation: Calculation,
    /// The floor of the fund.
    pub(crate) least: Fen,
}

fn column<V>(rows: &[Computed], of: impl Fn(&Computed) -> V) -> Vec<V> {
    rows.iter().map(of).collect()
}

fn name<N: Named>(named: Option<N>) -> Option<String> {
    named.map(|named| named.name().to_owned())
}

/// Stores what is computed, with what former runs of the year gave: one statement. What the run has already stays as it is.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn insert(
    sql: &mut PgConnection,
    run: &AllocationRunName,
    fiscal_year: i32,
    rows: &[Computed],
) -> Result<(), Refusal> {
    let year = |n: usize| column(rows, |row| row.calculation.lines[n].twelve_months.fen());
    let part = |n: usize| column(rows, |row| row.calculation.lines[n].amount.fen());
    let done = sqlx::query!(
        "with given as (
             select * from unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::int[],
                                  $13::text[], $14::int[], $15::int[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[],
                                  $21::bigint[], $22::bigint[], $23::bigint[], $24::bigint[])
                 as g (id, committee, fund, display_name, kind, management_class, difficulty, begun_on, households, counted_on, months, above,
                       floor_year, floor_part, uplift_year, uplift_part, growth_year, growth_part, supplement_year, supplement_part, least)),
         former as (
             select a.committee, a.fund, sum(a.amount_fen - a.former_fen)::bigint as fen from allocation a
             where a.town = $1 and a.fiscal_year = $3 and a.state = 'RELEASED' and a.committee = any($5) group by a.committee, a.fund)
         insert into allocation (town, id, run, fiscal_year, committee, fund, display_name, kind, management_class, difficulty, begun_on,
                                 households, counted_on, months, above, floor_year_fen, floor_fen, uplift_year_fen, uplift_fen, growth_year_fen,
                                 growth_fen, supplement_year_fen, supplement_fen, least_fen, former_fen)
         select $1, g.id, $2, $3, g.committee, g.fund, g.display_name, g.kind, g.management_class, g.difficulty, g.begun_on::date, g.households,
                g.counted_on::date, g.months, g.above, g.floor_year, g.floor_part, g.uplift_year, g.uplift_part, g.growth_year, g.growth_part,
                g.supplement_year, g.supplement_part, g.least, coalesce(f.fen, 0)
         from given g left join former f on f.committee = g.committee and f.fund = g.fund
         on conflict (town, run, committee, fund) do nothing",
        run.town(),
        run.allocation_run(),
        fiscal_year,
        &column(rows, |_| Uuid::now_v7().to_string()),
        &column(rows, |row| row.committee.committee().to_owned()),
        &column(rows, |row| row.fund.name().to_owned()),
        &column(rows, |row| row.display_name.clone()),
        &column(rows, |row| row.facts.kind.name().to_owned()),
        &column(rows, |row| name(row.facts.management_class)) as &[Option<String>],
        &column(rows, |row| name(row.facts.difficulty)) as &[Option<String>],
        &column(rows, |row| row.facts.begun_on.map(|day| day.to_string())) as &[Option<String>],
        &column(rows, |row| row.facts.households) as &[Option<i32>],
        &column(rows, |row| row.facts.counted_on.map(|day| day.to_string())) as &[Option<String>],
        &column(rows, |row| row.calculation.months),
        &column(rows, |row| row.calculation.above),
        &year(0),
        &part(0),
        &year(1),
        &part(1),
        &year(2),
        &part(2),
        &year(3),
        &part(3),
        &column(rows, |row| row.least.fen()),
    );
    done.execute(sql).await?;
    Ok(())
}

/// An allocation that is to be booked.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) id: String,
    pub(crate) committee: String,
    pub(crate) fund: Fund,
    pub(crate) amount: Fen,
    /// What this run books: above zero, the committee gets more.
    pub(crate) difference: Fen,
    pub(crate) version: i64,
}

/// The next allocations of a run that are not booked, behind the one that was last.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn due(
    sql: &mut PgConnection,
    run: &AllocationRunName,
    after: &str,
    limit: i64,
) -> Result<Vec<Due>, Refusal> {
    let rows = sqlx::query!(
        "select id, committee, fund, amount_fen, former_fen, version from allocation
         where town = $1 and run = $2 and id > $3 and state = 'COMPUTED' order by id limit $4",
        run.town(),
        run.allocation_run(),
        after,
        limit,
    );
    let rows = rows.fetch_all(sql).await?.into_iter();
    let due = rows.map(|row| {
        Ok(Due {
            id: row.id,
            committee: row.committee,
            fund: named(&row.fund)?,
            amount: Fen::of(row.amount_fen),
            difference: Fen::of(row.amount_fen)
                .checked_sub(Fen::of(row.former_fen))
                .map_err(Refusal::internal)?,
            version: row.version,
        })
    });
    due.collect()
}

/// Marks allocations as booked by their entries.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn booked(
    sql: &mut PgConnection,
    town: &str,
    due: &[(&Due, Option<Uuid>)],
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update allocation a set state = 'RELEASED', released = clock_timestamp(), entry = b.entry, version = a.version + 1,
                updated = clock_timestamp()
         from unnest($2::text[], $3::uuid[]) as b (id, entry) where a.town = $1 and a.id = b.id",
        town,
        &due.iter().map(|(due, _)| due.id.clone()).collect::<Vec<_>>(),
        &due.iter().map(|(_, entry)| *entry).collect::<Vec<_>>() as &[Option<Uuid>],
    );
    done.execute(sql).await?;
    Ok(())
}

/// What a run takes back from a committee.
#[derive(Clone, Debug)]
pub(crate) struct Taking {
    pub(crate) id: String,
    pub(crate) committee: String,
    pub(crate) fund: Fund,
    pub(crate) account: Uuid,
    pub(crate) taken: Fen,
}

/// What a run takes back, by account behind `after`.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn takings(
    sql: &mut PgConnection,
    run: &AllocationRunName,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Taking>, Refusal> {
    let rows = sqlx::query!(
        "select a.id, a.committee, a.fund, c.id as account, a.former_fen - a.amount_fen as \"taken!\"
         from allocation a join account c on c.town = a.town and c.kind = 'COMMITTEE' and c.fund = a.fund and c.fiscal_year = a.fiscal_year
              and c.committee = a.committee and c.earmark is null
         where a.town = $1 and a.run = $2 and a.state = 'COMPUTED' and a.amount_fen < a.former_fen and c.id > $3
         order by c.id limit $4",
        run.town(),
        run.allocation_run(),
        after,
        limit,
    );
    let rows = rows.fetch_all(sql).await?.into_iter();
    let takings = rows.map(|row| {
        Ok(Taking {
            id: row.id,
            committee: row.committee,
            fund: named(&row.fund)?,
            account: row.account,
            taken: Fen::of(row.taken),
        })
    });
    takings.collect()
}
