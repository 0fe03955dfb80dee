//! Money: whole fen 分, and rates in parts per million. Never a float, never a fraction of a fen.

use std::fmt;

/// The only currency: yuan 元 of the People's Republic.
pub const CURRENCY: &str = "CNY";

const NANOS_PER_FEN: i32 = 10_000_000;
const FEN_PER_YUAN: i64 = 100;
const PARTS: i128 = 1_000_000;

/// Why an amount is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Another currency than CNY, or none.
    #[error("the currency is not {CURRENCY}")]
    Currency,
    /// More than 999,999,999 billionths of a yuan.
    #[error("nanos are not between -999999999 and 999999999")]
    Nanos,
    /// A fraction of a fen: `nanos` is no multiple of 10,000,000.
    #[error("more than two decimals")]
    SubFen,
    /// Units and nanos of opposite signs.
    #[error("units and nanos have opposite signs")]
    Sign,
    /// More than 64 bits of fen hold.
    #[error("the amount is too large")]
    Overflow,
}

/// Why text is no amount in yuan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum YuanError {
    /// Not digits with a point between them.
    #[error("not an amount in yuan such as 1234.56")]
    Form,
    /// More than two decimals.
    #[error("more than two decimals")]
    SubFen,
    /// More than 64 bits of fen hold.
    #[error("the amount is too large")]
    Overflow,
}

/// A rate in parts per million: 1.000000 is 1,000,000; 60 % is 600,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ppm(i64);

impl Ppm {
    /// The rate that changes nothing.
    pub const ONE: Ppm = Ppm(1_000_000);

    /// A rate of so many parts per million.
    pub const fn of(parts: i64) -> Ppm {
        Ppm(parts)
    }

    /// The parts per million.
    pub const fn parts(self) -> i64 {
        self.0
    }
}

/// An amount in fen 分 (1 yuan 元 = 100 fen).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fen(i64);

impl Fen {
    /// Nothing.
    pub const ZERO: Fen = Fen(0);

    /// An amount of so many fen.
    pub const fn of(fen: i64) -> Fen {
        Fen(fen)
    }

    /// The number of fen, as a database column keeps it.
    pub const fn fen(self) -> i64 {
        self.0
    }

    /// Reads the parts of a `google.type.Money`.
    ///
    /// # Errors
    /// Another currency, `nanos` out of their range or below a fen, opposite signs, or an amount that is too large.
    pub fn parse(currency_code: &str, units: i64, nanos: i32) -> Result<Fen, MoneyError> {
        if currency_code != CURRENCY {
            return Err(MoneyError::Currency);
        }
        if nanos.unsigned_abs() > 999_999_999 {
            return Err(MoneyError::Nanos);
        }
        if nanos % NANOS_PER_FEN != 0 {
            return Err(MoneyError::SubFen);
        }
        if units.signum() * i64::from(nanos.signum()) < 0 {
            return Err(MoneyError::Sign);
        }
        let part = i64::from(nanos / NANOS_PER_FEN);
        units
            .checked_mul(FEN_PER_YUAN)
            .and_then(|fen| fen.checked_add(part))
            .map(Fen)
            .ok_or(MoneyError::Overflow)
    }

    /// Reads an amount in yuan as files write it: digits, and two decimals at most. Never a sign, never a separator.
    ///
    /// # Errors
    /// Anything else, or more than 64 bits of fen hold.
    pub fn of_yuan(text: &str) -> Result<Fen, YuanError> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(part) || text.ends_with('.') {
            return Err(YuanError::Form);
        }
        if part.len() > 2 {
            return Err(YuanError::SubFen);
        }
        format!("{whole}{part:0<2}").parse().map(Fen).map_err(|_| YuanError::Overflow)
    }

    /// The `units` and `nanos` of a `google.type.Money`; both carry the sign.
    pub fn to_units_nanos(self) -> (i64, i32) {
        let part = self.0 % FEN_PER_YUAN;
        // |part| < 100, so this stays within a billion
        let nanos = i32::try_from(part).unwrap_or_default() * NANOS_PER_FEN;
        (self.0 / FEN_PER_YUAN, nanos)
    }

    /// The sum.
    ///
    /// # Errors
    /// When it is too large.
    pub fn checked_add(self, other: Fen) -> Result<Fen, MoneyError> {
        self.0.checked_add(other.0).map(Fen).ok_or(MoneyError::Overflow)
    }

    /// The difference.
    ///
    /// # Errors
    /// When it is too large.
    pub fn checked_sub(self, other: Fen) -> Result<Fen, MoneyError> {
        self.0.checked_sub(other.0).map(Fen).ok_or(MoneyError::Overflow)
    }

    /// The product with a whole number: so much for each of `count` households.
    ///
    /// # Errors
    /// When it is too large.
    pub fn checked_times(self, count: i64) -> Result<Fen, MoneyError> {
        self.0.checked_mul(count).map(Fen).ok_or(MoneyError::Overflow)
    }

    /// The product with a rate, rounded half up to the fen 四舍五入: half a fen goes away from zero, so that an amount
    /// and its correction cancel out.
    ///
    /// # Errors
    /// When it is too large.
    pub fn checked_rate(self, rate: Ppm) -> Result<Fen, MoneyError> {
        let product = i128::from(self.0) * i128::from(rate.0);
        narrow((product + product.signum() * (PARTS / 2)) / PARTS)
    }

    /// The sum of all of them; of none it is nothing.
    ///
    /// # Errors
    /// When the sum is too large; amounts on the way to it may be.
    pub fn sum(all: impl IntoIterator<Item = Fen>) -> Result<Fen, MoneyError> {
        narrow(all.into_iter().map(|amount| i128::from(amount.0)).sum())
    }
}

