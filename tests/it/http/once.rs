//! A call with a key counts once: a repeat is answered from the state, whoever lost the first answer.

use serde_json::json;

use super::caller::{new_request, new_session, yes};
use super::stage::Stage;

const KEY: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

#[tokio::test(flavor = "multi_thread")]
async fn repeated_filing_is_answered_from_the_state() {
    let stage = Stage::open().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let first = alice
        .post_once("/v1/requests", KEY, &new_request("prod-admin"))
        .await
        .is(201);
    bob.approve(&first.body["request"]).await.is(200);
    let again = alice
        .post_once("/v1/requests", KEY, &new_request("prod-admin"))
        .await
        .is(200);
    assert_eq!(again.body["request"]["id"], first.body["request"]["id"]);
    assert_eq!(again.body["request"]["state"], "approved");
    assert_eq!(stage.count("request.filed").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_joining_does_not_file_another_one() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let filed = alice.file("prod-admin").await;
    let joined = alice
        .post_once("/v1/requests", KEY, &new_request("prod-admin"))
        .await
        .is(200);
    assert_eq!(joined.body["outcome"], "joined");
    let cancel = format!("/v1/requests/{}/cancel", filed["id"].as_str().unwrap());
    alice.post(&cancel, &json!({})).await.is(200);
    let again = alice
        .post_once("/v1/requests", KEY, &new_request("prod-admin"))
        .await
        .is(200);
    assert_eq!(again.body["request"]["state"], "cancelled");
    assert_eq!(stage.count("request.filed").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn key_with_another_body_is_refused() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    alice
        .post_once("/v1/requests", KEY, &new_request("prod-admin"))
        .await
        .is(201);
    let other = alice.post_once("/v1/requests", KEY, &new_request("prod-owner")).await;
    other.is(422).refuses("idempotency.reused");
    assert_eq!(stage.count("request.filed").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn key_of_another_person_is_another_key() {
    let stage = Stage::open().await;
    let (alice, carol) = (stage.sign_in("alice").await, stage.sign_in("carol").await);
    let one = alice
        .post_once("/v1/requests", KEY, &new_request("prod-admin"))
        .await
        .is(201);
    let two = carol
        .post_once("/v1/requests", KEY, &new_request("prod-admin"))
        .await
        .is(201);
    assert_ne!(one.body["request"]["id"], two.body["request"]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_none_are_refused() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let long = "k".repeat(129);
    for key in ["", "short", "has space in it", long.as_str()] {
        let refused = alice.post_once("/v1/requests", key, &new_request("prod-admin")).await;
        refused.is(400).refuses("usage.body");
    }
    assert_eq!(stage.count("request.filed").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_of_one_decision_at_once_are_one_decision() {
    let stage = Stage::open().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let filed = alice.file("prod-admin").await;
    let path = format!("/v1/requests/{}/decisions", filed["id"].as_str().unwrap());
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let (bob, path, body) = (bob.clone(), path.clone(), yes(&filed));
            tokio::spawn(async move { bob.post_once(&path, KEY, &body).await })
        })
        .collect();
    for call in calls {
        let answer = call.await.unwrap().is(200);
        assert_eq!(answer.body["decisions"].as_array().unwrap().len(), 1);
    }
    assert_eq!(stage.count("request.decided").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_of_one_filing_at_once_are_one_request() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let alice = alice.clone();
            tokio::spawn(async move { alice.post_once("/v1/requests", KEY, &new_request("prod-admin")).await })
        })
        .collect();
    for call in calls {
        let answer = call.await.unwrap();
        assert!(matches!(answer.status, 200 | 201), "{answer}");
    }
    assert_eq!(stage.count("request.filed").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_end_and_withdrawal_are_answered_from_the_state() {
    let stage = Stage::open().await;
    let (alice, _, active) = stage.active().await;
    let end = format!("/v1/grants/{}/end", active["grant"]["id"].as_str().unwrap());
    for _ in 0..3 {
        let answer = alice.post_once(&end, "key-of-an-end", &json!({})).await.is(200);
        assert_eq!(answer.body["cause"], "dropped");
    }
    let filed = alice.file("prod-owner").await;
    let cancel = format!("/v1/requests/{}/cancel", filed["id"].as_str().unwrap());
    for _ in 0..3 {
        let answer = alice.post_once(&cancel, "key-of-a-cancel", &json!({})).await.is(200);
        assert_eq!(answer.body["state"], "cancelled");
    }
    assert_eq!(
        (
            stage.count("grant.revoking").await,
            stage.count("request.cancelled").await
        ),
        (1, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_return_secrets_are_kept_under_no_key() {
    let stage = Stage::open().await;
    let (alice, _, active) = stage.active().await;
    let mint = format!("/v1/grants/{}/credentials", active["grant"]["id"].as_str().unwrap());
    let first = alice.post_once(&mint, "key-of-a-mint", &json!({})).await.is(200);
    let second = alice.post_once(&mint, "key-of-a-mint", &json!({})).await.is(200);
    assert_ne!(first.body["access_key_id"], second.body["access_key_id"]);
    let code = jit::server::service::sign_in::issue_code(&stage.backend, "alice")
        .await
        .unwrap();
    let body = new_session("alice", &code);
    stage
        .nobody()
        .post_once("/v1/sessions", "key-of-a-login", &body)
        .await
        .is(201);
    let again = stage.nobody().post_once("/v1/sessions", "key-of-a-login", &body).await;
    again.is(401).refuses("session.code_invalid");
    let me = alice.get("/v1/me").await.body["person"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let me = jit::domain::PersonId::parse(&me).unwrap();
    for key in ["key-of-a-mint", "key-of-a-login"] {
        assert_eq!(stage.backend.store.once(&me, key).await.unwrap(), None, "{key}");
    }
}
