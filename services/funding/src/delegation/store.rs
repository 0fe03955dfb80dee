//! The SQL of delegations and their shares.

use chassis::{identity::Scope, listing::Asked, refusal::Refusal};
use jiff::civil::Date;
use kernel::{
    money::Fen,
    name::{DelegationName, DelegationShareName},
    state::Named,
};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::rules::{State, Sum};
use crate::{
    actor::Actor,
    ledger::{
        rules::{Earmark, Fund, Key},
        store::{named, views::push_within},
    },
};

/// Entries that a sum names at most.
pub(crate) const NAMED: i32 = 50;

/// A delegation as it is shown.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Delegation {
    pub(crate) town: String,
    pub(crate) id: String,
    pub(crate) department: String,
    pub(crate) organisation: Option<String>,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) fiscal_year: i32,
    pub(crate) offered_on: String,
    pub(crate) reply_days: i32,
    pub(crate) reply_due: String,
    pub(crate) due_provisional: bool,
    pub(crate) evidence: String,
    pub(crate) offered_by: String,
    pub(crate) version: i64,
    pub(crate) created: i64,
}

/// A share as it is shown, with what its delegation says.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Share {
    pub(crate) town: String,
    pub(crate) id: Uuid,
    pub(crate) delegation: String,
    pub(crate) committee: String,
    pub(crate) amount_fen: i64,
    pub(crate) state: String,
    pub(crate) accepted_by: String,
    pub(crate) accepted_person: String,
    pub(crate) decided_on: Option<String>,
    pub(crate) settled_on: Option<String>,
    pub(crate) reason: String,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) department: String,
    pub(crate) title: String,
    pub(crate) fiscal_year: i32,
    pub(crate) reply_due: String,
    pub(crate) offered_by: String,
    pub(crate) offered_person: String,
}

impl Share {
    /// Its state.
    pub(crate) fn state(&self) -> Result<State, Refusal> {
        named(&self.state)
    }

    /// Its money.
    pub(crate) fn amount(&self) -> Fen {
        Fen::of(self.amount_fen)
    }

    /// Its name.
    pub(crate) fn name(&self) -> String {
        format!("towns/{}/delegationShares/{}", self.town, self.id)
    }

    /// The name of its delegation.
    pub(crate) fn delegation_name(&self) -> String {
        format!("towns/{}/delegations/{}", self.town, self.delegation)
    }

    /// What its money is bound to.
    pub(crate) fn earmark(&self) -> Earmark {
        Earmark::Delegation(self.delegation.clone())
    }

    /// The committee's account of the task in the year of the offer.
    pub(crate) fn key(&self) -> Key {
        Key::committee(Fund::Delegated, self.fiscal_year, &self.committee, Some(self.earmark()))
    }

    /// Who offered its task.
    pub(crate) fn offered(&self) -> Actor {
        Actor::new(self.offered_by.clone(), self.offered_person.clone())
    }

    /// Who accepted it.
    pub(crate) fn accepted(&self) -> Actor {
        Actor::new(self.accepted_by.clone(), self.accepted_person.clone())
    }
}

/// What is recorded of an offer.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) department: String,
    pub(crate) organisation: Option<String>,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) fiscal_year: i32,
    pub(crate) offered_on: Date,
    pub(crate) reply_days: i32,
    pub(crate) reply_due: Date,
    pub(crate) due_provisional: bool,
    pub(crate) evidence: String,
}

/// Records a delegation; `false` when its id is taken.
pub(crate) async fn create(
    sql: &mut PgConnection,
    name: &DelegationName,
    offer: &Offer,
    actor: &Actor,
) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "insert into delegation (town, id, department, organisation, title, description, fiscal_year, offered_on, reply_days, reply_due,
                                 due_provisional, evidence, offered_by, offered_person)
         values ($1, $2, $3, $4, $5, $6, $7, $8::text::date, $9, $10::text::date, $11, $12, $13, $14) on conflict do nothing",
        name.town(),
        name.delegation(),
        offer.department,
        offer.organisation,
        offer.title,
        offer.description,
        offer.fiscal_year,
        offer.offered_on.to_string(),
        offer.reply_days,
        offer.reply_due.to_string(),
        offer.due_provisional,
        offer.evidence,
        actor.principal,
        actor.person,
    );
    Ok(done.execute(sql).await?.rows_affected() == 1)
}

