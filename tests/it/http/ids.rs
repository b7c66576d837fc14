//! How requests and grants are named in a path, and what lists show.

use serde_json::json;

use super::caller::new_request;
use super::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn request_is_found_by_id_prefix_and_target() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let filed = alice.file("prod-admin").await;
    let id = filed["id"].as_str().unwrap();
    for given in [id, &id[..8], &id[4..], &id[4..8], "prod-admin"] {
        let found = alice.get(&format!("/v1/requests/{given}")).await.is(200);
        assert_eq!(found.body["id"], filed["id"], "{given}");
    }
    let bob = stage.sign_in("bob").await;
    let found = bob.get("/v1/requests/prod-admin").await.is(200);
    assert_eq!(found.body["id"], filed["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_and_foreign_requests_are_told_alike() {
    let stage = Stage::open().await;
    let (alice, _, active) = stage.active().await;
    let mallory = stage.sign_in("mallory").await;
    let (request, grant) = (active["id"].as_str().unwrap(), active["grant"]["id"].as_str().unwrap());
    let words = |given: &str, name: &str| given.replace(name, "IT");
    for (path, there, missing) in [
        ("/v1/requests/ID", request, "req_zzzzzzzzzzzz"),
        ("/v1/requests/ID?wait=1s", request, "req_zzzzzzzzzzzz"),
        ("/v1/requests/ID", &request[..9], "req_zzzzz"),
    ] {
        let [foreign, none] = [there, missing].map(|id| (path.replace("ID", id), id));
        let (one, two) = (
            mallory.get(&foreign.0).await.is(404),
            mallory.get(&none.0).await.is(404),
        );
        let [one, two] = [(one, foreign.1), (two, none.1)].map(|(answer, id)| {
            let answer = answer.refuses("request.not_found");
            (
                words(answer.body["title"].as_str().unwrap(), id),
                answer.body["hint"].clone(),
            )
        });
        assert_eq!(one, two);
    }
    for (method, body) in [("end", json!({})), ("credentials", json!({}))] {
        for id in [grant, "grt_zzzzzzzzzzzz", &grant[..9], "prod-admin", "%00", "grt_"] {
            let answer = mallory.post(&format!("/v1/grants/{id}/{method}"), &body).await;
            answer.is(404).refuses("grant.not_found");
        }
    }
    assert_eq!(alice.look(&active).await.body["grant"]["state"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_ids_are_not_found() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let long = "a".repeat(2_000);
    for id in [
        "x",
        "req_",
        "REQ_000000000000",
        "%25",
        "%00",
        "..%2f..",
        "req_%5f",
        "'%20OR%201=1--",
        "%F0%9F%94%91",
        &long,
    ] {
        alice
            .get(&format!("/v1/requests/{id}"))
            .await
            .is(404)
            .refuses("request.not_found");
    }
    alice.get("/v1/requests/%ff%fe").await.is(400).refuses("usage.body");
}

#[tokio::test(flavor = "multi_thread")]
async fn target_with_several_requests_is_ambiguous() {
    let stage = Stage::open().await;
    let (alice, bob, carol) = (
        stage.sign_in("alice").await,
        stage.sign_in("bob").await,
        stage.sign_in("carol").await,
    );
    let (one, two) = (alice.file("prod-admin").await, bob.file("prod-admin").await);
    let answer = carol
        .get("/v1/requests/prod-admin")
        .await
        .is(409)
        .refuses("request.ambiguous");
    let mut nearest: Vec<_> = answer.body["nearest"].as_array().unwrap().clone();
    let mut ids = vec![one["id"].clone(), two["id"].clone()];
    nearest.sort_by_key(ToString::to_string);
    ids.sort_by_key(ToString::to_string);
    assert_eq!(nearest, ids);
    let own = alice.get("/v1/requests/prod-admin").await.is(200);
    assert_eq!(own.body["id"], one["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn open_requests_are_pending_or_have_an_open_grant() {
    let stage = Stage::open().await;
    let (alice, _, active) = stage.active().await;
    let pending = alice.file("prod-owner").await;
    let over = alice.file("prod-readonly").await;
    let cancel = format!("/v1/requests/{}/cancel", over["id"].as_str().unwrap());
    alice.post(&cancel, &json!({})).await.is(200);
    let ids = |answer: super::caller::Answer| -> Vec<String> {
        let requests = answer.body["requests"].as_array().unwrap().iter();
        requests
            .map(|request| request["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let named = |view: &serde_json::Value| view["id"].as_str().unwrap().to_owned();
    let open = ids(alice.get("/v1/requests?open=true").await.is(200));
    assert_eq!(open, [named(&pending), named(&active)]);
    let all = ids(alice.get("/v1/requests").await.is(200));
    assert_eq!(all, [named(&over), named(&pending), named(&active)]);
    let page = ids(alice
        .get(&format!("/v1/requests?before={}", named(&pending)))
        .await
        .is(200));
    assert_eq!(page, [named(&active)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn covered_request_shows_the_grant_and_its_state() {
    let stage = Stage::open().await;
    let (alice, _, active) = stage.active().await;
    let mut shorter = new_request("prod-admin");
    shorter["duration_s"] = json!(600);
    let covered = alice.post("/v1/requests", &shorter).await.is(200);
    assert_eq!(covered.body["outcome"], "covered");
    assert_eq!(covered.body["request"]["id"], active["id"]);
    assert_eq!(covered.body["request"]["grant"]["state"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn request_covered_by_a_grant_being_given_says_granting() {
    let stage = Stage::open().await;
    stage.sts.answer(crate::harness::StsAnswer::Throttled);
    let alice = stage.sign_in("alice").await;
    let filed = alice.file("dev-admin").await;
    let view = alice.until(&filed, |view| view["grant"]["attempts"] == 1).await;
    assert_eq!(view["grant"]["state"], "granting");
    let mut shorter = new_request("dev-admin");
    shorter["duration_s"] = json!(600);
    let covered = alice.post("/v1/requests", &shorter).await.is(200);
    assert_eq!(covered.body["outcome"], "covered");
    assert_eq!(covered.body["request"]["grant"]["state"], "granting");
    stage.sts.answer(crate::harness::StsAnswer::Grant);
    alice
        .until(&covered.body["request"], |view| view["grant"]["state"] == "active")
        .await;
}
