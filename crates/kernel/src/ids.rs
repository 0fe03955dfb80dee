//! Codes with a form of their own. `parse` is the only way in.

mod citizen;
mod credit;

pub use citizen::{CitizenId, CitizenIdError, holds_number, without_numbers};
pub use credit::{CreditCode, CreditCodeError};

use std::fmt;

/// Why a code is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Another number of characters.
    #[error("{found} characters instead of {expected}")]
    Length {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A character that doesn't belong there.
    #[error("a character that does not belong there")]
    Character,
}

/// A statistical division code 统计用区划代码: twelve digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AreaCode(String);

impl AreaCode {
    /// Reads a code.
    ///
    /// # Errors
    /// When it isn't twelve digits.
    pub fn parse(text: &str) -> Result<AreaCode, CodeError> {
        let found = text.chars().count();
        if found != 12 {
            return Err(CodeError::Length { found, expected: 12 });
        }
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(CodeError::Character);
        }
        Ok(AreaCode(text.to_owned()))
    }

    /// The twelve digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Characters of a [`MasterId`] at most.
pub const MASTER_ID_CHARS: usize = 63;

/// Why text is no id of master data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MasterIdError {
    /// No character at all.
    #[error("empty")]
    Empty,
    /// More than 63 characters.
    #[error("{0} characters, {MASTER_ID_CHARS} at most")]
    TooLong(usize),
    /// A hyphen at the beginning.
    #[error("begins with a hyphen")]
    LeadingHyphen,
    /// Another character than lower-case letters, digits and hyphens.
    #[error("character {position} is none of a-z, 0-9 and -")]
    Character {
        /// Which one, counted from 1.
        position: usize,
    },
    /// An identity number is written in it; ids stand in URLs, logs and events.
    #[error("an identity number is no id")]
    IdentityNumber,
}

/// An id that a caller chose for master data 主数据: `[a-z0-9][a-z0-9-]{0,62}`. Lower-case UUIDs are among them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MasterId(String);

impl MasterId {
    /// Reads an id.
    ///
    /// # Errors
    /// The first condition that it breaks.
    pub fn parse(text: &str) -> Result<MasterId, MasterIdError> {
        check_master_id(text).map(|()| MasterId(text.to_owned()))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MasterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The rule of [`MasterId`] and of every part of a resource name.
pub(crate) fn check_master_id(text: &str) -> Result<(), MasterIdError> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty() {
        return Err(MasterIdError::Empty);
    }
    if let Some(at) = text.chars().position(|c| !good(c)) {
        return Err(MasterIdError::Character { position: at + 1 });
    }
    if text.starts_with('-') {
        return Err(MasterIdError::LeadingHyphen);
    }
    if holds_number(text) {
        return Err(MasterIdError::IdentityNumber);
    }
    // all ASCII by now
    if text.len() > MASTER_ID_CHARS { Err(MasterIdError::TooLong(text.len())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_area_code_has_twelve_digits() {
        assert_eq!(AreaCode::parse("310114106001").unwrap().as_str(), "310114106001");
        assert_eq!(AreaCode::parse("31011410600"), Err(CodeError::Length { found: 11, expected: 12 }));
        assert_eq!(AreaCode::parse("31011410600x"), Err(CodeError::Character));
        assert_eq!(AreaCode::parse("３10114106001"), Err(CodeError::Character));
    }

    proptest! {
        #[test]
        fn ids_of_the_pattern_are_accepted(text in "[a-z0-9][a-z0-9-]{0,62}") {
            prop_assert_eq!(MasterId::parse(&text).unwrap().to_string(), text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,70}") {
            prop_assert_eq!(MasterId::parse(&text).is_ok(), crate::name::is_id(&text));
        }
    }

    #[test]
    fn each_broken_condition_of_an_id_has_its_name() {
        assert_eq!(MasterId::parse(""), Err(MasterIdError::Empty));
        assert_eq!(MasterId::parse("-a"), Err(MasterIdError::LeadingHyphen));
        assert_eq!(MasterId::parse("r-310199195112050137"), Err(MasterIdError::IdentityNumber));
        assert_eq!(MasterId::parse("aB"), Err(MasterIdError::Character { position: 2 }));
        assert_eq!(MasterId::parse("居委会"), Err(MasterIdError::Character { position: 1 }));
        assert_eq!(MasterId::parse(&"a".repeat(64)), Err(MasterIdError::TooLong(64)));
        assert!(MasterId::parse("01890c24-905b-7122-b170-b60814e6ee06").is_ok());
    }
}
