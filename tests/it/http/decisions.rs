//! Several people, or one with several hands, at the same time: state changes once, and everybody is told what is.

use serde_json::{Value, json};

use super::caller::{Answer, Caller, new_request};
use super::stage::Stage;

/// Runs `count` of the same call at once.
async fn at_once(count: usize, caller: &Caller, path: &str, body: &Value) -> Vec<Answer> {
    let calls: Vec<_> = (0..count)
        .map(|_| {
            let (caller, path, body) = (caller.clone(), path.to_owned(), body.clone());
            tokio::spawn(async move { caller.post(&path, &body).await })
        })
        .collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap());
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_filings_at_once_make_one_request() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let answers = at_once(50, &alice, "/v1/requests", &new_request("prod-admin")).await;
    let filed = answers.iter().filter(|a| a.body["outcome"] == "filed").count();
    let joined = answers.iter().filter(|a| a.body["outcome"] == "joined").count();
    assert_eq!((filed, joined), (1, 49));
    assert!(
        answers
            .iter()
            .all(|a| a.body["request"]["id"] == answers[0].body["request"]["id"])
    );
    assert_eq!(stage.count("request.filed").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_approvers_at_once_make_one_grant() {
    let stage = Stage::open().await;
    let (alice, bob, carol) = (
        stage.sign_in("alice").await,
        stage.sign_in("bob").await,
        stage.sign_in("carol").await,
    );
    let filed = alice.file("prod-admin").await;
    let (one, two) = tokio::join!(bob.approve(&filed), carol.approve(&filed));
    let (won, late, by) = if one.status == 200 {
        (one, two, "bob")
    } else {
        (two, one, "carol")
    };
    assert_eq!(won.is(200).body["state"], "approved");
    let late = late.is(409).refuses("request.already_decided");
    assert!(
        late.body["title"].as_str().unwrap().ends_with(&format!("by {by}")),
        "{late}"
    );
    alice.until(&filed, |view| view["grant"]["state"] == "active").await;
    assert_eq!(stage.sts.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn drops_at_once_end_a_grant_once() {
    let stage = Stage::open().await;
    let (alice, _, active) = stage.active().await;
    let path = format!("/v1/grants/{}/end", active["grant"]["id"].as_str().unwrap());
    let answers = at_once(8, &alice, &path, &json!({})).await;
    for answer in answers {
        assert!(
            answer.status == 200 || answer.body["code"] == "grant.not_live",
            "{answer}"
        );
    }
    let ended = alice.until(&active, |view| view["grant"]["state"] == "ended").await;
    assert_eq!(ended["grant"]["cause"], "dropped");
    assert_eq!(
        (stage.count("grant.revoking").await, stage.count("grant.ended").await),
        (1, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawal_and_approval_at_once_have_one_winner() {
    let stage = Stage::open().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    for _ in 0..8 {
        let filed = alice.file("prod-admin").await;
        let id = filed["id"].as_str().unwrap();
        let (cancel, empty) = (format!("/v1/requests/{id}/cancel"), json!({}));
        let (cancelled, approved) = tokio::join!(alice.post(&cancel, &empty), bob.approve(&filed));
        let state = alice.look(&filed).await.body["state"].clone();
        match (cancelled.status, approved.status) {
            (200, 409) => assert_eq!(state, "cancelled"),
            (409, 200) => {
                assert_eq!(state, "approved");
                let active = alice.until(&filed, |view| view["grant"]["state"] == "active").await;
                let path = format!("/v1/grants/{}/end", active["grant"]["id"].as_str().unwrap());
                alice.post(&path, &json!({})).await.is(200);
                alice.until(&active, |view| view["grant"]["state"] == "ended").await;
            }
            both => panic!("{both:?}: {cancelled} {approved}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn late_decisions_are_told_what_is() {
    let stage = Stage::open().await;
    let (alice, bob, active) = stage.active().await;
    let late = bob.approve(&active).await.is(409).refuses("request.already_decided");
    assert_eq!(late.body["request"], active["id"]);
    let path = format!("/v1/requests/{}/cancel", active["id"].as_str().unwrap());
    alice.post(&path, &json!({})).await.is(409);
}
