//! What directories push, in memory.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::super::{By, Directories, StoreError};
use super::{MemoryStore, State};
use crate::domain::{DirectoryGroup, DirectoryMember, DirectoryUser, MembersChange, Timestamp};

fn key(name: &str) -> String {
    name.to_lowercase()
}

fn page<T: Clone>(all: Vec<T>, limit: u32) -> Vec<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    all.into_iter().take(limit).collect()
}

impl State {
    pub(super) fn write_directory_user(&mut self, new: &DirectoryUser) -> Result<(), StoreError> {
        let before = self.directory_users.get(&new.id).map_or(0, |user| user.version);
        if before.checked_add(1) != Some(new.version) {
            return Err(StoreError::Conflict);
        }
        let is_same = |old: &&DirectoryUser| {
            old.source == new.source
                && old.id != new.id
                && old.deleted_at.is_none()
                && (key(&old.user_name) == key(&new.user_name)
                    || old.external_id.is_some() && old.external_id == new.external_id)
        };
        if new.deleted_at.is_none() && self.directory_users.values().any(|old| is_same(&old)) {
            return Err(StoreError::Conflict);
        }
        self.directory_users.insert(new.id.clone(), new.clone());
        Ok(())
    }

    pub(super) fn write_directory_group(&mut self, new: &DirectoryGroup) -> Result<(), StoreError> {
        let before = self.directory_groups.get(&new.id).map_or(0, |group| group.version);
        if before.checked_add(1) != Some(new.version) {
            return Err(StoreError::Conflict);
        }
        let is_same = |old: &DirectoryGroup| {
            old.source == new.source
                && old.id != new.id
                && old.deleted_at.is_none()
                && (key(&old.name) == key(&new.name) || old.external_id.is_some() && old.external_id == new.external_id)
        };
        if new.deleted_at.is_none() && self.directory_groups.values().any(is_same) {
            return Err(StoreError::Conflict);
        }
        self.directory_groups.insert(new.id.clone(), new.clone());
        Ok(())
    }

    pub(super) fn write_directory_members(&mut self, change: &MembersChange) {
        for id in &change.removed {
            self.directory_members.remove(&(change.group.clone(), id.clone()));
        }
        for member in &change.added {
            self.directory_members
                .entry((change.group.clone(), member.id.clone()))
                .or_insert_with(|| member.clone());
        }
    }
}

#[async_trait]
impl Directories for MemoryStore {
    async fn directory_user(&self, source: &str, by: By<'_>) -> Result<Option<DirectoryUser>, StoreError> {
        let is_it = |user: &&DirectoryUser| {
            user.source == source
                && user.deleted_at.is_none()
                && match by {
                    By::Id(id) => user.id == id,
                    By::ExternalId(id) => user.external_id.as_deref() == Some(id),
                    By::Name(name) => key(&user.user_name) == key(name),
                }
        };
        Ok(self.state().directory_users.values().find(is_it).cloned())
    }

    async fn directory_user_known(&self, source: &str, subject: &str) -> Result<Option<DirectoryUser>, StoreError> {
        let state = self.state();
        let known = state
            .directory_users
            .values()
            .filter(|user| user.source == source && user.external_id.as_deref() == Some(subject));
        let newest = known.max_by_key(|user| (user.deleted_at.is_none(), user.deleted_at, user.id.clone()));
        Ok(newest.cloned())
    }

    async fn directory_users(
        &self,
        source: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<DirectoryUser>, StoreError> {
        let is_meant = |user: &&DirectoryUser| {
            user.source == source && user.deleted_at.is_none() && after.is_none_or(|after| user.id.as_str() > after)
        };
        let all = self
            .state()
            .directory_users
            .values()
            .filter(is_meant)
            .cloned()
            .collect();
        Ok(page(all, limit))
    }

    async fn directory_sources(&self) -> Result<Vec<String>, StoreError> {
        let state = self.state();
        let sources: BTreeSet<String> = state.directory_users.values().map(|user| user.source.clone()).collect();
        Ok(sources.into_iter().collect())
    }

    async fn directory_group(&self, source: &str, by: By<'_>) -> Result<Option<DirectoryGroup>, StoreError> {
        let is_it = |group: &&DirectoryGroup| {
            group.source == source
                && group.deleted_at.is_none()
                && match by {
                    By::Id(id) => group.id == id,
                    By::ExternalId(id) => group.external_id.as_deref() == Some(id),
                    By::Name(name) => key(&group.name) == key(name),
                }
        };
        Ok(self.state().directory_groups.values().find(is_it).cloned())
    }

    async fn directory_groups(
        &self,
        source: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<DirectoryGroup>, StoreError> {
        let is_meant = |group: &&DirectoryGroup| {
            group.source == source && group.deleted_at.is_none() && after.is_none_or(|after| group.id.as_str() > after)
        };
        let all = self
            .state()
            .directory_groups
            .values()
            .filter(is_meant)
            .cloned()
            .collect();
        Ok(page(all, limit))
    }

    async fn directory_members(&self, group: &str) -> Result<Vec<DirectoryMember>, StoreError> {
        let state = self.state();
        let members = state.directory_members.iter().filter(|((of, _), _)| of == group);
        Ok(members.map(|(_, member)| member.clone()).collect())
    }

    async fn directory_groups_of(&self, member: &str) -> Result<Vec<(DirectoryGroup, Timestamp)>, StoreError> {
        let state = self.state();
        let above = state.directory_members.iter().filter(|((_, of), _)| of == member);
        let mut groups: Vec<_> = above
            .filter_map(|((group, _), member)| Some((state.directory_groups.get(group)?.clone(), member.since)))
            .filter(|(group, _)| group.deleted_at.is_none())
            .collect();
        groups.sort_by(|(a, _), (b, _)| a.id.cmp(&b.id));
        Ok(groups)
    }
}
