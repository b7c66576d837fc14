//! The store in memory: the same rules over plain maps, for tests and the simulation.
//! Owns one state behind a lock. Refuses durability: all is gone with the process.

mod audit;
mod cases;
mod directories;
mod issuer_keys;
mod locks;
mod memberships;
mod outbox;
mod people;
mod sealing;
mod switches;
mod write;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Commits, Evidence, StoreError, Switch};
use crate::domain::{
    Change, Decision, Device, DeviceId, Digest, DirectoryGroup, DirectoryMember, DirectoryUser, Effect, Grant,
    IssuerKey, Lock, Membership, Once, Person, PersonId, Request, Scope, SealingCheck, Session, SignInCode, Timestamp,
};
use crate::random::Random;

/// State in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
    random: Random,
}

/// Everything. Lists are in the order of insertion.
#[derive(Clone, Debug, Default)]
struct State {
    people: Vec<Person>,
    devices: BTreeMap<(DeviceId, PersonId), Device>,
    sessions: Vec<Session>,
    codes: Vec<SignInCode>,
    requests: Vec<Request>,
    decisions: Vec<Decision>,
    grants: Vec<Grant>,
    outbox: BTreeMap<i64, Left>,
    last_effect: i64,
    switches: BTreeMap<String, HeldSwitch>,
    once: BTreeMap<(PersonId, String), Once>,
    evidence: Vec<Evidence>,
    bundles: BTreeMap<String, String>,
    sealing_check: Option<SealingCheck>,
    issuer_keys: Vec<IssuerKey>,
    locks: BTreeMap<Scope, Lock>,
    memberships: BTreeMap<String, Membership>,
    places: BTreeMap<String, Timestamp>,
    directory_users: BTreeMap<String, DirectoryUser>,
    directory_groups: BTreeMap<String, DirectoryGroup>,
    directory_members: BTreeMap<(String, String), DirectoryMember>,
}

/// The policy of one role, and who may write it.
#[derive(Clone, Debug, Default)]
struct HeldSwitch {
    switch: Switch,
    held: Option<(String, Timestamp)>,
}

/// A row of the outbox.
#[derive(Clone, Debug)]
struct Left {
    effect: Effect,
    due_at: Timestamp,
    attempts: u32,
    last_error: Option<String>,
    claimed: Option<(String, Timestamp)>,
}

impl MemoryStore {
    /// The state. A test that panicked while it held the lock left it as it was: changes are swapped in whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Commits for MemoryStore {
    async fn commit(&self, change: &Change) -> Result<(), StoreError> {
        let mut state = self.state();
        let mut next = state.clone();
        next.apply(change, &self.random.bytes())?;
        *state = next;
        Ok(())
    }

    async fn once(&self, person: &PersonId, key: &str) -> Result<Option<(Digest, String)>, StoreError> {
        let state = self.state();
        let used = state.once.get(&(person.clone(), key.to_owned()));
        Ok(used.map(|once| (once.body_hash.clone(), once.outcome.clone())))
    }

    async fn forget_once(&self, before: Timestamp) -> Result<(), StoreError> {
        self.state().once.retain(|_, once| once.at >= before);
        Ok(())
    }
}
