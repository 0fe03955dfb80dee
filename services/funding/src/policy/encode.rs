//! Policies on the wire.

use chassis::{
    fields::number,
    refusal::{Faults, FieldFault},
    wire,
};
use contracts::linli::funding::v1 as pb;
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind},
    money::{Fen, Ppm},
    name::FundingPolicyName,
    state::Named,
};

use super::{
    rules::{CarryOver, Category, CommitteeKind, Difficulty, Leg, ManagementClass, State, Terms, Uplift},
    store::Stored,
};
use crate::{
    ledger::rules::Fund,
    money::{amount_or_nothing, to_money},
};

/// What a List may ask for.
pub(crate) const FILTER: &[FieldSpec] = &[
    FieldSpec { name: "fiscal_year", column: "p.fiscal_year", kind: Kind::Integer },
    FieldSpec { name: "state", column: "p.state", kind: Kind::Enum(State::NAMES) },
    FieldSpec { name: "version", column: "p.number", kind: Kind::Integer },
    FieldSpec { name: "display_name", column: "p.display_name", kind: Kind::Text },
];

/// The name of a policy.
pub(crate) fn name(town: &str, id: &str) -> String {
    format!("towns/{town}/fundingPolicies/{id}")
}

/// A fund on the wire.
pub(crate) fn fund(fund: Fund) -> pb::Fund {
    match fund {
        Fund::Work => pb::Fund::Work,
        Fund::Service => pb::Fund::Service,
        Fund::Delegated => pb::Fund::Delegated,
        Fund::ProjectPool => pb::Fund::ProjectPool,
    }
}

/// A kind of committee on the wire.
pub(crate) fn kind(kind: CommitteeKind) -> pb::CommitteeKind {
    match kind {
        CommitteeKind::ResidentsCommittee => pb::CommitteeKind::ResidentsCommittee,
        CommitteeKind::VillagersCommittee => pb::CommitteeKind::VillagersCommittee,
    }
}

/// A class on the wire.
pub(crate) fn class(class: Option<ManagementClass>) -> pb::ManagementClass {
    match class {
        None => pb::ManagementClass::Unspecified,
        Some(ManagementClass::A) => pb::ManagementClass::A,
        Some(ManagementClass::B) => pb::ManagementClass::B,
        Some(ManagementClass::C) => pb::ManagementClass::C,
    }
}

/// A difficulty on the wire.
pub(crate) fn difficulty(difficulty: Option<Difficulty>) -> pb::Difficulty {
    match difficulty {
        None => pb::Difficulty::Unspecified,
        Some(Difficulty::Normal) => pb::Difficulty::Normal,
        Some(Difficulty::Hard) => pb::Difficulty::Hard,
    }
}

/// A row of the uplift table on the wire.
pub(crate) fn uplift(row: &Uplift) -> pb::Uplift {
    pb::Uplift {
        difficulty: difficulty(row.difficulty).into(),
        management_class: class(row.management_class).into(),
        kind: row.kind.map_or(pb::CommitteeKind::Unspecified, kind).into(),
        work_fund: Some(to_money(row.work)),
        service_fund: Some(to_money(row.service)),
    }
}

/// A policy without what only Get shows.
pub(crate) fn policy(town: &str, stored: &Stored) -> pb::FundingPolicy {
    let state =
        pb::FundingPolicyState::from_str_name(&format!("FUNDING_POLICY_STATE_{}", stored.state.name()));
    pb::FundingPolicy {
        name: name(town, &stored.policy.id),
        version: stored.policy.number,
        state: state.unwrap_or_default().into(),
        supersedes: stored.supersedes.as_ref().map(|id| name(town, id)).unwrap_or_default(),
        superseded_by: stored.superseded_by.as_ref().map(|id| name(town, id)).unwrap_or_default(),
        etag: Etag::of(stored.version).to_string(),
        create_time: Some(wire::to_timestamp(stored.created)),
        update_time: Some(wire::to_timestamp(stored.updated)),
        publish_time: stored.published.map(wire::to_timestamp),
        ..terms(stored.policy.terms())
    }
}

