//! Signing in by the device's key alone, where the backend knows this device for a person of its own.
//! Owns for whom that is tried. Refuses to make a key for it, and keys of the file: no backend takes them.

use hot::{Account, Origin};

use super::account::{Client, bad_name};
use super::device::DeviceKey;
use super::http;
use super::login::{SignedIn, checked};
use super::secrets::Secret;
use crate::domain::person::KeyStorage;
use crate::domain::refusal::Code;
use crate::error::Result;
use crate::wire::NewSession;

impl Client {
    /// Whom this device may sign in at `server` by itself: who is meant, unless they are known to come from elsewhere; where
    /// nobody is named, whoever signed in last, if the backend itself vouches for them.
    pub fn known_here(&self, server: &Origin) -> Result<Option<String>> {
        let sessions = self.sessions.list()?;
        let mut here = sessions.iter().rev().filter(|kept| kept.server == server.as_str());
        Ok(match self.identity() {
            Some(name) => {
                let is_elsewhere = here.any(|kept| kept.identity == name && !kept.local);
                (!is_elsewhere).then(|| name.to_owned())
            }
            None => here.next().filter(|last| last.local).map(|last| last.identity.clone()),
        })
    }

    /// Signs `name` in at `server` by the key that the keyring has; nothing where there is none, or where the backend wants
    /// more than that.
    ///
    /// # Errors
    /// What the backend says otherwise; what keeps the session from being kept.
    pub fn sign_in_by_key(&self, server: &Origin, name: &str) -> Result<Option<SignedIn>> {
        let account = Account::new(server.clone(), name).map_err(bad_name)?;
        http::check_scheme(server)?;
        let secret = Secret::DeviceKey {
            origin: server.as_str(),
        };
        // what is wrong with a keyring is said by the way that is taken instead
        let Ok(Some(kept)) = self.secrets.in_keyring(secret) else {
            return Ok(None);
        };
        let backend = self.on_device(server.clone(), DeviceKey::read(&kept)?)?;
        let opened = backend.open_session(&NewSession {
            name: name.to_owned(),
            code: String::new(),
            verifier: None,
            key_storage: KeyStorage::Keyring.as_str().to_owned(),
        });
        let opened = match opened {
            Ok(opened) => opened,
            // a backend that is older wants a code
            Err(error) if matches!(error.wire_code(), Some(Code::SessionDeviceUnknown | Code::UsageBody)) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let token = checked(&backend, &opened)?;
        self.keep(|| Ok(account), &backend, &opened.me, KeyStorage::Keyring, &token)?;
        Ok(Some(SignedIn {
            me: opened.me,
            news: None,
        }))
    }
}
