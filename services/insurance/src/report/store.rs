//! The SQL of the questions: one statement each. What was withdrawn or dismissed counts nowhere.

use chassis::{identity::Scope, listing::Asked, paging::push_predicate, refusal::Refusal};
use jiff::civil::Date;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

use crate::{claim, incident};

/// Days from one until another, that one no longer.
pub(crate) type Days = (Date, Date);

fn push_happened(query: &mut QueryBuilder<Postgres>, (from, to): Days) {
    query.push(" and x.happened_on >= ").push_bind(from.to_string());
    query.push("::text::date and x.happened_on < ").push_bind(to.to_string()).push("::text::date");
}

/// Appends which claims `x` of a town count and are the caller's.
fn push_counted(query: &mut QueryBuilder<Postgres>, town: &str, scope: &Scope, happened: Days) {
    query.push(" where x.town = ").push_bind(town.to_owned());
    push_happened(query, happened);
    query.push(" and x.state not in ('WITHDRAWN', 'DISMISSED')");
    claim::store::push_scope(query, scope);
}

/// Appends that the caller sees the line `l` of the claim `x`: the town and the committee see all, an insurer his own.
fn push_own_line(query: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if !scope.is_town() {
        query.push(" and (x.committee = any(").push_bind(scope.ids().1.to_vec());
        query.push(") or l.insurer = any(").push_bind(scope.organisations().to_vec()).push("))");
    }
}

/// A policy with what was claimed under it.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct LossRatio {
    pub(crate) policy: String,
    pub(crate) number: String,
    pub(crate) programme: String,
    pub(crate) insurer: String,
    pub(crate) starts: String,
    pub(crate) ends: String,
    pub(crate) premium_fen: i64,
    pub(crate) approved_fen: i64,
    pub(crate) paid_fen: i64,
    pub(crate) open_fen: i64,
    pub(crate) approved: i64,
    pub(crate) rejected: i64,
    pub(crate) undecided: i64,
}

/// Which policies are asked about.
#[derive(Clone, Debug)]
pub(crate) struct Policies<'a> {
    /// The town's id.
    pub(crate) town: &'a str,
    /// What the caller sees of it: all, or the policies of his insurers.
    pub(crate) scope: &'a Scope,
    /// A day of their terms lies in these.
    pub(crate) days: Days,
    /// Of one programme alone.
    pub(crate) programme: Option<String>,
    /// The last one before the page.
    pub(crate) after: Option<String>,
    /// How many.
    pub(crate) limit: i64,
}

/// A page of signed policies with what decisions that stand approve under them, what was paid of it, and what isn't decided.
pub(crate) fn loss_ratios_query(asked: &Policies<'_>) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "with page as (select p.* from policy p where p.state in ('SIGNED', 'TERMINATED') and not isempty(p.valid) and p.town = ",
    );
    query
        .push_bind(asked.town.to_owned())
        .push(" and p.valid && daterange(")
        .push_bind(asked.days.0.to_string());
    query.push("::text::date, ").push_bind(asked.days.1.to_string()).push("::text::date)");
    if !asked.scope.is_town() {
        query.push(" and p.insurer = any(").push_bind(asked.scope.organisations().to_vec()).push(")");
    }
    if let Some(programme) = &asked.programme {
        query.push(" and p.programme = ").push_bind(programme.clone());
    }
    if let Some(after) = &asked.after {
        query.push(" and p.id > ").push_bind(after.clone());
    }
    query.push(" order by p.id limit ").push_bind(asked.limit);
    query.push(
        ")
        select p.id as policy, p.number, p.programme, p.insurer, lower(p.valid)::text as starts, upper(p.valid)::text as ends,
               coalesce(policy_premium(p.town, p.id), 0) as premium_fen, its.approved_fen, its.paid_fen, its.open_fen, its.approved, its.rejected,
               waits.undecided
        from page p
        cross join lateral (
            select coalesce(sum(l.approved_fen), 0)::bigint as approved_fen, coalesce(sum(y.amount_fen), 0)::bigint as paid_fen,
                   coalesce(sum(l.approved_fen - y.amount_fen) filter (where x.state <> 'CLOSED'), 0)::bigint as open_fen,
                   count(*) filter (where l.outcome = 'APPROVED') as approved, count(*) filter (where l.outcome = 'REJECTED') as rejected
            from claim_line l
            join claim x on x.town = l.town and x.id = l.claim and x.decision = l.decision
            cross join lateral (select claim_paid_by(l.town, l.claim, l.programme) as amount_fen) y
            where l.town = p.town and l.policy = p.id and x.state not in ('WITHDRAWN', 'DISMISSED')) its
        cross join lateral (
            select count(*) as undecided from claim x
            where x.town = p.town and x.happened_on >= lower(p.valid) and x.happened_on < upper(p.valid) and x.decision is null
                and x.state not in ('WITHDRAWN', 'DISMISSED') and p.insurer = any(x.insurers)
                and exists (select from policy_benefit b join policy_version v on v.town = b.town and v.policy = b.policy and v.n = b.version
                            where b.town = p.town and b.policy = p.id and b.peril = x.peril and v.state = 'SIGNED')) waits
        order by p.id",
    );
    query
}

