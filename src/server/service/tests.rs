//! The use cases over the real store and policy, with a provider that is a stand-in of ours.

mod directory;
mod dry_run;
mod extend;
mod humans;
mod joined;
mod lock_reach;
pub(super) mod locks;
mod many_accounts;
mod many_listed;
mod names;
mod others;
mod presence;
mod pushes;
mod several;
mod sign_in_elsewhere;
mod start;
mod stories;
mod ticket;
mod warning;

use std::sync::atomic::Ordering;

use super::{decide, end, look, mint};
use crate::domain::{Comment, Effect, GrantId};
use crate::server::backend::Caller;
use crate::server::failure::Failure;
use crate::server::identity::device::DeviceKey;
use crate::server::provider::ProviderError;
use crate::server::stage::{Stage, new_key, yes};
use crate::wire::{EndGrant, Filed, NewRequest, Outcome, RequestView};

/// What `code` a failure has.
pub(super) fn code<T>(answer: Result<T, Failure>) -> String {
    answer.err().expect("a refusal").problem.code
}

pub(super) async fn view(stage: &Stage, caller: &Caller, id: &str) -> RequestView {
    let none = std::time::Duration::ZERO;
    let seen = look::request(&stage.backend, caller, id, None, none).await;
    seen.unwrap().unwrap()
}

/// Alice's request for `prod-admin`, approved by bob and given.
pub(super) async fn active(stage: &Stage) -> (Caller, Caller, RequestView) {
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let filed = stage.file(&alice, "prod-admin").await.unwrap().request;
    decide::decide(&stage.backend, &bob, &filed.id, &yes(&filed), None)
        .await
        .unwrap();
    stage.work().await;
    let now = view(stage, &alice, &filed.id).await;
    assert_eq!(now.grant.as_ref().unwrap().state, "active");
    (alice, bob, now)
}

#[tokio::test]
async fn request_waits_is_approved_given_minted_and_ends() {
    let stage = Stage::new().await;
    let (alice, _, request) = active(&stage).await;
    let minted = mint::mint(&stage.backend, &alice, &request.grant.unwrap().id)
        .await
        .unwrap();
    assert_eq!(minted.expires_at, minted.grant_ends_at);
    stage.at(3599);
    stage.work().await;
    assert_eq!(view(&stage, &alice, &request.id).await.grant.unwrap().state, "active");
    stage.at(3600);
    stage.work().await;
    let grant = view(&stage, &alice, &request.id).await.grant.unwrap();
    assert_eq!(
        (grant.state.as_str(), grant.cause.as_deref()),
        ("ended", Some("expired"))
    );
    assert_eq!(
        code(mint::mint(&stage.backend, &alice, &grant.id).await),
        "grant.not_live"
    );
}

#[tokio::test]
async fn dev_admin_is_automatic_and_leaves_nothing_behind() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    let filed = stage.file(&alice, "dev-admin").await.unwrap();
    assert_eq!(
        (filed.outcome, filed.request.state.as_str()),
        (Outcome::Filed, "approved")
    );
    stage.work().await;
    let own = EndGrant::default();
    let grant = view(&stage, &alice, &filed.request.id).await.grant.unwrap();
    end::end(&stage.backend, &alice, &grant.id, &own, None).await.unwrap();
    stage.at(13 * 3600);
    stage.work().await;
    assert_eq!(stage.backend.store.left().await.unwrap(), 0);
}

#[tokio::test]
async fn vote_of_somebody_who_left_is_void_at_activation() {
    let stage = Stage::new().await;
    let (alice, carol) = (stage.sign_in("alice").await, stage.sign_in("carol").await);
    let filed = stage.file(&alice, "prod-admin").await.unwrap().request;
    decide::decide(&stage.backend, &carol, &filed.id, &yes(&filed), None)
        .await
        .unwrap();
    stage.edit_policy("\"local:carol\"", "\"local:dan\"");
    stage.work().await;
    let grant = view(&stage, &alice, &filed.id).await.grant.unwrap();
    assert_eq!(
        (grant.state.as_str(), grant.cause.as_deref()),
        ("ended", Some("refused"))
    );
    assert!(grant.detail.unwrap().contains("carol"));
}

#[tokio::test]
async fn decision_on_another_body_is_refused() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let filed = stage.file(&alice, "prod-admin").await.unwrap().request;
    let mut other = yes(&filed);
    other.digest = other.digest.replace(|c: char| c.is_ascii_digit(), "0");
    assert_eq!(
        code(decide::decide(&stage.backend, &bob, &filed.id, &other, None).await),
        "request.changed"
    );
}

