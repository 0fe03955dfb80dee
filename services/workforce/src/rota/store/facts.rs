//! What duties rest on: posts, employment, certificates, leave, and duties that stand.

use std::collections::BTreeMap;

use chassis::{history, refusal::Refusal};
use jiff::{
    ToSpan,
    civil::{Date, date},
};
use kernel::periods::Period;
use sqlx::PgConnection;
use uuid::Uuid;

use super::window;
use crate::rota::{
    plan::{Committee, Standing},
    rules::{Candidates, Facts},
};

/// Days on both sides of a rota on which duties of others matter for rest.
const NEAR: i32 = 70;

/// Days of some committees.
#[derive(Clone, Copy, Debug)]
pub(in crate::rota) struct Asked<'a> {
    pub(in crate::rota) town: &'a str,
    pub(in crate::rota) committees: &'a [String],
    pub(in crate::rota) from: Date,
    /// The first day no longer.
    pub(in crate::rota) to: Date,
}

impl Asked<'_> {
    fn whole(&self) -> Result<Period, Refusal> {
        Period::new(self.from, Some(self.to)).map_err(Refusal::internal)
    }
}

fn period(from: Option<&str>, to: Option<&str>) -> Result<Period, Refusal> {
    let from = from.map_or(Ok(date(1900, 1, 1)), history::day)?;
    Period::new(from, to.map(history::day).transpose()?).map_err(Refusal::internal)
}

/// The facts of everybody with a post of a committee on one of the days, by committee and worker.
async fn facts(
    sql: &mut PgConnection,
    asked: Asked<'_>,
) -> Result<BTreeMap<(String, String), Facts>, Refusal> {
    let (from, to) = (asked.from.to_string(), asked.to.to_string());
    let posts = sqlx::query!(
        "select p.worker, p.committee, lower(p.valid)::text as starts, upper(p.valid)::text as ends,
                w.confirmed_on::text as confirmed, w.left_on::text as gone
         from posting p join worker w on w.town = p.town and w.id = p.worker
         where p.town = $1 and p.committee = any($2) and upper_inf(p.recorded) and p.valid && daterange($3::text::date, $4::text::date)
         order by p.committee, p.worker, p.valid",
        asked.town,
        asked.committees,
        from,
        to,
    );
    let mut facts: BTreeMap<(String, String), Facts> = BTreeMap::new();
    let mut workers = Vec::new();
    for row in posts.fetch_all(&mut *sql).await? {
        let its = facts.entry((row.committee, row.worker.clone())).or_default();
        its.posted.push(period(row.starts.as_deref(), row.ends.as_deref())?);
        its.active = match row.confirmed.as_deref() {
            Some(confirmed) => period(Some(confirmed), row.gone.as_deref()).ok(),
            None => None,
        };
        workers.push(row.worker);
    }
    workers.sort();
    workers.dedup();
    let mut trained: BTreeMap<String, Vec<Period>> = BTreeMap::new();
    let held = sqlx::query!(
        r#"select worker as "worker!", lower(valid)::text as starts, upper(valid)::text as ends from certificate
           where town = $1 and worker = any($2) and kind = 'ONBOARDING' and voided is null and valid && daterange($3::text::date, $4::text::date)"#,
        asked.town,
        &workers,
        from,
        to,
    );
    for row in held.fetch_all(&mut *sql).await? {
        let days = period(row.starts.as_deref(), row.ends.as_deref())?;
        trained.entry(row.worker).or_default().push(days);
    }
    let mut away: BTreeMap<String, Vec<Period>> = BTreeMap::new();
    let leave = sqlx::query!(
        "select worker, lower(valid)::text as starts, upper(valid)::text as ends from absence
         where town = $1 and worker = any($2) and cancelled is null and valid && daterange($3::text::date, $4::text::date)",
        asked.town,
        &workers,
        from,
        to,
    );
    for row in leave.fetch_all(sql).await? {
        let days = period(row.starts.as_deref(), row.ends.as_deref())?;
        away.entry(row.worker).or_default().push(days);
    }
    for ((_, worker), its) in &mut facts {
        its.trained = trained.get(worker).cloned().unwrap_or_default();
        its.away = away.get(worker).cloned().unwrap_or_default();
    }
    Ok(facts)
}

