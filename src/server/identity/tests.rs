//! What a proof must carry, each rule broken once.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;

const TOKEN: &str = "jits_a-token";
const URL: &str = "https://jit.example.com/v1/requests";

struct Device(EcdsaKeyPair);

impl Device {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "crv": "P-256", "kty": "EC", "x": coordinate(&point[1..33]), "y": coordinate(&point[33..]) })
    }

    fn signs(&self, head: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(head), part(claims));
        let signature = self.0.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn head(&self) -> Value {
        json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk() })
    }
}

fn noon() -> Timestamp {
    Timestamp::parse("2026-11-20T12:00:00Z").unwrap()
}

fn later(ms: i64) -> Timestamp {
    Timestamp::from_millis(noon().millis() + ms)
}

fn expected() -> Expected<'static> {
    Expected {
        method: "POST",
        names: names(),
        path: "/v1/requests",
        token: Some(TOKEN),
    }
}

fn names() -> &'static [String] {
    static NAMES: std::sync::LazyLock<Vec<String>> =
        std::sync::LazyLock::new(|| vec!["jit.example.com".to_owned(), "127.0.0.1:7878".to_owned()]);
    &NAMES
}

fn claims(nonce: &str) -> Value {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, TOKEN.as_bytes());
    json!({ "jti": "one", "htm": "POST", "htu": URL, "iat": 1, "ath": URL_SAFE_NO_PAD.encode(hash), "nonce": nonce })
}

fn proofs() -> Proofs {
    Proofs::new(&[7; 32], noon())
}

#[test]
fn proof_of_the_call_names_its_device() {
    let (device, proofs) = (Device::new(), proofs());
    let proof = device.signs(&device.head(), &claims(&proofs.nonce(noon())));
    let proven = proofs.check(later(59_000), &proof, &expected()).unwrap();
    let key = serde_json::from_value(device.jwk()).unwrap();
    assert_eq!(proven.device, device::DeviceKey::of(&key).unwrap());
}

#[test]
fn proof_for_another_call_is_refused() {
    let (device, proofs) = (Device::new(), proofs());
    let good = claims(&proofs.nonce(noon()));
    for (claim, value) in [
        ("htm", json!("GET")),
        ("htm", json!("post")),
        ("htu", json!("https://jit.example.com/v1/requests/")),
        ("htu", json!("ftp://jit.example.com/v1/requests")),
        ("htu", json!("https://jit.example.com")),
        ("htu", json!("https://jit.example.com@other.example.com/v1/requests")),
        ("htu", json!("https://other.example.com/v1/requests")),
        ("ath", json!("47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU")),
        ("ath", Value::Null),
    ] {
        let mut claims = good.clone();
        claims[claim] = value;
        let proof = device.signs(&device.head(), &claims);
        let refused = proofs.check(noon(), &proof, &expected()).unwrap_err();
        assert_eq!(refused, ProofError::OtherCall, "{claims}");
    }
    // a proof with a token is none for opening a session
    let proof = device.signs(&device.head(), &good);
    let opening = Expected {
        token: None,
        ..expected()
    };
    assert_eq!(
        proofs.check(noon(), &proof, &opening).unwrap_err(),
        ProofError::OtherCall
    );
}

#[test]
fn proof_counts_under_every_name_of_the_backend() {
    let (device, proofs) = (Device::new(), proofs());
    for (id, url) in [
        ("one", "https://jit.example.com/v1/requests"),
        ("two", "http://127.0.0.1:7878/v1/requests"),
        ("three", "https://JIT.example.com/v1/requests"),
    ] {
        let mut claims = claims(&proofs.nonce(noon()));
        (claims["htu"], claims["jti"]) = (json!(url), json!(id));
        let proof = device.signs(&device.head(), &claims);
        assert!(proofs.check(noon(), &proof, &expected()).is_ok(), "{url}");
    }
}

