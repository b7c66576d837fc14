//! Attacks on the use cases, by their number.

use std::sync::atomic::Ordering;

use super::tests::locks::{lock, state, unlock};
use super::tests::{active, code, view};
use super::{decide, inbox, mint};
use crate::server::provider::ProviderError;
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

#[tokio::test]
async fn attack_19_panic_gives_nothing_back_that_policy_approves_alone() {
    let stage = Stage::new().await;
    let (alice, bob, carol) = (
        stage.sign_in("alice").await,
        stage.sign_in("bob").await,
        stage.sign_in("carol").await,
    );
    let held = stage.file(&alice, "dev-admin").await.unwrap().request;
    stage.work().await;
    let grant = view(&stage, &alice, &held.id).await.grant.unwrap().id;
    // approved already, and about to be activated
    let coming = stage.file(&bob, "dev-admin").await.unwrap().request;
    lock(&stage, &carol, "all").await.unwrap();
    assert_eq!(code(mint::mint(&stage.backend, &alice, &grant).await), "access.locked");
    stage.work().await;
    let locked = ("ended".to_owned(), Some("locked".to_owned()));
    assert_eq!(state(&stage, &alice, &held).await, locked);
    assert_eq!(state(&stage, &bob, &coming).await, locked);
    for who in [&alice, &bob, &carol] {
        assert_eq!(code(stage.file(who, "dev-admin").await), "access.locked");
    }
    // one of two is not enough
    unlock(&stage, &carol, "all").await.unwrap();
    assert_eq!(code(stage.file(&alice, "dev-admin").await), "access.locked");
    assert_eq!(stage.provider.minted.load(Ordering::SeqCst), 0);
    assert_eq!(stage.provider.verified.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn attack_19_revoke_all_gives_nothing_back_while_the_provider_is_down() {
    let stage = Stage::new().await;
    let (alice, carol) = (stage.sign_in("alice").await, stage.sign_in("carol").await);
    let held = stage.file(&alice, "dev-admin").await.unwrap().request;
    stage.work().await;
    let down = ProviderError::Unreachable("no answer".into());
    stage.provider.errors.lock().unwrap().extend([down.clone(), down]);
    lock(&stage, &carol, "person:alice").await.unwrap();
    stage.work().await;
    let ending = ("revoking".to_owned(), Some("locked".to_owned()));
    assert_eq!(state(&stage, &alice, &held).await, ending);
    let grant = view(&stage, &alice, &held.id).await.grant.unwrap().id;
    assert_eq!(code(mint::mint(&stage.backend, &alice, &grant).await), "access.locked");
    assert_eq!(code(stage.file(&alice, "dev-admin").await), "access.locked");
    stage.at(60);
    stage.work().await;
    stage.at(120);
    stage.work().await;
    assert_eq!(state(&stage, &alice, &held).await.0, "ended");
}
