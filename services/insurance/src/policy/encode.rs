//! Policies on the wire.

use chassis::{amount::to_money, wire};
use contracts::linli::insurance::v1 as pb;
use jiff::civil::Date;
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind},
    money::{Fen, Ppm},
    state::Named,
};

use super::{
    rules::{self, Contract, Instalment, Premium, State, Version, VersionState},
    store::Stored,
};
use crate::terms::{Benefit, Form, Ground, InsuredBy, Object};

const fn field(name: &'static str, column: &'static str, kind: Kind) -> FieldSpec {
    FieldSpec { name, column, kind }
}

/// What a List may ask for.
pub(super) const FILTER: &[FieldSpec] = &[
    field("programme", "p.programme", Kind::Name { collection: "programmes", town: "p.town" }),
    field("insurer", "p.insurer", Kind::Name { collection: "organisations", town: "p.town" }),
    field("state", "p.shown", Kind::Enum(State::NAMES)),
    field("year", "p.year", Kind::Integer),
    field("number", "p.number", Kind::Text),
];

/// Parts per million on the wire: the tables hold them within 0 to 1,000,000.
fn parts(share: Ppm) -> i32 {
    i32::try_from(share.parts()).unwrap_or(i32::MAX)
}

fn state(state: State) -> pb::PolicyState {
    match state {
        State::Draft => pb::PolicyState::Draft,
        State::Signed => pb::PolicyState::Signed,
        State::InForce => pb::PolicyState::InForce,
        State::Expired => pb::PolicyState::Expired,
        State::Terminated => pb::PolicyState::Terminated,
        State::Deleted => pb::PolicyState::Deleted,
    }
}

/// A policy as it stands on a day, without what only Get shows.
pub(super) fn policy(stored: &Stored, today: Date) -> pb::Policy {
    let of = |kind: &str, id: &str| format!("towns/{}/{kind}/{id}", stored.town);
    let days = stored.head.days;
    let shown = rules::shown(&stored.versions, stored.days(), today);
    let in_force = shown.filter(|_| stored.is_in_force(today)).map(|version| version.n);
    let signed = stored.versions.iter().filter(|version| version.state == VersionState::Signed);
    pb::Policy {
        name: of("policies", &stored.id),
        programme: of("programmes", &stored.programme),
        number: stored.head.number.clone(),
        insurer: of("organisations", &stored.head.insurer),
        insurer_credit_code: stored.head.credit_code.clone(),
        start_date: Some(wire::to_date(days.from)),
        end_date: Some(wire::to_date(days.to)),
        terms: shown.map(|version| terms(&version.contract, version.n)),
        state: state(stored.state_on(today)).into(),
        version: shown.map_or(0, |version| version.n),
        versions: stored.versions.iter().map(|its| version(its, in_force == Some(its.n))).collect(),
        premium_total: Some(to_money(stored.premium)),
        instalments: signed.flat_map(|version| instalments(&version.contract.premium, version.n)).collect(),
        sign_date: stored.signed_on.map(wire::to_date),
        termination_date: stored.terminated_on.map(wire::to_date),
        termination_reason: stored.termination_reason.clone(),
        etag: Etag::of(stored.version).to_string(),
        create_time: Some(wire::to_timestamp(stored.created)),
        update_time: Some(wire::to_timestamp(stored.updated)),
        ..Default::default()
    }
}

/// A policy as a List shows it.
pub(super) fn row(stored: &Stored, today: Date) -> pb::Policy {
    pb::Policy { versions: Vec::new(), instalments: Vec::new(), ..policy(stored, today) }
}

fn version(version: &Version, in_force: bool) -> pb::PolicyVersion {
    let state = match version.state {
        VersionState::Draft => pb::PolicyVersionState::Draft,
        VersionState::Signed => pb::PolicyVersionState::Signed,
    };
    let (signer, sign_date) = version.signed.clone().unzip();
    pb::PolicyVersion {
        number: version.n,
        from_date: Some(wire::to_date(version.from)),
        state: state.into(),
        in_force,
        terms: Some(terms(&version.contract, version.n)),
        reason: version.reason.clone(),
        writers: version.writers.iter().map(|writer| writer.principal.clone()).collect(),
        signer: signer.unwrap_or_default(),
        sign_date: sign_date.map(wire::to_date),
    }
}

