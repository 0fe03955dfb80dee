//! The SQL of rotas.

pub(super) mod duties;
pub(super) mod facts;
pub(super) mod swaps;

use chassis::{actor::Actor, history, identity::Scope, listing::Asked, refusal::Refusal};
use jiff::civil::Date;
use kernel::{
    calendar::{Calendar, DayKind},
    name::RotaName,
    state::Named,
};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder, types::Json};
use uuid::Uuid;

use super::{
    plan::{Policy, Window},
    rules::State,
};

/// A policy as it is stored.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Terms {
    pub(super) town: String,
    pub(super) id: Uuid,
    pub(super) from_day: String,
    pub(super) terms: Json<Policy>,
    pub(super) created: i64,
}

/// How even the duties of a committee were.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Even {
    pub(super) committee: String,
    pub(super) whole_days: bool,
    pub(super) duties: u32,
    pub(super) uncovered: u32,
    pub(super) least: u32,
    pub(super) most: u32,
    pub(super) evenness: String,
}

/// A rota as it is stored.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Row {
    pub(super) town: String,
    pub(super) id: Uuid,
    starts: String,
    ends: String,
    state: String,
    pub(super) policy: Option<Uuid>,
    pub(super) policy_from: Option<String>,
    pub(super) terms: Json<Policy>,
    pub(super) provisional: bool,
    pub(super) fairness: Json<Vec<Even>>,
    pub(super) replaces: Option<Uuid>,
    pub(super) replaced_by: Option<Uuid>,
    made_by: String,
    made_person: String,
    pub(super) version: i64,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) committees: Vec<String>,
    pub(super) duties: i64,
    pub(super) uncovered: i64,
    pub(super) changed_days: Vec<String>,
    pub(super) changed_from: Vec<String>,
    pub(super) changed_to: Vec<String>,
}

impl Row {
    /// Its name.
    pub(super) fn name(&self) -> String {
        name(&self.town, self.id)
    }

    /// The first day, and the first no longer.
    pub(super) fn days(&self) -> Result<(Date, Date), Refusal> {
        Ok((history::day(&self.starts)?, history::day(&self.ends)?))
    }

    /// Its state.
    pub(super) fn state(&self) -> Result<State, Refusal> {
        State::from_name(&self.state).ok_or_else(|| Refusal::internal("state of a rota"))
    }

    /// Who made it.
    pub(super) fn maker(&self) -> Actor {
        Actor::new(&self.made_by, &self.made_person)
    }
}

/// The name of a rota.
pub(super) fn name(town: &str, id: Uuid) -> String {
    format!("towns/{town}/rotas/{id}")
}

/// The statement up to its condition; a day's kind now is what the calendar says.
fn head(calendar: &Calendar) -> QueryBuilder<Postgres> {
    let special = calendar.changed_since(&Calendar::default());
    let (days, kinds): (Vec<String>, Vec<&str>) =
        special.iter().map(|(day, kind)| (day.to_string(), kind.name())).unzip();
    let kinds: Vec<String> = kinds.into_iter().map(str::to_owned).collect();
    let mut query = QueryBuilder::new("with special as (select s.day::date as day, s.kind from unnest(");
    query.push_bind(days).push("::text[], ").push_bind(kinds).push(
        "::text[]) s(day, kind)),
    moved as (select d.town, d.rota, d.day, d.kind, n.kind as now from rota_day d left join special s on s.day = d.day,
        lateral (select coalesce(s.kind, case when extract(isodow from d.day) >= 6 then 'REST' else 'WORK' end) as kind) n
        where n.kind <> d.kind)
    select r.town, r.id, r.starts::text as starts, r.ends::text as ends, r.state, r.policy, p.from_day::text as policy_from, r.terms,
    r.provisional, r.fairness, r.replaces, r.replaced_by, r.made_by, r.made_person, r.version,
    (extract(epoch from r.created) * 1000000)::bigint as created, (extract(epoch from r.updated) * 1000000)::bigint as updated,
    array(select c.committee from rota_committee c where c.town = r.town and c.rota = r.id order by c.committee) as committees,
    (select count(*) from duty d where d.town = r.town and d.rota = r.id) as duties,
    (select count(*) from duty d where d.town = r.town and d.rota = r.id and d.worker is null and d.standing <> 'ENDED') as uncovered,
    array(select m.day::text from moved m where m.town = r.town and m.rota = r.id order by m.day) as changed_days,
    array(select m.kind from moved m where m.town = r.town and m.rota = r.id order by m.day) as changed_from,
    array(select m.now from moved m where m.town = r.town and m.rota = r.id order by m.day) as changed_to
    from rota r left join rota_policy p on p.town = r.town and p.id = r.policy where r.town = ",
    );
    query
}

