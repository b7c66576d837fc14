//! Locks and what they end, in memory.

use async_trait::async_trait;

use super::super::{Locks, StoreError, Under};
use super::{MemoryStore, State};
use crate::domain::{Grant, GrantId, GrantState, Lock, Scope, Timestamp};

fn is_under(grant: &Grant, scope: &Scope) -> bool {
    match scope {
        Scope::All => true,
        Scope::Person(who) => grant.beneficiary == *who,
        Scope::Target(_) => scope.is_on(&grant.target),
    }
}

impl State {
    pub(super) fn write_lock(&mut self, new: &Lock) -> Result<(), StoreError> {
        self.knows(&new.by)?;
        let before = self.locks.get(&new.scope).map_or(0, |lock| lock.version);
        if before.checked_add(1) != Some(new.version) {
            return Err(StoreError::Conflict);
        }
        self.locks.insert(new.scope.clone(), new.clone());
        Ok(())
    }

    /// Refuses what a lock forbids that was set meanwhile.
    pub(super) fn refuse_locked(&self, scopes: &[Scope]) -> Result<(), StoreError> {
        let stands = |scope: &Scope| self.locks.get(scope).is_some_and(Lock::stands);
        match scopes.iter().any(stands) {
            true => Err(StoreError::Conflict),
            false => Ok(()),
        }
    }

    /// Locks on `scopes` that stand.
    pub(super) fn locks_on<'a>(&self, scopes: impl IntoIterator<Item = &'a Scope>) -> Vec<Lock> {
        let mut found: Vec<Lock> = Vec::new();
        for lock in scopes.into_iter().filter_map(|scope| self.locks.get(scope)) {
            if lock.stands() && !found.contains(lock) {
                found.push(lock.clone());
            }
        }
        found.sort_by_key(|lock| lock.scope.to_string());
        found
    }
}

#[async_trait]
impl Locks for MemoryStore {
    async fn lock(&self, scope: &Scope) -> Result<Option<Lock>, StoreError> {
        Ok(self.state().locks.get(scope).cloned())
    }

    async fn locks_on(&self, scopes: &[Scope]) -> Result<Vec<Lock>, StoreError> {
        Ok(self.state().locks_on(scopes))
    }

    async fn standing_locks(&self, limit: u32) -> Result<Vec<Lock>, StoreError> {
        let mut locks: Vec<Lock> = self
            .state()
            .locks
            .values()
            .filter(|lock| lock.stands())
            .cloned()
            .collect();
        locks.sort_by_key(|lock| (lock.since, lock.scope.to_string()));
        locks.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(locks)
    }

    async fn grants_under(
        &self,
        scope: &Scope,
        until: Timestamp,
        after: Option<&GrantId>,
        limit: u32,
    ) -> Result<Vec<GrantId>, StoreError> {
        let state = self.state();
        let position = |id: &GrantId| state.grants.iter().position(|grant| grant.id == *id);
        let begin = after.and_then(position).map_or(0, |at| at + 1);
        let is_meant = |grant: &&Grant| {
            let can_end = match grant.state {
                GrantState::Scheduled | GrantState::Granting | GrantState::Active => true,
                GrantState::Revoking | GrantState::Ended | GrantState::Failed => false,
            };
            can_end && grant.created_at <= until && is_under(grant, scope)
        };
        let found = state.grants[begin..].iter().filter(is_meant);
        Ok(found
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .map(|grant| grant.id.clone())
            .collect())
    }

    async fn open_under(&self, scope: &Scope) -> Result<Under, StoreError> {
        let state = self.state();
        let open = state
            .grants
            .iter()
            .filter(|grant| grant.state.is_open() && is_under(grant, scope));
        Ok(Under {
            grants: u64::try_from(open.clone().count()).unwrap_or(u64::MAX),
            last_credential_at: open.filter_map(|grant| grant.last_credential_at).max(),
        })
    }
}
