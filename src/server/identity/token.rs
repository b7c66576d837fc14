//! Tokens that others signed: the one place that believes any.
//! Owns what must be in one and how it may be signed. Refuses what the library lets pass by itself: a token without an
//! audience or without an end, one from the future, and any algorithm that its issuer was not set up with.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use serde_json::{Map, Number, Value};

use crate::config::TokenAlgorithm;
use crate::domain::Timestamp;

/// The longest token that is looked at, in bytes: Entra's with 200 groups is half of it.
const LONGEST: usize = 32 * 1024;
/// How far clocks may be apart.
const LEEWAY_MS: i64 = 30_000;
/// OpenID Connect Core 1.0, section 2: `sub` is no longer.
const LONGEST_SUBJECT: usize = 255;

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is no token, lacks a claim that it must have, or has one in another form.
    #[error("it cannot be read")]
    Unreadable,
    /// `none`, a shared secret, or whatever its issuer was not set up with.
    #[error("it is signed in a way that is not allowed here")]
    Algorithm,
    /// No key of its issuer has its name.
    #[error("no key of its issuer signed it")]
    Key,
    /// The key that it names did not sign it.
    #[error("its signature is wrong")]
    Signature,
    /// Another issuer's.
    #[error("another issuer made it")]
    Issuer,
    /// For somebody else.
    #[error("it is for somebody else")]
    Audience,
    /// Past its end.
    #[error("it has ended, or the clocks differ")]
    Ended,
    /// Before its beginning.
    #[error("it is from the future: the clocks differ")]
    Early,
    /// Not the one that this sign-in asked for.
    #[error("it belongs to another sign-in")]
    Nonce,
}

/// What a token must be.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Who made it, letter by letter.
    pub issuer: &'a str,
    /// Whom it is for.
    pub audience: &'a str,
    /// Whether that is a client of its issuer, for whom people sign in there: then `azp` is looked at. Else it is for us
    /// alone, and whoever it was made for besides could bring it too.
    pub is_for_client: bool,
    /// How it may be signed.
    pub algorithms: &'a [TokenAlgorithm],
}

/// A public key for one algorithm.
#[derive(Clone)]
pub struct Key {
    /// Its name.
    pub kid: Option<String>,
    /// The one algorithm that it is used with.
    pub algorithm: TokenAlgorithm,
    /// As the library takes it.
    pub decoding: DecodingKey,
}

/// What the head of a token says of the key that it wants. Nothing of it is believed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// How it is signed.
    pub algorithm: TokenAlgorithm,
    /// By which key.
    pub kid: Option<String>,
}

/// What a token says, all of it believed.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    /// Who made it.
    pub issuer: String,
    /// Its name for whom it is about.
    pub subject: String,
    /// It works before this instant.
    pub ends_at: Timestamp,
    /// When they last proved who they are, where it says so.
    pub auth_time: Option<Timestamp>,
    /// By what (RFC 8176).
    pub amr: Vec<String>,
    /// How well.
    pub acr: Option<String>,
    /// The sign-in that it was asked for.
    pub nonce: Option<String>,
    /// The rest.
    pub others: Map<String, Value>,
}

impl Claims {
    /// The same, about whom `claim` says in the place of `sub`.
    ///
    /// # Errors
    /// [`TokenError::Unreadable`] where it says nothing that could name anybody.
    pub fn named_by(mut self, claim: &str) -> Result<Self, TokenError> {
        if claim != "sub" {
            let said = self.others.get(claim).and_then(Value::as_str);
            self.subject = said
                .filter(|text| is_subject(text))
                .ok_or(TokenError::Unreadable)?
                .to_owned();
        }
        Ok(self)
    }
}

