//! Attacks on the use cases, by their number.

use std::sync::atomic::Ordering;

use super::tests::{active, code, view};
use super::{decide, inbox, mint};
use crate::server::stage::{Stage, new_key, yes};

#[tokio::test]
async fn attack_02_others_get_no_credentials_of_a_grant() {
    let stage = Stage::new().await;
    let (_, bob, request) = active(&stage).await;
    assert_eq!(
        code(mint::mint(&stage.backend, &bob, &request.grant.unwrap().id).await),
        "access.forbidden"
    );
    assert_eq!(stage.provider.minted.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn attack_03_nobody_decides_on_their_own_request() {
    let stage = Stage::new().await;
    let bob = stage.sign_in("bob").await;
    let filed = stage.file(&bob, "prod-admin").await.unwrap().request;
    assert_eq!(
        code(decide::decide(&stage.backend, &bob, &filed.id, &yes(&filed), None).await),
        "policy.own_request"
    );
    assert!(inbox::inbox(&stage.backend, &bob).await.unwrap().requests.is_empty());
}

#[tokio::test]
async fn attack_03_a_device_of_the_requester_decides_nothing() {
    let stage = Stage::new().await;
    let shared = new_key();
    let alice = stage.sign_in_on("alice", &shared).await;
    let filed = stage.file(&alice, "prod-admin").await.unwrap().request;
    let bob = stage.sign_in_on("bob", &shared).await;
    assert_eq!(
        code(decide::decide(&stage.backend, &bob, &filed.id, &yes(&filed), None).await),
        "policy.own_request"
    );
    let elsewhere = stage.sign_in("bob").await;
    let decided = decide::decide(&stage.backend, &elsewhere, &filed.id, &yes(&filed), None)
        .await
        .unwrap();
    assert_eq!(decided.state, "approved");
}

#[tokio::test]
async fn attack_06_a_role_changed_after_approval_is_never_called() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let filed = stage.file(&alice, "prod-admin").await.unwrap().request;
    decide::decide(&stage.backend, &bob, &filed.id, &yes(&filed), None)
        .await
        .unwrap();
    stage.edit_policy("jit/jit-prod-admin", "jit/jit-prod-owner2");
    stage.work().await;
    let grant = view(&stage, &alice, &filed.id).await.grant.unwrap();
    assert_eq!(
        (grant.state.as_str(), grant.cause.as_deref()),
        ("ended", Some("changed"))
    );
    assert_eq!(stage.provider.verified.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn attack_06_a_role_changed_after_activation_mints_nothing() {
    let stage = Stage::new().await;
    let (alice, _, request) = active(&stage).await;
    stage.edit_policy("jit/jit-prod-admin", "jit/jit-prod-owner2");
    let grant = request.grant.unwrap().id;
    assert_eq!(
        code(mint::mint(&stage.backend, &alice, &grant).await),
        "request.changed"
    );
    assert_eq!(stage.provider.minted.load(Ordering::SeqCst), 0);
}
