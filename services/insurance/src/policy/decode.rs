//! Policies as requests write them: every fault is noted.

use chassis::{
    amount::{self, amount_or_nothing},
    fields,
    refusal::{Faults, FieldFault, Refusal},
    wire,
};
use contracts::{google::r#type::Money, linli::insurance::v1 as pb};
use kernel::{
    money::Fen,
    name::{OrganisationName, ProgrammeName},
    text,
};

use super::rules::{
    Contract, Head, Instalment, Premium,
    check::{self, MOST, MOST_COUNTED, MOST_DAYS, MOST_EACH},
};
use crate::terms::{Benefit, Form, Ground, InsuredBy, Object, Terms};

/// Characters of a contract's number.
const NUMBER_CHARS: usize = 64;
/// Characters of the words that say who is insured.
const INSURED_CHARS: usize = 2_000;
/// Characters of a note or a reason.
pub(super) const NOTE_CHARS: usize = 500;

/// What was read, or the refusal that names every fault; a fault that is the only one by its own reason.
pub(super) fn finish<T>(faults: Faults, value: Option<T>) -> Result<T, Refusal> {
    amount::finish(faults, value).map_err(check::own)
}

/// Readable text that must be there.
pub(super) fn words(field: &str, given: &str, most: usize) -> Result<String, FieldFault> {
    text::display_name(given, most).map(str::to_owned).map_err(|error| {
        FieldFault::new(field, "TEXT", format!("须为 1 至 {most} 个可见字符"), error.to_string())
    })
}

fn unsaid(field: impl Into<String>) -> FieldFault {
    FieldFault::new(field, "REQUIRED", "必填", "required")
}

/// The programme of a policy: its id.
pub(super) fn programme(faults: &mut Faults, town: &str, given: &pb::Policy) -> Option<String> {
    let name = fields::in_town("policy.programme", &given.programme, town, ProgrammeName::town);
    faults.take(name).map(|name| name.programme().to_owned())
}

/// What a policy is besides its contract.
pub(super) fn head(faults: &mut Faults, town: &str, given: &pb::Policy) -> Option<Head> {
    let number = faults.take(words("policy.number", &given.number, NUMBER_CHARS));
    let insurer = fields::in_town("policy.insurer", &given.insurer, town, OrganisationName::town);
    let insurer = faults.take(insurer);
    let credit_code = check::credit_code("policy.insurer_credit_code", &given.insurer_credit_code);
    let credit_code = faults.take(credit_code);
    let from = faults.take(wire::required_date("policy.start_date", given.start_date.as_ref()));
    let to = faults.take(wire::required_date("policy.end_date", given.end_date.as_ref()));
    let days = from.zip(to).and_then(|(from, to)| faults.take(check::period("policy.end_date", from, to)));
    Some(Head {
        number: number?,
        insurer: insurer?.organisation().to_owned(),
        credit_code: credit_code?,
        days: days?,
    })
}

/// What a version says; the `first` one's instalments make its premium.
pub(super) fn contract(
    faults: &mut Faults,
    field: &str,
    given: Option<&pb::PolicyTerms>,
    first: bool,
) -> Option<Contract> {
    let Some(given) = given else {
        faults.push(unsaid(field));
        return None;
    };
    let at = |name: &str| format!("{field}.{name}");
    let insured = faults.take(words(&at("insured"), &given.insured, INSURED_CHARS));
    let days = check::within(&at("report_within_days"), given.report_within_days, 1, MOST_DAYS.into());
    let days = faults.take(days);
    let benefits = benefits(faults, &at("benefits"), &given.benefits);
    let grounds = grounds(given.grounds());
    if grounds.is_empty() && given.benefits.iter().any(|row| insured_by(row) == InsuredBy::Residence) {
        let (zh, en) = ("按居住承保时须写明居住依据", "say on what grounds residents are insured");
        faults.push(FieldFault::new(at("grounds"), "REQUIRED", zh, en));
    }
    let mut cap = |name: &str, given: &Option<Money>| limit(faults, &at(name), given.as_ref());
    let person = cap("limit_person_year", &given.limit_person_year);
    let household = cap("limit_household_year", &given.limit_household_year);
    let event = cap("limit_event", &given.limit_event);
    let year = cap("limit_year", &given.limit_year);
    let premium = premium(faults, &at("premium"), given.premium.as_ref(), first);
    let (benefits, notes) = benefits?.into_iter().unzip();
    let terms = Terms {
        grounds,
        report_within_days: days?,
        benefits,
        limit_person_year: person?,
        limit_household_year: household?,
        limit_event: event?,
        limit_year: year?,
    };
    Some(Contract { insured: insured?, terms, notes, premium: premium? })
}

/// The grounds of the wire, each once; the contract's rules let no other number through.
fn grounds(given: impl Iterator<Item = pb::InsuredGround>) -> Vec<Ground> {
    let mut grounds: Vec<Ground> = given
        .filter_map(|ground| match ground {
            pb::InsuredGround::Unspecified => None,
            pb::InsuredGround::Registered => Some(Ground::Registered),
            pb::InsuredGround::ResidencePermit => Some(Ground::ResidencePermit),
        })
        .collect();
    grounds.sort_unstable();
    grounds.dedup();
    grounds
}

/// A limit, where there is one.
fn limit(faults: &mut Faults, field: &str, given: Option<&Money>) -> Option<Option<Fen>> {
    given.map_or(Some(None), |given| sum(faults, field, Some(given)).map(Some))
}

/// An amount above nothing and not too large.
fn sum(faults: &mut Faults, field: &str, given: Option<&Money>) -> Option<Fen> {
    faults.take(amount::amount(field, given).and_then(|fen| check::at_most(field, fen, MOST)))
}

/// An amount that may be nothing, which absence says too.
fn some(faults: &mut Faults, field: &str, given: Option<&Money>, most: Fen) -> Option<Fen> {
    let Some(given) = given else { return Some(Fen::ZERO) };
    faults.take(amount_or_nothing(field, Some(given)).and_then(|fen| check::at_most(field, fen, most)))
}

fn insured_by(row: &pb::Benefit) -> InsuredBy {
    match row.insured_by() {
        pb::InsuredBy::Unspecified | pb::InsuredBy::Residence => InsuredBy::Residence,
        pb::InsuredBy::Place => InsuredBy::Place,
    }
}

fn benefits(faults: &mut Faults, field: &str, given: &[pb::Benefit]) -> Option<Vec<(Benefit, String)>> {
    if given.is_empty() {
        faults.push(unsaid(field));
    }
    // every row is read, so that every fault is noted
    let rows: Vec<_> =
        given.iter().enumerate().map(|(n, row)| benefit(faults, &format!("{field}[{n}]"), row)).collect();
    for n in check::twice(given.iter().map(|row| row.peril.as_str())) {
        faults.push(check::benefit_twice(format!("{field}[{n}].peril")));
    }
    rows.into_iter().collect()
}

fn benefit(faults: &mut Faults, field: &str, row: &pb::Benefit) -> Option<(Benefit, String)> {
    let at = |name: &str| format!("{field}.{name}");
    let peril = faults.take(check::code(&at("peril"), &row.peril));
    let object = match row.object() {
        pb::BenefitObject::Unspecified => Err(unsaid(at("object"))),
        pb::BenefitObject::Person => Ok(Object::Person),
        pb::BenefitObject::Dwelling => Ok(Object::Dwelling),
    };
    let object = faults.take(object);
    let form = form(faults, field, row.form.as_ref());
    if object == Some(Object::Dwelling) && matches!(row.form, Some(pb::benefit::Form::ByGrade(_))) {
        let (zh, en) = ("伤残等级只用于人身", "only a person has a grade of disability");
        faults.push(FieldFault::new(at("by_grade"), "FORM", zh, en));
    }
    let waiting = faults.take(check::within(&at("waiting_days"), row.waiting_days, 0, MOST_DAYS.into()));
    let mut cap = |name: &str, given: &Option<Money>| limit(faults, &at(name), given.as_ref());
    let person = cap("limit_person_year", &row.limit_person_year);
    let household = cap("limit_household_year", &row.limit_household_year);
    let event = cap("limit_event", &row.limit_event);
    let insured = match &row.form {
        Some(pb::benefit::Form::Loss(loss)) => cap("loss.sum_insured", &loss.sum_insured),
        _ => Some(None),
    };
    let note = match row.note.trim() {
        "" => Some(String::new()),
        note => faults.take(words(&at("note"), note, NOTE_CHARS)),
    };
    let benefit = Benefit {
        peril: peril?,
        object: object?,
        insured_by: insured_by(row),
        form: form?,
        sum_insured: insured?,
        waiting_days: waiting?,
        limit_person_year: person?,
        limit_household_year: household?,
        limit_event: event?,
    };
    Some((benefit, note?))
}

fn form(faults: &mut Faults, field: &str, given: Option<&pb::benefit::Form>) -> Option<Form> {
    match given {
        Some(pb::benefit::Form::Fixed(fixed)) => {
            sum(faults, &format!("{field}.fixed.sum"), fixed.sum.as_ref()).map(Form::Fixed)
        }
        Some(pb::benefit::Form::ByGrade(graded)) => {
            let sum = sum(faults, &format!("{field}.by_grade.sum"), graded.sum.as_ref());
            let parts = faults.take(check::grades(&format!("{field}.by_grade.parts_ppm"), &graded.parts_ppm));
            Some(Form::ByGrade { sum: sum?, parts: parts? })
        }
        Some(pb::benefit::Form::Loss(loss)) => {
            let deductible = format!("{field}.loss.deductible");
            let deductible = some(faults, &deductible, loss.deductible.as_ref(), MOST);
            let share = faults.take(check::share(&format!("{field}.loss.share_ppm"), loss.share_ppm));
            Some(Form::Loss { deductible: deductible?, share: share? })
        }
        None => {
            let (zh, en) = ("须为定额、按等级或按损失之一", "one of fixed, by_grade, loss");
            faults.push(FieldFault::new(field, "FORM", zh, en));
            None
        }
    }
}

fn premium(faults: &mut Faults, field: &str, given: Option<&pb::Premium>, first: bool) -> Option<Premium> {
    let Some(given) = given else {
        faults.push(unsaid(field));
        return None;
    };
    let at = |name: &str| format!("{field}.{name}");
    let fixed = some(faults, &at("fixed"), given.fixed.as_ref(), MOST);
    let per_household = some(faults, &at("per_household"), given.per_household.as_ref(), MOST_EACH);
    let per_person = some(faults, &at("per_person"), given.per_person.as_ref(), MOST_EACH);
    let mut count = |name: &str, given| faults.take(check::within(&at(name), given, 0, MOST_COUNTED));
    let households = count("insured_households", given.insured_households);
    let persons = count("insured_persons", given.insured_persons);
    let shares = shares(faults, &at("shares"), &given.shares);
    let instalments = instalments(faults, &at("instalments"), &given.instalments);
    let premium = Premium {
        fixed: fixed?,
        per_household: per_household?,
        per_person: per_person?,
        households: households?,
        persons: persons?,
        shares: shares?,
        instalments: instalments?,
    };
    let parts: Vec<Fen> = premium.instalments.iter().map(|instalment| instalment.amount).collect();
    if first {
        faults.take(check::instalments(&at("instalments"), premium.total(), &parts))?;
    }
    Some(premium)
}

fn shares(
    faults: &mut Faults,
    field: &str,
    given: &[pb::PremiumShare],
) -> Option<Vec<(String, kernel::money::Ppm)>> {
    let read = given.iter().enumerate().map(|(n, row)| {
        let bearer = faults.take(check::code(&format!("{field}[{n}].bearer"), &row.bearer));
        let share = faults.take(check::share(&format!("{field}[{n}].share_ppm"), row.share_ppm));
        bearer.zip(share)
    });
    let read: Vec<_> = read.collect();
    for n in check::twice(given.iter().map(|row| row.bearer.as_str())) {
        let (zh, en) = ("同一分担方只能列一次", "the bearer stands in the table already");
        faults.push(FieldFault::new(format!("{field}[{n}].bearer"), "TWICE", zh, en));
    }
    let whole = faults.take(check::whole(field, given.iter().map(|row| row.share_ppm)));
    whole.and(read.into_iter().collect())
}

fn instalments(faults: &mut Faults, field: &str, given: &[pb::Instalment]) -> Option<Vec<Instalment>> {
    let read = given.iter().enumerate().map(|(n, row)| {
        let due = wire::required_date(&format!("{field}[{n}].due_date"), row.due_date.as_ref());
        let due = faults.take(due);
        let amount = sum(faults, &format!("{field}[{n}].amount"), row.amount.as_ref());
        Some(Instalment { due: due?, amount: amount?, paid: None })
    });
    read.collect::<Vec<_>>().into_iter().collect()
}
