//! The key of this device: ES256, one for each person of the machine and backend.
//! Refuses to show its private half; `Debug` is `****`.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::wire::PublicKey;

/// A device key.
pub(super) struct DeviceKey {
    public: PublicKey,
    pair: EcdsaKeyPair,
}

impl DeviceKey {
    /// A new key, with its private half as it is kept: PKCS #8 in base64.
    pub(super) fn generate() -> Result<(Self, SecretString)> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| Error::unexpected("no device key could be made"))?;
        let kept = SecretString::from(STANDARD.encode(pkcs8.as_ref()));
        Ok((Self::read(&kept)?, kept))
    }

    /// The key that was kept.
    pub(super) fn read(kept: &SecretString) -> Result<Self> {
        let wrong = || Error::configuration("the device key is damaged").try_("jit logout, then jit login");
        let pkcs8 = STANDARD.decode(kept.expose_secret()).map_err(|_| wrong())?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).map_err(|_| wrong())?;
        // SEC 1, section 2.3.3: 04, x, y
        let point = pair.public_key().as_ref();
        let (x, y) = point
            .strip_prefix(&[4])
            .filter(|xy| xy.len() == 64)
            .map(|xy| xy.split_at(32))
            .ok_or_else(wrong)?;
        Ok(Self {
            public: PublicKey {
                crv: "P-256".to_owned(),
                kty: "EC".to_owned(),
                x: URL_SAFE_NO_PAD.encode(x),
                y: URL_SAFE_NO_PAD.encode(y),
            },
            pair,
        })
    }

    /// ES256 over `text`, as a JWS carries it (RFC 7518, section 3.4).
    pub(super) fn sign(&self, text: &[u8]) -> Result<Vec<u8>> {
        let signature = self.pair.sign(&SystemRandom::new(), text);
        let signature = signature.map_err(|_| Error::unexpected("the device key signs nothing"))?;
        Ok(signature.as_ref().to_vec())
    }

    /// The public half as a JWK.
    pub(super) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// RFC 7638, section 3: SHA-256 of the required members in order, base64url.
    pub(super) fn thumbprint(&self) -> String {
        thumbprint(&self.public)
    }
}

fn thumbprint(PublicKey { crv, kty, x, y }: &PublicKey) -> String {
    let members = format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}","y":"{y}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(members))
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKey({}, ****)", self.thumbprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_key_reads_back_as_the_same() {
        let (key, kept) = DeviceKey::generate().unwrap();
        let again = DeviceKey::read(&kept).unwrap();
        assert_eq!(key.public(), again.public());
        assert_eq!(key.thumbprint().len(), 43);
        assert!(DeviceKey::read(&SecretString::from("x".to_owned())).is_err());
    }

    #[test]
    fn thumbprint_is_that_of_rfc_7638() {
        // made with another implementation: Python's hashlib over the canonical members
        let key = PublicKey {
            crv: "P-256".into(),
            kty: "EC".into(),
            x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU".into(),
            y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0".into(),
        };
        assert_eq!(thumbprint(&key), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
    }
}
