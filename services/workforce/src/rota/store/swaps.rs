//! The SQL of swaps.

use chassis::{actor::Actor, identity::Scope, listing::Asked, refusal::Refusal};
use kernel::{name::DutySwapName, state::Named};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::rota::rules::SwapState;

/// A swap as it is stored.
#[derive(Clone, Debug, FromRow)]
pub(in crate::rota) struct Row {
    pub(in crate::rota) town: String,
    pub(in crate::rota) id: Uuid,
    pub(in crate::rota) duty: Uuid,
    pub(in crate::rota) worker: String,
    pub(in crate::rota) other_worker: String,
    pub(in crate::rota) other_duty: Option<Uuid>,
    state: String,
    /// The persons of both workers, ids.
    pub(in crate::rota) person: String,
    pub(in crate::rota) other_person: String,
    /// The committees of both duties.
    pub(in crate::rota) committees: Vec<String>,
    proposed_by: String,
    proposed_person: String,
    consented_by: String,
    consented_person: String,
    pub(in crate::rota) version: i64,
    pub(in crate::rota) created: i64,
    pub(in crate::rota) updated: i64,
}

impl Row {
    /// Its name.
    pub(in crate::rota) fn name(&self) -> String {
        name(&self.town, self.id)
    }

    /// Its state.
    pub(in crate::rota) fn state(&self) -> Result<SwapState, Refusal> {
        SwapState::from_name(&self.state).ok_or_else(|| Refusal::internal("state of a swap"))
    }

    /// Who proposed it.
    pub(in crate::rota) fn proposer(&self) -> Actor {
        Actor::new(&self.proposed_by, &self.proposed_person)
    }

    /// Who agreed to it.
    pub(in crate::rota) fn consenter(&self) -> Actor {
        Actor::new(&self.consented_by, &self.consented_person)
    }
}

/// The name of a swap.
pub(in crate::rota) fn name(town: &str, id: Uuid) -> String {
    format!("towns/{town}/dutySwaps/{id}")
}

const HEAD: &str = "select s.town, s.id, s.duty, s.worker, s.other_worker, s.other_duty, s.state, w.person, o.person as other_person,
    array(select d.committee from duty d where d.town = s.town and d.id in (s.duty, s.other_duty)) as committees,
    s.proposed_by, s.proposed_person, s.consented_by, s.consented_person, s.version,
    (extract(epoch from s.created) * 1000000)::bigint as created, (extract(epoch from s.updated) * 1000000)::bigint as updated
    from duty_swap s join worker w on w.town = s.town and w.id = s.worker join worker o on o.town = s.town and o.id = s.other_worker
    where s.town = ";

/// A page of swaps of duties of the caller's areas, or of his own.
pub(in crate::rota) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(HEAD);
    query.push_bind(asked.town.clone());
    push_scope(&mut query, &asked.scope);
    asked.push_uuid_page(&mut query, "s.id");
    query
}

fn push_scope(query: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if !scope.is_town() {
        query.push(" and exists (select from duty d where d.town = s.town and d.id in (s.duty, s.other_duty) and d.committee = any(");
        query.push_bind(scope.ids().1.to_vec()).push("))");
    }
}

/// A swap of a duty of the caller's areas.
pub(in crate::rota) async fn get(
    sql: &mut PgConnection,
    name: &DutySwapName,
    scope: &Scope,
) -> Result<Option<Row>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.duty_swap()) else { return Ok(None) };
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(name.town()).push(" and s.id = ").push_bind(id);
    push_scope(&mut query, scope);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// The open swap of a duty.
pub(in crate::rota) async fn open(
    sql: &mut PgConnection,
    town: &str,
    duty: Uuid,
) -> Result<Option<Uuid>, Refusal> {
    let found = sqlx::query_scalar!(
        "select id from duty_swap where town = $1 and duty = $2 and state in ('PROPOSED', 'CONSENTED')",
        town,
        duty,
    );
    Ok(found.fetch_optional(sql).await?)
}

/// Who gives which duty to whom for which.
#[derive(Clone, Debug)]
pub(in crate::rota) struct New<'a> {
    pub(in crate::rota) town: &'a str,
    pub(in crate::rota) id: Uuid,
    pub(in crate::rota) duty: Uuid,
    pub(in crate::rota) worker: &'a str,
    pub(in crate::rota) other_worker: &'a str,
    pub(in crate::rota) other_duty: Option<Uuid>,
}

/// Stores a proposed swap.
pub(in crate::rota) async fn create(
    sql: &mut PgConnection,
    new: &New<'_>,
    by: &Actor,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "insert into duty_swap (town, id, duty, worker, other_worker, other_duty, state, proposed_by, proposed_person)
         values ($1, $2, $3, $4, $5, $6, 'PROPOSED', $7, $8)",
        new.town,
        new.id,
        new.duty,
        new.worker,
        new.other_worker,
        new.other_duty,
        by.principal,
        by.person,
    );
    done.execute(sql).await?;
    Ok(())
}

/// Moves a swap on, with who agreed or approved.
pub(in crate::rota) async fn set_state(
    sql: &mut PgConnection,
    row: &Row,
    to: SwapState,
    by: &Actor,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update duty_swap set state = $3,
             consented_by = case when $3 = 'CONSENTED' then $4 else consented_by end,
             consented_person = case when $3 = 'CONSENTED' then $5 else consented_person end,
             approved_by = case when $3 = 'APPROVED' then $4 else approved_by end,
             approved_person = case when $3 = 'APPROVED' then $5 else approved_person end,
             version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2",
        row.town,
        row.id,
        to.name(),
        by.principal,
        by.person,
    );
    done.execute(sql).await?;
    Ok(())
}