/// What a policy says, on the wire.
fn terms(terms: &Terms) -> pb::FundingPolicy {
    let days = |leg: Leg| terms.days[leg as usize];
    let bases =
        [(terms.growth_of_floor, pb::GrowthBase::Floor), (terms.growth_of_uplift, pb::GrowthBase::Uplift)];
    pb::FundingPolicy {
        display_name: terms.display_name.clone(),
        fiscal_year: terms.fiscal_year,
        effective_date: Some(wire::to_date(terms.effective_from)),
        households_as_of_date: Some(wire::to_date(terms.households_as_of)),
        work_floor: Some(to_money(terms.work_floor)),
        service_floor: Some(to_money(terms.service_floor)),
        household_threshold: terms.household_threshold,
        supplement_per_household: Some(to_money(terms.supplement_per_household)),
        uplifts: terms.uplifts.iter().map(uplift).collect(),
        growth_index_ppm: terms.growth.parts(),
        growth_applies_to: bases
            .into_iter()
            .filter_map(|(grows, base)| grows.then_some(base.into()))
            .collect(),
        eligible_kinds: terms.eligible_kinds.iter().map(|its| kind(*its).into()).collect(),
        pro_rating: Some(pb::ProRating {
            unit: pb::ProRatingUnit::Month.into(),
            month_counts_until_day: terms.month_counts_until_day,
        }),
        carry_overs: terms.carry_overs.iter().map(|its| carry_over(*its)).collect(),
        public_notice_above: terms.public_notice_above.map(to_money),
        public_notice_always_for: terms.public_notice_always_for.clone(),
        public_notice_working_days: terms.public_notice_days,
        categories: terms.categories.iter().map(category).collect(),
        project_pool: Some(to_money(terms.project_pool)),
        expense_terms: Some(pb::ExpenseTerms {
            review_working_days: days(Leg::Review),
            approve_working_days: days(Leg::Approve),
            pay_working_days: days(Leg::Pay),
            settle_working_days: days(Leg::Settle),
            disclose_working_days: days(Leg::Disclose),
        }),
        ..Default::default()
    }
}

fn carry_over((of, what): (Fund, CarryOver)) -> pb::FundCarryOver {
    let what = match what {
        CarryOver::Return => pb::CarryOver::Return,
        CarryOver::OneYear => pb::CarryOver::OneYear,
    };
    pb::FundCarryOver { fund: fund(of).into(), carry_over: what.into() }
}

fn category(row: &Category) -> pb::FundCategory {
    pb::FundCategory {
        fund: fund(row.fund).into(),
        category: row.id.clone(),
        display_name: row.display_name.clone(),
        allowed: row.allowed,
    }
}

