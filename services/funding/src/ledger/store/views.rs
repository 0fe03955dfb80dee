//! What callers see of the ledger, within their areas.

use chassis::{identity::Scope, listing::Asked, refusal::Refusal};
use jiff::{Timestamp, civil::Date};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

/// An account as it is shown.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct AccountView {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) fund: String,
    pub(crate) fiscal_year: i32,
    pub(crate) committee: Option<String>,
    pub(crate) earmark: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) balance_fen: i64,
    pub(crate) held_fen: i64,
    pub(crate) created: i64,
}

/// The earmark of the table with this alias as it is shown, in SQL.
macro_rules! earmark_shown {
    ($alias:literal) => {
        concat!(
            "coalesce(replace(replace(",
            $alias,
            ".earmark, 'project:', 'towns/' || ",
            $alias,
            ".town || '/projects/'), 'delegation:', 'towns/' || ",
            $alias,
            ".town || '/delegations/'), '')"
        )
    };
}
pub(crate) use earmark_shown;

/// Appends that a row's committee lies in the caller's areas; whoever sees a part sees nothing of the town's own accounts.
pub(crate) fn push_within(query: &mut QueryBuilder<Postgres>, scope: &Scope, committee: &'static str) {
    if !scope.is_town() {
        query.push(" and ").push(committee).push(" = any(").push_bind(scope.ids().1.to_vec()).push(")");
    }
}

/// The accounts of a town; balances as of an instant when one is asked for. Holds that have expired by `today` hold nothing.
fn accounts(town: &str, scope: &Scope, read_time: Option<Timestamp>, today: Date) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select a.id, a.kind, a.fund, a.fiscal_year, a.committee, a.earmark, a.category,
                (extract(epoch from a.created) * 1000000)::bigint as created, ",
    );
    match read_time {
        None => {
            query.push("a.balance_fen, a.held_fen - coalesce((select sum(h.amount_fen)::bigint from hold h where h.town = a.town and h.account = a.id and h.state = 'HELD' and h.expires_on < ");
            query.push_bind(today.to_string()).push("::date), 0) as held_fen");
        }
        Some(at) => {
            query.push("coalesce((select sum(p.amount_fen)::bigint from posting p where p.town = a.town and p.account = a.id and p.recorded <= ");
            query.push_bind(at.to_string()).push("::timestamptz), 0) as balance_fen, 0::bigint as held_fen");
        }
    }
    query.push(" from account a where a.town = ").push_bind(town.to_owned());
    push_within(&mut query, scope, "a.committee");
    query
}

/// An account.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn account(
    sql: &mut PgConnection,
    (town, id): (&str, Uuid),
    scope: &Scope,
    read_time: Option<Timestamp>,
    today: Date,
) -> Result<Option<AccountView>, Refusal> {
    let mut query = accounts(town, scope, read_time, today);
    query.push(" and a.id = ").push_bind(id);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of accounts, by id.
pub(crate) fn accounts_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = accounts(&asked.town, &asked.scope, asked.as_of.read_time, asked.today);
    asked.push_uuid_page(&mut query, "a.id");
    query
}

/// An entry as it is shown.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct EntryView {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) key: String,
    pub(crate) fiscal_year: i32,
    pub(crate) booked_on: String,
    pub(crate) subject: String,
    pub(crate) description: String,
    pub(crate) evidence: String,
    pub(crate) reverses: Option<Uuid>,
    pub(crate) reversed_by: Option<Uuid>,
    pub(crate) principal: String,
    pub(crate) recorded: i64,
    pub(crate) sequence: Option<i64>,
}

/// Which entries are asked for, beside filter and page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moving {
    /// Those that move this account.
    pub(crate) account: Option<Uuid>,
    /// Those that move an account of this committee.
    pub(crate) committee: Option<String>,
}

fn entries(town: &str, scope: &Scope) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select e.id, e.kind, e.key, e.fiscal_year, e.booked_on::text as booked_on, e.subject, e.description, e.evidence, e.reverses,
                (select b.id from entry b where b.town = e.town and b.reverses = e.id) as reversed_by, e.principal,
                (extract(epoch from e.recorded) * 1000000)::bigint as recorded,
                (select s.seq from entry_seal s where s.town = e.town and s.entry = e.id) as sequence
         from entry e where e.town = ",
    );
    query.push_bind(town.to_owned());
    if !scope.is_town() {
        query.push(" and exists (select from posting p join account a on a.town = p.town and a.id = p.account where p.town = e.town and p.entry = e.id");
        push_within(&mut query, scope, "a.committee");
        query.push(")");
    }
    query
}

