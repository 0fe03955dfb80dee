//! Pages: authenticated tokens that are bound to what was asked and expire, and the size of a page.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// Rows on a page when the caller doesn't say.
pub const DEFAULT_SIZE: u32 = 50;
/// Rows on a page at most; more is coerced to it (AIP-158).
pub const MAX_SIZE: u32 = 1_000;
const VERSION: u8 = 1;
const TAG: usize = 16;

/// The key under which tokens are sealed.
#[derive(Clone)]
pub struct PageKey([u8; 32]);

impl fmt::Debug for PageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageKey(…)")
    }
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageTokenError {
    /// Not of our making.
    #[error("malformed")]
    Malformed,
    /// Changed, or made for another query.
    #[error("of another query")]
    OfAnotherQuery,
    /// Too old.
    #[error("expired")]
    Expired,
}

/// A page size below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("page_size is negative")]
pub struct NegativeSize;

/// The number of rows to read for a requested `page_size`.
///
/// # Errors
/// When it is negative.
pub fn page_size(requested: i32) -> Result<u32, NegativeSize> {
    match u32::try_from(requested) {
        Ok(0) => Ok(DEFAULT_SIZE),
        Ok(size) => Ok(size.min(MAX_SIZE)),
        Err(_) => Err(NegativeSize),
    }
}

impl PageKey {
    /// The key made of 32 secret bytes.
    pub fn new(bytes: [u8; 32]) -> PageKey {
        PageKey(bytes)
    }

    /// A token for the rows after `last`, bound to `asked` (method, parent, filter, order, …), good until `expires`.
    pub fn seal(&self, asked: &[&str], expires: Timestamp, last: &[&str]) -> String {
        let mut body = vec![VERSION];
        body.extend(expires.as_second().to_be_bytes());
        for part in last {
            body.extend((part.len() as u32).to_be_bytes());
            body.extend(part.as_bytes());
        }
        let tag = self.mac(asked, &body).finalize().into_bytes();
        body.extend(&tag[..TAG]);
        BASE64.encode(body)
    }

    /// The last key of the page before.
    ///
    /// # Errors
    /// When the token is not ours, not for this query, or too old at `now`.
    pub fn open(&self, asked: &[&str], now: Timestamp, token: &str) -> Result<Vec<String>, PageTokenError> {
        let bytes = BASE64.decode(token).map_err(|_| PageTokenError::Malformed)?;
        let split = bytes.len().checked_sub(TAG).filter(|at| *at >= 9).ok_or(PageTokenError::Malformed)?;
        let (body, tag) = bytes.split_at(split);
        if body[0] != VERSION {
            return Err(PageTokenError::Malformed);
        }
        // in constant time
        self.mac(asked, body).verify_truncated_left(tag).map_err(|_| PageTokenError::OfAnotherQuery)?;
        let (expires, mut rest) = body[1..].split_at(8);
        let expires = i64::from_be_bytes(expires.try_into().map_err(|_| PageTokenError::Malformed)?);
        if expires <= now.as_second() {
            return Err(PageTokenError::Expired);
        }
        let mut last = Vec::new();
        while let Some((length, tail)) = rest.split_at_checked(4) {
            let length =
                u32::from_be_bytes(length.try_into().map_err(|_| PageTokenError::Malformed)?) as usize;
            let (part, tail) = tail.split_at_checked(length).ok_or(PageTokenError::Malformed)?;
            last.push(String::from_utf8(part.to_vec()).map_err(|_| PageTokenError::Malformed)?);
            rest = tail;
        }
        Ok(last)
    }

    fn mac(&self, asked: &[&str], body: &[u8]) -> Hmac<Sha256> {
        // HMAC pads a short key with zeros to the block of 64 bytes; done here, so that nothing can fail
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.0);
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
        for part in asked {
            // of fixed length, so that neighbours can't lend each other letters
            mac.update(&Sha256::digest(part.as_bytes()));
        }
        mac.update(body);
        mac
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    proptest! {
        #[test]
        fn a_token_opens_for_its_query_alone(last in prop::collection::vec(".{0,20}", 0..4), filter in ".{0,20}", other in ".{0,20}") {
            let key = PageKey::new([7; 32]);
            let refs: Vec<&str> = last.iter().map(String::as_str).collect();
            let token = key.seal(&["m", &filter], at(100), &refs);
            prop_assert_eq!(key.open(&["m", &filter], at(99), &token).unwrap(), last);
            prop_assert_eq!(key.open(&["m", &filter], at(100), &token), Err(PageTokenError::Expired));
            if other != filter {
                prop_assert_eq!(key.open(&["m", &other], at(99), &token), Err(PageTokenError::OfAnotherQuery));
            }
            prop_assert_eq!(PageKey::new([8; 32]).open(&["m", &filter], at(99), &token), Err(PageTokenError::OfAnotherQuery));
        }

        #[test]
        fn any_text_is_opened_or_refused(token in ".{0,80}") {
            prop_assert!(PageKey::new([7; 32]).open(&[], at(0), &token).is_err());
        }
    }

    #[test]
    fn sizes_are_coerced() {
        assert_eq!((page_size(0), page_size(7), page_size(5_000)), (Ok(50), Ok(7), Ok(1_000)));
        assert_eq!(page_size(-1), Err(NegativeSize));
    }
}
