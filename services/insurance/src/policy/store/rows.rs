//! What belongs to policies: their versions with benefit tables, shares and instalments.

use std::collections::HashMap;

use chassis::{actor::Actor, refusal::Refusal};
use kernel::money::{Fen, Ppm};
use sqlx::PgConnection;

use super::{day, day_or_none, named};
use crate::{
    policy::rules::{Contract, Instalment, Premium, Version},
    terms::{Benefit, Form, GRADES, Terms},
};

/// A row of a benefit table, with what the contract notes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BenefitRow {
    policy: String,
    pub(crate) version: i32,
    pub(crate) benefit: Benefit,
    note: String,
}

/// The versions of policies by the policies' ids.
pub(super) async fn versions(
    sql: &mut PgConnection,
    town: &str,
    policies: &[String],
) -> Result<HashMap<String, Vec<Version>>, Refusal> {
    let mut tables: HashMap<(String, i32), Vec<BenefitRow>> = HashMap::new();
    for row in benefits(sql, town, policies).await? {
        tables.entry((row.policy.clone(), row.version)).or_default().push(row);
    }
    let mut premiums = premiums(sql, town, policies).await?;
    let rows = sqlx::query!(
        r#"select policy, n, from_day::text as "from_day!", state, insured, grounds, report_within_days, limit_person_year_fen,
                  limit_household_year_fen, limit_event_fen, limit_year_fen, premium_fixed_fen, premium_per_household_fen,
                  premium_per_person_fen, insured_households, insured_persons, reason, written_by, written_person, signed_by,
                  signed_on::text as signed_on
           from policy_version where town = $1 and policy = any($2) order by policy, n"#,
        town,
        policies,
    );
    let mut versions: HashMap<String, Vec<Version>> = HashMap::new();
    for row in rows.fetch_all(sql).await? {
        let key = (row.policy.clone(), row.n);
        let table = tables.remove(&key).unwrap_or_default();
        let (benefits, notes) = table.into_iter().map(|row| (row.benefit, row.note)).unzip();
        let premium = premiums.remove(&key).unwrap_or_default();
        let terms = Terms {
            grounds: row.grounds.iter().map(|text| named(text)).collect::<Result<_, _>>()?,
            report_within_days: u16::try_from(row.report_within_days).map_err(Refusal::internal)?,
            benefits,
            limit_person_year: row.limit_person_year_fen.map(Fen::of),
            limit_household_year: row.limit_household_year_fen.map(Fen::of),
            limit_event: row.limit_event_fen.map(Fen::of),
            limit_year: row.limit_year_fen.map(Fen::of),
        };
        let premium = Premium {
            fixed: Fen::of(row.premium_fixed_fen),
            per_household: Fen::of(row.premium_per_household_fen),
            per_person: Fen::of(row.premium_per_person_fen),
            households: row.insured_households,
            persons: row.insured_persons,
            ..premium
        };
        let writers = row.written_by.into_iter().zip(row.written_person);
        versions.entry(row.policy).or_default().push(Version {
            n: row.n,
            from: day(&row.from_day)?,
            state: named(&row.state)?,
            reason: row.reason,
            contract: Contract { insured: row.insured, terms, notes, premium },
            writers: writers.map(|(principal, person)| Actor::new(principal, person)).collect(),
            signed: day_or_none(row.signed_on)?.map(|day| (row.signed_by, day)),
        });
    }
    Ok(versions)
}

/// Shares and instalments by policy and version; the rest of a premium stands with its version.
async fn premiums(
    sql: &mut PgConnection,
    town: &str,
    policies: &[String],
) -> Result<HashMap<(String, i32), Premium>, Refusal> {
    let mut premiums: HashMap<(String, i32), Premium> = HashMap::new();
    let shares = sqlx::query!(
        "select policy, version, bearer, share_ppm from policy_premium_share where town = $1 and policy = any($2) order by policy, version, n",
        town,
        policies,
    );
    for row in shares.fetch_all(&mut *sql).await? {
        let premium = premiums.entry((row.policy, row.version)).or_default();
        premium.shares.push((row.bearer, Ppm::of(row.share_ppm.into())));
    }
    let instalments = sqlx::query!(
        r#"select policy, version, due_on::text as "due_on!", amount_fen, paid_on::text as paid_on, reference
           from policy_instalment where town = $1 and policy = any($2) order by policy, version, n"#,
        town,
        policies,
    );
    for row in instalments.fetch_all(sql).await? {
        let premium = premiums.entry((row.policy, row.version)).or_default();
        premium.instalments.push(Instalment {
            due: day(&row.due_on)?,
            amount: Fen::of(row.amount_fen),
            paid: day_or_none(row.paid_on)?.map(|day| (day, row.reference)),
        });
    }
    Ok(premiums)
}

/// The benefit tables of policies, by policy, version and place in the table.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn benefits(
    sql: &mut PgConnection,
    town: &str,
    policies: &[String],
) -> Result<Vec<BenefitRow>, Refusal> {
    let rows = sqlx::query!(
        "select policy, version, peril, object, insured_by, form, fixed_fen, sum_fen, parts_ppm, deductible_fen, share_ppm, waiting_days,
                limit_person_year_fen, limit_household_year_fen, limit_event_fen, note, sum_insured_fen
         from policy_benefit where town = $1 and policy = any($2) order by policy, version, n",
        town,
        policies,
    );
    let rows = rows.fetch_all(sql).await?.into_iter().map(|row| {
        let (graded, loss) = (row.sum_fen.zip(row.parts_ppm), row.deductible_fen.zip(row.share_ppm));
        let form = match (row.fixed_fen, graded, loss) {
            (Some(fixed), ..) => Form::Fixed(Fen::of(fixed)),
            (None, Some((sum, parts)), _) => Form::ByGrade { sum: Fen::of(sum), parts: grades(&parts)? },
            (None, None, Some((deductible, share))) => {
                Form::Loss { deductible: Fen::of(deductible), share: Ppm::of(share.into()) }
            }
            (None, None, None) => return Err(Refusal::internal(format!("a benefit {}", row.form))),
        };
        let benefit = Benefit {
            peril: row.peril,
            object: named(&row.object)?,
            insured_by: named(&row.insured_by)?,
            form,
            sum_insured: row.sum_insured_fen.map(Fen::of),
            waiting_days: u16::try_from(row.waiting_days).map_err(Refusal::internal)?,
            limit_person_year: row.limit_person_year_fen.map(Fen::of),
            limit_household_year: row.limit_household_year_fen.map(Fen::of),
            limit_event: row.limit_event_fen.map(Fen::of),
        };
        Ok(BenefitRow { policy: row.policy, version: row.version, benefit, note: row.note })
    });
    rows.collect()
}

fn grades(parts: &[i32]) -> Result<[Ppm; GRADES], Refusal> {
    let parts: Vec<Ppm> = parts.iter().map(|part| Ppm::of((*part).into())).collect();
    parts.try_into().map_err(|_| Refusal::internal("a benefit by grade without ten grades"))
}
