//! The rules against an oracle that walks through the days one by one and adds fractions.

use jiff::{ToSpan, civil::date};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::rules::*;

fn scale() -> Scale {
    let grade = |post: &str, steps: &[i64]| (post.to_owned(), steps.to_vec());
    Scale {
        grades: [
            grade("WORKER", &[420_000, 440_000, 460_000, 485_000, 510_000]),
            grade("DIRECTOR", &[540_000, 570_000]),
        ]
        .into(),
        step_every_months: 36,
        certificates: [(Certificate::AssistantSocialWorker, 20_000), (Certificate::SocialWorker, 40_001)]
            .into(),
        duties: [(Duty::Rest, 15_000), (Duty::Holiday, 30_000)].into(),
        posts: [("DIRECTOR".to_owned(), 33_333)].into(),
        probation_percent: 80,
        difference_months: 12,
    }
}

fn october(hired: Date) -> Facts {
    let (month, end) = (date(2020, 10, 1), date(2020, 11, 1));
    Facts {
        month,
        hired,
        confirmed: Some(hired),
        posts: vec![Held { what: "WORKER".to_owned(), from: month, to: end }],
        certificates: Vec::new(),
        duties: [].into(),
    }
}

use jiff::civil::Date;

fn fen(facts: &Facts) -> Vec<i64> {
    compute(&scale(), facts).unwrap().iter().map(|line| line.fen).collect()
}

#[test]
fn a_step_every_thirty_six_months_of_service() {
    assert_eq!(fen(&october(date(2017, 11, 1))), [420_000]);
    assert_eq!(fen(&october(date(2017, 10, 1))), [440_000]);
    assert_eq!(fen(&october(date(1990, 1, 1))), [510_000]);
    // 10 days of 31 by the first step, 21 by the second
    assert_eq!(fen(&october(date(2017, 10, 11))), [135_484, 298_065]);
}

#[test]
fn a_month_by_days_on_probation_with_a_certificate_and_duty() {
    let mut facts = october(date(2020, 10, 12));
    facts.confirmed = Some(date(2020, 10, 22));
    facts.posts[0].from = date(2020, 10, 12);
    let of = |what, from| Held { what, from, to: date(2020, 11, 1) };
    facts.certificates = vec![
        of(Certificate::AssistantSocialWorker, date(2020, 10, 1)),
        of(Certificate::SocialWorker, date(2020, 10, 31)),
        // without an allowance it hides no other
        of(Certificate::SeniorSocialWorker, date(2020, 10, 1)),
    ];
    facts.duties = [(Duty::Rest, 2), (Duty::Holiday, 1)].into();
    // 4,200 × 80 % × 10/31, 4,200 × 10/31, 200 × 19/31, 400.01 × 1/31, 2 × 150, 300
    assert_eq!(fen(&facts), [108_387, 135_484, 12_258, 1_290, 30_000, 30_000]);
}

#[test]
fn a_post_that_the_scale_does_not_know_is_named() {
    let mut facts = october(date(2019, 1, 1));
    facts.posts[0].what = "STEWARD".to_owned();
    assert_eq!(compute(&scale(), &facts), Err(PayError::NoGrade("STEWARD".to_owned())));
}

/// Months of service, counted one by one.
fn served(hired: Date, day: Date) -> usize {
    (1..700).take_while(|n| hired.checked_add((*n).months()).is_ok_and(|over| over <= day)).count()
}

/// What a day brings, as a numerator over 100 × the days of the month: base, certificate, post.
fn of_day(scale: &Scale, facts: &Facts, day: Date) -> [(String, i128); 3] {
    let Some(post) = facts.posts.iter().find(|held| held.from <= day && day < held.to) else {
        return [(); 3].map(|()| (String::new(), 0));
    };
    let steps = &scale.grades[&post.what];
    let step = (served(facts.hired, day) / scale.step_every_months as usize).min(steps.len() - 1);
    let probation = facts.confirmed.is_none_or(|since| day < since);
    let percent = if probation { scale.probation_percent } else { 100 };
    let holding = facts.certificates.iter().filter(|held| held.from <= day && day < held.to);
    let best = holding
        .filter_map(|held| scale.certificates.get_key_value(&held.what))
        .max_by_key(|(kind, _)| **kind);
    let allowance = scale.posts.get(&post.what);
    [
        (format!("{} {step} {percent}", post.what), i128::from(steps[step]) * i128::from(percent)),
        best.map_or((String::new(), 0), |(kind, fen)| (format!("{kind:?}"), 100 * i128::from(*fen))),
        allowance.map_or((String::new(), 0), |fen| (post.what.clone(), 100 * i128::from(*fen))),
    ]
}

