//! Cover against a plain reading of the rules, and its borders.

use jiff::{ToSpan, civil::date};
use kernel::money::Ppm;
use proptest::prelude::*;

use super::*;
use crate::terms::{Form, Ground, Terms};

const NEW_YEAR: Date = date(2020, 1, 1);

fn day(n: i64) -> Date {
    NEW_YEAR.checked_add(n.days()).unwrap()
}

fn benefit(peril: &str, object: Object, insured_by: InsuredBy, waiting_days: u16) -> Benefit {
    Benefit {
        peril: peril.to_owned(),
        object,
        insured_by,
        form: Form::Loss { deductible: Fen::ZERO, share: Ppm::of(800_000) },
        sum_insured: None,
        waiting_days,
        limit_person_year: None,
        limit_household_year: None,
        limit_event: None,
    }
}

fn policy(rank: i32, (from, to): (i64, i64), grounds: Vec<Ground>, benefits: Vec<Benefit>) -> Covering {
    Covering {
        programme: format!("p{rank}"),
        title: format!("险种 {rank}"),
        rank,
        policy: format!("p{rank}-2020"),
        version: 1,
        insurer: "o-insurer".to_owned(),
        from: day(from),
        to: day(to),
        // no report is ever late here: the term is a claim's affair
        terms: Terms { grounds, report_within_days: 0, benefits, ..Terms::default() },
    }
}

/// The rule that says no, read plainly: the first of period, place or dwelling, residence, ground, waiting days that isn't as it should be.
fn oracle(met: &Met, event: i64, peril: &str, its: &Covering, (from, to): (i64, i64)) -> Option<Rule> {
    let Some(benefit) = its.terms.benefits.iter().find(|one| one.peril == peril) else {
        return Some(Rule::PerilNotCovered);
    };
    if event < from {
        return Some(Rule::EventBeforePolicy);
    }
    if event >= to {
        return Some(Rule::EventAfterPolicy);
    }
    let dwelling = benefit.object == Object::Dwelling;
    if benefit.insured_by == InsuredBy::Place {
        return match met.dwelling {
            Some(Dwelling::There) if dwelling => None,
            Some(Dwelling::OfOthers) if dwelling => Some(Rule::NotInDwelling),
            _ if met.in_estate => None,
            _ => Some(Rule::NotInPlace),
        };
    }
    if dwelling && met.dwelling == Some(Dwelling::Absent) {
        return Some(Rule::NotInPlace);
    }
    let Some(residences) = &met.residences else {
        let there = dwelling && met.dwelling == Some(Dwelling::There);
        return (!there).then_some(Rule::NotResidentOnDay);
    };
    if residences.is_empty() {
        return Some(Rule::NotResidentOnDay);
    }
    if dwelling && met.dwelling == Some(Dwelling::OfOthers) {
        return Some(Rule::NotInDwelling);
    }
    let mut lived = residences.iter().filter(|one| its.terms.grounds.contains(&one.ground));
    if lived.clone().next().is_none() {
        return Some(Rule::GroundNotCovered);
    }
    let long =
        lived.any(|one| one.since.checked_add(i64::from(benefit.waiting_days).days()).unwrap() <= day(event));
    (!long).then_some(Rule::WithinWaitingDays)
}

fn ground() -> impl Strategy<Value = Ground> {
    prop_oneof![Just(Ground::Registered), Just(Ground::ResidencePermit)]
}

fn met(event: i64) -> impl Strategy<Value = Met> {
    let residence =
        (ground(), event - 60..=event).prop_map(|(ground, since)| Residence { ground, since: day(since) });
    let dwelling = prop_oneof![Just(Dwelling::Absent), Just(Dwelling::OfOthers), Just(Dwelling::There)];
    (prop::option::of(prop::collection::vec(residence, 0..3)), prop::option::of(dwelling), any::<bool>())
        .prop_map(|(residences, dwelling, in_estate)| Met { residences, dwelling, in_estate })
}