/// An entry.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn entry(
    sql: &mut PgConnection,
    (town, id): (&str, Uuid),
    scope: &Scope,
) -> Result<Option<EntryView>, Refusal> {
    let mut query = entries(town, scope);
    query.push(" and e.id = ").push_bind(id);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of entries, by id.
pub(crate) fn entries_query(asked: &Asked, moving: &Moving) -> QueryBuilder<Postgres> {
    let mut query = entries(&asked.town, &asked.scope);
    if let Some(account) = moving.account {
        query
            .push(" and e.id in (select p.entry from posting p where p.town = ")
            .push_bind(asked.town.clone());
        query.push(" and p.account = ").push_bind(account).push(")");
    }
    if let Some(committee) = &moving.committee {
        query.push(" and e.id in (select p.entry from posting p join account a on a.town = p.town and a.id = p.account where a.town = ");
        query
            .push_bind(asked.town.clone())
            .push(" and a.committee = ")
            .push_bind(committee.clone())
            .push(")");
    }
    asked.push_uuid_page(&mut query, "e.id");
    query
}

/// A posting with what its account is of.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct PostingView {
    pub(crate) entry: Uuid,
    pub(crate) account: Uuid,
    pub(crate) kind: String,
    pub(crate) fund: String,
    pub(crate) fiscal_year: i32,
    pub(crate) committee: Option<String>,
    pub(crate) earmark: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) amount_fen: i64,
}

/// The postings of entries, in their order.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn postings(
    sql: &mut PgConnection,
    town: &str,
    entries: &[Uuid],
) -> Result<Vec<PostingView>, Refusal> {
    let found = sqlx::query_as!(
        PostingView,
        "select p.entry, p.account, a.kind, a.fund, a.fiscal_year, a.committee, a.earmark, a.category, p.amount_fen
         from posting p join account a on a.town = p.town and a.id = p.account
         where p.town = $1 and p.entry = any($2) order by p.entry, p.n",
        town,
        entries,
    );
    Ok(found.fetch_all(sql).await?)
}

/// A hold as it is shown.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct HoldView {
    pub(crate) id: Uuid,
    pub(crate) account: Uuid,
    pub(crate) into_account: Option<Uuid>,
    pub(crate) committee: Option<String>,
    pub(crate) amount_fen: i64,
    pub(crate) posted_fen: i64,
    pub(crate) state: String,
    pub(crate) entry: Option<Uuid>,
    pub(crate) subject: String,
    pub(crate) purpose: String,
    pub(crate) expires_on: Option<String>,
    pub(crate) held_on: String,
    pub(crate) resolved_on: Option<String>,
    pub(crate) held_by: String,
    pub(crate) held_person: String,
    pub(crate) version: i64,
    pub(crate) created: i64,
}

/// The column of the state by the clock: what has expired by `today` is EXPIRED, whether or not somebody came by since.
pub(crate) const STATE_NOW: &str = "h.state_now";

fn holds(town: &str, scope: &Scope, today: Date) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select h.id, h.account, h.into_account, a.committee, h.amount_fen, h.posted_fen, h.state_now as state, h.entry, h.subject, h.purpose,
                h.expires_on::text as expires_on, h.held_on::text as held_on, h.resolved_on::text as resolved_on, h.held_by, h.held_person,
                h.version, (extract(epoch from h.created) * 1000000)::bigint as created
         from (select *, case when state = 'HELD' and expires_on < ",
    );
    query
        .push_bind(today.to_string())
        .push("::date then 'EXPIRED' else state end as state_now from hold where town = ");
    query.push_bind(town.to_owned());
    query.push(") h join account a on a.town = h.town and a.id = h.account where true");
    push_within(&mut query, scope, "a.committee");
    query
}

/// A hold.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn hold(
    sql: &mut PgConnection,
    (town, id): (&str, Uuid),
    scope: &Scope,
    today: Date,
) -> Result<Option<HoldView>, Refusal> {
    let mut query = holds(town, scope, today);
    query.push(" and h.id = ").push_bind(id);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of holds, by id.
pub(crate) fn holds_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = holds(&asked.town, &asked.scope, asked.today);
    asked.push_uuid_page(&mut query, "h.id");
    query
}
