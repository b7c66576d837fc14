//! Who is calling, proved by what others signed.
//! Owns proofs of devices and tokens of identity providers. Refuses names that a caller may choose: whose session it is, the store knows.

mod believed;
pub mod device;
pub mod device_sign_ins;
mod discovery;
mod fetch;
mod kept;
pub mod key_set;
mod nonce;
pub mod on_its_way;
pub mod proof;
pub mod proved;
pub mod relying_party;
mod seen;
pub mod sign_ins;
pub mod token;
pub mod workloads;

use aws_lc_rs::hmac;

use self::nonce::Nonces;
pub use self::proof::verify;
use self::proof::{Expected, ProofError, Proven};
use self::seen::Seen;
use crate::domain::Timestamp;

/// Nonces that this process gave, and the proofs that were made with them. Another process has a key of its own: a nonce
/// counts only where it was made, so no proof is good at two of them and none has to be written down.
pub struct Proofs {
    nonces: Nonces,
    seen: Seen,
}

impl Proofs {
    /// With `key`, which nobody else has.
    pub fn new(key: &[u8; 32], now: Timestamp) -> Self {
        Self {
            nonces: Nonces::new(hmac::Key::new(hmac::HMAC_SHA256, key)),
            seen: Seen::since(now),
        }
    }

    /// A nonce for the next proofs of whoever asks (RFC 9449, section 8).
    pub fn nonce(&self, now: Timestamp) -> String {
        self.nonces.made_at(now)
    }

    /// Whose key signed `proof` for the call that is `expected`, and never for another.
    ///
    /// # Errors
    /// [`ProofError`]; [`ProofError::Nonce`] where the same call with a new nonce would do.
    pub fn check(&self, now: Timestamp, proof: &str, expected: &Expected<'_>) -> Result<Proven, ProofError> {
        let proven = verify(proof, expected)?;
        self.count(now, &proven)?;
        Ok(proven)
    }

    /// Lets what was proven count, once, while it is young.
    ///
    /// # Errors
    /// [`ProofError::Nonce`] and [`ProofError::Repeated`].
    pub fn count(&self, now: Timestamp, proven: &Proven) -> Result<(), ProofError> {
        let is_fresh = |nonce: &String| self.nonces.is_fresh(now, nonce);
        if !proven.nonce.as_ref().is_some_and(is_fresh) {
            return Err(ProofError::Nonce);
        }
        match self.seen.is_new(now, proven.device.id.as_str(), &proven.id) {
            true => Ok(()),
            false => Err(ProofError::Repeated),
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod token_rules;
