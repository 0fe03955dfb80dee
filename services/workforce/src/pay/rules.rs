//! What a worker gets in a month 薪酬 (Work points 4.1), and why. Whole numbers only; each line is rounded once, half up to the fen, from its
//! exact value; the lines of a statement add up to it.
//!
//! Base by post and step, on probation the part that the scale says; the allowance of the highest certificate that holds; that of the
//! post; so much for each day on duty. What is paid by the month is paid for the calendar days in post, as their part of the month.
//! Leave changes nothing, days without a post are not paid.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};

/// A certificate of the professional exam 社会工作者职业资格, the lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Certificate {
    /// 助理社会工作师.
    AssistantSocialWorker,
    /// 社会工作师.
    SocialWorker,
    /// 高级社会工作师.
    SeniorSocialWorker,
}

/// A kind of day on duty 值班.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Duty {
    /// A day of rest 休息日.
    Rest,
    /// A holiday 法定节假日.
    Holiday,
}

/// A pay scale 薪酬标准; amounts in fen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scale {
    /// Base pay of a month by post: its steps, the first one first.
    pub grades: BTreeMap<String, Vec<i64>>,
    /// Months of service 工龄 for the next step.
    pub step_every_months: i32,
    /// The allowance of a month by certificate.
    pub certificates: BTreeMap<Certificate, i64>,
    /// The allowance of a day on duty by its kind.
    pub duties: BTreeMap<Duty, i64>,
    /// The allowance of a month by post.
    pub posts: BTreeMap<String, i64>,
    /// The part of the base that is paid on probation, in percent.
    pub probation_percent: i64,
    /// How many months back corrected facts lead to a difference.
    pub difference_months: i32,
}

/// Days of a month on which something held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held<T> {
    /// What: a post, a certificate.
    pub what: T,
    /// The first day.
    pub from: Date,
    /// The first day no longer.
    pub to: Date,
}

impl<T> Held<T> {
    fn holds(&self, day: Date) -> bool {
        self.from <= day && day < self.to
    }
}

/// What is known of a worker and a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The first day of the month.
    pub month: Date,
    /// The first day of the employment: service counts from it.
    pub hired: Date,
    /// From when on confirmed 转正; none while on probation.
    pub confirmed: Option<Date>,
    /// Posts held, within the month; they don't overlap.
    pub posts: Vec<Held<String>>,
    /// Certificates that held, within the month.
    pub certificates: Vec<Held<Certificate>>,
    /// Days on duty by kind.
    pub duties: BTreeMap<Duty, i32>,
}

/// The rule of a line, with what went into it; amounts in fen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Because {
    /// Base pay 基本工资.
    Base {
        /// The post.
        post: String,
        /// The step, from 1 on.
        step: i32,
        /// For a month.
        monthly_fen: i64,
        /// The part that is paid: 100 unless on probation.
        percent: i64,
        /// Which part of the month.
        part: Part,
    },
    /// The allowance of a certificate 证书津贴.
    CertificateAllowance {
        /// The highest that holds.
        certificate: Certificate,
        /// For a month.
        monthly_fen: i64,
        /// Which part of the month.
        part: Part,
    },
    /// The allowance of a post 岗位津贴.
    PostAllowance {
        /// The post.
        post: String,
        /// For a month.
        monthly_fen: i64,
        /// Which part of the month.
        part: Part,
    },
    /// The allowance of days on duty 值班津贴.
    DutyAllowance {
        /// The kind of day.
        duty: Duty,
        /// For each.
        each_fen: i64,
        /// How many.
        times: i32,
    },
    /// What an earlier month lacked, or had too much 补差.
    Difference {
        /// What it should have been by what is known now.
        due_fen: i64,
        /// What was approved for it so far.
        paid_fen: i64,
        /// The scale that holds for it now.
        scale: String,
    },
}

impl Because {
    /// The rule's name.
    pub fn name(&self) -> &'static str {
        match self {
            Because::Base { .. } => "BASE",
            Because::CertificateAllowance { .. } => "CERTIFICATE_ALLOWANCE",
            Because::PostAllowance { .. } => "POST_ALLOWANCE",
            Because::DutyAllowance { .. } => "DUTY_ALLOWANCE",
            Because::Difference { .. } => "DIFFERENCE",
        }
    }
}

/// Calendar days of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The first.
    pub from: Date,
    /// How many.
    pub days: i32,
    /// How many the month has.
    pub of: i32,
}

