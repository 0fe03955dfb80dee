//! The SQL of project grants.

use chassis::{identity::Scope, listing::Asked, refusal::Refusal};
use jiff::civil::Date;
use kernel::{
    money::Fen,
    name::{ProjectGrantName, TownName},
    state::Named,
};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::rules::{Source, State};
use crate::{
    actor::Actor,
    ledger::{
        rules::Key,
        store::{named, views::push_within},
    },
};

/// A grant as it is shown.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Grant {
    pub(crate) town: String,
    pub(crate) id: Uuid,
    pub(crate) project: String,
    pub(crate) committee: String,
    pub(crate) source: String,
    pub(crate) fiscal_year: i32,
    pub(crate) amount_fen: i64,
    pub(crate) purpose: String,
    pub(crate) evidence: String,
    pub(crate) state: String,
    pub(crate) proposed_by: String,
    pub(crate) proposed_person: String,
    pub(crate) proposed_on: String,
    pub(crate) granted_by: String,
    pub(crate) decided_on: Option<String>,
    pub(crate) closed_on: Option<String>,
    pub(crate) returned_fen: i64,
    pub(crate) reason: String,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

impl Grant {
    /// Its state.
    pub(crate) fn state(&self) -> Result<State, Refusal> {
        named(&self.state)
    }

    /// Where its money comes from.
    pub(crate) fn source(&self) -> Result<Source, Refusal> {
        named(&self.source)
    }

    /// How much it is.
    pub(crate) fn amount(&self) -> Fen {
        Fen::of(self.amount_fen)
    }

    /// Its name.
    pub(crate) fn name(&self) -> String {
        format!("towns/{}/projectGrants/{}", self.town, self.id)
    }

    /// Who proposed it.
    pub(crate) fn proposed(&self) -> Actor {
        Actor::new(self.proposed_by.clone(), self.proposed_person.clone())
    }

    /// The project's account in the year of the grant.
    pub(crate) fn account(&self) -> Result<Key, Refusal> {
        Ok(self.source()?.project(self.fiscal_year, &self.committee, &self.project))
    }
}

/// What is recorded of a proposal.
#[derive(Clone, Debug)]
pub(crate) struct Proposal {
    pub(crate) project: String,
    pub(crate) committee: String,
    pub(crate) source: Source,
    pub(crate) fiscal_year: i32,
    pub(crate) amount: Fen,
    pub(crate) purpose: String,
    pub(crate) evidence: String,
}

const COLUMNS: &str = "select g.town, g.id, g.project, g.committee, g.source, g.fiscal_year, g.amount_fen, g.purpose, g.evidence, g.state,
    g.proposed_by, g.proposed_person, g.proposed_on::text as proposed_on, g.granted_by, g.decided_on::text as decided_on,
    g.closed_on::text as closed_on, g.returned_fen, g.reason, g.version,
    (extract(epoch from g.created) * 1000000)::bigint as created, (extract(epoch from g.updated) * 1000000)::bigint as updated
    from project_grant g where g.town = ";

/// A grant; locked until the end of the transaction when it is to be changed.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &ProjectGrantName,
    scope: &Scope,
    lock: bool,
) -> Result<Option<Grant>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.project_grant()) else { return Ok(None) };
    let mut query = QueryBuilder::new(COLUMNS);
    query.push_bind(name.town()).push(" and g.id = ").push_bind(id);
    push_within(&mut query, scope, "g.committee");
    if lock {
        query.push(" for update");
    }
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of grants, by id.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(COLUMNS);
    query.push_bind(asked.town.clone());
    push_within(&mut query, &asked.scope, "g.committee");
    asked.push_uuid_page(&mut query, "g.id");
    query
}

/// Records a proposal; `false` when the project has an open grant of this source.
pub(crate) async fn create(
    sql: &mut PgConnection,
    town: &TownName,
    id: Uuid,
    proposal: &Proposal,
    (actor, day): (&Actor, Date),
) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "insert into project_grant (town, id, project, committee, source, fiscal_year, amount_fen, purpose, evidence, proposed_by,
                                    proposed_person, proposed_on)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::text::date) on conflict do nothing",
        town.town(),
        id,
        proposal.project,
        proposal.committee,
        proposal.source.name(),
        proposal.fiscal_year,
        proposal.amount.fen(),
        proposal.purpose,
        proposal.evidence,
        actor.principal,
        actor.person,
        day.to_string(),
    );
    Ok(done.execute(sql).await?.rows_affected() == 1)
}

/// What a step changes of a grant.
#[derive(Clone, Debug)]
pub(crate) struct Step<'a> {
    pub(crate) to: State,
    pub(crate) actor: &'a Actor,
    pub(crate) day: Date,
    pub(crate) reason: &'a str,
    pub(crate) returned: Fen,
}

/// Writes the step; the next version.
pub(crate) async fn step(sql: &mut PgConnection, grant: &Grant, step: Step<'_>) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update project_grant set state = $3,
                granted_by = case when $3 = 'GRANTED' then $4 else granted_by end,
                granted_person = case when $3 = 'GRANTED' then $5 else granted_person end,
                closed_by = case when $3 = 'CLOSED' then $4 else closed_by end,
                closed_person = case when $3 = 'CLOSED' then $5 else closed_person end,
                closed_on = case when $3 = 'CLOSED' then $6::text::date end,
                decided_on = coalesce(decided_on, $6::text::date), reason = $7, returned_fen = $8,
                version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2 returning version",
        grant.town,
        grant.id,
        step.to.name(),
        step.actor.principal,
        step.actor.person,
        step.day.to_string(),
        step.reason,
        step.returned.fen(),
    );
    Ok(version.fetch_one(sql).await?)
}