fn push_scope(query: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if !scope.is_town() {
        query.push(" and exists (select from rota_committee c where c.town = r.town and c.rota = r.id and c.committee = any(");
        query.push_bind(scope.ids().1.to_vec()).push("))");
    }
}

/// A page of rotas in the order of their making.
pub(super) fn list_query(
    asked: &Asked,
    calendar: &Calendar,
    changed: bool,
    committee: Option<&str>,
) -> QueryBuilder<Postgres> {
    let mut query = head(calendar);
    query.push_bind(asked.town.clone());
    push_scope(&mut query, &asked.scope);
    if changed {
        query.push(" and exists (select from moved m where m.town = r.town and m.rota = r.id)");
    }
    if let Some(committee) = committee {
        query.push(" and exists (select from rota_committee c where c.town = r.town and c.rota = r.id and c.committee = ");
        query.push_bind(committee.to_owned()).push(")");
    }
    asked.push_uuid_page(&mut query, "r.id");
    query
}

/// A rota with a committee of the caller's areas.
pub(super) async fn get(
    sql: &mut PgConnection,
    name: &RotaName,
    scope: &Scope,
    calendar: &Calendar,
) -> Result<Option<Row>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.rota()) else { return Ok(None) };
    let mut query = head(calendar);
    query.push_bind(name.town()).push(" and r.id = ").push_bind(id);
    push_scope(&mut query, scope);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// Whoever makes, publishes or edits rotas of a town waits for whoever does: what is read stays so until the end.
pub(super) async fn lock(sql: &mut PgConnection, town: &str) -> Result<(), Refusal> {
    let key = format!("rotas of {town}");
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", key).execute(sql).await?;
    Ok(())
}

/// The policies of a town.
pub(super) fn policies_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select town, id, from_day::text as from_day, terms, (extract(epoch from created) * 1000000)::bigint as created
         from rota_policy where town = ",
    );
    query.push_bind(asked.town.clone());
    asked.push_uuid_page(&mut query, "id");
    query
}

/// Records a policy.
pub(super) async fn create_policy(
    sql: &mut PgConnection,
    town: &str,
    from: Date,
    policy: &Policy,
) -> Result<Terms, Refusal> {
    let stored = sqlx::query_as!(
        Terms,
        r#"insert into rota_policy (town, id, from_day, terms) values ($1, $2, $3::text::date, $4)
           returning town, id, from_day::text as "from_day!", terms as "terms: Json<Policy>",
               (extract(epoch from created) * 1000000)::bigint as "created!""#,
        town,
        Uuid::now_v7(),
        from.to_string(),
        Json(policy) as _,
    );
    Ok(stored.fetch_one(sql).await?)
}

/// The policy that counts on a day.
pub(super) async fn policy_on(
    sql: &mut PgConnection,
    town: &str,
    day: Date,
) -> Result<Option<(Uuid, Policy)>, Refusal> {
    let found = sqlx::query!(
        r#"select id, terms as "terms: Json<Policy>" from rota_policy where town = $1 and from_day <= $2::text::date
           order by from_day desc, id desc limit 1"#,
        town,
        day.to_string(),
    );
    Ok(found.fetch_optional(sql).await?.map(|row| (row.id, row.terms.0)))
}

/// A rota of those committees that has one of the days as well, with the committee.
pub(super) async fn overlapping(
    sql: &mut PgConnection,
    town: &str,
    (committees, from, to): (&[String], Date, Date),
    but: Option<Uuid>,
) -> Result<Option<(Uuid, String)>, Refusal> {
    let found = sqlx::query!(
        "select rota, committee from rota_committee
         where town = $1 and committee = any($2) and standing <> 'ENDED' and days && daterange($3::text::date, $4::text::date)
           and rota is distinct from $5 order by rota, committee limit 1",
        town,
        committees,
        from.to_string(),
        to.to_string(),
        but,
    );
    Ok(found.fetch_optional(sql).await?.map(|row| (row.rota, row.committee)))
}

/// A rota that is made.
#[derive(Debug)]
pub(super) struct New<'a> {
    pub(super) town: &'a str,
    pub(super) id: Uuid,
    pub(super) days: (Date, Date),
    pub(super) policy: Option<Uuid>,
    pub(super) terms: &'a Policy,
    pub(super) provisional: bool,
    pub(super) fairness: Vec<Even>,
    pub(super) replaces: Option<Uuid>,
    pub(super) committees: &'a [String],
    pub(super) kinds: &'a [(Date, DayKind)],
}

