//! Sealing: AES-256-GCM under the sealing key, bound to what the secret is for.
//! Refuses a seal that was made for something else, under another key, or changed by a bit.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretBox, SecretSlice};
use zeroize::Zeroizing;

use crate::config::SealingKey;
use crate::random::Random;

/// What every seal begins with: version and cipher.
const FORM: &str = "v1.";

/// What the check value is bound to.
const CHECK: &str = "jit sealing check";

/// The seal does not open: another key, another use, or damage. Which of them, nobody can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the seal does not open")]
pub struct Unsealable;

fn cipher(key: &SealingKey) -> Result<LessSafeKey, Unsealable> {
    UnboundKey::new(&AES_256_GCM, key.bytes())
        .map(LessSafeKey::new)
        .map_err(|_| Unsealable)
}

/// `secret` sealed for `purpose`, as text.
///
/// # Errors
/// [`Unsealable`] where the cipher fails, which it does for secrets of many gigabytes only.
pub fn seal(random: &Random, key: &SealingKey, purpose: &str, secret: &[u8]) -> Result<String, Unsealable> {
    // 96 random bits: after 2^32 seals of one key two were alike with a chance of 2^-33 (NIST SP 800-38D, section 8.3). The
    // sealing key makes a few dozen in its life; the one of cookies, which is another, one for each sign-in that is begun
    let nonce: [u8; NONCE_LEN] = random.bytes();
    // the whole room at once: growing would leave a copy of the secret behind
    let mut sealed = Zeroizing::new(Vec::with_capacity(secret.len() + AES_256_GCM.tag_len()));
    sealed.extend_from_slice(secret);
    cipher(key)?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(purpose.as_bytes()),
            &mut *sealed,
        )
        .map_err(|_| Unsealable)?;
    let whole = [&nonce[..], &sealed[..]].concat();
    Ok(format!("{FORM}{}", STANDARD.encode(whole)))
}

/// What `sealed` holds.
///
/// # Errors
/// [`Unsealable`].
pub fn open(key: &SealingKey, purpose: &str, sealed: &str) -> Result<SecretSlice<u8>, Unsealable> {
    let text = sealed.strip_prefix(FORM).ok_or(Unsealable)?;
    let mut whole = Zeroizing::new(STANDARD.decode(text).map_err(|_| Unsealable)?);
    let (nonce, rest) = whole.split_at_mut_checked(NONCE_LEN).ok_or(Unsealable)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unsealable)?;
    let secret = cipher(key)?
        .open_in_place(nonce, Aad::from(purpose.as_bytes()), rest)
        .map_err(|_| Unsealable)?;
    Ok(SecretBox::new(secret.to_vec().into_boxed_slice()))
}

/// A value that only `key` opens: kept in the store, so that a wrong key is told before any secret is needed.
///
/// # Errors
/// As [`seal`].
pub fn check_value(random: &Random, key: &SealingKey) -> Result<String, Unsealable> {
    seal(random, key, CHECK, CHECK.as_bytes())
}

/// Whether `key` is the one that made the check value `sealed`.
pub fn is_check_value(key: &SealingKey, sealed: &str) -> bool {
    open(key, CHECK, sealed).is_ok_and(|value| value.expose_secret() == CHECK.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> String {
        seal(&Random::default(), &SealingKey::new([1; 32]), "key a of b", b"secret").unwrap()
    }

    #[test]
    fn seal_opens_with_its_key_and_purpose_alone() {
        let (key, other) = (SealingKey::new([1; 32]), SealingKey::new([2; 32]));
        let text = sealed();
        assert_eq!(open(&key, "key a of b", &text).unwrap().expose_secret(), b"secret");
        assert!(open(&other, "key a of b", &text).is_err());
        assert!(open(&key, "key b of b", &text).is_err());
        assert_ne!(text, sealed(), "each seal has a nonce of its own");
    }

    #[test]
    fn seal_that_was_changed_anywhere_does_not_open() {
        let key = SealingKey::new([1; 32]);
        let bytes = STANDARD.decode(&sealed()[FORM.len()..]).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let text = format!("{FORM}{}", STANDARD.encode(&changed));
            assert!(open(&key, "key a of b", &text).is_err(), "byte {at}");
        }
        for text in ["", "v1.", "v1.AAAA", "v2.AAAA", "v1.?"] {
            assert!(open(&key, "", text).is_err(), "{text}");
        }
    }

    #[test]
    fn check_value_tells_another_key() {
        let value = check_value(&Random::default(), &SealingKey::new([1; 32])).unwrap();
        assert!(is_check_value(&SealingKey::new([1; 32]), &value));
        assert!(!is_check_value(&SealingKey::new([2; 32]), &value));
    }
}
