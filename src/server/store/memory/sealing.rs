//! The check value of the sealing key, in memory.

use async_trait::async_trait;

use super::super::{Sealing, StoreError};
use super::{MemoryStore, State};
use crate::domain::SealingCheck;

impl State {
    pub(super) fn write_sealing_check(&mut self, new: &SealingCheck) -> Result<(), StoreError> {
        let before = self.sealing_check.as_ref().map_or(0, |check| check.version);
        if before + 1 != new.version {
            return Err(StoreError::Conflict);
        }
        self.sealing_check = Some(new.clone());
        Ok(())
    }
}

#[async_trait]
impl Sealing for MemoryStore {
    async fn sealing_check(&self) -> Result<Option<SealingCheck>, StoreError> {
        Ok(self.state().sealing_check.clone())
    }
}
