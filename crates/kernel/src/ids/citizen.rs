//! The citizen identity number 公民身份号码 (GB 11643-1999).

use std::{borrow::Cow, fmt};

use jiff::civil::Date;

/// The check characters by remainder (ISO 7064, MOD 11-2).
const CHECKS: &[u8; 11] = b"10X98765432";
/// Characters of a number.
const CHARS: usize = 18;
/// The weights of the first seventeen digits.
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// Why text is no identity number. Says where, never what: the number is personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CitizenIdError {
    /// Not eighteen characters.
    #[error("{found} characters instead of 18")]
    Length {
        /// How many there are.
        found: usize,
    },
    /// Not a digit, or for the last one neither a digit nor X.
    #[error("character {position} is not a digit, nor X at the end")]
    Character {
        /// Which one, counted from 1.
        position: usize,
    },
    /// Characters 7 to 14 are no day of the calendar.
    #[error("the date of birth does not exist")]
    BirthDate,
    /// The last character doesn't follow from the others.
    #[error("the check character does not match")]
    Check,
}

/// A citizen identity number 公民身份号码. Whoever prints one sees stars; the number itself has to be asked for.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CitizenId {
    text: String,
    birth: Date,
}

impl CitizenId {
    /// Reads a number; a small `x` at the end is taken for the capital that the standard has.
    ///
    /// # Errors
    /// The first condition that it breaks.
    pub fn parse(text: &str) -> Result<CitizenId, CitizenIdError> {
        let found = text.chars().count();
        if found != 18 {
            return Err(CitizenIdError::Length { found });
        }
        let good = |at: usize, c: char| c.is_ascii_digit() || (at == 17 && matches!(c, 'X' | 'x'));
        if let Some((at, _)) = text.chars().enumerate().find(|(at, c)| !good(*at, *c)) {
            return Err(CitizenIdError::Character { position: at + 1 });
        }
        let text = text.to_ascii_uppercase();
        let birth = birth_date(&text).ok_or(CitizenIdError::BirthDate)?;
        let weighed = text.bytes().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight);
        let check = CHECKS[weighed.sum::<u32>() as usize % CHECKS.len()];
        if text.as_bytes()[17] != check {
            return Err(CitizenIdError::Check);
        }
        Ok(CitizenId { text, birth })
    }

    /// The number itself: personal data, for the cipher, the blind index and callers who may see it.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The date of birth in it: personal data.
    pub fn birth_date(&self) -> Date {
        self.birth
    }

    /// The first three and the last two characters, stars between: `310*************37`.
    pub fn masked(&self) -> String {
        format!("{}*************{}", &self.text[..3], &self.text[16..])
    }
}

/// The day in characters 7 to 14 of eighteen ASCII characters.
fn birth_date(text: &str) -> Option<Date> {
    let year = text[6..10].parse().ok().filter(|year| *year > 0)?;
    Date::new(year, text[10..12].parse().ok()?, text[12..14].parse().ok()?).ok()
}

/// `text` with stars for whatever is written like an identity number in it, its check character right or wrong: the last
/// sieve before something is shown, stored in clear or logged that a caller typed.
pub fn without_numbers(text: &str) -> Cow<'_, str> {
    let mut masked = None::<Vec<u8>>;
    for at in 0..text.len().saturating_sub(CHARS - 1) {
        if is_like_number(&text.as_bytes()[at..at + CHARS]) {
            let bytes = masked.get_or_insert_with(|| text.as_bytes().to_vec());
            bytes[at..at + CHARS].fill(b'*');
        }
    }
    // stars stand where ASCII stood
    masked.map_or(Cow::Borrowed(text), |bytes| Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Whether something is written like an identity number in `text`.
pub fn holds_number(text: &str) -> bool {
    text.as_bytes().windows(CHARS).any(is_like_number)
}

/// Seventeen digits, among them a date of the years 1800 to 2099, and a digit or X: as `person_id_is_no_number` has it in SQL.
fn is_like_number(window: &[u8]) -> bool {
    let (digits, last) = window.split_at(CHARS - 1);
    let two = |at: usize| (digits[at] - b'0') * 10 + (digits[at + 1] - b'0');
    digits.iter().all(u8::is_ascii_digit)
        && last.iter().all(|c| c.is_ascii_digit() || matches!(c, b'X' | b'x'))
        && (18..=20).contains(&two(6))
        && (1..=12).contains(&two(10))
        && (1..=31).contains(&two(12))
}

impl fmt::Debug for CitizenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CitizenId({})", self.masked())
    }
}

