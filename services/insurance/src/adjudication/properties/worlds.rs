//! Random programmes, facts and amounts used before.

use jiff::{
    ToSpan,
    civil::{Date, date},
};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::super::*;
use crate::terms::{GRADES, Ground, Object};

/// The peril that every claim is about.
pub(super) const PERIL: &str = "FIRE";

/// A programme with its policy, and what was drawn on each of its caps before, in their order.
#[derive(Clone, Debug)]
pub(super) struct Programme {
    pub(super) rank: i32,
    pub(super) from: Date,
    pub(super) to: Date,
    pub(super) terms: Terms,
    pub(super) used: [i64; caps::CAPS],
}

impl Programme {
    /// The benefit of the claim's peril.
    pub(super) fn benefit(&self) -> Option<&Benefit> {
        self.terms.benefit(PERIL)
    }

    /// As the claim meets it.
    pub(super) fn cover(&self) -> Cover<'_> {
        let used = |cap: Cap| Fen::of(self.used[Cap::ORDER.iter().position(|one| *one == cap).unwrap()]);
        let benefit = self.benefit();
        let caps = benefit.map(|benefit| Caps::of(benefit, &self.terms, used)).unwrap_or_default();
        Cover { rank: self.rank, from: self.from, to: self.to, terms: &self.terms, benefit, caps }
    }
}

/// A claim and the programmes that it meets.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) facts: Facts,
    pub(super) programmes: Vec<Programme>,
}

impl World {
    pub(super) fn covers(&self) -> Vec<Cover<'_>> {
        self.programmes.iter().map(Programme::cover).collect()
    }

    pub(super) fn decide(&self) -> Decision {
        adjudicate(&self.facts, &mut self.covers())
    }
}

/// A dwelling that it met, or none.
fn dwelling() -> BoxedStrategy<Option<Dwelling>> {
    let of =
        prop_oneof![4 => Just(Dwelling::There), 1 => Just(Dwelling::OfOthers), 1 => Just(Dwelling::Absent)];
    option::of(of).boxed()
}

/// An amount in fen: nothing, some fen, household losses, and the largest that anybody insures.
pub(super) fn amount() -> BoxedStrategy<i64> {
    prop_oneof![1 => Just(0i64), 2 => 0..300i64, 6 => 0..10_000_000i64, 1 => 0..1_000_000_000_000_000i64]
        .boxed()
}

fn share() -> BoxedStrategy<Ppm> {
    prop_oneof![select(vec![0i64, 600_000, 800_000, 1_000_000]), 0..=1_000_000i64].prop_map(Ppm::of).boxed()
}

pub(super) fn loss() -> BoxedStrategy<Form> {
    (prop_oneof![2 => Just(0i64), 3 => amount()], share())
        .prop_map(|(deductible, share)| Form::Loss { deductible: Fen::of(deductible), share })
        .boxed()
}

pub(super) fn form() -> BoxedStrategy<Form> {
    let parts = vec(share(), GRADES).prop_map(|parts| <[Ppm; GRADES]>::try_from(parts).unwrap());
    prop_oneof![
        4 => loss(),
        1 => amount().prop_map(|sum| Form::Fixed(Fen::of(sum))),
        1 => (amount(), parts).prop_map(|(sum, parts)| Form::ByGrade { sum: Fen::of(sum), parts }),
    ]
    .boxed()
}

fn limit() -> BoxedStrategy<Option<Fen>> {
    option::weighted(0.4, amount().prop_map(Fen::of)).boxed()
}

fn benefit(peril: &'static str) -> BoxedStrategy<Benefit> {
    let insured_by = prop_oneof![4 => Just(InsuredBy::Residence), 1 => Just(InsuredBy::Place)];
    let waiting = prop_oneof![3 => Just(0u16), 1 => 0..60u16];
    (form(), insured_by, waiting, (limit(), limit(), limit()))
        .prop_map(move |(form, insured_by, waiting_days, (person, household, event))| Benefit {
            peril: peril.to_owned(),
            object: Object::Dwelling,
            insured_by,
            form,
            sum_insured: None,
            waiting_days,
            limit_person_year: person,
            limit_household_year: household,
            limit_event: event,
        })
        .boxed()
}

fn grounds() -> BoxedStrategy<Vec<Ground>> {
    let both = vec![Ground::Registered, Ground::ResidencePermit];
    prop_oneof![4 => Just(both), 1 => Just(vec![Ground::Registered]), 1 => Just(vec![Ground::ResidencePermit])].boxed()
}

