//! Lists of claims.

use chassis::{identity::Scope, listing::Asked, refusal::Refusal};
use kernel::{
    filter::{FieldSpec, Kind},
    state::Named,
};
use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::{COLUMNS, DECIDED, Relation, Row, State, push_scope};
use crate::adjudication::Outcome;

const fn field(name: &'static str, column: &'static str, kind: Kind) -> FieldSpec {
    FieldSpec { name, column, kind }
}

/// The fields of a filter.
pub(crate) const FILTER: &[FieldSpec] = &[
    field("state", "x.state", Kind::Enum(State::NAMES)),
    field("committee", "x.committee", Kind::Name { collection: "committees", town: "x.town" }),
    field("peril", "x.peril", Kind::Text),
    field("insured", "x.insured", Kind::Name { collection: "people", town: "x.town" }),
    field("household", "x.household", Kind::Name { collection: "households", town: "x.town" }),
    field("incident", "x.incident::text", Kind::Name { collection: "incidents", town: "x.town" }),
    field("number", "x.number", Kind::Text),
    field("outcome", "own.outcome", Kind::Enum(Outcome::NAMES)),
    field("rule", "own.rule", Kind::Text),
    field("happen_date", "x.happened_on", Kind::Date),
    field("report_date", "x.reported_on", Kind::Date),
    field("overdue", "coalesce(x.due < t.today, false)", Kind::Bool),
];

/// Appends as `own` what was decided and paid of claim `x` as the caller sees it: by all of its lines, or an insurer by his own.
fn push_own(query: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if scope.organisations().is_empty() {
        query.push(" cross join lateral (select ").push(DECIDED).push(") own");
        return;
    }
    query.push(
        " cross join lateral (
             select case when sum(l.approved_fen) > 0 then case when bool_or(l.short) then 'IN_PART' else 'APPROVED' end
                         when count(l.n) > 0 then 'REJECTED' end as outcome,
                    case when sum(l.approved_fen) > 0 then (array_agg(l.rule order by l.n) filter (where l.short))[1]
                         else coalesce((array_agg(l.rule order by l.n) filter (where l.outcome = 'REJECTED'))[1],
                                       (array_agg(l.rule order by l.n))[1]) end as rule,
                    coalesce(sum(l.approved_fen), 0)::bigint as approved_fen, coalesce(sum(l.paid_fen), 0)::bigint as paid_fen
             from (select l.n, l.outcome, l.rule, l.approved_fen, l.outcome = 'REJECTED' and l.rule <> 'NOTHING_LEFT' as short,
                          y.amount_fen as paid_fen
                   from claim_line l
                   left join claim_payment y on y.town = l.town and y.claim = l.claim and y.programme = l.programme
                   where l.town = x.town and l.claim = x.id and l.decision = x.decision and (x.committee = any(",
    );
    query.push_bind(scope.ids().1.to_vec()).push(") or l.insurer = any(");
    query.push_bind(scope.organisations().to_vec()).push("))) l) own");
}

/// A page of claims, by id: in the order in which they were reported.
pub(crate) fn list_query(page: &Asked, relation: &Relation) -> QueryBuilder<Postgres> {
    let own = DECIDED.replace("x.", "own.");
    let mut query = QueryBuilder::new("select ");
    query.push(COLUMNS.replace(DECIDED, &own)).push(" from claim x cross join (select ");
    query.push_bind(page.today.to_string()).push("::text::date as today) t");
    push_own(&mut query, &page.scope);
    query.push(" where x.town = ").push_bind(page.town.clone());
    push_scope(&mut query, &page.scope);
    relation.push(&mut query);
    page.push_uuid_page(&mut query, "x.id");
    query
}

/// A page of claims.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn list(
    sql: &mut PgConnection,
    page: &Asked,
    relation: &Relation,
) -> Result<Vec<Row>, Refusal> {
    let mut rows: Vec<Row> = list_query(page, relation).build_query_as().fetch_all(sql).await?;
    let (scope, committees) = (&page.scope, page.scope.ids().1);
    // an insurer isn't told whom else a claim meets
    for row in rows.iter_mut().filter(|row| !scope.is_town() && !committees.contains(&row.committee)) {
        row.insurers.retain(|id| scope.organisations().contains(id));
    }
    Ok(rows)
}
