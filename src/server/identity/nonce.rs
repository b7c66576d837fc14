//! Nonces: the time at which one was given, under a key of this process.
//! Owns how long one counts. Refuses to remember any: a nonce is known by its tag.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::Timestamp;

/// A nonce counts this long.
pub const NONCE_MS: i64 = 60_000;

/// Gives nonces and knows them again.
pub struct Nonces {
    key: hmac::Key,
}

impl Nonces {
    /// Under `key`.
    pub const fn new(key: hmac::Key) -> Self {
        Self { key }
    }

    /// The nonce of `now`.
    pub fn made_at(&self, now: Timestamp) -> String {
        let time = now.millis().to_be_bytes();
        let tag = hmac::sign(&self.key, &time);
        URL_SAFE_NO_PAD.encode([&time[..], tag.as_ref()].concat())
    }

    /// Whether `nonce` was given here, not longer ago than it counts. One from the future is none: a clock went back.
    pub fn is_fresh(&self, now: Timestamp, nonce: &str) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(nonce) else {
            return false;
        };
        let Some((time, tag)) = bytes.split_first_chunk::<8>() else {
            return false;
        };
        let age_ms = now.millis().saturating_sub(i64::from_be_bytes(*time));
        hmac::verify(&self.key, time, tag).is_ok() && (0..=NONCE_MS).contains(&age_ms)
    }
}
