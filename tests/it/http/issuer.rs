//! We as OpenID Connect issuer: what everybody can fetch, and what somebody else's library makes of our tokens.

use std::io::Write;
use std::process::{Command, Stdio};

use jit::domain::Timestamp;
use jit::server::issuer::token::{self, Saying};
use jit::server::issuer::{make, open_key};
use jit::server::provider::{ProviderError, Statement, TokenSigner};
use jit::server::service::issuer::{Issuer, revoke};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::stage::{Stage, eventually};
use crate::harness::venv_program;

const AUDIENCE: &str = "sts.amazonaws.com";
const SUBJECT: &str = "jit:aws/aws/111111111111/jit-prod-admin:usr_000000000001";

fn statement() -> Statement {
    let claims = json!({
        "https://aws.amazon.com/source_identity": "usr_000000000001",
        "https://aws.amazon.com/tags": { "principal_tags": { "jit:request": ["req_000000000001"] } },
    });
    Statement {
        subject: SUBJECT.to_owned(),
        audience: AUDIENCE.to_owned(),
        claims: claims.as_object().unwrap().clone(),
    }
}

/// A backend whose first key was seen published.
async fn signing_stage() -> (Stage, std::sync::Arc<Issuer>) {
    let stage = Stage::open().await;
    let issuer = stage.backend.issuer.clone().unwrap();
    eventually("a key that signs", || async { issuer.readiness().await.unwrap().signs }).await;
    (stage, issuer)
}

async fn signed(stage: &Stage) -> SecretString {
    let issuer = stage.backend.issuer.as_ref().unwrap();
    issuer.sign(stage.backend.now(), &statement()).await.unwrap()
}

