//! ListExhaustedCaps: limits that are used up.

use chassis::{
    amount::to_money, call::Call, identity::Scope, listing::Asked, paging::push_predicate, refusal::Refusal,
};
use contracts::linli::insurance::v1 as pb;
use kernel::{
    filter::{FieldSpec, Kind},
    money::Fen,
    name::TownName,
    state::Named,
};
use sqlx::{FromRow, Postgres, QueryBuilder};

use super::{Reports, encode, rules, store};
use crate::adjudication::Cap;

const FILTER: &[FieldSpec] = &[
    FieldSpec {
        name: "policy",
        column: "u.policy",
        kind: Kind::Name { collection: "policies", town: "u.town" },
    },
    FieldSpec { name: "kind", column: "u.cap", kind: Kind::Enum(Cap::NAMES) },
    FieldSpec { name: "peril", column: "u.peril", kind: Kind::Text },
];

/// All of a limit.
const WHOLE: i32 = 1_000_000;

/// A limit with what was drawn on it.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Used {
    pub(crate) policy: String,
    pub(crate) cap: String,
    pub(crate) peril: String,
    pub(crate) subject: String,
    pub(crate) year: i32,
    pub(crate) used_fen: i64,
    pub(crate) version: i32,
    pub(crate) limit_fen: i64,
}

/// The key of a limit within a town and year: policy, kind, peril, subject.
pub(crate) type Key = [String; 4];

/// A page of limits of a year of which `ppm` parts are used at least, after a key. What no signed version allows is told from the least
/// limit of each policy, kind and peril; only what reaches that is looked at with the version that drew last.
pub(crate) fn query(asked: &Asked, year: i32, ppm: i32, after: Option<Key>) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "with least as materialized (
             select k.policy, k.cap, k.peril, min(cap_limit(k.town, k.policy, k.n, k.cap, k.peril)) as limit_fen
             from (select v.town, v.policy, v.n, c.cap, '' as peril
                   from policy_version v cross join unnest(array['PERSON_YEAR', 'HOUSEHOLD_YEAR', 'EVENT', 'YEAR']) as c (cap)
                   where v.state = 'SIGNED'
                   union all
                   select v.town, v.policy, v.n, c.cap, b.peril
                   from policy_version v
                   join policy_benefit b on b.town = v.town and b.policy = v.policy and b.version = v.n
                   cross join unnest(array['BENEFIT_PERSON_YEAR', 'BENEFIT_HOUSEHOLD_YEAR', 'BENEFIT_EVENT']) as c (cap)
                   where v.state = 'SIGNED') k
             where k.town = ",
    );
    query.push_bind(asked.town.clone());
    query.push(
        " group by k.policy, k.cap, k.peril)
         select u.policy, u.cap, u.peril, u.subject, u.year, u.used_fen, d.version, m.limit_fen
         from (select u.* from cap_used u
               join least on least.policy = u.policy and least.cap = u.cap and least.peril = u.peril
               join policy p on p.town = u.town and p.id = u.policy
               where u.used_fen > 0 and u.town = ",
    );
    query.push_bind(asked.town.clone()).push(" and u.year = ").push_bind(year);
    push_reached(&mut query, "least.limit_fen", ppm);
    push_scope(&mut query, &asked.scope);
    query.push(" and ");
    push_predicate(&mut query, &asked.filter);
    if let Some([policy, cap, peril, subject]) = after {
        query.push(" and (u.policy, u.cap, u.peril, u.subject) > (").push_bind(policy);
        query.push(", ").push_bind(cap).push(", ").push_bind(peril).push(", ").push_bind(subject).push(")");
    }
    // in their order before their versions are looked for, which ends with the page
    query.push(
        " order by u.policy, u.cap, u.peril, u.subject offset 0) u
         cross join lateral (
             select max(d.version) as version from claim_draw d
             where d.town = u.town and d.policy = u.policy and d.cap = u.cap and d.peril = u.peril and d.subject = u.subject
                 and d.year = u.year and d.amount_fen > 0) d
         cross join lateral (select cap_limit(u.town, u.policy, d.version, u.cap, u.peril) as limit_fen offset 0) m
         where true",
    );
    push_reached(&mut query, "m.limit_fen", ppm);
    query.push(" order by u.policy, u.cap, u.peril, u.subject limit ").push_bind(asked.limit);
    query
}

