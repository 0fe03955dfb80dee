//! Pay scales on the wire.

use std::collections::BTreeMap;

use chassis::{
    amount::{amount_or_nothing, to_money},
    fields,
    refusal::{Faults, FieldFault, Refusal},
    wire,
};
use contracts::linli::workforce::v1 as pb;
use jiff::civil::Date;
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind as Type},
    money::Fen,
    state::Named,
};

use super::store::{Row, Written};
use crate::{
    pay::{
        lives::ScaleState,
        rules::{Certificate, Duty, Scale},
    },
    posting::{
        encode::{post, read_post},
        rules::Post,
    },
};

/// The months of differences when a scale doesn't say.
const DIFFERENCE_MONTHS: i32 = 12;
/// The most that an amount of a scale may be: ten million yuan.
const MOST: i64 = 1_000_000_000;

const fn field(name: &'static str, column: &'static str, kind: Type) -> FieldSpec {
    FieldSpec { name, column, kind }
}

/// What a List may ask for.
pub(super) const FILTER: &[FieldSpec] = &[
    field("state", "s.state", Type::Enum(ScaleState::NAMES)),
    field("start_date", "s.from_month", Type::Date),
    field("display_name", "s.display_name", Type::Text),
];

/// A kind of day on the wire.
pub(crate) fn duty(duty: Duty) -> pb::DutyKind {
    match duty {
        Duty::Rest => pb::DutyKind::Rest,
        Duty::Holiday => pb::DutyKind::Holiday,
    }
}

/// A certificate on the wire.
pub(crate) fn certificate(certificate: Certificate) -> pb::CertificateKind {
    match certificate {
        Certificate::AssistantSocialWorker => pb::CertificateKind::AssistantSocialWorker,
        Certificate::SocialWorker => pb::CertificateKind::SocialWorker,
        Certificate::SeniorSocialWorker => pb::CertificateKind::SeniorSocialWorker,
    }
}

fn read_certificate(field: &str, given: pb::CertificateKind) -> Result<Certificate, FieldFault> {
    match given {
        pb::CertificateKind::AssistantSocialWorker => Ok(Certificate::AssistantSocialWorker),
        pb::CertificateKind::SocialWorker => Ok(Certificate::SocialWorker),
        pb::CertificateKind::SeniorSocialWorker => Ok(Certificate::SeniorSocialWorker),
        pb::CertificateKind::Unspecified
        | pb::CertificateKind::Onboarding
        | pb::CertificateKind::Course
        | pb::CertificateKind::Other => {
            let (zh, en) = ("须为社会工作者职业资格证书", "must be a certificate of the professional exam");
            Err(FieldFault::new(field, "KIND", zh, en))
        }
    }
}

fn read_duty(field: &str, given: pb::DutyKind) -> Result<Duty, FieldFault> {
    match given {
        pb::DutyKind::Rest => Ok(Duty::Rest),
        pb::DutyKind::Holiday => Ok(Duty::Holiday),
        pb::DutyKind::Unspecified => Err(FieldFault::new(field, "REQUIRED", "必填", "required")),
    }
}

fn read_amount(field: &str, given: Option<&contracts::google::r#type::Money>) -> Result<i64, FieldFault> {
    match amount_or_nothing(field, given)?.fen() {
        fen if fen <= MOST => Ok(fen),
        _ => Err(FieldFault::new(field, "AMOUNT_OVERFLOW", "超过一千万元", "more than ten million yuan")),
    }
}

/// The first day of the month that a field names.
///
/// # Errors
/// A fault of the field: nothing given, no date, or not the first day.
pub(crate) fn read_month(
    field: &str,
    given: Option<&contracts::google::r#type::Date>,
) -> Result<Date, FieldFault> {
    match wire::required_date(field, given)? {
        day if day == day.first_of_month() => Ok(day),
        _ => Err(FieldFault::new(field, "MONTH", "须为某月 1 日", "must be the first day of a month")),
    }
}

/// Rows of a scale by their keys, each once.
struct Keyed<'a, K> {
    faults: &'a mut Faults,
    rows: BTreeMap<K, i64>,
}

impl<K: Ord> Keyed<'_, K> {
    fn add(&mut self, field: &str, part: &str, key: Result<K, FieldFault>, fen: Result<i64, FieldFault>) {
        let (key, fen) = (self.faults.take(key), self.faults.take(fen));
        if let Some((key, fen)) = key.zip(fen)
            && self.rows.insert(key, fen).is_some()
        {
            self.faults.push(twice(&format!("{field}.{part}")));
        }
    }
}

fn twice(field: &str) -> FieldFault {
    FieldFault::new(field, "TWICE", "重复", "given twice")
}

