//! What the Lists of governance share beyond those of other services: places within the caller's areas.

use chassis::identity::Scope;
pub(crate) use chassis::listing::{Asked, push_as_of, push_known, request, request_undated};
use jiff::civil::Date;
use sqlx::{Postgres, QueryBuilder};

/// Appends that a place lies in the caller's areas: `committee` and `block` are where it lies in the row that is asked for.
pub(crate) fn push_within(
    query: &mut QueryBuilder<Postgres>,
    (scope, town, today): (&Scope, &str, Date),
    committee: &'static str,
    block: &'static str,
) {
    if scope.is_town() {
        return;
    }
    let (communities, committees, blocks) = scope.ids();
    query.push(" and (").push(committee).push(" = any(").push_bind(committees.to_vec());
    query.push(") or ").push(block).push(" = any(").push_bind(blocks.to_vec());
    query.push(") or exists (select from committee_period cp where cp.town = ").push_bind(town.to_owned());
    query.push(" and cp.committee = ").push(committee).push(" and upper_inf(cp.recorded) and cp.valid @> ");
    query.push_bind(today.to_string()).push("::date and cp.community = any(");
    query.push_bind(communities.to_vec()).push(")))");
}
