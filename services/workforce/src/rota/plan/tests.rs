use jiff::{ToSpan, civil::date};
use kernel::state::Named;
use proptest::{collection::vec, prelude::*};

use super::*;

const FIRST: Date = date(2020, 9, 26);

fn calendar() -> Calendar {
    use kernel::calendar::Paper;
    let lines =
        |text: &'static str| text.lines().skip(1).map(|line| line.trim_end().split(',').collect::<Vec<_>>());
    let papers = lines(include_str!("../../../../../deploy/demo/calendar_papers.csv")).map(|paper| Paper {
        code: paper[0].to_owned(),
        dated: paper[2].parse().unwrap(),
        days: lines(include_str!("../../../../../deploy/demo/calendar_paper_days.csv"))
            .filter(|day| day[0] == paper[0])
            .map(|day| (day[1].parse().unwrap(), DayKind::from_name(day[2]).unwrap()))
            .collect(),
    });
    Calendar::from_papers(&papers.collect::<Vec<_>>())
}

fn candidate(n: usize) -> Candidate {
    Candidate { worker: format!("w-{n}"), blocked: Vec::new(), days_before: 0, windows_before: 0 }
}

/// The rule of rest said anew: of all whole-day duties of a worker, those of which both stand elsewhere aside.
fn rested(policy: &Policy, own: &[i64], standing: &[i64]) -> bool {
    let mut all: Vec<(i64, bool)> =
        own.iter().map(|day| (*day, true)).chain(standing.iter().map(|day| (*day, false))).collect();
    all.sort();
    let near = all.windows(2).any(|pair| {
        let gap = pair[1].0 - pair[0].0 - 1;
        (pair[0].1 || pair[1].1) && (gap < 0 || (gap > 0 && gap < i64::from(policy.rest_days)))
    });
    let too_many = own.iter().any(|day| {
        let on = |day: i64| all.iter().any(|(other, _)| *other == day);
        let back = (1..).take_while(|n| on(day - n)).count();
        let on_forward = (1..).take_while(|n| on(day + n)).count();
        back + on_forward + 1 > policy.in_a_row as usize
    });
    !near && !too_many
}

fn number(day: Date) -> i64 {
    i64::from((day - FIRST).get_days())
}

/// What breaks a rule in who is on duty at each slot, looked at from scratch.
fn is_valid(input: &Input, slots: &[Slot], chosen: &[Option<usize>]) -> bool {
    let mut own: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    let mut taken: Vec<(&str, Date)> =
        input.standing.iter().map(|its| (its.worker.as_str(), its.day)).collect();
    for (slot, candidate) in slots.iter().zip(chosen) {
        let Some(candidate) = candidate else { continue };
        let candidate = &input.committees[slot.committee].candidates[*candidate];
        let day = input.days[slot.day].0;
        if candidate.blocked.iter().any(|(days, _)| days.contains(day)) {
            return false;
        }
        if taken.contains(&(&candidate.worker, day)) {
            return false;
        }
        taken.push((&candidate.worker, day));
        if slot.window == Window::Day {
            own.entry(&candidate.worker).or_default().push(number(day));
        }
    }
    own.iter().all(|(worker, days)| {
        let standing = input.standing.iter().filter(|its| its.worker == *worker && its.window == Window::Day);
        rested(&input.policy, days, &standing.map(|its| number(its.day)).collect::<Vec<_>>())
    })
}

/// Every way to give the slots away: the fewest that must be left, and whether with so few the numbers can be even.
fn brute(input: &Input, slots: &[Slot]) -> (usize, bool) {
    fn go(input: &Input, slots: &[Slot], chosen: &mut Vec<Option<usize>>, best: &mut (usize, bool)) {
        let missing = chosen.iter().filter(|one| one.is_none()).count();
        if missing > best.0 || !is_valid(input, &slots[..chosen.len()], chosen) {
            return;
        }
        if chosen.len() == slots.len() {
            let even = is_even(input, slots, chosen);
            *best = (missing, if missing < best.0 { even } else { best.1 || even });
            return;
        }
        let candidates = input.committees[slots[chosen.len()].committee].candidates.len();
        for one in (0..candidates).map(Some).chain([None]) {
            chosen.push(one);
            go(input, slots, chosen, best);
            chosen.pop();
        }
    }
    let mut best = (usize::MAX, false);
    go(input, slots, &mut Vec::new(), &mut best);
    best
}