fn narrow(fen: i128) -> Result<Fen, MoneyError> {
    i64::try_from(fen).map(Fen).map_err(|_| MoneyError::Overflow)
}

impl fmt::Display for Fen {
    /// Yuan with two decimals: `1234.56`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", fen / 100, fen % 100)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Rounds a product to the fen by writing it out in decimal and looking at the digits that fall away.
    fn rounded_on_paper(fen: i64, parts: i64) -> String {
        let product = i128::from(fen) * i128::from(parts);
        let digits = format!("{:07}", product.unsigned_abs());
        let (whole, rest) = digits.split_at(digits.len() - 6);
        let up = u128::from(rest.as_bytes()[0] >= b'5');
        let magnitude = whole.parse::<u128>().unwrap() + up;
        let sign = if product < 0 && magnitude != 0 { "-" } else { "" };
        format!("{sign}{magnitude}")
    }

    proptest! {
        #[test]
        fn an_amount_is_read_as_it_is_written(fen: i64) {
            let (units, nanos) = Fen::of(fen).to_units_nanos();
            prop_assert_eq!(Fen::parse("CNY", units, nanos), Ok(Fen::of(fen)));
        }

        #[test]
        fn any_parts_are_read_or_refused(units: i64, nanos: i32) {
            if let Ok(amount) = Fen::parse("CNY", units, nanos) {
                prop_assert_eq!(amount.to_units_nanos(), (units, nanos));
            }
        }

        #[test]
        fn rates_round_as_on_paper(fen in -1_000_000_000_000i64..1_000_000_000_000, parts in -5_000_000i64..5_000_000) {
            let product = Fen::of(fen).checked_rate(Ppm::of(parts)).unwrap();
            prop_assert_eq!(product.fen().to_string(), rounded_on_paper(fen, parts));
            let correction = Fen::of(-fen).checked_rate(Ppm::of(parts)).unwrap();
            prop_assert_eq!(product.checked_add(correction), Ok(Fen::ZERO));
        }

        #[test]
        fn an_amount_shows_its_digits(fen: i64) {
            prop_assert_eq!(Fen::of(fen).to_string().replace('.', "").parse::<i64>(), Ok(fen));
        }
    }

    #[test]
    fn each_broken_condition_has_its_name() {
        for (currency, units, nanos, error) in [
            ("USD", 1, 0, MoneyError::Currency),
            ("", 1, 0, MoneyError::Currency),
            ("CNY", 0, 1_000_000_000, MoneyError::Nanos),
            ("CNY", 0, i32::MIN, MoneyError::Nanos),
            ("CNY", 0, 5_000_000, MoneyError::SubFen),
            ("CNY", 1, -10_000_000, MoneyError::Sign),
            ("CNY", -1, 10_000_000, MoneyError::Sign),
            ("CNY", i64::MAX, 0, MoneyError::Overflow),
        ] {
            assert_eq!(Fen::parse(currency, units, nanos), Err(error), "{currency} {units} {nanos}");
        }
    }

    #[test]
    fn half_a_fen_goes_up() {
        let half = Ppm::of(500_000);
        assert_eq!(Fen::of(1).checked_rate(half), Ok(Fen::of(1)));
        assert_eq!(Fen::of(-1).checked_rate(half), Ok(Fen::of(-1)));
        assert_eq!(Fen::of(1).checked_rate(Ppm::of(499_999)), Ok(Fen::ZERO));
        assert_eq!(Fen::of(i64::MIN).checked_rate(Ppm::ONE), Ok(Fen::of(i64::MIN)));
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let most = Fen::of(i64::MAX);
        assert_eq!(most.checked_add(Fen::of(1)), Err(MoneyError::Overflow));
        assert_eq!(Fen::of(i64::MIN).checked_sub(Fen::of(1)), Err(MoneyError::Overflow));
        assert_eq!(most.checked_times(2), Err(MoneyError::Overflow));
        assert_eq!(most.checked_rate(Ppm::of(1_000_001)), Err(MoneyError::Overflow));
        assert_eq!(Fen::sum([most, Fen::of(1), Fen::of(-2)]), Ok(Fen::of(i64::MAX - 1)));
    }

    #[test]
    fn an_amount_in_yuan_is_read_as_it_is_shown() {
        for fen in [0, 1, 5, 100, 123_456, i64::MAX] {
            assert_eq!(Fen::of_yuan(&Fen::of(fen).to_string()), Ok(Fen::of(fen)));
        }
        assert_eq!(Fen::of_yuan("5.5"), Ok(Fen::of(550)));
        for bad in ["", "-1", "1,000", "1.", ".5", "1e3", "五"] {
            assert_eq!(Fen::of_yuan(bad), Err(YuanError::Form), "{bad}");
        }
        assert_eq!(Fen::of_yuan("1.005"), Err(YuanError::SubFen));
        assert_eq!(Fen::of_yuan("92233720368547758.08"), Err(YuanError::Overflow));
    }

    #[test]
    fn amounts_are_shown_in_yuan() {
        let shown: Vec<String> = [123_456, -5, 0, 100].map(|fen| Fen::of(fen).to_string()).into();
        assert_eq!(shown, ["1234.56", "-0.05", "0.00", "1.00"]);
    }
}
