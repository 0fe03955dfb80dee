//! The SQL of policies.

pub(crate) mod covering;
pub(crate) mod rows;
pub(crate) mod write;

use chassis::{actor::Actor, identity::Scope, listing::Asked, refusal::Refusal};
use jiff::civil::Date;
use kernel::{money::Fen, name::PolicyName, state::Named};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

use super::rules::{self, Days, Head, State, Version};

/// Text of a table as what it stands for; the table's checks hold it there.
///
/// # Errors
/// INTERNAL for text that stands for nothing.
pub(crate) fn named<N: Named>(text: &str) -> Result<N, Refusal> {
    N::from_name(text).ok_or_else(|| Refusal::internal(format!("{text} in insurance")))
}

/// A date of a table.
///
/// # Errors
/// INTERNAL for text that is none.
pub(crate) fn day(text: &str) -> Result<Date, Refusal> {
    text.parse().map_err(Refusal::internal)
}

fn day_or_none(text: Option<String>) -> Result<Option<Date>, Refusal> {
    text.map(|text| day(&text)).transpose()
}

/// A policy as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) town: String,
    pub(crate) id: String,
    pub(crate) programme: String,
    pub(crate) head: Head,
    /// As it is stored: of a signed one, SIGNED.
    state: State,
    pub(crate) signed_on: Option<Date>,
    /// The first day no longer, when it was ended before its time.
    pub(crate) terminated_on: Option<Date>,
    pub(crate) termination_reason: String,
    /// What it costs, endorsements included.
    pub(crate) premium: Fen,
    /// By their numbers; the one that waits to be signed last.
    pub(crate) versions: Vec<Version>,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

impl Stored {
    /// Its name.
    pub(crate) fn name(&self) -> String {
        format!("towns/{}/policies/{}", self.town, self.id)
    }

    /// The days on which it is in force: cut by a termination.
    pub(crate) fn days(&self) -> Days {
        Days { from: self.head.days.from, to: self.terminated_on.unwrap_or(self.head.days.to) }
    }

    /// Where it stands in its life on a day.
    pub(crate) fn state_on(&self, today: Date) -> State {
        self.state.on(self.days(), today)
    }

    /// Whether it is in force on a day.
    pub(crate) fn is_in_force(&self, today: Date) -> bool {
        self.signed_on.is_some() && self.days().contain(today)
    }

    /// The version that waits to be signed.
    pub(crate) fn pending(&self) -> Option<&Version> {
        rules::pending(&self.versions)
    }
}

/// The insurers whose policies alone a scope shows; `None` when it shows all: whoever holds a part of the town sees what the town
/// insures it with.
pub(crate) fn insurers(scope: &Scope) -> Option<&[String]> {
    let parts = scope.ids();
    let holds_a_part = !(parts.0.is_empty() && parts.1.is_empty() && parts.2.is_empty());
    if scope.is_town() || holds_a_part { None } else { Some(scope.organisations()) }
}

#[derive(Clone, Debug, FromRow)]
struct Row {
    town: String,
    id: String,
    programme: String,
    number: String,
    insurer: String,
    insurer_credit_code: String,
    starts: String,
    ends: String,
    state: String,
    signed_on: Option<String>,
    terminated_on: Option<String>,
    termination_reason: String,
    premium_fen: Option<i64>,
    version: i64,
    created: i64,
    updated: i64,
}

impl Row {
    fn stored(self, versions: Vec<Version>) -> Result<Stored, Refusal> {
        Ok(Stored {
            head: Head {
                number: self.number,
                insurer: self.insurer,
                credit_code: self.insurer_credit_code,
                days: Days { from: day(&self.starts)?, to: day(&self.ends)? },
            },
            town: self.town,
            id: self.id,
            programme: self.programme,
            state: named(&self.state)?,
            signed_on: day_or_none(self.signed_on)?,
            terminated_on: day_or_none(self.terminated_on)?,
            termination_reason: self.termination_reason,
            premium: Fen::of(self.premium_fen.unwrap_or_default()),
            versions,
            version: self.version,
            created: self.created,
            updated: self.updated,
        })
    }
}

