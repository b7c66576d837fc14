//! What is to stand in the policies that shut sessions out, from memory.

use async_trait::async_trait;

use super::super::{StoreError, Switch, Switches};
use super::{HeldSwitch, MemoryStore};
use crate::domain::{Grant, Killed, PersonId, Timestamp};

fn is_held_by(held: &HeldSwitch, owner: &str) -> bool {
    held.held.as_ref().is_some_and(|(by, _)| by == owner)
}

#[async_trait]
impl Switches for MemoryStore {
    async fn switch(&self, role_arn: &str) -> Result<Switch, StoreError> {
        let state = self.state();
        Ok(state
            .switches
            .get(role_arn)
            .map(|held| held.switch.clone())
            .unwrap_or_default())
    }

    async fn killed(&self, role_arn: &str) -> Result<Vec<Killed>, StoreError> {
        let state = self.state();
        let killed = |grant: &Grant| {
            let kill = grant
                .kill
                .as_ref()
                .filter(|kill| kill.state.is_wanted() && kill.role_arn == role_arn)?;
            Some(Killed {
                request: grant.request.clone(),
                since: kill.since,
            })
        };
        let mut killed: Vec<Killed> = state.grants.iter().filter_map(killed).collect();
        killed.sort_by(|a, b| (a.since, &a.request).cmp(&(b.since, &b.request)));
        Ok(killed)
    }

    async fn killed_of(&self, role_arn: &str, beneficiary: &PersonId) -> Result<Option<(u32, Timestamp)>, StoreError> {
        let state = self.state();
        let theirs = state.grants.iter().filter(|grant| grant.beneficiary == *beneficiary);
        let kills = theirs.filter_map(|grant| grant.kill.as_ref());
        let wanted = kills.filter(|kill| kill.state.is_wanted() && kill.role_arn == role_arn);
        let ends: Vec<Timestamp> = wanted.map(|kill| kill.until).collect();
        let count = u32::try_from(ends.len()).unwrap_or(u32::MAX);
        Ok(ends.into_iter().min().map(|first| (count, first)))
    }

    async fn hold_switch(
        &self,
        role_arn: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        let held = state.switches.get_mut(role_arn).ok_or(StoreError::Conflict)?;
        let is_free = held
            .held
            .as_ref()
            .is_none_or(|(by, until)| by == owner || *until <= now);
        if !is_free {
            return Err(StoreError::Conflict);
        }
        held.held = Some((owner.to_owned(), until));
        held.switch.written = 0;
        Ok(())
    }

    async fn note_written(
        &self,
        role_arn: &str,
        owner: &str,
        version: u64,
        denied_before: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        let held = state.switches.get_mut(role_arn).ok_or(StoreError::Conflict)?;
        if !is_held_by(held, owner) {
            return Err(StoreError::Conflict);
        }
        (held.switch.written, held.switch.denied_before) = (version, denied_before);
        Ok(())
    }

    async fn leave_switch(&self, role_arn: &str, owner: &str) -> Result<(), StoreError> {
        let mut state = self.state();
        if let Some(held) = state.switches.get_mut(role_arn).filter(|held| is_held_by(held, owner)) {
            held.held = None;
        }
        Ok(())
    }
}