/// Whether numbers differ by one at most among those who could be on duty on one of the days.
fn is_even(input: &Input, slots: &[Slot], chosen: &[Option<usize>]) -> bool {
    (0..input.committees.len()).all(|committee| {
        let mine = || slots.iter().zip(chosen).filter(|(slot, _)| slot.committee == committee);
        let candidates = input.committees[committee].candidates.iter().enumerate();
        let could = candidates.filter(|(_, its)| {
            mine().any(|(slot, _)| {
                let day = input.days[slot.day].0;
                let elsewhere = input.standing.iter().any(|one| one.worker == its.worker && one.day == day);
                !elsewhere && its.obstacle(day).is_none()
            })
        });
        let counts = could.map(|(n, its)| {
            its.days_before as usize + mine().filter(|(_, candidate)| **candidate == Some(n)).count()
        });
        let counts: Vec<usize> = counts.collect();
        counts.iter().max().unwrap_or(&0) - counts.iter().min().unwrap_or(&0) <= 1
    })
}

/// A period with an obstacle, an index of days.
fn blocked() -> impl Strategy<Value = (Period, Obstacle)> {
    let obstacle = prop::sample::select(vec![Obstacle::Away, Obstacle::Untrained, Obstacle::NotPosted]);
    (0i64..7, 1i64..4, obstacle).prop_map(|(from, days, obstacle)| {
        let from = FIRST + from.days();
        (Period::new(from, Some(from + days.days())).unwrap(), obstacle)
    })
}

