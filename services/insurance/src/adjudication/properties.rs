//! What holds of every decision, whatever the terms, the facts and what was paid before; and that it is what an independent reading
//! of the rules comes to.

mod oracle;
mod sequences;
mod worlds;

use std::collections::BTreeSet;

use kernel::state::Named;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use super::{words::words, *};
use oracle::oracle;
use worlds::{World, world};

/// The part of a cap that is left to a line, for each that there is.
fn left(programme: &worlds::Programme) -> Vec<i64> {
    let Some(benefit) = programme.benefit() else { return Vec::new() };
    let caps = Cap::ORDER.iter().zip(programme.used);
    let limited = caps.filter_map(|(cap, used)| Some(cap.limit(benefit, &programme.terms)?.fen() - used));
    limited.map(|left| left.max(0)).collect()
}

/// The programmes in the order of their lines.
fn ranked(world: &World) -> Vec<&worlds::Programme> {
    let mut programmes: Vec<_> = world.programmes.iter().collect();
    programmes.sort_by_key(|programme| programme.rank);
    programmes
}

fn is_loss(programme: &worlds::Programme) -> bool {
    programme.benefit().is_some_and(|benefit| benefit.form.is_loss())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn every_decision_is_what_an_independent_reading_comes_to(world in world()) {
        let decision = world.decide();
        let told = oracle(&world);
        for (line, told) in decision.lines.iter().zip(&told.lines) {
            prop_assert_eq!((line.outcome, line.rule), (told.outcome, told.rule));
            let amounts = [line.seen, line.covered, line.approved].map(|amount| i128::from(amount.fen()));
            prop_assert_eq!(amounts, [told.seen, told.covered, told.approved]);
        }
        prop_assert_eq!(decision.lines.len(), told.lines.len());
        prop_assert_eq!((decision.outcome, decision.rule), (told.outcome, told.rule));
        prop_assert_eq!(i128::from(decision.approved.fen()), told.approved);
    }

    #[test]
    fn the_order_in_which_covers_are_given_changes_nothing(world in world(), turn in 0usize..3, back in any::<bool>()) {
        let expected = world.decide();
        let mut covers = world.covers();
        let turn = turn % covers.len();
        covers.rotate_left(turn);
        if back {
            covers.reverse();
        }
        prop_assert_eq!(adjudicate(&world.facts, &mut covers), expected);
    }

    #[test]
    fn a_higher_assessed_loss_never_lowers_a_benefit(world in world(), more in worlds::amount()) {
        let mut higher = world.clone();
        higher.facts.assessed = add(world.facts.assessed, Fen::of(more));
        let (before, after) = (world.decide(), higher.decide());
        prop_assert!(after.approved >= before.approved, "{before:?} {after:?}");
        for (before, after) in before.lines.iter().zip(&after.lines) {
            prop_assert!(after.approved >= before.approved && after.covered >= before.covered);
        }
    }

    #[test]
    fn no_loss_is_paid_twice(world in world()) {
        let decision = world.decide();
        let lines = decision.lines.iter().zip(ranked(&world)).filter(|(_, programme)| is_loss(programme));
        let paid: i64 = lines.map(|(line, _)| line.approved.fen()).sum();
        prop_assert!(paid <= world.facts.assessed.fen(), "{paid} of {}", world.facts.assessed.fen());
    }

    #[test]
    fn no_line_is_above_what_is_left_of_any_of_its_limits(world in world()) {
        for (line, programme) in world.decide().lines.iter().zip(ranked(&world)) {
            prop_assert!(line.approved >= Fen::ZERO && line.approved <= line.covered);
            for left in left(programme) {
                prop_assert!(line.approved.fen() <= left, "{line:?}");
            }
        }
    }

    #[test]
    fn fixed_benefits_of_a_person_and_event_come_to_the_highest_at_most(world in world()) {
        let decision = world.decide();
        let lines = decision.lines.iter().zip(ranked(&world));
        let fixed = lines.filter(|(_, programme)| programme.benefit().is_some() && !is_loss(programme));
        let before = world.facts.fixed_before.fen();
        let mut highest = before;
        let mut paid = before;
        for (line, programme) in fixed {
            let sum = match programme.benefit().map(|benefit| benefit.form) {
                Some(Form::Fixed(sum)) => sum.fen(),
                Some(Form::ByGrade { sum, parts }) => world
                    .facts
                    .grade
                    .and_then(|grade| parts.get(usize::from(grade).wrapping_sub(1)))
                    .map_or(0, |share| part(sum, *share).fen()),
                Some(Form::Loss { .. }) | None => 0,
            };
            highest = highest.max(sum);
            paid += line.approved.fen();
        }
        prop_assert!(paid <= highest, "{paid} above {highest}");
    }

    #[test]
    fn a_line_that_pays_nothing_says_which_rule_decided_and_pays_nothing(world in world()) {
        for line in world.decide().lines {
            prop_assert_eq!(line.approved == Fen::ZERO, line.outcome != Outcome::Approved);
            prop_assert_eq!(line.rule.is_none(), line.outcome == Outcome::Approved);
            if line.rule.is_some_and(is_condition) {
                prop_assert_eq!((line.covered, line.approved), (Fen::ZERO, Fen::ZERO));
            }
        }
    }

    #[test]
    fn a_trace_ends_with_the_rule_that_decided_and_reads_in_both_languages(world in world()) {
        for line in world.decide().lines {
            let last = line.trace.steps().last().map(|step| step.rule);
            prop_assert_eq!(last, Some(line.rule.unwrap_or(Rule::Approved)), "{:?}", line);
            for (n, step) in line.trace.steps().iter().enumerate() {
                prop_assert!(reads(*step).is_ok(), "{:?}", reads(*step));
                let before = &line.trace.steps()[..n];
                prop_assert!(before.iter().all(|other| other.rule != step.rule), "{:?} twice", step.rule);
            }
        }
    }

    #[test]
    fn whether_a_policy_covers_is_what_the_decision_says(world in world()) {
        let decision = world.decide();
        let mut given = world.covers();
        given.sort_by_key(|cover| cover.rank);
        for (line, cover) in decision.lines.iter().zip(&given) {
            let (refused, trace) = covers(&world.facts, cover);
            // what the loss alone decides is no matter of cover
            prop_assert_eq!(refused, line.rule.filter(|rule| is_condition(*rule) && *rule != Rule::GradeMissing));
            prop_assert!(line.trace.steps().starts_with(trace.steps()));
        }
    }
}

