//! Locks: who sets and lifts them, what they stop, what goes on all the same.

use std::sync::atomic::Ordering;

use super::super::{inbox, locks, sign_in, targets};
use super::*;
use crate::domain::{EndCause, Event, RequestId, Scope, apply};
use crate::wire::{LiftLock, Lifted, Locked, NewLock, NewSession};

pub(crate) async fn lock(stage: &Stage, by: &Caller, on: &str) -> Result<Locked, Failure> {
    let new = NewLock {
        on: on.into(),
        reason: "laptop stolen".into(),
    };
    locks::lock(&stage.backend, by, &new, None).await
}

pub(crate) async fn unlock(stage: &Stage, by: &Caller, on: &str) -> Result<Lifted, Failure> {
    locks::unlock(&stage.backend, by, &LiftLock { on: on.into() }, None).await
}

/// State and cause of the grant of `request`.
pub(crate) async fn state(stage: &Stage, caller: &Caller, request: &RequestView) -> (String, Option<String>) {
    let grant = view(stage, caller, &request.id).await.grant.unwrap();
    (grant.state, grant.cause)
}

pub(crate) fn said(state: &str, cause: &str) -> (String, Option<String>) {
    (state.to_owned(), Some(cause.to_owned()))
}

#[tokio::test]
async fn locked_person_asks_decides_and_mints_nothing() {
    let stage = Stage::new().await;
    let (alice, bob, request) = active(&stage).await;
    let carol = stage.sign_in("carol").await;
    let waits = stage.file(&carol, "prod-readonly").await.unwrap().request;
    let locked = lock(&stage, &carol, "alice").await.unwrap();
    assert_eq!(
        (locked.set, locked.grants, locked.lock.name.as_str()),
        (true, 1, "alice")
    );
    lock(&stage, &carol, "bob").await.unwrap();
    let grant = &request.grant.as_ref().unwrap().id;
    assert_eq!(code(mint::mint(&stage.backend, &alice, grant).await), "access.locked");
    assert_eq!(code(stage.file(&alice, "dev-admin").await), "access.locked");
    let decided = decide::decide(&stage.backend, &bob, &waits.id, &yes(&waits), None).await;
    let failure = decided.unwrap_err().problem;
    assert_eq!(failure.code, "access.locked");
    assert_eq!(failure.title, "you are locked");
    assert!(failure.detail.unwrap().starts_with("laptop stolen (carol, "));
    assert_eq!(stage.provider.minted.load(Ordering::SeqCst), 0);
    stage.work().await;
    assert_eq!(state(&stage, &alice, &request).await, said("ended", "locked"));
}

#[tokio::test]
async fn locked_person_looks_gives_back_and_takes() {
    let stage = Stage::new().await;
    let (alice, bob, request) = active(&stage).await;
    let carol = stage.sign_in("carol").await;
    let hers = stage.file(&carol, "dev-admin").await.unwrap().request;
    stage.work().await;
    lock(&stage, &carol, "alice").await.unwrap();
    lock(&stage, &carol, "bob").await.unwrap();
    let grant = request.grant.unwrap().id;
    let given = end::end(&stage.backend, &alice, &grant, &EndGrant::default(), None).await;
    assert_eq!(given.unwrap().grant.cause.as_deref(), Some("dropped"));
    let taken = EndGrant {
        reason: Some("not needed".into()),
    };
    let hers = view(&stage, &carol, &hers.id).await.grant.unwrap().id;
    let revoked = end::end(&stage.backend, &bob, &hers, &taken, None).await;
    assert_eq!(revoked.unwrap().grant.cause.as_deref(), Some("revoked"));
    let seen = look::requests(&stage.backend, &alice, true, None).await.unwrap();
    let names: Vec<&str> = seen.locks.iter().map(|lock| lock.name.as_str()).collect();
    assert_eq!(names, ["alice"], "others' locks are not hers to see");
    assert_eq!(sign_in::me(&stage.backend, &alice).await.unwrap().person.name, "alice");
}

