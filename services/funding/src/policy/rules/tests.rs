use jiff::civil::date;
use kernel::state::Named;
use proptest::prelude::*;

use super::*;

/// The policy of 2020 (Work points 3.3), for tests of whatever rests on a policy.
pub(crate) fn terms() -> Terms {
    let category = |fund, id: &str, allowed| Category {
        fund,
        id: id.to_owned(),
        display_name: format!("类别 {id}"),
        allowed,
    };
    Terms {
        display_name: "2020年居委会经费办法".to_owned(),
        fiscal_year: 2020,
        effective_from: date(2020, 1, 1),
        households_as_of: date(2019, 12, 31),
        work_floor: Fen::of(10_000_000),
        service_floor: Fen::of(15_000_000),
        household_threshold: 2000,
        supplement_per_household: Fen::of(10_000),
        uplifts: vec![
            Uplift {
                difficulty: Some(Difficulty::Hard),
                management_class: None,
                kind: None,
                work: Fen::of(800_000),
                service: Fen::of(1_200_000),
            },
            Uplift {
                difficulty: None,
                management_class: Some(ManagementClass::C),
                kind: Some(CommitteeKind::ResidentsCommittee),
                work: Fen::of(300_000),
                service: Fen::of(500_000),
            },
        ],
        growth: Ppm::ONE,
        growth_of_floor: true,
        growth_of_uplift: true,
        eligible_kinds: vec![CommitteeKind::ResidentsCommittee],
        month_counts_until_day: 15,
        carry_overs: vec![(Fund::Work, CarryOver::Return), (Fund::Service, CarryOver::OneYear)],
        public_notice_above: Some(Fen::of(2_000_000)),
        public_notice_always_for: vec!["AID".to_owned()],
        public_notice_days: 5,
        categories: vec![
            category(Fund::Work, "OFFICE", true),
            category(Fund::Work, "ACTIVITY", true),
            category(Fund::Work, "PAY", false),
            category(Fund::Service, "ACTIVITY", true),
            category(Fund::Service, "AID", true),
            category(Fund::Service, "OFFICE", false),
        ],
        project_pool: Fen::ZERO,
        days: Leg::ALL.iter().map(|leg| leg.usual_days()).collect::<Vec<_>>().try_into().unwrap(),
    }
}

fn faults(change: impl FnOnce(&mut Terms)) -> Vec<(String, &'static str)> {
    let mut terms = terms();
    change(&mut terms);
    let faults = Policy::new("p", 0, terms).err().unwrap_or_default();
    faults.into_iter().map(|fault| (fault.field, fault.reason)).collect()
}

#[test]
fn the_table_is_whole() {
    assert!(TABLE.faults().is_empty(), "{:?}", TABLE.faults());
}

#[test]
fn the_policy_of_2020_has_no_faults() {
    assert!(faults(|_| {}).is_empty());
}

#[test]
fn every_fault_is_named_at_once() {
    let found = faults(|terms| {
        terms.work_floor = Fen::of(-1);
        terms.growth = Ppm::of(0);
        terms.effective_from = date(2021, 1, 1);
        terms.households_as_of = date(2018, 12, 31);
        terms.uplifts.push(terms.uplifts[0].clone());
        terms.uplifts[1] = Uplift {
            difficulty: None,
            management_class: None,
            kind: None,
            work: Fen::ZERO,
            service: Fen::ZERO,
        };
        terms.eligible_kinds.clear();
        terms.carry_overs.push((Fund::Work, CarryOver::OneYear));
        terms.categories.push(terms.categories[0].clone());
        terms.categories[1].id = "activity".to_owned();
        terms.public_notice_always_for.push("NOBODY_KNOWS".to_owned());
        terms.public_notice_days = 0;
        terms.days[3] = 0;
    });
    let named = |field: &str, reason: &'static str| (field.to_owned(), reason);
    assert_eq!(
        found,
        [
            named("effective_date", "OUTSIDE_YEAR"),
            named("households_as_of_date", "OUTSIDE_YEAR"),
            named("work_floor", "NEGATIVE"),
            named("growth_index_ppm", "RANGE"),
            named("uplifts[1]", "NO_CONDITION"),
            named("uplifts[1]", "NOTHING"),
            named("uplifts[2]", "REPEATED"),
            named("eligible_kinds", "REQUIRED"),
            named("carry_overs[2]", "REPEATED"),
            named("categories[1].category", "FORMAT"),
            named("categories[6]", "REPEATED"),
            named("public_notice_always_for[1]", "UNKNOWN"),
            named("public_notice_working_days", "REQUIRED"),
            named("expense_terms.settle_working_days", "RANGE"),
        ]
    );
}

#[test]
fn a_fund_pays_what_its_list_allows_and_funds_without_a_list_what_others_may() {
    let policy = Policy::new("p", 1, terms()).unwrap();
    assert!(policy.allows(Fund::Service, "AID") && !policy.allows(Fund::Service, "OFFICE"));
    assert!(policy.allows(Fund::Work, "OFFICE") && !policy.allows(Fund::Work, "AID"));
    let ids = |fund| policy.allowed(fund).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    assert_eq!(ids(Fund::Delegated), ["OFFICE", "ACTIVITY", "AID"]);
    assert_eq!(ids(Fund::ProjectPool), ["ACTIVITY", "AID"]);
    let mut narrow = terms();
    narrow.categories.push(Category {
        fund: Fund::Delegated,
        id: "AID".to_owned(),
        display_name: "帮困".to_owned(),
        allowed: true,
    });
    let policy = Policy::new("p", 1, narrow).unwrap();
    assert!(policy.allows(Fund::Delegated, "AID") && !policy.allows(Fund::Delegated, "OFFICE"));
}

#[test]
fn a_notice_is_asked_for_above_the_amount_and_not_at_it() {
    let policy = Policy::new("p", 1, terms()).unwrap();
    for (fen, category, asked) in [
        (1_999_999, "ACTIVITY", false),
        (2_000_000, "ACTIVITY", false),
        (2_000_001, "ACTIVITY", true),
        (1, "AID", true),
    ] {
        assert_eq!(policy.needs_notice(Fen::of(fen), category), asked, "{fen} {category}");
    }
    assert_eq!(
        (policy.carry_over(Fund::Service), policy.carry_over(Fund::ProjectPool)),
        (CarryOver::OneYear, CarryOver::Return)
    );
    assert_eq!(Leg::ALL.iter().map(|leg| policy.days(*leg)).collect::<Vec<_>>(), [5, 5, 5, 20, 10]);
}

proptest! {
    /// Whatever amounts are written, a policy is refused exactly when one of them is out of its bounds.
    #[test]
    fn amounts_out_of_bounds_are_refused(
        floor in -10i64..200_000_000_000,
        supplement in -10i64..20_000_000,
        growth in -5i64..20_000_000,
        threshold in -5i32..1_000_005,
    ) {
        let mut terms = terms();
        terms.work_floor = Fen::of(floor);
        terms.supplement_per_household = Fen::of(supplement);
        terms.growth = Ppm::of(growth);
        terms.household_threshold = threshold;
        let good = (0..=100_000_000_000).contains(&floor)
            && (0..=10_000_000).contains(&supplement)
            && (1..=10_000_000).contains(&growth)
            && (0..=1_000_000).contains(&threshold);
        prop_assert_eq!(Policy::new("p", 0, terms).is_ok(), good);
    }
}