#[tokio::test]
async fn second_decision_is_told_who_decided() {
    let stage = Stage::new().await;
    let (alice, bob, carol) = (
        stage.sign_in("alice").await,
        stage.sign_in("bob").await,
        stage.sign_in("carol").await,
    );
    let filed = stage.file(&alice, "prod-admin").await.unwrap().request;
    decide::decide(&stage.backend, &bob, &filed.id, &yes(&filed), None)
        .await
        .unwrap();
    let late = decide::decide(&stage.backend, &carol, &filed.id, &yes(&filed), None)
        .await
        .unwrap_err();
    assert_eq!(late.problem.code, "request.already_decided");
    assert!(late.problem.title.ends_with("by bob"), "{}", late.problem.title);
}

#[tokio::test]
async fn story_12_two_approvers_at_once_make_one_grant() {
    let stage = Stage::new().await;
    let (alice, bob, carol) = (
        stage.sign_in("alice").await,
        stage.sign_in("bob").await,
        stage.sign_in("carol").await,
    );
    let filed = stage.file(&alice, "prod-admin").await.unwrap().request;
    let vote = yes(&filed);
    let (one, two) = tokio::join!(
        decide::decide(&stage.backend, &bob, &filed.id, &vote, None),
        decide::decide(&stage.backend, &carol, &filed.id, &vote, None),
    );
    let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
    let late = lost.unwrap_err().problem;
    assert_eq!(late.code, "request.already_decided");
    assert!(late.title.contains("approved already by "), "{}", late.title);
    stage.work().await;
    let grant = GrantId::parse(&won.unwrap().grant.unwrap().id).unwrap();
    let left = stage.backend.store.pending_effects(&grant).await.unwrap();
    let ends = left.iter().filter(|row| matches!(row.effect, Effect::End { .. }));
    assert_eq!(ends.count(), 1, "one revoke is scheduled");
    assert_eq!(stage.provider.verified.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn owner_needs_two_people_in_order() {
    let stage = Stage::new().await;
    let (alice, bob, carol) = (
        stage.sign_in("alice").await,
        stage.sign_in("bob").await,
        stage.sign_in("carol").await,
    );
    let filed = stage.file(&alice, "prod-owner").await.unwrap().request;
    let early = decide::decide(&stage.backend, &carol, &filed.id, &yes(&filed), None).await;
    assert_eq!(code(early), "policy.refused");
    let half = decide::decide(&stage.backend, &bob, &filed.id, &yes(&filed), None)
        .await
        .unwrap();
    assert_eq!(half.state, "pending");
    let whole = decide::decide(&stage.backend, &carol, &filed.id, &yes(&filed), None)
        .await
        .unwrap();
    assert_eq!(whole.state, "approved");
}

#[tokio::test]
async fn provider_that_is_down_is_tried_again() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    stage.provider.errors.lock().unwrap().extend([
        ProviderError::Unreachable("gone".into()),
        ProviderError::Throttled("slow".into()),
    ]);
    let filed = stage.file(&alice, "dev-admin").await.unwrap().request;
    stage.work().await;
    let grant = view(&stage, &alice, &filed.id).await.grant.unwrap();
    assert_eq!((grant.state.as_str(), grant.attempts), ("granting", 1));
    assert!(grant.last_error.unwrap().contains("gone"));
    for secs in [2, 5] {
        stage.at(secs);
        stage.work().await;
    }
    assert_eq!(view(&stage, &alice, &filed.id).await.grant.unwrap().state, "active");
}

#[tokio::test]
async fn provider_that_refuses_fails_the_grant_with_its_words() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    stage
        .provider
        .errors
        .lock()
        .unwrap()
        .push(ProviderError::Refused("no such role".into()));
    let filed = stage.file(&alice, "dev-admin").await.unwrap().request;
    stage.work().await;
    let grant = view(&stage, &alice, &filed.id).await.grant.unwrap();
    assert_eq!(
        (grant.state.as_str(), grant.detail.as_deref()),
        ("failed", Some("no such role"))
    );
}

#[tokio::test]
async fn same_request_joins_and_another_duration_differs() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    let first: Filed = stage.file(&alice, "prod-admin").await.unwrap();
    let again = stage.file(&alice, "prod-admin").await.unwrap();
    assert_eq!((again.outcome, &again.request.id), (Outcome::Joined, &first.request.id));
    let differs = stage.file_for(&alice, "prod-admin", 1800).await.unwrap_err().problem;
    assert_eq!(
        (differs.code.as_str(), differs.request),
        ("request.differs", Some(first.request.id))
    );
}

#[tokio::test]
async fn request_over_the_cap_says_the_cap() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    let problem = stage
        .file_for(&alice, "prod-admin", 99 * 3600)
        .await
        .unwrap_err()
        .problem;
    assert_eq!(
        (problem.code.as_str(), problem.cap_s),
        ("policy.over_cap", Some(4 * 3600))
    );
}

