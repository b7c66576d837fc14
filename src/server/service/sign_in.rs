//! Signing in with a one-time code, who one is, signing out; and handing out codes.
//! Owns which code is meant. Refuses to prove who somebody is: a code is given to those who have.

use std::net::IpAddr;

use serde_json::json;

use super::{admin, device_flow, devices, directory, known_device, locked, people, presence, workload};
pub use crate::domain::person::LOCAL;
use crate::domain::sign_in::{sign_in, sign_out, sign_out_everywhere, wrong_try};
use crate::domain::{
    Actor, Change, Digest, KeyStorage, Person, PersonId, Refusal, Row, Session, SignInCode, SignInMethod, Timestamp,
    Workload,
};
use crate::server::backend::{Backend, Caller};
use crate::server::failure::{Failure, settled};
use crate::server::identity::device::DeviceKey;
use crate::server::identity::relying_party::challenge;
use crate::wire::problem::Code;
use crate::wire::{Me, NewSession, OpenedSession, Problem, token};

/// RFC 7636, section 4.1: a verifier is no longer.
pub(super) const LONGEST_VERIFIER: usize = 128;

/// Opens a session for whoever holds a valid code, on the device that has `key`; without one, for whom it is known.
///
/// # Errors
/// [`Code::SessionCodeInvalid`], the same words whatever is wrong with code, name, terminal or device;
/// [`Code::SessionDeviceUnknown`]; [`Code::RateLimited`].
pub async fn open(
    backend: &Backend,
    new: &NewSession,
    key: &DeviceKey,
    address: IpAddr,
) -> Result<OpenedSession, Failure> {
    let key_storage = key_storage(&new.key_storage)?;
    if new.code.is_empty() && new.verifier.is_none() {
        return known_device::open(backend, new, key, key_storage, address).await;
    }
    let now = backend.now();
    // what a browser brought cannot be guessed: strangers at the same address keep nobody out who has it
    let is_typed = new.verifier.is_none();
    if let Err(wait_s) = backend.limits.may_try_code(address, now)
        && is_typed
    {
        return Err(Failure::too_much("too many wrong codes", wait_s));
    }
    let verifier = new
        .verifier
        .as_deref()
        .map(|verifier| verifier.chars().take(LONGEST_VERIFIER).collect::<String>());
    let brought = verifier.as_deref().map(challenge);
    let secret = token::encode(&backend.random.bytes());
    let opened = settled!(async {
        let now = backend.now();
        let (code, person) = match holder(backend, new, brought.as_deref(), key).await? {
            Some(found) => found,
            None => {
                // whoever waits for somebody tries no codes
                device_flow::waits(backend, &new.code, &key.id)?;
                if is_typed {
                    backend.limits.wrong_code(address, now);
                }
                note_wrong(backend, new).await?;
                return Err(Refusal::CodeInvalid.into());
            }
        };
        let device = known_device::enrolled(backend, &person, key, key_storage, now).await?;
        let session = Session {
            id: backend.random.session_id(),
            token_hash: Digest::of(secret.as_bytes()).to_string(),
            person: person.id.clone(),
            device: device.id.clone(),
            key_storage,
            method: code.bound.as_ref().map_or(SignInMethod::Local, |bound| bound.method),
            mfa_at: code.bound.as_ref().and_then(|bound| bound.mfa_at),
            id_token: None,
            created_at: now,
            used_at: now,
            expires_at: now.plus(backend.settings.session_life),
            ended_at: None,
            version: 1,
        };
        let known = directory::known(backend, &person).await?;
        if !known.active {
            return Err(left());
        }
        let lock = locked::of_person(backend, &person.id).await?;
        match sign_in(now, &code, brought.as_deref(), &device, &session, lock.as_ref()) {
            Ok(change) => backend.commit(&change).await?,
            Err(refusal) => return Err(locked::named(backend, &person.id, refusal).await),
        }
        Ok(Caller {
            person,
            session,
            known,
            address,
            at: now,
        })
    })?;
    Ok(OpenedSession {
        token: secret,
        me: me(backend, &opened).await?,
    })
}

