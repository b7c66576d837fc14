//! People, devices, sessions and codes, from memory.

use async_trait::async_trait;

use super::super::{People, StoreError};
use super::MemoryStore;
use crate::domain::{Device, DeviceId, Person, PersonId, Session, SessionId, SignInCode, Timestamp};

#[async_trait]
impl People for MemoryStore {
    async fn person(&self, id: &PersonId) -> Result<Option<Person>, StoreError> {
        Ok(self.state().people.iter().find(|person| person.id == *id).cloned())
    }

    async fn person_by_subject(&self, issuer: &str, subject: &str) -> Result<Option<Person>, StoreError> {
        let is_it = |person: &&Person| person.issuer == issuer && person.subject == subject;
        Ok(self.state().people.iter().find(is_it).cloned())
    }

    async fn people_called(&self, name: &str, most: u32) -> Result<Vec<Person>, StoreError> {
        let state = self.state();
        let called = state.people.iter().filter(|one| one.name.eq_ignore_ascii_case(name));
        let mut called: Vec<Person> = called.cloned().collect();
        called.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        called.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(called)
    }

    async fn people_of_device(&self, device: &DeviceId) -> Result<Vec<PersonId>, StoreError> {
        let state = self.state();
        let keys = state.devices.keys().filter(|(id, _)| id == device);
        Ok(keys.map(|(_, person)| person.clone()).collect())
    }

    async fn device(&self, device: &DeviceId, person: &PersonId) -> Result<Option<Device>, StoreError> {
        Ok(self.state().devices.get(&(device.clone(), person.clone())).cloned())
    }

    async fn session_by_hash(&self, token_hash: &str) -> Result<Option<Session>, StoreError> {
        let is_it = |session: &&Session| session.token_hash == token_hash;
        Ok(self.state().sessions.iter().find(is_it).cloned())
    }

    async fn session(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.state().sessions.iter().find(|session| session.id == *id).cloned())
    }

    async fn session_of_id_token(&self, id_token: &str) -> Result<Option<Session>, StoreError> {
        let is_it = |session: &&Session| session.id_token.as_deref() == Some(id_token);
        Ok(self.state().sessions.iter().find(is_it).cloned())
    }

    async fn has_shown_mfa(&self, person: &PersonId) -> Result<bool, StoreError> {
        let has = |session: &Session| session.person == *person && session.mfa_at.is_some();
        Ok(self.state().sessions.iter().any(has))
    }

    async fn note_use(
        &self,
        session: &SessionId,
        at: Timestamp,
        (after, before): (Timestamp, Timestamp),
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        let is_it = |one: &&mut Session| {
            one.id == *session && one.ended_at.is_none() && one.used_at > after && one.used_at < before
        };
        if let Some(one) = state.sessions.iter_mut().find(is_it) {
            one.used_at = at;
        }
        Ok(())
    }

    async fn live_sessions(
        &self,
        person: Option<&PersonId>,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        let is_meant = |session: &&Session| session.is_live(now) && person.is_none_or(|id| session.person == *id);
        let mut sessions: Vec<_> = self.state().sessions.iter().filter(is_meant).cloned().collect();
        sessions.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        sessions.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(sessions)
    }

    async fn devices_of(&self, person: &PersonId) -> Result<Vec<Device>, StoreError> {
        let state = self.state();
        let devices = state.devices.values().filter(|device| device.person == *person);
        let mut devices: Vec<_> = devices.cloned().collect();
        devices.sort_by(|a, b| (a.enrolled_at, &a.id).cmp(&(b.enrolled_at, &b.id)));
        Ok(devices)
    }

    async fn code_by_hash(&self, code_hash: &str) -> Result<Option<SignInCode>, StoreError> {
        Ok(self
            .state()
            .codes
            .iter()
            .find(|code| code.code_hash == code_hash)
            .cloned())
    }

    async fn code_of_sign_in(&self, sign_in: &str) -> Result<Option<SignInCode>, StoreError> {
        let is_it = |code: &&SignInCode| code.bound.as_ref().is_some_and(|bound| bound.sign_in == sign_in);
        Ok(self.state().codes.iter().find(is_it).cloned())
    }

    async fn forget_codes(&self, before: Timestamp) -> Result<(), StoreError> {
        self.state().codes.retain(|code| code.expires_at >= before);
        Ok(())
    }

    async fn open_codes(&self, person: &PersonId, now: Timestamp) -> Result<Vec<SignInCode>, StoreError> {
        let is_open = |code: &&SignInCode| code.person == *person && code.spent_at.is_none() && now < code.expires_at;
        let mut codes: Vec<_> = self.state().codes.iter().filter(is_open).cloned().collect();
        codes.sort_by(|a, b| (a.expires_at, &a.code_hash).cmp(&(b.expires_at, &b.code_hash)));
        Ok(codes)
    }
}
