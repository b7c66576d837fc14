//! Signing in with a one-time code and signing out.
//! Owns the order: device key first, session next, secrets before the list that names them.
//! Refuses a code on the command line beyond loopback.

use hot::{Account, Origin};
use secrecy::{ExposeSecret, SecretString};

use super::account::{Client, Picked, bad_name, cache_problem};
use super::backend::Backend;
use super::device_keys::{Kept, KeyNews};
use super::http::{self, foreign};
use super::secrets::Secret;
use super::sessions::SessionEntry;
use crate::domain::id::{PersonId, SessionId};
use crate::domain::person::{KeyStorage, LOCAL};
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
    /// What there is to say of where the device key is.
    pub news: Option<KeyNews>,
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
        // a name that can never be right costs no code
        Account::new(sign_in.server.clone(), &sign_in.identity).map_err(bad_name)?;
        http::check_scheme(&sign_in.server)?;
        let Kept { key, storage, news } = self.device_key(&sign_in.server)?;
        let backend = self.on_device(sign_in.server.clone(), key)?;
        let opened = backend.open_session(&NewSession {
            name: sign_in.identity.clone(),
            code: sign_in.code.expose_secret().to_owned(),
            verifier: None,
            key_storage: storage.as_str().to_owned(),
        })?;
        let token = checked(&backend, &opened)?;
        // whoever brings a code says themselves whose place they take
        let choose = || Account::new(sign_in.server.clone(), &sign_in.identity).map_err(bad_name);
        self.keep(choose, &backend, &opened.me, storage, &token)?;
        Ok(SignedIn { me: opened.me, news })
    }

    /// Keeps the session that was opened, under what is `chosen` while nobody else signs in here, and ends the one whose place
    /// it takes. One that is kept nowhere shall not live.
    pub(super) fn keep(
        &self,
        chosen: impl FnOnce() -> Result<Account>,
        backend: &Backend,
        me: &Me,
        storage: KeyStorage,
        token: &SecretString,
    ) -> Result<Account> {
        let (account, replaced) = self
            .write_down(chosen, backend, me, storage, token)
            .inspect_err(|_| drop(backend.end_session_of(token)))?;
        if let Some(old) = replaced {
            // it may be over, or of another key: then it ends by itself
            drop(backend.end_session_of(&old));
        }
        Ok(account)
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

    /// The account, and the token of the session whose place this one takes.
    fn write_down(
        &self,
        chosen: impl FnOnce() -> Result<Account>,
        backend: &Backend,
        me: &Me,
        storage: KeyStorage,
        token: &SecretString,
    ) -> Result<(Account, Option<SecretString>)> {
        let session = SessionId::parse(&me.session).map_err(|_| foreign(backend.origin(), "its session has no id"))?;
        let person = PersonId::parse(&me.person.id).map_err(|_| foreign(backend.origin(), "its person has no id"))?;
        let held = self.state.lock()?;
        let account = chosen()?;
        let replaced = self.replaced(&account, me);
        let (server, identity) = (account.origin().as_str(), account.identity());
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
            local: me.issuer == LOCAL,
        };
        self.sessions.put(entry, &held)?;
        drop(held);
        self.cache.set_current(&account).map_err(cache_problem)?;
        self.cache.forget_failures(&account).map_err(cache_problem)?;
        Ok((account, replaced))
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

    /// Every session on this machine, over or not, of every identity and server.
    ///
    /// # Errors
    /// What keeps the list from being read; a name in it that can never be right.
    pub fn kept_sessions(&self) -> Result<Vec<Picked>> {
        let picked = |session: SessionEntry| {
            let origin = Origin::parse(&session.server).map_err(bad_name)?;
            Ok(Picked {
                account: Account::new(origin, &session.identity).map_err(bad_name)?,
                session,
                new: None,
            })
        };
        self.sessions.list()?.into_iter().map(picked).collect()
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
