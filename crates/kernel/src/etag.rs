//! Strong etags (RFC 9110 § 8.8.3) made of the version of a row.

use std::fmt;

/// The etag of a version: `v7`. Shown without the quotes of HTTP, accepted with or without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Etag(i64);

/// Text that is no etag of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an etag: expected v followed by a version")]
pub struct NotAnEtag;

impl Etag {
    /// The etag of a row's version.
    pub fn of(version: i64) -> Etag {
        Etag(version)
    }

    /// The version.
    pub fn version(self) -> i64 {
        self.0
    }

    /// Reads an etag.
    ///
    /// # Errors
    /// When it isn't one of ours, weak ones included.
    pub fn parse(text: &str) -> Result<Etag, NotAnEtag> {
        let bare = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
        let digits = bare.strip_prefix('v').ok_or(NotAnEtag)?;
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotAnEtag);
        }
        digits.parse().map(Etag).map_err(|_| NotAnEtag)
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_is_read_as_it_is_written() {
        assert_eq!(Etag::parse(&Etag::of(7).to_string()), Ok(Etag::of(7)));
        assert_eq!(Etag::parse("\"v7\""), Ok(Etag::of(7)));
        for bad in ["", "7", "v", "v-1", "W/\"v7\"", "v99999999999999999999"] {
            assert_eq!(Etag::parse(bad), Err(NotAnEtag), "{bad}");
        }
    }
}
