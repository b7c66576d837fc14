//! Where session tokens and device keys are kept: the keyring, or a file of mode 0600 where there is none.
//! Owns the names under which they are kept. Refuses to mix: what was kept in one place is read from there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::state::{StateFolder, StateLock, damaged};
use crate::config::keyring::KeyringFailure;
use crate::config::{Environment, keyring};
use crate::domain::person::KeyStorage;
use crate::error::{Error, Exit, Result};

const FILE: &str = "secrets.json";

/// What a secret is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Secret<'a> {
    /// The device key for a backend.
    DeviceKey { origin: &'a str },
    /// The session token of an identity at a backend.
    Token { origin: &'a str, identity: &'a str },
}

impl Secret<'_> {
    fn name(self) -> String {
        match self {
            Self::DeviceKey { origin } => format!("device-key {origin}"),
            Self::Token { origin, identity } => format!("session {origin} {identity}"),
        }
    }
}

/// The secrets of one state folder.
#[derive(Clone, Debug)]
pub(super) struct Secrets {
    folder: StateFolder,
    keyring_may_exist: bool,
}

impl Secrets {
    pub(super) fn new(folder: StateFolder, env: &Environment) -> Self {
        Self {
            folder,
            keyring_may_exist: keyring::may_exist(env),
        }
    }

    /// The file that stands in for a keyring.
    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join(FILE)
    }

    /// What the keyring has of `secret`; nothing where none may be there.
    ///
    /// # Errors
    /// Why it does not say.
    pub(super) fn in_keyring(&self, secret: Secret<'_>) -> std::result::Result<Option<SecretString>, KeyringFailure> {
        match self.keyring_may_exist {
            true => keyring::get(&self.keyring_name(&secret.name())),
            false => Ok(None),
        }
    }

    /// Has the keyring keep `value`, and give it back.
    ///
    /// # Errors
    /// Why it does not.
    pub(super) fn keep_in_keyring(
        &self,
        secret: Secret<'_>,
        value: &SecretString,
    ) -> std::result::Result<(), KeyringFailure> {
        let name = self.keyring_name(&secret.name());
        keyring::set(&name, value)?;
        let back = keyring::get(&name)?;
        match back.is_some_and(|back| back.expose_secret() == value.expose_secret()) {
            true => Ok(()),
            false => Err(KeyringFailure::Locked(
                "it does not give back what it is to keep".to_owned(),
            )),
        }
    }

    /// Whether a keyring is looked for at all.
    pub(super) fn keyring_may_exist(&self) -> bool {
        self.keyring_may_exist
    }

    pub(super) fn get(&self, secret: Secret<'_>, place: KeyStorage) -> Result<Option<SecretString>> {
        match place {
            KeyStorage::Keyring => keyring::get(&self.keyring_name(&secret.name())).map_err(locked),
            KeyStorage::File => Ok(self.read()?.remove(&secret.name()).map(SecretString::from)),
        }
    }

    pub(super) fn set(
        &self,
        secret: Secret<'_>,
        place: KeyStorage,
        value: &SecretString,
        held: &StateLock,
    ) -> Result<()> {
        match place {
            KeyStorage::Keyring => keyring::set(&self.keyring_name(&secret.name()), value).map_err(locked),
            KeyStorage::File => {
                let mut all = self.read()?;
                all.insert(secret.name(), value.expose_secret().to_owned());
                self.write(&all, held)
            }
        }
    }

    pub(super) fn delete(&self, secret: Secret<'_>, place: KeyStorage, held: &StateLock) -> Result<()> {
        match place {
            KeyStorage::Keyring => keyring::delete(&self.keyring_name(&secret.name())).map_err(locked),
            KeyStorage::File => {
                let mut all = self.read()?;
                if all.remove(&secret.name()).is_some() {
                    self.write(&all, held)?;
                }
                Ok(())
            }
        }
    }

    /// Entries carry the state folder's path, so that two HOMEs never share.
    fn keyring_name(&self, name: &str) -> String {
        format!("{name} {}", self.folder.path().display())
    }

    fn read(&self) -> Result<BTreeMap<String, String>> {
        match self.folder.read(FILE)? {
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|_| damaged(&self.file())),
            None => Ok(BTreeMap::new()),
        }
    }

    fn write(&self, all: &BTreeMap<String, String>, held: &StateLock) -> Result<()> {
        let bytes = serde_json::to_vec(all).map_err(|error| Error::unexpected(error.to_string()))?;
        self.folder.write(FILE, &bytes, held)
    }
}

/// The keyring is there, and does not do what it is for.
pub(super) fn locked(failure: KeyringFailure) -> Error {
    Error::new(
        Exit::Configuration,
        "keyring.failed",
        format!("the keyring failed: {failure}"),
    )
    .hint("unlock it, or set JIT_KEYRING=file and sign in again")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: Secret<'_> = Secret::Token {
        origin: "https://h",
        identity: "alice",
    };

    #[test]
    fn secret_in_the_file_is_kept_and_forgotten() {
        let temp = tempfile::tempdir().unwrap();
        let folder = StateFolder::at(temp.path().join("state"));
        let secrets = Secrets::new(folder.clone(), &Environment::default());
        let held = folder.lock().unwrap();
        let value = SecretString::from("x".to_owned());
        secrets.set(TOKEN, KeyStorage::File, &value, &held).unwrap();
        let read = secrets.get(TOKEN, KeyStorage::File).unwrap().unwrap();
        assert_eq!(read.expose_secret(), "x");
        secrets.delete(TOKEN, KeyStorage::File, &held).unwrap();
        assert!(secrets.get(TOKEN, KeyStorage::File).unwrap().is_none());
    }
}
