//! Two steps about one membership under way at once, stopped where the one hurts the other most.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use super::{BATCH, claim, step};
use crate::domain::{Effect, GrantState, Membership};
use crate::server::backend::Caller;
use crate::server::provider::ProviderError;
use crate::server::service::end;
use crate::server::stage::Stage;
use crate::server::stage::members::Members;
use crate::server::store::Claimed;
use crate::wire::{EndGrant, Filed};

/// Alice, as the provider knows her.
const ALICE: &str = "user-alice";

/// One step of `future`, which is not over by that.
async fn once(mut future: Pin<&mut impl Future<Output = ()>>) {
    let is_over = poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await;
    assert!(!is_over, "it is over");
}

async fn membership(stage: &Stage) -> Option<Membership> {
    stage.backend.store.memberships(None, 10).await.unwrap().pop()
}

async fn is_busy(stage: &Stage) -> bool {
    let now = stage.backend.now();
    membership(stage).await.is_some_and(|standing| standing.is_busy(now))
}

/// Both of Alice's grants of this membership are to be given: their effects, claimed.
async fn granting(stage: &Stage, alice: &Caller, targets: &[&str]) -> (Vec<Filed>, Vec<Claimed>) {
    let mut filed = Vec::new();
    for target in targets {
        filed.push(stage.file_for(alice, target, 7_200).await.unwrap());
    }
    for work in claim(&stage.backend, "activates", &Effect::ALL, BATCH).await {
        step::take(&stage.backend, &work).await;
    }
    let gives = claim(&stage.backend, "gives", &Effect::GIVING, BATCH).await;
    assert_eq!(gives.len(), targets.len());
    (filed, gives)
}

async fn give_back(stage: &Stage, alice: &Caller, filed: &Filed) {
    let (id, why) = (&filed.request.grant.as_ref().unwrap().id, EndGrant::default());
    end::end(&stage.backend, alice, id, &why, None).await.unwrap();
}

async fn is_taken_away(stage: &Stage, members: &Arc<Members>) {
    assert!(!members.has(ALICE), "given back, and she has it");
    assert_eq!(membership(stage).await, None);
}

async fn nothing_is_left(stage: &Stage, members: &Arc<Members>) {
    is_taken_away(stage, members).await;
    stage.at(86_400);
    stage.work().await;
    assert_eq!(stage.backend.store.left().await.unwrap(), 0, "effects are left");
}

/// The one looks and fails while the other's call is under way: that call stays one to wait for.
#[tokio::test]
async fn step_that_called_nobody_ends_no_call_of_another() {
    let (stage, members) = Stage::of_members();
    let alice = stage.sign_in("alice").await;
    let (filed, gives) = granting(&stage, &alice, &["dev-admin", "dev-too"]).await;
    let mut looks = pin!(step::take(&stage.backend, &gives[1]));
    once(looks.as_mut()).await;
    let mut gives_it = pin!(step::take(&stage.backend, &gives[0]));
    while !is_busy(&stage).await {
        once(gives_it.as_mut()).await;
    }
    assert!(!members.has(ALICE), "the call is under way and has done nothing yet");
    let broken = ProviderError::Throttled("later".into());
    members.errors.lock().unwrap().push(broken);
    looks.await;
    assert!(is_busy(&stage).await, "another's call is under way");
    for one in &filed {
        give_back(&stage, &alice, one).await;
    }
    stage.work().await;
    assert_eq!(members.count("revoke"), 0, "what could give it again comes first");
    gives_it.await;
    assert!(members.has(ALICE));
    stage.at(60);
    stage.work().await;
    nothing_is_left(&stage, &members).await;
}

/// A machine sleeps in the middle of a call. When it wakes and has given, everybody has let go, and nobody would ask.
#[tokio::test]
async fn what_is_given_after_everybody_let_go_is_taken_away() {
    for lost in [false, true] {
        let (stage, members) = Stage::of_members();
        let alice = stage.sign_in("alice").await;
        let (filed, gives) = granting(&stage, &alice, &["dev-admin"]).await;
        let mut sleeps = pin!(step::take(&stage.backend, &gives[0]));
        while !is_busy(&stage).await {
            once(sleeps.as_mut()).await;
        }
        give_back(&stage, &alice, &filed[0]).await;
        stage.at(61);
        stage.work().await;
        is_taken_away(&stage, &members).await;
        if lost {
            members.lost.lock().unwrap().push("grant");
        }
        sleeps.await;
        assert!(members.has(ALICE), "it was given late");
        stage.work().await;
        nothing_is_left(&stage, &members).await;
    }
}

/// Somebody gave it before us and took it away again while a grant counted with it: who asks next is given it.
#[tokio::test]
async fn what_another_gave_and_took_is_given_to_who_asks_next() {
    let (stage, members) = Stage::of_members();
    let alice = stage.sign_in("alice").await;
    members.there.lock().unwrap().insert(ALICE.to_owned());
    stage.file_for(&alice, "dev-admin", 7_200).await.unwrap();
    stage.work().await;
    assert!(membership(&stage).await.unwrap().pre_existing);
    members.there.lock().unwrap().clear();
    stage.file_for(&alice, "dev-too", 14_400).await.unwrap();
    stage.work().await;
    assert!(members.has(ALICE), "what she asked for is given");
    let open = stage.backend.store.open_grants(&alice.person.id).await.unwrap();
    assert!(open.iter().all(|grant| grant.state == GrantState::Active), "{open:?}");
    assert!(!membership(&stage).await.unwrap().pre_existing, "it is ours now");
    stage.at(14_400);
    stage.work().await;
    nothing_is_left(&stage, &members).await;
}
