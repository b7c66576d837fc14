//! Rounds of reconciling over the real store and worker, with a system outside that is a stand-in of ours.

mod before;

use super::*;
use crate::server::provider::{Provider as _, ProviderError};
use crate::server::service::end;
use crate::server::stage::members::Members;
use crate::server::stage::{NOON, Stage};
use crate::wire::EndGrant;

const ALICE: &str = "user-alice";

/// Alice's live `dev-admin` and `dev-too`, which are one membership.
async fn live() -> (Stage, Arc<Members>) {
    let (stage, members) = Stage::of_members();
    let alice = stage.sign_in("alice").await;
    stage.file_for(&alice, "dev-admin", 3_600).await.unwrap();
    stage.file_for(&alice, "dev-too", 7_200).await.unwrap();
    stage.work().await;
    assert!(members.has(ALICE));
    (stage, members)
}

async fn kinds(stage: &Stage, kind: &str) -> usize {
    let all = stage.backend.store.evidence(0, 1_000).await.unwrap();
    all.iter().filter(|line| line.kind == kind).count()
}

#[tokio::test]
async fn membership_that_somebody_took_closes_its_grants() {
    let (stage, members) = live().await;
    let mut reconciler = Reconciler::default();
    stage.at(300);
    reconciler.round(&stage.backend).await.unwrap();
    stage.work().await;
    assert!(members.has(ALICE), "it is there, so nothing is closed");
    members.there.lock().unwrap().clear();
    reconciler.round(&stage.backend).await.unwrap();
    stage.work().await;
    let left = stage.backend.store.memberships(None, 10).await.unwrap();
    assert_eq!(left, []);
    let ended = stage.backend.store.evidence(0, 1_000).await.unwrap();
    let causes = ended.iter().filter(|line| line.kind == "grant.ended");
    let causes: Vec<_> = causes
        .map(|line| line.payload.clone().unwrap()["details"]["cause"].clone())
        .collect();
    assert_eq!(causes, ["gone", "gone"]);
}

#[tokio::test]
async fn membership_given_a_moment_ago_is_not_missed() {
    let (stage, members) = live().await;
    members.there.lock().unwrap().clear();
    stage.at(60);
    Reconciler::default().round(&stage.backend).await.unwrap();
    assert_eq!(kinds(&stage, "grant.revoking").await, 0);
}

#[tokio::test]
async fn access_that_jit_did_not_give_is_told_once_and_stays() {
    let (stage, members) = live().await;
    members.there.lock().unwrap().insert("user-mallory".to_owned());
    let mut reconciler = Reconciler::default();
    for _ in 0..3 {
        reconciler.round(&stage.backend).await.unwrap();
    }
    assert_eq!(kinds(&stage, "drift.found").await, 1);
    // a start, or another replica, tells nothing anew
    Reconciler::default().round(&stage.backend).await.unwrap();
    assert_eq!(kinds(&stage, "drift.found").await, 1);
    assert!(members.has("user-mallory"));
    assert!(members.count("revoke") == 0);
}

#[tokio::test]
async fn access_given_after_the_round_began_is_no_drift() {
    let (stage, members) = live().await;
    let bundle = stage.backend.bundle();
    let binding = &bundle.catalogue().find("dev-admin").unwrap().binding;
    let listed = members.members(stage.backend.now(), binding).await.unwrap();
    let mut reconciler = Reconciler::default();
    // nobody was known to have it when the round began, and it is taken a moment after the list was read
    reconciler.compare(&stage.backend, binding, &listed, &[]).await.unwrap();
    stage.at(7_200);
    stage.work().await;
    assert!(!members.has(ALICE));
    reconciler.compare(&stage.backend, binding, &listed, &[]).await.unwrap();
    assert_eq!(kinds(&stage, "drift.found").await, 0);
    stage.at(7_500);
    reconciler.compare(&stage.backend, binding, &listed, &[]).await.unwrap();
    assert_eq!(
        kinds(&stage, "drift.found").await,
        1,
        "long gone from here, and there all the same"
    );
}

const MALLORY: &str = "user-mallory";

/// So much later is another round.
const ROUND_S: i64 = 300;

