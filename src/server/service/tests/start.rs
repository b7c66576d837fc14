//! Asking for later: scheduled, decided again at the start, taken back before.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::locks::{lock, state};
use super::*;
use crate::domain::Timestamp;
use crate::server::stage::members::Members;
use crate::server::stage::{NOON, new_request};

/// `secs` after noon.
fn noon_plus(secs: i64) -> Timestamp {
    Timestamp::from_millis(NOON.millis() + secs * 1000)
}

async fn file_at(stage: &Stage, caller: &Caller, target: &str, secs: i64) -> Result<Filed, Failure> {
    let new = NewRequest {
        start: Some(noon_plus(secs)),
        ..new_request(target, 3_600)
    };
    stage.file_as(caller, &new).await
}

#[tokio::test]
async fn request_for_later_is_scheduled_and_lasts_from_its_start() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    let filed = file_at(&stage, &alice, "dev-admin", 7_200).await.unwrap().request;
    assert_eq!(filed.start, Some(noon_plus(7_200)));
    stage.at(7_199);
    stage.work().await;
    assert_eq!(state(&stage, &alice, &filed).await.0, "scheduled");
    assert_eq!(stage.provider.verified.load(Ordering::SeqCst), 0);
    stage.at(7_200);
    stage.work().await;
    let grant = view(&stage, &alice, &filed.id).await.grant.unwrap();
    assert_eq!(
        (grant.state.as_str(), grant.ends_at),
        ("active", Some(noon_plus(10_800)))
    );
}

#[tokio::test]
async fn story_26_start_is_decided_again() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let filed = file_at(&stage, &alice, "prod-admin", 7_200).await.unwrap().request;
    decide::decide(&stage.backend, &bob, &filed.id, &yes(&filed), None)
        .await
        .unwrap();
    // approved for later, dismissed in between
    stage.edit_policy("[\"local:alice\", ", "[");
    stage.at(7_200);
    stage.work().await;
    let refused = ("ended".to_owned(), Some("refused".to_owned()));
    assert_eq!(state(&stage, &alice, &filed).await, refused);
    assert_eq!(stage.provider.verified.load(Ordering::SeqCst), 0);
}

/// Alice's `dev-admin`, approved for in two hours, and the provider that it is a membership of.
async fn membership_in_two_hours() -> (Stage, Arc<Members>, Caller, RequestView) {
    let (stage, members) = Stage::of_members();
    let alice = stage.sign_in("alice").await;
    let filed = file_at(&stage, &alice, "dev-admin", 7_200).await.unwrap().request;
    stage.at(7_200);
    (stage, members, alice, filed)
}

#[tokio::test]
async fn start_is_withheld_where_the_system_is_not_what_was_approved() {
    let (stage, members, alice, filed) = membership_in_two_hours().await;
    let longer = "a session of permission set Admin lives PT12H";
    *members.refusal.lock().unwrap() = Some(ProviderError::Refused(longer.into()));
    stage.work().await;
    let changed = ("ended".to_owned(), Some("changed".to_owned()));
    assert_eq!(state(&stage, &alice, &filed).await, changed);
    let grant = view(&stage, &alice, &filed.id).await.grant.unwrap();
    assert_eq!(grant.detail.as_deref(), Some(longer));
    assert_eq!(members.count("grant"), 0);
}

#[tokio::test]
async fn start_waits_for_a_system_that_does_not_answer() {
    let (stage, members, alice, filed) = membership_in_two_hours().await;
    *members.refusal.lock().unwrap() = Some(ProviderError::Throttled("later".into()));
    stage.work().await;
    assert_eq!(state(&stage, &alice, &filed).await.0, "scheduled");
    *members.refusal.lock().unwrap() = None;
    stage.at(7_202);
    stage.work().await;
    assert_eq!(state(&stage, &alice, &filed).await.0, "active");
}

#[tokio::test]
async fn start_that_is_too_late_asks_no_system() {
    let (stage, members, alice, filed) = membership_in_two_hours().await;
    *members.refusal.lock().unwrap() = Some(ProviderError::Throttled("later".into()));
    stage.work().await;
    stage.at(86_400);
    stage.work().await;
    let expired = ("ended".to_owned(), Some("expired".to_owned()));
    assert_eq!(state(&stage, &alice, &filed).await, expired);
}

