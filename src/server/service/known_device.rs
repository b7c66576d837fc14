//! Signing in on a device that is known, by its key alone: no code, for people of the backend itself.
//! Owns which devices are known, and forgetting them. Refuses keys that ever lay in a file: a copy would come in for good.

use std::net::IpAddr;

use super::sign_in::{left, me};
use super::{directory, locked};
use crate::domain::person::LOCAL;
use crate::domain::sign_in::come_back;
use crate::domain::{Device, Digest, KeyStorage, Person, Refusal, Session, SignInMethod, Timestamp};
use crate::server::backend::{Backend, Caller};
use crate::server::failure::{Failure, settled};
use crate::server::identity::device::DeviceKey;
use crate::wire::{NewSession, OpenedSession, token};

/// Opens a session for the local person whom `new` names, on the device that has `key`, where that is known for them.
///
/// # Errors
/// [`Refusal::DeviceUnknown`], the same words whether the name, the device or both are not known; [`Refusal::Locked`].
pub async fn open(
    backend: &Backend,
    new: &NewSession,
    key: &DeviceKey,
    key_storage: KeyStorage,
    address: IpAddr,
) -> Result<OpenedSession, Failure> {
    let secret = token::encode(&backend.random.bytes());
    let opened = settled!(async {
        let now = backend.now();
        let unknown = || Failure::from(Refusal::DeviceUnknown);
        let person = backend.store.person_by_subject(LOCAL, &new.name).await?;
        let person = person.ok_or_else(unknown)?;
        let device = backend.store.device(&key.id, &person.id).await?.ok_or_else(unknown)?;
        let session = Session {
            id: backend.random.session_id(),
            token_hash: Digest::of(secret.as_bytes()).to_string(),
            person: person.id.clone(),
            device: device.id.clone(),
            key_storage,
            method: SignInMethod::Local,
            mfa_at: None,
            id_token: None,
            created_at: now,
            used_at: now,
            expires_at: now.plus(backend.settings.session_life),
            ended_at: None,
            version: 1,
        };
        let lock = locked::of_person(backend, &person.id).await?;
        let change = match come_back(now, &person, &device, &session, lock.as_ref()) {
            Ok(change) => change,
            Err(refusal) => return Err(locked::named(backend, &person.id, refusal).await),
        };
        let known = directory::known(backend, &person).await?;
        if !known.active {
            return Err(left());
        }
        backend.commit(&change).await?;
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

/// The device that has `key` once `person` has signed in on it at `now`, where its key is at `storage`: as it is known
/// already, or a new one. Whom others vouch for brings proof of that each time: their devices stay as they were enrolled.
///
/// # Errors
/// What the store says.
pub async fn enrolled(
    backend: &Backend,
    person: &Person,
    key: &DeviceKey,
    storage: KeyStorage,
    now: Timestamp,
) -> Result<Device, Failure> {
    let new = Device {
        id: key.id.clone(),
        person: person.id.clone(),
        public_key: key.jwk.clone(),
        key_storage: storage,
        enrolled_at: now,
        known_until: Device::known_from(now),
        version: 1,
    };
    if !person.is_local() || person.workload.is_some() {
        return Ok(new);
    }
    let known = backend.store.device(&key.id, &person.id).await?;
    Ok(known.map_or(new, |known| known.signed_in_on(now, storage)))
}

/// Whether `person` gets in without a code, or is in already.
///
/// # Errors
/// What the store says.
pub async fn comes_in(backend: &Backend, person: &Person) -> Result<bool, Failure> {
    let now = backend.now();
    if !backend.store.live_sessions(Some(&person.id), now, 1).await?.is_empty() {
        return Ok(true);
    }
    let devices = backend.store.devices_of(&person.id).await?;
    Ok(devices.iter().any(|device| device.signs_in(person, now)))
}

#[cfg(test)]
mod tests;