/// A line of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The first day of the month that it is of.
    pub month: Date,
    /// The amount in fen.
    pub fen: i64,
    /// Why.
    pub because: Because,
}

/// A month that was paid before and is looked at again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// The id of the scale that holds for it now.
    pub scale: String,
    /// What is known of it now.
    pub facts: Facts,
    /// What was approved for it so far, in fen.
    pub paid_fen: i64,
}

/// All that a statement is computed from; stored with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// The id of the scale of the month.
    pub scale: String,
    /// The month.
    pub facts: Facts,
    /// Earlier months that differ.
    pub earlier: Vec<Earlier>,
}

/// Scales by their ids.
pub type Scales = BTreeMap<String, Scale>;

/// Why a statement can't be computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayError {
    /// The scale has no grade for a post that was held.
    #[error("the pay scale has no grade for {0}")]
    NoGrade(String),
    /// A scale is not at hand.
    #[error("no pay scale {0}")]
    NoScale(String),
    /// More fen than 64 bits hold.
    #[error("an amount is too large")]
    Overflow,
}

/// The first day of the month of a day.
pub(crate) fn month_of(day: Date) -> Date {
    day.first_of_month()
}

/// The first day of the month so many months later; earlier when below zero.
pub(crate) fn months_on(month: Date, months: i32) -> Date {
    let later = month.checked_add(months.months());
    later.unwrap_or(if months < 0 { Date::MIN.first_of_month() } else { Date::MAX.first_of_month() })
}

/// Whole months of service on a day: one is over on the day with the number of the first one, or on the last day of a shorter month.
fn service_months(hired: Date, day: Date) -> i32 {
    let months = 12 * i32::from(day.year() - hired.year()) + i32::from(day.month() - hired.month());
    let turns = hired.day().min(day.days_in_month());
    (months - i32::from(day.day() < turns)).max(0)
}

/// The step of a grade on a day, from 1 on; the last one stays.
fn step(scale: &Scale, steps: usize, hired: Date, day: Date) -> i32 {
    let last = i32::try_from(steps).unwrap_or(i32::MAX);
    (1 + service_months(hired, day) / scale.step_every_months.max(1)).min(last)
}

/// `whole × percent / 100 × days / of`, rounded half up.
fn share(whole: i64, percent: i64, part: Part) -> Result<i64, PayError> {
    let over = 100 * i128::from(part.of);
    let exact = i128::from(whole) * i128::from(percent) * i128::from(part.days);
    i64::try_from((2 * exact + over).div_euclid(2 * over)).map_err(|_| PayError::Overflow)
}

/// The days on which something may begin to be otherwise, in order; the last is the first day after the month.
fn cuts(facts: &Facts) -> BTreeSet<Date> {
    let (first, end) = (facts.month, months_on(facts.month, 1));
    let turn = first.with().day(facts.hired.day().min(first.days_in_month())).build().unwrap_or(first);
    let posts = facts.posts.iter().flat_map(|held| [held.from, held.to]);
    let certificates = facts.certificates.iter().flat_map(|held| [held.from, held.to]);
    let others = [first, turn].into_iter().chain(facts.confirmed);
    let within = posts.chain(certificates).chain(others).filter(|day| (first..end).contains(day));
    within.chain([end]).collect()
}

/// The runs of days on which `of` says the same; days on which it says nothing are left out.
fn runs<K: PartialEq>(facts: &Facts, of: impl Fn(Date) -> Option<K>) -> Vec<(K, Part)> {
    let cuts: Vec<Date> = cuts(facts).into_iter().collect();
    let days = i32::from(facts.month.days_in_month());
    let mut runs: Vec<(K, Part)> = Vec::new();
    let mut follows = false;
    for (from, to) in cuts.iter().zip(cuts.iter().skip(1)) {
        let Some(key) = of(*from) else {
            follows = false;
            continue;
        };
        let length = (*to - *from).get_days();
        match runs.last_mut() {
            Some((last, part)) if follows && *last == key => part.days += length,
            _ => runs.push((key, Part { from: *from, days: length, of: days })),
        }
        follows = true;
    }
    runs
}

