//! What everybody fetches of us: the discovery document and the public keys.
//! Owns their fields, as AWS wants them. Refuses private halves: they are not looked at here.

use serde_json::{Value, json};

use crate::config::IssuerUrl;
use crate::domain::IssuerKey;

/// How long a copy of either document may be kept: much shorter than a key waits before it signs. In seconds.
pub const KEEP_S: u32 = 300;

/// OpenID Connect Discovery 1.0, section 3, without what only a sign-in page would have: nobody signs in here.
pub fn discovery(url: &IssuerUrl) -> Value {
    json!({
        "issuer": url.as_str(),
        "jwks_uri": url.key_set(),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "scopes_supported": ["openid"],
        "claims_supported": ["iss", "sub", "aud", "iat", "nbf", "exp", "jti"],
    })
}

/// A public key as a JWK (RFC 7517, section 4; RFC 7518, section 6.2.1).
pub fn public_key(key: &IssuerKey) -> Value {
    json!({
        "kty": "EC", "crv": "P-256", "x": key.x, "y": key.y,
        "use": "sig", "alg": "ES256", "kid": key.id,
    })
}

/// A JWK set of `keys` (RFC 7517, section 5).
pub fn key_set<'a>(keys: impl Iterator<Item = &'a IssuerKey>) -> Value {
    json!({ "keys": keys.map(public_key).collect::<Vec<_>>() })
}

/// A document as it is sent and as it lies in a file: the same bytes for the same keys.
pub fn text(document: &Value) -> String {
    format!("{document:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::issuer::sample;

    #[test]
    fn documents_are_as_committed() {
        let settings = sample::settings(1);
        let key = IssuerKey {
            x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU".to_owned(),
            y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0".to_owned(),
            id: crate::domain::KeyId::parse("oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U").unwrap(),
            ..sample::key(&settings, 1)
        };
        let both = [text(&discovery(&settings.url)), text(&key_set([&key].into_iter()))];
        insta::assert_snapshot!(both.concat());
    }

    #[test]
    fn private_half_is_in_no_document() {
        let settings = sample::settings(1);
        let key = sample::key(&settings, 1);
        let jwk = public_key(&key);
        assert!(jwk.get("d").is_none());
        assert!(!jwk.to_string().contains("v1."));
    }
}
