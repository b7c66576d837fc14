//! Policies that shut sessions out: what is to stand in them, and the one who writes.

use super::*;
use crate::domain::{Kill, KillState, Killed};
use crate::server::store::{StoreError, Switch};

on_every_store! {
    kill_is_read_back_as_it_was_written
    switch_counts_what_changes_and_nothing_else
    killed_are_those_of_the_role_that_are_wanted
    right_to_write_is_one_owners_until_it_lapses
    lost_right_notes_nothing
    refused_commit_changes_no_switch
}

const ROLE: &str = "arn:aws:iam::111122223333:role/admin";
const OTHER: &str = "arn:aws:iam::111122223333:role/other";

fn kill(role: &str, since: i64, state: KillState) -> Option<Kill> {
    Some(Kill {
        role_arn: role.to_owned(),
        since: at(since),
        until: at(since + 900),
        state,
    })
}

/// The next version of `grant`, with its sessions so far on the way.
fn with(grant: &Grant, kill: Option<Kill>) -> Grant {
    Grant {
        kill,
        version: grant.version + 1,
        ..grant.clone()
    }
}

async fn put(store: &Tried, grant: &Grant) {
    store.commit(&change(Row::Grant(grant.clone()))).await.unwrap();
}

/// Grant `n` of alice's on a target of its own.
async fn granted(store: &Tried, n: u64) -> Grant {
    let request = a_request(n, ALICE, &format!("target-{n}"));
    store.commit(&filed(&request)).await.unwrap();
    let grant = a_grant(n, &request);
    put(store, &grant).await;
    grant
}

async fn killed(store: &Tried, role: &str) -> Vec<u64> {
    let killed = store.killed(role).await.unwrap();
    let which = |killed: &Killed| (1..10).find(|n| request_id(*n) == killed.request).unwrap();
    killed.iter().map(which).collect()
}

async fn version(store: &Tried, role: &str) -> u64 {
    store.switch(role).await.unwrap().version
}

async fn kill_is_read_back_as_it_was_written(store: &Tried) {
    let grant = granted(store, 1).await;
    for state in [
        KillState::Killing,
        KillState::Killed,
        KillState::Lifting,
        KillState::Lifted,
    ] {
        let read = store.grant_of(&grant.request).await.unwrap().unwrap();
        let next = with(&read, kill(ROLE, 30, state));
        put(store, &next).await;
        assert_eq!(store.grant_of(&grant.request).await.unwrap(), Some(next));
    }
}

async fn switch_counts_what_changes_and_nothing_else(store: &Tried) {
    assert_eq!(store.switch(ROLE).await.unwrap(), Switch::default());
    let mut grant = granted(store, 1).await;
    assert_eq!(version(store, ROLE).await, 0);
    for (state, expected) in [
        (KillState::Killing, 1),
        (KillState::Killed, 1),
        (KillState::Lifting, 2),
        (KillState::Lifted, 2),
    ] {
        grant = with(&grant, kill(ROLE, 30, state));
        put(store, &grant).await;
        assert_eq!(version(store, ROLE).await, expected, "{state:?}");
    }
    put(
        store,
        &with(&granted(store, 2).await, kill(OTHER, 30, KillState::Killing)),
    )
    .await;
    assert_eq!((version(store, ROLE).await, version(store, OTHER).await), (2, 1));
}

async fn killed_are_those_of_the_role_that_are_wanted(store: &Tried) {
    for (n, role, since, state) in [
        (1, ROLE, 50, KillState::Killing),
        (2, ROLE, 40, KillState::Killed),
        (3, ROLE, 30, KillState::Lifting),
        (4, ROLE, 30, KillState::Lifted),
        (5, OTHER, 30, KillState::Killed),
    ] {
        let grant = granted(store, n).await;
        put(store, &with(&grant, kill(role, since, state))).await;
    }
    granted(store, 6).await;
    assert_eq!(killed(store, ROLE).await, [2, 1]);
    assert_eq!(killed(store, OTHER).await, [5]);
    assert_eq!(store.killed(ROLE).await.unwrap()[0].since, at(40));
    assert_eq!(store.killed_of(ROLE, &person(ALICE)).await.unwrap(), Some((2, at(940))));
    assert_eq!(store.killed_of(ROLE, &person(BOB)).await.unwrap(), None);
}

async fn right_to_write_is_one_owners_until_it_lapses(store: &Tried) {
    let hold = |owner: &'static str, now: i64| store.hold_switch(ROLE, owner, at(now), at(now + 20));
    assert!(
        matches!(hold("one", 0).await, Err(StoreError::Conflict)),
        "there is none"
    );
    put(
        store,
        &with(&granted(store, 1).await, kill(ROLE, 30, KillState::Killing)),
    )
    .await;
    hold("one", 0).await.unwrap();
    assert!(matches!(hold("two", 19).await, Err(StoreError::Conflict)));
    hold("one", 10).await.unwrap();
    assert!(
        matches!(hold("two", 29).await, Err(StoreError::Conflict)),
        "kept for longer"
    );
    hold("two", 30).await.unwrap();
    store.leave_switch(ROLE, "one").await.unwrap();
    assert!(
        matches!(hold("one", 31).await, Err(StoreError::Conflict)),
        "not its own"
    );
    store.leave_switch(ROLE, "two").await.unwrap();
    hold("one", 31).await.unwrap();
}

async fn lost_right_notes_nothing(store: &Tried) {
    put(
        store,
        &with(&granted(store, 1).await, kill(ROLE, 30, KillState::Killing)),
    )
    .await;
    store.hold_switch(ROLE, "one", at(0), at(20)).await.unwrap();
    store.note_written(ROLE, "one", 1, Some(at(5))).await.unwrap();
    let written = Switch {
        version: 1,
        written: 1,
        denied_before: Some(at(5)),
    };
    assert_eq!(store.switch(ROLE).await.unwrap(), written);
    store.hold_switch(ROLE, "two", at(20), at(40)).await.unwrap();
    assert_eq!(store.switch(ROLE).await.unwrap().written, 0, "nobody knows");
    let late = store.note_written(ROLE, "one", 1, None).await;
    assert!(matches!(late, Err(StoreError::Conflict)));
    assert_eq!(store.switch(ROLE).await.unwrap().written, 0);
    store.note_written(ROLE, "two", 1, None).await.unwrap();
    store.leave_switch(ROLE, "two").await.unwrap();
    assert_eq!(store.switch(ROLE).await.unwrap().written, 1);
}

async fn refused_commit_changes_no_switch(store: &Tried) {
    let grant = granted(store, 1).await;
    let stale = Grant {
        version: 7,
        ..with(&grant, kill(ROLE, 30, KillState::Killing))
    };
    assert!(store.commit(&change(Row::Grant(stale))).await.is_err());
    assert_eq!(version(store, ROLE).await, 0);
    assert!(killed(store, ROLE).await.is_empty());
}