/// Legs that began and ended on the same days, in one state.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct LegGroup {
    pub(crate) state: String,
    pub(crate) entered: String,
    pub(crate) left_on: String,
    pub(crate) many: i64,
    pub(crate) with_term: i64,
    pub(crate) over_term: i64,
}

/// The legs that ended within the days, in groups; those that began first come first.
pub(crate) fn legs_query(
    town: &str,
    scope: &Scope,
    (from, to): Days,
    committee: Option<&str>,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select l.state, l.entered::text as entered, l.left_on::text as left_on, count(*) as many, count(l.due) as with_term,
                count(*) filter (where l.left_on > l.due) as over_term
         from claim_leg l join claim x on x.town = l.town and x.id = l.claim where l.town = ",
    );
    query.push_bind(town.to_owned()).push(" and l.left_on >= ").push_bind(from.to_string());
    query.push("::text::date and l.left_on < ").push_bind(to.to_string());
    query.push("::text::date and x.state not in ('WITHDRAWN', 'DISMISSED')");
    claim::store::push_scope(&mut query, scope);
    if let Some(committee) = committee {
        query.push(" and x.committee = ").push_bind(committee.to_owned());
    }
    query.push(" group by l.state, l.entered, l.left_on order by l.entered");
    query
}

/// A rule by which claims, or lines of a programme, are rejected.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Rejections {
    /// Empty of claims as a whole.
    pub(crate) programme: String,
    pub(crate) rule: String,
    pub(crate) claims: i64,
    pub(crate) claimed_fen: i64,
}

/// A page of the rules by which claims as a whole and lines of programmes are rejected, after a programme and a rule.
pub(crate) fn rejections_query(
    asked: &Asked,
    happened: Days,
    after: Option<(String, String)>,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select r.programme, r.rule, count(*) as claims, coalesce(sum(r.claimed_fen), 0)::bigint as claimed_fen
         from (select '' as programme, x.rule, x.claimed_fen from claim x",
    );
    push_counted(&mut query, &asked.town, &asked.scope, happened);
    if !asked.scope.is_town() {
        // what all insurers say together is for the town and the committee
        query.push(" and x.committee = any(").push_bind(asked.scope.ids().1.to_vec()).push(")");
    }
    query.push(" and x.outcome = 'REJECTED' and ");
    push_predicate(&mut query, &asked.filter);
    query.push(
        " union all select l.programme, l.rule, l.claimed_fen
          from claim x join claim_line l on l.town = x.town and l.claim = x.id and l.decision = x.decision",
    );
    push_counted(&mut query, &asked.town, &asked.scope, happened);
    query.push(" and l.outcome = 'REJECTED' and ");
    push_predicate(&mut query, &asked.filter);
    push_own_line(&mut query, &asked.scope);
    query.push(") r");
    if let Some((programme, rule)) = after {
        query
            .push(" where (r.programme, r.rule) > (")
            .push_bind(programme)
            .push(", ")
            .push_bind(rule)
            .push(")");
    }
    query.push(" group by r.programme, r.rule order by r.programme, r.rule limit ").push_bind(asked.limit);
    query
}

