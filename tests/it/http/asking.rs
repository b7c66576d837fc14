//! What is asked beside target and time: tickets, dry runs.

use serde_json::{Value, json};

use super::caller::new_request;
use super::stage::Stage;

/// `body` with `more` in it.
fn with(mut body: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn ticket_stands_in_the_body_that_is_decided() {
    let stage = Stage::open().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let asked = with(new_request("prod-admin"), &json!({"ticket": "PAY-311"}));
    let filed = alice.post("/v1/requests", &asked).await.is(201).body["request"].clone();
    assert_eq!(filed["ticket"], "PAY-311");
    assert!(filed["body"].as_str().unwrap().contains("\"ticket\":\"PAY-311\""));
    bob.approve(&filed).await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn tickets_that_are_none_are_problems() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    for key in ["", "-x", "a b", "a\u{202e}b", "a\n", &"P".repeat(101)] {
        let asked = with(new_request("prod-admin"), &json!({"ticket": key}));
        for path in ["/v1/requests", "/v1/dry-run"] {
            alice.post(path, &asked).await.is(400).refuses("usage.ticket");
        }
    }
    assert_eq!(stage.count("request.filed").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn dry_run_leaves_nothing_behind() {
    let stage = Stage::open().await;
    let (alice, mallory) = (stage.sign_in("alice").await, stage.sign_in("mallory").await);
    let before = stage.evidence().await.len();
    let key = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
    let told = alice
        .post_once("/v1/dry-run", key, &new_request("prod-admin"))
        .await
        .is(200);
    assert_eq!(
        (&told.body["outcome"], &told.body["automatic"]),
        (&json!("filed"), &json!(false))
    );
    mallory
        .post("/v1/dry-run", &new_request("prod-admin"))
        .await
        .is(403)
        .refuses("policy.refused");
    stage
        .nobody()
        .post("/v1/dry-run", &new_request("prod-admin"))
        .await
        .is(401);
    assert_eq!(stage.evidence().await.len(), before);
    // the key is free still
    alice
        .post_once("/v1/requests", key, &new_request("prod-admin"))
        .await
        .is(201);
}
