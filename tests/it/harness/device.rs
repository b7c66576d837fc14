//! A device of the tests: its key, and proofs that calls come from it (RFC 9449), written apart from the client's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A device.
#[derive(Clone, Debug)]
pub struct Device(Arc<EcdsaKeyPair>);

impl Device {
    /// A new one.
    pub fn new() -> Self {
        Self(Arc::new(
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
        ))
    }

    /// The public half of its key.
    pub fn jwk(&self) -> Value {
        // SEC 1, section 2.3.3: 04, x, y
        let point = self.0.public_key().as_ref();
        let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "crv": "P-256", "kty": "EC", "x": coordinate(&point[1..33]), "y": coordinate(&point[33..]) })
    }

    /// A JWS of `head` and `claims`, signed by it.
    pub fn signs(&self, head: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(head), part(claims));
        let signature = self.0.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// What a proof of a call says.
    pub fn claims(method: &str, url: &str, token: Option<&str>, nonce: &str) -> Value {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut claims = json!({
            "jti": format!("test-{}-{id}", std::process::id()),
            "htm": method,
            "htu": url.split('?').next(),
            "iat": 1,
            "nonce": nonce,
        });
        if let Some(token) = token {
            claims["ath"] = json!(URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes())));
        }
        claims
    }

    /// A proof that `method url` with `token` comes from it.
    pub fn proof(&self, method: &str, url: &str, token: Option<&str>, nonce: &str) -> String {
        let head = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk() });
        self.signs(&head, &Self::claims(method, url, token, nonce))
    }
}