#[tokio::test]
async fn locked_person_does_not_sign_in() {
    let stage = Stage::new().await;
    let carol = stage.sign_in("carol").await;
    let alice = stage.sign_in("alice").await;
    let attempt = async |stage: &Stage, name: &str| {
        let new = NewSession {
            name: name.into(),
            code: sign_in::issue_code(&stage.backend, name).await.unwrap(),
            verifier: None,
            key_storage: "file".into(),
        };
        let key = DeviceKey::of(&new_key()).unwrap();
        sign_in::open(&stage.backend, &new, &key, [127, 0, 0, 1].into()).await
    };
    lock(&stage, &carol, "alice").await.unwrap();
    assert_eq!(code(attempt(&stage, "alice").await), "access.locked");
    unlock(&stage, &carol, "alice").await.unwrap();
    attempt(&stage, "alice").await.unwrap();
    // somebody has to come and lift a lock on everything
    lock(&stage, &carol, "all").await.unwrap();
    attempt(&stage, "bob").await.unwrap();
    assert_eq!(code(stage.file(&alice, "dev-admin").await), "access.locked");
}

#[tokio::test]
async fn locked_target_ends_and_refuses_for_everybody() {
    let stage = Stage::new().await;
    let (alice, bob, request) = active(&stage).await;
    let other = stage.file(&alice, "dev-admin").await.unwrap().request;
    stage.work().await;
    lock(&stage, &bob, "prod-admin").await.unwrap();
    assert_eq!(code(stage.file(&bob, "prod-admin").await), "access.locked");
    stage.work().await;
    assert_eq!(state(&stage, &alice, &request).await, said("ended", "locked"));
    assert_eq!(
        state(&stage, &alice, &other).await.0,
        "active",
        "another target goes on"
    );
    let seen = targets::targets(&stage.backend, &alice, None).await.unwrap().locks;
    assert_eq!((seen.len(), seen[0].name.as_str()), (1, "prod-admin"));
    assert!(
        inbox::inbox(&stage.backend, &bob).await.unwrap().locks[0]
            .ending
            .is_some()
    );
    unlock(&stage, &bob, "prod-admin").await.unwrap();
    stage.work().await;
    assert_eq!(state(&stage, &alice, &request).await.0, "ended", "nothing comes back");
    stage.file(&alice, "prod-admin").await.unwrap();
}

