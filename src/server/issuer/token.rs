//! Tokens: a JWS in compact form over the claims that AWS reads (RFC 7515, RFC 7519).
//! Owns who signs and how long a token is good. Refuses claims that say so otherwise, and `azp`, which AWS would read as
//! the audience.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::key::SigningKey;
use super::seal::Unsealable;
use crate::domain::Timestamp;
use crate::domain::key_life::TOKEN_S;

/// Claims that are ours to make, or nobody's.
const RESERVED: &[&str] = &["iss", "sub", "aud", "iat", "nbf", "exp", "jti", "azp"];

/// What a token is to say.
#[derive(Clone, Copy, Debug)]
pub struct Saying<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// `sub`.
    pub subject: &'a str,
    /// `aud`.
    pub audience: &'a str,
    /// `jti`: random, never given twice.
    pub id: &'a str,
    /// Further claims.
    pub claims: &'a Map<String, Value>,
}

/// Why no token was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// A claim that is not the caller's to make.
    #[error("claim {0} is not to be set")]
    Reserved(String),
    /// The library failed.
    #[error("signing failed")]
    Failed,
}

impl From<Unsealable> for NoToken {
    fn from(_: Unsealable) -> Self {
        Self::Failed
    }
}

/// When a token that is made at `now` is over.
pub fn ends_at(now: Timestamp) -> Timestamp {
    Timestamp::from_millis(now.whole_second().millis() + i64::from(TOKEN_S) * 1000)
}

/// A token that says `saying` from `now` on, for two minutes.
///
/// # Errors
/// [`NoToken`].
pub fn sign(key: &SigningKey, now: Timestamp, saying: &Saying<'_>) -> Result<SecretString, NoToken> {
    if let Some(name) = saying.claims.keys().find(|name| RESERVED.contains(&name.as_str())) {
        return Err(NoToken::Reserved(name.clone()));
    }
    let header = json!({ "alg": "ES256", "kid": key.id(), "typ": "JWT" });
    let seconds = |at: Timestamp| at.millis() / 1000;
    let mut claims = saying.claims.clone();
    let own = [
        ("iss", json!(saying.issuer)),
        ("sub", json!(saying.subject)),
        ("aud", json!(saying.audience)),
        ("jti", json!(saying.id)),
        ("iat", json!(seconds(now.whole_second()))),
        ("nbf", json!(seconds(now.whole_second()))),
        ("exp", json!(seconds(ends_at(now)))),
    ];
    claims.extend(own.map(|(name, value)| (name.to_owned(), value)));
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&Value::Object(claims)));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes())?);
    Ok(SecretString::from(format!("{signed}.{signature}")))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use secrecy::ExposeSecret;

    use super::*;
    use crate::server::issuer::{open_key, sample};

    fn saying(claims: &Map<String, Value>) -> Saying<'_> {
        Saying {
            issuer: "https://jit.acme.example",
            subject: "jit:aws/aws/111111111111/admin:usr_000000000001",
            audience: "sts.amazonaws.com",
            id: "one",
            claims,
        }
    }

    fn decoded(part: &str) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn token_says_what_it_should_and_is_signed() {
        let settings = sample::settings(1);
        let key = sample::key(&settings, 1);
        let claims = json!({ "https://aws.amazon.com/source_identity": "usr_000000000001" });
        let now = Timestamp::from_millis(1_700_000_000_999);
        let open = open_key(&settings.sealing_key, &key).unwrap();
        let token = sign(&open, now, &saying(claims.as_object().unwrap())).unwrap();
        let parts: Vec<&str> = token.expose_secret().split('.').collect();
        assert_eq!(
            decoded(parts[0]),
            json!({ "alg": "ES256", "kid": key.id, "typ": "JWT" })
        );
        let wanted = json!({
            "iss": "https://jit.acme.example", "sub": "jit:aws/aws/111111111111/admin:usr_000000000001",
            "aud": "sts.amazonaws.com", "jti": "one",
            "iat": 1_700_000_000, "nbf": 1_700_000_000, "exp": 1_700_000_120,
            "https://aws.amazon.com/source_identity": "usr_000000000001",
        });
        assert_eq!(decoded(parts[1]), wanted);
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let point = [&[4][..], &bytes(&key.x), &bytes(&key.y)].concat();
        let signed = format!("{}.{}", parts[0], parts[1]);
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(signed.as_bytes(), &bytes(parts[2]))
            .unwrap();
    }

    #[test]
    fn claims_of_ours_cannot_be_set_from_outside() {
        let settings = sample::settings(1);
        let open = open_key(&settings.sealing_key, &sample::key(&settings, 1)).unwrap();
        for name in RESERVED {
            let claims = Map::from_iter([((*name).to_owned(), json!("x"))]);
            let refused = sign(&open, Timestamp::from_millis(0), &saying(&claims));
            assert_eq!(refused.err(), Some(NoToken::Reserved((*name).to_owned())));
        }
    }
}
