//! The SQL of duties.

use chassis::{actor::Actor, history, identity::Scope, listing::Asked, paging, refusal::Refusal};
use jiff::civil::Date;
use kernel::{name::DutyName, state::Named};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder, types::Json};
use uuid::Uuid;

use super::window;
use crate::rota::{
    plan::{Choice, Committee, Duty, Policy, Why, Window},
    rules::Given,
};

/// A duty as it is stored.
#[derive(Clone, Debug, FromRow)]
pub(in crate::rota) struct Row {
    pub(in crate::rota) town: String,
    pub(in crate::rota) id: Uuid,
    pub(in crate::rota) rota: Uuid,
    pub(in crate::rota) committee: String,
    pub(in crate::rota) day: String,
    pub(in crate::rota) kind: String,
    pub(in crate::rota) part: String,
    pub(in crate::rota) seat: i32,
    pub(in crate::rota) begins: i32,
    pub(in crate::rota) ends: i32,
    pub(in crate::rota) worker: Option<String>,
    pub(in crate::rota) display_name: Option<String>,
    /// The person of the worker, an id.
    pub(in crate::rota) person: Option<String>,
    pub(in crate::rota) why: Json<Why>,
    pub(in crate::rota) violations: Vec<String>,
    pub(in crate::rota) standing: String,
    pub(in crate::rota) version: i64,
    pub(in crate::rota) created: i64,
    pub(in crate::rota) updated: i64,
}

impl Row {
    /// Its name.
    pub(in crate::rota) fn name(&self) -> String {
        name(&self.town, self.id)
    }

    /// Its day.
    pub(in crate::rota) fn day(&self) -> Result<Date, Refusal> {
        history::day(&self.day)
    }

    /// Its part of the day.
    pub(in crate::rota) fn window(&self) -> Result<Window, Refusal> {
        window(&self.part)
    }

    /// Whether it is published and not replaced.
    pub(in crate::rota) fn is_in_force(&self) -> bool {
        self.standing == "IN_FORCE"
    }

    /// With a worker, to be looked at.
    pub(in crate::rota) fn given<'a>(&'a self, worker: &'a str) -> Result<Given<'a>, Refusal> {
        Ok(Given { committee: &self.committee, worker, day: self.day()?, window: self.window()? })
    }
}

/// The name of a duty.
pub(in crate::rota) fn name(town: &str, id: Uuid) -> String {
    format!("towns/{town}/duties/{id}")
}

const HEAD: &str = "select d.town, d.id, d.rota, d.committee, d.day::text as day, d.kind, d.part, d.seat, d.begins, d.ends, d.worker,
    w.display_name, w.person, d.why, d.violations, d.standing, d.version, (extract(epoch from d.created) * 1000000)::bigint as created,
    (extract(epoch from d.updated) * 1000000)::bigint as updated
    from duty d left join worker w on w.town = d.town and w.id = d.worker where d.town = ";

fn push_scope(query: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if !scope.is_town() {
        query.push(" and d.committee = any(").push_bind(scope.ids().1.to_vec()).push(")");
    }
}

/// A page of duties.
pub(in crate::rota) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(HEAD);
    query.push_bind(asked.town.clone());
    push_scope(&mut query, &asked.scope);
    asked.push_uuid_page(&mut query, "d.id");
    query
}

/// A duty of the caller's areas.
pub(in crate::rota) async fn get(
    sql: &mut PgConnection,
    name: &DutyName,
    scope: &Scope,
) -> Result<Option<Row>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.duty()) else { return Ok(None) };
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(name.town()).push(" and d.id = ").push_bind(id);
    push_scope(&mut query, scope);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A duty by id, that must be there.
pub(in crate::rota) async fn of(sql: &mut PgConnection, town: &str, id: Uuid) -> Result<Row, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(town).push(" and d.id = ").push_bind(id);
    let found = query.build_query_as().fetch_optional(sql).await?;
    found.ok_or_else(|| Refusal::internal("a duty vanished"))
}

/// The duties of a rota that haven't ended, from a day on.
pub(in crate::rota) async fn of_rota(
    sql: &mut PgConnection,
    (town, rota): (&str, Uuid),
    from: Date,
) -> Result<Vec<Row>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(town).push(" and d.rota = ").push_bind(rota);
    query.push(" and d.standing <> 'ENDED' and d.day >= ").push_bind(from.to_string());
    query.push("::text::date order by d.id");
    Ok(query.build_query_as().fetch_all(sql).await?)
}