/// Reads what a policy says; `prefix` stands before the names of its fields. Faults of single fields are noted here, those of the
/// whole by the rules.
pub(crate) fn read(faults: &mut Faults, prefix: &str, given: &pb::FundingPolicy) -> Option<Terms> {
    let field = |name: &str| format!("{prefix}.{name}");
    let effective = faults.take(wire::required_date(&field("effective_date"), given.effective_date.as_ref()));
    let households = given.households_as_of_date.as_ref();
    let households = faults.take(wire::required_date(&field("households_as_of_date"), households));
    let mut money = |name: &str, given| faults.take(amount_or_nothing(&field(name), given));
    let work_floor = money("work_floor", given.work_floor.as_ref());
    let service_floor = money("service_floor", given.service_floor.as_ref());
    let supplement = money("supplement_per_household", given.supplement_per_household.as_ref());
    let project_pool =
        given.project_pool.as_ref().map_or(Some(Fen::ZERO), |its| money("project_pool", Some(its)));
    let above = given.public_notice_above.as_ref();
    let above = above.map_or(Some(None), |its| money("public_notice_above", Some(its)).map(Some));
    let uplifts = read_uplifts(faults, &field("uplifts"), &given.uplifts);
    let pro_rating = given.pro_rating.unwrap_or_default();
    let bases = [pb::GrowthBase::Floor, pb::GrowthBase::Uplift].map(i32::from);
    let [growth_of_floor, growth_of_uplift] = bases.map(|base| given.growth_applies_to.contains(&base));
    Some(Terms {
        display_name: given.display_name.clone(),
        fiscal_year: given.fiscal_year,
        effective_from: effective?,
        households_as_of: households?,
        work_floor: work_floor?,
        service_floor: service_floor?,
        household_threshold: given.household_threshold,
        supplement_per_household: supplement?,
        uplifts: uplifts?,
        growth: Ppm::of(given.growth_index_ppm),
        growth_of_floor,
        growth_of_uplift,
        eligible_kinds: given.eligible_kinds().filter_map(read_kind).collect(),
        month_counts_until_day: pro_rating.month_counts_until_day,
        carry_overs: given.carry_overs.iter().filter_map(read_carry_over).collect(),
        public_notice_above: above?,
        public_notice_always_for: given.public_notice_always_for.clone(),
        public_notice_days: given.public_notice_working_days,
        categories: given.categories.iter().filter_map(read_category).collect(),
        project_pool: project_pool?,
        days: read_days(given.expense_terms.unwrap_or_default()),
    })
}

fn read_uplifts(faults: &mut Faults, field: &str, given: &[pb::Uplift]) -> Option<Vec<Uplift>> {
    let rows = given.iter().enumerate().map(|(n, row)| {
        let mut money = |name: &str, given: Option<&_>| match given {
            None => Some(Fen::ZERO),
            Some(its) => faults.take(amount_or_nothing(&format!("{field}[{n}].{name}"), Some(its))),
        };
        let (work, service) =
            (money("work_fund", row.work_fund.as_ref()), money("service_fund", row.service_fund.as_ref()));
        Some(Uplift {
            difficulty: match row.difficulty() {
                pb::Difficulty::Unspecified => None,
                pb::Difficulty::Normal => Some(Difficulty::Normal),
                pb::Difficulty::Hard => Some(Difficulty::Hard),
            },
            management_class: match row.management_class() {
                pb::ManagementClass::Unspecified => None,
                pb::ManagementClass::A => Some(ManagementClass::A),
                pb::ManagementClass::B => Some(ManagementClass::B),
                pb::ManagementClass::C => Some(ManagementClass::C),
            },
            kind: read_kind(row.kind()),
            work: work?,
            service: service?,
        })
    });
    // every row is read, so that every fault is noted
    rows.collect::<Vec<_>>().into_iter().collect()
}

fn read_kind(kind: pb::CommitteeKind) -> Option<CommitteeKind> {
    match kind {
        pb::CommitteeKind::Unspecified => None,
        pb::CommitteeKind::ResidentsCommittee => Some(CommitteeKind::ResidentsCommittee),
        pb::CommitteeKind::VillagersCommittee => Some(CommitteeKind::VillagersCommittee),
    }
}

/// A fund of the wire; the contract's rules let no other number through.
pub(crate) fn read_fund(fund: pb::Fund) -> Option<Fund> {
    match fund {
        pb::Fund::Unspecified => None,
        pb::Fund::Work => Some(Fund::Work),
        pb::Fund::Service => Some(Fund::Service),
        pb::Fund::Delegated => Some(Fund::Delegated),
        pb::Fund::ProjectPool => Some(Fund::ProjectPool),
    }
}

fn read_carry_over(row: &pb::FundCarryOver) -> Option<(Fund, CarryOver)> {
    let what = match row.carry_over() {
        pb::CarryOver::Unspecified => None,
        pb::CarryOver::Return => Some(CarryOver::Return),
        pb::CarryOver::OneYear => Some(CarryOver::OneYear),
    };
    read_fund(row.fund()).zip(what)
}

