//! Which identity at which backend is meant, and what is kept for it.
//! Owns the way from flags, environment and last sign-in to a session. Refuses to sign in by itself.

use std::sync::Arc;

use hot::{Account, Cache, Choice, Origin};

use super::backend::{Backend, Identity};
use super::device::DeviceKey;
use super::nonces::KeptNonce;
use super::secrets::{Secret, Secrets};
use super::sessions::{SessionEntry, Sessions};
use super::state::StateFolder;
use crate::clock::Clock;
use crate::config::{ConfigFile, Environment, Folders, NetworkSettings};
use crate::error::{Error, Exit, Result};
use crate::wire::Me;

/// The client of one machine: which account is meant, its session, its cache.
pub struct Client {
    pub(super) env: Environment,
    pub(super) folders: Folders,
    pub(super) state: StateFolder,
    pub(super) sessions: Sessions,
    pub(super) secrets: Secrets,
    pub(super) cache: Cache,
    pub(super) clock: Arc<Clock>,
    choice: Choice,
    preset: Option<Origin>,
}

/// An account and its session.
#[derive(Clone, Debug)]
pub struct Picked {
    /// Identity and server.
    pub account: Account,
    /// The session on this machine.
    pub session: SessionEntry,
    /// Who signed in by itself just now, where a job did.
    pub new: Option<Me>,
}

impl Client {
    /// The client for what the flags say.
    ///
    /// # Errors
    /// Exit 2 for a bad name, 3 for folders and files that are wrong.
    pub fn open(env: &Environment, server: Option<&str>, identity: Option<&str>, clock: Arc<Clock>) -> Result<Self> {
        let folders = Folders::find(env)?;
        let config = ConfigFile::load(&folders)?;
        let choice = Choice::new(server, identity, &|name| env.os(name)).map_err(bad_name)?;
        let preset = config.server.as_deref().map(Origin::parse).transpose();
        let preset = preset.map_err(|bad| Error::configuration(format!("{}: {bad}", folders.config_file.display())))?;
        let state = StateFolder::at(folders.state.clone());
        Ok(Self {
            sessions: Sessions::new(state.clone()),
            secrets: Secrets::new(state.clone(), env),
            cache: Cache::at(folders.cache.clone()),
            env: env.clone(),
            folders,
            state,
            clock,
            choice,
            preset,
        })
    }

    /// The server that is meant, signed in or not.
    ///
    /// # Errors
    /// Exit 2 where nothing names one.
    pub fn server(&self) -> Result<Origin> {
        if let Some(origin) = &self.choice.server {
            return Ok(origin.clone());
        }
        if let Some(account) = self.cache.current().map_err(cache_problem)? {
            return Ok(account.origin().clone());
        }
        self.preset
            .clone()
            .ok_or_else(|| Error::usage("no server is known").try_("jit login --server https://HOST"))
    }

    /// The identity that the flag or the environment names.
    pub fn identity(&self) -> Option<&str> {
        self.choice.identity.as_deref()
    }

    /// The account that is meant.
    ///
    /// # Errors
    /// Exit 4 where nobody is signed in.
    pub fn account(&self) -> Result<Account> {
        if let Some(account) = self.cache.select(&self.choice).map_err(cache_problem)? {
            return Ok(account);
        }
        // the cache may have been emptied by hand: whoever signed in last is still known
        let sessions = self.sessions.list()?;
        let is_meant = |s: &&SessionEntry| {
            let server = self.choice.server.as_ref().is_none_or(|o| o.as_str() == s.server);
            server && self.choice.identity.as_ref().is_none_or(|i| *i == s.identity)
        };
        let last = sessions.iter().rev().find(is_meant).ok_or_else(|| self.signed_out())?;
        let origin = Origin::parse(&last.server).map_err(bad_name)?;
        Account::new(origin, &last.identity).map_err(bad_name)
    }

    /// The account that is meant, with its session.
    ///
    /// # Errors
    /// Exit 4 where there is none, or it is over.
    pub fn picked(&self) -> Result<Picked> {
        let account = self.account()?;
        let session = self
            .sessions
            .find(account.origin().as_str(), account.identity())?
            .ok_or_else(|| self.signed_out())?;
        let now_ms = self.clock.now().millis().saturating_add(session.clock_offset_ms);
        if now_ms >= session.ends_at.millis() {
            let message = format!("the session of {} ended", account.identity());
            return Err(Error::new(Exit::SignedOut, "session.ended", message).try_(self.login_command()));
        }
        Ok(Picked {
            account,
            session,
            new: None,
        })
    }