/// Stores the duties of a rota that is made, in their order.
pub(in crate::rota) async fn create(
    sql: &mut PgConnection,
    (town, rota): (&str, Uuid),
    (policy, committees): (&Policy, &[Committee]),
    duties: &[Duty],
) -> Result<(), Refusal> {
    const PIECE: usize = 5_000;
    for piece in duties.chunks(PIECE) {
        let text = |of: fn(&Duty) -> String| piece.iter().map(of).collect::<Vec<_>>();
        let minutes = |of: fn(&crate::rota::plan::Hours) -> i32| {
            piece.iter().map(|duty| of(&policy.hours_of(duty.window))).collect::<Vec<_>>()
        };
        let ids: Vec<Uuid> = piece.iter().map(|_| Uuid::now_v7()).collect();
        let of: Vec<String> = piece.iter().map(|duty| committees[duty.committee].id.clone()).collect();
        let seats: Vec<i32> = piece.iter().map(|duty| i32::try_from(duty.seat).unwrap_or(i32::MAX)).collect();
        let worker = |duty: &Duty| {
            duty.candidate.map(|candidate| committees[duty.committee].candidates[candidate].worker.clone())
        };
        let workers: Vec<Option<String>> = piece.iter().map(worker).collect();
        let why: Vec<serde_json::Value> = piece
            .iter()
            .map(|duty| serde_json::to_value(&duty.why).map_err(Refusal::internal))
            .collect::<Result<_, _>>()?;
        let done = sqlx::query!(
            "insert into duty (town, rota, standing, id, committee, day, kind, part, seat, begins, ends, worker, why)
             select $1, $2, 'DRAFT', d.id, d.committee, d.day::date, d.kind, d.part, d.seat, d.begins, d.ends, d.worker, d.why
             from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[], $9::int[], $10::int[], $11::text[], $12::jsonb[])
                 d(id, committee, day, kind, part, seat, begins, ends, worker, why)",
            town,
            rota,
            &ids,
            &of,
            &text(|duty| duty.day.to_string()),
            &text(|duty| duty.kind.name().to_owned()),
            &text(|duty| duty.window.name().to_owned()),
            &seats,
            &minutes(|hours| hours.begins),
            &minutes(|hours| hours.ends),
            &workers as &[Option<String>],
            &why,
        );
        done.execute(&mut *sql).await?;
    }
    Ok(())
}

/// Gives a duty by hand, or takes it.
pub(in crate::rota) async fn assign(
    sql: &mut PgConnection,
    row: &Row,
    worker: Option<&str>,
    violations: &[String],
    by: &Actor,
) -> Result<(), Refusal> {
    let why = Why { choice: Choice::ByHand.name().to_owned(), able: 0, before: 0, hindered: Vec::new() };
    let done = sqlx::query!(
        "update duty set worker = $3, why = $4, violations = $5, assigned_by = $6, assigned_person = $7, version = version + 1,
             updated = clock_timestamp()
         where town = $1 and id = $2",
        row.town,
        row.id,
        worker,
        Json(&why) as _,
        violations,
        by.principal,
        by.person,
    );
    done.execute(sql).await?;
    Ok(())
}

/// Duties of a worker over a period.
#[derive(Clone, Debug, FromRow)]
pub(in crate::rota) struct Hours {
    pub(in crate::rota) worker: String,
    pub(in crate::rota) display_name: String,
    pub(in crate::rota) days: i64,
    pub(in crate::rota) windows: i64,
    pub(in crate::rota) minutes: i64,
}

/// A page of workers with their duties in force in `[from, to)`.
pub(in crate::rota) fn hours_query(asked: &Asked, from: Date, to: Date) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select d.worker, w.display_name, count(*) filter (where d.part = 'DAY') as days, count(*) filter (where d.part <> 'DAY') as windows,
             sum(d.ends - d.begins)::bigint as minutes
         from duty d join worker w on w.town = d.town and w.id = d.worker where d.standing = 'IN_FORCE' and d.town = ",
    );
    query.push_bind(asked.town.clone());
    push_scope(&mut query, &asked.scope);
    query.push(" and d.day >= ").push_bind(from.to_string());
    query.push("::text::date and d.day < ").push_bind(to.to_string()).push("::text::date and ");
    paging::push_predicate(&mut query, &asked.filter);
    if let Some(after) = &asked.after {
        query
            .push(" and d.worker ")
            .push(if asked.descending { "< " } else { "> " })
            .push_bind(after.clone());
    }
    query.push(" group by d.worker, w.display_name order by d.worker");
    query.push(if asked.descending { " desc limit " } else { " limit " }).push_bind(asked.limit);
    query
}
