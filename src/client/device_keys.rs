//! The device key for a backend: where it is kept, and how one that began in a file gets into the keyring.
//! Owns the order: the keyring first, and nothing leaves the file before the keyring gave it back. Refuses to make another
//! key beside a keyring that is there and does not answer: the one that was used so far may be in it.

use std::path::PathBuf;

use hot::Origin;
use secrecy::SecretString;

use super::account::Client;
use super::device::DeviceKey;
use super::secrets::{Secret, locked};
use crate::config::keyring::KeyringFailure;
use crate::domain::person::KeyStorage;
use crate::error::Result;

/// A device key, and where it is.
pub(super) struct Kept {
    /// The key.
    pub(super) key: DeviceKey,
    /// Where; the tokens of new sessions go there too.
    pub(super) storage: KeyStorage,
    /// What its person is told.
    pub(super) news: Option<KeyNews>,
}

/// What a person is told of where their device key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyNews {
    /// There is no keyring: it is in this file from now on.
    NewInFile(PathBuf),
    /// It was in this file, and is in the keyring from now on.
    Moved(PathBuf),
    /// It stays in this file: the keyring is there, and this is wrong with it.
    Stays(PathBuf, String),
}

impl Client {
    /// The device key for `server`, made where there is none yet.
    pub(super) fn device_key(&self, server: &Origin) -> Result<Kept> {
        let held = self.state.lock()?;
        let secret = Secret::DeviceKey {
            origin: server.as_str(),
        };
        let in_file = self.secrets.get(secret, KeyStorage::File)?;
        let file = self.secrets.file();
        let stays = match self.in_keyring(secret, in_file.as_ref()) {
            Ok((kept, is_moved)) => {
                // sessions of the file find it in the keyring
                if is_moved {
                    self.secrets.delete(secret, KeyStorage::File, &held)?;
                }
                return Ok(Kept {
                    key: DeviceKey::read(&kept)?,
                    storage: KeyStorage::Keyring,
                    news: is_moved.then_some(KeyNews::Moved(file)),
                });
            }
            Err(KeyringFailure::None(_)) => None,
            Err(failure @ (KeyringFailure::Locked(_) | KeyringFailure::Mute)) => match in_file {
                Some(_) => Some(KeyNews::Stays(file.clone(), failure.to_string())),
                None => return Err(locked(failure)),
            },
        };
        if let Some(kept) = in_file {
            return Ok(Kept {
                key: DeviceKey::read(&kept)?,
                storage: KeyStorage::File,
                news: stays,
            });
        }
        let (key, kept) = DeviceKey::generate()?;
        self.secrets.set(secret, KeyStorage::File, &kept, &held)?;
        Ok(Kept {
            key,
            storage: KeyStorage::File,
            news: Some(KeyNews::NewInFile(file)),
        })
    }

    /// The key of the keyring: its own, else the one of the file, else a new one; and whether it came from the file.
    fn in_keyring(
        &self,
        secret: Secret<'_>,
        in_file: Option<&SecretString>,
    ) -> std::result::Result<(SecretString, bool), KeyringFailure> {
        if !self.secrets.keyring_may_exist() {
            return Err(KeyringFailure::None("there is none".to_owned()));
        }
        // one of its own is older than a file, which came of a login without it: sessions of the file keep theirs
        if let Some(kept) = self.secrets.in_keyring(secret)? {
            return Ok((kept, false));
        }
        let new = match in_file {
            Some(kept) => kept.clone(),
            None => {
                let made = DeviceKey::generate().map_err(|error| KeyringFailure::None(error.message))?;
                made.1
            }
        };
        // it answered: whatever is wrong from here on is no lack of one
        self.secrets
            .keep_in_keyring(secret, &new)
            .map_err(|failure| match failure {
                KeyringFailure::None(why) => KeyringFailure::Locked(why),
                failure @ (KeyringFailure::Locked(_) | KeyringFailure::Mute) => failure,
            })?;
        Ok((new, in_file.is_some()))
    }

    /// The device key for `server` that a session is of which is kept in `storage`: of one in the file it may have been
    /// moved since.
    ///
    /// # Errors
    /// Exit 3 where it cannot be read.
    pub(super) fn key_of_session(&self, server: &Origin, storage: KeyStorage) -> Result<Option<SecretString>> {
        let secret = Secret::DeviceKey {
            origin: server.as_str(),
        };
        match (self.secrets.get(secret, storage)?, storage) {
            (None, KeyStorage::File) => self.secrets.in_keyring(secret).or_else(|failure| match failure {
                KeyringFailure::None(_) => Ok(None),
                failure @ (KeyringFailure::Locked(_) | KeyringFailure::Mute) => Err(locked(failure)),
            }),
            (found, KeyStorage::File | KeyStorage::Keyring) => Ok(found),
        }
    }
}