fn read_category(row: &pb::FundCategory) -> Option<Category> {
    Some(Category {
        fund: read_fund(row.fund())?,
        id: row.category.clone(),
        display_name: row.display_name.clone(),
        allowed: row.allowed,
    })
}

fn read_days(given: pb::ExpenseTerms) -> [i32; 5] {
    let usual = |leg: Leg, days: i32| if days == 0 { leg.usual_days() } else { days };
    [
        usual(Leg::Review, given.review_working_days),
        usual(Leg::Approve, given.approve_working_days),
        usual(Leg::Pay, given.pay_working_days),
        usual(Leg::Settle, given.settle_working_days),
        usual(Leg::Disclose, given.disclose_working_days),
    ]
}

/// The fields that an update may change.
pub(crate) const CHANGEABLE: &[&str] = &[
    "display_name",
    "effective_date",
    "households_as_of_date",
    "work_floor",
    "service_floor",
    "household_threshold",
    "supplement_per_household",
    "uplifts",
    "growth_index_ppm",
    "growth_applies_to",
    "eligible_kinds",
    "pro_rating",
    "carry_overs",
    "public_notice_above",
    "public_notice_always_for",
    "public_notice_working_days",
    "categories",
    "project_pool",
    "expense_terms",
];

/// The stored policy with the fields of an update.
pub(crate) fn updated(
    mut base: pb::FundingPolicy,
    given: &pb::FundingPolicy,
    fields: &[&str],
) -> pb::FundingPolicy {
    for field in fields {
        match *field {
            "display_name" => base.display_name.clone_from(&given.display_name),
            "effective_date" => base.effective_date = given.effective_date,
            "households_as_of_date" => base.households_as_of_date = given.households_as_of_date,
            "work_floor" => base.work_floor.clone_from(&given.work_floor),
            "service_floor" => base.service_floor.clone_from(&given.service_floor),
            "household_threshold" => base.household_threshold = given.household_threshold,
            "supplement_per_household" => {
                base.supplement_per_household.clone_from(&given.supplement_per_household)
            }
            "uplifts" => base.uplifts.clone_from(&given.uplifts),
            "growth_index_ppm" => base.growth_index_ppm = given.growth_index_ppm,
            "growth_applies_to" => base.growth_applies_to.clone_from(&given.growth_applies_to),
            "eligible_kinds" => base.eligible_kinds.clone_from(&given.eligible_kinds),
            "pro_rating" => base.pro_rating = given.pro_rating,
            "carry_overs" => base.carry_overs.clone_from(&given.carry_overs),
            "public_notice_above" => base.public_notice_above.clone_from(&given.public_notice_above),
            "public_notice_always_for" => {
                base.public_notice_always_for.clone_from(&given.public_notice_always_for)
            }
            "public_notice_working_days" => {
                base.public_notice_working_days = given.public_notice_working_days
            }
            "categories" => base.categories.clone_from(&given.categories),
            "project_pool" => base.project_pool.clone_from(&given.project_pool),
            "expense_terms" => base.expense_terms = given.expense_terms,
            _ => {}
        }
    }
    base
}

/// The number and id that a policy is told by in texts and events.
pub(crate) fn told(name: &FundingPolicyName, stored: &Stored) -> serde_json::Value {
    serde_json::json!({
        "policy": name.to_string(),
        "fiscal_year": number(stored.policy.fiscal_year()),
        "version": stored.policy.number,
    })
}

/// Faults of the whole as faults of fields.
pub(crate) fn field_faults(prefix: &str, faults: Vec<super::rules::Fault>) -> Vec<FieldFault> {
    let fault = |fault: super::rules::Fault| {
        FieldFault::new(format!("{prefix}.{}", fault.field), fault.reason, fault.zh, fault.en)
    };
    faults.into_iter().map(fault).collect()
}