fn input() -> impl Strategy<Value = Input> {
    let committee = || vec((0usize..5, vec(blocked(), 0..3), 0u32..3), 1..4);
    let kinds = vec(prop::bool::weighted(0.7), 7);
    let standing = vec((0usize..5, -3i64..10), 0..3);
    let rule = (0u32..4, 1u32..3, 1u32..3);
    (vec(committee(), 1..3), kinds, standing, rule).prop_map(|(committees, kinds, standing, rule)| {
        let committees = committees.into_iter().enumerate().map(|(n, members)| {
            let mut candidates: Vec<Candidate> = Vec::new();
            for (worker, blocked, before) in members {
                let its = Candidate { blocked, days_before: before, ..candidate(worker) };
                if candidates.iter().all(|other| other.worker != its.worker) {
                    candidates.push(its);
                }
            }
            Committee { id: format!("c{n}"), candidates }
        });
        let committees: Vec<Committee> = committees.collect();
        // what can be tried out in every way there is
        let most = 8 / committees.len() / rule.2 as usize;
        let mut duties = 0;
        let days = kinds.into_iter().enumerate().map(|(n, off)| {
            let off = off && duties < most;
            duties += usize::from(off);
            (FIRST + i64::try_from(n).unwrap().days(), if off { DayKind::Rest } else { DayKind::Work })
        });
        let standing = standing.into_iter().map(|(worker, day)| Standing {
            worker: format!("w-{worker}"),
            day: FIRST + day.days(),
            window: Window::Day,
        });
        let mut standing: Vec<Standing> = standing.collect();
        standing.sort_by_key(|its| (its.worker.clone(), its.day));
        standing.dedup();
        let policy = Policy { rest_days: rule.0, in_a_row: rule.1, rest_cover: rule.2, ..Policy::default() };
        Input { days: days.collect(), policy, committees, standing }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Against every way that there is: nobody is on duty who can't be, as many duties are covered as can be, and numbers are even
    /// where they can be.
    #[test]
    fn every_duty_is_covered_that_can_be_and_evenly_where_that_can_be(input in input()) {
        let slots = slots(&input);
        let rota = generate(&input);
        let chosen: Vec<Option<usize>> = rota.duties.iter().map(|duty| duty.candidate).collect();
        prop_assert_eq!(chosen.len(), slots.len());
        prop_assert!(is_valid(&input, &slots, &chosen), "{:?}", chosen);
        let (missing, even) = brute(&input, &slots);
        prop_assert_eq!(chosen.iter().filter(|one| one.is_none()).count(), missing);
        if missing == 0 {
            prop_assert_eq!(is_even(&input, &slots, &chosen), even);
            let named = rota.fairness.iter().filter(|its| its.whole_days).all(|its| its.evenness == Evenness::Even);
            prop_assert_eq!(named, even);
            let known = rota.fairness.iter().all(|its| its.evenness != Evenness::NotFound);
            prop_assert!(known, "{:?}", rota.fairness);
        }
        for duty in rota.duties.iter().filter(|duty| duty.candidate.is_none()) {
            // what keeps each of them is told, and none is left out
            prop_assert_eq!(duty.why.hindered.len(), input.committees[duty.committee].candidates.len());
        }
        prop_assert_eq!(generate(&input), rota);
    }

    /// What is found to break the rule of rest by hand is what the rule says.
    #[test]
    fn a_duty_put_in_by_hand_is_held_against_the_same_rule(others in vec(0i64..20, 0..6), day in 0i64..20, rest in 0u32..4, in_a_row in 1u32..4) {
        let policy = Policy { rest_days: rest, in_a_row, ..Policy::default() };
        let mut others = others;
        others.sort();
        others.dedup();
        let dates: Vec<Date> = others.iter().map(|day| FIRST + day.days()).collect();
        prop_assert_eq!(unrested(&policy, &dates, FIRST + day.days()).is_none(), rested(&policy, &[day], &others));
    }
}

#[test]
fn a_year_of_a_committee_is_even_and_remembers_the_one_before() {
    let calendar = calendar();
    let mut candidates: Vec<Candidate> = (0..6).map(candidate).collect();
    // three months away, and more duties than the others before
    candidates[1].blocked =
        vec![(Period::new(date(2020, 10, 1), Some(date(2021, 1, 1))).unwrap(), Obstacle::Away)];
    candidates[2].days_before = 5;
    let window = |weekdays| Staggered {
        hours: Hours { begins: 690, ends: 780 },
        weekdays,
        workers: 1,
        make_up_days: false,
    };
    let policy = Policy {
        noon: Some(window(vec![1, 2, 3, 4, 5])),
        evening: Some(window(vec![2, 4])),
        ..Policy::default()
    };
    let days = days(&calendar, date(2020, 1, 1), date(2021, 1, 1));
    let committees = vec![Committee { id: "c".to_owned(), candidates }];
    let input = Input { days, policy, committees, standing: Vec::new() };
    let rota = generate(&input);
    let slots = slots(&input);
    let chosen: Vec<Option<usize>> = rota.duties.iter().map(|duty| duty.candidate).collect();
    assert!(is_valid(&input, &slots, &chosen));
    assert!(
        rota.fairness.iter().all(|its| its.uncovered == 0 && its.evenness == Evenness::Even),
        "{:?}",
        rota.fairness
    );
    assert!(rota.fairness.iter().all(|its| its.duties > 100));
}

#[test]
fn the_golden_week_of_2020_has_its_ten_days_on_duty() {
    let days = days(&calendar(), date(2020, 9, 26), date(2020, 10, 13));
    let committees = vec![Committee { id: "c".to_owned(), candidates: (0..3).map(candidate).collect() }];
    let input = Input { days, policy: Policy::default(), committees, standing: Vec::new() };
    let on_duty: Vec<String> = generate(&input).duties.iter().map(|duty| duty.day.to_string()).collect();
    let october = ["01", "02", "03", "04", "05", "06", "07", "08", "11"].map(|day| format!("2020-10-{day}"));
    assert_eq!(on_duty, [&["2020-09-26".to_owned()][..], &october].concat());
}
