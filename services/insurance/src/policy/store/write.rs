//! Writing policies.

use chassis::{actor::Actor, refusal::Refusal};
use jiff::civil::Date;
use kernel::{
    money::{Fen, Ppm},
    name::PolicyName,
    state::Named,
};
use sqlx::PgConnection;

use super::By;
use crate::{
    policy::rules::{Contract, Head, State},
    terms::{Benefit, Form},
};

/// Stores a draft without its version; `false` when the id is taken.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn create(
    sql: &mut PgConnection,
    name: &PolicyName,
    programme: &str,
    head: &Head,
) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "insert into policy (town, id, programme, number, insurer, insurer_credit_code, starts, ends)
         values ($1, $2, $3, $4, $5, $6, $7::text::date, $8::text::date) on conflict (town, id) do nothing",
        name.town(),
        name.policy(),
        programme,
        head.number,
        head.insurer,
        head.credit_code,
        head.days.from.to_string(),
        head.days.to.to_string(),
    );
    Ok(done.execute(sql).await?.rows_affected() == 1)
}

/// Writes a draft anew, without its version.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn update(sql: &mut PgConnection, name: &PolicyName, head: &Head) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update policy set number = $3, insurer = $4, insurer_credit_code = $5, starts = $6::text::date, ends = $7::text::date,
                version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2",
        name.town(),
        name.policy(),
        head.number,
        head.insurer,
        head.credit_code,
        head.days.from.to_string(),
        head.days.to.to_string(),
    );
    done.execute(sql).await?;
    Ok(())
}

/// Brings a policy into another state, or only to its next version.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn step(
    sql: &mut PgConnection,
    name: &PolicyName,
    to: Option<State>,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update policy set state = coalesce($3, state), version = version + 1, updated = clock_timestamp() where town = $1 and id = $2",
        name.town(),
        name.policy(),
        to.map(State::name),
    );
    done.execute(sql).await?;
    Ok(())
}

/// A version that is to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) n: i32,
    pub(crate) from: Date,
    pub(crate) reason: &'a str,
    pub(crate) contract: &'a Contract,
}

/// Writes a draft of a version, anew when it is there; whoever writes is one of its writers from now on.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn draft(
    sql: &mut PgConnection,
    name: &PolicyName,
    draft: Draft<'_>,
    by: &Actor,
) -> Result<(), Refusal> {
    let Contract { insured, terms, premium, .. } = draft.contract;
    let grounds: Vec<String> = terms.grounds.iter().map(|ground| ground.name().to_owned()).collect();
    let done = sqlx::query!(
        "insert into policy_version as v (town, policy, n, from_day, reason, insured, grounds, report_within_days, limit_person_year_fen,
                limit_household_year_fen, limit_event_fen, limit_year_fen, premium_fixed_fen, premium_per_household_fen,
                premium_per_person_fen, insured_households, insured_persons, written_by, written_person)
         values ($1, $2, $3, $4::text::date, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, array[$18], array[$19])
         on conflict (town, policy, n) do update set from_day = excluded.from_day, reason = excluded.reason, insured = excluded.insured,
                grounds = excluded.grounds, report_within_days = excluded.report_within_days,
                limit_person_year_fen = excluded.limit_person_year_fen, limit_household_year_fen = excluded.limit_household_year_fen,
                limit_event_fen = excluded.limit_event_fen, limit_year_fen = excluded.limit_year_fen,
                premium_fixed_fen = excluded.premium_fixed_fen, premium_per_household_fen = excluded.premium_per_household_fen,
                premium_per_person_fen = excluded.premium_per_person_fen, insured_households = excluded.insured_households,
                insured_persons = excluded.insured_persons, updated = clock_timestamp(),
                written_by = case when wrote($18, $19, v.written_by, v.written_person) then v.written_by else v.written_by || $18 end,
                written_person = case when wrote($18, $19, v.written_by, v.written_person) then v.written_person else v.written_person || $19 end",
        name.town(),
        name.policy(),
        draft.n,
        draft.from.to_string(),
        draft.reason,
        insured,
        &grounds,
        i32::from(terms.report_within_days),
        terms.limit_person_year.map(Fen::fen),
        terms.limit_household_year.map(Fen::fen),
        terms.limit_event.map(Fen::fen),
        terms.limit_year.map(Fen::fen),
        premium.fixed.fen(),
        premium.per_household.fen(),
        premium.per_person.fen(),
        premium.households,
        premium.persons,
        by.principal,
        by.person,
    );
    done.execute(&mut *sql).await?;
    clear(sql, name, draft.n).await?;
    benefits(sql, name, draft).await?;
    premiums(sql, name, draft).await
}

