//! The SQL of policies.

use chassis::refusal::Refusal;
use kernel::{
    money::{Fen, Ppm},
    state::Named,
};
use sqlx::PgConnection;

use crate::terms::{Benefit, Form};

/// Text of a table as what it stands for; the table's checks hold it there.
///
/// # Errors
/// INTERNAL for text that stands for nothing.
pub(crate) fn named<N: Named>(text: &str) -> Result<N, Refusal> {
    N::from_name(text).ok_or_else(|| Refusal::internal(format!("{text} in insurance")))
}

/// A row of a benefit table, with what the contract notes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BenefitRow {
    pub(crate) benefit: Benefit,
    pub(crate) note: String,
}

/// The benefit table of a version.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn benefits(
    sql: &mut PgConnection,
    town: &str,
    policy: &str,
    version: i32,
) -> Result<Vec<BenefitRow>, Refusal> {
    let rows = sqlx::query!(
        "select peril, object, insured_by, form, fixed_fen, sum_fen, parts_ppm, deductible_fen, share_ppm, waiting_days, limit_person_year_fen,
                limit_household_year_fen, limit_event_fen, note
         from policy_benefit where town = $1 and policy = $2 and version = $3 order by n",
        town,
        policy,
        version,
    );
    let rows = rows.fetch_all(sql).await?.into_iter().map(|row| {
        let form =
            match (row.fixed_fen, row.sum_fen.zip(row.parts_ppm), row.deductible_fen.zip(row.share_ppm)) {
                (Some(fixed), ..) => Form::Fixed(Fen::of(fixed)),
                (None, Some((sum, parts)), _) => Form::ByGrade { sum: Fen::of(sum), parts: grades(&parts)? },
                (None, None, Some((deductible, share))) => {
                    Form::Loss { deductible: Fen::of(deductible), share: Ppm::of(share.into()) }
                }
                (None, None, None) => return Err(Refusal::internal(format!("{} of {policy}", row.form))),
            };
        let benefit = Benefit {
            peril: row.peril,
            object: named(&row.object)?,
            insured_by: named(&row.insured_by)?,
            form,
            waiting_days: u16::try_from(row.waiting_days).map_err(Refusal::internal)?,
            limit_person_year: row.limit_person_year_fen.map(Fen::of),
            limit_household_year: row.limit_household_year_fen.map(Fen::of),
            limit_event: row.limit_event_fen.map(Fen::of),
        };
        Ok(BenefitRow { benefit, note: row.note })
    });
    rows.collect()
}

fn grades(parts: &[i32]) -> Result<[Ppm; crate::terms::GRADES], Refusal> {
    let parts: Vec<Ppm> = parts.iter().map(|part| Ppm::of((*part).into())).collect();
    parts.try_into().map_err(|_| Refusal::internal("a benefit by grade without ten grades"))
}