/// The amounts of the monthly lines: days in a row of the same key are one line, rounded once.
fn walked(scale: &Scale, facts: &Facts) -> Vec<i64> {
    let days = i128::from(facts.month.days_in_month());
    let mut amounts = Vec::new();
    for kind in 0..3 {
        let (mut before, mut sum) = (String::new(), 0_i128);
        let mut end = |sum: i128| {
            if sum > 0 {
                // half up, by doubling
                amounts.push(i64::try_from((sum * 2 / (100 * days) + 1) / 2).unwrap());
            }
        };
        for n in 0..facts.month.days_in_month() {
            let (key, part) = of_day(scale, facts, facts.month + i64::from(n).days())[kind].clone();
            if key != before {
                end(sum);
                sum = 0;
            }
            sum += part;
            before = key;
        }
        end(sum);
    }
    amounts
}

fn held<T: std::fmt::Debug + Clone + 'static>(month: Date, what: Vec<T>) -> impl Strategy<Value = Held<T>> {
    let days = i64::from(month.days_in_month());
    (select(what), 0..days, 1..=days).prop_map(move |(what, from, length)| Held {
        what,
        from: month + from.days(),
        to: month + (from + length).min(days).days(),
    })
}

prop_compose! {
    fn month()(year in 2018i16..2023, month in 1i8..=12) -> Date { date(year, month, 1) }
}

/// Posts one after the other, the later ones cut where they overlap an earlier one.
fn apart(mut posts: Vec<Held<String>>) -> Vec<Held<String>> {
    posts.sort_by_key(|held| held.from);
    let mut kept: Vec<Held<String>> = Vec::new();
    for mut held in posts {
        held.from = kept.last().map_or(held.from, |last| last.to.max(held.from));
        if held.from < held.to {
            kept.push(held);
        }
    }
    kept
}

fn facts() -> impl Strategy<Value = Facts> {
    month().prop_flat_map(|month| {
        let posts = vec(held(month, vec!["WORKER".to_owned(), "DIRECTOR".to_owned()]), 0..4).prop_map(apart);
        let kinds = vec![
            Certificate::AssistantSocialWorker,
            Certificate::SocialWorker,
            Certificate::SeniorSocialWorker,
        ];
        let certificates = vec(held(month, kinds), 0..4);
        let (hired, confirmed) = (0i64..6_000, option::of(-40i64..40));
        (posts, certificates, hired, confirmed, 0..9i32, 0..9i32).prop_map(
            move |(posts, certificates, hired, confirmed, rest, holiday)| Facts {
                month,
                hired: month - hired.days(),
                confirmed: confirmed.map(|days| month + days.days()),
                posts,
                certificates,
                duties: [(Duty::Rest, rest), (Duty::Holiday, holiday)].into(),
            },
        )
    })
}

proptest! {
    /// Against the walk: every part of the month with its step, its probation and its certificate, rounded once.
    #[test]
    fn every_line_is_what_the_days_bring(facts in facts()) {
        let lines = compute(&scale(), &facts).unwrap();
        let monthly: Vec<i64> =
            lines.iter().filter(|line| line.because.name() != "DUTY_ALLOWANCE").map(|line| line.fen).collect();
        prop_assert_eq!(monthly, walked(&scale(), &facts));
        let duty: i64 = lines.iter().filter(|line| line.because.name() == "DUTY_ALLOWANCE").map(|line| line.fen).sum();
        let (rest, holiday) = (facts.duties[&Duty::Rest], facts.duties[&Duty::Holiday]);
        prop_assert_eq!(duty, i64::from(rest) * 15_000 + i64::from(holiday) * 30_000);
    }

    /// The days of the base lines are the days in post, and no base line is more than its whole month.
    #[test]
    fn days_in_post_are_paid_once(facts in facts()) {
        let paid: i32 = compute(&scale(), &facts).unwrap().iter().map(|line| match &line.because {
            Because::Base { part, monthly_fen, .. } if line.fen <= *monthly_fen => part.days,
            _ => 0,
        }).sum();
        let held: i32 = facts.posts.iter().map(|held| (held.to - held.from).get_days()).sum();
        prop_assert_eq!(paid, held);
    }

    /// Stored and read again, inputs give the same lines to the fen; they add up; paid differences leave none.
    #[test]
    fn stored_inputs_give_the_same_statement(now in facts(), before in facts(), paid_fen in 0i64..1_000_000) {
        let scales: Scales = [("s".to_owned(), scale())].into();
        let earlier = Earlier { scale: "s".to_owned(), facts: before, paid_fen };
        let inputs = Inputs { scale: "s".to_owned(), facts: now, earlier: vec![earlier.clone()] };
        let lines = statement(&scales, &inputs).unwrap();
        let again: Inputs = serde_json::from_str(&serde_json::to_string(&inputs).unwrap()).unwrap();
        prop_assert_eq!(&statement(&scales, &again).unwrap(), &lines);
        let sum: i128 = lines.iter().map(|line| i128::from(line.fen)).sum();
        prop_assert_eq!(i128::from(total(&lines).unwrap()), sum);
        let gave = difference(&scales, &earlier).unwrap().map_or(0, |line| line.fen);
        let settled = Earlier { paid_fen: paid_fen + gave, ..earlier };
        prop_assert_eq!(difference(&scales, &settled).unwrap(), None);
    }
}