/// What version `n` says.
fn terms(contract: &Contract, n: i32) -> pb::PolicyTerms {
    let terms = &contract.terms;
    let ground = |ground: &Ground| match ground {
        Ground::Registered => pb::InsuredGround::Registered.into(),
        Ground::ResidencePermit => pb::InsuredGround::ResidencePermit.into(),
    };
    let rows = terms.benefits.iter().zip(&contract.notes);
    pb::PolicyTerms {
        insured: contract.insured.clone(),
        grounds: terms.grounds.iter().map(ground).collect(),
        report_within_days: terms.report_within_days.into(),
        benefits: rows.map(|(row, note)| benefit(row, note)).collect(),
        limit_person_year: terms.limit_person_year.map(to_money),
        limit_household_year: terms.limit_household_year.map(to_money),
        limit_event: terms.limit_event.map(to_money),
        limit_year: terms.limit_year.map(to_money),
        premium: Some(premium(&contract.premium, n)),
    }
}

fn benefit(row: &Benefit, note: &str) -> pb::Benefit {
    let object = match row.object {
        Object::Person => pb::BenefitObject::Person,
        Object::Dwelling => pb::BenefitObject::Dwelling,
    };
    let insured_by = match row.insured_by {
        InsuredBy::Residence => pb::InsuredBy::Residence,
        InsuredBy::Place => pb::InsuredBy::Place,
    };
    pb::Benefit {
        peril: row.peril.clone(),
        object: object.into(),
        insured_by: insured_by.into(),
        form: Some(form(row.form, row.sum_insured)),
        waiting_days: row.waiting_days.into(),
        limit_person_year: row.limit_person_year.map(to_money),
        limit_household_year: row.limit_household_year.map(to_money),
        limit_event: row.limit_event.map(to_money),
        note: note.to_owned(),
    }
}

fn form(form: Form, sum_insured: Option<Fen>) -> pb::benefit::Form {
    match form {
        Form::Fixed(sum) => pb::benefit::Form::Fixed(pb::FixedSum { sum: Some(to_money(sum)) }),
        Form::ByGrade { sum, parts: by_grade } => pb::benefit::Form::ByGrade(pb::GradedSum {
            sum: Some(to_money(sum)),
            parts_ppm: by_grade.into_iter().map(parts).collect(),
        }),
        Form::Loss { deductible, share } => pb::benefit::Form::Loss(pb::LossShare {
            deductible: Some(to_money(deductible)),
            share_ppm: parts(share),
            sum_insured: sum_insured.map(to_money),
        }),
    }
}

/// What version `n` costs.
fn premium(premium: &Premium, n: i32) -> pb::Premium {
    let some = |fen: Fen| Some(fen).filter(|fen| *fen > Fen::ZERO).map(to_money);
    let share = |(bearer, share): &(String, Ppm)| pb::PremiumShare {
        bearer: bearer.clone(),
        share_ppm: parts(*share),
    };
    pb::Premium {
        fixed: some(premium.fixed),
        per_household: some(premium.per_household),
        per_person: some(premium.per_person),
        insured_households: premium.households,
        insured_persons: premium.persons,
        total: Some(to_money(premium.total())),
        shares: premium.shares.iter().map(share).collect(),
        instalments: instalments(premium, n).collect(),
    }
}

fn instalments(premium: &Premium, version: i32) -> impl Iterator<Item = pb::Instalment> {
    (1..).zip(&premium.instalments).map(move |(number, Instalment { due, amount, paid })| {
        let (paid_on, reference) = paid.clone().unzip();
        pb::Instalment {
            number,
            due_date: Some(wire::to_date(*due)),
            amount: Some(to_money(*amount)),
            version,
            pay_date: paid_on.map(wire::to_date),
            reference: reference.unwrap_or_default(),
        }
    })
}

/// The fields that an update may change.
pub(super) const CHANGEABLE: &[&str] =
    &["number", "insurer", "insurer_credit_code", "start_date", "end_date", "terms"];

/// The stored policy with the fields of an update.
pub(super) fn updated(mut base: pb::Policy, given: &pb::Policy, fields: &[&str]) -> pb::Policy {
    for field in fields {
        match *field {
            "number" => base.number.clone_from(&given.number),
            "insurer" => base.insurer.clone_from(&given.insurer),
            "insurer_credit_code" => base.insurer_credit_code.clone_from(&given.insurer_credit_code),
            "start_date" => base.start_date = given.start_date,
            "end_date" => base.end_date = given.end_date,
            "terms" => base.terms.clone_from(&given.terms),
            _ => {}
        }
    }
    base
}

/// What events tell of a policy.
pub(super) fn told(stored: &Stored, today: Date) -> serde_json::Value {
    let of = |kind: &str, id: &str| format!("towns/{}/{kind}/{id}", stored.town);
    let days = stored.days();
    serde_json::json!({
        "policy": of("policies", &stored.id),
        "programme": of("programmes", &stored.programme),
        "insurer": of("organisations", &stored.head.insurer),
        "number": stored.head.number,
        "from": days.from.to_string(),
        "to": days.to.to_string(),
        "state": stored.state_on(today).name(),
        "versions": stored.versions.len(),
    })
}
