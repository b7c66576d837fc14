//! One change on the state: the same refusals, in the same order, as the SQL has them.

use super::super::StoreError;
use super::super::seal::{SALT_BYTES, seal};
use super::{Left, State};
use crate::domain::{
    Change, Decision, Device, Effect, EffectId, Grant, GrantState, Once, Person, PersonId, Postpone, Request,
    RequestId, RequestState, Row, Session, SignInCode, Timestamp,
};

/// Puts `new` in the place of `old` where it is the version after it.
fn replace<T>(
    rows: &mut [T],
    is_it: impl Fn(&T) -> bool,
    version: impl Fn(&T) -> u64,
    new_version: u64,
    change: impl FnOnce(&mut T),
) -> Result<(), StoreError> {
    let old = rows.iter_mut().find(|row| is_it(row)).ok_or(StoreError::Conflict)?;
    if version(old).checked_add(1) != Some(new_version) {
        return Err(StoreError::Conflict);
    }
    change(old);
    Ok(())
}

/// Adds `new` unless a row with its id is there.
fn insert<T>(rows: &mut Vec<T>, new: T, is_same: impl Fn(&T) -> bool) -> Result<(), StoreError> {
    if rows.iter().any(is_same) {
        return Err(StoreError::Duplicate);
    }
    rows.push(new);
    Ok(())
}

fn names_nothing() -> StoreError {
    StoreError::Unreadable("a row names what is not there".to_owned())
}

impl State {
    /// All of `change`; what is left after an error is of no use.
    pub(super) fn apply(&mut self, change: &Change, salt: &[u8; SALT_BYTES]) -> Result<(), StoreError> {
        if let Some(once) = &change.once {
            self.use_up(once)?;
        }
        self.refuse_locked(&change.unless_locked)?;
        if let Some(effect) = change.completes {
            self.complete(effect)?;
        }
        if let Some(postpone) = &change.postpones {
            self.postpone(postpone)?;
        }
        for row in &change.rows {
            self.write(row)?;
        }
        if let Some(event) = &change.event {
            let seq = u64::try_from(self.evidence.len()).unwrap_or(u64::MAX);
            self.evidence.push(seal(seq + 1, event, salt).line);
        }
        for (due_at, effect) in &change.effects {
            self.add(*due_at, effect.clone());
        }
        Ok(())
    }

    fn write(&mut self, row: &Row) -> Result<(), StoreError> {
        match row {
            Row::Request(request) => self.write_request(request),
            Row::Decision(decision) => self.write_decision(decision),
            Row::Grant(grant) => self.write_grant(grant),
            Row::Person(person) => self.write_person(person),
            Row::Device(device) => self.write_device(device),
            Row::Session(session) => self.write_session(session),
            Row::SignInCode(code) => self.write_code(code),
            Row::SealingCheck(check) => self.write_sealing_check(check),
            Row::IssuerKey(key) => self.write_issuer_key(key),
            Row::Lock(lock) => self.write_lock(lock),
            Row::Membership(membership) => self.write_membership(membership),
            Row::DirectoryUser(user) => self.write_directory_user(user),
            Row::DirectoryGroup(group) => self.write_directory_group(group),
            Row::DirectoryMembers(members) => {
                self.write_directory_members(members);
                Ok(())
            }
        }
    }

    pub(super) fn knows(&self, person: &PersonId) -> Result<(), StoreError> {
        let known = self.people.iter().any(|known| known.id == *person);
        if known { Ok(()) } else { Err(names_nothing()) }
    }

    fn has_filed(&self, request: &RequestId) -> Result<(), StoreError> {
        let filed = self.requests.iter().any(|filed| filed.id() == request);
        if filed { Ok(()) } else { Err(names_nothing()) }
    }

    fn write_request(&mut self, new: &Request) -> Result<(), StoreError> {
        if new.version != 1 {
            let (is_it, version) = (|old: &Request| old.id() == new.id(), |old: &Request| old.version);
            return replace(&mut self.requests, is_it, version, new.version, |old| {
                (old.state, old.closed_at, old.version) = (new.state, new.closed_at, new.version);
            });
        }
        let (beneficiary, on) = (&new.body.beneficiary, &new.body.target);
        let (from, until) = new.spans();
        let is_scheduled = |grant: &Grant| {
            grant.beneficiary == *beneficiary
                && grant.target == *on
                && grant.state == GrantState::Scheduled
                && grant.starts_at < until
                && grant.activate_by > from
        };
        if self.grants.iter().any(is_scheduled) {
            return Err(StoreError::Conflict);
        }
        insert(&mut self.requests, new.clone(), |old| old.id() == new.id())?;
        let is_pending = |old: &&Request| {
            old.body.beneficiary == *beneficiary
                && old.body.target == *on
                && old.body.start == new.body.start
                && old.state == RequestState::Pending
        };
        if self.requests.iter().filter(is_pending).count() > 1 {
            return Err(StoreError::Conflict);
        }
        self.knows(&new.body.requester)?;
        self.knows(beneficiary)
    }

    fn write_decision(&mut self, new: &Decision) -> Result<(), StoreError> {
        let is_same = |old: &Decision| old.request == new.request && old.by == new.by;
        insert(&mut self.decisions, new.clone(), is_same).map_err(|_| StoreError::Conflict)?;
        self.has_filed(&new.request)?;
        self.knows(&new.by)
    }

