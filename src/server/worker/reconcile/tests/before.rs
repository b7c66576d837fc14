//! What was there before us, what came while nobody looked, and what is not taken away after all.

use super::*;

/// What was there before us is asked for once it is known, and nobody gets to look before it is let go of.
#[tokio::test]
async fn attack_23_access_that_nobody_looked_at_again_is_never_taken() {
    for is_repointed in [false, true] {
        let (stage, members) = live().await;
        add(&members, "user-bob");
        stage.with_drift("remove");
        let mut reconciler = Reconciler::default();
        round(&stage, &mut reconciler, 0).await;
        let bob = stage.sign_in("bob").await;
        let filed = stage.file_for(&bob, "dev-admin", 3_600).await.unwrap();
        if is_repointed {
            claim_one(&stage).await;
            stage.edit_policies(&[]);
        } else {
            *members.errors.lock().unwrap() = vec![ProviderError::Throttled("later".into())];
        }
        stage.work().await;
        stage.with_drift("remove");
        let grant = filed.request.grant.unwrap().id;
        let ended = end::end(&stage.backend, &bob, &grant, &EndGrant::default(), None).await;
        assert_eq!(ended.is_err(), is_repointed, "it failed by itself: {ended:?}");
        for n in 1..=6 {
            round(&stage, &mut reconciler, n * ROUND_S).await;
        }
        assert!(members.has("user-bob"), "{is_repointed}");
        assert_eq!(
            (members.count("oust"), members.count("revoke")),
            (0, 0),
            "{is_repointed}"
        );
    }
}

/// Takes up the first thing that is due, and no more.
async fn claim_one(stage: &Stage) {
    for work in crate::server::worker::claim(&stage.backend, "one", &crate::domain::Effect::ALL, 1).await {
        crate::server::worker::step::take(&stage.backend, &work).await;
    }
}

/// Seen to be gone, it is no access from before any more: what comes after that came after us.
#[tokio::test]
async fn attack_23_access_taken_from_a_live_grant_is_ours_to_watch() {
    let (stage, members) = Stage::of_members();
    stage.with_drift("remove");
    let mut reconciler = Reconciler::default();
    round(&stage, &mut reconciler, 0).await;
    add(&members, ALICE);
    let alice = stage.sign_in("alice").await;
    let filed = stage.file_for(&alice, "dev-admin", 7_200).await.unwrap();
    round(&stage, &mut reconciler, ROUND_S).await;
    members.there.lock().unwrap().clear();
    round(&stage, &mut reconciler, 2 * ROUND_S).await;
    let id = crate::domain::RequestId::parse(&filed.request.id).unwrap();
    let grant = stage.backend.store.grant_of(&id).await.unwrap().unwrap();
    assert_eq!(grant.detail.as_deref(), Some("somebody else took it away"));
    // a session that was begun just before goes on for its hour
    assert_eq!(grant.last_credential_at.map(|at| at.since(NOON)), Some(600 + 3_600));
    assert_eq!(
        (members.count("oust"), members.count("revoke")),
        (0, 0),
        "nobody is called"
    );
    add(&members, ALICE);
    for n in 3..=5 {
        round(&stage, &mut reconciler, n * ROUND_S).await;
    }
    assert!(!members.has(ALICE), "it came after us");
}

/// The same after a start that was told nothing of it.
#[tokio::test]
async fn access_gone_before_a_start_is_watched() {
    let (stage, members) = Stage::of_members();
    stage.with_drift("remove");
    round(&stage, &mut Reconciler::default(), 0).await;
    add(&members, ALICE);
    let alice = stage.sign_in("alice").await;
    stage.file_for(&alice, "dev-admin", 60).await.unwrap();
    stage.work().await;
    stage.at(61);
    stage.work().await;
    let known = known_of(&stage, ALICE).await.unwrap();
    assert_eq!(known.state, MembershipState::Foreign);
    members.there.lock().unwrap().clear();
    round(&stage, &mut Reconciler::default(), ROUND_S).await;
    assert!(!known_of(&stage, ALICE).await.unwrap().pre_existing);
}