#[test]
fn proof_in_another_form_is_refused() {
    let (device, proofs) = (Device::new(), proofs());
    let good = claims(&proofs.nonce(noon()));
    for (member, value) in [
        ("typ", json!("jwt")),
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("ES384")),
        ("kid", json!("1")),
        ("crit", json!(["exp"])),
        ("jwk", json!({ "kty": "oct", "k": "AA" })),
        ("jwk", Value::Null),
    ] {
        let mut head = device.head();
        head[member] = value;
        let proof = device.signs(&head, &good);
        let refused = proofs.check(noon(), &proof, &expected()).unwrap_err();
        assert_eq!(refused, ProofError::Unreadable, "{head}");
    }
    // a private key in the open
    let mut head = device.head();
    head["jwk"]["d"] = json!("AA");
    let mut without = good.clone();
    without["jti"] = json!("");
    let mut long = good.clone();
    long["jti"] = json!("x".repeat(129));
    let text = device.signs(&device.head(), &good);
    for proof in [
        device.signs(&head, &good),
        device.signs(&device.head(), &without),
        device.signs(&device.head(), &long),
        String::new(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        format!("{text}.x"),
        format!("{text}{}", "x".repeat(5_000)),
    ] {
        let refused = proofs.check(noon(), &proof, &expected()).unwrap_err();
        assert_eq!(refused, ProofError::Unreadable, "{proof}");
    }
}

#[test]
fn proof_signed_by_another_key_is_refused() {
    let (device, other, proofs) = (Device::new(), Device::new(), proofs());
    let proof = other.signs(&device.head(), &claims(&proofs.nonce(noon())));
    let refused = proofs.check(noon(), &proof, &expected()).unwrap_err();
    assert_eq!(refused, ProofError::Signature);
}

#[test]
fn proof_without_a_fresh_nonce_of_ours_is_refused() {
    let (device, proofs) = (Device::new(), proofs());
    let mut without = claims("");
    without.as_object_mut().unwrap().remove("nonce");
    let ours = proofs.nonce(noon());
    let mut changed = URL_SAFE_NO_PAD.decode(&ours).unwrap();
    changed[7] ^= 1;
    for (claims, now) in [
        (without, noon()),
        (claims(""), noon()),
        (claims("AAAAAAAAAAA"), noon()),
        (claims(&URL_SAFE_NO_PAD.encode(&changed)), noon()),
        (claims(&ours), later(60_001)),
        // the clock went back
        (claims(&ours), later(-1)),
        (claims(&Proofs::new(&[8; 32], noon()).nonce(noon())), noon()),
    ] {
        let proof = device.signs(&device.head(), &claims);
        let refused = proofs.check(now, &proof, &expected()).unwrap_err();
        assert_eq!(refused, ProofError::Nonce, "{claims}");
    }
}

#[test]
fn attack_18_a_proof_counts_once_and_at_no_other_replica() {
    let device = Device::new();
    let (here, there) = (proofs(), Proofs::new(&[8; 32], noon()));
    let proof = device.signs(&device.head(), &claims(&here.nonce(noon())));
    assert_eq!(there.check(noon(), &proof, &expected()).unwrap_err(), ProofError::Nonce);
    here.check(noon(), &proof, &expected()).unwrap();
    // as long as its nonce counts, whatever came meanwhile
    for ms in [0, 30_000, 60_000] {
        let again = here.check(later(ms), &proof, &expected()).unwrap_err();
        assert_eq!(again, ProofError::Repeated, "{ms}");
    }
    assert_eq!(
        here.check(later(60_001), &proof, &expected()).unwrap_err(),
        ProofError::Nonce
    );
    // another device may draw the same id
    let other = Device::new();
    let proof = other.signs(&other.head(), &claims(&here.nonce(noon())));
    here.check(noon(), &proof, &expected()).unwrap();
}

#[test]
fn used_proofs_are_remembered_across_a_change_of_sets() {
    let seen = Seen::since(noon());
    assert!(seen.is_new(later(59_999), "device", "one"));
    for ms in [60_001, 90_000, 119_999] {
        assert!(!seen.is_new(later(ms), "device", "one"), "{ms}");
    }
    assert!(seen.is_new(later(200_000), "device", "two"));
    assert!(seen.is_new(later(300_000), "device", "one"), "its nonce is long over");
}
