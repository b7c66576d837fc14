//! The public keys of an issuer (RFC 7517), as its key set has them.
//! Owns which of them verifies a token. Refuses shared secrets, keys for encryption, and curves that the algorithm has not.

use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde_json::Value;

use super::token::{Head, Key, TokenError};
use crate::config::TokenAlgorithm;

/// Keys that are kept of one set: more than any issuer has.
const MOST: usize = 200;

/// The keys of an issuer.
#[derive(Clone, Default)]
pub struct KeySet(Vec<Key>);

#[derive(Deserialize)]
struct RawSet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct RawKey {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl KeySet {
    /// The keys of the document `bytes` that verify one of `algorithms`; what is none of them is passed over.
    /// None where it is no key set.
    pub fn parse(bytes: &[u8], algorithms: &[TokenAlgorithm]) -> Option<Self> {
        let raw: RawSet = serde_json::from_slice(bytes).ok()?;
        let read = |value: Value| serde_json::from_value::<RawKey>(value).ok();
        let keys = raw.keys.into_iter().take(MOST).filter_map(read);
        let for_each = |key: RawKey| -> Vec<Key> {
            let one = |algorithm: &TokenAlgorithm| key.with(*algorithm);
            algorithms.iter().filter_map(one).collect()
        };
        Some(Self(keys.flat_map(for_each).collect()))
    }

    /// The key that a token with this `head` wants.
    ///
    /// # Errors
    /// [`TokenError::Key`] where there is none, or the head names none and there are several.
    pub fn find(&self, head: &Head) -> Result<&Key, TokenError> {
        let fits = |key: &&Key| key.algorithm == head.algorithm && (head.kid.is_none() || key.kid == head.kid);
        let mut found = self.0.iter().filter(fits);
        match (found.next(), found.next()) {
            (Some(key), None) => Ok(key),
            (Some(_) | None, _) => Err(TokenError::Key),
        }
    }
}

impl RawKey {
    fn with(&self, algorithm: TokenAlgorithm) -> Option<Key> {
        let is_for_signing = self.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && self
                .key_ops
                .as_ref()
                .is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        let is_for_it = self.alg.as_deref().is_none_or(|alg| alg == algorithm.as_str());
        if !is_for_signing || !is_for_it {
            return None;
        }
        let (kty, crv) = (self.kty.as_str(), self.crv.as_deref().unwrap_or_default());
        let (x, y) = (
            self.x.as_deref().unwrap_or_default(),
            self.y.as_deref().unwrap_or_default(),
        );
        let decoding = match (algorithm, kty, crv) {
            (TokenAlgorithm::Rs256 | TokenAlgorithm::Ps256, "RSA", _) => {
                DecodingKey::from_rsa_components(self.n.as_deref()?, self.e.as_deref()?)
            }
            (TokenAlgorithm::Es256, "EC", "P-256") | (TokenAlgorithm::Es384, "EC", "P-384") => {
                DecodingKey::from_ec_components(x, y)
            }
            (TokenAlgorithm::EdDsa, "OKP", "Ed25519") => DecodingKey::from_ed_components(x),
            (_, _, _) => return None,
        };
        Some(Key {
            kid: self.kid.clone(),
            algorithm,
            decoding: decoding.ok()?,
        })
    }
}
