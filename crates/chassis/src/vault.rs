//! Personal data at rest: sealed with AES-256-GCM under keys that rotate, found by a keyed hash.
//!
//! A sealed value is `1 | key (u32, big-endian) | nonce (12 bytes) | ciphertext and tag`. What it belongs to (table, row,
//! column) is authenticated with it, so that a value can't be copied to another row. The keys come from
//! `LINLI_DATA_KEYS` (`2:<base64>,1:<base64>`, the first seals, all open); the blind index has a key of its own, which does
//! not rotate.

use std::{collections::BTreeMap, fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};
use sha2::Sha256;

use crate::refusal::Refusal;

const FORMAT: u8 = 1;
const HEAD: usize = 1 + 4 + NONCE_LEN;

/// Keys that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Not `number:base64,…`.
    #[error("key {0} is not of the form number:base64 with 32 bytes")]
    Form(usize),
    /// A number that occurs twice, or is 0.
    #[error("key number {0} is 0 or there twice")]
    Number(u32),
    /// No key at all.
    #[error("there is no key")]
    Empty,
    /// The key of the blind index.
    #[error("the index key is shorter than 32 characters")]
    Index,
}

/// Seals, opens and finds personal data. Cheap to clone; prints no key.
#[derive(Clone)]
pub struct Vault(Arc<Keys>);

struct Keys {
    sealing: u32,
    keys: BTreeMap<u32, LessSafeKey>,
    index: [u8; 32],
    random: SystemRandom,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault(key {} of {})", self.0.sealing, self.0.keys.len())
    }
}

