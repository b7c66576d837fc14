//! Locks over HTTP: what counts once, who sees which, what a locked session is still answered.

use serde_json::json;

use super::caller::new_request;
use super::stage::Stage;

const KEY: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
const OTHER: &str = "00000000-7425-40de-944b-e07fc1f90ae7";

#[tokio::test(flavor = "multi_thread")]
async fn lock_set_again_under_its_key_is_one_lock() {
    let stage = Stage::open().await;
    let (carol, alice) = (stage.sign_in("carol").await, stage.sign_in("alice").await);
    let lock = json!({"on": "alice", "reason": "laptop stolen"});
    let first = carol.post_once("/v1/locks", KEY, &lock).await.is(200);
    assert_eq!(
        (&first.body["set"], &first.body["lock"]["scope"]),
        (&json!(true), &json!("person"))
    );
    let lift = carol
        .post_once("/v1/locks/lift", OTHER, &json!({"on": "alice"}))
        .await
        .is(200);
    assert_eq!(lift.body["lifted"], true);
    // answered from the state: nothing is locked a second time
    carol.post_once("/v1/locks", KEY, &lock).await.is(200);
    carol
        .post_once("/v1/locks/lift", OTHER, &json!({"on": "alice"}))
        .await
        .is(200);
    assert_eq!(carol.get("/v1/locks").await.is(200).body["locks"], json!([]));
    assert_eq!(
        (stage.count("lock.set").await, stage.count("lock.lifted").await),
        (1, 1)
    );
    let other = json!({"on": "bob", "reason": "laptop stolen"});
    carol
        .post_once("/v1/locks", KEY, &other)
        .await
        .refuses("idempotency.reused");
    alice.post("/v1/requests", &new_request("prod-admin")).await.is(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn locked_session_is_answered_where_it_only_looks_or_gives_back() {
    let stage = Stage::open().await;
    let (alice, bob, request) = stage.active().await;
    let carol = stage.sign_in("carol").await;
    let waits = carol.file("prod-readonly").await;
    carol
        .post("/v1/locks", &json!({"on": "all", "reason": "keys leaked"}))
        .await
        .is(200);
    for path in [
        "/v1/me",
        "/v1/sessions",
        "/v1/targets",
        "/v1/requests?open=true",
        "/v1/inbox",
        "/v1/grants",
    ] {
        alice.get(path).await.is(200);
    }
    assert_eq!(alice.get("/v1/locks").await.is(200).body["locks"][0]["name"], "all");
    alice
        .post("/v1/requests", &new_request("dev-admin"))
        .await
        .refuses("access.locked");
    alice
        .post("/v1/dry-run", &new_request("dev-admin"))
        .await
        .refuses("access.locked");
    bob.approve(&waits).await.refuses("access.locked");
    let grant = format!("/v1/grants/{}", request["grant"]["id"].as_str().unwrap());
    alice
        .post(&format!("{grant}/credentials"), &json!({}))
        .await
        .refuses("access.locked");
    // the lock ends it, too: whoever comes first
    let ended = alice.post(&format!("{grant}/end"), &json!({})).await;
    assert!(
        ended.status == 200 || ended.body["code"] == "grant.not_live",
        "{ended:?}"
    );
    let cancel = format!("/v1/requests/{}/cancel", waits["id"].as_str().unwrap());
    carol.post(&cancel, &json!({})).await.is(200);
}