const HEAD: &str = "select p.town, p.id, p.programme, p.number, p.insurer, p.insurer_credit_code, p.starts::text as starts, p.ends::text as ends,
    p.state, p.signed_on::text as signed_on, p.terminated_on::text as terminated_on, p.termination_reason,
    policy_premium(p.town, p.id) as premium_fen, p.version, (extract(epoch from p.created) * 1000000)::bigint as created,
    (extract(epoch from p.updated) * 1000000)::bigint as updated from ";

fn push_scope(query: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if let Some(insurers) = insurers(scope) {
        query.push(" and p.insurer = any(").push_bind(insurers.to_vec()).push(")");
    }
}

/// The policies of `heads` with their versions, in that order: four statements, however many they are.
async fn whole(sql: &mut PgConnection, town: &str, heads: Vec<Row>) -> Result<Vec<Stored>, Refusal> {
    let ids: Vec<String> = heads.iter().map(|head| head.id.clone()).collect();
    let mut versions = rows::versions(sql, town, &ids).await?;
    let stored = heads.into_iter().map(|head| {
        let its = versions.remove(&head.id).unwrap_or_default();
        head.stored(its)
    });
    stored.collect()
}

/// A policy that the scope shows; locked until the end of the transaction when it is to be changed.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &PolicyName,
    scope: &Scope,
    lock: bool,
) -> Result<Option<Stored>, Refusal> {
    let mut query = QueryBuilder::new(HEAD);
    query.push("policy p where p.town = ").push_bind(name.town().to_owned());
    query.push(" and p.id = ").push_bind(name.policy().to_owned());
    push_scope(&mut query, scope);
    if lock {
        query.push(" for no key update of p");
    }
    let heads: Vec<Row> = query.build_query_as().fetch_all(&mut *sql).await?;
    Ok(whole(sql, name.town(), heads).await?.into_iter().next())
}

/// A page of policies by id, with the state that each shows today.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let today = asked.today.to_string();
    let mut query = QueryBuilder::new(HEAD);
    query.push("(select q.*, extract(year from q.starts)::integer as year, case when q.state <> 'SIGNED' then q.state when q.starts > ");
    query.push_bind(today.clone()).push("::date then 'SIGNED' when q.ends > ").push_bind(today);
    query.push("::date then 'IN_FORCE' else 'EXPIRED' end as shown from policy q) p where p.town = ");
    query.push_bind(asked.town.clone());
    push_scope(&mut query, &asked.scope);
    asked.push_page(&mut query, "p.id");
    query
}

/// A page of policies.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn list(sql: &mut PgConnection, asked: &Asked) -> Result<Vec<Stored>, Refusal> {
    let heads: Vec<Row> = list_query(asked).build_query_as().fetch_all(&mut *sql).await?;
    whole(sql, &asked.town, heads).await
}

/// The insurer of a policy, when there is one of this name.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn insurer_of(sql: &mut PgConnection, name: &PolicyName) -> Result<Option<String>, Refusal> {
    let insurer = sqlx::query_scalar!(
        "select insurer from policy where town = $1 and id = $2",
        name.town(),
        name.policy(),
    );
    Ok(insurer.fetch_optional(sql).await?)
}

/// Another policy that has the insurer's number.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn of_number(
    sql: &mut PgConnection,
    name: &PolicyName,
    head: &Head,
) -> Result<Option<String>, Refusal> {
    let other = sqlx::query_scalar!(
        "select id from policy where town = $1 and insurer = $2 and number = $3 and state <> 'DELETED' and id <> $4",
        name.town(),
        head.insurer,
        head.number,
        name.policy(),
    );
    Ok(other.fetch_optional(sql).await?)
}

/// Another signed policy of the programme that is in force on some of the days, the earliest.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn overlapping(sql: &mut PgConnection, stored: &Stored) -> Result<Option<String>, Refusal> {
    let other = sqlx::query_scalar!(
        "select id from policy where town = $1 and programme = $2 and state in ('SIGNED', 'TERMINATED')
             and valid && daterange($3::text::date, $4::text::date) and id <> $5 order by lower(valid) limit 1",
        stored.town,
        stored.programme,
        stored.head.days.from.to_string(),
        stored.head.days.to.to_string(),
        stored.id,
    );
    Ok(other.fetch_optional(sql).await?)
}

/// Who did a step, and on which day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct By<'a> {
    pub(crate) actor: &'a Actor,
    pub(crate) day: Date,
}
