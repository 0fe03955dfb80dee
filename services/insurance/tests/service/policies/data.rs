//! The two schemes of Work points 3.4 as requests write them.

use contracts::linli::insurance::v1::{self as pb, benefit::Form};
use jiff::civil::date;

use crate::harness::{date as wire, fen};

fn loss(peril: &str, object: pb::BenefitObject, deductible: i64, percent: i32) -> pb::Benefit {
    let share =
        pb::LossShare { deductible: Some(fen(deductible)), share_ppm: percent * 10_000, sum_insured: None };
    benefit(peril, object, Form::Loss(share))
}

fn benefit(peril: &str, object: pb::BenefitObject, form: Form) -> pb::Benefit {
    pb::Benefit {
        peril: peril.to_owned(),
        object: object.into(),
        insured_by: pb::InsuredBy::Residence.into(),
        form: Some(form),
        ..Default::default()
    }
}

fn fixed(peril: &str, sum: i64) -> pb::Benefit {
    benefit(peril, pb::BenefitObject::Person, Form::Fixed(pb::FixedSum { sum: Some(fen(sum)) }))
}

fn household(benefit: pb::Benefit, limit: i64) -> pb::Benefit {
    pb::Benefit { limit_household_year: Some(fen(limit)), ..benefit }
}

fn person(benefit: pb::Benefit, limit: i64) -> pb::Benefit {
    pb::Benefit { limit_person_year: Some(fen(limit)), ..benefit }
}

fn shares(shares: &[(&str, i32)]) -> Vec<pb::PremiumShare> {
    let share = |(bearer, percent): &(&str, i32)| pb::PremiumShare {
        bearer: (*bearer).to_owned(),
        share_ppm: percent * 10_000,
    };
    shares.iter().map(share).collect()
}

fn policy(programme: &str, (insurer, code): (&str, &str), terms: pb::PolicyTerms) -> pb::Policy {
    pb::Policy {
        programme: format!("towns/malu/programmes/{programme}"),
        number: format!("{}-2020", programme.to_uppercase()),
        insurer: format!("towns/malu/organisations/{insurer}"),
        insurer_credit_code: code.to_owned(),
        start_date: Some(wire(date(2020, 1, 1))),
        end_date: Some(wire(date(2021, 1, 1))),
        terms: Some(terms),
        ..Default::default()
    }
}

fn terms(insured: &str, report_within_days: i32, benefits: Vec<pb::Benefit>) -> pb::PolicyTerms {
    pb::PolicyTerms {
        insured: insured.to_owned(),
        grounds: vec![pb::InsuredGround::Registered.into(), pb::InsuredGround::ResidencePermit.into()],
        report_within_days,
        benefits,
        ..Default::default()
    }
}

/// The community comprehensive insurance 社区综合保险.
pub(super) fn cci_2020() -> pb::Policy {
    use pb::BenefitObject::{Dwelling, Person};
    let injury = pb::Benefit {
        insured_by: pb::InsuredBy::Place.into(),
        limit_event: Some(fen(20_000_000)),
        ..person(loss("PUBLIC_AREA_INJURY", Person, 0, 100), 2_000_000)
    };
    let benefits = vec![
        household(loss("FIRE", Dwelling, 50_000, 60), 3_000_000),
        household(loss("BURST_PIPE", Dwelling, 20_000, 80), 1_000_000),
        household(loss("TYPHOON", Dwelling, 50_000, 60), 3_000_000),
        injury,
    ];
    let instalment = |day, amount| pb::Instalment {
        due_date: Some(wire(day)),
        amount: Some(fen(amount)),
        ..Default::default()
    };
    let premium = pb::Premium {
        per_household: Some(fen(900)),
        insured_households: 60_000,
        shares: shares(&[("DISTRICT", 50), ("TOWN", 50)]),
        instalments: vec![
            instalment(date(2020, 1, 31), 27_000_000),
            instalment(date(2020, 7, 31), 27_000_000),
        ],
        ..Default::default()
    };
    let terms = terms("本镇户籍或持居住证的居民及其房屋；住宅小区公共区域", 30, benefits);
    let terms = pb::PolicyTerms { limit_year: Some(fen(300_000_000)), premium: Some(premium), ..terms };
    policy("cci", ("o-insurer-0", "91310199MA9002009K"), terms)
}

/// The livelihood insurance 民生综合保险.
pub(super) fn li_2020() -> pb::Policy {
    use pb::BenefitObject::{Dwelling, Person};
    let grades = pb::GradedSum {
        sum: Some(fen(20_000_000)),
        parts_ppm: (1..=10).rev().map(|tenth| tenth * 100_000).collect(),
    };
    let benefits = vec![
        fixed("DEATH", 20_000_000),
        benefit("DISABILITY", Person, Form::ByGrade(grades)),
        person(loss("HIT_AND_RUN", Person, 0, 100), 10_000_000),
        fixed("DROWNING", 3_000_000),
        person(loss("PUBLIC_AREA_INJURY", Person, 0, 80), 3_000_000),
        pb::Benefit { note: "见义勇为".to_owned(), ..fixed("RESCUE", 25_000_000) },
        household(loss("FIRE", Dwelling, 0, 80), 6_000_000),
        household(loss("TYPHOON", Dwelling, 0, 80), 6_000_000),
    ];
    let premium = pb::Premium {
        per_household: Some(fen(1_600)),
        per_person: Some(fen(400)),
        insured_households: 60_000,
        insured_persons: 150_000,
        shares: shares(&[("DISTRICT", 50), ("TOWN", 40), ("INSURED_BODY", 10)]),
        ..Default::default()
    };
    let terms = pb::PolicyTerms {
        limit_person_year: Some(fen(25_000_000)),
        limit_year: Some(fen(500_000_000)),
        premium: Some(premium),
        ..terms("出险日户籍在本镇或持居住证的居民", 60, benefits)
    };
    policy("li", ("o-insurer-1", "91310199MA9002017E"), terms)
}