/// What the families of a committee got.
#[derive(Clone, Debug, Default, FromRow)]
pub(crate) struct Benefits {
    /// Empty for claims that lie in none.
    pub(crate) committee: String,
    pub(crate) claims: i64,
    pub(crate) rejected: i64,
    pub(crate) approved_fen: i64,
    pub(crate) paid_fen: i64,
    pub(crate) households: i64,
    pub(crate) paid_households: i64,
}

/// What was approved and paid in some committees; to an insurer what he approves and pays himself.
pub(crate) fn benefits_query(
    town: &str,
    scope: &Scope,
    happened: Days,
    committees: &[String],
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select c.committee, count(*) as claims, count(*) filter (where c.outcome = 'REJECTED') as rejected,
                coalesce(sum(c.approved_fen), 0)::bigint as approved_fen, coalesce(sum(c.paid_fen), 0)::bigint as paid_fen,
                count(distinct c.family) filter (where c.approved_fen > 0) as households,
                count(distinct c.family) filter (where c.paid_fen > 0) as paid_households
         from (select x.committee, case x.household when '' then 'person/' || x.insured else x.household end as family, ",
    );
    if scope.organisations().is_empty() {
        query.push("x.outcome, x.approved_fen, x.paid_fen from claim x");
    } else {
        query.push(
            "its.outcome, its.approved_fen, its.paid_fen from claim x cross join lateral (
                 select case when count(l.n) > 0 and sum(l.approved_fen) = 0 then 'REJECTED' end as outcome,
                        sum(l.approved_fen)::bigint as approved_fen, sum(y.amount_fen)::bigint as paid_fen
                 from claim_line l
                 cross join lateral (select claim_paid_by(l.town, l.claim, l.programme) as amount_fen) y
                 where l.town = x.town and l.claim = x.id and l.decision = x.decision",
        );
        push_own_line(&mut query, scope);
        query.push(") its");
    }
    push_counted(&mut query, town, scope, happened);
    query.push(" and x.committee = any(").push_bind(committees.to_vec());
    query.push(")) c group by c.committee");
    query
}

/// The known incidents of a committee that have no claim.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Unclaimed {
    pub(crate) committee: String,
    pub(crate) many: i64,
    pub(crate) unvisited: i64,
    pub(crate) overdue: i64,
    /// The day on which the oldest was verified, and its id.
    pub(crate) oldest: Vec<String>,
}

/// Which unclaimed incidents are counted.
#[derive(Clone, Debug)]
pub(crate) struct Waiting<'a> {
    /// The town's id.
    pub(crate) town: &'a str,
    /// What the caller sees of it.
    pub(crate) scope: &'a Scope,
    /// The business day.
    pub(crate) today: Date,
    /// The last day of the verification.
    pub(crate) until: Date,
    /// Of events on these days alone.
    pub(crate) happened: Option<Days>,
    /// The last committee before the page.
    pub(crate) after: Option<String>,
    /// How many committees.
    pub(crate) limit: i64,
}

/// A page of committees with their incidents that are verified and covered and have no claim.
pub(crate) fn unclaimed_query(asked: &Waiting<'_>) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select x.committee, count(*) as many, count(*) filter (where x.visits = 0) as unvisited,
                count(*) filter (where x.visits = 0 and x.visit_due < ",
    );
    query.push_bind(asked.today.to_string());
    query.push(
        "::text::date) as overdue, min(array[x.verified_on::text, x.id::text]) as oldest
         from incident x where x.state = 'VERIFIED' and x.town = ",
    );
    query.push_bind(asked.town.to_owned()).push(" and x.verified_on <= ").push_bind(asked.until.to_string());
    query.push("::text::date");
    incident::store::push_scope(&mut query, asked.scope);
    if let Some(happened) = asked.happened {
        push_happened(&mut query, happened);
    }
    if let Some(after) = &asked.after {
        query.push(" and x.committee > ").push_bind(after.clone());
    }
    query.push(" group by x.committee order by x.committee limit ").push_bind(asked.limit);
    query
}

/// Rows of a statement.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn rows<R>(
    sql: &mut PgConnection,
    mut query: QueryBuilder<Postgres>,
) -> Result<Vec<R>, Refusal>
where
    R: for<'r> FromRow<'r, sqlx::postgres::PgRow> + Send + Unpin,
{
    Ok(query.build_query_as().fetch_all(sql).await?)
}
