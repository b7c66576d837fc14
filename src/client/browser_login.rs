//! Signing in through a browser: what is asked of it, what it brings, and the session that follows.
//! Owns the terminal's own secret (RFC 7636): it never leaves this process but to the backend. Refuses an answer to
//! another sign-in.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hot::{Account, Origin};
use percent_encoding::utf8_percent_encode;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::account::{Client, bad_name};
use super::backend::Backend;
use super::calls::UNRESERVED;
use super::login::{SignedIn, checked};
use super::loopback::Loopback;
use crate::config::NetworkSettings;
use crate::domain::person::KeyStorage;
use crate::domain::refusal::Code;
use crate::error::{Error, Exit, Result};
use crate::wire::{Me, NewSession, SignInMethods, paths};

/// Whoever was sent to a browser is back by then, or has gone elsewhere.
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// A sign-in that waits for the browser.
pub struct BrowserLogin {
    backend: Backend,
    loopback: Loopback,
    storage: KeyStorage,
    is_new_key: bool,
    verifier: SecretString,
    state: String,
    address: String,
}

impl Client {
    /// How `server` lets people sign in; none where it does not say: a backend from before there were several, which knows
    /// one-time codes alone.
    ///
    /// # Errors
    /// What the backend says.
    pub fn sign_in_methods(&self, server: &Origin) -> Result<Option<SignInMethods>> {
        let network = NetworkSettings::find(&self.env);
        let clock = std::sync::Arc::clone(&self.clock);
        let nobody = Backend::new(server.clone(), &network, super::backend::Identity::default(), clock, 0)?;
        match nobody.sign_in_methods() {
            Err(error) if error.code == Code::PathNotFound.as_str() => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// Begins to sign in at `server` through a browser. The port is taken before anybody is sent there.
    ///
    /// # Errors
    /// What keeps a device key from being kept; exit 1 where there is no port, or no signal can be watched.
    pub fn begin_in_browser(&self, server: &Origin) -> Result<BrowserLogin> {
        let (key, storage, is_new_key) = self.device_key(server)?;
        let device = key.thumbprint();
        let backend = self.on_device(server.clone(), key)?;
        // before anybody is told that it waits: a key that is pressed meanwhile is not lost
        backend.watch_interrupt()?;
        let loopback = Loopback::bind()?;
        let (verifier, state) = (backend.random().secret(), backend.random().secret());
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        let address = format!(
            "{server}{}?challenge={challenge}&device={}&port={}&state={state}",
            paths::SIGN_IN,
            utf8_percent_encode(&device, UNRESERVED),
            loopback.port()
        );
        Ok(BrowserLogin {
            backend,
            loopback,
            storage,
            is_new_key,
            verifier: SecretString::from(verifier),
            state,
            address,
        })
    }

    /// Waits for the browser and opens the session; `identity` is the local name, else what the person is called.
    ///
    /// # Errors
    /// Exit 4 where nobody signed in, 130 at the interrupt key; what the backend says.
    pub fn finish_in_browser(&self, login: BrowserLogin, identity: Option<&str>) -> Result<SignedIn> {
        let BrowserLogin {
            backend,
            loopback,
            storage,
            is_new_key,
            verifier,
            state,
            ..
        } = login;
        let late = || {
            let message = format!("nobody signed in within {} min", LONGEST.as_secs() / 60);
            Error::new(Exit::SignedOut, "login.late", message).try_("jit login")
        };
        let brought = backend.interruptible(async {
            let brought = tokio::time::timeout(LONGEST, loopback.brought(&state)).await;
            brought.map_err(|_| late())?
        })?;
        let Some(code) = brought.code else {
            let why = brought.error.unwrap_or_default();
            let why: String = why.chars().take(300).collect();
            return Err(Error::new(Exit::SignedOut, "login.refused", why).try_("jit login"));
        };
        let opened = backend.open_session(&NewSession {
            name: String::new(),
            code,
            verifier: Some(verifier.expose_secret().to_owned()),
            key_storage: storage.as_str().to_owned(),
        })?;
        let token = checked(&backend, &opened)?;
        let account = self.local_account(&backend, &opened.me, identity);
        let account = match account {
            Ok(account) => account,
            Err(error) => {
                // a session that is kept nowhere shall not live
                drop(backend.signed_in_with(token).end_session());
                return Err(error);
            }
        };
        self.keep(&account, &backend, &opened.me, storage, &token)?;
        let is_new_file = is_new_key && storage == KeyStorage::File;
        Ok(SignedIn {
            me: opened.me,
            new_secrets_file: is_new_file.then(|| self.secrets.file()),
        })
    }

    /// The account under which `me` is kept: the name that was given, unless somebody else has it here; else what they are
    /// called, and where that is taken or no name, their id.
    pub(super) fn local_account(&self, backend: &Backend, me: &Me, identity: Option<&str>) -> Result<Account> {
        let origin = backend.origin();
        let is_others = |name: &str| -> Result<bool> {
            let known = self.sessions.find(origin.as_str(), name)?;
            Ok(known.is_some_and(|entry| entry.person != me.person.id))
        };
        if let Some(name) = identity {
            let account = Account::new(origin.clone(), name).map_err(bad_name)?;
            if is_others(name)? {
                let message = format!("{name} is somebody else here than {}", me.person.name);
                return Err(Error::new(Exit::SignedOut, "login.other_person", message)
                    .hint("sign in as the other in the browser, or leave out --identity"));
            }
            return Ok(account);
        }
        if let Ok(account) = Account::new(origin.clone(), &me.person.name)
            && !is_others(&me.person.name)?
        {
            return Ok(account);
        }
        Account::new(origin.clone(), &me.person.id).map_err(bad_name)
    }
}

impl BrowserLogin {
    /// Where the browser goes. Only this terminal can use what comes of it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where the browser comes back to, on this machine.
    pub fn port(&self) -> u16 {
        self.loopback.port()
    }

    /// How long it is waited for.
    pub fn limit(&self) -> Duration {
        LONGEST
    }
}