fn terms() -> BoxedStrategy<Terms> {
    let benefits = (option::weighted(0.9, benefit(PERIL)), option::of(benefit("TYPHOON")));
    let limits = (limit(), limit(), limit(), limit());
    let term = prop_oneof![3 => 30..90u16, 1 => 0..10u16];
    (grounds(), term, benefits, limits)
        .prop_map(|(grounds, report_within_days, (its, other), (person, household, event, year))| Terms {
            grounds,
            report_within_days,
            benefits: [other, its].into_iter().flatten().collect(),
            limit_person_year: person,
            limit_household_year: household,
            limit_event: event,
            limit_year: year,
        })
        .boxed()
}

fn programme() -> BoxedStrategy<Programme> {
    let used = vec(prop_oneof![2 => Just(0i64), 1 => amount()], caps::CAPS);
    let used = used.prop_map(|used| <[i64; caps::CAPS]>::try_from(used).unwrap());
    let from = prop_oneof![5 => Just(date(2020, 1, 1)), 1 => Just(date(2020, 7, 1))];
    (from, terms(), used)
        .prop_map(|(from, terms, used)| Programme { rank: 0, from, to: date(2021, 1, 1), terms, used })
        .boxed()
}

fn after(day: Date, days: i32) -> Date {
    day.checked_add(days.days()).unwrap()
}

fn residences(event_on: Date) -> BoxedStrategy<Vec<Residence>> {
    let ground = select(vec![Ground::Registered, Ground::ResidencePermit]);
    let since = prop_oneof![1 => 0..70i32, 2 => 0..4_000i32];
    let one = (ground, since)
        .prop_map(move |(ground, ago)| Residence { ground, since: after(event_on, -ago) })
        .boxed();
    prop_oneof![1 => Just(0usize), 6 => Just(1), 3 => Just(2)]
        .prop_flat_map(move |many| vec(one.clone(), many))
        .boxed()
}

pub(super) fn facts() -> BoxedStrategy<Facts> {
    let edges = vec![date(2019, 12, 31), date(2020, 1, 1), date(2020, 12, 31), date(2021, 1, 1)];
    let within = (0..366i32).prop_map(|days| after(date(2020, 1, 1), days));
    let event_on = prop_oneof![1 => select(edges), 6 => within];
    let late = prop_oneof![3 => 0..10i32, 1 => 0..100i32];
    let grade = prop_oneof![1 => Just(None), 5 => (1..=10u8).prop_map(Some), 1 => (0..=12u8).prop_map(Some)];
    let documents = proptest::bool::weighted(0.9);
    let fixed_before = prop_oneof![3 => Just(0i64), 1 => amount()];
    event_on
        .prop_flat_map(move |event_on| {
            (
                residences(event_on),
                late.clone(),
                amount(),
                grade.clone(),
                (documents, documents, dwelling()),
                fixed_before.clone(),
            )
                .prop_map(
                    move |(
                        residences,
                        late,
                        assessed,
                        grade,
                        (documents_complete, in_place, dwelling),
                        fixed_before,
                    )| {
                        Facts {
                            event_on,
                            reported_on: after(event_on, late),
                            assessed: Fen::of(assessed),
                            grade,
                            residences,
                            dwelling,
                            in_place,
                            documents_complete,
                            fixed_before: Fen::of(fixed_before),
                        }
                    },
                )
        })
        .boxed()
}

/// One to three programmes of different ranks, in any order.
pub(super) fn world() -> BoxedStrategy<World> {
    let ranks = Just(vec![1, 2, 7]).prop_shuffle();
    (facts(), vec(programme(), 1..=3), ranks)
        .prop_map(|(facts, mut programmes, ranks)| {
            for (programme, rank) in programmes.iter_mut().zip(ranks) {
                programme.rank = rank;
            }
            World { facts, programmes }
        })
        .boxed()
}

/// A fixed benefit of 2,000 yuan for somebody whose year of 2,500 yuan is used up.
pub(super) fn used_up() -> World {
    let benefit = Benefit {
        peril: PERIL.to_owned(),
        object: Object::Person,
        insured_by: InsuredBy::Place,
        form: Form::Fixed(Fen::of(200_000)),
        sum_insured: None,
        waiting_days: 0,
        limit_person_year: None,
        limit_household_year: None,
        limit_event: None,
    };
    let terms = Terms {
        report_within_days: 30,
        benefits: vec![benefit],
        limit_person_year: Some(Fen::of(250_000)),
        ..Terms::default()
    };
    let used = Cap::ORDER.map(|cap| if cap == Cap::PersonYear { 250_000 } else { 0 });
    let facts = Facts {
        event_on: date(2020, 3, 1),
        reported_on: date(2020, 3, 1),
        assessed: Fen::ZERO,
        grade: None,
        residences: Vec::new(),
        dwelling: None,
        in_place: true,
        documents_complete: true,
        fixed_before: Fen::ZERO,
    };
    let programme = Programme { rank: 1, from: date(2020, 1, 1), to: date(2021, 1, 1), terms, used };
    World { facts, programmes: vec![programme] }
}