/// A backend that takes away what nobody here gave, after its first round.
async fn removing() -> (Stage, Arc<Members>, Reconciler) {
    let (stage, members) = live().await;
    stage.with_drift("remove");
    let mut reconciler = Reconciler::default();
    reconciler.round(&stage.backend).await.unwrap();
    (stage, members, reconciler)
}

fn add(members: &Members, user: &str) {
    members.there.lock().unwrap().insert(user.to_owned());
}

/// The next round, at `secs`, and what the worker does then.
async fn round(stage: &Stage, reconciler: &mut Reconciler, secs: i64) {
    stage.at(secs);
    reconciler.round(&stage.backend).await.unwrap();
    stage.work().await;
}

#[tokio::test]
async fn access_that_came_after_us_goes_in_its_second_round() {
    let (stage, members, mut reconciler) = removing().await;
    add(&members, MALLORY);
    round(&stage, &mut reconciler, ROUND_S).await;
    assert!(members.has(MALLORY), "not at first sight");
    // a round a moment later is none
    round(&stage, &mut reconciler, ROUND_S + 5).await;
    assert!(members.has(MALLORY));
    round(&stage, &mut reconciler, 2 * ROUND_S).await;
    assert!(!members.has(MALLORY) && members.has(ALICE));
    for (kind, count) in [("drift.found", 1), ("drift.removing", 1), ("drift.removed", 1)] {
        assert_eq!(kinds(&stage, kind).await, count, "{kind}");
    }
    // and again, should it come again
    add(&members, MALLORY);
    round(&stage, &mut reconciler, 3 * ROUND_S).await;
    assert!(members.has(MALLORY));
    round(&stage, &mut reconciler, 4 * ROUND_S).await;
    assert!(!members.has(MALLORY));
}

/// What an earlier start told is not told anew, and may have gone and come again in between.
#[tokio::test]
async fn access_goes_in_the_second_round_of_a_start() {
    let (stage, members, mut reconciler) = removing().await;
    add(&members, MALLORY);
    round(&stage, &mut reconciler, ROUND_S).await;
    let mut reconciler = Reconciler::default();
    round(&stage, &mut reconciler, 2 * ROUND_S).await;
    assert!(members.has(MALLORY), "not at first sight");
    round(&stage, &mut reconciler, 3 * ROUND_S).await;
    assert!(!members.has(MALLORY));
    assert_eq!(kinds(&stage, "drift.found").await, 1);
}

#[tokio::test]
async fn access_that_was_there_before_us_is_never_taken() {
    let (stage, members) = live().await;
    add(&members, MALLORY);
    stage.with_drift("remove");
    let mut reconciler = Reconciler::default();
    for n in 0..4 {
        round(&stage, &mut reconciler, n * ROUND_S).await;
    }
    // nor by a backend that was started since
    for n in 4..8 {
        round(&stage, &mut Reconciler::default(), n * ROUND_S).await;
    }
    assert!(members.has(MALLORY));
    assert_eq!(members.count("oust"), 0);
    // once it is seen to be gone, it came after us
    members.there.lock().unwrap().remove(MALLORY);
    round(&stage, &mut reconciler, 8 * ROUND_S).await;
    add(&members, MALLORY);
    round(&stage, &mut reconciler, 9 * ROUND_S).await;
    round(&stage, &mut reconciler, 10 * ROUND_S).await;
    assert!(!members.has(MALLORY));
}

#[tokio::test]
async fn attack_23_access_that_a_grant_found_stays_after_its_end() {
    let (stage, members) = Stage::of_members();
    stage.with_drift("remove");
    let mut reconciler = Reconciler::default();
    round(&stage, &mut reconciler, 0).await;
    add(&members, ALICE);
    let alice = stage.sign_in("alice").await;
    stage.file_for(&alice, "dev-admin", 3_600).await.unwrap();
    for n in 1..20 {
        round(&stage, &mut reconciler, n * ROUND_S).await;
    }
    assert!(members.has(ALICE), "the approver was told that it stays");
    assert_eq!((members.count("oust"), members.count("revoke")), (0, 0));
    // asked for again, it is looked at anew
    members.there.lock().unwrap().clear();
    stage.file_for(&alice, "dev-admin", 3_600).await.unwrap();
    stage.work().await;
    assert!(members.has(ALICE));
    stage.at(20 * ROUND_S + 3_601);
    stage.work().await;
    assert!(!members.has(ALICE), "this time it was ours");
}

