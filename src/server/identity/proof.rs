//! One proof that a call comes from a device: a DPoP proof (RFC 9449).
//! Owns what it must say. Refuses clocks of others: a proof is as young as the nonce in it, which is ours, so a machine
//! whose clock is wrong can call all the same.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;

use super::device::DeviceKey;
use crate::wire::PublicKey;

/// The longest proof, in bytes: several times what ours take.
const LONGEST: usize = 4_096;
/// The longest `jti`, in bytes.
const LONGEST_ID: usize = 128;

/// The call that a proof must be for.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Its method.
    pub method: &'a str,
    /// The names of this backend, such as `jit.example.com` and `127.0.0.1:7878`.
    pub names: &'a [String],
    /// Its path, without a query.
    pub path: &'a str,
    /// The session token that came with it; none where a session is about to be opened.
    pub token: Option<&'a str>,
}

/// What a proof says, all of it checked but how young it is.
#[derive(Clone, Debug)]
pub struct Proven {
    /// The key that signed.
    pub device: DeviceKey,
    /// Its `jti`.
    pub id: String,
    /// Its `nonce`, where it has one.
    pub nonce: Option<String>,
}

/// Why a proof is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// It cannot be read, or is signed in another way.
    #[error("the proof of the device cannot be read")]
    Unreadable,
    /// The signature is not of the key in it.
    #[error("the proof of the device is not signed by it")]
    Signature,
    /// It is for another method, address or token.
    #[error("the proof of the device is for another call")]
    OtherCall,
    /// It has no nonce of ours, or an old one.
    #[error("the proof of the device needs the backend's nonce")]
    Nonce,
    /// It came before.
    #[error("the proof of the device came before")]
    Repeated,
}

/// RFC 9449, section 4.2. What is not named here has no place: no key id, no certificate, nothing critical.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    typ: String,
    alg: String,
    jwk: PublicKey,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    #[serde(rename = "iat")]
    _iat: serde_json::Number,
    ath: Option<String>,
    nonce: Option<String>,
}

/// Whether `url` is the address that was called, under whichever of the backend's names: what ends TLS in front of it may
/// use another one. A name that is not ours makes it a proof for somebody else.
fn is_at(url: &str, expected: &Expected<'_>) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let parts = rest.and_then(|rest| Some(rest.split_at(rest.find('/')?)));
    parts.is_some_and(|(name, path)| {
        path == expected.path && expected.names.iter().any(|own| own.eq_ignore_ascii_case(name))
    })
}

/// What `proof` says of the call that is `expected`.
///
/// # Errors
/// [`ProofError`].
pub fn verify(proof: &str, expected: &Expected<'_>) -> Result<Proven, ProofError> {
    let unreadable = |_| ProofError::Unreadable;
    let head = proof.split('.').next().filter(|_| proof.len() <= LONGEST);
    let head = URL_SAFE_NO_PAD.decode(head.ok_or(ProofError::Unreadable)?);
    let header: Header = serde_json::from_slice(&head.map_err(|_| ProofError::Unreadable)?).map_err(unreadable)?;
    if header.typ != "dpop+jwt" || header.alg != "ES256" {
        return Err(ProofError::Unreadable);
    }
    let device = DeviceKey::of(&header.jwk).ok_or(ProofError::Unreadable)?;
    let key = DecodingKey::from_ec_components(&header.jwk.x, &header.jwk.y).map_err(|_| ProofError::Unreadable)?;
    // a proof has no end and no audience: the nonce and the address stand for them
    let mut rules = Validation::new(Algorithm::ES256);
    rules.required_spec_claims.clear();
    (rules.validate_exp, rules.validate_aud) = (false, false);
    let decoded = decode::<Claims>(proof, &key, &rules);
    let claims = match decoded {
        Ok(decoded) => decoded.claims,
        Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => return Err(ProofError::Signature),
        Err(_) => return Err(ProofError::Unreadable),
    };
    let is_for = claims.htm == expected.method
        && is_at(&claims.htu, expected)
        && claims.ath
            == expected
                .token
                .map(|token| URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes())));
    if !is_for {
        return Err(ProofError::OtherCall);
    }
    if claims.jti.is_empty() || claims.jti.len() > LONGEST_ID {
        return Err(ProofError::Unreadable);
    }
    Ok(Proven {
        device,
        id: claims.jti,
        nonce: claims.nonce,
    })
}