fn bases(scale: &Scale, facts: &Facts, lines: &mut Vec<Line>) -> Result<(), PayError> {
    for held in &facts.posts {
        if scale.grades.get(&held.what).is_none_or(Vec::is_empty) {
            return Err(PayError::NoGrade(held.what.clone()));
        }
    }
    let paid = runs(facts, |day| {
        let post = &facts.posts.iter().find(|held| held.holds(day))?.what;
        let step = step(scale, scale.grades.get(post)?.len(), facts.hired, day);
        let confirmed = facts.confirmed.is_some_and(|since| since <= day);
        Some((post.clone(), step, if confirmed { 100 } else { scale.probation_percent }))
    });
    for ((post, step, percent), part) in paid {
        let steps = scale.grades.get(&post).map(Vec::as_slice).unwrap_or_default();
        let place = usize::try_from(step - 1).unwrap_or_default();
        let monthly_fen = steps.get(place).copied().unwrap_or_default();
        let fen = share(monthly_fen, percent, part)?;
        let because = Because::Base { post, step, monthly_fen, percent, part };
        lines.push(Line { month: facts.month, fen, because });
    }
    Ok(())
}

fn allowances(scale: &Scale, facts: &Facts, lines: &mut Vec<Line>) -> Result<(), PayError> {
    let post = |day| facts.posts.iter().find(|held| held.holds(day)).map(|held| &held.what);
    let certified = runs(facts, |day| {
        post(day)?;
        let holding = facts.certificates.iter().filter(|held| held.holds(day)).map(|held| held.what);
        holding.filter(|kind| scale.certificates.contains_key(kind)).max()
    });
    for (certificate, part) in certified {
        let monthly_fen = scale.certificates.get(&certificate).copied().unwrap_or_default();
        let fen = share(monthly_fen, 100, part)?;
        let because = Because::CertificateAllowance { certificate, monthly_fen, part };
        lines.push(Line { month: facts.month, fen, because });
    }
    for (post, part) in runs(facts, |day| post(day).filter(|post| scale.posts.contains_key(*post))) {
        let monthly_fen = scale.posts.get(post).copied().unwrap_or_default();
        let fen = share(monthly_fen, 100, part)?;
        let because = Because::PostAllowance { post: post.clone(), monthly_fen, part };
        lines.push(Line { month: facts.month, fen, because });
    }
    for (duty, times) in facts.duties.iter().filter(|(_, times)| **times > 0) {
        let Some(each_fen) = scale.duties.get(duty).copied() else { continue };
        let fen = each_fen.checked_mul(i64::from(*times)).ok_or(PayError::Overflow)?;
        let because = Because::DutyAllowance { duty: *duty, each_fen, times: *times };
        lines.push(Line { month: facts.month, fen, because });
    }
    Ok(())
}

/// What a month brings by a scale.
///
/// # Errors
/// When the scale lacks a grade, or an amount is too large.
pub fn compute(scale: &Scale, facts: &Facts) -> Result<Vec<Line>, PayError> {
    let mut lines = Vec::new();
    bases(scale, facts, &mut lines)?;
    allowances(scale, facts, &mut lines)?;
    Ok(lines)
}

/// The sum of lines in fen.
///
/// # Errors
/// When it is too large.
pub fn total(lines: &[Line]) -> Result<i64, PayError> {
    lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.fen)).ok_or(PayError::Overflow)
}

fn scale_of<'a>(scales: &'a Scales, id: &str) -> Result<&'a Scale, PayError> {
    scales.get(id).ok_or_else(|| PayError::NoScale(id.to_owned()))
}

/// What an earlier month lacked or had too much; nothing when it was right.
///
/// # Errors
/// Those of [`compute`].
pub fn difference(scales: &Scales, earlier: &Earlier) -> Result<Option<Line>, PayError> {
    let due_fen = total(&compute(scale_of(scales, &earlier.scale)?, &earlier.facts)?)?;
    let fen = due_fen.checked_sub(earlier.paid_fen).ok_or(PayError::Overflow)?;
    let because = Because::Difference { due_fen, paid_fen: earlier.paid_fen, scale: earlier.scale.clone() };
    Ok((fen != 0).then_some(Line { month: earlier.facts.month, fen, because }))
}

/// The lines of a statement: of its month, then the differences of earlier ones.
///
/// # Errors
/// Those of [`compute`].
pub fn statement(scales: &Scales, inputs: &Inputs) -> Result<Vec<Line>, PayError> {
    let mut lines = compute(scale_of(scales, &inputs.scale)?, &inputs.facts)?;
    for earlier in &inputs.earlier {
        lines.extend(difference(scales, earlier)?);
    }
    Ok(lines)
}