    fn write_grant(&mut self, new: &Grant) -> Result<(), StoreError> {
        if let Some(kill) = new.kill.as_ref().filter(|kill| kill.state.is_under_way()) {
            self.switches.entry(kill.role_arn.clone()).or_default().switch.version += 1;
        }
        if new.version != 1 {
            let (is_it, version) = (|old: &Grant| old.id == new.id, |old: &Grant| old.version);
            return replace(&mut self.grants, is_it, version, new.version, |old| {
                *old = Grant {
                    id: old.id.clone(),
                    request: old.request.clone(),
                    beneficiary: old.beneficiary.clone(),
                    target: old.target.clone(),
                    only: old.only.clone(),
                    created_at: old.created_at,
                    ..new.clone()
                };
            });
        }
        let has_one = self
            .grants
            .iter()
            .any(|old| old.request == new.request && old.id != new.id);
        insert(&mut self.grants, new.clone(), |old| old.id == new.id)?;
        if has_one {
            return Err(StoreError::Conflict);
        }
        self.has_filed(&new.request)?;
        self.knows(&new.beneficiary)
    }

    fn write_person(&mut self, new: &Person) -> Result<(), StoreError> {
        let is_known = |old: &Person| old.issuer == new.issuer && old.subject == new.subject && old.id != new.id;
        if self.people.iter().any(is_known) {
            return Err(StoreError::Conflict);
        }
        insert(&mut self.people, new.clone(), |old| old.id == new.id)
    }

    fn write_device(&mut self, new: &Device) -> Result<(), StoreError> {
        self.knows(&new.person)?;
        let key = (new.id.clone(), new.person.clone());
        if new.version == 1 {
            self.devices.entry(key).or_insert_with(|| new.clone());
            return Ok(());
        }
        let old = self.devices.get_mut(&key).ok_or(StoreError::Conflict)?;
        if old.version.checked_add(1) != Some(new.version) {
            return Err(StoreError::Conflict);
        }
        (old.key_storage, old.enrolled_at) = (new.key_storage, new.enrolled_at);
        (old.known_until, old.version) = (new.known_until, new.version);
        Ok(())
    }

    fn write_session(&mut self, new: &Session) -> Result<(), StoreError> {
        if new.version != 1 {
            let (is_it, version) = (|old: &Session| old.id == new.id, |old: &Session| old.version);
            return replace(&mut self.sessions, is_it, version, new.version, |old| {
                (old.expires_at, old.ended_at) = (new.expires_at, new.ended_at);
                (old.mfa_at, old.version) = (new.mfa_at, new.version);
                old.used_at = old.used_at.max(new.used_at);
            });
        }
        self.knows(&new.person)?;
        let has_token = |old: &Session| {
            let has_brought = new.id_token.is_some() && old.id_token == new.id_token;
            (old.token_hash == new.token_hash || has_brought) && old.id != new.id
        };
        if self.sessions.iter().any(has_token) {
            return Err(StoreError::Conflict);
        }
        insert(&mut self.sessions, new.clone(), |old| old.id == new.id)
    }

    fn write_code(&mut self, new: &SignInCode) -> Result<(), StoreError> {
        if new.version != 1 {
            let (is_it, version) = (
                |old: &SignInCode| old.code_hash == new.code_hash,
                |old: &SignInCode| old.version,
            );
            return replace(&mut self.codes, is_it, version, new.version, |old| {
                (old.spent_at, old.tries, old.version) = (new.spent_at, new.tries, new.version);
            });
        }
        self.knows(&new.person)?;
        let sign_in = |code: &SignInCode| code.bound.as_ref().map(|bound| bound.sign_in.clone());
        let is_same = |old: &SignInCode| old.code_hash != new.code_hash && sign_in(old) == sign_in(new);
        if new.bound.is_some() && self.codes.iter().any(is_same) {
            return Err(StoreError::Conflict);
        }
        insert(&mut self.codes, new.clone(), |old| old.code_hash == new.code_hash)
    }

    fn use_up(&mut self, once: &Once) -> Result<(), StoreError> {
        self.knows(&once.person)?;
        let key = (once.person.clone(), once.key.clone());
        if self.once.contains_key(&key) {
            return Err(StoreError::Repeated);
        }
        self.once.insert(key, once.clone());
        Ok(())
    }

    fn add(&mut self, due_at: Timestamp, effect: Effect) {
        self.last_effect += 1;
        let row = Left {
            effect,
            due_at,
            attempts: 0,
            last_error: None,
            claimed: None,
        };
        self.outbox.insert(self.last_effect, row);
    }

    fn complete(&mut self, effect: EffectId) -> Result<(), StoreError> {
        self.outbox.remove(&effect.0).map(drop).ok_or(StoreError::Conflict)
    }

    fn postpone(&mut self, postpone: &Postpone) -> Result<(), StoreError> {
        let row = self.outbox.get_mut(&postpone.effect.0).ok_or(StoreError::Conflict)?;
        row.due_at = postpone.until;
        row.attempts += u32::from(postpone.is_attempt);
        row.last_error = Some(postpone.error.clone());
        row.claimed = None;
        Ok(())
    }
}
