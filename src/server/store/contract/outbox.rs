//! The outbox: claims, urgency, settling, putting off.

use super::*;
use crate::domain::{EffectId, Postpone, Scope};
use crate::server::store::{Claimed, StoreError};

on_every_store! {
    claim_takes_what_is_urgent_first
    claim_leaves_what_is_not_due
    claim_holds_until_it_ends
    released_claim_is_free_at_once
    claim_takes_no_more_than_asked
    completed_effect_is_gone_and_cannot_be_completed_twice
    completing_commit_that_is_refused_keeps_the_effect
    postponed_effect_is_due_later_with_its_error
    effect_that_only_waited_was_not_tried
    next_due_counts_what_is_claimed
    pending_effects_are_those_of_the_grant
}

async fn leave(store: &Tried, effects: &[(i64, Effect)]) {
    let effects = effects.iter().map(|(due, effect)| (at(*due), effect.clone())).collect();
    store
        .commit(&Change {
            effects,
            ..Change::default()
        })
        .await
        .unwrap();
}

async fn claim(store: &Tried, owner: &str, now: i64, limit: u32) -> Vec<Claimed> {
    store
        .claim(owner, at(now), at(now + 30), Effect::ALL, limit)
        .await
        .unwrap()
}

fn effects(claimed: &[Claimed]) -> Vec<Effect> {
    claimed.iter().map(|row| row.effect.clone()).collect()
}

fn activate(n: u64) -> Effect {
    Effect::Activate { grant: grant_id(n) }
}

fn take(n: u64) -> Effect {
    Effect::Take { grant: grant_id(n) }
}

fn let_go(n: u64) -> Effect {
    Effect::LetGo { grant: grant_id(n) }
}

fn kill(n: u64) -> Effect {
    Effect::Kill { grant: grant_id(n) }
}

fn expire(n: u64) -> Effect {
    Effect::Expire { request: request_id(n) }
}

fn give(n: u64) -> Effect {
    Effect::Give { grant: grant_id(n) }
}

async fn claim_takes_what_is_urgent_first(store: &Tried) {
    let sweep = Effect::Sweep { scope: Scope::All };
    leave(
        store,
        &[
            (1, activate(1)),
            (2, give(2)),
            (1, let_go(7)),
            (2, kill(8)),
            (3, expire(3)),
            (9, sweep.clone()),
            (5, end_of(4)),
            (4, take(5)),
            (4, end_of(6)),
        ],
    )
    .await;
    let order = effects(&claim(store, "w", 10, 100).await);
    assert_eq!(
        order,
        [
            sweep,
            take(5),
            end_of(6),
            end_of(4),
            expire(3),
            kill(8),
            let_go(7),
            activate(1),
            give(2)
        ]
    );
}

async fn claim_leaves_what_is_not_due(store: &Tried) {
    leave(store, &[(10, end_of(1)), (11, end_of(2))]).await;
    assert_eq!(effects(&claim(store, "w", 10, 100).await), [end_of(1)]);
    assert_eq!(effects(&claim(store, "w", 11, 100).await), [end_of(2)]);
}

async fn claim_holds_until_it_ends(store: &Tried) {
    leave(store, &[(1, end_of(1))]).await;
    let first = claim(store, "dies", 10, 100).await;
    assert_eq!(effects(&first), [end_of(1)]);
    assert_eq!(claim(store, "other", 39, 100).await, []);
    assert_eq!(claim(store, "other", 40, 100).await, first);
}

async fn released_claim_is_free_at_once(store: &Tried) {
    leave(store, &[(1, end_of(1)), (1, end_of(2))]).await;
    claim(store, "stops", 10, 1).await;
    claim(store, "stays", 10, 1).await;
    store.release("stops").await.unwrap();
    assert_eq!(effects(&claim(store, "third", 11, 100).await), [end_of(1)]);
}

async fn claim_takes_no_more_than_asked(store: &Tried) {
    leave(
        store,
        &[(1, activate(1)), (1, expire(2)), (1, end_of(3)), (1, end_of(4))],
    )
    .await;
    assert_eq!(claim(store, "w", 10, 0).await, []);
    assert_eq!(
        effects(&claim(store, "w", 10, 3).await),
        [end_of(3), end_of(4), expire(2)]
    );
    assert_eq!(effects(&claim(store, "w", 10, 3).await), [activate(1)]);
}