/// What PyJWT says of `token` for `audience`, after an attacker's change.
async fn judged(stage: &Stage, token: &SecretString, audience: &str, attack: Option<&str>) -> String {
    let issuer = format!("http://{}", stage.address);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oidc_relying_party.py");
    let mut command = Command::new(venv_program("python"));
    command.args([script, &issuer, audience]).args(attack).env_clear();
    let token = token.expose_secret().to_owned();
    let judge = move || {
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = pipes.spawn().unwrap();
        running.stdin.take().unwrap().write_all(token.as_bytes()).unwrap();
        let output = running.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    tokio::task::spawn_blocking(judge).await.unwrap()
}

/// A token of the key that signs now, made at `now`.
async fn signed_at(stage: &Stage, issuer: &Issuer, now: Timestamp) -> SecretString {
    let keys = issuer.keys().await.unwrap();
    let key = issuer.life(&keys).signing(stage.backend.now()).unwrap();
    let statement = statement();
    let saying = Saying {
        issuer: issuer.settings().url.as_str(),
        subject: &statement.subject,
        audience: &statement.audience,
        id: "test",
        claims: &statement.claims,
    };
    token::sign(&open_key(&issuer.settings().sealing_key, key).unwrap(), now, &saying).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn token_is_accepted_by_a_library_that_is_not_ours() {
    let (stage, _) = signing_stage().await;
    let said: Value = serde_json::from_str(&judged(&stage, &signed(&stage).await, AUDIENCE, None).await).unwrap();
    assert_eq!(said["sub"], SUBJECT);
    assert_eq!(said["iss"], format!("http://{}", stage.address));
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 120);
    assert_eq!(said["https://aws.amazon.com/source_identity"], "usr_000000000001");
    assert!(said.get("azp").is_none());
    let lines = stage.evidence().await;
    let line = lines
        .iter()
        .rev()
        .find(|line| line.kind == "issuer.token_signed")
        .unwrap();
    assert_eq!(line.payload.as_ref().unwrap()["details"]["jti"], said["jti"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_14_token_for_another_audience_or_past_its_end_is_refused() {
    let (stage, issuer) = signing_stage().await;
    let token = signed(&stage).await;
    assert_eq!(
        judged(&stage, &token, "https://evil.example", None).await,
        "refused: InvalidAudienceError"
    );
    let now = stage.backend.now().millis();
    let last_second = signed_at(&stage, &issuer, Timestamp::from_millis(now - 60_000)).await;
    assert!(judged(&stage, &last_second, AUDIENCE, None).await.starts_with('{'));
    let over = signed_at(&stage, &issuer, Timestamp::from_millis(now - 121_000)).await;
    assert_eq!(
        judged(&stage, &over, AUDIENCE, None).await,
        "refused: ExpiredSignatureError"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_14_token_of_a_key_that_is_not_ours_is_refused() {
    let (stage, issuer) = signing_stage().await;
    let token = signed(&stage).await;
    for (attack, error) in [
        ("forge", "InvalidSignatureError"),
        ("none", "InvalidAlgorithmError"),
        ("hmac", "InvalidAlgorithmError"),
    ] {
        let said = judged(&stage, &token, AUDIENCE, Some(attack)).await;
        assert_eq!(said, format!("refused: {error}"), "{attack}");
    }
    // a key like ours that never was in the store
    let other = make(&stage.backend.random, issuer.settings(), 9, stage.backend.now()).unwrap();
    let open = open_key(&issuer.settings().sealing_key, &other).unwrap();
    let statement = statement();
    let saying = Saying {
        issuer: issuer.settings().url.as_str(),
        subject: &statement.subject,
        audience: &statement.audience,
        id: "test",
        claims: &statement.claims,
    };
    let foreign = token::sign(&open, stage.backend.now(), &saying).unwrap();
    assert_eq!(
        judged(&stage, &foreign, AUDIENCE, None).await,
        "refused: PyJWKClientError"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_14_token_of_a_removed_key_is_refused() {
    let (stage, issuer) = signing_stage().await;
    let token = signed(&stage).await;
    let backend = &stage.backend;
    let gone = revoke(backend.store.as_ref(), &backend.clock, None, json!({}))
        .await
        .unwrap();
    assert_eq!(gone.len(), 1);
    assert!(judged(&stage, &token, AUDIENCE, None).await.starts_with("refused: "));
    let refused = issuer.sign(backend.now(), &statement()).await.unwrap_err();
    assert!(
        matches!(&refused, ProviderError::Unreachable(why) if why.contains("no key")),
        "{refused}"
    );
    assert_eq!(backend.store.sealing_check().await.unwrap().unwrap().sealed, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_may_be_kept_and_nothing_else_may() {
    let (stage, issuer) = signing_stage().await;
    let get = async |path: &str| reqwest_get(&stage, path).await;
    let (cached, discovery) = get("/.well-known/openid-configuration").await;
    assert_eq!(cached, "public, max-age=300");
    assert_eq!(discovery["jwks_uri"], issuer.settings().url.key_set());
    let (cached, keys) = get("/.well-known/jwks.json").await;
    assert_eq!(cached, "public, max-age=300");
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    assert_eq!(keys["keys"][0]["alg"], "ES256");
    assert!(keys["keys"][0].get("d").is_none());
    let (cached, ready) = get("/readyz").await;
    assert_eq!(cached, "no-store");
    assert_eq!(ready["issuer"]["signs"], true);
    assert_eq!(ready["issuer"]["differences"], json!([]));
}

/// Cache-Control and body of `path`.
async fn reqwest_get(stage: &Stage, path: &str) -> (String, Value) {
    let answer = stage
        .nobody()
        .http
        .get(format!("http://{}{path}", stage.address))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let cached = answer.headers()["cache-control"].to_str().unwrap().to_owned();
    (cached, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn backend_without_an_issuer_serves_no_documents() {
    let stage = Stage::open_with(|settings| settings.issuer = None).await;
    stage.nobody().get("/.well-known/jwks.json").await.is(404);
    let ready = stage.nobody().get("/readyz").await.is(200).body;
    assert_eq!(ready["issuer"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn key_of_an_unreachable_address_signs_nothing() {
    let elsewhere = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
    let stage = Stage::open_with(|settings| {
        let issuer = settings.issuer.as_mut().unwrap();
        issuer.url = jit::config::IssuerUrl::loopback(elsewhere);
    })
    .await;
    let issuer = stage.backend.issuer.clone().unwrap();
    eventually("a look", || async { issuer.published().is_some() }).await;
    let refused = issuer.sign(stage.backend.now(), &statement()).await.unwrap_err();
    assert!(
        refused.to_string().contains("was not seen at http://127.0.0.1:9"),
        "{refused}"
    );
    let ready = stage.nobody().get("/readyz").await.is(200).body;
    assert_eq!(ready["issuer"]["signs"], false);
    assert!(
        ready["issuer"]["differences"][0]
            .as_str()
            .unwrap()
            .contains("cannot be fetched")
    );
    assert_eq!(stage.count("issuer.token_signed").await, 0);
}
