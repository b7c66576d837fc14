//! Signing in with a one-time code and signing out.
//! Owns the order: device key first, session next, secrets before the list that names them.
//! Refuses a code on the command line beyond loopback.

use hot::{Account, Origin};
use secrecy::{ExposeSecret, SecretString};

use super::account::{Client, Picked, bad_name, cache_problem};
use super::backend::Backend;
use super::device::DeviceKey;
use super::http::{self, foreign};
use super::secrets::Secret;
use super::sessions::SessionEntry;
use crate::domain::id::{PersonId, SessionId};
use crate::domain::person::KeyStorage;
use crate::error::{Error, Exit, Result};
use crate::wire::{Me, NewSession, OpenedSession};

/// Who signs in where.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The backend.
    pub server: Origin,
    /// The local name.
    pub identity: String,
    /// The one-time code.
    pub code: SecretString,
}

/// Who signed in.
pub struct SignedIn {
    /// The person.
    pub me: Me,
    /// The file that holds the device key now for the first time, because there is no keyring.
    pub new_secrets_file: Option<std::path::PathBuf>,
}

/// The token of a session that was opened on our device.
pub(super) fn checked(backend: &Backend, opened: &OpenedSession) -> Result<SecretString> {
    let token = SecretString::from(opened.token.as_str());
    super::token::check(&token)?;
    if Some(opened.me.device.as_str()) != backend.device().as_deref() {
        return Err(foreign(backend.origin(), "it enrolled another device key than ours"));
    }
    Ok(token)
}

impl Client {
    /// Whether a code on the command line is fine for `server`.
    ///
    /// # Errors
    /// Exit 2 beyond loopback: other people of the machine can read it there.
    pub fn allows_code_argument(&self, server: &Origin) -> Result<()> {
        if http::is_loopback(server) {
            return Ok(());
        }
        Err(Error::usage("a code on the command line is for loopback servers only").hint("--code alone asks for it"))
    }

    /// Refuses a server that could never be talked to, before anything is asked.
    ///
    /// # Errors
    /// Exit 2 for plain http beyond loopback.
    pub fn check_server(&self, server: &Origin) -> Result<()> {
        http::check_scheme(server)
    }

    /// Signs in.
    ///
    /// # Errors
    /// What the backend says; what keeps the session from being kept.
    pub fn sign_in(&self, sign_in: &SignIn) -> Result<SignedIn> {
        let account = Account::new(sign_in.server.clone(), &sign_in.identity).map_err(bad_name)?;
        http::check_scheme(&sign_in.server)?;
        let (key, storage, is_new) = self.device_key(&sign_in.server)?;
        let backend = self.on_device(sign_in.server.clone(), key)?;
        let opened = backend.open_session(&NewSession {
            name: sign_in.identity.clone(),
            code: sign_in.code.expose_secret().to_owned(),
            verifier: None,
            key_storage: storage.as_str().to_owned(),
        })?;
        let token = checked(&backend, &opened)?;
        self.keep(&account, &backend, &opened.me, storage, &token)?;
        let new_secrets_file = (is_new && storage == KeyStorage::File).then(|| self.secrets.file());
        Ok(SignedIn {
            me: opened.me,
            new_secrets_file,
        })
    }

    /// The device key for a backend, made where there is none yet.
    pub(super) fn device_key(&self, server: &Origin) -> Result<(DeviceKey, KeyStorage, bool)> {
        let held = self.state.lock()?;
        let secret = Secret::DeviceKey {
            origin: server.as_str(),
        };
        if let Some(kept) = self.secrets.get(secret, KeyStorage::File)? {
            return Ok((DeviceKey::read(&kept)?, KeyStorage::File, false));
        }
        let storage = self.secrets.place();
        if storage == KeyStorage::Keyring
            && let Some(kept) = self.secrets.get(secret, storage)?
        {
            return Ok((DeviceKey::read(&kept)?, storage, false));
        }
        let (key, kept) = DeviceKey::generate()?;
        self.secrets.set(secret, storage, &kept, &held)?;
        Ok((key, storage, true))
    }

