//! The road web-identity end to end: a backend without any AWS key, and the token that STS received, judged by a
//! relying party that is not ours against what the backend publishes. STS is our own mock: it writes the call down.

use std::time::Duration;

use serde_json::Value;

use crate::harness::{
    Backend, BackendPlan, FakedTime, LIMIT, SealedBox, StsCall, StsRecorder, venv_program, wait_until,
};

/// The backend of `plan` without an AWS key, whose targets are all on the road web-identity and whose first key signs.
pub fn keyless_backend(plan: BackendPlan) -> Backend {
    let roads = ("road = \"assume-role\"", "road = \"web-identity\"");
    let backend = plan.keyless().policy("catalogue.toml", roads.0, roads.1).start();
    let data = backend.data();
    let signs = || {
        let shown = SealedBox::new().jit(&["issuer", "show", "-o", "json", "--data", data.to_str().unwrap()]);
        let signs = shown.stdout.contains("\"state\":\"in use\"");
        signs.then_some(())
    };
    wait_until("a key that signs", LIMIT, signs);
    backend
}

/// The call that brought the credentials of a request by alice.
fn received(sts: &StsRecorder, backend: &Backend) -> StsCall {
    let alice = backend.machine_of("alice");
    drop(
        alice
            .jit(&["request", "dev-admin", "--for", "30m", "--reason", "no key here"])
            .exits(0),
    );
    let calls = sts.calls();
    assert!(
        calls
            .iter()
            .all(|call| call.param("Action") == "AssumeRoleWithWebIdentity" && call.authorization.is_empty()),
        "{calls:?}"
    );
    calls.last().unwrap().clone()
}

/// What the relying party says of `token`: the claims, or `refused: ` and the error.
fn judged(backend: &Backend, token: &str, audience: &str, clock: Option<&FakedTime>) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oidc_relying_party.py");
    let mut machine = SealedBox::new();
    if let Some(clock) = clock {
        clock.rule(&mut machine);
    }
    let run = machine
        .command(venv_program("python"), &[script, backend.url(), audience])
        .input(token)
        .run();
    run.exits(0).stdout.trim().to_owned()
}

#[test]
fn token_that_sts_received_is_accepted_against_what_is_published() {
    let sts = StsRecorder::start();
    let backend = keyless_backend(BackendPlan::with_aws(&sts.url));
    let call = received(&sts, &backend);
    let token = call.param("WebIdentityToken");
    let claims: Value = serde_json::from_str(&judged(&backend, token, "sts.amazonaws.com", None)).unwrap();
    let person = claims["https://aws.amazon.com/source_identity"].as_str().unwrap();
    assert!(person.starts_with("usr_"), "{claims}");
    assert_eq!(
        claims["sub"],
        format!("jit:aws/aws/222222222222/jit/jit-dev-admin:{person}")
    );
    let tag = &claims["https://aws.amazon.com/tags"]["principal_tags"]["jit:request"][0];
    assert!(tag.as_str().unwrap().starts_with("req_"), "{claims}");
    let (from, to) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
    assert!((1..=120).contains(&(to - from)), "{claims}");
    assert!(claims.get("azp").is_none(), "{claims}");
    assert_eq!(
        judged(&backend, token, "sts.amazonaws.com.cn", None),
        "refused: InvalidAudienceError"
    );
}

#[test]
fn attack_14_token_that_sts_received_is_refused_after_its_end_and_its_keys() {
    let sts = StsRecorder::start();
    let backend = keyless_backend(BackendPlan::with_aws(&sts.url));
    let token = received(&sts, &backend).param("WebIdentityToken").to_owned();
    if let Some(clock) = FakedTime::start("attack_14_token_that_sts_received_is_refused_after_its_end_and_its_keys") {
        clock.set_ahead(Duration::from_secs(130));
        assert_eq!(
            judged(&backend, &token, "sts.amazonaws.com", Some(&clock)),
            "refused: ExpiredSignatureError"
        );
    }
    let data = backend.data();
    drop(
        SealedBox::new()
            .jit(&["issuer", "revoke", "--all", "--yes", "--data", data.to_str().unwrap()])
            .exits(0),
    );
    let refused = judged(&backend, &token, "sts.amazonaws.com", None);
    assert!(refused.starts_with("refused: PyJWK"), "{refused}");
}

#[test]
fn token_never_reaches_client_log_or_store() {
    let sts = StsRecorder::start();
    let mut backend = keyless_backend(BackendPlan::with_aws(&sts.url));
    let alice = backend.machine_of("alice");
    let run = alice
        .jit(&["-vv", "request", "dev-admin", "--for", "30m", "--reason", "no key here"])
        .exits(0);
    let got = alice.jit(&["credential-process", "dev-admin"]).exits(0);
    let stopped = backend.stop();
    let calls = sts.calls();
    let signature = calls
        .last()
        .unwrap()
        .param("WebIdentityToken")
        .rsplit('.')
        .next()
        .unwrap();
    assert!(signature.len() > 80, "no signature: {signature}");
    let mut texts = vec![run.to_string(), got.to_string(), stopped.to_string()];
    for file in ["jit.db", "jit.db-wal"] {
        let bytes = std::fs::read(backend.data().join(file)).unwrap_or_default();
        texts.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    assert!(texts[3].len() > 1000, "the database was not read");
    assert!(texts.iter().all(|text| !text.contains(signature)));
}
