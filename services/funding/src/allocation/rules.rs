//! The formula of Work points 3.3 and the life of a run. Whole numbers only; each line is rounded once, from its exact value.
//!
//! In twelve months the work fund is (floor + uplift) × growth + supplement × max(0, households − threshold), the service fund
//! (floor + uplift) × growth. A committee whose preparation 筹建 began in the year gets the part of its whole months. Each line is
//! rounded half up to the fen, and the lines add up to the amount.

mod lives;
#[cfg(test)]
mod tests;

use jiff::civil::Date;
use kernel::{
    money::{Fen, MoneyError},
    named,
};

pub(crate) use lives::{ALLOCATIONS, AllocationState, AllocationVerb, RUNS, RunState, RunVerb};

use crate::{
    ledger::rules::Fund,
    policy::rules::{CommitteeKind, Difficulty, ManagementClass, Policy},
};

/// The funds that a run allocates, in the order in which they are shown.
pub(crate) const FUNDS: [Fund; 2] = [Fund::Work, Fund::Service];

const MONTHS: i32 = 12;
const PARTS: i128 = 1_000_000;
/// The most that one adjustment may be: a billion yuan.
const MOST: i64 = 100_000_000_000;

named! {
    /// What a line of an explanation is.
    pub(crate) LineKind {
        /// The floor 保底.
        Floor = "FLOOR",
        /// What large or difficult committees get more 增加额.
        Uplift = "UPLIFT",
        /// What the growth index adds 增长.
        Growth = "GROWTH",
        /// For households above the threshold 超户补贴.
        Supplement = "SUPPLEMENT",
    }
}

/// What governance says of a committee, as far as the formula asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) kind: CommitteeKind,
    pub(crate) management_class: Option<ManagementClass>,
    pub(crate) difficulty: Option<Difficulty>,
    /// The day on which preparation began, or on which it was founded when none is recorded.
    pub(crate) begun_on: Option<Date>,
    /// The declared count 户数.
    pub(crate) households: Option<i32>,
    /// The day of that count.
    pub(crate) counted_on: Option<Date>,
}

/// A line of an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) kind: LineKind,
    /// In twelve months.
    pub(crate) twelve_months: Fen,
    /// In the months that count.
    pub(crate) amount: Fen,
}

/// What a committee gets of a fund, and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Calculation {
    /// Whole months that count.
    pub(crate) months: i32,
    /// Households above the threshold.
    pub(crate) above: i32,
    /// One line of each kind, in the order of [`LineKind`].
    pub(crate) lines: [Line; 4],
}

/// The whole months of a year that count for a committee: all of them, unless it began in that year.
pub(crate) fn months(year: i32, begun_on: Option<Date>, counts_until_day: i32) -> i32 {
    let Some(begun) = begun_on else { return MONTHS };
    match i32::from(begun.year()).cmp(&year) {
        std::cmp::Ordering::Less => MONTHS,
        std::cmp::Ordering::Greater => 0,
        std::cmp::Ordering::Equal => {
            let of_its_month = i32::from(i32::from(begun.day()) <= counts_until_day);
            MONTHS - i32::from(begun.month()) + of_its_month
        }
    }
}

/// `part / whole`, rounded half up 四舍五入: half a fen goes away from zero.
fn rounded(part: i128, whole: i128) -> Result<Fen, MoneyError> {
    let fen = (2 * part + part.signum() * whole) / (2 * whole);
    i64::try_from(fen).map(Fen::of).map_err(|_| MoneyError::Overflow)
}

/// What a committee gets of `fund` by `policy`.
///
/// # Errors
/// When an amount is larger than an account holds; the bounds of a policy rule that out.
pub(crate) fn calculate(policy: &Policy, fund: Fund, facts: &Facts) -> Result<Calculation, MoneyError> {
    let terms = policy.terms();
    let months = months(terms.fiscal_year, facts.begun_on, terms.month_counts_until_day);
    let above = (facts.households.unwrap_or(0) - terms.household_threshold).max(0);
    let fen = |amount: Fen| i128::from(amount.fen());
    let fitting = terms
        .uplifts
        .iter()
        .filter(|row| row.fits(facts.kind, facts.management_class, facts.difficulty))
        .map(|row| fen(row.of(fund)));
    let (floor, uplift): (i128, i128) = (fen(policy.floor(fund)), fitting.sum());
    let grows =
        if terms.growth_of_floor { floor } else { 0 } + if terms.growth_of_uplift { uplift } else { 0 };
    // each as a numerator over PARTS, so that a line is rounded once and from its exact value
    let exact = [
        (LineKind::Floor, floor * PARTS),
        (LineKind::Uplift, uplift * PARTS),
        (LineKind::Growth, grows * (i128::from(terms.growth.parts()) - PARTS)),
        (LineKind::Supplement, fen(policy.supplement(fund)) * i128::from(above) * PARTS),
    ];
    let line = |(kind, exact): (LineKind, i128)| {
        Ok(Line {
            kind,
            twelve_months: rounded(exact, PARTS)?,
            amount: rounded(exact * i128::from(months), PARTS * i128::from(MONTHS))?,
        })
    };
    let [floor, uplift, growth, supplement] = exact;
    let lines = [line(floor)?, line(uplift)?, line(growth)?, line(supplement)?];
    Ok(Calculation { months, above, lines })
}

/// Whether an allocation needs an exception 例外: less than the floor in twelve months, adjustments included. An adjustment is
/// counted whole, because it isn't pro-rated.
pub(crate) fn is_below_floor(twelve_months: Fen, floor: Fen) -> bool {
    twelve_months < floor
}

/// Why an adjustment can't be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unadjustable {
    /// It changes nothing.
    Nothing,
    /// It is larger than any adjustment may be.
    TooLarge,
    /// It takes off more than there is.
    BelowZero,
}

/// What an allocation of `amount` is after an adjustment.
///
/// # Errors
/// When it changes nothing, is too large or takes off more than there is.
pub(crate) fn adjusted(amount: Fen, by: Fen) -> Result<Fen, Unadjustable> {
    if by == Fen::ZERO {
        return Err(Unadjustable::Nothing);
    }
    if !(-MOST..=MOST).contains(&by.fen()) {
        return Err(Unadjustable::TooLarge);
    }
    let after = amount.checked_add(by).map_err(|_| Unadjustable::TooLarge)?;
    if after < Fen::ZERO { Err(Unadjustable::BelowZero) } else { Ok(after) }
}

named! {
    /// What somebody should look at.
    pub(crate) Warning {
        /// There is no declared count.
        NoHouseholdCount = "NO_HOUSEHOLD_COUNT",
        /// The count is of a later day than the policy asks.
        LaterHouseholdCount = "LATER_HOUSEHOLD_COUNT",
        /// No month counts.
        NoMonths = "NO_MONTHS",
        /// Below the floor without an exception.
        BelowFloor = "BELOW_FLOOR",
    }
}

/// What somebody should look at in an allocation.
pub(crate) fn warnings(
    households_as_of: Date,
    (households, counted_on): (Option<i32>, Option<Date>),
    months: i32,
    exception_needed: bool,
) -> Vec<Warning> {
    let said = [
        (households.is_none(), Warning::NoHouseholdCount),
        (counted_on.is_some_and(|day| day > households_as_of), Warning::LaterHouseholdCount),
        (months == 0, Warning::NoMonths),
        (exception_needed, Warning::BelowFloor),
    ];
    said.into_iter().filter_map(|(holds, warning)| holds.then_some(warning)).collect()
}