/// Whole-day duties and windows in force of the year before a day, by committee and worker.
async fn counts(
    sql: &mut PgConnection,
    asked: Asked<'_>,
) -> Result<BTreeMap<(String, String), (u32, u32)>, Refusal> {
    let found = sqlx::query!(
        r#"select committee, worker as "worker!", count(*) filter (where part = 'DAY') as "days!", count(*) filter (where part <> 'DAY') as "windows!"
           from duty where town = $1 and committee = any($2) and standing = 'IN_FORCE' and worker is not null
             and day >= $3::text::date and day < $4::text::date
           group by committee, worker"#,
        asked.town,
        asked.committees,
        date(asked.from.year(), 1, 1).to_string(),
        asked.from.to_string(),
    );
    let number = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
    let found = found.fetch_all(sql).await?;
    Ok(found
        .into_iter()
        .map(|row| ((row.committee, row.worker), (number(row.days), number(row.windows))))
        .collect())
}

/// Everybody who may be on duty, as a plan takes them: the committees in the order that is asked for.
pub(in crate::rota) async fn committees(
    sql: &mut PgConnection,
    asked: Asked<'_>,
) -> Result<Vec<Committee>, Refusal> {
    let whole = asked.whole()?;
    let facts = facts(&mut *sql, asked).await?;
    let counts = counts(sql, asked).await?;
    let mut committees: Vec<Committee> =
        asked.committees.iter().map(|id| Committee { id: id.clone(), candidates: Vec::new() }).collect();
    let place: BTreeMap<&str, usize> =
        asked.committees.iter().enumerate().map(|(n, id)| (id.as_str(), n)).collect();
    for (key, its) in &facts {
        let before = counts.get(key).copied().unwrap_or_default();
        if let Some(n) = place.get(key.0.as_str()) {
            committees[*n].candidates.push(its.candidate(&key.1, whole, before));
        }
    }
    Ok(committees)
}

/// The same by committee and worker, for duties that are looked at again.
pub(in crate::rota) async fn candidates(
    sql: &mut PgConnection,
    asked: Asked<'_>,
) -> Result<Candidates, Refusal> {
    let whole = asked.whole()?;
    let facts = facts(sql, asked).await?;
    Ok(facts
        .into_iter()
        .map(|(key, its)| {
            let candidate = its.candidate(&key.1, whole, (0, 0));
            (key, candidate)
        })
        .collect())
}

/// What stands of other rotas near the days, of those with a post of the committees; `replaced` doesn't from the first day on.
pub(in crate::rota) async fn standing(
    sql: &mut PgConnection,
    asked: Asked<'_>,
    replaced: Option<Uuid>,
) -> Result<Vec<Standing>, Refusal> {
    let (first, last) = (asked.from.saturating_sub(NEAR.days()), asked.to.saturating_add(NEAR.days()));
    let found = sqlx::query!(
        r#"select d.worker as "worker!", d.day::text as "day!", d.part from duty d
           where d.town = $1 and d.standing = 'IN_FORCE' and d.day >= $3::text::date and d.day < $4::text::date
             and (d.rota is distinct from $5 or d.day < $6::text::date)
             and d.worker in (select p.worker from posting p where p.town = $1 and p.committee = any($2) and upper_inf(p.recorded)
                              and p.valid && daterange($6::text::date, $7::text::date))
           order by d.worker, d.day"#,
        asked.town,
        asked.committees,
        first.to_string(),
        last.to_string(),
        replaced,
        asked.from.to_string(),
        asked.to.to_string(),
    );
    let found = found.fetch_all(sql).await?;
    let standing = |worker: String, day: &str, part: &str| {
        Ok(Standing { worker, day: history::day(day)?, window: window(part)? })
    };
    found.into_iter().map(|row| standing(row.worker, &row.day, &row.part)).collect()
}

/// The other duties of a worker near a day that stand with this one: those in force, and those of its own rota.
pub(in crate::rota) async fn others(
    sql: &mut PgConnection,
    (town, worker, day): (&str, &str, Date),
    (rota, but): (Uuid, &[Uuid]),
) -> Result<Vec<Standing>, Refusal> {
    let (first, last) = (day.saturating_sub(NEAR.days()), day.saturating_add(NEAR.days()));
    let found = sqlx::query!(
        r#"select day::text as "day!", part from duty
           where town = $1 and worker = $2 and (standing = 'IN_FORCE' or (standing = 'DRAFT' and rota = $3))
             and day between $4::text::date and $5::text::date and not id = any($6)
           order by day"#,
        town,
        worker,
        rota,
        first.to_string(),
        last.to_string(),
        but,
    );
    let standing = |day: &str, part: &str| {
        Ok(Standing { worker: worker.to_owned(), day: history::day(day)?, window: window(part)? })
    };
    let found = found.fetch_all(sql).await?;
    found.into_iter().map(|row| standing(&row.day, &row.part)).collect()
}
