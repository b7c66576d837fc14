//! A session that nobody used for long: what it may, what it may not, and what counts as use.

use super::locks::{lock, unlock};
use super::*;
use crate::server::service::{admin, presence};
use crate::wire::NewUser;

const HOUR: i64 = 3600;

/// `caller` as they come at their next call.
async fn now(stage: &Stage, caller: &Caller) -> Caller {
    let session = stage.backend.store.session(&caller.session.id).await.unwrap().unwrap();
    Caller {
        session,
        at: stage.backend.now(),
        ..caller.clone()
    }
}

/// The same, and somebody is there.
async fn used(stage: &Stage, caller: &Caller) -> Caller {
    let caller = now(stage, caller).await;
    presence::note(&stage.backend, &caller).await;
    caller
}

#[tokio::test]
async fn session_that_nobody_used_says_no_yes() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let carol = stage.sign_in("carol").await;
    lock(&stage, &carol, "dev-admin").await.unwrap();
    let filed = stage.file(&alice, "prod-admin").await.unwrap().request;
    stage.at(2 * HOUR - 1);
    let just = now(&stage, &bob).await;
    presence::must_be_there(&stage.backend, &just).unwrap();
    stage.at(2 * HOUR);
    let (alice, bob, carol) = (
        used(&stage, &alice).await,
        used(&stage, &bob).await,
        used(&stage, &carol).await,
    );
    let refused = decide::decide(&stage.backend, &bob, &filed.id, &yes(&filed), None).await;
    assert_eq!(code(refused), "session.idle");
    assert_eq!(code(unlock(&stage, &carol, "dev-admin").await), "session.idle");
    let new = NewUser { name: "dan".into() };
    assert_eq!(
        code(admin::add_user(&stage.backend, &carol, &new).await),
        "session.idle"
    );
    let me = crate::server::service::sign_in::me(&stage.backend, &bob).await.unwrap();
    assert_eq!(me.idle_since, Some(bob.session.created_at));
    // being back is no use: nothing has changed
    let bob = used(&stage, &bob).await;
    let refused = decide::decide(&stage.backend, &bob, &filed.id, &yes(&filed), None).await;
    assert_eq!(code(refused), "session.idle");
    // asking and stopping take nobody's presence
    stage.file(&alice, "prod-readonly").await.unwrap();
    lock(&stage, &carol, "alice").await.unwrap();
    admin::revoke(&stage.backend, &carol, alice.session.id.as_str())
        .await
        .unwrap();
}

#[tokio::test]
async fn session_that_is_used_decides_all_day() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    for hours in 1..8 {
        stage.at(hours * HOUR);
        drop(used(&stage, &bob).await);
    }
    let filed = stage.file(&alice, "prod-admin").await.unwrap().request;
    stage.at(8 * HOUR + 1800);
    let bob = now(&stage, &bob).await;
    assert_eq!(bob.session.used_at.since(bob.session.created_at), 7 * 3600);
    decide::decide(&stage.backend, &bob, &filed.id, &yes(&filed), None)
        .await
        .unwrap();
}

#[tokio::test]
async fn use_is_noted_once_a_minute() {
    let stage = Stage::new().await;
    let bob = stage.sign_in("bob").await;
    let mut noted = Vec::new();
    for secs in [30, 61, 100, 125] {
        stage.at(secs);
        drop(used(&stage, &bob).await);
        let session = now(&stage, &bob).await.session;
        noted.push(session.used_at.since(session.created_at));
    }
    assert_eq!(noted, [0, 61, 61, 125]);
}

#[tokio::test]
async fn who_signs_in_again_is_there() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let filed = stage.file(&alice, "prod-admin").await.unwrap().request;
    stage.at(5 * HOUR);
    assert!(presence::must_be_there(&stage.backend, &now(&stage, &bob).await).is_err());
    let bob = stage.again(&bob).await;
    decide::decide(&stage.backend, &bob, &filed.id, &yes(&filed), None)
        .await
        .unwrap();
}
