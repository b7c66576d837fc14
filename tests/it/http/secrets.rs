//! Attack 10: secrets looked for in everything that a backend writes.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jit::server::provider::{Statement, TokenSigner};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::stage::{Stage, eventually, log};

/// Every file below `dir`.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_10_secrets_are_in_no_file_and_no_log_line() {
    let stage = Stage::open().await;
    let (alice, bob, active) = stage.active().await;
    let minted = alice.mint(&active["grant"]).await.is(200).body;
    let tokens = [&alice, &bob].map(|caller| caller.token.clone().unwrap());
    let mut secrets = vec![text(&minted["secret_access_key"]), text(&minted["session_token"])];
    assert_eq!(&secrets[0][..12], "mock-secret-");
    // also without what scanners know them by
    secrets.extend(tokens.iter().map(|token| token["jits_".len()..].to_owned()));
    let logged = log().lock().unwrap().clone();
    let mut written = files(&stage.folder());
    assert!(
        written.iter().any(|(name, _)| name.ends_with("-wal")),
        "a WAL is there to be looked at"
    );
    written.push(("the log".to_owned(), logged.clone()));
    for (name, bytes) in &written {
        for secret in &secrets {
            assert!(!holds(bytes, secret), "{secret} stands in {name}");
        }
    }
    // the search finds what is meant to be there
    let key_id = text(&minted["access_key_id"]);
    assert!(written.iter().any(|(_, bytes)| holds(bytes, &key_id)));
    assert!(holds(&logged, "/v1/sessions"));
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_10_issuer_keys_are_nowhere_in_the_open() {
    let stage = Stage::open().await;
    let issuer = stage.backend.issuer.clone().unwrap();
    eventually("a key that signs", || async { issuer.readiness().await.unwrap().signs }).await;
    let statement = Statement {
        subject: "jit:aws/aws/111111111111/admin:usr_000000000001".into(),
        audience: "sts.amazonaws.com".into(),
        claims: serde_json::Map::new(),
    };
    let token = issuer.sign(stage.backend.now(), &statement).await.unwrap();
    let key = issuer.keys().await.unwrap().remove(0);
    let (settings, purpose) = (
        issuer.settings(),
        format!("jit issuer key {} of {}", key.id, key.issuer),
    );
    let private = jit::server::issuer::open(&settings.sealing_key, &purpose, key.sealed.as_deref().unwrap()).unwrap();
    let private = private.expose_secret();
    assert_eq!(private.len(), 32);
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
            .into_bytes()
    };
    let forms = |bytes: &[u8]| {
        [
            bytes.to_vec(),
            STANDARD.encode(bytes).into_bytes(),
            URL_SAFE_NO_PAD.encode(bytes).into_bytes(),
            hex(bytes),
        ]
    };
    let mut secrets = [forms(private), forms(settings.sealing_key.bytes())].concat();
    let signature = token.expose_secret().rsplit('.').next().unwrap();
    secrets.push(signature.as_bytes().to_vec());
    let mut written = files(&stage.folder());
    written.retain(|(name, _)| !name.ends_with("/sealing.key"));
    written.push(("the log".to_owned(), log().lock().unwrap().clone()));
    for (name, bytes) in &written {
        for secret in &secrets {
            let is_there = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!is_there, "a secret stands in {name}");
        }
    }
    assert!(
        written.iter().any(|(_, bytes)| holds(bytes, key.id.as_str())),
        "the search finds"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_10_used_codes_and_mock_secrets_are_in_no_log_line() {
    let stage = Stage::open().await;
    let code = jit::server::service::sign_in::issue_code(&stage.backend, "alice")
        .await
        .unwrap();
    let body = super::caller::new_session("alice", &code);
    stage.nobody().post("/v1/sessions", &body).await.is(201);
    let logged = log().lock().unwrap().clone();
    for secret in [
        code.as_str(),
        &code.replace('-', ""),
        "mock-secret-",
        "mock-token-",
        "jits_",
    ] {
        assert!(!holds(&logged, secret), "{secret} was logged");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn log_shows_text_from_callers_as_text() {
    let stage = Stage::open().await;
    let path = format!("/forged%0a{}", "x".repeat(4_000));
    stage.nobody().get(&path).await.is(404);
    let head = format!(
        "GET /raw\u{202e}path\u{1b}[31m HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        stage.address
    );
    stage.raw(head).await;
    let logged = String::from_utf8(log().lock().unwrap().clone()).unwrap();
    assert!(!logged.contains(['\u{202e}', '\u{1b}']));
    let longest = logged
        .lines()
        .filter(|line| line.contains("forged"))
        .map(str::len)
        .max();
    assert!(longest.is_some_and(|length| length < 600), "{longest:?}");
}
