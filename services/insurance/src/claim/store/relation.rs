//! What a caller has to do with claims: those that he reported, may adjudicate now, or adjudicated.

use chassis::{actor::Actor, call::Call, identity::Scope};
use contracts::linli::common::v1::CallerRelationship;
use kernel::state::Named;
use sqlx::{Postgres, QueryBuilder};

use super::push_scope;
use crate::claim::rules::{TABLE, Verb};

/// What a List of claims is asked of the caller.
#[derive(Clone, Debug)]
pub(crate) enum Relation {
    /// Nothing.
    Any,
    /// He reported it.
    Created(Actor),
    /// He may adjudicate it now, within these areas.
    CanApprove(Actor, Scope),
    /// He adjudicated it.
    HasApproved(Actor),
}

/// Appends that columns of `alias` name the caller, by his login or his person.
fn push_is(query: &mut QueryBuilder<Postgres>, columns: &str, who: &Actor) {
    query.push("(").push(columns).push("_by = ").push_bind(who.principal.clone());
    query.push(" or ").push(columns).push("_person <> '' and ").push(columns).push("_person = ");
    query.push_bind(who.person.clone()).push(")");
}

/// Appends that columns can't name the caller: both persons are known, and others.
fn push_is_another(query: &mut QueryBuilder<Postgres>, columns: &str, who: &Actor) {
    query.push("(").push(columns).push("_by <> ").push_bind(who.principal.clone());
    query.push(" and ").push(columns).push("_person not in ('', ").push_bind(who.person.clone()).push("))");
}

/// Appends that an adjudication is open to the caller: by state, area, four eyes, and because the claim isn't his own.
fn push_open(query: &mut QueryBuilder<Postgres>, who: &Actor, scope: &Scope) {
    // who isn't known may be anybody
    if *scope == Scope::None || who.person.is_empty() {
        query.push(" and false");
        return;
    }
    let rows = TABLE.rows.iter().filter(|row| row.verb == Verb::Adjudicate);
    let states: Vec<String> = rows.filter_map(|row| row.from).map(|state| state.name().to_owned()).collect();
    query.push(" and x.state = any(").push_bind(states).push(")");
    push_scope(query, scope);
    query.push(" and ");
    push_is_another(query, "x.reported", who);
    for step in ["x.changed", "x.surveyed"] {
        query.push(" and (").push(step).push("_by is null or ");
        push_is_another(query, step, who);
        query.push(")");
    }
    query.push(
        " and not exists (select from claim_assessment a where a.town = x.town and a.claim = x.id and not ",
    );
    push_is_another(query, "a.assessed", who);
    query.push(") and not (x.appealed and exists (select from claim_decision d where d.town = x.town and d.claim = x.id and not ");
    push_is_another(query, "d.decided", who);
    query
        .push(")) and ")
        .push_bind(who.person.clone())
        .push(" not in ('towns/' || x.town || '/people/' || x.insured,");
    query.push(
        " 'towns/' || x.town || '/people/' || x.claimant) and not exists (select from claim_beneficiary b",
    );
    query.push(
        " where b.town = x.town and b.claim = x.id and 'towns/' || b.town || '/people/' || b.person = ",
    );
    query.push_bind(who.person.clone()).push(")");
}

impl Relation {
    /// What `asked` means for the caller.
    pub(crate) fn of(call: &Call, town: &str, asked: CallerRelationship) -> Relation {
        let who = Actor::of(call);
        match asked {
            CallerRelationship::Unspecified => Relation::Any,
            CallerRelationship::Created => Relation::Created(who),
            CallerRelationship::HasApproved => Relation::HasApproved(who),
            CallerRelationship::CanApprove => {
                let row = TABLE.rows.iter().find(|row| row.verb == Verb::Adjudicate);
                Relation::CanApprove(who, row.map_or(Scope::None, |row| call.may(row.permission, town)))
            }
        }
    }

    /// Appends that claims `x` are those.
    pub(super) fn push(&self, query: &mut QueryBuilder<Postgres>) {
        match self {
            Relation::Any => {}
            Relation::Created(who) => {
                query.push(" and ");
                push_is(query, "x.reported", who);
            }
            Relation::HasApproved(who) => {
                query.push(
                    " and exists (select from claim_decision d where d.town = x.town and d.claim = x.id and ",
                );
                push_is(query, "d.decided", who);
                query.push(")");
            }
            Relation::CanApprove(who, scope) => push_open(query, who, scope),
        }
    }
}
