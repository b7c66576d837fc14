//! Locks and what they end, in memory.

use async_trait::async_trait;

use super::super::{Locks, StoreError, Under};
use super::{MemoryStore, State};
use crate::domain::{Grant, GrantId, GrantState, Lock, Scope, Timestamp};

impl State {
    fn is_under(&self, grant: &Grant, scope: &Scope) -> bool {
        let of = || self.requests.iter().find(|request| *request.id() == grant.request);
        match scope {
            Scope::All => true,
            Scope::Person(who) => grant.beneficiary == *who,
            Scope::Target(_) => {
                let mut same = of().into_iter().flat_map(|request| &request.frozen.same_access);
                scope.is_on(&grant.target) || same.any(|target| scope.is_on(target))
            }
            Scope::Bound(_) => of().is_some_and(|request| Scope::bound(&request.body.binding) == *scope),
        }
    }

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
        match self.locks_on(scopes).is_empty() {
            true => Ok(()),
            false => Err(StoreError::Conflict),
        }
    }

    /// Locks on `scopes` that stand.
    pub(super) fn locks_on<'a>(&self, scopes: impl IntoIterator<Item = &'a Scope>) -> Vec<Lock> {
        let mut found: Vec<Lock> = Vec::new();
        for scope in scopes {
            let on = self.locks.values().filter(|lock| lock.stands() && lock.is_on(scope));
            for lock in on {
                if !found.contains(lock) {
                    found.push(lock.clone());
                }
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
            can_end && grant.created_at <= until && state.is_under(grant, scope)
        };
        let found = state.grants[begin..].iter().filter(is_meant);
        Ok(found
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .map(|grant| grant.id.clone())
            .collect())
    }

    async fn open_under(&self, scope: &Scope, bound_to: Option<&Scope>, now: Timestamp) -> Result<Under, StoreError> {
        let state = self.state();
        let is_meant = |grant: &&Grant| {
            let mut scopes = std::iter::once(scope).chain(bound_to);
            scopes.any(|scope| state.is_under(grant, scope))
        };
        let (open, over): (Vec<&Grant>, Vec<&Grant>) = state
            .grants
            .iter()
            .filter(is_meant)
            .partition(|grant| grant.state.is_open());
        let remains = |grant: &&&Grant| {
            let mut held = state.memberships.values().filter(|held| held.pre_existing);
            let body = state.requests.iter().map(|request| &request.body);
            let mut body = body.filter(|body| body.id == grant.request);
            held.any(|held| held.leases.contains(&grant.id)) || body.any(|body| body.through_group)
        };
        let works = |grant: &&Grant| grant.last_credential_at.is_some_and(|last| last > now) && grant.kill.is_none();
        let counted = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Ok(Under {
            grants: counted(open.len()),
            remaining: counted(open.iter().filter(remains).count()),
            last_credential_at: open
                .into_iter()
                .chain(over.into_iter().filter(works))
                .filter_map(|grant| grant.last_credential_at)
                .max(),
        })
    }
}
