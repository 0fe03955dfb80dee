//! The SQL of the questions: one statement each.

use chassis::{identity::Scope, paging::push_predicate, refusal::Refusal};
use jiff::civil::Date;
use kernel::{filter::Predicate, name::CommitteeName};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::rules::OPEN;
use crate::ledger::store::views::push_within;

/// An account of a committee as it may be spent from.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Spendable {
    pub(crate) id: Uuid,
    pub(crate) fund: String,
    pub(crate) earmark: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) balance_fen: i64,
    pub(crate) held_fen: i64,
}

/// The accounts of a committee in a year. Holds that have expired by `today` hold nothing.
pub(crate) async fn spendable(
    sql: &mut PgConnection,
    name: &CommitteeName,
    year: i32,
    today: Date,
) -> Result<Vec<Spendable>, Refusal> {
    let rows = sqlx::query_as!(
        Spendable,
        r#"select a.id, a.fund, a.earmark, d.title as "title?", a.balance_fen,
                  a.held_fen - coalesce((select sum(h.amount_fen)::bigint from hold h
                      where h.town = a.town and h.account = a.id and h.state = 'HELD' and h.expires_on < $4::text::date), 0) as "held_fen!"
           from account a left join delegation d on d.town = a.town and 'delegation:' || d.id = a.earmark
           where a.town = $1 and a.committee = $2 and a.fiscal_year = $3 and a.kind = 'COMMITTEE'
           order by a.fund, a.earmark nulls first"#,
        name.town(),
        name.committee(),
        year,
        today.to_string(),
    );
    Ok(rows.fetch_all(sql).await?)
}

/// What was spent on a category of a fund.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Spent {
    pub(crate) fund: String,
    pub(crate) category: String,
    pub(crate) display_name: String,
    pub(crate) amount_fen: i64,
    pub(crate) committees: i64,
}

/// Spending of a year by fund and category, in the caller's areas, the most first.
pub(crate) fn spending_query(town: &str, scope: &Scope, year: i32) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select a.fund, a.category, c.display_name, sum(a.balance_fen)::bigint as amount_fen,
                count(distinct a.committee) filter (where a.balance_fen <> 0) as committees
         from account a join allowed_category c on c.town = a.town and c.fiscal_year = a.fiscal_year and c.fund = a.fund and c.category = a.category
         where a.kind = 'EXPENDITURE' and a.town = ",
    );
    query.push_bind(town.to_owned()).push(" and a.fiscal_year = ").push_bind(year);
    push_within(&mut query, scope, "a.committee");
    query.push(" group by a.fund, a.category, c.display_name order by a.fund, amount_fen desc, a.category");
    query
}

/// The open expenses that wait in the same way.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Waiting {
    pub(crate) state: String,
    pub(crate) before_notice: bool,
    pub(crate) notice_runs: bool,
    pub(crate) many: i64,
    pub(crate) amount_fen: i64,
    pub(crate) oldest_due: Option<String>,
    pub(crate) overdue: i64,
}

/// How an expense waits, by the columns of `x`.
fn push_way(query: &mut QueryBuilder<Postgres>, today: Date) {
    query.push("(x.notice_required and x.notice_ends is null) as before_notice, coalesce(x.notice_ends >= ");
    query.push_bind(today.to_string()).push("::date, false) as notice_runs");
}

fn push_open(query: &mut QueryBuilder<Postgres>, town: &str, scope: &Scope) {
    query.push(" from expense x where x.town = ").push_bind(town.to_owned()).push(" and x.state = any(");
    query.push_bind(OPEN.iter().map(|state| (*state).to_owned()).collect::<Vec<_>>()).push(")");
    push_within(query, scope, "x.committee");
}

/// The open expenses in the caller's areas, added up by the way they wait.
pub(crate) fn waiting_query(town: &str, scope: &Scope, today: Date) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select state, before_notice, notice_runs, count(*) as many, sum(amount_fen)::bigint as amount_fen,
                min(due)::text as oldest_due, count(*) filter (where due < ",
    );
    query.push_bind(today.to_string()).push("::date) as overdue from (select x.state, x.amount_fen, x.due, ");
    push_way(&mut query, today);
    push_open(&mut query, town, scope);
    query.push(") open group by 1, 2, 3 order by 1, 2, 3");
    query
}

/// An expense that is overdue.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Overdue {
    pub(crate) id: Uuid,
    pub(crate) number: String,
    pub(crate) committee: String,
    pub(crate) state: String,
    pub(crate) before_notice: bool,
    pub(crate) notice_runs: bool,
    pub(crate) due: String,
    pub(crate) amount_fen: i64,
}

/// A page of overdue expenses, the longest overdue first, after the key of the last row before.
pub(crate) fn overdue_query(
    (town, scope, today): (&str, &Scope, Date),
    filter: &Predicate,
    after: Option<(String, Uuid)>,
    limit: i64,
) -> QueryBuilder<Postgres> {
    let mut query =
        QueryBuilder::new("select x.id, x.number, x.committee, x.state, x.due::text as due, x.amount_fen, ");
    push_way(&mut query, today);
    push_open(&mut query, town, scope);
    query.push(" and x.due < ").push_bind(today.to_string()).push("::date and ");
    push_predicate(&mut query, filter);
    if let Some((due, id)) = after {
        query.push(" and (x.due, x.id) > (").push_bind(due).push("::date, ").push_bind(id).push(")");
    }
    query.push(" order by x.due, x.id limit ").push_bind(limit);
    query
}

/// What waits for a service that isn't there yet.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct HandOver {
    pub(crate) kind: String,
    pub(crate) id: Uuid,
    pub(crate) target: String,
    pub(crate) committee: String,
}

/// A page of what waits for other services: disclosures and projects, by id.
pub(crate) fn hand_overs_query(
    town: &str,
    scope: &Scope,
    after: Option<Uuid>,
    limit: i64,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select * from (select 'DISCLOSURE' as kind, x.town, x.id, x.disclosure as target, x.committee from expense x where x.state = 'DISCLOSED'
         union all select 'PROJECT', g.town, g.id, 'towns/' || g.town || '/projects/' || g.project, g.committee from project_grant g
             where g.state in ('PROPOSED', 'GRANTED')) p where p.town = ",
    );
    query.push_bind(town.to_owned());
    push_within(&mut query, scope, "p.committee");
    if let Some(after) = after {
        query.push(" and p.id > ").push_bind(after);
    }
    query.push(" order by p.id limit ").push_bind(limit);
    query
}