/// Records the shares of a delegation, in one statement.
pub(crate) async fn create_shares(
    sql: &mut PgConnection,
    name: &DelegationName,
    shares: &[(Uuid, String, Fen)],
) -> Result<(), Refusal> {
    sqlx::query!(
        "insert into delegation_share (town, id, delegation, committee, amount_fen, offered_by, offered_person)
         select d.town, s.id, d.id, s.committee, s.amount, d.offered_by, d.offered_person
         from delegation d, unnest($3::uuid[], $4::text[], $5::bigint[]) as s (id, committee, amount) where d.town = $1 and d.id = $2",
        name.town(),
        name.delegation(),
        &shares.iter().map(|(id, _, _)| *id).collect::<Vec<_>>(),
        &shares.iter().map(|(_, committee, _)| committee.clone()).collect::<Vec<_>>(),
        &shares.iter().map(|(_, _, amount)| amount.fen()).collect::<Vec<_>>(),
    )
    .execute(sql)
    .await?;
    Ok(())
}

const DELEGATION: &str = "select d.town, d.id, d.department, d.organisation, d.title, d.description, d.fiscal_year, d.offered_on::text as offered_on,
    d.reply_days, d.reply_due::text as reply_due, d.due_provisional, d.evidence, d.offered_by, d.version,
    (extract(epoch from d.created) * 1000000)::bigint as created from delegation d where d.town = ";

const SHARE: &str = "select s.town, s.id, s.delegation, s.committee, s.amount_fen, s.state, s.accepted_by, s.accepted_person,
    s.decided_on::text as decided_on, s.settled_on::text as settled_on, s.reason, s.version,
    (extract(epoch from s.created) * 1000000)::bigint as created, (extract(epoch from s.updated) * 1000000)::bigint as updated,
    d.department, d.title, d.fiscal_year, d.reply_due::text as reply_due, s.offered_by, s.offered_person
    from delegation_share s join delegation d on d.town = s.town and d.id = s.delegation where s.town = ";

/// Appends that a share of the delegation lies in the caller's areas.
fn push_has_share(query: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if !scope.is_town() {
        query.push(" and exists (select from delegation_share s where s.town = d.town and s.delegation = d.id and s.committee = any(");
        query.push_bind(scope.ids().1.to_vec()).push("))");
    }
}

/// A delegation.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &DelegationName,
    scope: &Scope,
) -> Result<Option<Delegation>, Refusal> {
    let mut query = QueryBuilder::new(DELEGATION);
    query.push_bind(name.town()).push(" and d.id = ").push_bind(name.delegation());
    push_has_share(&mut query, scope);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of delegations, by id.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(DELEGATION);
    query.push_bind(asked.town.clone());
    push_has_share(&mut query, &asked.scope);
    asked.push_page(&mut query, "d.id");
    query
}

/// The shares of a delegation in the caller's areas, by committee.
pub(crate) async fn shares_of(
    sql: &mut PgConnection,
    name: &DelegationName,
    scope: &Scope,
) -> Result<Vec<Share>, Refusal> {
    let mut query = QueryBuilder::new(SHARE);
    query.push_bind(name.town()).push(" and s.delegation = ").push_bind(name.delegation());
    push_within(&mut query, scope, "s.committee");
    query.push(" order by s.committee");
    Ok(query.build_query_as().fetch_all(sql).await?)
}

/// A share; locked until the end of the transaction when it is to be changed.
pub(crate) async fn share(
    sql: &mut PgConnection,
    name: &DelegationShareName,
    scope: &Scope,
    lock: bool,
) -> Result<Option<Share>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.delegation_share()) else { return Ok(None) };
    let mut query = QueryBuilder::new(SHARE);
    query.push_bind(name.town()).push(" and s.id = ").push_bind(id);
    push_within(&mut query, scope, "s.committee");
    if lock {
        query.push(" for update of s");
    }
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of shares, by id.
pub(crate) fn shares_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(SHARE);
    query.push_bind(asked.town.clone());
    push_within(&mut query, &asked.scope, "s.committee");
    asked.push_uuid_page(&mut query, "s.id");
    query
}