/// The rules that refuse whatever the amounts are.
const CONDITIONS: &[Rule] = &[
    Rule::EventBeforePolicy,
    Rule::EventAfterPolicy,
    Rule::NotInDwelling,
    Rule::NotInPlace,
    Rule::NotResidentOnDay,
    Rule::GroundNotCovered,
    Rule::WithinWaitingDays,
    Rule::ReportedLate,
    Rule::DocumentsMissing,
    Rule::PerilNotCovered,
    Rule::GradeMissing,
];

/// The rules that are steps of a line without deciding it, and those that decide by amounts.
const OTHERS: &[Rule] = &[
    Rule::InPeriod,
    Rule::ResidentOnDay,
    Rule::InPlace,
    Rule::ReportedInTime,
    Rule::LeftOfLoss,
    Rule::Deductible,
    Rule::Share,
    Rule::FixedSum,
    Rule::GradeShare,
    Rule::HighestFixed,
    Rule::CapBenefitPersonYear,
    Rule::CapBenefitHouseholdYear,
    Rule::CapBenefitEvent,
    Rule::CapPersonYear,
    Rule::CapHouseholdYear,
    Rule::CapEvent,
    Rule::CapYear,
    Rule::CapExhausted,
    Rule::NothingLeft,
    Rule::Approved,
];

/// Whether a rule refuses whatever the amounts are.
fn is_condition(rule: Rule) -> bool {
    CONDITIONS.contains(&rule)
}

/// The laws are about something: among random claims each rule is met, each outcome, and every number of paying programmes.
#[test]
fn random_claims_meet_every_rule_and_outcome() {
    let mut runner = TestRunner::deterministic();
    let (mut rules, mut outcomes, mut paying) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for _ in 0..3_000 {
        let decision = world().new_tree(&mut runner).unwrap().current().decide();
        outcomes.insert(decision.outcome);
        paying.insert(decision.lines.iter().filter(|line| line.approved > Fen::ZERO).count());
        rules.extend(decision.lines.iter().flat_map(|line| line.trace.steps().iter().map(|step| step.rule)));
    }
    let missing: Vec<&Rule> = CONDITIONS.iter().chain(OTHERS).filter(|rule| !rules.contains(rule)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(outcomes, BTreeSet::from([Outcome::Approved, Outcome::InPart, Outcome::Rejected]));
    assert_eq!(paying, BTreeSet::from([0, 1, 2, 3]));
}

/// A step in words: Chinese in the Chinese text alone, no placeholder in either.
fn reads(step: Step) -> Result<(), String> {
    let told = words(step);
    let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    let open = |text: &str| text.contains(['{', '}']) || text.trim().is_empty();
    if open(&told.zh) || open(&told.en) || !chinese(&told.zh) || !told.en.is_ascii() {
        return Err(format!("{step:?}: {told:?}"));
    }
    Ok(())
}

#[test]
fn every_rule_reads_in_both_languages_and_rests_on_something() {
    for rule in Rule::ALL {
        for (input, effect) in [(0, 0), (1, 1), (18_306, 18_672), (600_000, 3_000_000), (i64::MAX, i64::MAX)]
        {
            assert_eq!(reads(Step { rule: *rule, input, effect }), Ok(()));
        }
        assert!(!rule.clause().is_empty(), "{rule:?}");
    }
}

/// What decided stands at the end of the trace also where amounts leave nothing.
#[test]
fn a_limit_that_is_used_up_is_the_last_word() {
    let world = worlds::used_up();
    let line = world.decide().lines.into_iter().next();
    let rules = line.map(|line| line.trace.steps().iter().map(|step| step.rule).collect::<Vec<_>>());
    let rules = rules.unwrap_or_default();
    assert_eq!(rules.last(), Some(&Rule::CapExhausted), "{rules:?}");
    assert!(rules.contains(&Rule::CapPersonYear) && !rules.contains(&Rule::Approved), "{rules:?}");
}
