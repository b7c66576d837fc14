//! The public key of a device.
//! Owns what counts as one. Refuses other curves, and points that lie on none.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::domain::DeviceId;
use crate::domain::digest::canonical;
use crate::wire::PublicKey;

/// A device's public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceKey {
    /// Its thumbprint (RFC 7638).
    pub id: DeviceId,
    /// As a JWK, canonical JSON.
    pub jwk: String,
}

impl DeviceKey {
    /// What `key` stands for; none where it is no P-256 key.
    pub fn of(key: &PublicKey) -> Option<Self> {
        let coordinate = |text: &str| URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == 32);
        let (x, y) = (coordinate(&key.x)?, coordinate(&key.y)?);
        // SEC 1, section 2.3.3: 04, x, y
        let point: Vec<u8> = std::iter::once(4).chain(x).chain(y).collect();
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).ok()?;
        if key.crv != "P-256" || key.kty != "EC" {
            return None;
        }
        let jwk = canonical(&json!({ "crv": key.crv, "kty": key.kty, "x": key.x, "y": key.y }));
        let thumbprint = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &jwk);
        Some(Self {
            id: DeviceId::parse(&URL_SAFE_NO_PAD.encode(thumbprint)).ok()?,
            jwk: String::from_utf8(jwk).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprint_is_the_one_of_rfc_7638() {
        // computed with another implementation (Python, hashlib) for the key of RFC 7515, appendix A.3
        let key = PublicKey {
            crv: "P-256".into(),
            kty: "EC".into(),
            x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU".into(),
            y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0".into(),
        };
        assert_eq!(
            DeviceKey::of(&key).unwrap().id.as_str(),
            "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"
        );
        let off_curve = PublicKey {
            y: key.x.clone(),
            ..key
        };
        assert_eq!(DeviceKey::of(&off_curve), None);
    }
}