#[tokio::test]
async fn access_is_told_and_left_where_policy_says_report() {
    let (stage, members, mut reconciler) = removing().await;
    stage.with_drift("report");
    add(&members, MALLORY);
    for n in 1..5 {
        round(&stage, &mut reconciler, n * ROUND_S).await;
    }
    assert!(members.has(MALLORY));
    assert_eq!(kinds(&stage, "drift.found").await, 1);
}

#[tokio::test]
async fn drift_of_somebody_who_asks_meanwhile_is_theirs_to_hold() {
    let (stage, members, mut reconciler) = removing().await;
    add(&members, "user-bob");
    round(&stage, &mut reconciler, ROUND_S).await;
    let bob = stage.sign_in("bob").await;
    stage.at(2 * ROUND_S);
    // the intent is durable, and the call still to be made, when bob asks
    reconciler.round(&stage.backend).await.unwrap();
    assert_eq!(kinds(&stage, "drift.removing").await, 1);
    stage.file_for(&bob, "dev-admin", 3_600).await.unwrap();
    stage.work().await;
    assert!(members.has("user-bob"), "given anew");
    stage.at(2 * ROUND_S + 3_601);
    stage.work().await;
    assert!(!members.has("user-bob"), "and taken at its end");
}

/// A call to oust came to nothing, and whoever holds it by then gives it back before the next: that takes it away, and the
/// next has nothing to say.
#[tokio::test]
async fn drift_that_is_given_back_meanwhile_is_taken_for_its_grant() {
    let (stage, members, mut reconciler) = removing().await;
    add(&members, "user-bob");
    round(&stage, &mut reconciler, ROUND_S).await;
    let bob = stage.sign_in("bob").await;
    stage.at(2 * ROUND_S);
    reconciler.round(&stage.backend).await.unwrap();
    let filed = stage.file_for(&bob, "dev-admin", 3_600).await.unwrap();
    *members.errors.lock().unwrap() = vec![ProviderError::Throttled("later".into())];
    stage.work().await;
    assert!(members.has("user-bob"));
    assert_eq!(members.count("oust"), 1);
    let grant = filed.request.grant.unwrap().id;
    let why = EndGrant::default();
    end::end(&stage.backend, &bob, &grant, &why, None).await.unwrap();
    stage.work().await;
    assert!(!members.has("user-bob"), "taken away as any other");
    stage.at(2 * ROUND_S + 60);
    stage.work().await;
    assert_eq!((members.count("oust"), kinds(&stage, "drift.removed").await), (1, 0));
    stage.at(86_400);
    stage.work().await;
    assert_eq!(stage.backend.store.left().await.unwrap(), 0, "effects are left");
}

#[tokio::test]
async fn too_much_at_once_is_left_for_somebody_to_look_at() {
    let (stage, members, mut reconciler) = removing().await;
    for n in 0..30 {
        add(&members, &format!("user-{n}"));
    }
    round(&stage, &mut reconciler, ROUND_S).await;
    round(&stage, &mut reconciler, 2 * ROUND_S).await;
    assert_eq!(members.count("oust"), MOST_OUSTED);
    round(&stage, &mut reconciler, 3 * ROUND_S).await;
    assert_eq!(members.count("oust"), 30);
}

#[tokio::test]
async fn list_that_cannot_be_read_takes_nothing_away() {
    let (stage, members, mut reconciler) = removing().await;
    add(&members, MALLORY);
    round(&stage, &mut reconciler, ROUND_S).await;
    *members.unlisted.lock().unwrap() = Some(ProviderError::Throttled("later".into()));
    round(&stage, &mut reconciler, 2 * ROUND_S).await;
    assert!(members.has(MALLORY) && members.has(ALICE));
    *members.unlisted.lock().unwrap() = None;
    round(&stage, &mut reconciler, 3 * ROUND_S).await;
    assert!(!members.has(MALLORY));
}