async fn completed_effect_is_gone_and_cannot_be_completed_twice(store: &Tried) {
    leave(store, &[(1, end_of(1))]).await;
    let id = claim(store, "w", 10, 1).await[0].id;
    store.commit(&Change::default().completing(id)).await.unwrap();
    assert_eq!(store.left().await.unwrap(), 0);
    let again = store
        .commit(&filed(&a_request(1, ALICE, "prod-admin")).completing(id))
        .await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
    assert_eq!(store.case(&request_id(1)).await.unwrap(), None);
}

async fn completing_commit_that_is_refused_keeps_the_effect(store: &Tried) {
    leave(store, &[(1, end_of(1))]).await;
    let id = claim(store, "w", 10, 1).await[0].id;
    let refused = store.commit(&change(Row::Person(a_person(ALICE))).completing(id)).await;
    assert!(matches!(refused, Err(StoreError::Duplicate)), "{refused:?}");
    assert_eq!(store.left().await.unwrap(), 1);
}

fn put_off(effect: EffectId, until: i64, is_attempt: bool) -> Change {
    let postpones = Some(Postpone {
        effect,
        until: at(until),
        error: "throttled".to_owned(),
        is_attempt,
    });
    Change {
        postpones,
        ..Change::default()
    }
}

async fn postponed_effect_is_due_later_with_its_error(store: &Tried) {
    leave(store, &[(1, end_of(1))]).await;
    let id = claim(store, "w", 10, 1).await[0].id;
    store.commit(&put_off(id, 50, true)).await.unwrap();
    let pending = store.pending_effects(&grant_id(1)).await.unwrap();
    assert_eq!(
        (pending[0].attempts, pending[0].last_error.as_deref()),
        (1, Some("throttled"))
    );
    assert_eq!(pending[0].due_at, at(50));
    assert_eq!(claim(store, "w", 49, 1).await, []);
    let again = claim(store, "w", 50, 1).await;
    assert_eq!((again[0].id, again[0].attempts), (id, 1));
    store.commit(&put_off(id, 55, false)).await.unwrap();
    let waited = store.pending_effects(&grant_id(1)).await.unwrap();
    assert_eq!(
        (waited[0].attempts, waited[0].due_at),
        (1, at(55)),
        "to wait is no attempt"
    );
    let refused = store.commit(&put_off(EffectId(id.0 + 1), 60, true)).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
}

async fn effect_that_only_waited_was_not_tried(store: &Tried) {
    leave(store, &[(1, end_of(1))]).await;
    let id = claim(store, "w", 10, 1).await[0].id;
    store.commit(&put_off(id, 50, false)).await.unwrap();
    let again = claim(store, "w", 50, 1).await;
    assert_eq!((again[0].id, again[0].attempts), (id, 0));
}

async fn next_due_counts_what_is_claimed(store: &Tried) {
    assert_eq!(store.next_due(at(0)).await.unwrap(), None);
    leave(store, &[(20, activate(1)), (5, end_of(1)), (30, end_of(2))]).await;
    assert_eq!(store.next_due(at(4)).await.unwrap(), Some(at(5)));
    assert_eq!(store.next_due(at(5)).await.unwrap(), Some(at(20)));
    let id = claim(store, "w", 10, 1).await[0].id;
    assert_eq!(store.next_due(at(4)).await.unwrap(), Some(at(5)));
    store.commit(&Change::default().completing(id)).await.unwrap();
    assert_eq!(store.next_due(at(4)).await.unwrap(), Some(at(20)));
}

async fn pending_effects_are_those_of_the_grant(store: &Tried) {
    leave(store, &[(30, end_of(1)), (5, give(1)), (1, end_of(2)), (1, expire(1))]).await;
    let pending = store.pending_effects(&grant_id(1)).await.unwrap();
    let found: Vec<_> = pending
        .iter()
        .map(|row| (row.due_at, row.effect.clone(), row.attempts))
        .collect();
    assert_eq!(found, [(at(5), give(1), 0), (at(30), end_of(1), 0)]);
}
