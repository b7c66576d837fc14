//! Memberships, in memory.

use async_trait::async_trait;

use super::super::{Memberships, StoreError};
use super::{MemoryStore, State};
use crate::domain::{Membership, MembershipState, Timestamp};

impl State {
    pub(super) fn write_membership(&mut self, new: &Membership) -> Result<(), StoreError> {
        let standing = self.memberships.get(&new.name);
        if standing.map_or(0, |old| old.version).checked_add(1) != Some(new.version) {
            return Err(StoreError::Conflict);
        }
        let mut next = new.clone();
        if let Some(old) = standing {
            next.binding = old.binding.clone();
            next.user.clone_from(&old.user);
        }
        self.memberships.insert(new.name.clone(), next);
        Ok(())
    }
}

#[async_trait]
impl Memberships for MemoryStore {
    async fn membership(&self, name: &str) -> Result<Option<Membership>, StoreError> {
        Ok(self.state().memberships.get(name).cloned())
    }

    async fn memberships(&self, after: Option<&str>, limit: u32) -> Result<Vec<Membership>, StoreError> {
        let state = self.state();
        let is_meant = |one: &&Membership| {
            (one.state.may_be_there() || !one.leases.is_empty()) && one.name.as_str() > after.unwrap_or_default()
        };
        let page = state.memberships.values().filter(is_meant);
        Ok(page
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .cloned()
            .collect())
    }

    async fn foreign(&self, place: &str, after: Option<&str>, limit: u32) -> Result<Vec<Membership>, StoreError> {
        let state = self.state();
        let is_meant = |one: &&Membership| {
            let is_there = one.name.starts_with(place) && one.name.as_str() > after.unwrap_or(place);
            is_there && one.state == MembershipState::Foreign
        };
        let page = state.memberships.values().filter(is_meant);
        Ok(page
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .cloned()
            .collect())
    }

    async fn looked_at(&self, place: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.state().places.get(place).copied())
    }

    async fn note_looked(&self, place: &str, at: Timestamp) -> Result<(), StoreError> {
        self.state().places.insert(place.to_owned(), at);
        Ok(())
    }
}