#[tokio::test]
async fn stranger_sees_neither_request_nor_that_it_is_there() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    let filed = stage.file(&alice, "prod-admin").await.unwrap().request;
    let stranger = stage.sign_in("mallory").await;
    let none = std::time::Duration::ZERO;
    for given in [filed.id.as_str(), &filed.id[..8], "prod-admin"] {
        assert_eq!(
            code(look::request(&stage.backend, &stranger, given, None, none).await),
            "request.not_found"
        );
    }
}

#[tokio::test]
async fn revoke_by_target_never_takes_ones_own_grant() {
    let stage = Stage::new().await;
    let (alice, _, request) = active(&stage).await;
    let meant = end::end(&stage.backend, &alice, "prod-admin", &EndGrant::default(), None).await;
    assert_eq!(code(meant), "grant.not_found");
    let grant = view(&stage, &alice, &request.id).await.grant.unwrap();
    assert_eq!(grant.state, "active");
}

#[tokio::test]
async fn narrowing_that_cannot_fit_is_refused_before_anybody_is_asked() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    let only = (0..200)
        .map(|n| format!("s3:GetObject@arn:aws:s3:::bucket-{n}/*"))
        .collect();
    let reason = "payout job stuck, PAY-311".to_owned();
    let new = NewRequest {
        target: "prod-admin".into(),
        duration_s: 3600,
        reason,
        only,
        ..NewRequest::default()
    };
    assert_eq!(
        code(super::file::file(&stage.backend, &alice, &new, None).await),
        "usage.narrowing"
    );
    assert!(stage.backend.store.pending(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn revoke_needs_a_reason_and_policy() {
    let stage = Stage::new().await;
    let (_, bob, request) = active(&stage).await;
    let grant = request.grant.unwrap().id;
    let silent = end::end(&stage.backend, &bob, &grant, &EndGrant::default(), None).await;
    assert_eq!(code(silent), "usage.text");
    let reason = EndGrant {
        reason: Some(Comment::parse("ledger is frozen").unwrap().to_string()),
    };
    let ended = end::end(&stage.backend, &bob, &grant, &reason, None).await.unwrap();
    assert_eq!(
        (ended.grant.state.as_str(), ended.grant.cause.as_deref()),
        ("revoking", Some("revoked"))
    );
}

#[tokio::test]
async fn code_signs_in_once_and_only_its_person() {
    let stage = Stage::new().await;
    let code_of_alice = super::sign_in::issue_code(&stage.backend, "alice").await.unwrap();
    let address = std::net::IpAddr::from([127, 0, 0, 1]);
    let key = DeviceKey::of(&new_key()).unwrap();
    let new = |name: &str| crate::wire::NewSession {
        name: name.into(),
        code: code_of_alice.clone(),
        verifier: None,
        key_storage: "file".into(),
    };
    assert_eq!(
        code(super::sign_in::open(&stage.backend, &new("bob"), &key, address).await),
        "session.code_invalid"
    );
    assert!(
        super::sign_in::open(&stage.backend, &new("alice"), &key, address)
            .await
            .is_ok()
    );
    assert_eq!(
        code(super::sign_in::open(&stage.backend, &new("alice"), &key, address).await),
        "session.code_invalid"
    );
}

#[tokio::test]
async fn clock_set_back_does_not_lengthen_a_grant_that_ended() {
    let stage = Stage::new().await;
    let (alice, _, request) = active(&stage).await;
    stage.at(3600);
    stage.work().await;
    stage.at(60);
    stage.work().await;
    let grant = view(&stage, &alice, &request.id).await.grant.unwrap();
    assert_eq!(grant.state, "ended");
    assert_eq!(
        code(mint::mint(&stage.backend, &alice, &grant.id).await),
        "grant.not_live"
    );
}

#[tokio::test]
async fn request_past_its_time_blocks_no_new_one() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    let first = stage.file(&alice, "prod-admin").await.unwrap().request;
    // the worker has not come by
    stage.at(8 * 3600);
    let second = stage.file(&alice, "prod-admin").await.unwrap();
    assert_eq!(second.outcome, Outcome::Filed);
    assert_ne!(second.request.id, first.id);
    assert_eq!(view(&stage, &alice, &first.id).await.state, "expired");
}

#[tokio::test]
async fn target_names_the_live_grant_that_credentials_come_from() {
    let stage = Stage::new().await;
    let (alice, bob, request) = active(&stage).await;
    let minted = mint::mint(&stage.backend, &alice, "prod-admin").await.unwrap();
    assert_eq!(Some(minted.grant), request.grant.map(|g| g.id));
    assert_eq!(
        code(mint::mint(&stage.backend, &bob, "prod-admin").await),
        "grant.not_found"
    );
    assert_eq!(
        code(mint::mint(&stage.backend, &alice, "dev-admin").await),
        "grant.not_found"
    );
}
