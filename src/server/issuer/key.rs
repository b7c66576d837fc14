//! Making a key, sealing its private half, and opening it to sign.
//! Refuses to keep a private half in the open anywhere but in a `SigningKey`.

use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret;
use sha2::{Digest as _, Sha256};

use super::seal::{self, Unsealable};
use super::settings::IssuerSettings;
use crate::config::SealingKey;
use crate::domain::{IssuerKey, KeyId, Timestamp};
use crate::random::Random;

/// A private key that is open: it signs, and cannot be printed.
pub struct SigningKey {
    id: KeyId,
    pair: EcdsaKeyPair,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({}, ****)", self.id)
    }
}

impl SigningKey {
    /// Its `kid`.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The signature of `bytes` as JWS has it (RFC 7518, section 3.4).
    ///
    /// # Errors
    /// [`Unsealable`] where the library fails, which it does without randomness only.
    pub fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let signature = self.pair.sign(&SystemRandom::new(), bytes).map_err(|_| Unsealable)?;
        Ok(signature.as_ref().to_vec())
    }
}

/// What a seal of a private half is bound to: nobody can put one key in the place of another.
fn purpose(id: &KeyId, issuer: &str) -> String {
    format!("jit issuer key {id} of {issuer}")
}

/// The thumbprint of a public key (RFC 7638, section 3.2: the required members in this order).
pub fn thumbprint(x: &str, y: &str) -> Option<KeyId> {
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    KeyId::parse(&URL_SAFE_NO_PAD.encode(Sha256::digest(members))).ok()
}

/// A new key, the `number`th of its store.
///
/// # Errors
/// [`Unsealable`] where the library fails, which it does without randomness only.
pub fn make(random: &Random, settings: &IssuerSettings, number: u64, now: Timestamp) -> Result<IssuerKey, Unsealable> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| Unsealable)?;
    // an uncompressed point (SEC 1, section 2.3.3): 4, then both coordinates
    let point = pair.public_key().as_ref();
    let coordinate = |from: usize| point.get(from..from + 32).map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
    let (x, y) = coordinate(1).zip(coordinate(33)).ok_or(Unsealable)?;
    let id = thumbprint(&x, &y).ok_or(Unsealable)?;
    let issuer = settings.url.as_str().to_owned();
    let private = pair.private_key().as_be_bytes().map_err(|_| Unsealable)?;
    let sealed = seal::seal(random, &settings.sealing_key, &purpose(&id, &issuer), private.as_ref())?;
    Ok(IssuerKey {
        id,
        number,
        issuer,
        x,
        y,
        sealed: Some(sealed),
        made_at: now,
        published_at: None,
        retired_at: None,
        removed_at: None,
        version: 1,
    })
}

/// The private half of `key`.
///
/// # Errors
/// [`Unsealable`] for another sealing key, a key without a private half, and one whose halves do not belong together.
pub fn open_key(sealing_key: &SealingKey, key: &IssuerKey) -> Result<SigningKey, Unsealable> {
    let sealed = key.sealed.as_deref().ok_or(Unsealable)?;
    let private = seal::open(sealing_key, &purpose(&key.id, &key.issuer), sealed)?;
    let coordinate = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Unsealable);
    let point = [&[4][..], &coordinate(&key.x)?, &coordinate(&key.y)?].concat();
    if thumbprint(&key.x, &key.y).as_ref() != Some(&key.id) {
        return Err(Unsealable);
    }
    let pair = EcdsaKeyPair::from_private_key_and_public_key(
        &ECDSA_P256_SHA256_FIXED_SIGNING,
        private.expose_secret(),
        &point,
    )
    .map_err(|_| Unsealable)?;
    Ok(SigningKey {
        id: key.id.clone(),
        pair,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::issuer::sample;

    #[test]
    fn thumbprint_is_that_of_another_program() {
        // the key of RFC 7515, appendix A.3; hashed by Python
        let (x, y) = (
            "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        );
        assert_eq!(
            thumbprint(x, y).unwrap().as_str(),
            "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"
        );
    }

    #[test]
    fn key_opens_with_its_sealing_key_alone() {
        let settings = sample::settings(1);
        let key = sample::key(&settings, 1);
        assert_eq!(open_key(&settings.sealing_key, &key).unwrap().id(), &key.id);
        assert!(open_key(&sample::settings(2).sealing_key, &key).is_err());
    }

    #[test]
    fn key_of_another_row_does_not_open() {
        let settings = sample::settings(1);
        let (one, two) = (sample::key(&settings, 1), sample::key(&settings, 2));
        let swapped = IssuerKey {
            sealed: two.sealed.clone(),
            ..one.clone()
        };
        let renamed = IssuerKey {
            issuer: "https://evil.example".to_owned(),
            ..one.clone()
        };
        let repointed = IssuerKey {
            x: two.x,
            y: two.y,
            ..one.clone()
        };
        let emptied = IssuerKey { sealed: None, ..one };
        for key in [swapped, renamed, repointed, emptied] {
            assert!(open_key(&settings.sealing_key, &key).is_err());
        }
    }
}