fn is_subject(text: &str) -> bool {
    (1..=LONGEST_SUBJECT).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// RFC 7515, section 4.1, as far as it matters here.
#[derive(Deserialize)]
struct RawHead {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct RawClaims {
    iss: String,
    sub: String,
    aud: OneOrMore,
    exp: Number,
    iat: Number,
    nbf: Option<Number>,
    azp: Option<String>,
    nonce: Option<String>,
    auth_time: Option<Number>,
    #[serde(default)]
    amr: Value,
    #[serde(default)]
    acr: Value,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// Which key `token` wants.
///
/// # Errors
/// [`TokenError::Unreadable`], [`TokenError::Algorithm`].
pub fn head(token: &str, rules: &Rules<'_>) -> Result<Head, TokenError> {
    let part = token.split('.').next().filter(|_| token.len() <= LONGEST);
    let bytes = part.and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let raw: RawHead = bytes
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or(TokenError::Unreadable)?;
    // an access token or a proof is no ID token; what is critical and not understood makes it none (RFC 7515, 4.1.11)
    let is_plain = raw.typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
    if !is_plain || raw.crit.is_some() {
        return Err(TokenError::Unreadable);
    }
    let algorithm = TokenAlgorithm::parse(&raw.alg).filter(|algorithm| rules.algorithms.contains(algorithm));
    Ok(Head {
        algorithm: algorithm.ok_or(TokenError::Algorithm)?,
        kid: raw.kid,
    })
}

/// What `token` says, which `head` was read of and `key` must have signed.
///
/// # Errors
/// [`TokenError`].
pub fn verify(now: Timestamp, token: &str, head: &Head, key: &Key, rules: &Rules<'_>) -> Result<Claims, TokenError> {
    if !rules.algorithms.contains(&head.algorithm) || key.algorithm != head.algorithm {
        return Err(TokenError::Algorithm);
    }
    let mut validation = Validation::new(library_name(head.algorithm));
    validation.required_spec_claims = HashSet::from(["exp", "aud", "iss", "sub"].map(str::to_owned));
    validation.set_audience(&[rules.audience]);
    validation.set_issuer(&[rules.issuer]);
    // times are compared below, with the clock that everything here goes by
    (validation.validate_exp, validation.validate_nbf) = (false, false);
    let raw = match decode::<RawClaims>(token, &key.decoding, &validation) {
        Ok(decoded) => decoded.claims,
        Err(error) => return Err(meaning(error.kind())),
    };
    let ends_at = check(now, &raw, rules)?;
    Ok(Claims {
        ends_at,
        issuer: raw.iss,
        subject: raw.sub,
        auth_time: raw.auth_time.as_ref().and_then(instant),
        amr: words(&raw.amr),
        acr: raw.acr.as_str().map(str::to_owned),
        nonce: raw.nonce,
        others: raw.others,
    })
}

/// What the library does not look at, or looks at by another clock: when it ends.
fn check(now: Timestamp, raw: &RawClaims, rules: &Rules<'_>) -> Result<Timestamp, TokenError> {
    if raw.iss != rules.issuer {
        return Err(TokenError::Issuer);
    }
    if !is_subject(&raw.sub) {
        return Err(TokenError::Unreadable);
    }
    let (is_ours, several) = match &raw.aud {
        OneOrMore::One(audience) => (audience == rules.audience, false),
        OneOrMore::More(all) => (all.iter().any(|one| one == rules.audience), all.len() != 1),
    };
    if !is_ours {
        return Err(TokenError::Audience);
    }
    // OpenID Connect Core 1.0, section 3.1.3.7: for several, it must say whom it was made for
    let is_made_for_us = match &raw.azp {
        Some(azp) if rules.is_for_client => azp == rules.audience,
        Some(_) | None => !several,
    };
    if !is_made_for_us {
        return Err(TokenError::Audience);
    }
    let read = |number: &Number| instant(number).ok_or(TokenError::Unreadable);
    let (end, made) = (read(&raw.exp)?, read(&raw.iat)?);
    let begins = raw.nbf.as_ref().map(read).transpose()?;
    let soon = now.millis().saturating_add(LEEWAY_MS);
    if end.millis() <= now.millis().saturating_sub(LEEWAY_MS) {
        return Err(TokenError::Ended);
    }
    let is_early = made.millis() > soon || begins.is_some_and(|begins| begins.millis() > soon);
    if is_early { Err(TokenError::Early) } else { Ok(end) }
}

/// Who says that they made `token`. Nothing of it is believed: it says whose rules it has to follow.
pub fn named_issuer(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        iss: String,
    }
    let part = token.split('.').nth(1).filter(|_| token.len() <= LONGEST)?;
    let named: Named = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()?;
    Some(named.iss)
}

fn library_name(algorithm: TokenAlgorithm) -> Algorithm {
    match algorithm {
        TokenAlgorithm::Rs256 => Algorithm::RS256,
        TokenAlgorithm::Ps256 => Algorithm::PS256,
        TokenAlgorithm::Es256 => Algorithm::ES256,
        TokenAlgorithm::Es384 => Algorithm::ES384,
        TokenAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}

fn meaning(kind: &ErrorKind) -> TokenError {
    match kind {
        ErrorKind::InvalidSignature => TokenError::Signature,
        ErrorKind::InvalidAlgorithm => TokenError::Algorithm,
        ErrorKind::InvalidIssuer => TokenError::Issuer,
        ErrorKind::InvalidAudience => TokenError::Audience,
        // a list that grows with the library: whatever else it finds, the token is not read
        _ => TokenError::Unreadable,
    }
}

/// RFC 7519, section 2: seconds since 1970, perhaps with a fraction.
fn instant(seconds: &Number) -> Option<Timestamp> {
    let seconds = seconds.as_f64().filter(|s| (0.0..253_402_300_800.0).contains(s))?;
    // within the range above it fits
    Some(Timestamp::from_millis((seconds * 1000.0) as i64))
}

/// A list of words; one that stands alone is a list too. Anything else is none.
fn words(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(several) => several
            .iter()
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}
