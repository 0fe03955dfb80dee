//! The unified social credit code 统一社会信用代码 (GB 32100-2015).

use std::fmt;

/// The characters by value: digits and capitals without I, O, S, V and Z.
const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Why text is no credit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreditCodeError {
    /// Not eighteen characters.
    #[error("{found} characters instead of 18")]
    Length {
        /// How many there are.
        found: usize,
    },
    /// A character that the code doesn't use; small letters and I, O, S, V, Z are among them.
    #[error("character {position} is none of {ALPHABET}")]
    Character {
        /// Which one, counted from 1.
        position: usize,
    },
    /// A letter in characters 3 to 8, the division 登记管理机关行政区划码.
    #[error("character {position} belongs to the division and is not a digit")]
    Division {
        /// Which one, counted from 1.
        position: usize,
    },
    /// The last character doesn't follow from the others.
    #[error("the check character does not match")]
    Check,
}

/// A unified social credit code 统一社会信用代码 of an organisation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CreditCode(String);

impl CreditCode {
    /// Reads a code.
    ///
    /// # Errors
    /// The first condition that it breaks.
    pub fn parse(text: &str) -> Result<CreditCode, CreditCodeError> {
        let found = text.chars().count();
        if found != 18 {
            return Err(CreditCodeError::Length { found });
        }
        let mut values = [0; 18];
        for (at, c) in text.chars().enumerate() {
            values[at] = ALPHABET.find(c).ok_or(CreditCodeError::Character { position: at + 1 })?;
        }
        if let Some(at) = (2..8).find(|at| values[*at] > 9) {
            return Err(CreditCodeError::Division { position: at + 1 });
        }
        if values[17] != check(&values[..17]) {
            Err(CreditCodeError::Check)
        } else {
            Ok(CreditCode(text.to_owned()))
        }
    }

    /// The eighteen characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What brings the sum of the values, weighed with powers of three, to a multiple of 31.
fn check(values: &[usize]) -> usize {
    let (sum, _) = values.iter().fold((0, 1), |(sum, weight), value| (sum + value * weight, weight * 3 % 31));
    (31 - sum % 31) % 31
}

impl fmt::Display for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The table of weights as the standard prints it.
    const PRINTED: [u64; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

    fn by_the_printed_table(text: &str) -> bool {
        let value = |c: char| ALPHABET.find(c).unwrap() as u64;
        let sum: u64 = text.chars().zip(PRINTED).map(|(c, weight)| value(c) * weight).sum();
        (sum + value(text.chars().last().unwrap())).is_multiple_of(31)
    }

    proptest! {
        #[test]
        fn exactly_one_check_character_fits(first in "[1-9AN][1-9A][0-9]{6}[0-9A-HJ-NPQRTUWXY]{9}") {
            let all = ALPHABET.chars().map(|c| format!("{first}{c}"));
            let valid: Vec<String> = all.filter(|text| CreditCode::parse(text).is_ok()).collect();
            prop_assert_eq!(valid.len(), 1);
            prop_assert!(by_the_printed_table(&valid[0]));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,20}|[0-9A-Z]{18}") {
            if let Ok(code) = CreditCode::parse(&text) {
                prop_assert_eq!(code.as_str(), text);
            }
        }
    }

    #[test]
    fn each_broken_condition_has_its_name() {
        assert!(CreditCode::parse("91310199MA9001014X").is_ok());
        assert_eq!(CreditCode::parse("91310199MA9001014"), Err(CreditCodeError::Length { found: 17 }));
        assert_eq!(CreditCode::parse("91310199MA900I014X"), Err(CreditCodeError::Character { position: 14 }));
        assert_eq!(CreditCode::parse("91310199ma9001014X"), Err(CreditCodeError::Character { position: 9 }));
        assert_eq!(CreditCode::parse("913A0199MA9001014X"), Err(CreditCodeError::Division { position: 4 }));
        assert_eq!(CreditCode::parse("91310199MA90010140"), Err(CreditCodeError::Check));
    }
}
