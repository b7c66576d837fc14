//! What grants hold leases on, as a store keeps it.
//! Owns how it is looked up. Refuses to say what is to be given or taken: the domain does.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{Membership, Timestamp};

/// What grants hold leases on.
#[async_trait]
pub trait Memberships: Send + Sync {
    /// One, by its name.
    async fn membership(&self, name: &str) -> Result<Option<Membership>, StoreError>;

    /// Those of which something may be there, or that somebody holds, in the order of their names; `after` continues a
    /// page (exclusive).
    async fn memberships(&self, after: Option<&str>, limit: u32) -> Result<Vec<Membership>, StoreError>;

    /// Those that are somebody else's, of all whose names begin with `place`, in the order of their names; `after` continues
    /// a page (exclusive).
    async fn foreign(&self, place: &str, after: Option<&str>, limit: u32) -> Result<Vec<Membership>, StoreError>;

    /// When somebody looked last at all whose names begin with `place`.
    async fn looked_at(&self, place: &str) -> Result<Option<Timestamp>, StoreError>;

    /// Notes that somebody looked at `at`.
    async fn note_looked(&self, place: &str, at: Timestamp) -> Result<(), StoreError>;
}