fn a_benefit() -> impl Strategy<Value = Benefit> {
    let object = prop_oneof![Just(Object::Person), Just(Object::Dwelling)];
    let by = prop_oneof![Just(InsuredBy::Residence), Just(InsuredBy::Place)];
    (object, by, 0_u16..70).prop_map(|(object, by, waiting)| benefit("FIRE", object, by, waiting))
}

proptest! {
    #[test]
    fn each_programme_says_what_a_plain_reading_says(
        (event, met) in (0_i64..100).prop_flat_map(|event| (Just(event), met(event))),
        period in (0_i64..100).prop_flat_map(|from| (Just(from), from + 1..130)),
        grounds in prop::collection::vec(ground(), 0..3),
        benefit in prop::option::of(a_benefit()),
    ) {
        let its = policy(1, period, grounds, benefit.into_iter().collect());
        let line = judge(&met, day(event), "FIRE", &its);
        prop_assert_eq!(line.rule, oracle(&met, event, "FIRE", &its, period));
        // what says no stands at the end and nowhere else, and nothing is told of a report
        let last = line.steps.last().map(|step| step.rule);
        prop_assert!(line.rule.is_none() || last == line.rule);
        prop_assert!(!line.steps.iter().any(|step| step.rule == Rule::ReportedInTime));
        let refusals = line.steps.iter().filter(|step| Some(step.rule) == line.rule).count();
        prop_assert_eq!(refusals, usize::from(line.rule.is_some()));
    }

    #[test]
    fn the_order_of_programmes_says_nothing(ranks in Just(vec![1, 2, 3, 4]).prop_shuffle(), event in 0_i64..40) {
        let met = Met { residences: Some(vec![Residence { ground: Ground::Registered, since: day(0) }]), dwelling: None, in_estate: false };
        let its = |rank: i32| policy(rank, (i64::from(rank) * 5, 30), vec![Ground::Registered], vec![benefit("FIRE", Object::Person, InsuredBy::Residence, 0)]);
        let all: Vec<Covering> = ranks.iter().map(|rank| its(*rank)).collect();
        let lines = judge_all(&met, day(event), "FIRE", &all);
        prop_assert_eq!(lines.iter().map(|line| line.rank).collect::<Vec<_>>(), [1, 2, 3, 4]);
        prop_assert_eq!(is_covered(&lines), (5..30).contains(&event));
    }
}

fn resident(ground: Ground, since: i64) -> Met {
    Met { residences: Some(vec![Residence { ground, since: day(since) }]), dwelling: None, in_estate: false }
}

#[test]
fn the_first_and_the_last_day_are_covered_and_those_beside_them_not() {
    let its = policy(
        1,
        (10, 20),
        vec![Ground::Registered],
        vec![benefit("DEATH", Object::Person, InsuredBy::Residence, 0)],
    );
    let rule = |event: i64| judge(&resident(Ground::Registered, 0), day(event), "DEATH", &its).rule;
    assert_eq!(
        [rule(9), rule(10), rule(19), rule(20)],
        [Some(Rule::EventBeforePolicy), None, None, Some(Rule::EventAfterPolicy)]
    );
}

#[test]
fn waiting_days_end_on_their_day() {
    let its = policy(
        1,
        (0, 300),
        vec![Ground::Registered],
        vec![benefit("DEATH", Object::Person, InsuredBy::Residence, 30)],
    );
    let rule = |event: i64| judge(&resident(Ground::Registered, 10), day(event), "DEATH", &its).rule;
    assert_eq!([rule(39), rule(40)], [Some(Rule::WithinWaitingDays), None]);
}

#[test]
fn the_explanation_names_each_programme() {
    let fire = || vec![benefit("FIRE", Object::Dwelling, InsuredBy::Residence, 0)];
    let all = [
        policy(1, (0, 300), vec![Ground::Registered], fire()),
        policy(2, (0, 300), vec![Ground::Registered], Vec::new()),
    ];
    let lines = judge_all(&resident(Ground::Registered, 0), day(5), "FIRE", &all);
    let words = super::super::words::explanation(&lines);
    assert_eq!(words.zh, "险种 1 承保；险种 2：不属于本保险的保障责任");
    assert_eq!(words.en, "covered by 险种 1; not by 险种 2: the policy doesn't cover the peril");
}
