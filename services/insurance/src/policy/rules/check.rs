//! What a policy may say: each fault by its field, so that all are named at once.

use std::collections::BTreeSet;

use chassis::refusal::{FieldFault, Reason, Refusal};
use jiff::{ToSpan, civil::Date};
use kernel::{
    ids::CreditCode,
    money::{Fen, Ppm},
    text::is_code,
};

use super::Days;
use crate::{
    reasons::{
        BENEFIT_TWICE, CREDIT_CODE_INVALID, INSTALMENTS_NOT_THE_PREMIUM, PERCENT_OUT_OF_RANGE,
        POLICY_PERIOD_INVALID, PREMIUM_SHARES_NOT_WHOLE,
    },
    terms::GRADES,
};

/// The most that an amount of a policy may be: 100,000,000,000 yuan. Sums over a year's claims stay within 64 bits.
pub(crate) const MOST: Fen = Fen::of(10_000_000_000_000);
/// The most that a household or a person may cost: 1,000,000 yuan.
pub(crate) const MOST_EACH: Fen = Fen::of(100_000_000);
/// Households or persons that may be insured.
pub(crate) const MOST_COUNTED: i32 = 100_000_000;
/// Days of a term.
pub(crate) const MOST_DAYS: u16 = 3_650;

/// The reasons that are told as such when nothing else is wrong with a request.
static OWN: &[&Reason] = &[
    &CREDIT_CODE_INVALID,
    &POLICY_PERIOD_INVALID,
    &PERCENT_OUT_OF_RANGE,
    &PREMIUM_SHARES_NOT_WHOLE,
    &INSTALMENTS_NOT_THE_PREMIUM,
    &BENEFIT_TWICE,
];

/// A refusal with a fault that is the only one is told by the reason of that fault.
pub(crate) fn own(refusal: Refusal) -> Refusal {
    let [only] = refusal.offending() else { return refusal };
    match OWN.iter().find(|reason| reason.name == only.reason) {
        Some(reason) => Refusal::new(reason).with("field", &only.field).at_field(only.clone()),
        None => refusal,
    }
}

/// Whether a text is a code such as `FIRE`.
pub(crate) fn code(field: &str, text: &str) -> Result<String, FieldFault> {
    if is_code(text, 40) {
        return Ok(text.to_owned());
    }
    let (zh, en) = ("须为大写字母开头的代码", "must be a code: upper-case letters, digits, underscores");
    Err(FieldFault::new(field, "CODE", zh, en))
}

/// A unified social credit code 统一社会信用代码, check character included.
pub(crate) fn credit_code(field: &str, text: &str) -> Result<String, FieldFault> {
    let read = CreditCode::parse(text).map(|code| code.as_str().to_owned());
    read.map_err(|error| {
        FieldFault::new(field, CREDIT_CODE_INVALID.name, "不是有效的统一社会信用代码", error.to_string())
    })
}

/// An amount that isn't above `most`.
pub(crate) fn at_most(field: &str, amount: Fen, most: Fen) -> Result<Fen, FieldFault> {
    if amount <= most {
        return Ok(amount);
    }
    Err(FieldFault::new(
        field,
        "TOO_LARGE",
        format!("不得超过 {most} 元"),
        format!("must be at most {most} yuan"),
    ))
}

/// A whole number within bounds.
pub(crate) fn within<N>(field: &str, number: i32, least: i32, most: i32) -> Result<N, FieldFault>
where
    N: TryFrom<i32>,
{
    let wrong = || {
        let (zh, en) = (format!("须在 {least} 至 {most} 之间"), format!("must be from {least} to {most}"));
        FieldFault::new(field, "RANGE", zh, en)
    };
    let good = Some(number).filter(|number| (least..=most).contains(number));
    good.and_then(|number| N::try_from(number).ok()).ok_or_else(wrong)
}

