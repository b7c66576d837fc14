//! What is asked beside target and time: tickets, dry runs.

use jit::server::store::Evidence;
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
    // a key of the issuer may be made meanwhile
    let of_people = |lines: Vec<Evidence>| lines.into_iter().filter(|line| line.actor != "backend").count();
    let before = of_people(stage.evidence().await);
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
    assert_eq!(of_people(stage.evidence().await), before);
    // the key is free still
    alice
        .post_once("/v1/requests", key, &new_request("prod-admin"))
        .await
        .is(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_02_request_for_another_gives_its_requester_nothing() {
    let stage = Stage::open().await;
    let (alice, bob, carol) = (
        stage.sign_in("alice").await,
        stage.sign_in("bob").await,
        stage.sign_in("carol").await,
    );
    let asked = |who| with(new_request("prod-readonly"), &json!({"on_behalf_of": who}));
    bob.post("/v1/requests", &asked("mallory"))
        .await
        .is(404)
        .refuses("person.not_found");
    drop(stage.sign_in("mallory").await);
    bob.post("/v1/requests", &asked("mallory"))
        .await
        .is(403)
        .refuses("policy.refused");
    alice
        .post("/v1/requests", &asked("bob"))
        .await
        .is(403)
        .refuses("policy.refused");
    alice
        .post("/v1/requests", &asked("nobody"))
        .await
        .is(403)
        .refuses("policy.refused");
    let filed = bob.post("/v1/requests", &asked("alice")).await.is(201).body["request"].clone();
    bob.approve(&filed).await.is(403).refuses("policy.own_request");
    alice.approve(&filed).await.is(403).refuses("policy.own_request");
    carol.approve(&filed).await.is(200);
    let live = bob.until(&filed, |view| view["grant"]["state"] == "active").await;
    bob.mint(&live["grant"]).await.is(403).refuses("access.forbidden");
    alice.mint(&live["grant"]).await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn extension_is_a_request_of_its_own() {
    let stage = Stage::open().await;
    let (alice, bob, active) = stage.active().await;
    let more = |secs| with(new_request("prod-admin"), &json!({"extend": true, "duration_s": secs}));
    let told = alice.post("/v1/dry-run", &more(600)).await.is(200);
    assert_eq!(told.body["extends"]["grant"], active["grant"]["id"]);
    let over = alice.post("/v1/requests", &more(5 * 3600)).await.is(403);
    let over = over.refuses("policy.over_cap");
    assert_eq!(over.body["cap_s"], 3 * 3600);
    let filed = alice.post("/v1/requests", &more(600)).await.is(201).body["request"].clone();
    assert_eq!(filed["extends"]["ends_at"], active["grant"]["ends_at"]);
    assert!(filed["body"].as_str().unwrap().contains("\"extends\""));
    let joined = alice.post("/v1/requests", &more(600)).await.is(200);
    assert_eq!(joined.body["outcome"], "joined");
    bob.approve(&filed).await.is(200);
    alice.until(&filed, |view| view["grant"]["state"] == "active").await;
    alice
        .post(
            "/v1/requests",
            &with(new_request("dev-admin"), &json!({"extend": true})),
        )
        .await
        .is(409)
        .refuses("grant.not_live");
}