/// What a step changes of a share.
#[derive(Clone, Debug)]
pub(crate) struct Step<'a> {
    pub(crate) to: State,
    pub(crate) actor: &'a Actor,
    pub(crate) day: Date,
    pub(crate) reason: &'a str,
}

/// Writes the step; the next version.
pub(crate) async fn step(sql: &mut PgConnection, share: &Share, step: Step<'_>) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update delegation_share set state = $3,
                accepted_by = case when $3 = 'ACCEPTED' then $4 else accepted_by end,
                accepted_person = case when $3 = 'ACCEPTED' then $5 else accepted_person end,
                settled_by = case when $3 = 'SETTLED' then $4 else settled_by end,
                settled_person = case when $3 = 'SETTLED' then $5 else settled_person end,
                settled_on = case when $3 = 'SETTLED' then $6::text::date end,
                decided_on = coalesce(decided_on, $6::text::date), reason = $7, version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2 returning version",
        share.town,
        share.id,
        step.to.name(),
        step.actor.principal,
        step.actor.person,
        step.day.to_string(),
        step.reason,
    );
    Ok(version.fetch_one(sql).await?)
}

/// Gives an unfunded share its money; the next version.
pub(crate) async fn fund(
    sql: &mut PgConnection,
    share: &Share,
    amount: Fen,
    evidence: &str,
) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update delegation_share set amount_fen = $3, evidence = $4, version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2 returning version",
        share.town,
        share.id,
        amount.fen(),
        evidence,
    );
    Ok(version.fetch_one(sql).await?)
}

/// The year in which the money of a task waits now: the last to which it was carried over, or that of the offer.
pub(crate) async fn task_year(sql: &mut PgConnection, share: &Share) -> Result<i32, Refusal> {
    let year = sqlx::query_scalar!(
        "select max(fiscal_year) from account where town = $1 and kind = 'TASK' and earmark = $2",
        share.town,
        share.earmark().to_string(),
    );
    Ok(year.fetch_one(sql).await?.unwrap_or(share.fiscal_year))
}

/// What the ledger has of a task, added up; of one committee, or of all.
pub(crate) async fn sums(
    sql: &mut PgConnection,
    town: &str,
    delegation: &str,
    committee: Option<&str>,
) -> Result<Vec<Sum>, Refusal> {
    let rows = sqlx::query!(
        r#"select a.committee, a.kind, e.kind as entry_kind, a.category,
                  case when a.kind = 'DEPARTMENT' then e.subject else '' end as "subject!", sum(p.amount_fen)::bigint as "amount!",
                  (array_agg(e.id order by e.ord))[1:$4] as "entries!"
           from account a join posting p on p.town = a.town and p.account = a.id join entry e on e.town = p.town and e.id = p.entry
           where a.town = $1 and a.earmark = $2 and a.kind in ('DEPARTMENT', 'COMMITTEE', 'EXPENDITURE')
               and ($3::text is null or a.committee is null or a.committee = $3)
           group by a.committee, a.kind, e.kind, a.category, 5 order by min(e.ord)"#,
        town,
        format!("delegation:{delegation}"),
        committee,
        NAMED,
    );
    let rows = rows.fetch_all(sql).await?.into_iter().map(|row| {
        Ok(Sum {
            committee: row.committee,
            account: named(&row.kind)?,
            entry: named(&row.entry_kind)?,
            category: row.category,
            subject: row.subject,
            amount: Fen::of(row.amount),
            entries: row.entries,
        })
    });
    rows.collect()
}

/// What open holds set aside of the accounts of a task, by committee.
pub(crate) async fn held(
    sql: &mut PgConnection,
    town: &str,
    delegation: &str,
) -> Result<Vec<(String, Fen)>, Refusal> {
    let rows = sqlx::query!(
        r#"select committee as "committee!", sum(held_fen)::bigint as "held!" from account
           where town = $1 and earmark = $2 and kind = 'COMMITTEE' group by committee"#,
        town,
        format!("delegation:{delegation}"),
    );
    Ok(rows.fetch_all(sql).await?.into_iter().map(|row| (row.committee, Fen::of(row.held))).collect())
}