async fn known_of(stage: &Stage, user: &str) -> Option<Membership> {
    let bundle = stage.backend.bundle();
    let assignment = bundle
        .catalogue()
        .find("dev-admin")
        .unwrap()
        .binding
        .assignment()
        .unwrap();
    known(&stage.backend, assignment, user).await.unwrap()
}

const DAY_S: i64 = 86_400;

#[tokio::test]
async fn access_that_came_while_nobody_looked_is_given_a_day() {
    let (stage, members, _) = removing().await;
    stage.at(30 * DAY_S);
    stage.work().await;
    add(&members, MALLORY);
    let mut reconciler = Reconciler::default();
    for n in 0..4 {
        round(&stage, &mut reconciler, 30 * DAY_S + n * ROUND_S).await;
    }
    // nor is the day shorter for a backend that was started since
    let mut reconciler = Reconciler::default();
    for n in 4..12 {
        round(&stage, &mut reconciler, 30 * DAY_S + n * ROUND_S).await;
    }
    assert!(members.has(MALLORY));
    let told = stage.backend.store.told().await.unwrap();
    let until = told.last().unwrap().payload.as_ref().unwrap()["details"]["stays_until"].clone();
    let is_there = |until: &serde_json::Value| until.as_str().is_some_and(|at| Timestamp::parse(at).is_ok());
    assert!(is_there(&until), "{until}");
    for n in 12..=DAY_S / ROUND_S + 1 {
        stage.at(30 * DAY_S + n * ROUND_S);
        reconciler.round(&stage.backend).await.unwrap();
    }
    stage.work().await;
    assert!(!members.has(MALLORY), "the day is over");
    assert_eq!(kinds(&stage, "drift.found").await, 1);
}

/// What is decided is done only while it is wanted, and not long after.
#[tokio::test]
async fn drift_that_is_not_to_be_removed_any_more_is_kept() {
    for is_late in [false, true] {
        let (stage, members, mut reconciler) = removing().await;
        add(&members, MALLORY);
        round(&stage, &mut reconciler, ROUND_S).await;
        stage.at(2 * ROUND_S);
        reconciler.round(&stage.backend).await.unwrap();
        assert_eq!(kinds(&stage, "drift.removing").await, 1);
        match is_late {
            false => stage.with_drift("report"),
            true => stage.at(2 * ROUND_S + DAY_S + 1),
        }
        stage.work().await;
        assert_eq!(
            (members.count("oust"), kinds(&stage, "drift.kept").await),
            (0, 1),
            "{is_late}"
        );
        assert!(members.has(MALLORY));
        let known = known_of(&stage, MALLORY).await.unwrap();
        assert_eq!((known.state, known.pre_existing), (MembershipState::Absent, false));
    }
}

#[tokio::test]
async fn grant_that_waits_for_drift_to_go_says_so() {
    let (stage, members, mut reconciler) = removing().await;
    add(&members, "user-bob");
    round(&stage, &mut reconciler, ROUND_S).await;
    let bob = stage.sign_in("bob").await;
    stage.at(2 * ROUND_S);
    reconciler.round(&stage.backend).await.unwrap();
    let filed = stage.file_for(&bob, "dev-admin", 3_600).await.unwrap();
    *members.errors.lock().unwrap() = vec![ProviderError::Refused("no".into())];
    stage.work().await;
    let grant = filed.request.grant.unwrap().id;
    let id = &stage.backend.store.grants_like(&grant, 2).await.unwrap()[0];
    let pending = stage.backend.store.pending_effects(id).await.unwrap();
    let said = pending.iter().find_map(|pending| pending.last_error.clone());
    assert_eq!(
        said.as_deref(),
        Some("access that jit did not give is being taken away first")
    );
}

/// Grants go on that were begun while a target gave it; what else is there is none of ours to take.
#[tokio::test]
async fn drift_at_what_no_target_gives_any_more_is_left() {
    let (stage, members, mut reconciler) = removing().await;
    add(&members, MALLORY);
    stage.with_drift_elsewhere("remove");
    for n in 1..5 {
        round(&stage, &mut reconciler, n * ROUND_S).await;
    }
    assert!(members.has(MALLORY) && members.has(ALICE));
    assert_eq!(members.count("oust"), 0);
}
