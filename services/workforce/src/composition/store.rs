//! The SQL of targets and of mixes.

use chassis::{history, listing::Asked, refusal::Refusal};
use jiff::civil::Date;
use kernel::state::Named;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder, types::Json};

use super::rules::{Mix, Terms, Trait};
use crate::worker::rules::{Schooling, Sex};

/// A target as it is stored.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Target {
    pub(crate) town: String,
    /// The committee's id; empty for the town.
    pub(crate) committee: String,
    from_day: String,
    pub(crate) terms: Json<Terms>,
    pub(crate) version: i64,
    pub(crate) updated: i64,
    /// The last part of its name.
    pub(crate) id: String,
}

impl Target {
    /// From when on.
    pub(crate) fn since(&self) -> Result<Date, Refusal> {
        history::day(&self.from_day)
    }

    /// Its name.
    pub(crate) fn name(&self) -> String {
        format!("towns/{}/compositionTargets/{}", self.town, self.id)
    }
}

const HEAD: &str = "select * from (select c.town, c.committee, c.from_day::text as from_day, c.terms, c.version,
    (extract(epoch from c.updated) * 1000000)::bigint as updated,
    c.from_day || case c.committee when '' then '' else '-' || c.committee end as id from composition_target c) t where t.town = ";

/// A page of targets by id: the town's, and those of the caller's committees.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(HEAD);
    query.push_bind(asked.town.clone());
    if !asked.scope.is_town() {
        query.push(" and (t.committee = '' or t.committee = any(");
        query.push_bind(asked.scope.ids().1.to_vec()).push("))");
    }
    asked.push_page(&mut query, "t.id");
    query
}

/// The target that counts on a day: the committee's own, or the town's.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn of(
    sql: &mut PgConnection,
    town: &str,
    committee: &str,
    day: Date,
) -> Result<Option<Target>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(town).push(" and t.committee in ('', ").push_bind(committee);
    query.push(") and t.from_day::date <= ").push_bind(day.to_string());
    query.push("::text::date order by t.committee desc, t.from_day desc limit 1");
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// The target that was said from a day on.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn said(
    sql: &mut PgConnection,
    town: &str,
    committee: &str,
    from_day: Date,
) -> Result<Option<Target>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(town).push(" and t.committee = ").push_bind(committee);
    query.push(" and t.from_day = ").push_bind(from_day.to_string());
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// Says a target.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn set(
    sql: &mut PgConnection,
    town: &str,
    committee: &str,
    (from_day, terms): (Date, &Terms),
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "insert into composition_target (town, committee, from_day, terms) values ($1, $2, $3::text::date, $4)
         on conflict (town, committee, from_day) do update
             set terms = excluded.terms, version = composition_target.version + 1, updated = clock_timestamp()",
        town,
        committee,
        from_day.to_string(),
        Json(terms) as _,
    );
    done.execute(sql).await?;
    Ok(())
}

/// How many who hold a post of a committee on a day, or of the town when it is empty, are of each age, schooling and sex.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn mix(
    sql: &mut PgConnection,
    town: &str,
    committee: &str,
    (day, age_on): (Date, Date),
) -> Result<Mix, Refusal> {
    let rows = sqlx::query!(
        r#"select greatest(0, extract(year from age($4::text::date, w.birth)))::integer as "age!", w.schooling, w.sex, count(*) as "persons!"
           from posting p join worker w on w.town = p.town and w.id = p.worker
           where p.town = $1 and p.kind = 'POST' and ($2 = '' or p.committee = $2) and upper_inf(p.recorded) and p.valid @> $3::text::date
           group by 1, 2, 3"#,
        town,
        committee,
        day.to_string(),
        age_on.to_string(),
    );
    let rows = rows.fetch_all(sql).await?;
    rows.into_iter().map(|row| Ok((read(row.age, &row.schooling, &row.sex)?, row.persons))).collect()
}

/// What counts of a worker, as columns have it.
///
/// # Errors
/// When a column names nothing.
pub(crate) fn read(age: i32, schooling: &str, sex: &str) -> Result<Trait, Refusal> {
    let schooling = Schooling::from_name(schooling).ok_or_else(|| Refusal::internal("no schooling"))?;
    let sex = Sex::from_name(sex).ok_or_else(|| Refusal::internal("no sex"))?;
    Ok(Trait { age, schooling, sex })
}
