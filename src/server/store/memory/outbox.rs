//! The outbox, from memory.

use std::ops::RangeInclusive;

use async_trait::async_trait;

use super::super::{Claimed, Outbox, Pending, StoreError};
use super::{Left, MemoryStore};
use crate::domain::{Effect, EffectId, GrantId, Timestamp};

fn is_free(row: &Left, now: Timestamp) -> bool {
    row.claimed.as_ref().is_none_or(|(_, until)| *until <= now)
}

fn is_about(effect: &Effect, grant: &GrantId) -> bool {
    match effect {
        Effect::Expire { .. } | Effect::Sweep { .. } | Effect::Oust { .. } | Effect::Depart { .. } => false,
        Effect::Activate { grant: of }
        | Effect::Give { grant: of }
        | Effect::End { grant: of }
        | Effect::Take { grant: of }
        | Effect::LetGo { grant: of }
        | Effect::Kill { grant: of }
        | Effect::Warn { grant: of }
        | Effect::Stop { grant: of, .. }
        | Effect::Recall { grant: of }
        | Effect::Unkill { grant: of } => of == grant,
    }
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn claim(
        &self,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        urgencies: RangeInclusive<u8>,
        limit: u32,
    ) -> Result<Vec<Claimed>, StoreError> {
        let mut state = self.state();
        let mut due: Vec<_> = state
            .outbox
            .iter_mut()
            .filter(|(_, row)| row.due_at <= now && is_free(row, now) && urgencies.contains(&row.effect.urgency()))
            .collect();
        due.sort_by_key(|(id, row)| (row.effect.urgency(), row.due_at, **id));
        due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let claim = |(id, row): (&i64, &mut Left)| {
            row.claimed = Some((owner.to_owned(), until));
            Claimed {
                id: EffectId(*id),
                effect: row.effect.clone(),
                attempts: row.attempts,
            }
        };
        Ok(due.into_iter().map(claim).collect())
    }

    async fn next_due(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let due = |row: &Left| Some(row.due_at).filter(|at| *at > after);
        Ok(self.state().outbox.values().filter_map(due).min())
    }

    async fn pending_effects(&self, grant: &GrantId) -> Result<Vec<Pending>, StoreError> {
        let state = self.state();
        let mut rows: Vec<_> = state
            .outbox
            .iter()
            .filter(|(_, row)| is_about(&row.effect, grant))
            .collect();
        rows.sort_by_key(|(id, row)| (row.due_at, **id));
        let pending = |(_, row): (&i64, &Left)| Pending {
            effect: row.effect.clone(),
            attempts: row.attempts,
            last_error: row.last_error.clone(),
            due_at: row.due_at,
        };
        Ok(rows.into_iter().map(pending).collect())
    }

    async fn left(&self) -> Result<u64, StoreError> {
        Ok(u64::try_from(self.state().outbox.len()).unwrap_or(u64::MAX))
    }

    async fn release(&self, owner: &str) -> Result<(), StoreError> {
        for row in self.state().outbox.values_mut() {
            if row.claimed.as_ref().is_some_and(|(by, _)| by == owner) {
                row.claimed = None;
            }
        }
        Ok(())
    }
}