/// Appends that so many parts of a limit are used at least.
fn push_reached(query: &mut QueryBuilder<Postgres>, limit: &'static str, ppm: i32) {
    query.push(" and u.used_fen::numeric * 1000000 >= ").push(limit).push("::numeric * ").push_bind(ppm);
}

/// Appends which limits `u` of policies `p` the caller is told of: those that claims of his committees drew on, and those of the
/// policies of his insurers.
fn push_scope(query: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if scope.is_town() {
        return;
    }
    query.push(" and (p.insurer = any(").push_bind(scope.organisations().to_vec());
    query.push(
        ") or exists (select from claim_draw d join claim x on x.town = d.town and x.id = d.claim and x.decision = d.decision
             where d.town = u.town and d.policy = u.policy and d.cap = u.cap and d.peril = u.peril and d.subject = u.subject
                 and d.year = u.year and d.amount_fen > 0 and x.committee = any(",
    );
    query.push_bind(scope.ids().1.to_vec()).push(")))");
}

/// Whom a limit is of.
fn subject(town: &TownName, cap: Cap, id: &str) -> String {
    let kind = match cap {
        Cap::BenefitPersonYear | Cap::PersonYear => "people",
        Cap::BenefitHouseholdYear | Cap::HouseholdYear => "households",
        Cap::BenefitEvent | Cap::Event => "incidents",
        Cap::Year => return String::new(),
    };
    encode::named(town, kind, id)
}

fn exhausted(town: &TownName, used: &Used) -> Result<pb::ExhaustedCap, Refusal> {
    let cap = Cap::from_name(&used.cap).ok_or_else(|| Refusal::internal(format!("cap {}", used.cap)))?;
    let kind = pb::CapKind::from_str_name(&format!("CAP_KIND_{}", cap.name())).unwrap_or_default();
    let (drawn, limit) = (Fen::of(used.used_fen), Fen::of(used.limit_fen));
    Ok(pb::ExhaustedCap {
        policy: encode::named(town, "policies", &used.policy),
        kind: kind.into(),
        peril: used.peril.clone(),
        subject: subject(town, cap, &used.subject),
        year: used.year,
        policy_version: used.version,
        limit_amount: Some(to_money(limit)),
        used_amount: Some(to_money(drawn)),
        left_amount: Some(to_money(Fen::of((used.limit_fen - used.used_fen).max(0)))),
        used_ppm: rules::used_ppm(drawn, limit),
    })
}

impl Reports {
    /// A page of limits that are used up.
    pub(super) async fn exhausted_caps(
        &self,
        call: &Call,
        request: &pb::ListExhaustedCapsRequest,
    ) -> Result<pb::ListExhaustedCapsResponse, Refusal> {
        let year = super::year(call, request.year);
        let ppm = if request.min_used_ppm == 0 { WHOLE } else { request.min_used_ppm };
        let bound = format!("{} {year} {ppm}", request.filter);
        let asked = super::listed(&request.parent, (request.page_size, &request.page_token), &request.filter);
        let (asked, paging) = Asked::read_bound(&self.context, call, asked, FILTER, &bound)?;
        let after = Key::try_from(paging.after.clone()).ok();
        let mut read = self.context.db.read().await?;
        let mut found: Vec<Used> = store::rows(read.sql(), query(&asked, year, ppm, after)).await?;
        let next_page_token = paging.next(&mut found, |used| {
            vec![used.policy.clone(), used.cap.clone(), used.peril.clone(), used.subject.clone()]
        });
        let town: TownName = chassis::wire::name("parent", &request.parent)?;
        let exhausted_caps = found.iter().map(|used| exhausted(&town, used)).collect::<Result<_, _>>()?;
        Ok(pb::ListExhaustedCapsResponse { exhausted_caps, next_page_token })
    }
}
