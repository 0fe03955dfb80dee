use jiff::{ToSpan, civil::date};
use kernel::state::Named;
use proptest::prelude::*;

use super::*;

fn actor(n: u8) -> Actor {
    Actor::new(format!("urn:x|{n}"), format!("towns/malu/people/p-{n}"))
}

fn facts(state: State) -> Facts {
    Facts {
        state,
        applicant: actor(0),
        reviewer: None,
        approver: None,
        notice_required: false,
        notice_ends: None,
        open_objections: 0,
    }
}

#[test]
fn the_table_is_whole() {
    assert!(TABLE.faults().is_empty(), "{:?}", TABLE.faults());
    for end in [State::Disclosed, State::Rejected, State::Withdrawn] {
        assert_eq!(TABLE.allowed(end).count(), 0, "{end:?} is an end");
        assert!(leg(end).is_none() && waiting(&facts(end), date(2020, 6, 1)).is_none());
    }
    // where somebody is waited for, the state knows what he is to do, and a term runs
    for state in State::ALL {
        if let Some((_, verb)) = waiting(&facts(*state), date(2020, 6, 1)) {
            assert!(TABLE.next(*state, verb).is_ok(), "{state:?} {verb:?}");
            assert!(leg(*state).is_some());
        }
    }
    // what was paid is never taken back by a verb
    for state in [State::Paid, State::Settled] {
        assert_eq!(TABLE.allowed(state).count(), 1);
    }
}

#[test]
fn a_notice_is_over_the_day_after_its_last_one() {
    let end = date(2020, 10, 9);
    let mut noticed = facts(State::Notice);
    (noticed.notice_required, noticed.notice_ends) = (true, Some(end));
    assert_eq!(noticed.hindrance(Verb::Approve, &actor(2), end), Some(Hindrance::NoticeRunning(end)));
    assert_eq!(noticed.hindrance(Verb::Approve, &actor(2), end + 1.day()), None);
    assert_eq!(noticed.hindrance(Verb::Object, &actor(5), end), None);
    assert_eq!(noticed.hindrance(Verb::Object, &actor(5), end + 1.day()), Some(Hindrance::NoticeOver(end)));
    assert_eq!(waiting(&noticed, end), Some((Party::Public, Verb::Object)));
    assert_eq!(waiting(&noticed, end + 1.day()), Some((Party::Town, Verb::Approve)));
    let mut reviewed = facts(State::Reviewed);
    reviewed.notice_required = true;
    assert_eq!(reviewed.hindrance(Verb::Approve, &actor(2), end), Some(Hindrance::NoticeRequired));
    assert_eq!(waiting(&reviewed, end), Some((Party::Committee, Verb::PublishNotice)));
}

/// One round: who (of four people) tries which verb, on which day.
type Try = (u8, usize, i64);

/// Lets people try verbs as the rules have it; the states that it went through.
fn live(tries: &[Try], required: bool) -> Vec<(Facts, Verb, Actor)> {
    let mut now = facts(State::Applied);
    now.notice_required = required;
    let mut taken = Vec::new();
    for (who, verb, day) in tries {
        let (who, verb, today) =
            (actor(*who), Verb::ALL[*verb % Verb::ALL.len()], date(2020, 6, 1) + day.days());
        let Ok(to) = TABLE.next(now.state, verb) else { continue };
        if now.hindrance(verb, &who, today).is_some() {
            continue;
        }
        taken.push((now.clone(), verb, who.clone()));
        match verb {
            Verb::Review => now.reviewer = Some(who),
            Verb::Approve => now.approver = Some(who),
            Verb::PublishNotice => now.notice_ends = Some(today + 3.days()),
            Verb::Object => now.open_objections += 1,
            Verb::AnswerObjection => now.open_objections -= 1,
            Verb::RequestRevision => {
                (now.reviewer, now.approver, now.notice_ends, now.open_objections) = (None, None, None, 0);
            }
            _ => {}
        }
        now.state = if verb == Verb::AnswerObjection { after_answer(now.open_objections) } else { to };
    }
    taken
}

proptest! {
    /// Whatever is tried by whom: four different people, no approval past a notice or an objection.
    #[test]
    fn four_people_and_no_way_around_a_notice(
        tries in prop::collection::vec((0u8..5, 0usize..16, 0i64..12), 1..120),
        required: bool,
    ) {
        for (before, verb, who) in live(&tries, required) {
            let people: Vec<&Actor> = before.former().into_iter().map(|(_, who)| who).collect();
            match verb {
                Verb::Approve => {
                    prop_assert!(!people.contains(&&who));
                    prop_assert_eq!(before.open_objections, 0);
                    prop_assert!(!required || before.notice_ends.is_some());
                }
                Verb::Pay | Verb::Batch => {
                    prop_assert_eq!(people.len(), 3);
                    prop_assert!(!people.contains(&&who));
                    prop_assert!(people.iter().enumerate().all(|(n, one)| people[..n].iter().all(|other| other != one)));
                }
                Verb::Review => prop_assert_ne!(&who, &before.applicant),
                Verb::Withdraw => prop_assert_eq!(&who, &before.applicant),
                _ => {}
            }
        }
    }

    /// Against plain sums: what is proved and what is left are what was paid; more is never settled.
    #[test]
    fn vouchers_and_the_rest_are_what_was_paid(paid in 1i64..1_000_000, parts in prop::collection::vec(1i64..400_000, 0..8)) {
        let sum: i64 = parts.iter().sum();
        let vouchers: Vec<Fen> = parts.iter().map(|fen| Fen::of(*fen)).collect();
        let settled = settle(Fen::of(paid), &vouchers);
        prop_assert_eq!(settled.is_some(), sum <= paid);
        if let Some((proved, rest)) = settled {
            prop_assert_eq!((proved.fen(), rest.fen()), (sum, paid - sum));
        }
    }
}

#[test]
fn a_sum_that_no_column_holds_is_more_than_was_paid() {
    assert_eq!(settle(Fen::of(1), &[Fen::of(i64::MAX), Fen::of(i64::MAX)]), None);
    assert_eq!(number(2020, 1), "支-2020-000001");
}
