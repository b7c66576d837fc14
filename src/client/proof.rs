//! Proofs that a call comes from this device (RFC 9449, DPoP).
//! Owns what ours say. Refuses to keep a nonce: who talks to the backend has the last one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::device::DeviceKey;
use crate::domain::time::Timestamp;
use crate::error::Result;

/// The call that a proof is for.
pub(super) struct Proving<'a> {
    /// Its method.
    pub(super) method: &'a str,
    /// Its address; a query does not count.
    pub(super) url: &'a str,
    /// The session token that goes with it.
    pub(super) token: Option<&'a SecretString>,
    /// The nonce that the backend gave, if it gave one.
    pub(super) nonce: Option<&'a str>,
    /// Random, never used twice.
    pub(super) id: &'a str,
    /// When.
    pub(super) now: Timestamp,
}

/// The proof, signed by `key`.
pub(super) fn proof(key: &DeviceKey, proving: &Proving<'_>) -> Result<String> {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(&json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.public() }));
    let mut claims = json!({
        "jti": proving.id,
        "htm": proving.method,
        "htu": proving.url.split('?').next(),
        "iat": proving.now.millis() / 1000,
    });
    if let Some(token) = proving.token {
        claims["ath"] = json!(URL_SAFE_NO_PAD.encode(Sha256::digest(token.expose_secret())));
    }
    if let Some(nonce) = proving.nonce {
        claims["nonce"] = json!(nonce);
    }
    let signed = format!("{head}.{}", part(&claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes())?);
    Ok(format!("{signed}.{signature}"))
}
