//! Signing in: codes that are wrong, spent, somebody else's or from before a restart; keys that are none.

use jit::server::dev;
use jit::server::service::sign_in::issue_code;
use reqwest::Method;
use serde_json::json;

use super::caller::{Answer, Caller, new_session};
use super::stage::Stage;
use crate::harness::Device;

#[tokio::test(flavor = "multi_thread")]
async fn wrong_codes_are_slowed_down_after_five() {
    let stage = Stage::open().await;
    let code = issue_code(&stage.backend, "alice").await.unwrap();
    let anybody = stage.nobody();
    for _ in 0..5 {
        let wrong = new_session("alice", "0000-0000-0000");
        anybody
            .post("/v1/sessions", &wrong)
            .await
            .is(401)
            .refuses("session.code_invalid");
    }
    let right = new_session("alice", &code);
    let slowed = anybody
        .post("/v1/sessions", &right)
        .await
        .is(429)
        .refuses("rate.limited");
    let wait: u32 = slowed.header("retry-after").parse().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    assert!(
        slowed.body["title"]
            .as_str()
            .unwrap()
            .contains(&format!("wait {wait} s")),
        "{slowed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_that_are_no_good_are_told_alike() {
    let stage = Stage::open().await;
    let code = issue_code(&stage.backend, "alice").await.unwrap();
    let sign_in = |name: &'static str, code: String| {
        let anybody = stage.nobody();
        async move { anybody.post("/v1/sessions", &new_session(name, &code)).await }
    };
    let others = sign_in("bob", code.clone())
        .await
        .is(401)
        .refuses("session.code_invalid");
    let nobodys = sign_in("nobody", code.clone())
        .await
        .is(401)
        .refuses("session.code_invalid");
    sign_in("alice", code.to_lowercase().replace('-', " ")).await.is(201);
    let spent = sign_in("alice", code).await.is(401).refuses("session.code_invalid");
    assert_eq!(others.body["title"], nobodys.body["title"]);
    assert_eq!(others.body["title"], spent.body["title"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn newer_code_makes_older_ones_void() {
    let stage = Stage::open().await;
    let older = issue_code(&stage.backend, "alice").await.unwrap();
    let newer = issue_code(&stage.backend, "alice").await.unwrap();
    let refused = stage.nobody().post("/v1/sessions", &new_session("alice", &older)).await;
    refused.is(401).refuses("session.code_invalid");
    stage
        .nobody()
        .post("/v1/sessions", &new_session("alice", &newer))
        .await
        .is(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_makes_new_codes_and_keeps_sessions() {
    let stage = Stage::open().await;
    let carol = stage.sign_in("carol").await;
    let before = dev::people(&stage.backend).await.unwrap();
    let stage = stage.again(|_| {}).await;
    let after = dev::people(&stage.backend).await.unwrap();
    let sign_in = |code: String| {
        let anybody = stage.nobody();
        async move { anybody.post("/v1/sessions", &new_session("alice", &code)).await }
    };
    assert_eq!((before[0].name.as_str(), after[0].name.as_str()), ("alice", "alice"));
    sign_in(before[0].code.clone())
        .await
        .is(401)
        .refuses("session.code_invalid");
    sign_in(after[0].code.clone()).await.is(201);
    let carol = Caller {
        device: carol.device,
        ..stage.with_token(carol.token.as_deref())
    };
    carol.get("/v1/me").await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_code_at_twenty_devices_opens_one_session() {
    let stage = Stage::open().await;
    let code = issue_code(&stage.backend, "alice").await.unwrap();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let (anybody, body) = (stage.nobody(), new_session("alice", &code));
            tokio::spawn(async move { anybody.post("/v1/sessions", &body).await.status })
        })
        .collect();
    let mut opened = 0;
    for call in calls {
        opened += u32::from(call.await.unwrap() == 201);
    }
    assert_eq!(opened, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_none_are_refused_and_cost_no_code() {
    let stage = Stage::open().await;
    let code = issue_code(&stage.backend, "alice").await.unwrap();
    let anybody = stage.nobody();
    let good = anybody.device.jwk();
    let url = format!("{}/v1/sessions", anybody.url);
    let sign_in = |head: serde_json::Value| {
        let nonce = stage.backend.proofs.nonce(stage.backend.now());
        let claims = Device::claims("POST", &url, None, &nonce);
        let call = anybody.bare(Method::POST, "/v1/sessions");
        let call = call.header("dpop", anybody.device.signs(&head, &claims));
        Answer::of(call.json(&new_session("alice", &code)))
    };
    let with = |field: &str, value: serde_json::Value| {
        let mut key = good.clone();
        key[field] = value;
        json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key })
    };
    let zero = "A".repeat(43);
    let bad = [
        with("y", good["x"].clone()),
        with("x", json!(zero)),
        with("x", json!("")),
        with("x", json!("A".repeat(6_000))),
        with("x", json!("not base64url!")),
        with("crv", json!("P-384")),
        with("kty", json!("RSA")),
        with("d", json!("a private key")),
    ];
    for head in bad {
        sign_in(head).await.is(401).refuses("session.proof");
    }
    let none = anybody.bare(Method::POST, "/v1/sessions");
    let none = Answer::of(none.json(&new_session("alice", &code))).await;
    none.is(401).refuses("session.proof");
    sign_in(json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": good }))
        .await
        .is(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_may_share_a_device() {
    let stage = Stage::open().await;
    let device = Device::new();
    let (alice, bob) = (
        stage.sign_in_on("alice", device.clone()).await,
        stage.sign_in_on("bob", device).await,
    );
    assert_ne!(alice.token, bob.token);
    let (of_alice, of_bob) = (alice.get("/v1/me").await.is(200), bob.get("/v1/me").await.is(200));
    assert_eq!(of_alice.body["device"], of_bob.body["device"]);
    assert_eq!(of_bob.body["person"]["name"], "bob");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_one_session_only() {
    let stage = Stage::open().await;
    let (here, there) = (stage.sign_in("alice").await, stage.sign_in("alice").await);
    Answer::of(here.call(Method::DELETE, "/v1/sessions")).await.is(204);
    here.get("/v1/me").await.is(401).refuses("session.ended");
    there.get("/v1/me").await.is(200);
}
