//! What directories push, as a store keeps it.
//! Owns how it is looked up. Refuses to say what counts: the domain does.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{DirectoryGroup, DirectoryMember, DirectoryUser, Timestamp};

/// How somebody, or a group, is looked up in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By<'a> {
    /// By our id.
    Id(&'a str),
    /// By the directory's own id.
    ExternalId(&'a str),
    /// By name, whatever its case.
    Name(&'a str),
}

/// What directories push.
#[async_trait]
pub trait Directories: Send + Sync {
    /// Somebody who is in `source`.
    async fn directory_user(&self, source: &str, by: By<'_>) -> Result<Option<DirectoryUser>, StoreError>;

    /// Whoever is, or was last, known there by this subject.
    async fn directory_user_known(&self, source: &str, subject: &str) -> Result<Option<DirectoryUser>, StoreError>;

    /// Who is in `source`, in the order of their ids; `after` continues (exclusive).
    async fn directory_users(
        &self,
        source: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<DirectoryUser>, StoreError>;

    /// The directories that anybody was ever in, by name.
    async fn directory_sources(&self) -> Result<Vec<String>, StoreError>;

    /// A group of `source`.
    async fn directory_group(&self, source: &str, by: By<'_>) -> Result<Option<DirectoryGroup>, StoreError>;

    /// The groups of `source`, in the order of their ids; `after` continues (exclusive).
    async fn directory_groups(
        &self,
        source: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<DirectoryGroup>, StoreError>;

    /// Who is directly in a group, in the order of their ids.
    async fn directory_members(&self, group: &str) -> Result<Vec<DirectoryMember>, StoreError>;

    /// The groups that somebody, or a group, is directly in, and since when; in the order of their ids.
    async fn directory_groups_of(&self, member: &str) -> Result<Vec<(DirectoryGroup, Timestamp)>, StoreError>;
}