impl Vault {
    /// A vault of `keys` (`2:<base64>,1:<base64>`, the first seals) and the secret of the blind index.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn new(keys: &str, index: &str) -> Result<Vault, VaultError> {
        let (mut all, mut sealing) = (BTreeMap::new(), None);
        for (n, part) in keys.split(',').map(str::trim).filter(|part| !part.is_empty()).enumerate() {
            let (number, bytes) = part.split_once(':').ok_or(VaultError::Form(n + 1))?;
            let number: u32 = number.parse().map_err(|_| VaultError::Form(n + 1))?;
            let bytes = STANDARD.decode(bytes).map_err(|_| VaultError::Form(n + 1))?;
            let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| VaultError::Form(n + 1))?;
            if number == 0
                || i32::try_from(number).is_err()
                || all.insert(number, LessSafeKey::new(key)).is_some()
            {
                return Err(VaultError::Number(number));
            }
            sealing.get_or_insert(number);
        }
        if index.len() < 32 {
            return Err(VaultError::Index);
        }
        let index = <sha2::Sha256 as sha2::Digest>::digest(index.as_bytes()).into();
        let sealing = sealing.ok_or(VaultError::Empty)?;
        Ok(Vault(Arc::new(Keys { sealing, keys: all, index, random: SystemRandom::new() })))
    }

    /// A vault with a random key, for a process that keeps nothing and for tests.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn random() -> Result<Vault, VaultError> {
        let (keys, index) = (fresh_key(1)?, fresh_key(1)?);
        Vault::new(&keys, &index)
    }

    /// The number of the key that seals now.
    pub fn sealing(&self) -> u32 {
        self.0.sealing
    }

    /// The same for its column.
    ///
    /// # Errors
    /// INTERNAL when the column can't hold it; a vault with such a number isn't made.
    pub fn sealing_column(&self) -> Result<i32, Refusal> {
        i32::try_from(self.sealing()).map_err(Refusal::internal)
    }

    /// Seals `plain`, which belongs to `place`: `towns/malu/people/p-1 full_name`.
    ///
    /// # Errors
    /// INTERNAL when the system has no randomness.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, Refusal> {
        let failed = |_| Refusal::internal("sealing failed");
        let mut nonce = [0; NONCE_LEN];
        self.0.random.fill(&mut nonce).map_err(failed)?;
        let key = self.0.keys.get(&self.0.sealing).ok_or_else(|| Refusal::internal("no sealing key"))?;
        let mut sealed = Vec::with_capacity(HEAD + plain.len() + AES_256_GCM.tag_len());
        sealed.push(FORMAT);
        sealed.extend(self.0.sealing.to_be_bytes());
        sealed.extend(nonce);
        let mut body = plain.to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(place.as_bytes()),
            &mut body,
        )
        .map_err(failed)?;
        sealed.extend(body);
        Ok(sealed)
    }

    /// Opens what was sealed for `place`.
    ///
    /// # Errors
    /// INTERNAL when the key is missing, or the value was changed or belongs elsewhere.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Refusal> {
        let broken = || Refusal::internal(format!("a sealed value of {} can't be opened", place.len()));
        let (head, body) = sealed.split_at_checked(HEAD).ok_or_else(broken)?;
        let number = head[1..5].try_into().map(u32::from_be_bytes).map_err(|_| broken())?;
        let key = self.0.keys.get(&number).filter(|_| head[0] == FORMAT);
        let key = key.ok_or_else(|| Refusal::internal(format!("no key {number} for a sealed value")))?;
        let nonce = Nonce::try_assume_unique_for_key(&head[5..]).map_err(|_| broken())?;
        let mut body = body.to_vec();
        let plain = key.open_in_place(nonce, Aad::from(place.as_bytes()), &mut body).map_err(|_| broken())?;
        Ok(plain.to_vec())
    }

    /// The same as text.
    ///
    /// # Errors
    /// As for [`Vault::open`].
    pub fn open_text(&self, place: &str, sealed: &[u8]) -> Result<String, Refusal> {
        String::from_utf8(self.open(place, sealed)?)
            .map_err(|_| Refusal::internal("a sealed value is not text"))
    }

    /// What `value` is found by: HMAC-SHA-256 over `domain` (`malu citizen_id`) and the value.
    pub fn index(&self, domain: &str, value: &str) -> [u8; 32] {
        // HMAC takes a key of any length
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0.index) else { return [0; 32] };
        mac.update(domain.as_bytes());
        mac.update(&[0]);
        mac.update(value.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// A new key with `number`, as `LINLI_DATA_KEYS` takes it.
///
/// # Errors
/// When the system has no randomness.
pub fn fresh_key(number: u32) -> Result<String, VaultError> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| VaultError::Empty)?;
    Ok(format!("{number}:{}", STANDARD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_sealed_opens_at_its_place_alone(plain in prop::collection::vec(any::<u8>(), 0..200), flip in any::<prop::sample::Index>()) {
            let vault = Vault::random().unwrap();
            let sealed = vault.seal("a", &plain).unwrap();
            prop_assert_eq!(vault.open("a", &sealed).unwrap(), plain.clone());
            prop_assert!(vault.open("b", &sealed).is_err());
            let mut changed = sealed.clone();
            changed[flip.index(sealed.len())] ^= 1;
            prop_assert!(vault.open("a", &changed).is_err());
            prop_assert_ne!(vault.seal("a", &plain).unwrap(), sealed);
        }
    }

    #[test]
    fn a_new_key_seals_and_the_old_one_still_opens() {
        let (one, two) = (fresh_key(1).unwrap(), fresh_key(2).unwrap());
        let index = "0123456789abcdef0123456789abcdef";
        let before = Vault::new(&one, index).unwrap();
        let sealed = before.seal("a", b"x").unwrap();
        let after = Vault::new(&format!("{two},{one}"), index).unwrap();
        assert_eq!((after.sealing(), after.open("a", &sealed).unwrap()), (2, b"x".to_vec()));
        assert!(before.open("a", &after.seal("a", b"x").unwrap()).is_err());
        assert_eq!(before.index("t", "v"), after.index("t", "v"));
        assert_ne!(before.index("t", "v"), before.index("u", "v"));
    }

    #[test]
    fn keys_that_cannot_be_used_are_named() {
        let index = "0123456789abcdef0123456789abcdef";
        let one = fresh_key(1).unwrap();
        for (keys, index, error) in [
            ("", index, VaultError::Empty),
            ("1:short", index, VaultError::Form(1)),
            (&format!("{one},{one}"), index, VaultError::Number(1)),
            (&one, "short", VaultError::Index),
        ] {
            assert_eq!(Vault::new(keys, index).unwrap_err(), error, "{keys}");
        }
        assert!(!format!("{:?}", Vault::new(&one, index).unwrap()).contains(&one[2..]));
    }
}