    /// The backend of an account that is signed in.
    ///
    /// # Errors
    /// Exit 3 where the secret cannot be read, 4 where it is gone.
    pub fn backend(&self, picked: &Picked) -> Result<Backend> {
        let secret = Secret::Token {
            origin: picked.account.origin().as_str(),
            identity: picked.account.identity(),
        };
        let token = self
            .secrets
            .get(secret, picked.session.storage)?
            .ok_or_else(|| self.signed_out())?;
        super::token::check(&token).map_err(|_| Error::signed_out().try_(self.login_command()))?;
        // a session counts on its device alone
        let key = self.key_of_session(picked.account.origin(), picked.session.storage)?;
        let key = key.ok_or_else(|| self.signed_out())?;
        let identity = Identity {
            key: Some(DeviceKey::read(&key)?),
            token: Some(token),
        };
        let origin = picked.account.origin().clone();
        let nonce = KeptNonce::new(self.state.clone(), origin.as_str());
        let backend = Backend::new(
            origin,
            &NetworkSettings::find(&self.env),
            identity,
            Arc::clone(&self.clock),
            picked.session.clock_offset_ms,
        )?;
        Ok(backend.with_nonce(nonce))
    }

    /// The backend, for whoever is signed in; a job that has no session signs in by itself.
    ///
    /// # Errors
    /// Exit 4 where nobody is.
    pub fn signed_in(&self) -> Result<(Picked, Backend)> {
        let picked = match self.picked() {
            Err(error) if error.exit == Exit::SignedOut => self.sign_in_as_job(error)?,
            picked => picked?,
        };
        let backend = self.backend(&picked)?;
        Ok((picked, backend))
    }

    /// The backend for somebody who is not signed in yet, on the device that has `key`.
    pub(super) fn on_device(&self, origin: Origin, key: DeviceKey) -> Result<Backend> {
        let network = NetworkSettings::find(&self.env);
        let identity = Identity {
            key: Some(key),
            token: None,
        };
        Backend::new(origin, &network, identity, Arc::clone(&self.clock), 0)
    }

    /// Keeps what the last call said about the backend's clock. A machine that cannot write goes on.
    pub fn keep_clock(&self, picked: &Picked, backend: &Backend) {
        let Some(offset_ms) = backend.measured_offset_ms() else {
            return;
        };
        // the date has whole seconds: less than two of difference is none
        if offset_ms.abs_diff(picked.session.clock_offset_ms) < 2_000 {
            return;
        }
        let (server, identity) = (picked.account.origin().as_str(), picked.account.identity());
        if let Err(error) = self.sessions.note_clock(server, identity, offset_ms) {
            tracing::warn!(%error, "the backend's clock was not noted");
        }
    }

    fn signed_out(&self) -> Error {
        Error::signed_out().try_(self.login_command())
    }

    /// What signs in again, with what was typed this time.
    fn login_command(&self) -> String {
        let mut command = String::from("jit login");
        if let Some(server) = &self.choice.server {
            command.push_str(&format!(" --server {server}"));
        }
        let is_plain = |name: &&String| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "@._+-".contains(c);
            !name.is_empty() && !name.starts_with('-') && name.chars().all(plain)
        };
        if let Some(identity) = self.choice.identity.as_ref().filter(is_plain) {
            command.push_str(&format!(" --identity {identity}"));
        }
        command
    }
}

/// A name that can never be right.
pub(super) fn bad_name(bad: hot::BadName) -> Error {
    split(Error::usage(""), &bad.to_string())
}

/// What the cache found wrong; its text ends in the command that mends it.
pub(super) fn cache_problem(problem: hot::Problem) -> Error {
    let exit = match problem.exit() {
        2 => Exit::Usage,
        3 => Exit::Configuration,
        10 => Exit::Gone,
        _ => Exit::Unexpected,
    };
    split(Error::new(exit, "cache.refused", ""), &problem.to_string())
}

/// `what: run  COMMAND` in two.
fn split(mut error: Error, text: &str) -> Error {
    for (mark, lead) in [(": run  ", "try: "), (": give  ", "give: ")] {
        if let Some((what, command)) = text.rsplit_once(mark) {
            what.clone_into(&mut error.message);
            return error.hint(format!("{lead}{command}"));
        }
    }
    text.clone_into(&mut error.message);
    error
}
