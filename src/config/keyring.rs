//! The operating system's keyring, each call in a thread of its own with a limit of 2 s.
//! Refuses to hang: a keyring that asks the person something meanwhile does not answer. That is not the same as none.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use keyring_core::{Entry, Error as KeyringError};
use secrecy::{ExposeSecret, SecretString};

use super::environment::Environment;

/// Longest that one call may take.
const LIMIT: Duration = Duration::from_secs(2);

/// What every entry of ours is filed under.
const SERVICE: &str = "jit";

/// Why the keyring did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringFailure {
    /// None is there, or it is broken; in its own words.
    #[error("{0}")]
    None(String),
    /// It is there and lets nobody in; in its own words.
    #[error("{0}")]
    Locked(String),
    /// It is there, and may be asking the person something.
    #[error("the keyring does not answer")]
    Mute,
}

/// Whether a keyring may be there at all; looking for one that cannot be there costs time.
pub fn may_exist(env: &Environment) -> bool {
    env.text("JIT_KEYRING").as_deref() != Some("file")
        && (cfg!(target_os = "macos") || env.os("DBUS_SESSION_BUS_ADDRESS").is_some())
}

/// The secret of `name`, if there is one.
///
/// # Errors
/// What the keyring says, or that it does not answer.
pub fn get(name: &str) -> Result<Option<SecretString>, KeyringFailure> {
    with_entry(name, |entry| match entry.get_password() {
        Ok(text) => Ok(Some(SecretString::from(text))),
        Err(KeyringError::NoEntry) => Ok(None),
        Err(error) => Err(error),
    })
}

/// Keeps the secret of `name`.
///
/// # Errors
/// As [`get`].
pub fn set(name: &str, secret: &SecretString) -> Result<(), KeyringFailure> {
    let secret = secret.clone();
    with_entry(name, move |entry| entry.set_password(secret.expose_secret()))
}

/// Forgets the secret of `name`.
///
/// # Errors
/// As [`get`].
pub fn delete(name: &str) -> Result<(), KeyringFailure> {
    with_entry(name, |entry| match entry.delete_credential() {
        Ok(()) | Err(KeyringError::NoEntry) => Ok(()),
        Err(error) => Err(error),
    })
}

fn with_entry<T: Send + 'static>(
    name: &str,
    call: impl FnOnce(&Entry) -> keyring_core::Result<T> + Send + 'static,
) -> Result<T, KeyringFailure> {
    let name = name.to_owned();
    let (answer, answered) = mpsc::sync_channel(1);
    thread::Builder::new()
        .spawn(move || {
            let result = entry(&name).and_then(|entry| call(&entry));
            // past the limit nobody listens any more
            let _ = answer.send(result.map_err(failure));
        })
        .map_err(|error| KeyringFailure::None(error.to_string()))?;
    answered.recv_timeout(LIMIT).unwrap_or(Err(KeyringFailure::Mute))
}

fn failure(error: KeyringError) -> KeyringFailure {
    match error {
        KeyringError::NoStorageAccess(why) => KeyringFailure::Locked(why.to_string()),
        other => KeyringFailure::None(other.to_string()),
    }
}

#[cfg(target_os = "linux")]
fn entry(name: &str) -> keyring_core::Result<Entry> {
    use keyring_core::api::CredentialStoreApi;
    zbus_secret_service_keyring_store::Store::new()?.build(SERVICE, name, None)
}

#[cfg(target_os = "macos")]
fn entry(name: &str) -> keyring_core::Result<Entry> {
    use keyring_core::api::CredentialStoreApi;
    apple_native_keyring_store::keychain::Store::new()?.build(SERVICE, name, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyring_is_not_looked_for_without_a_bus() {
        let env = |set: &'static [(&str, &str)]| {
            Environment::of(|name| set.iter().find(|(n, _)| *n == name).map(|(_, v)| v.into()))
        };
        assert!(!may_exist(&env(&[
            ("JIT_KEYRING", "file"),
            ("DBUS_SESSION_BUS_ADDRESS", "x")
        ])));
        assert!(may_exist(&env(&[("DBUS_SESSION_BUS_ADDRESS", "x")])));
        if cfg!(target_os = "linux") {
            assert!(!may_exist(&env(&[])));
        }
    }
}
