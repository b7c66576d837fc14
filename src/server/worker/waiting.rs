//! Who waits for the call of another: it is no attempt of theirs, and a call that died with its backend is not waited for.

use std::sync::Arc;

use super::{claim, drain, step};
use crate::domain::{Effect, Event, Timestamp, apply};
use crate::server::provider::ProviderError;
use crate::server::service::end;
use crate::server::stage::members::Members;
use crate::server::stage::{NOON, Stage};
use crate::server::store::Pending;
use crate::wire::{EndGrant, Filed};

/// Alice, as the provider knows her.
const ALICE: &str = "user-alice";

fn grant_of(filed: &Filed) -> String {
    filed.request.grant.as_ref().unwrap().id.clone()
}

/// The effect that takes the grant of `id` away.
async fn taking(stage: &Stage, id: &str) -> Pending {
    let grant = &stage.backend.store.grants_like(id, 2).await.unwrap()[0];
    let pending = stage.backend.store.pending_effects(grant).await.unwrap();
    let is_take = |pending: &Pending| matches!(pending.effect, Effect::LetGo { .. });
    pending.into_iter().find(is_take).unwrap()
}

async fn stuck(stage: &Stage) -> usize {
    let all = stage.backend.store.evidence(0, 1_000).await.unwrap();
    all.iter().filter(|line| line.kind == "provider.stuck").count()
}

#[tokio::test]
async fn waiting_for_another_call_is_no_attempt() {
    let (stage, members) = Stage::of_members();
    let alice = stage.sign_in("alice").await;
    let filed = stage.file_for(&alice, "dev-admin", 7_200).await.unwrap();
    let id = grant_of(&filed);
    // somebody begins to give it, and dies
    for work in claim(&stage.backend, "dies", &Effect::ALL, 1).await {
        step::take(&stage.backend, &work).await;
    }
    let grant = stage.backend.store.grants_like(&id, 2).await.unwrap().remove(0);
    let case = stage.backend.store.case_of_grant(&grant).await.unwrap().unwrap();
    let until = Timestamp::from_millis(NOON.millis() + 55_000);
    let giving = Event::Giving {
        found: Some(false),
        until,
    };
    stage
        .backend
        .commit(&apply(NOON, &case, &giving).unwrap())
        .await
        .unwrap();
    end::end(&stage.backend, &alice, &id, &EndGrant::default(), None)
        .await
        .unwrap();
    for second in 0..40 {
        stage.at(second);
        stage.work().await;
    }
    let waits = taking(&stage, &id).await;
    assert_eq!((waits.attempts, members.count("revoke")), (0, 0));
    assert_eq!(waits.last_error.as_deref(), Some("another call about it is under way"));

    *members.errors.lock().unwrap() = vec![ProviderError::Throttled("later".into()); 3];
    for (minute, attempts) in (1..=3).zip(1..) {
        stage.at(60 + minute * 60);
        stage.work().await;
        assert_eq!(taking(&stage, &id).await.attempts, attempts);
        assert_eq!(stuck(&stage).await, usize::from(attempts == 3), "told after the third");
    }
    stage.at(600);
    stage.work().await;
    assert!(!members.has(ALICE));
    assert_eq!(stage.backend.store.memberships(None, 10).await.unwrap(), []);
}

/// A backend dies in `call`, which was done; the next one on its store.
async fn died_in(call: &'static str, seconds: u32) -> (Stage, Arc<Members>) {
    let members = Arc::new(Members::default());
    let stage = Stage::of_those_members(tempfile::tempdir().unwrap(), members.clone()).await;
    let alice = stage.sign_in("alice").await;
    *members.unanswered.lock().unwrap() = Some(call);
    stage.file_for(&alice, "dev-admin", seconds).await.unwrap();
    let died = async || {
        while members.count(call) == 0 {
            tokio::task::yield_now().await;
        }
    };
    for second in [0, seconds + 1] {
        stage.at(i64::from(second));
        tokio::select! {
            () = drain(&stage.backend) => {}
            () = died() => break,
        }
    }
    *members.unanswered.lock().unwrap() = None;
    let Stage { dir, .. } = stage;
    (Stage::of_those_members(dir, members.clone()).await, members)
}

#[tokio::test]
async fn start_waits_for_no_call_of_a_killed_backend() {
    for call in ["grant", "revoke"] {
        let (stage, members) = died_in(call, 2).await;
        assert_eq!(members.has(ALICE), call == "grant");
        stage.at(4);
        stage.work().await;
        assert!(!members.has(ALICE), "{call}");
        assert_eq!(stage.backend.store.memberships(None, 10).await.unwrap(), [], "{call}");
        assert_eq!(stage.backend.store.left().await.unwrap(), 0, "{call}");
    }
}
