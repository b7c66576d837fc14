//! The evidence and the bundles, from memory.

use async_trait::async_trait;

use super::super::{Audit, Evidence, StoreError};
use super::MemoryStore;
use crate::domain::Timestamp;

#[async_trait]
impl Audit for MemoryStore {
    async fn evidence(&self, after: u64, limit: u32) -> Result<Vec<Evidence>, StoreError> {
        let state = self.state();
        let lines = state.evidence.iter().filter(|line| line.seq > after);
        Ok(lines
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .cloned()
            .collect())
    }

    async fn told(&self) -> Result<Vec<Evidence>, StoreError> {
        let state = self.state();
        let is_told = |kind: &str| matches!(kind, "drift.found" | "account.left" | "account.refused");
        let told = state.evidence.iter().filter(|line| is_told(&line.kind));
        Ok(told.cloned().collect())
    }

    async fn newest_at(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.state().evidence.last().map(|line| line.at))
    }

    async fn keep_bundle(&self, hash: &str, files: &str, _at: Timestamp) -> Result<(), StoreError> {
        let mut state = self.state();
        state.bundles.entry(hash.to_owned()).or_insert_with(|| files.to_owned());
        Ok(())
    }

    async fn bundle_in_force(&self) -> Result<Option<String>, StoreError> {
        let state = self.state();
        let newest = state.evidence.iter().rev().find(|line| line.kind == "policy.loaded");
        let hash = newest.and_then(|line| line.bundle_hash.as_ref());
        Ok(hash.and_then(|hash| state.bundles.get(hash).cloned()))
    }

    async fn bundle(&self, hash: &str) -> Result<Option<String>, StoreError> {
        Ok(self.state().bundles.get(hash).cloned())
    }
}