/// Takes the rows of a draft away.
async fn clear(sql: &mut PgConnection, name: &PolicyName, n: i32) -> Result<(), Refusal> {
    let (town, policy) = (name.town(), name.policy());
    sqlx::query!(
        "delete from policy_benefit where town = $1 and policy = $2 and version = $3",
        town,
        policy,
        n
    )
    .execute(&mut *sql)
    .await?;
    sqlx::query!(
        "delete from policy_premium_share where town = $1 and policy = $2 and version = $3",
        town,
        policy,
        n
    )
    .execute(&mut *sql)
    .await?;
    sqlx::query!(
        "delete from policy_instalment where town = $1 and policy = $2 and version = $3",
        town,
        policy,
        n
    )
    .execute(sql)
    .await?;
    Ok(())
}

/// Throws the draft of an endorsement away.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn discard(sql: &mut PgConnection, name: &PolicyName, n: i32) -> Result<(), Refusal> {
    clear(sql, name, n).await?;
    sqlx::query!(
        "delete from policy_version where town = $1 and policy = $2 and n = $3",
        name.town(),
        name.policy(),
        n
    )
    .execute(sql)
    .await?;
    Ok(())
}

fn column<'a, T, V>(rows: &'a [T], of: impl Fn(&'a T) -> V) -> Vec<V> {
    rows.iter().map(of).collect()
}

fn parts(share: Ppm) -> i32 {
    i32::try_from(share.parts()).unwrap_or(i32::MAX)
}

/// The columns of a form.
struct Columns {
    form: &'static str,
    fixed: Option<Fen>,
    sum: Option<Fen>,
    /// As an array of SQL in text.
    parts: Option<String>,
    deductible: Option<Fen>,
    share: Option<Ppm>,
}

impl Columns {
    fn of(benefit: &Benefit) -> Columns {
        let none = Columns { form: "", fixed: None, sum: None, parts: None, deductible: None, share: None };
        match benefit.form {
            Form::Fixed(sum) => Columns { form: "FIXED", fixed: Some(sum), ..none },
            Form::ByGrade { sum, parts: by_grade } => {
                let all: Vec<String> = by_grade.iter().map(|part| part.parts().to_string()).collect();
                Columns {
                    form: "BY_GRADE",
                    sum: Some(sum),
                    parts: Some(format!("{{{}}}", all.join(","))),
                    ..none
                }
            }
            Form::Loss { deductible, share } => {
                Columns { form: "LOSS", deductible: Some(deductible), share: Some(share), ..none }
            }
        }
    }
}

async fn benefits(sql: &mut PgConnection, name: &PolicyName, draft: Draft<'_>) -> Result<(), Refusal> {
    let rows = &draft.contract.terms.benefits;
    let forms: Vec<Columns> = rows.iter().map(Columns::of).collect();
    let done = sqlx::query!(
        "insert into policy_benefit (town, policy, version, n, peril, object, insured_by, form, fixed_fen, sum_fen, parts_ppm, deductible_fen,
                share_ppm, waiting_days, limit_person_year_fen, limit_household_year_fen, limit_event_fen, note, sum_insured_fen)
         select $1, $2, $3, n, peril, object, insured_by, form, fixed, total, parts::integer[], deductible, share, waiting, person, household,
                event, note, insured
         from unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::text[], $11::bigint[], $12::integer[],
                     $13::integer[], $14::bigint[], $15::bigint[], $16::bigint[], $17::text[], $18::bigint[]) with ordinality
              as b (peril, object, insured_by, form, fixed, total, parts, deductible, share, waiting, person, household, event, note, insured, n)",
        name.town(),
        name.policy(),
        draft.n,
        &column(rows, |row| row.peril.clone()),
        &column(rows, |row| row.object.name().to_owned()),
        &column(rows, |row| row.insured_by.name().to_owned()),
        &column(&forms, |form| form.form.to_owned()),
        &column(&forms, |form| form.fixed.map(Fen::fen)) as &[Option<i64>],
        &column(&forms, |form| form.sum.map(Fen::fen)) as &[Option<i64>],
        &column(&forms, |form| form.parts.clone()) as &[Option<String>],
        &column(&forms, |form| form.deductible.map(Fen::fen)) as &[Option<i64>],
        &column(&forms, |form| form.share.map(parts)) as &[Option<i32>],
        &column(rows, |row| i32::from(row.waiting_days)),
        &column(rows, |row| row.limit_person_year.map(Fen::fen)) as &[Option<i64>],
        &column(rows, |row| row.limit_household_year.map(Fen::fen)) as &[Option<i64>],
        &column(rows, |row| row.limit_event.map(Fen::fen)) as &[Option<i64>],
        &draft.contract.notes,
        &column(rows, |row| row.sum_insured.map(Fen::fen)) as &[Option<i64>],
    );
    done.execute(sql).await?;
    Ok(())
}