/// Stores a rota without its duties.
pub(super) async fn create(sql: &mut PgConnection, new: &New<'_>, by: &Actor) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "insert into rota (town, id, starts, ends, state, policy, terms, provisional, fairness, replaces, made_by, made_person)
         values ($1, $2, $3::text::date, $4::text::date, 'DRAFT', $5, $6, $7, $8, $9, $10, $11)",
        new.town,
        new.id,
        new.days.0.to_string(),
        new.days.1.to_string(),
        new.policy,
        Json(new.terms) as _,
        new.provisional,
        Json(&new.fairness) as _,
        new.replaces,
        by.principal,
        by.person,
    );
    done.execute(&mut *sql).await?;
    let done = sqlx::query!(
        "insert into rota_committee (town, rota, committee, standing, days)
         select $1, $2, c, 'DRAFT', daterange($4::text::date, $5::text::date) from unnest($3::text[]) c",
        new.town,
        new.id,
        new.committees,
        new.days.0.to_string(),
        new.days.1.to_string(),
    );
    done.execute(&mut *sql).await?;
    let (days, kinds): (Vec<String>, Vec<String>) =
        new.kinds.iter().map(|(day, kind)| (day.to_string(), kind.name().to_owned())).unzip();
    let done = sqlx::query!(
        "insert into rota_day (town, rota, day, kind)
         select $1, $2, d.day::date, d.kind from unnest($3::text[], $4::text[]) d(day, kind)",
        new.town,
        new.id,
        &days,
        &kinds,
    );
    done.execute(sql).await?;
    Ok(())
}

/// Puts a draft in force.
pub(super) async fn publish(sql: &mut PgConnection, row: &Row, by: &Actor) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update rota set state = 'PUBLISHED', published_by = $3, published_person = $4, version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2",
        row.town,
        row.id,
        by.principal,
        by.person,
    );
    done.execute(&mut *sql).await?;
    stand(sql, row, "IN_FORCE").await
}

/// Throws a draft away.
pub(super) async fn discard(sql: &mut PgConnection, row: &Row) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update rota set state = 'DISCARDED', version = version + 1, updated = clock_timestamp() where town = $1 and id = $2",
        row.town,
        row.id,
    );
    done.execute(&mut *sql).await?;
    stand(sql, row, "ENDED").await
}

/// What a rota stands as, with all its duties.
async fn stand(sql: &mut PgConnection, row: &Row, standing: &str) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update rota_committee set standing = $3 where town = $1 and rota = $2",
        row.town,
        row.id,
        standing,
    );
    done.execute(&mut *sql).await?;
    let done = sqlx::query!(
        "update duty set standing = $3, version = version + 1, updated = clock_timestamp() where town = $1 and rota = $2",
        row.town,
        row.id,
        standing,
    );
    done.execute(sql).await?;
    Ok(())
}

/// Ends a published rota from a day on; the duties before it stand.
pub(super) async fn supersede(
    sql: &mut PgConnection,
    row: &Row,
    by: Uuid,
    from: Date,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update rota set state = 'SUPERSEDED', replaced_by = $3, version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2",
        row.town,
        row.id,
        by,
    );
    done.execute(&mut *sql).await?;
    let done = sqlx::query!(
        "update rota_committee set days = days * daterange(null, $3::text::date),
             standing = case when isempty(days * daterange(null, $3::text::date)) then 'ENDED' else standing end
         where town = $1 and rota = $2",
        row.town,
        row.id,
        from.to_string(),
    );
    done.execute(&mut *sql).await?;
    let done = sqlx::query!(
        "update duty set standing = 'ENDED', version = version + 1, updated = clock_timestamp()
         where town = $1 and rota = $2 and day >= $3::text::date",
        row.town,
        row.id,
        from.to_string(),
    );
    done.execute(sql).await?;
    Ok(())
}

/// Counts an edit of its duties.
pub(super) async fn touch(sql: &mut PgConnection, town: &str, id: Uuid) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update rota set version = version + 1, updated = clock_timestamp() where town = $1 and id = $2",
        town,
        id,
    );
    done.execute(sql).await?;
    Ok(())
}

/// Those who gave or took its duties by hand.
pub(super) async fn editors(sql: &mut PgConnection, row: &Row) -> Result<Vec<Actor>, Refusal> {
    let found = sqlx::query!(
        "select distinct assigned_by, assigned_person from duty where town = $1 and rota = $2 and assigned_by <> ''",
        row.town,
        row.id,
    );
    let found = found.fetch_all(sql).await?;
    Ok(found.into_iter().map(|row| Actor::new(row.assigned_by, row.assigned_person)).collect())
}

/// A window by its name.
pub(super) fn window(name: &str) -> Result<Window, Refusal> {
    Window::from_name(name).ok_or_else(|| Refusal::internal("window of a duty"))
}