#[tokio::test]
async fn what_is_scheduled_is_given_back_and_ended_by_a_lock() {
    let stage = Stage::new().await;
    let (alice, carol) = (stage.sign_in("alice").await, stage.sign_in("carol").await);
    let filed = file_at(&stage, &alice, "dev-admin", 7_200).await.unwrap().request;
    let grant = filed.grant.as_ref().unwrap().id.clone();
    end::end(&stage.backend, &alice, &grant, &EndGrant::default(), None)
        .await
        .unwrap();
    assert_eq!(state(&stage, &alice, &filed).await.1.as_deref(), Some("dropped"));
    let again = file_at(&stage, &alice, "dev-admin", 7_200).await.unwrap().request;
    lock(&stage, &carol, "alice").await.unwrap();
    stage.work().await;
    assert_eq!(state(&stage, &alice, &again).await.1.as_deref(), Some("locked"));
    stage.at(8_000);
    stage.work().await;
    assert_eq!(stage.backend.store.left().await.unwrap(), 0);
}

#[tokio::test]
async fn story_25_what_is_planned_for_later_stands_in_nobodys_way() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let tomorrow = 86_400;
    // one approved for tomorrow, one that waits for the day after
    let planned = file_at(&stage, &alice, "prod-admin", tomorrow).await.unwrap().request;
    decide::decide(&stage.backend, &bob, &planned.id, &yes(&planned), None)
        .await
        .unwrap();
    file_at(&stage, &alice, "prod-admin", 2 * tomorrow).await.unwrap();
    // paged at night
    let now = stage.file(&alice, "prod-admin").await.unwrap();
    assert_eq!(now.outcome, Outcome::Filed);
    decide::decide(&stage.backend, &bob, &now.request.id, &yes(&now.request), None)
        .await
        .unwrap();
    stage.work().await;
    assert_eq!(state(&stage, &alice, &now.request).await.0, "active");
    let extension = NewRequest {
        extend: true,
        ..new_request("prod-admin", 1_800)
    };
    let more = stage.file_as(&alice, &extension).await.unwrap();
    assert_eq!(more.outcome, Outcome::Filed);
    assert_eq!(state(&stage, &alice, &planned).await.0, "scheduled");
}

#[tokio::test]
async fn request_that_overlaps_what_is_planned_is_told_of_it() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    let planned = file_at(&stage, &alice, "dev-admin", 1_800).await.unwrap().request;
    let failure = stage.file(&alice, "dev-admin").await.unwrap_err().problem;
    let start = noon_plus(1_800);
    let title = format!(
        "{} is approved from {start} for the same target and overlaps",
        planned.id
    );
    assert_eq!((failure.code.as_str(), failure.title), ("request.differs", title));
    // up to its start there is room
    stage.file_for(&alice, "dev-admin", 1_800).await.unwrap();
    // and from where it has to be over
    let later = file_at(&stage, &alice, "dev-admin", 1_800 + 3_600 + 3_600)
        .await
        .unwrap();
    assert_eq!(later.outcome, Outcome::Filed);
}

#[tokio::test]
async fn two_who_file_at_once_beside_what_is_planned_make_one() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    file_at(&stage, &alice, "dev-admin", 86_400).await.unwrap();
    let (one, two) = tokio::join!(stage.file(&alice, "dev-admin"), stage.file(&alice, "dev-admin"));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.request.id, two.request.id);
}

#[tokio::test]
async fn start_beyond_what_may_be_is_refused() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    let days = |days: i64| days * 86_400;
    assert_eq!(code(file_at(&stage, &alice, "dev-admin", -61).await), "usage.time");
    assert_eq!(
        code(file_at(&stage, &alice, "dev-admin", days(400)).await),
        "usage.time"
    );
    let far = file_at(&stage, &alice, "dev-admin", days(31))
        .await
        .unwrap_err()
        .problem;
    assert_eq!(
        (far.code.as_str(), far.reasons[0].policy.as_str()),
        ("policy.refused", "base.start-horizon")
    );
    // typed a moment before it came
    let late = file_at(&stage, &alice, "dev-admin", -30).await.unwrap().request;
    stage.work().await;
    assert_eq!(state(&stage, &alice, &late).await.0, "active");
    let extension = NewRequest {
        start: Some(noon_plus(60)),
        extend: true,
        ..new_request("dev-admin", 60)
    };
    assert_eq!(code(stage.file_as(&alice, &extension).await), "usage.time");
}