#[tokio::test]
async fn story_26_approval_does_not_outlast_a_lock() {
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
    // who approved is dismissed before it is activated
    lock(&stage, &carol, "bob").await.unwrap();
    stage.work().await;
    assert_eq!(state(&stage, &alice, &filed).await, said("ended", "locked"));
    assert_eq!(stage.provider.verified.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn story_08_revoking_under_every_lock_needs_no_leave() {
    let stage = Stage::new().await;
    let (alice, bob, request) = active(&stage).await;
    lock(&stage, &bob, "all").await.unwrap();
    let carol = stage.sign_in("carol").await;
    lock(&stage, &carol, "alice").await.unwrap();
    stage.edit_policy("\"local:alice\", ", "");
    let grant = request.grant.as_ref().unwrap().id.clone();
    end::end(&stage.backend, &alice, &grant, &EndGrant::default(), None)
        .await
        .unwrap();
    stage.work().await;
    assert_eq!(state(&stage, &alice, &request).await, said("ended", "dropped"));
}

#[tokio::test]
async fn two_who_lock_at_once_set_one_lock() {
    let stage = Stage::new().await;
    let (bob, carol) = (stage.sign_in("bob").await, stage.sign_in("carol").await);
    let (one, two) = tokio::join!(lock(&stage, &bob, "all"), lock(&stage, &carol, "all"));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.lock.by, two.lock.by);
    assert_eq!(one.lock.since, two.lock.since);
    let lines = stage.backend.store.evidence(0, 100).await.unwrap();
    assert_eq!(lines.iter().filter(|line| line.kind == "lock.set").count(), 1);
}

#[tokio::test]
async fn lock_on_everything_is_lifted_by_two_people_only() {
    let stage = Stage::new().await;
    let shared = new_key();
    let (bob, carol) = (stage.sign_in_on("bob", &shared).await, stage.sign_in("carol").await);
    let alice = stage.sign_in("alice").await;
    lock(&stage, &bob, "all").await.unwrap();
    assert!(!lock(&stage, &carol, "all").await.unwrap().set, "it stands already");
    assert_eq!(code(unlock(&stage, &alice, "all").await), "policy.refused");
    assert!(!unlock(&stage, &bob, "all").await.unwrap().lifted);
    assert_eq!(code(unlock(&stage, &bob, "all").await), "lock.second_person");
    let same_device = stage.sign_in_on("carol", &shared).await;
    assert_eq!(code(unlock(&stage, &same_device, "all").await), "lock.second_person");
    assert_eq!(code(stage.file(&alice, "dev-admin").await), "access.locked");
    assert!(unlock(&stage, &carol, "all").await.unwrap().lifted);
    stage.file(&alice, "dev-admin").await.unwrap();
    assert_eq!(code(unlock(&stage, &carol, "all").await), "lock.not_found");
}

#[tokio::test]
async fn first_of_two_who_is_locked_meanwhile_does_not_count() {
    let stage = Stage::new().await;
    let (bob, carol) = (stage.sign_in("bob").await, stage.sign_in("carol").await);
    lock(&stage, &carol, "all").await.unwrap();
    assert!(!unlock(&stage, &bob, "all").await.unwrap().lifted);
    lock(&stage, &carol, "bob").await.unwrap();
    assert!(
        !unlock(&stage, &carol, "all").await.unwrap().lifted,
        "bob's half is void"
    );
    assert_eq!(code(unlock(&stage, &bob, "all").await), "access.locked");
}

#[tokio::test]
async fn one_may_lock_oneself_and_not_lift_it() {
    let stage = Stage::new().await;
    let (alice, carol) = (stage.sign_in("alice").await, stage.sign_in("carol").await);
    drop(stage.sign_in("bob").await);
    assert_eq!(code(lock(&stage, &alice, "bob").await), "policy.refused");
    assert_eq!(code(lock(&stage, &alice, "all").await), "policy.refused");
    assert!(lock(&stage, &alice, "alice").await.unwrap().set);
    assert_eq!(code(unlock(&stage, &alice, "alice").await), "lock.own");
    assert!(unlock(&stage, &carol, "alice").await.unwrap().lifted);
}

#[tokio::test]
async fn whoever_may_lock_nobody_learns_no_names() {
    let stage = Stage::new().await;
    let (alice, carol) = (stage.sign_in("alice").await, stage.sign_in("carol").await);
    let known = lock(&stage, &alice, "carol").await.unwrap_err().problem;
    let unknown = lock(&stage, &alice, "zebediah").await.unwrap_err().problem;
    assert_eq!(
        (known.code, known.title, known.hint),
        (unknown.code, unknown.title, unknown.hint)
    );
    assert_eq!(code(lock(&stage, &carol, "zebediah").await), "person.not_found");
    let near = lock(&stage, &carol, "prod-admn").await.unwrap_err().problem;
    assert_eq!(near.hint.as_deref(), Some("a target is named prod-admin"));
}

#[tokio::test]
async fn name_of_a_person_and_a_target_has_to_say_which() {
    let stage = Stage::new().await;
    let carol = stage.sign_in("carol").await;
    drop(stage.sign_in("dev-admin").await);
    assert_eq!(code(lock(&stage, &carol, "dev-admin").await), "lock.ambiguous");
    let person = lock(&stage, &carol, "person:dev-admin").await.unwrap();
    let target = lock(&stage, &carol, "target:dev-admin").await.unwrap();
    assert_eq!(
        (person.lock.scope.as_str(), target.lock.scope.as_str()),
        ("person", "target")
    );
}

#[tokio::test]
async fn target_that_left_the_catalogue_is_unlocked_all_the_same() {
    let stage = Stage::new().await;
    let carol = stage.sign_in("carol").await;
    lock(&stage, &carol, "dev-admin").await.unwrap();
    stage.edit_policy("name = \"dev-admin\"", "name = \"dev-root\"");
    assert!(unlock(&stage, &carol, "dev-admin").await.unwrap().lifted);
}

#[tokio::test]
async fn lock_lifted_at_once_still_ends_what_was_there() {
    let stage = Stage::new().await;
    let (alice, _, request) = active(&stage).await;
    let carol = stage.sign_in("carol").await;
    lock(&stage, &carol, "alice").await.unwrap();
    unlock(&stage, &carol, "alice").await.unwrap();
    stage.at(1);
    let later = stage.file(&alice, "dev-admin").await.unwrap().request;
    stage.work().await;
    assert_eq!(state(&stage, &alice, &request).await, said("ended", "locked"));
    assert_eq!(state(&stage, &alice, &later).await.0, "active", "asked for since then");
}

#[tokio::test]
async fn what_is_being_given_under_a_lock_is_taken_again() {
    let stage = Stage::new().await;
    let carol = stage.sign_in("carol").await;
    let alice = stage.sign_in("alice").await;
    let silent = ProviderError::Unreachable("no answer".into());
    stage.provider.errors.lock().unwrap().push(silent);
    let filed = stage.file(&alice, "dev-admin").await.unwrap().request;
    stage.work().await;
    assert_eq!(state(&stage, &alice, &filed).await.0, "granting");
    lock(&stage, &carol, "alice").await.unwrap();
    // the answer comes before the sweep does
    let grant = GrantId::parse(&view(&stage, &alice, &filed.id).await.grant.unwrap().id).unwrap();
    let case = stage.backend.store.case_of_grant(&grant).await.unwrap().unwrap();
    let now = stage.backend.now();
    let change = apply(now, &case, &Event::Verified { before: now }).unwrap();
    stage.backend.commit(&change).await.unwrap();
    assert_eq!(state(&stage, &alice, &filed).await, said("revoking", "locked"));
    stage.work().await;
    assert_eq!(state(&stage, &alice, &filed).await, said("ended", "locked"));
}

#[tokio::test]
async fn lock_on_everything_ends_more_than_a_page_and_leaves_no_work() {
    let stage = Stage::new().await;
    let carol = stage.sign_in("carol").await;
    let (mut names, mut held) = (Vec::new(), Vec::new());
    for n in 0..600 {
        names.push(format!("\"local:p{n}\""));
    }
    let members = format!("members = [\"local:alice\", {},", names.join(", "));
    stage.edit_policy("members = [\"local:alice\",", &members);
    for n in 0..600 {
        let person = stage.sign_in(&format!("p{n}")).await;
        held.push(stage.file(&person, "dev-admin").await.unwrap().request);
    }
    stage.work().await;
    assert_eq!(lock(&stage, &carol, "all").await.unwrap().grants, 600);
    stage.work().await;
    assert_eq!(
        stage
            .backend
            .store
            .open_under(&Scope::All, None, stage.backend.now())
            .await
            .unwrap()
            .grants,
        0
    );
    for request in held.iter().step_by(97) {
        let grant = stage
            .backend
            .store
            .grant_of(&RequestId::parse(&request.id).unwrap())
            .await;
        assert_eq!(grant.unwrap().unwrap().cause, Some(EndCause::Locked));
    }
    stage.at(14 * 3600);
    stage.work().await;
    assert_eq!(stage.backend.store.left().await.unwrap(), 0);
}
