//! Text that people typed: names for display, shortening for messages, look-alikes that spoil data.

/// Characters that a display name may have at most.
pub const NAME_CHARS: usize = 200;

/// Why text is no display name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("empty")]
    Empty,
    /// Longer than allowed.
    #[error("{chars} characters, {limit} at most")]
    TooLong {
        /// How many it has.
        chars: usize,
        /// How many it may have.
        limit: usize,
    },
    /// A control or invisible character.
    #[error("invisible character U+{0:04X}")]
    Invisible(u32),
}

/// The text without the white space around it.
///
/// # Errors
/// When nothing remains, it is too long, or holds a character that nobody can see.
pub fn display_name(text: &str, limit: usize) -> Result<&str, TextError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if let Some(c) = text.chars().find(|c| is_invisible(*c)) {
        return Err(TextError::Invisible(c.into()));
    }
    match text.chars().count() {
        chars if chars > limit => Err(TextError::TooLong { chars, limit }),
        _ => Ok(text),
    }
}

/// Whether a character can't be seen: controls, zero-width, direction marks, byte order marks, tags.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180E}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}'
            | '\u{FFF9}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E007F}')
}

/// Whether `text` reads as the path of a field or as a name of our code, so that a message may repeat it: a letter, then
/// ASCII letters, digits, `_`, `.`; 80 at most, and no identity number in it.
pub fn is_field_path(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.len() <= 80
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
        && !crate::ids::holds_number(text)
}

/// What a caller typed where a name of ours belongs, for a message: `…` unless it reads like one.
pub fn repeatable(text: &str) -> &str {
    if is_field_path(text) || crate::name::is_id(text) { text } else { "…" }
}

/// At most `limit` characters of `text` for a message, with invisible ones spelled out.
pub fn shorten(text: &str, limit: usize) -> String {
    let mut out = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == limit {
            out.push('…');
            break;
        }
        if is_invisible(c) {
            out.push_str(&format!("\\u{{{:04X}}}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether it holds full-width digits (２０００), which look like numbers and are not.
pub fn has_full_width_digits(text: &str) -> bool {
    text.chars().any(|c| ('０'..='９').contains(&c))
}

/// Whether a spreadsheet would take it for a formula.
pub fn formula_like(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// Whether `text` is a code as policies and files use them: a capital, then capitals, digits and underscores; `most` signs at most.
pub fn is_code(text: &str, most: usize) -> bool {
    text.len() <= most
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.bytes().all(|sign| sign.is_ascii_uppercase() || sign.is_ascii_digit() || sign == b'_')
}

/// Words on one line, each apart by one space and without signs that nobody sees.
pub fn one_line(text: &str) -> String {
    let seen: String = text.chars().map(|c| if is_invisible(c) { ' ' } else { c }).collect();
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_what_nobody_sees_is_refused() {
        assert!(is_field_path("block.start_date") && is_field_path("kind2"));
        assert_eq!(["committee-officer", "钱甲子"].map(repeatable), ["committee-officer", "…"]);
        for text in ["", "钱甲子", "310199195112050137", "x310199195112050137", "a b", ".a"] {
            assert!(!is_field_path(text), "{text}");
        }
        assert_eq!(display_name("  育兰社区 ", NAME_CHARS), Ok("育兰社区"));
        assert_eq!(display_name(" ", NAME_CHARS), Err(TextError::Empty));
        assert_eq!(display_name("育\u{200B}兰", NAME_CHARS), Err(TextError::Invisible(0x200B)));
        assert_eq!(display_name("abc", 2), Err(TextError::TooLong { chars: 3, limit: 2 }));
    }

    #[test]
    fn shortening_shows_what_was_hidden() {
        assert_eq!(shorten("a\u{200B}bcd", 3), "a\\u{200B}b…");
        assert!(has_full_width_digits("２０００") && formula_like("=1+1"));
    }
}
