//! Codes with a form of their own.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_code_has_twelve_digits() {
        assert_eq!(AreaCode::parse("310114106001").unwrap().as_str(), "310114106001");
        assert_eq!(AreaCode::parse("31011410600"), Err(CodeError::Length { found: 11, expected: 12 }));
        assert_eq!(AreaCode::parse("31011410600x"), Err(CodeError::Character));
    }
}
