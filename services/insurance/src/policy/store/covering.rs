//! What cover checks and claims read of policies: for a day, the policy of each programme that it meets, with what it promises then.

#[cfg(test)]
mod tests;

use chassis::refusal::Refusal;
use jiff::civil::Date;
use kernel::money::Fen;
use sqlx::PgConnection;

use super::{day, named, rows::benefits};
use crate::policy::rules::{self, Days};
use crate::terms::{Ground, Terms};

/// A programme with the policy that a day meets: the one in force; else the next one, else the last before.
#[derive(Clone, Debug)]
pub(crate) struct Covering {
    /// The programme's id.
    pub(crate) programme: String,
    /// Its name as shown.
    pub(crate) title: String,
    /// Its rank: lower pays first.
    pub(crate) rank: i32,
    /// The policy's id.
    pub(crate) policy: String,
    /// The version in force on the day; the first one on a day before the policy.
    pub(crate) version: i32,
    /// The insurer: the id of an organisation.
    pub(crate) insurer: String,
    /// The first day of the policy.
    pub(crate) from: Date,
    /// The first day no longer, cut by a termination.
    pub(crate) to: Date,
    /// What the version promises.
    pub(crate) terms: Terms,
}

impl Covering {
    /// Whether the policy was in force on a day.
    pub(crate) fn holds(&self, day: Date) -> bool {
        self.from <= day && day < self.to
    }
}

/// A signed policy, without what it promises.
struct Signed {
    programme: String,
    title: String,
    rank: i32,
    policy: String,
    insurer: String,
    days: Days,
    versions: Vec<(i32, Date)>,
}

/// What `day` meets of each programme of a town, by rank; programmes without any signed policy are absent.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn covering(
    sql: &mut PgConnection,
    town: &str,
    day: Date,
) -> Result<Vec<Covering>, Refusal> {
    let all = signed(sql, town).await?;
    let mut found = Vec::new();
    for its in all.chunk_by(|one, other| one.programme == other.programme) {
        let periods: Vec<Days> = its.iter().map(|policy| policy.days).collect();
        let Some(met) = rules::met(&periods, day).and_then(|at| its.get(at)) else { continue };
        let version = rules::version_on(&met.versions, met.days, day);
        let terms = terms_of(sql, town, &met.policy, version).await?;
        found.push(Covering {
            programme: met.programme.clone(),
            title: met.title.clone(),
            rank: met.rank,
            policy: met.policy.clone(),
            version,
            insurer: met.insurer.clone(),
            from: met.days.from,
            to: met.days.to,
            terms: terms.ok_or_else(|| Refusal::internal(format!("version {version} of {}", met.policy)))?,
        });
    }
    Ok(found)
}

/// The signed policies of a town by the ranks of their programmes. One that was terminated before its first day was never in force.
async fn signed(sql: &mut PgConnection, town: &str) -> Result<Vec<Signed>, Refusal> {
    let rows = sqlx::query!(
        r#"select g.id as programme, g.display_name, g.rank, p.id, p.insurer, lower(p.valid)::text as "from!", upper(p.valid)::text as "to!",
                  array_agg(v.n order by v.n) as "numbers!", array_agg(v.from_day::text order by v.n) as "days!"
           from policy p
           join programme g on g.town = p.town and g.id = p.programme
           join policy_version v on v.town = p.town and v.policy = p.id and v.state = 'SIGNED'
           where p.town = $1 and p.state in ('SIGNED', 'TERMINATED') and not isempty(p.valid)
           group by g.town, g.id, p.town, p.id
           order by g.rank, g.id, lower(p.valid)"#,
        town,
    );
    let rows = rows.fetch_all(sql).await?.into_iter().map(|row| {
        let days = row.days.iter().map(|text| day(text)).collect::<Result<Vec<_>, _>>()?;
        Ok(Signed {
            programme: row.programme,
            title: row.display_name,
            rank: row.rank,
            policy: row.id,
            insurer: row.insurer,
            days: Days { from: day(&row.from)?, to: day(&row.to)? },
            versions: row.numbers.into_iter().zip(days).collect(),
        })
    });
    rows.collect()
}

/// What a version promises, whether it is signed or not; `None` when there is no such version.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn terms_of(
    sql: &mut PgConnection,
    town: &str,
    policy: &str,
    version: i32,
) -> Result<Option<Terms>, Refusal> {
    let row = sqlx::query!(
        "select grounds, report_within_days, limit_person_year_fen, limit_household_year_fen, limit_event_fen, limit_year_fen
         from policy_version where town = $1 and policy = $2 and n = $3",
        town,
        policy,
        version,
    );
    let Some(row) = row.fetch_optional(&mut *sql).await? else { return Ok(None) };
    let grounds = row.grounds.iter().map(|text| named::<Ground>(text)).collect::<Result<_, _>>()?;
    let table = benefits(sql, town, &[policy.to_owned()]).await?;
    let table = table.into_iter().filter(|row| row.version == version);
    Ok(Some(Terms {
        grounds,
        report_within_days: u16::try_from(row.report_within_days).map_err(Refusal::internal)?,
        benefits: table.map(|row| row.benefit).collect(),
        limit_person_year: row.limit_person_year_fen.map(Fen::of),
        limit_household_year: row.limit_household_year_fen.map(Fen::of),
        limit_event: row.limit_event_fen.map(Fen::of),
        limit_year: row.limit_year_fen.map(Fen::of),
    }))
}