/// The code that was brought, and whose it is. Nothing unless the name fits, where it was typed; nothing unless it comes
/// from the terminal that it is for, where a browser brought it.
async fn holder(
    backend: &Backend,
    new: &NewSession,
    challenge: Option<&str>,
    key: &DeviceKey,
) -> Result<Option<(SignInCode, Person)>, Failure> {
    let Some(code) = backend.store.code_by_hash(&code_hash(&new.code)).await? else {
        return Ok(None);
    };
    let Some(person) = backend.store.person(&code.person).await? else {
        return Ok(None);
    };
    let fits = match &code.bound {
        None => challenge.is_none() && person.issuer == LOCAL && person.subject == new.name,
        Some(bound) => challenge == Some(bound.challenge.as_str()) && bound.device == key.id,
    };
    Ok((fits && code.spent_at.is_none() && backend.now() < code.expires_at).then_some((code, person)))
}

/// Counts a wrong code against those that whom it was brought for could use: the fifth makes them void.
async fn note_wrong(backend: &Backend, new: &NewSession) -> Result<(), Failure> {
    if new.verifier.is_some() {
        return Ok(());
    }
    let Some(person) = backend.store.person_by_subject(LOCAL, &new.name).await? else {
        return Ok(());
    };
    let now = backend.now();
    let mut codes = backend.store.open_codes(&person.id, now).await?;
    codes.retain(|code| code.bound.is_none());
    backend.commit(&wrong_try(now, &person, &codes)).await
}

/// What whoever has left their directory is told.
pub fn left() -> Failure {
    let problem = Problem::new(Code::Forbidden, "your directory says that you have left");
    problem.hint("whoever runs the directory brings you back").into()
}

/// Hash of a code as it was typed: case, dashes and spaces do not count, and Crockford's look-alikes are read as meant.
pub(super) fn code_hash(code: &str) -> String {
    let read: String = code
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        })
        .collect();
    Digest::of(read.as_bytes()).to_string()
}

/// Where a device says that it keeps its key.
///
/// # Errors
/// [`Code::UsageBody`].
pub fn key_storage(text: &str) -> Result<KeyStorage, Failure> {
    match text {
        "keyring" => Ok(KeyStorage::Keyring),
        "file" => Ok(KeyStorage::File),
        _ => Err(Failure::new(Code::UsageBody, "key_storage is neither keyring nor file")),
    }
}

/// Who is calling.
///
/// # Errors
/// What the store says.
pub async fn me(backend: &Backend, caller: &Caller) -> Result<Me, Failure> {
    let new_devices = devices::new_devices(backend, caller).await?;
    let bundle = backend.bundle();
    let catalogue = bundle.catalogue();
    let (groups, workload) = match caller.person.workload.as_deref() {
        None => (caller.groups(&bundle).names().to_vec(), None),
        Some(workload) => (Vec::new(), Some(workload::view(backend, catalogue, workload).await)),
    };
    Ok(Me {
        person: people::view(backend, &caller.person).await?,
        issuer: caller.person.issuer.clone(),
        subject: caller.person.subject.clone(),
        groups,
        workload,
        method: caller.session.method.as_str().to_owned(),
        mfa_at: caller.session.mfa_at,
        idle_since: presence::idle_since(backend, caller),
        admin: admin::is_admin(backend, &caller.person),
        new_devices,
        session: caller.session.id.to_string(),
        session_ends_at: caller.session.expires_at,
        device: caller.session.device.to_string(),
        key_storage: caller.session.key_storage.as_str().to_owned(),
    })
}

/// Ends every session of the caller, and forgets their devices: one that is known would open the next by itself.
///
/// # Errors
/// What the store says.
pub async fn close_everywhere(backend: &Backend, caller: &Caller) -> Result<(), Failure> {
    settled!(async {
        let now = backend.now();
        let sessions = backend
            .store
            .live_sessions(Some(&caller.person.id), now, u32::MAX)
            .await?;
        let devices = match caller.person.is_local() {
            true => backend.store.devices_of(&caller.person.id).await?,
            false => Vec::new(),
        };
        let change = sign_out_everywhere(now, &caller.person, &sessions, &devices);
        backend.commit(&change).await
    })
}