fn grades(faults: &mut Faults, given: &[pb::PayGrade]) -> BTreeMap<String, Vec<i64>> {
    let mut grades = BTreeMap::new();
    for (n, grade) in given.iter().enumerate() {
        let field = format!("pay_scale.grades[{n}]");
        let its_post = faults.take(read_post(&format!("{field}.post"), grade.post));
        let mut steps = Vec::with_capacity(grade.steps.len());
        for (n, step) in grade.steps.iter().enumerate() {
            let field = format!("{field}.steps[{n}]");
            let Some(fen) = faults.take(read_amount(&field, Some(step))) else { continue };
            if steps.last().is_some_and(|before| *before > fen) {
                faults.push(FieldFault::new(
                    field,
                    "ORDER",
                    "不得低于前一级",
                    "must not be less than the step before",
                ));
            }
            steps.push(fen);
        }
        if let Some(its_post) = its_post
            && grades.insert(its_post.name().to_owned(), steps).is_some()
        {
            faults.push(twice(&format!("{field}.post")));
        }
    }
    let missing = Post::NAMES.iter().filter(|name| !grades.contains_key(**name)).copied();
    let missing: Vec<&str> = missing.collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        let (zh, en) = (format!("缺少岗位 {missing}"), format!("the posts {missing} have no grade"));
        faults.push(FieldFault::new("pay_scale.grades", "INCOMPLETE", zh, en));
    }
    grades
}

/// The scale that a request writes; its faults are noted.
pub(super) fn read(faults: &mut Faults, given: &pb::PayScale) -> Option<Written> {
    let display_name = faults.take(fields::display("pay_scale.display_name", &given.display_name));
    let from_month = faults.take(read_month("pay_scale.start_date", given.start_date.as_ref()));
    let grades = grades(faults, &given.grades);
    let mut certificates = Keyed { faults: &mut *faults, rows: BTreeMap::new() };
    for (n, row) in given.certificate_allowances.iter().enumerate() {
        let field = format!("pay_scale.certificate_allowances[{n}]");
        let key = read_certificate(&format!("{field}.kind"), row.kind());
        certificates.add(&field, "kind", key, read_amount(&format!("{field}.amount"), row.amount.as_ref()));
    }
    let certificates = certificates.rows;
    let mut duties = Keyed { faults: &mut *faults, rows: BTreeMap::new() };
    for (n, row) in given.duty_allowances.iter().enumerate() {
        let field = format!("pay_scale.duty_allowances[{n}]");
        let key = read_duty(&format!("{field}.kind"), row.kind());
        duties.add(&field, "kind", key, read_amount(&format!("{field}.amount"), row.amount.as_ref()));
    }
    let duties = duties.rows;
    let mut posts = Keyed { faults: &mut *faults, rows: BTreeMap::new() };
    for (n, row) in given.post_allowances.iter().enumerate() {
        let field = format!("pay_scale.post_allowances[{n}]");
        let key = read_post(&format!("{field}.post"), row.post).map(|post| post.name().to_owned());
        posts.add(&field, "post", key, read_amount(&format!("{field}.amount"), row.amount.as_ref()));
    }
    let terms = Scale {
        grades,
        step_every_months: given.step_every_months,
        certificates,
        duties,
        posts: posts.rows,
        probation_percent: given.probation_percent.into(),
        difference_months: match given.difference_months {
            0 => DIFFERENCE_MONTHS,
            months => months,
        },
    };
    let (display_name, from_month) = display_name.zip(from_month)?;
    Some(Written { display_name, from_month, terms })
}

/// The name of a scale by its id.
pub(crate) fn name(town: &str, id: &str) -> String {
    format!("towns/{town}/payScales/{id}")
}

/// A scale.
pub(super) fn scale(row: &Row) -> Result<pb::PayScale, Refusal> {
    let terms = &row.terms.0;
    let money = |fen: i64| to_money(Fen::of(fen));
    let grade = |(its_post, steps): (&String, &Vec<i64>)| pb::PayGrade {
        post: post(its_post).into(),
        steps: steps.iter().map(|fen| money(*fen)).collect(),
    };
    let of_certificate = |(kind, fen): (&Certificate, &i64)| pb::PayCertificateAllowance {
        kind: certificate(*kind).into(),
        amount: Some(money(*fen)),
    };
    let of_duty = |(kind, fen): (&Duty, &i64)| pb::PayDutyAllowance {
        kind: duty(*kind).into(),
        amount: Some(money(*fen)),
    };
    let of_post = |(its_post, fen): (&String, &i64)| pb::PayPostAllowance {
        post: post(its_post).into(),
        amount: Some(money(*fen)),
    };
    Ok(pb::PayScale {
        name: name(&row.town, &row.id),
        display_name: row.display_name.clone(),
        start_date: Some(wire::to_date(row.since()?)),
        grades: terms.grades.iter().map(grade).collect(),
        step_every_months: terms.step_every_months,
        certificate_allowances: terms.certificates.iter().map(of_certificate).collect(),
        duty_allowances: terms.duties.iter().map(of_duty).collect(),
        post_allowances: terms.posts.iter().map(of_post).collect(),
        probation_percent: fields::number(terms.probation_percent),
        difference_months: terms.difference_months,
        state: match row.state()? {
            ScaleState::Draft => pb::PayScaleState::Draft,
            ScaleState::Approved => pb::PayScaleState::Approved,
        }
        .into(),
        approve_time: row.approved.map(wire::to_timestamp),
        etag: Etag::of(row.version).to_string(),
        create_time: Some(wire::to_timestamp(row.created)),
        update_time: Some(wire::to_timestamp(row.updated)),
        ..Default::default()
    })
}
