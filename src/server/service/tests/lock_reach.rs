//! What a lock reaches beside what it names, what it says of what stays, and who still counts when it is lifted.

use super::super::targets;
use super::locks::{lock, said, state, unlock};
use super::*;
use crate::server::worker::reconcile::Reconciler;

#[tokio::test]
async fn locked_target_is_not_had_by_another_name() {
    let (stage, members) = Stage::of_members();
    let (alice, carol) = (stage.sign_in("alice").await, stage.sign_in("carol").await);
    let held = stage.file(&alice, "dev-too").await.unwrap().request;
    stage.work().await;
    assert!(members.has("user-alice"));
    let locked = lock(&stage, &carol, "dev-admin").await.unwrap();
    assert_eq!(
        (locked.grants, locked.lock.same_access),
        (1, vec!["dev-too".to_owned()])
    );
    stage.work().await;
    assert_eq!(state(&stage, &alice, &held).await, said("ended", "locked"));
    assert!(!members.has("user-alice"));
    let failure = stage.file(&alice, "dev-too").await.unwrap_err().problem;
    assert_eq!(failure.code, "access.locked");
    assert_eq!(failure.title, "dev-admin is locked, and this is the same access");
    let seen = targets::targets(&stage.backend, &alice, None).await.unwrap().locks;
    assert_eq!(seen[0].same_access, ["dev-too"]);
    let other = unlock(&stage, &carol, "dev-too").await.unwrap_err().problem;
    assert_eq!(other.nearest, ["dev-admin"]);
    lock(&stage, &carol, "dev-too").await.unwrap();
    let lifted = unlock(&stage, &carol, "dev-admin").await.unwrap();
    assert_eq!((lifted.lifted, lifted.still_locked), (true, vec!["dev-too".to_owned()]));
    assert_eq!(code(stage.file(&alice, "dev-admin").await), "access.locked");
    let lifted = unlock(&stage, &carol, "dev-too").await.unwrap();
    assert_eq!((lifted.lifted, lifted.still_locked), (true, Vec::new()));
    stage.file(&alice, "dev-too").await.unwrap();
}

#[tokio::test]
async fn lock_tells_of_copies_of_what_was_given_back_before() {
    let stage = Stage::new().await;
    let (alice, _, request) = active(&stage).await;
    let carol = stage.sign_in("carol").await;
    let grant = request.grant.unwrap().id;
    let minted = mint::mint(&stage.backend, &alice, &grant).await.unwrap();
    end::end(&stage.backend, &alice, &grant, &EndGrant::default(), None)
        .await
        .unwrap();
    stage.work().await;
    for on in ["alice", "prod-admin", "all", "all"] {
        let locked = lock(&stage, &carol, on).await.unwrap();
        assert_eq!(
            (locked.grants, locked.last_credential_at),
            (0, Some(minted.expires_at)),
            "{on}"
        );
    }
}

#[tokio::test]
async fn access_that_was_there_before_is_said_to_remain() {
    let (stage, members) = Stage::of_members();
    let (alice, carol) = (stage.sign_in("alice").await, stage.sign_in("carol").await);
    members.there.lock().unwrap().insert("user-alice".to_owned());
    let filed = stage.file(&alice, "dev-admin").await.unwrap().request;
    stage.work().await;
    let grant = view(&stage, &alice, &filed.id).await.grant.unwrap();
    assert_eq!(
        (
            grant.state.as_str(),
            grant.pre_existing,
            grant.last_credential_at,
            grant.renews
        ),
        ("active", true, None, false)
    );
    let locked = lock(&stage, &carol, "alice").await.unwrap();
    assert_eq!(
        (locked.grants, locked.remaining, locked.last_credential_at),
        (1, 1, None)
    );
    stage.work().await;
    let over = view(&stage, &alice, &filed.id).await.grant.unwrap();
    assert_eq!(
        (over.state.as_str(), over.pre_existing, over.last_credential_at),
        ("ended", true, None)
    );
    assert!(members.has("user-alice"));
    let shown = async || {
        let list = look::requests(&stage.backend, &alice, true, None).await.unwrap();
        list.requests
            .iter()
            .map(|request| request.id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(shown().await, [filed.id.clone()], "said where what is over stands");
    stage.at(12 * 3_600 + 1);
    assert_eq!(shown().await, Vec::<String>::new(), "for a while");
    // nor once somebody else took it away
    members.there.lock().unwrap().clear();
    Reconciler::default().round(&stage.backend).await.unwrap();
    assert!(!view(&stage, &alice, &filed.id).await.grant.unwrap().pre_existing);
}

#[tokio::test]
async fn name_in_capitals_is_told_the_one_that_is_meant() {
    let stage = Stage::new().await;
    let carol = stage.sign_in("carol").await;
    drop(stage.sign_in("alice").await);
    for (given, hint) in [("ALICE", "somebody is named alice"), ("ALL", "everything is named all")] {
        let failure = lock(&stage, &carol, given).await.unwrap_err().problem;
        assert_eq!(
            (failure.code.as_str(), failure.hint.as_deref()),
            ("person.not_found", Some(hint))
        );
    }
}

#[tokio::test]
async fn first_of_two_who_may_not_any_more_does_not_count() {
    let stage = Stage::new().await;
    let (bob, carol) = (stage.sign_in("bob").await, stage.sign_in("carol").await);
    lock(&stage, &bob, "all").await.unwrap();
    assert!(!unlock(&stage, &carol, "all").await.unwrap().lifted);
    stage.edit_policy("members = [\"local:carol\"]", "members = [\"local:dan\"]");
    assert_eq!(code(unlock(&stage, &carol, "all").await), "policy.refused");
    assert!(
        !unlock(&stage, &bob, "all").await.unwrap().lifted,
        "carol left security"
    );
    let dan = stage.sign_in("dan").await;
    assert!(unlock(&stage, &dan, "all").await.unwrap().lifted);
}

#[tokio::test]
async fn half_of_lifting_does_not_count_for_ever() {
    let stage = Stage::new().await;
    let (bob, carol) = (stage.sign_in("bob").await, stage.sign_in("carol").await);
    lock(&stage, &bob, "all").await.unwrap();
    assert!(!unlock(&stage, &carol, "all").await.unwrap().lifted);
    stage.at(3_601);
    assert!(!unlock(&stage, &bob, "all").await.unwrap().lifted, "an hour is over");
    stage.at(7_201);
    assert!(unlock(&stage, &carol, "all").await.unwrap().lifted);
}

#[tokio::test]
async fn locking_again_says_whose_half_is_taken_back() {
    let stage = Stage::new().await;
    let (bob, carol) = (stage.sign_in("bob").await, stage.sign_in("carol").await);
    lock(&stage, &bob, "all").await.unwrap();
    assert!(!unlock(&stage, &carol, "all").await.unwrap().lifted);
    let again = lock(&stage, &bob, "all").await.unwrap();
    assert_eq!(
        (again.set, again.taken_back.unwrap().by.name.as_str()),
        (false, "carol")
    );
    assert_eq!(lock(&stage, &bob, "all").await.unwrap().taken_back, None);
}