async fn premiums(sql: &mut PgConnection, name: &PolicyName, draft: Draft<'_>) -> Result<(), Refusal> {
    let premium = &draft.contract.premium;
    let shares = sqlx::query!(
        "insert into policy_premium_share (town, policy, version, n, bearer, share_ppm)
         select $1, $2, $3, n, bearer, share from unnest($4::text[], $5::integer[]) with ordinality as s (bearer, share, n)",
        name.town(),
        name.policy(),
        draft.n,
        &column(&premium.shares, |(bearer, _)| bearer.clone()),
        &column(&premium.shares, |(_, share)| parts(*share)),
    );
    shares.execute(&mut *sql).await?;
    let instalments = sqlx::query!(
        "insert into policy_instalment (town, policy, version, n, due_on, amount_fen)
         select $1, $2, $3, n, due::date, amount from unnest($4::text[], $5::bigint[]) with ordinality as i (due, amount, n)",
        name.town(),
        name.policy(),
        draft.n,
        &column(&premium.instalments, |instalment| instalment.due.to_string()),
        &column(&premium.instalments, |instalment| instalment.amount.fen()),
    );
    instalments.execute(sql).await?;
    Ok(())
}

/// Signs a version.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn sign_version(
    sql: &mut PgConnection,
    name: &PolicyName,
    n: i32,
    by: By<'_>,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update policy_version set state = 'SIGNED', signed_by = $4, signed_person = $5, signed_on = $6::text::date, updated = clock_timestamp()
         where town = $1 and policy = $2 and n = $3",
        name.town(),
        name.policy(),
        n,
        by.actor.principal,
        by.actor.person,
        by.day.to_string(),
    );
    done.execute(sql).await?;
    Ok(())
}

/// Signs a policy, whose first version is.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn sign(sql: &mut PgConnection, name: &PolicyName, day: Date) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update policy set state = 'SIGNED', signed_on = $3::text::date, version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2",
        name.town(),
        name.policy(),
        day.to_string(),
    );
    done.execute(sql).await?;
    Ok(())
}

/// Ends a policy before its time: `on` is the first day no longer.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn terminate(
    sql: &mut PgConnection,
    name: &PolicyName,
    (on, reason): (Date, &str),
    by: By<'_>,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update policy set state = 'TERMINATED', terminated_on = $3::text::date, termination_reason = $4, termination_on = $5::text::date,
                terminated_by = $6, terminated_person = $7, version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2",
        name.town(),
        name.policy(),
        on.to_string(),
        reason,
        by.day.to_string(),
        by.actor.principal,
        by.actor.person,
    );
    done.execute(sql).await?;
    Ok(())
}

/// Notes that an instalment was paid.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn pay(
    sql: &mut PgConnection,
    name: &PolicyName,
    (version, n): (i32, i32),
    (on, reference): (Date, &str),
    by: &Actor,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update policy_instalment set paid_on = $5::text::date, reference = $6, paid_by = $7, paid_person = $8
         where town = $1 and policy = $2 and version = $3 and n = $4",
        name.town(),
        name.policy(),
        version,
        n,
        on.to_string(),
        reference,
        by.principal,
        by.person,
    );
    done.execute(&mut *sql).await?;
    step(sql, name, None).await
}
