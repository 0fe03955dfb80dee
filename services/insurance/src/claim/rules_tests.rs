//! The rules of a claim, from the view of who asks.

use jiff::civil::date;
use kernel::{calendar::Calendar, state::Named};
use proptest::prelude::*;

use super::*;

fn actor(who: &str) -> Actor {
    Actor::new(format!("urn:x|{who}"), format!("towns/malu/people/{who}"))
}

fn facts(state: State) -> Facts {
    Facts {
        state,
        outcome: None,
        reporter: actor("r"),
        changer: Some(actor("c")),
        surveyor: Some(actor("s")),
        assessor: Some(actor("a")),
        earlier: vec![("assess", actor("b"))],
        adjudicator: Some(actor("j")),
        parties: vec!["towns/malu/people/own".to_owned()],
        paid: false,
        paid_whole: false,
        unconfirmed: false,
        appealed: false,
        notice_ends: Some(date(2020, 3, 10)),
        appeal_ends: Some(date(2020, 3, 20)),
        open_objections: 0,
    }
}

#[test]
fn the_table_is_whole() {
    assert!(TABLE.faults().is_empty(), "{:?}", TABLE.faults());
}

#[test]
fn nobody_decides_what_he_prepared_or_what_is_his_own() {
    let today = date(2020, 3, 1);
    let assessed = facts(State::Assessed);
    for (who, why) in [("r", "report"), ("c", "update"), ("s", "survey"), ("a", "assess"), ("b", "assess")] {
        assert_eq!(assessed.hindrance(Verb::Adjudicate, &actor(who), today), Some(Hindrance::FourEyes(why)));
    }
    for verb in [Verb::Survey, Verb::Assess, Verb::Adjudicate, Verb::AnswerObjection, Verb::Pay] {
        assert_eq!(assessed.hindrance(verb, &actor("own"), today), Some(Hindrance::Own), "{verb:?}");
    }
    assert_eq!(assessed.hindrance(Verb::Adjudicate, &actor("j"), today), None);
    let appealed = Facts { appealed: true, ..facts(State::Appealed) };
    assert_eq!(
        appealed.hindrance(Verb::Adjudicate, &actor("j"), today),
        Some(Hindrance::FourEyes("adjudicate"))
    );
}

#[test]
fn an_appeal_is_open_once_within_its_term_against_what_is_not_paid_whole() {
    let decided = |outcome| Facts { outcome: Some(outcome), ..facts(State::Adjudicated) };
    let (who, in_time, late) = (actor("x"), date(2020, 3, 20), date(2020, 3, 21));
    assert_eq!(decided(Outcome::Rejected).hindrance(Verb::Appeal, &who, in_time), None);
    assert_eq!(
        decided(Outcome::InPart).hindrance(Verb::Appeal, &who, late),
        Some(Hindrance::AppealOver(in_time))
    );
    assert_eq!(
        decided(Outcome::Approved).hindrance(Verb::Appeal, &who, in_time),
        Some(Hindrance::NothingToAppeal)
    );
    let again = Facts { appealed: true, ..decided(Outcome::Rejected) };
    assert_eq!(again.hindrance(Verb::Appeal, &who, in_time), Some(Hindrance::AppealedBefore));
    // what may be appealed is not closed before
    assert_eq!(
        decided(Outcome::Rejected).hindrance(Verb::Close, &who, in_time),
        Some(Hindrance::AppealOpen(in_time))
    );
    assert_eq!(decided(Outcome::Rejected).hindrance(Verb::Close, &who, late), None);
    assert_eq!(again.hindrance(Verb::Close, &who, in_time), None);
}

proptest! {
    /// No step pays while an objection is open or the notice runs, whoever asks on whichever day.
    #[test]
    fn nothing_is_paid_before_its_time(open in 0i32..3, day in 1i8..28, who in "[rsajx]") {
        let today = date(2020, 3, day);
        let claim = Facts { open_objections: open, outcome: Some(Outcome::Approved), ..facts(State::Notice) };
        let may = claim.hindrance(Verb::Pay, &actor(&who), today).is_none();
        prop_assert_eq!(may, open == 0 && day > 10 && who != "j");
    }

    /// A clock that stops and goes on ends as late as the pause was long.
    #[test]
    fn a_pause_gives_back_its_days(n in 0u32..30, worked in 0i64..60, pause in 0i64..40) {
        let days = Calendar::from_papers(&[]);
        let from = date(2020, 3, 2);
        let stops = from.checked_add(jiff::Span::new().days(worked)).unwrap();
        let goes_on = stops.checked_add(jiff::Span::new().days(pause)).unwrap();
        let rest = left(Some((from, n)), stops, &days);
        let used = days.working_days_between(from.tomorrow().unwrap(), stops.tomorrow().unwrap());
        prop_assert_eq!(rest, n.saturating_sub(used));
        let due = days.term(goes_on, rest).due;
        prop_assert!(rest == 0 || days.working_days_between(goes_on.tomorrow().unwrap(), due.tomorrow().unwrap()) == rest);
    }

    #[test]
    fn every_state_that_waits_for_somebody_has_its_term(n in 0..State::ALL.len()) {
        let state = State::ALL[n];
        let waits = waiting(&facts(state), date(2020, 3, 1));
        prop_assert_eq!(waits.is_some(), leg(state).is_some() || state == State::DocumentsRequested);
        if let Some((_, verb)) = waits {
            prop_assert!(TABLE.next(state, verb).is_ok(), "{} in {}", verb.name(), state.name());
        }
    }
}
