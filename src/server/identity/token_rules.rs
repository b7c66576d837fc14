//! What a token of somebody else must be, each rule broken once.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::key_set::KeySet;
use super::token::{Claims, Rules, TokenError, head, verify};
use crate::config::TokenAlgorithm;
use crate::domain::Timestamp;

const ISSUER: &str = "https://idp.example";
const RULES: Rules<'_> = Rules {
    issuer: ISSUER,
    audience: "jit",
    is_for_client: true,
    algorithms: &[TokenAlgorithm::Es256],
};

struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn jwk(&self, kid: &str) -> Value {
        let point = self.0.public_key().as_ref();
        let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "kty": "EC", "crv": "P-256", "kid": kid, "x": coordinate(&point[1..33]), "y": coordinate(&point[33..]) })
    }

    fn signs(&self, head: &Value, claims: &Value) -> String {
        let text = format!("{}.{}", part(head), part(claims));
        let signature = self.0.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn noon() -> Timestamp {
    Timestamp::from_millis(1_795_262_400_000)
}

fn noon_s() -> i64 {
    noon().millis() / 1000
}

fn good() -> Value {
    json!({ "iss": ISSUER, "sub": "ana", "aud": "jit", "iat": noon_s(), "exp": noon_s() + 300, "nonce": "n" })
}

fn good_head() -> Value {
    json!({ "alg": "ES256", "kid": "one", "typ": "JWT" })
}

/// What is made of a token with keys that are `keys`.
fn judged(token: &str, keys: &[Value]) -> Result<Claims, TokenError> {
    let set = KeySet::parse(json!({ "keys": keys }).to_string().as_bytes(), RULES.algorithms).unwrap();
    let head = head(token, &RULES)?;
    verify(noon(), token, &head, set.find(&head)?, &RULES)
}

fn judged_claims(claims: &Value) -> Result<Claims, TokenError> {
    let signer = Signer::new();
    judged(&signer.signs(&good_head(), claims), &[signer.jwk("one")])
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = good();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = good();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

#[test]
fn token_that_keeps_every_rule_is_believed() {
    let mut claims = good();
    claims["auth_time"] = json!(noon_s() - 60);
    claims["amr"] = json!(["pwd", "mfa"]);
    claims["email"] = json!("ana@acme.example");
    let believed = judged_claims(&claims).unwrap();
    assert_eq!((&*believed.issuer, &*believed.subject), (ISSUER, "ana"));
    assert_eq!(believed.auth_time.map(Timestamp::millis), Some((noon_s() - 60) * 1000));
    assert_eq!(
        (believed.amr, believed.nonce.as_deref()),
        (vec!["pwd".to_owned(), "mfa".to_owned()], Some("n"))
    );
    assert_eq!(believed.others["email"], "ana@acme.example");
}

#[test]
fn token_without_what_it_must_have_is_refused() {
    for name in ["iss", "sub", "aud", "exp", "iat"] {
        assert_eq!(judged_claims(&without(name)), Err(TokenError::Unreadable), "{name}");
        assert_eq!(
            judged_claims(&with(name, Value::Null)),
            Err(TokenError::Unreadable),
            "{name}"
        );
        assert_eq!(
            judged_claims(&with(name, json!({}))),
            Err(TokenError::Unreadable),
            "{name}"
        );
    }
    for subject in [String::new(), "a".repeat(256), "a\nb".to_owned()] {
        assert_eq!(judged_claims(&with("sub", json!(subject))), Err(TokenError::Unreadable));
    }
}

#[test]
fn token_of_another_issuer_or_for_somebody_else_is_refused() {
    for issuer in [
        "https://idp.example/",
        "https://IDP.example",
        "https://evil.example",
        "",
    ] {
        assert_eq!(
            judged_claims(&with("iss", json!(issuer))),
            Err(TokenError::Issuer),
            "{issuer}"
        );
    }
    for audience in [json!("other"), json!(["other"]), json!([]), json!("")] {
        assert_eq!(
            judged_claims(&with("aud", audience.clone())),
            Err(TokenError::Audience),
            "{audience}"
        );
    }
    // for several, it must say that it was made for us
    let mut several = with("aud", json!(["jit", "other"]));
    assert_eq!(judged_claims(&several), Err(TokenError::Audience));
    several["azp"] = json!("other");
    assert_eq!(judged_claims(&several), Err(TokenError::Audience));
    several["azp"] = json!("jit");
    assert!(judged_claims(&several).is_ok());
    assert_eq!(judged_claims(&with("azp", json!("other"))), Err(TokenError::Audience));
}

#[test]
fn token_past_its_end_or_from_the_future_is_refused() {
    let at = |name: &str, after_s: i64| judged_claims(&with(name, json!(noon_s() + after_s)));
    assert_eq!(at("exp", -31), Err(TokenError::Ended));
    assert!(at("exp", -29).is_ok());
    assert_eq!(at("nbf", 31), Err(TokenError::Early));
    assert!(at("nbf", 29).is_ok() && at("nbf", -999).is_ok());
    // a clock that is off by ten minutes, either way
    assert_eq!(at("iat", 600), Err(TokenError::Early));
    assert_eq!(at("exp", 300 - 600 - 31), Err(TokenError::Ended));
    for odd in [json!(-1), json!(1e300), json!("1795262700"), json!(true)] {
        assert_eq!(
            judged_claims(&with("exp", odd.clone())),
            Err(TokenError::Unreadable),
            "{odd}"
        );
    }
}

#[test]
fn token_without_a_private_keys_signature_is_refused() {
    let signer = Signer::new();
    let keys = [signer.jwk("one")];
    let token = signer.signs(&good_head(), &good());
    let (text, _) = token.rsplit_once('.').unwrap();
    let with_alg = |alg: &str| {
        let head = json!({ "alg": alg, "kid": "one" });
        format!("{}.{}", part(&head), part(&good()))
    };
    for alg in ["none", "None", "", "HS256", "ES384", "RS256", "PS256", "ES256K"] {
        assert_eq!(
            judged(&format!("{}.", with_alg(alg)), &keys),
            Err(TokenError::Algorithm),
            "{alg}"
        );
    }
    // the public key as a shared secret
    let secret = hmac::Key::new(hmac::HMAC_SHA256, keys[0].to_string().as_bytes());
    let forged = with_alg("HS256");
    let tag = URL_SAFE_NO_PAD.encode(hmac::sign(&secret, forged.as_bytes()));
    assert_eq!(judged(&format!("{forged}.{tag}"), &keys), Err(TokenError::Algorithm));
    // no signature, another's, and another's under our key's name
    assert_eq!(judged(&format!("{text}."), &keys), Err(TokenError::Signature));
    let others = Signer::new().signs(&good_head(), &good());
    assert_eq!(judged(&others, &keys), Err(TokenError::Signature));
    assert!(judged(&token.replacen('.', "..", 1), &keys).is_err());
}

#[test]
fn token_of_another_kind_is_refused() {
    let signer = Signer::new();
    for (name, value) in [
        ("typ", json!("at+jwt")),
        ("typ", json!("dpop+jwt")),
        ("typ", json!("logout+jwt")),
        ("crit", json!(["exp"])),
    ] {
        let mut head = good_head();
        head[name] = value;
        let token = signer.signs(&head, &good());
        assert_eq!(
            judged(&token, &[signer.jwk("one")]),
            Err(TokenError::Unreadable),
            "{head}"
        );
    }
    let long = with("padding", json!("x".repeat(40_000)));
    assert_eq!(judged_claims(&long), Err(TokenError::Unreadable));
}

#[test]
fn key_is_the_one_that_the_token_names() {
    let (one, two) = (Signer::new(), Signer::new());
    let token = one.signs(&good_head(), &good());
    let unnamed = one.signs(&json!({ "alg": "ES256" }), &good());
    let both = [one.jwk("one"), two.jwk("two")];
    assert!(judged(&token, &both).is_ok());
    assert_eq!(judged(&token, &both[1..]), Err(TokenError::Key));
    assert!(judged(&unnamed, &both[..1]).is_ok(), "there is one key");
    assert_eq!(judged(&unnamed, &both), Err(TokenError::Key), "which one?");
    assert_eq!(
        judged(&token, &[one.jwk("one"), two.jwk("one")]),
        Err(TokenError::Key),
        "two of one name"
    );
}

#[test]
fn keys_that_do_not_sign_such_tokens_are_passed_over() {
    let signer = Signer::new();
    let token = signer.signs(&good_head(), &good());
    for (name, value) in [
        ("use", json!("enc")),
        ("alg", json!("ES384")),
        ("key_ops", json!(["encrypt"])),
        ("crv", json!("P-384")),
        ("kty", json!("oct")),
        ("x", json!("not base64!")),
        ("x", json!(7)),
    ] {
        let mut key = signer.jwk("one");
        key[name] = value;
        let refused = judged(&token, &[key.clone()]);
        assert!(
            matches!(refused, Err(TokenError::Key | TokenError::Unreadable)),
            "{key}: {refused:?}"
        );
        // beside a good one they are no harm
        assert!(judged(&token, &[key.clone(), signer.jwk("one")]).is_ok(), "{key}");
    }
    for text in ["", "{}", "[]", "{\"keys\":{}}"] {
        assert!(KeySet::parse(text.as_bytes(), RULES.algorithms).is_none(), "{text}");
    }
}

#[test]
fn claim_that_names_people_says_who_somebody_is() {
    let claims = judged_claims(&with("oid", json!("0a21f0f2"))).unwrap();
    assert_eq!(claims.clone().named_by("sub").unwrap().subject, claims.subject);
    assert_eq!(claims.clone().named_by("oid").unwrap().subject, "0a21f0f2");
    assert_eq!(claims.named_by("none"), Err(TokenError::Unreadable));
    for said in [json!(""), json!(7), json!(["a"]), json!("a\nb"), json!("a".repeat(256))] {
        let claims = judged_claims(&with("oid", said)).unwrap();
        assert_eq!(claims.named_by("oid"), Err(TokenError::Unreadable));
    }
}

#[test]
fn ways_of_proof_are_read_however_they_are_written() {
    for (written, read) in [
        (json!("mfa"), vec!["mfa"]),
        (json!(["pwd", 7, "otp"]), vec!["pwd", "otp"]),
        (json!(7), vec![]),
        (Value::Null, vec![]),
    ] {
        assert_eq!(judged_claims(&with("amr", written)).unwrap().amr, read);
    }
}

proptest! {
    #[test]
    fn anything_but_a_token_is_none(text in "[A-Za-z0-9_.=+/{}\" -]{0,200}") {
        let signer = Signer::new();
        prop_assert!(judged(&text, &[signer.jwk("one")]).is_err());
    }

    #[test]
    fn token_changed_anywhere_is_refused(at in any::<prop::sample::Index>()) {
        let signer = Signer::new();
        let token = signer.signs(&good_head(), &good());
        let mut bytes = token.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        // the last character of a signature carries bits that count for nothing
        prop_assume!(at + 1 < token.len());
        prop_assert!(judged(&changed, &[signer.jwk("one")]).is_err());
    }
}
