//! Lists of expenses.

use chassis::{identity::Scope, listing, refusal::Refusal};
use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::{COLUMNS, Row, push_scope};
use crate::{actor::Actor, ledger::store::views::earmark_shown};

/// What the caller has to do with what is listed.
#[derive(Clone, Debug)]
pub(crate) enum Relation {
    /// Nothing is asked.
    Any,
    /// He applied.
    Created(Actor),
    /// He may review, approve or pay it now, each within his areas.
    CanApprove(Actor, Box<Steps>),
    /// He reviewed, approved or paid it.
    HasApproved(Actor),
}

/// Where somebody may take which step.
#[derive(Clone, Debug)]
pub(crate) struct Steps {
    /// Where he reviews.
    pub(crate) review: Scope,
    /// Where he approves.
    pub(crate) approve: Scope,
    /// Where he pays.
    pub(crate) pay: Scope,
}

/// What a List is asked.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) page: listing::Asked,
    pub(crate) relation: Relation,
}

/// Appends that `column` was signed by the caller.
fn push_mine(query: &mut QueryBuilder<Postgres>, step: &'static str, who: &Actor) {
    query.push(" not coalesce(are_two(x.").push(step).push("_by, x.").push(step).push("_person, ");
    query.push_bind(who.principal.clone()).push(", ").push_bind(who.person.clone()).push("), true)");
}

/// Appends that a step in `scope` is open to somebody who did none of the steps before.
fn push_open(
    query: &mut QueryBuilder<Postgres>,
    (states, scope): (&'static str, &Scope),
    who: &Actor,
    steps: &[&'static str],
) {
    if *scope == Scope::None {
        query.push("false");
        return;
    }
    query.push("(").push(states);
    push_scope(query, scope);
    for step in steps {
        query.push(" and not (");
        push_mine(query, step, who);
        query.push(")");
    }
    query.push(")");
}

fn push_relation(query: &mut QueryBuilder<Postgres>, relation: &Relation) {
    match relation {
        Relation::Any => {}
        Relation::Created(who) => {
            query.push(" and");
            push_mine(query, "applied", who);
        }
        Relation::HasApproved(who) => {
            query.push(" and (");
            for (n, step) in ["reviewed", "approved", "paid"].into_iter().enumerate() {
                query.push(if n == 0 { "" } else { " or" });
                push_mine(query, step, who);
            }
            query.push(")");
        }
        Relation::CanApprove(who, steps) => {
            let Steps { review, approve, pay } = &**steps;
            query.push(" and (");
            push_open(query, ("x.state = 'APPLIED'", review), who, &["applied"]);
            query.push(" or ");
            let approvable = "((x.state = 'REVIEWED' and (x.notice_ends is not null or not x.notice_required)) or (x.state = 'NOTICE' and x.notice_ends < t.today))";
            push_open(query, (approvable, approve), who, &["applied", "reviewed"]);
            query.push(" or ");
            push_open(query, ("x.state = 'APPROVED'", pay), who, &["applied", "reviewed", "approved"]);
            query.push(")");
        }
    }
}

/// A page of expenses, by id: in the order in which they were made.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let page = &asked.page;
    let mut query = QueryBuilder::new("select ");
    query.push(COLUMNS).push(" from expense x cross join (select ").push_bind(page.today.to_string());
    query.push("::text::date as today) t where x.town = ").push_bind(page.town.clone());
    push_scope(&mut query, &page.scope);
    push_relation(&mut query, &asked.relation);
    page.push_uuid_page(&mut query, "x.id");
    query
}

/// An earmark as it is shown, in SQL: an index is built of the same.
pub(crate) const EARMARK_SHOWN: &str = earmark_shown!("x");

/// The fields of a filter.
pub(crate) const FILTER: &[kernel::filter::FieldSpec] = {
    use kernel::{
        filter::{FieldSpec, Kind},
        state::Named,
    };
    const fn field(name: &'static str, column: &'static str, kind: Kind) -> FieldSpec {
        FieldSpec { name, column, kind }
    }
    &[
        field("state", "x.state", Kind::Enum(super::State::NAMES)),
        field("committee", "x.committee", Kind::Name { collection: "committees", town: "x.town" }),
        field("fund", "x.fund", Kind::Enum(crate::ledger::rules::Fund::NAMES)),
        field("category", "x.category", Kind::Text),
        field("fiscal_year", "x.fiscal_year", Kind::Integer),
        field("earmark", EARMARK_SHOWN, Kind::Text),
        field("number", "x.number", Kind::Text),
        field("apply_date", "x.applied_on", Kind::Date),
        field("overdue", "coalesce(x.due < t.today, false)", Kind::Bool),
    ]
};

/// A page of expenses.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn list(sql: &mut PgConnection, asked: &Asked) -> Result<Vec<Row>, Refusal> {
    Ok(list_query(asked).build_query_as().fetch_all(sql).await?)
}