/// A share: above nothing, at most all of it.
pub(crate) fn share(field: &str, parts: i32) -> Result<Ppm, FieldFault> {
    if (1..=1_000_000).contains(&parts) {
        return Ok(Ppm::of(parts.into()));
    }
    let (zh, en) = ("比例须大于 0%，至多 100%", "must be above 0 % and at most 100 %");
    Err(FieldFault::new(field, PERCENT_OUT_OF_RANGE.name, zh, en))
}

/// The parts of the grades of disability: ten, each from nothing to all of it, none above the one before.
pub(crate) fn grades(field: &str, parts: &[i32]) -> Result<[Ppm; GRADES], FieldFault> {
    let Ok(ten) = <[i32; GRADES]>::try_from(parts) else {
        return Err(FieldFault::new(field, "GRADES", "须为十个等级", "must be ten grades"));
    };
    if let Some(n) = ten.iter().position(|part| !(0..=1_000_000).contains(part)) {
        let (zh, en) = ("比例须在 0% 至 100% 之间", "must be from 0 % to 100 %");
        return Err(FieldFault::new(format!("{field}[{n}]"), PERCENT_OUT_OF_RANGE.name, zh, en));
    }
    if let Some(n) = ten.windows(2).position(|pair| pair[0] < pair[1]) {
        let (zh, en) =
            ("较轻等级的比例不得高于较重等级", "a lighter grade must not get more than a graver one");
        return Err(FieldFault::new(format!("{field}[{}]", n + 1), "ORDER", zh, en));
    }
    Ok(ten.map(|part| Ppm::of(part.into())))
}

/// The codes that stand in a list a second time, by their places.
pub(crate) fn twice<'a>(codes: impl IntoIterator<Item = &'a str>) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    let again = codes.into_iter().enumerate().filter(|(_, code)| !seen.insert(*code));
    again.map(|(n, _)| n).collect()
}

/// A peril that stands in the table a second time.
pub(crate) fn benefit_twice(field: impl Into<String>) -> FieldFault {
    let (zh, en) = ("同一险别在保障表中只能有一行", "the peril stands in the table already");
    FieldFault::new(field, BENEFIT_TWICE.name, zh, en)
}

/// The shares of a premium make a whole.
pub(crate) fn whole(field: &str, parts: impl IntoIterator<Item = i32>) -> Result<(), FieldFault> {
    let sum: i64 = parts.into_iter().map(i64::from).sum();
    if sum == Ppm::ONE.parts() {
        return Ok(());
    }
    let (zh, en) =
        (format!("分担比例合计百万分之 {sum}，须为 100%"), format!("the shares come to {sum} of 1,000,000"));
    Err(FieldFault::new(field, PREMIUM_SHARES_NOT_WHOLE.name, zh, en))
}

/// The instalments of a first version, where there are any, make its premium.
pub(crate) fn instalments(field: &str, total: Fen, parts: &[Fen]) -> Result<(), FieldFault> {
    let sum = Fen::sum(parts.iter().copied());
    if parts.is_empty() || sum == Ok(total) {
        return Ok(());
    }
    let sum = sum.map_or_else(|error| error.to_string(), |sum| sum.to_string());
    let (zh, en) = (
        format!("分期合计 {sum} 元，与保费 {total} 元不符"),
        format!("the instalments come to {sum} yuan, the premium to {total}"),
    );
    Err(FieldFault::new(field, INSTALMENTS_NOT_THE_PREMIUM.name, zh, en))
}

/// A policy lasts a day at least, a year at most.
pub(crate) fn period(field: &str, from: Date, to: Date) -> Result<Days, FieldFault> {
    let fault = |zh: &str, en: &str| Err(FieldFault::new(field, POLICY_PERIOD_INVALID.name, zh, en));
    if to <= from {
        return fault("止期须晚于起期", "must be after the first day");
    }
    match from.checked_add(1.year()) {
        Ok(year) if to <= year => Ok(Days { from, to }),
        _ => fault("保险期间至多一年", "must be a year after the first day at most"),
    }
}
