//! Sequences of claims that draw on the same caps.

use std::collections::HashMap;

use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    super::*,
    worlds::{self, Programme, World, facts, world},
};

/// A claim of a sequence: who, what happened when.
#[derive(Clone, Debug)]
struct Claim {
    facts: Facts,
    /// Two persons share a household.
    person: usize,
    event: usize,
}

fn claims() -> BoxedStrategy<Vec<Claim>> {
    let claim =
        (facts(), 0..4usize, 0..3usize).prop_map(|(facts, person, event)| Claim { facts, person, event });
    vec(claim, 1..25).boxed()
}

/// What was paid: on each cap by the rank of its programme, and in fixed benefits to each person for each event.
#[derive(Default)]
struct Paid {
    caps: HashMap<(i32, Cap, usize), i64>,
    fixed: HashMap<(usize, usize), i64>,
}

/// Whose cap it is.
fn key(claim: &Claim, cap: Cap) -> usize {
    match cap {
        Cap::BenefitPersonYear | Cap::PersonYear => claim.person,
        Cap::BenefitHouseholdYear | Cap::HouseholdYear => claim.person / 2,
        Cap::BenefitEvent | Cap::Event => claim.event,
        Cap::Year => 0,
    }
}

impl Paid {
    /// Decides a claim by what was paid before, and pays it.
    fn pay(&mut self, programmes: &[Programme], claim: &Claim) -> Decision {
        let used = |programme: &Programme| {
            Cap::ORDER.map(|cap| self.caps.get(&(programme.rank, cap, key(claim, cap))).copied().unwrap_or(0))
        };
        let programmes = programmes.iter().map(|one| Programme { used: used(one), ..one.clone() }).collect();
        let fixed = self.fixed.entry((claim.person, claim.event)).or_default();
        let world =
            World { facts: Facts { fixed_before: Fen::of(*fixed), ..claim.facts.clone() }, programmes };
        let decision = world.decide();
        for (line, programme) in decision.lines.iter().zip(super::ranked(&world)) {
            for cap in Cap::ORDER {
                *self.caps.entry((programme.rank, cap, key(claim, cap))).or_default() += line.approved.fen();
            }
            if !super::is_loss(programme) {
                *fixed += line.approved.fen();
            }
        }
        decision
    }

    /// The first cap that more was drawn on than there is.
    fn over(&self, programmes: &[Programme]) -> Option<(i32, Cap, usize)> {
        let limit = |rank: i32, cap: Cap| {
            let programme = programmes.iter().find(|programme| programme.rank == rank)?;
            cap.limit(programme.benefit()?, &programme.terms)
        };
        let drawn = self.caps.iter();
        drawn
            .filter(|((rank, cap, _), drawn)| limit(*rank, *cap).is_some_and(|limit| **drawn > limit.fen()))
            .map(|(key, _)| *key)
            .next()
    }
}

/// A programme whose only limit is `cap`.
fn limited(mut programme: Programme, form: Form, (cap, limit): (Cap, i64)) -> Programme {
    let only = |one: Cap| (one == cap).then_some(Fen::of(limit));
    for benefit in &mut programme.terms.benefits {
        benefit.form = form;
        benefit.limit_person_year = only(Cap::BenefitPersonYear);
        benefit.limit_household_year = only(Cap::BenefitHouseholdYear);
        benefit.limit_event = only(Cap::BenefitEvent);
    }
    programme.terms.limit_person_year = only(Cap::PersonYear);
    programme.terms.limit_household_year = only(Cap::HouseholdYear);
    programme.terms.limit_event = only(Cap::Event);
    programme.terms.limit_year = only(Cap::Year);
    programme
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_sequence_of_claims_goes_over_a_cap_or_pays_a_loss_twice(world in world(), claims in claims()) {
        let mut paid = Paid::default();
        for claim in &claims {
            let decision = paid.pay(&world.programmes, claim);
            prop_assert_eq!(paid.over(&world.programmes), None, "after {:?}", claim);
            let lines = decision.lines.iter().zip(super::ranked(&world));
            let losses = lines.filter(|(_, programme)| super::is_loss(programme));
            prop_assert!(losses.map(|(line, _)| line.approved.fen()).sum::<i64>() <= claim.facts.assessed.fen());
        }
    }

    #[test]
    fn with_one_cap_alone_the_total_does_not_depend_on_the_order(
        world in world(),
        form in worlds::loss(),
        cap in (select(Cap::ORDER.to_vec()), worlds::amount()),
        (claims, shuffled) in claims().prop_flat_map(|claims| (Just(claims.clone()), Just(claims).prop_shuffle())),
    ) {
        let programmes = [limited(world.programmes[0].clone(), form, cap)];
        let total = |claims: &[Claim]| {
            let mut paid = Paid::default();
            claims.iter().map(|claim| i128::from(paid.pay(&programmes, claim).approved.fen())).sum::<i128>()
        };
        prop_assert_eq!(total(&claims), total(&shuffled));
    }

    #[test]
    fn what_is_left_of_a_cap_is_paid_before_it_is_used_up(
        world in world(),
        form in worlds::loss(),
        limit in worlds::amount(),
        claims in claims(),
    ) {
        let unlimited = [limited(world.programmes[0].clone(), form, (Cap::Year, i64::MAX))];
        let programmes = [limited(world.programmes[0].clone(), form, (Cap::Year, limit))];
        let total = |programmes: &[Programme]| {
            let mut paid = Paid::default();
            claims.iter().map(|claim| i128::from(paid.pay(programmes, claim).approved.fen())).sum::<i128>()
        };
        prop_assert_eq!(total(&programmes), total(&unlimited).min(i128::from(limit)));
    }

    #[test]
    fn fixed_benefits_of_a_person_and_event_stay_at_the_highest_over_claims(world in world(), claims in claims()) {
        let mut paid = Paid::default();
        let mut highest: HashMap<(usize, usize), i64> = HashMap::new();
        for claim in &claims {
            paid.pay(&world.programmes, claim);
            let most = highest.entry((claim.person, claim.event)).or_default();
            for programme in &world.programmes {
                match programme.benefit().map(|benefit| benefit.form) {
                    Some(Form::Fixed(sum)) => *most = sum.fen().max(*most),
                    // no part is more than the sum
                    Some(Form::ByGrade { sum, .. }) => *most = sum.fen().max(*most),
                    Some(Form::Loss { .. }) | None => {}
                }
            }
            prop_assert!(paid.fixed[&(claim.person, claim.event)] <= *most);
        }
    }
}
