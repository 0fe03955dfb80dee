//! What is known of workers and months when their pay is computed: employment, posts, certificates, duties. One question each for many
//! workers at a time.

use std::collections::{BTreeMap, HashMap};

use chassis::{history, refusal::Refusal};
use jiff::civil::Date;
use sqlx::PgConnection;

use crate::pay::rules::{Certificate, Duty, Facts, Held, months_on};

/// The days of an employment, as far as pay asks.
#[derive(Clone, Debug)]
pub(crate) struct Employment {
    /// The worker's id.
    pub(crate) worker: String,
    hired: Date,
    confirmed: Option<Date>,
}

/// The next workers by id who are employed on one of the days, or got a statement of one of the months: `after` comes before them.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn employments(
    sql: &mut PgConnection,
    town: &str,
    (since, end): (Date, Date),
    (after, limit): (&str, i64),
) -> Result<Vec<Employment>, Refusal> {
    let rows = sqlx::query!(
        r#"select w.id, w.hired_on::text as "hired!", w.confirmed_on::text as confirmed from worker w
           where w.town = $1 and w.id > $4 and (
               w.employed && daterange($2::text::date, $3::text::date)
               or exists (select from pay_statement s where s.town = w.town and s.worker = w.id and s.month >= $2::text::date))
           order by w.id limit $5"#,
        town,
        since.to_string(),
        end.to_string(),
        after,
        limit,
    );
    let rows = rows.fetch_all(sql).await?;
    rows.into_iter()
        .map(|row| {
            Ok(Employment {
                worker: row.id,
                hired: history::day(&row.hired)?,
                confirmed: row.confirmed.as_deref().map(history::day).transpose()?,
            })
        })
        .collect()
}

/// How many workers [`employments`] finds in all.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn count(
    sql: &mut PgConnection,
    town: &str,
    (since, end): (Date, Date),
) -> Result<i64, Refusal> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from worker w
           where w.town = $1 and (
               w.employed && daterange($2::text::date, $3::text::date)
               or exists (select from pay_statement s where s.town = w.town and s.worker = w.id and s.month >= $2::text::date))"#,
        town,
        since.to_string(),
        end.to_string(),
    );
    Ok(count.fetch_one(sql).await?)
}

/// Days on which something held, by worker. Each worker is looked up by itself (`offset 0` keeps it so), however large the tables are.
type ByWorker<T> = HashMap<String, Vec<Held<T>>>;

async fn posts(
    sql: &mut PgConnection,
    town: &str,
    workers: &[String],
    (since, end): (Date, Date),
) -> Result<ByWorker<String>, Refusal> {
    let rows = sqlx::query!(
        r#"select worker, post, lower(days)::text as "starts!", upper(days)::text as "ends!"
           from unnest($2::text[]) o (its)
           cross join lateral (
               select p.worker, p.post, p.valid * daterange($3::text::date, $4::text::date) as days from posting p
               where p.town = $1 and p.worker = o.its and p.kind = 'POST' and upper_inf(p.recorded)
                   and p.valid && daterange($3::text::date, $4::text::date) offset 0) d
           order by worker, lower(days)"#,
        town,
        workers,
        since.to_string(),
        end.to_string(),
    );
    let mut held: ByWorker<String> = HashMap::new();
    for row in rows.fetch_all(sql).await? {
        let (from, to) = (history::day(&row.starts)?, history::day(&row.ends)?);
        held.entry(row.worker).or_default().push(Held { what: row.post, from, to });
    }
    Ok(held)
}

async fn certificates(
    sql: &mut PgConnection,
    town: &str,
    workers: &[String],
    (since, end): (Date, Date),
) -> Result<ByWorker<Certificate>, Refusal> {
    let rows = sqlx::query!(
        r#"select worker as "worker!", kind, lower(days)::text as "starts!", upper(days)::text as "ends!"
           from (select c.id, c.worker, c.kind, c.valid * daterange($3::text::date, $4::text::date) as days from certificate c
                 where c.town = $1 and c.worker = any($2) and c.kind in ('ASSISTANT_SOCIAL_WORKER', 'SOCIAL_WORKER', 'SENIOR_SOCIAL_WORKER')
                     and c.voided is null and c.valid && daterange($3::text::date, $4::text::date)) d
           order by worker, lower(days), id"#,
        town,
        workers,
        since.to_string(),
        end.to_string(),
    );
    let mut held: ByWorker<Certificate> = HashMap::new();
    for row in rows.fetch_all(sql).await? {
        let what = match row.kind.as_str() {
            "ASSISTANT_SOCIAL_WORKER" => Certificate::AssistantSocialWorker,
            "SOCIAL_WORKER" => Certificate::SocialWorker,
            "SENIOR_SOCIAL_WORKER" => Certificate::SeniorSocialWorker,
            other => return Err(Refusal::internal(format!("a certificate of the kind {other}"))),
        };
        let (from, to) = (history::day(&row.starts)?, history::day(&row.ends)?);
        held.entry(row.worker).or_default().push(Held { what, from, to });
    }
    Ok(held)
}

/// Days on duty by kind, of workers and months from `since` on: what was told last to a run that stands.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn duties(
    sql: &mut PgConnection,
    town: &str,
    workers: &[String],
    since: Date,
) -> Result<HashMap<(String, Date), BTreeMap<Duty, i32>>, Refusal> {
    let rows = sqlx::query!(
        r#"select distinct on (d.worker, d.month) d.worker, d.month::text as "month!", d.rest_days, d.holiday_days
           from pay_duty d join pay_run r on r.town = d.town and r.id = d.run and r.state <> 'CANCELLED'
           where d.town = $1 and d.worker = any($2) and d.month >= $3::text::date
           order by d.worker, d.month, r.created desc, r.id desc"#,
        town,
        workers,
        since.to_string(),
    );
    let mut duties = HashMap::new();
    for row in rows.fetch_all(sql).await? {
        let kinds = [(Duty::Rest, row.rest_days), (Duty::Holiday, row.holiday_days)].into();
        duties.insert((row.worker, history::day(&row.month)?), kinds);
    }
    Ok(duties)
}

/// All that is known of some workers from a day on until another.
pub(crate) struct Known {
    posts: ByWorker<String>,
    certificates: ByWorker<Certificate>,
    duties: HashMap<(String, Date), BTreeMap<Duty, i32>>,
}

/// Reads it.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn known(
    sql: &mut PgConnection,
    town: &str,
    workers: &[String],
    days: (Date, Date),
) -> Result<Known, Refusal> {
    Ok(Known {
        posts: posts(sql, town, workers, days).await?,
        certificates: certificates(sql, town, workers, days).await?,
        duties: duties(sql, town, workers, days.0).await?,
    })
}

/// The part of days that lies within a month.
fn within<T: Clone>(held: Option<&Vec<Held<T>>>, month: Date) -> Vec<Held<T>> {
    let end = months_on(month, 1);
    let cut = held.into_iter().flatten().filter(|held| held.from < end && held.to > month);
    cut.map(|held| Held { what: held.what.clone(), from: held.from.max(month), to: held.to.min(end) })
        .collect()
}

impl Known {
    /// What is known of a worker and a month.
    pub(crate) fn facts(&self, of: &Employment, month: Date) -> Facts {
        Facts {
            month,
            hired: of.hired,
            confirmed: of.confirmed,
            posts: within(self.posts.get(&of.worker), month),
            certificates: within(self.certificates.get(&of.worker), month),
            duties: self.duties.get(&(of.worker.clone(), month)).cloned().unwrap_or_default(),
        }
    }
}