impl fmt::Display for CitizenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_like_a_number_is_masked_and_nothing_else() {
        for (text, masked) in [
            ("", ""),
            ("310199195112050137", "******************"),
            ("居民310199195112050137。", "居民******************。"),
            ("towns/malu/people/31019919511205013x", "towns/malu/people/******************"),
            ("a 310199195112050138 b 310199195112050137", "a ****************** b ******************"),
            ("310199195113050137", "310199195113050137"), // no thirteenth month
            ("310114106001", "310114106001"),
            ("01a20a51-ee3b-7000-8000-000000000000", "01a20a51-ee3b-7000-8000-000000000000"),
        ] {
            assert_eq!(without_numbers(text), masked);
            assert_eq!(holds_number(text), text != masked);
        }
    }

    /// ISO 7064 asks that the whole string is congruent to 1 when it is read by doubling; X counts ten.
    fn congruent(text: &str) -> bool {
        let value = |c: char| c.to_digit(10).unwrap_or(10);
        text.chars().fold(0, |sum, c| (sum * 2 + value(c)) % 11) == 1
    }

    fn checks(first: &str) -> Vec<String> {
        "0123456789X"
            .chars()
            .map(|c| format!("{first}{c}"))
            .filter(|text| CitizenId::parse(text).is_ok())
            .collect()
    }

    proptest! {
        #[test]
        fn exactly_the_congruent_number_is_one(area in 110_000u32..830_000, day in 0i64..60_000, serial in 0u32..1_000) {
            let birth = date(1900, 1, 1) + jiff::Span::new().days(day);
            let first = format!("{area}{}{serial:03}", birth.strftime("%Y%m%d"));
            let valid = checks(&first);
            prop_assert_eq!(valid.len(), 1);
            prop_assert!(congruent(&valid[0]));
            let id = CitizenId::parse(&valid[0]).unwrap();
            prop_assert_eq!(id.birth_date(), birth);
            for printed in [format!("{id:?}"), id.to_string()] {
                prop_assert!(!printed.contains(&valid[0][3..16]) && printed.contains("*************"));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9]{17}[0-9Xx]|.{0,20}") {
            if let Ok(id) = CitizenId::parse(&text) {
                prop_assert!(congruent(id.reveal()));
            }
        }
    }

    #[test]
    fn each_broken_condition_has_its_name() {
        assert_eq!(CitizenId::parse("310199195112050137").unwrap().to_string(), "310*************37");
        assert_eq!(CitizenId::parse("31019919511205013"), Err(CitizenIdError::Length { found: 17 }));
        assert_eq!(CitizenId::parse("３10199195112050137"), Err(CitizenIdError::Character { position: 1 }));
        assert_eq!(CitizenId::parse("31019919511205X137"), Err(CitizenIdError::Character { position: 15 }));
        assert_eq!(CitizenId::parse("310199195102300137"), Err(CitizenIdError::BirthDate));
        assert_eq!(CitizenId::parse("310199000001010137"), Err(CitizenIdError::BirthDate));
        assert_eq!(CitizenId::parse("310199195112050138"), Err(CitizenIdError::Check));
    }

    #[test]
    fn a_small_x_is_the_capital() {
        let number = (0..1_000)
            .flat_map(|n| checks(&format!("31019920000229{n:03}")))
            .find(|n| n.ends_with('X'))
            .unwrap();
        let small = CitizenId::parse(&number.to_lowercase()).unwrap();
        assert_eq!(small.reveal(), number);
    }
}
