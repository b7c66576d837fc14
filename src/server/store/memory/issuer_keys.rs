//! The keys that we sign with as issuer, in memory.

use async_trait::async_trait;

use super::super::{IssuerKeys, StoreError};
use super::{MemoryStore, State};
use crate::domain::IssuerKey;

impl State {
    pub(super) fn write_issuer_key(&mut self, new: &IssuerKey) -> Result<(), StoreError> {
        let is_used = self.issuer_keys.iter().any(|key| key.number == new.number);
        let standing = self.issuer_keys.iter_mut().find(|key| key.id == new.id);
        match standing {
            Some(_) if new.version == 1 => Err(StoreError::Duplicate),
            Some(old) if old.version + 1 == new.version => {
                old.published_at = new.published_at;
                old.retired_at = new.retired_at;
                old.removed_at = new.removed_at;
                old.sealed = old.sealed.take().filter(|_| new.removed_at.is_none());
                old.version = new.version;
                Ok(())
            }
            None if new.version == 1 && !is_used => {
                self.issuer_keys.push(new.clone());
                self.issuer_keys.sort_by_key(|key| key.number);
                Ok(())
            }
            Some(_) | None => Err(StoreError::Conflict),
        }
    }
}

#[async_trait]
impl IssuerKeys for MemoryStore {
    async fn issuer_keys(&self) -> Result<Vec<IssuerKey>, StoreError> {
        Ok(self.state().issuer_keys.clone())
    }
}
