//! The examples of the rules.

#![expect(
    clippy::inconsistent_digit_grouping,
    reason = "amounts in fen are written as yuan and fen: 80_000_00"
)]

use jiff::civil::{Date, date};

use super::*;
use crate::terms::Ground;

fn loss(deductible: i64, percent: i64, household: i64) -> Terms {
    Terms {
        grounds: vec![Ground::Registered, Ground::ResidencePermit],
        report_within_days: 30,
        benefits: vec![Benefit {
            peril: "FIRE".to_owned(),
            object: Object::Dwelling,
            insured_by: InsuredBy::Residence,
            form: Form::Loss { deductible: Fen::of(deductible), share: Ppm::of(percent * 10_000) },
            sum_insured: None,
            waiting_days: 0,
            limit_person_year: None,
            limit_household_year: Some(Fen::of(household)),
            limit_event: None,
        }],
        ..Terms::default()
    }
}

fn facts(assessed: i64) -> Facts {
    Facts {
        event_on: date(2020, 2, 14),
        reported_on: date(2020, 2, 15),
        assessed: Fen::of(assessed),
        grade: None,
        residences: vec![Residence { ground: Ground::Registered, since: date(2013, 8, 12) }],
        dwelling: None,
        in_place: false,
        documents_complete: true,
        fixed_before: Fen::ZERO,
    }
}

fn cover(rank: i32, terms: &Terms) -> Cover<'_> {
    let benefit = terms.benefits.first();
    let caps = benefit.map(|benefit| Caps::of(benefit, terms, |_| Fen::ZERO)).unwrap_or_default();
    Cover { rank, from: date(2020, 1, 1), to: date(2021, 1, 1), terms, benefit, caps }
}

fn paid(loss_fen: i64) -> Vec<i64> {
    let (first, next) = (loss(500_00, 60, 30_000_00), loss(0, 80, 60_000_00));
    // whatever the order in which they are given
    let mut covers = [cover(2, &next), cover(1, &first)];
    adjudicate(&facts(loss_fen), &mut covers).lines.iter().map(|line| line.approved.fen()).collect()
}

#[test]
fn two_schemes_are_stacked_without_paying_a_loss_twice() {
    assert_eq!(paid(80_000_00), [30_000_00, 40_000_00]);
    assert_eq!(paid(20_000_00), [11_700_00, 6_640_00]);
}

#[test]
fn each_condition_refuses_by_its_own_rule() {
    let terms = loss(0, 80, 60_000_00);
    let decide = |facts: Facts| {
        let decision = adjudicate(&facts, &mut [cover(1, &terms)]);
        (decision.outcome, decision.rule.map(kernel::state::Named::name), decision.approved.fen())
    };
    let on = |event_on: Date| Facts { event_on, reported_on: event_on, ..facts(100_00) };
    assert_eq!(decide(on(date(2019, 12, 31))), (Outcome::Rejected, Some("EVENT_BEFORE_POLICY"), 0));
    assert_eq!(decide(on(date(2021, 1, 1))), (Outcome::Rejected, Some("EVENT_AFTER_POLICY"), 0));
    assert_eq!(decide(on(date(2020, 12, 31))), (Outcome::Approved, None, 80_00));
    let late = Facts { reported_on: date(2020, 3, 16), ..facts(100_00) };
    assert_eq!(decide(late), (Outcome::Rejected, Some("REPORTED_LATE"), 0));
    let away = Facts { residences: Vec::new(), ..facts(100_00) };
    assert_eq!(decide(away), (Outcome::Rejected, Some("NOT_RESIDENT_ON_DAY"), 0));
    let bare = Facts { documents_complete: false, ..facts(100_00) };
    assert_eq!(decide(bare), (Outcome::Rejected, Some("DOCUMENTS_MISSING"), 0));
}
