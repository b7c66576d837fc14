//! What `[human.NAME]` of the catalogue says is one human: none of it decides on what another of it asked for.

use super::super::inbox;
use super::directory::{approve, stage};
use super::locks::{lock, unlock};
use super::*;

const PAYMENTS: &str = "[group.payments]\nmembers = [\"local:bob\"]";

/// The small bundle, in which alice and carol are one human.
fn ana() -> String {
    format!("[human.ana]\nidentities = [\"local:alice\", \"local:carol\"]\n\n{PAYMENTS}")
}

/// The same, in which bob and carol are.
fn bea() -> String {
    format!("[human.bea]\nidentities = [\"local:bob\", \"local:carol\"]\n\n{PAYMENTS}")
}

#[tokio::test]
async fn identities_of_one_human_count_once() {
    let stage = stage().await;
    stage.edit_policy(PAYMENTS, &ana());
    let (alice, bob, carol) = (
        stage.sign_in("alice").await,
        stage.sign_in("bob").await,
        stage.sign_in("carol").await,
    );
    let request = stage.file(&alice, "prod-readonly").await.unwrap().request;
    assert_eq!(request.stages[0].approvers, ["bob"]);
    assert!(inbox::inbox(&stage.backend, &carol).await.unwrap().requests.is_empty());
    assert_eq!(code(approve(&stage, &carol, &request).await), "policy.own_request");
    assert_eq!(inbox::inbox(&stage.backend, &bob).await.unwrap().requests.len(), 1);
    // linked only after the vote, it is void all the same
    stage.edit_policy(PAYMENTS, PAYMENTS);
    approve(&stage, &carol, &request).await.unwrap();
    stage.edit_policy(PAYMENTS, &ana());
    stage.work().await;
    let grant = view(&stage, &alice, &request.id).await.grant.unwrap();
    assert_eq!(
        grant.detail.as_deref(),
        Some("the approval of carol is void: another identity of somebody who asked or decided")
    );
}

#[tokio::test]
async fn attack_03_device_of_another_identity_of_who_asks_decides_nothing() {
    let stage = Stage::new().await;
    stage.edit_policy(PAYMENTS, &ana());
    let (alice, theirs) = (stage.sign_in("alice").await, new_key());
    stage.sign_in_on("carol", &theirs).await;
    let bob = stage.sign_in_on("bob", &theirs).await;
    let request = stage.file(&alice, "prod-admin").await.unwrap().request;
    assert_eq!(code(approve(&stage, &bob, &request).await), "policy.own_request");
    let own = stage.sign_in("bob").await;
    assert_eq!(approve(&stage, &own, &request).await.unwrap().state, "approved");
}

#[tokio::test]
async fn attack_03_second_identity_decides_nothing_where_devices_are_shared() {
    let stage = Stage::with(|settings| settings.shared_devices_decide = true).await;
    stage.edit_policy(PAYMENTS, &ana());
    let (alice, carol) = (stage.sign_in("alice").await, stage.sign_in("carol").await);
    let request = stage.file(&alice, "prod-readonly").await.unwrap().request;
    assert_eq!(code(approve(&stage, &carol, &request).await), "policy.own_request");
}

#[tokio::test]
async fn attack_03_two_identities_of_one_human_are_one_vote() {
    let stage = Stage::new().await;
    stage.edit_policy(PAYMENTS, &bea());
    let (alice, bob, carol) = (
        stage.sign_in("alice").await,
        stage.sign_in("bob").await,
        stage.sign_in("carol").await,
    );
    let request = stage.file(&alice, "prod-owner").await.unwrap().request;
    assert_eq!(approve(&stage, &bob, &request).await.unwrap().state, "pending");
    assert!(inbox::inbox(&stage.backend, &carol).await.unwrap().requests.is_empty());
    assert_eq!(code(approve(&stage, &carol, &request).await), "request.already_decided");
    // linked only after both have voted, the second vote is void
    stage.edit_policy(PAYMENTS, PAYMENTS);
    assert_eq!(approve(&stage, &carol, &request).await.unwrap().state, "approved");
    stage.edit_policy(PAYMENTS, &bea());
    stage.work().await;
    let grant = view(&stage, &alice, &request.id).await.grant.unwrap();
    assert_eq!(
        grant.detail.as_deref(),
        Some("the approval of carol is void: another identity of somebody who asked or decided")
    );
}

#[tokio::test]
async fn attack_03_two_identities_of_one_human_do_not_lift_everything() {
    for shared in [false, true] {
        let stage = Stage::with(|settings| settings.shared_devices_decide = shared).await;
        stage.edit_policy(PAYMENTS, &bea());
        let (bob, carol) = (stage.sign_in("bob").await, stage.sign_in("carol").await);
        lock(&stage, &carol, "all").await.unwrap();
        assert!(!unlock(&stage, &bob, "all").await.unwrap().lifted);
        assert_eq!(code(unlock(&stage, &carol, "all").await), "lock.second_person");
    }
}