    /// Keeps the session that was opened, and ends the one whose place it takes. One that is kept nowhere shall not live.
    pub(super) fn keep(
        &self,
        account: &Account,
        backend: &Backend,
        me: &Me,
        storage: KeyStorage,
        token: &SecretString,
    ) -> Result<()> {
        let replaced = self.replaced(account, me);
        if let Err(error) = self.write_down(account, backend, me, storage, token) {
            drop(backend.end_session_of(token));
            return Err(error);
        }
        if let Some(old) = replaced {
            // it may be over, or of another key: then it ends by itself
            drop(backend.end_session_of(&old));
        }
        Ok(())
    }

    /// The token of the session that is kept for `account`, of the same person, where it is another than that of `me`.
    fn replaced(&self, account: &Account, me: &Me) -> Option<SecretString> {
        let (origin, identity) = (account.origin().as_str(), account.identity());
        let entry = self.sessions.find(origin, identity).ok().flatten()?;
        if entry.person != me.person.id || entry.session == me.session {
            return None;
        }
        self.secrets
            .get(Secret::Token { origin, identity }, entry.storage)
            .ok()
            .flatten()
    }

    fn write_down(
        &self,
        account: &Account,
        backend: &Backend,
        me: &Me,
        storage: KeyStorage,
        token: &SecretString,
    ) -> Result<()> {
        let session = SessionId::parse(&me.session).map_err(|_| foreign(backend.origin(), "its session has no id"))?;
        let person = PersonId::parse(&me.person.id).map_err(|_| foreign(backend.origin(), "its person has no id"))?;
        let (server, identity) = (account.origin().as_str(), account.identity());
        let held = self.state.lock()?;
        let secret = Secret::Token {
            origin: server,
            identity,
        };
        self.secrets.set(secret, storage, token, &held)?;
        let entry = SessionEntry {
            server: server.to_owned(),
            identity: identity.to_owned(),
            person: person.to_string(),
            session: session.to_string(),
            ends_at: me.session_ends_at,
            storage,
            clock_offset_ms: backend.offset_ms(),
        };
        self.sessions.put(entry, &held)?;
        drop(held);
        self.cache.set_current(account).map_err(cache_problem)?;
        self.cache.forget_failures(account).map_err(cache_problem)
    }

    /// Signs out on this machine, whatever the backend says, then reports what it said; `everywhere` on every other one too.
    /// The portals of Identity Center that AWS tools stay signed in to.
    ///
    /// # Errors
    /// Exit 8 where the backend could not be told.
    pub fn sign_out(&self, picked: &Picked, everywhere: bool) -> Result<Vec<String>> {
        let backend = self.backend(picked);
        let kept = self.forget_tokens(&picked.account, backend.as_ref().ok());
        let told = backend.and_then(|backend| match everywhere {
            true => backend.end_every_session(),
            false => backend.end_session(),
        });
        let (server, identity) = (picked.account.origin().as_str(), picked.account.identity());
        self.cache.remove_all(&picked.account).map_err(cache_problem)?;
        self.forget_live(&picked.account);
        let held = self.state.lock()?;
        let secret = Secret::Token {
            origin: server,
            identity,
        };
        self.secrets.delete(secret, picked.session.storage, &held)?;
        self.sessions.remove(server, identity, &held)?;
        let stay = kept?;
        match told {
            // a session that is over already needs no goodbye
            Err(error) if error.exit == Exit::SignedOut && !everywhere => Ok(stay),
            told => told.map(|()| stay),
        }
    }

    /// The session on this machine, over or not.
    ///
    /// # Errors
    /// Exit 4 where there is none.
    pub fn kept_session(&self) -> Result<Picked> {
        let account = self.account()?;
        let session = self
            .sessions
            .find(account.origin().as_str(), account.identity())?
            .ok_or_else(Error::signed_out)?;
        Ok(Picked {
            account,
            session,
            new: None,
        })
    }
}