/// Ends the caller's session.
///
/// # Errors
/// What the store says.
pub async fn close(backend: &Backend, caller: &Caller) -> Result<(), Failure> {
    settled!(async {
        let session = backend.store.session(&caller.session.id).await?;
        let change = sign_out(backend.now(), session.as_ref().unwrap_or(&caller.session));
        backend.commit(&change).await
    })
}

/// Who holds `secret`.
///
/// # Errors
/// [`Code::SessionUnknown`], [`Code::SessionEnded`].
pub async fn caller(backend: &Backend, secret: &str, address: IpAddr) -> Result<Caller, Failure> {
    let unknown = || Failure::new(Code::SessionUnknown, "not signed in");
    if !token::is_well_formed(secret) {
        return Err(unknown());
    }
    let hash = Digest::of(secret.as_bytes());
    let session = backend
        .store
        .session_by_hash(hash.as_str())
        .await?
        .ok_or_else(unknown)?;
    if !session.is_live(backend.now()) {
        return Err(Failure::new(Code::SessionEnded, "the session has ended"));
    }
    let person = backend.store.person(&session.person).await?.ok_or_else(unknown)?;
    // taken out of the catalogue, it is nobody from the next call on
    let is_out = |workload: &Workload| !backend.bundle().catalogue().is_enrolled(workload);
    if person.workload.as_deref().is_some_and(is_out) {
        return Err(Failure::new(Code::SessionEnded, "this workload is no longer enrolled"));
    }
    // the directory is asked at every call: who has left is out at once, and comes back with a new session only
    let known = directory::known(backend, &person).await?;
    if !known.lets_in(&session) {
        return Err(Failure::new(Code::SessionEnded, "the session has ended"));
    }
    Ok(Caller {
        person,
        session,
        known,
        address,
        at: backend.now(),
    })
}

/// A code that was handed out.
pub struct Issued {
    /// The code.
    pub code: String,
    /// Whom it signs in.
    pub person: PersonId,
    /// It works before this instant.
    pub expires_at: Timestamp,
    /// Whether they were not known before.
    pub is_new: bool,
}

/// A new code for the local person `name`, by the backend itself.
///
/// # Errors
/// What the store says.
pub async fn issue_code(backend: &Backend, name: &str) -> Result<String, Failure> {
    let issued = issue_code_by(backend, name, Actor::Backend, "session.code_issued").await?;
    Ok(issued.code)
}

/// A new code for the local person `name`, who is made if need be, by `by`; `kind` is what the evidence calls it. Older
/// codes of theirs are void.
///
/// # Errors
/// What the store says.
pub async fn issue_code_by(backend: &Backend, name: &str, by: Actor, kind: &str) -> Result<Issued, Failure> {
    let code = backend.random.code();
    let (person, expires_at, is_new) = settled!(async {
        let now = backend.now();
        let known = backend.store.person_by_subject(LOCAL, name).await?;
        let is_new = known.is_none();
        let mut rows = Vec::new();
        let person = known.unwrap_or_else(|| {
            let id = backend.random.person_id();
            let new = Person {
                id,
                issuer: LOCAL.to_owned(),
                subject: name.to_owned(),
                name: name.to_owned(),
                since: now,
                workload: None,
            };
            rows.push(Row::Person(new.clone()));
            new
        });
        for old in backend.store.open_codes(&person.id, now).await? {
            rows.push(Row::SignInCode(SignInCode {
                spent_at: Some(now),
                version: old.version + 1,
                ..old
            }));
        }
        rows.push(Row::SignInCode(SignInCode {
            code_hash: code_hash(&code),
            person: person.id.clone(),
            expires_at: now.plus(backend.settings.code_life),
            spent_at: None,
            bound: None,
            tries: 0,
            version: 1,
        }));
        let details = json!({ "person": person.id, "name": person.name, "is_new": is_new });
        let change = Change::new(now, kind, by.clone(), None, rows, details);
        backend.commit(&change).await?;
        Ok((person.id, now.plus(backend.settings.code_life), is_new))
    })?;
    Ok(Issued {
        code,
        person,
        expires_at,
        is_new,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_type_them() {
        assert_eq!(code_hash("F7KQ-0011"), code_hash("f7kq oo1l"));
        assert_ne!(code_hash("F7KQ-0011"), code_hash("F7KQ-0012"));
    }
}
