//! Signing in through a browser, and showing a second factor again: what is asked of it, what it brings, what follows.
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
use super::device_keys::{Kept, KeyNews};
use super::login::{SignedIn, checked};
use super::loopback::Loopback;
use crate::config::NetworkSettings;
use crate::domain::id::SessionId;
use crate::domain::person::KeyStorage;
use crate::domain::refusal::Code;
use crate::domain::word::word;
use crate::error::{Error, Exit, Result};
use crate::wire::{Me, NewSession, OpenedSession, Renewal, SignInMethods, paths};

/// Whoever was sent to a browser is back by then, or has gone elsewhere.
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// A sign-in that waits for the browser.
pub struct BrowserLogin {
    backend: Backend,
    sent: Sent,
    storage: KeyStorage,
    news: Option<KeyNews>,
}

/// How what a browser is given comes to the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Road {
    /// To a port of this machine.
    Loopback,
    /// The person carries it.
    Carried,
}

/// A browser that is sent somewhere, and the terminal that it comes back to.
pub struct Sent {
    /// None where the person carries the code.
    loopback: Option<Loopback>,
    verifier: SecretString,
    state: String,
    address: String,
    word: String,
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

    /// Begins to sign in at `server` through a browser, at the identity provider `with` where one is named. The port is
    /// taken before anybody is sent there.
    ///
    /// # Errors
    /// What keeps a device key from being kept; exit 1 where there is no port, or no signal can be watched.
    pub fn begin_in_browser(&self, server: &Origin, road: Road, with: Option<&str>) -> Result<BrowserLogin> {
        let Kept { key, storage, news } = self.device_key(server)?;
        let backend = self.on_device(server.clone(), key)?;
        let with = with.map(|name| format!("&with={}", utf8_percent_encode(name, UNRESERVED)));
        let sent = Sent::from(&backend, road, &with.unwrap_or_default())?;
        Ok(BrowserLogin {
            backend,
            sent,
            storage,
            news,
        })
    }

    /// Waits for the browser and opens the session; `identity` is the local name, else what the person is called.
    ///
    /// # Errors
    /// Exit 4 where nobody signed in, 130 at the interrupt key; what the backend says.
    pub fn finish_in_browser(&self, mut login: BrowserLogin, identity: Option<&str>) -> Result<SignedIn> {
        let code = login.sent.brought(&login.backend)?;
        self.finish_with_code(&login, &code, identity)
    }

    /// Opens the session by the code that the person carried here.
    ///
    /// # Errors
    /// Exit 4 where it is not the one; what the backend says.
    pub fn finish_with_code(
        &self,
        login: &BrowserLogin,
        code: &SecretString,
        identity: Option<&str>,
    ) -> Result<SignedIn> {
        let BrowserLogin {
            backend,
            sent,
            storage,
            news,
        } = login;
        let storage = *storage;
        let opened = backend.open_session(&NewSession {
            name: String::new(),
            code: code.expose_secret().to_owned(),
            verifier: Some(sent.verifier.expose_secret().to_owned()),
            key_storage: storage.as_str().to_owned(),
        })?;
        self.keep_opened(backend, &opened, (storage, news.clone()), identity)
    }

    /// Keeps the session that was opened, on a device whose key is kept at `storage`, of which there may be news.
    pub(super) fn keep_opened(
        &self,
        backend: &Backend,
        opened: &OpenedSession,
        (storage, news): (KeyStorage, Option<KeyNews>),
        identity: Option<&str>,
    ) -> Result<SignedIn> {
        let token = checked(backend, opened)?;
        let choose = || self.local_account(backend, &opened.me, identity);
        self.keep(choose, backend, &opened.me, storage, &token)?;
        Ok(SignedIn {
            me: opened.me.clone(),
            news,
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
                let message = format!("{name} is somebody else here than {}", me.person.called());
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
    /// Where the browser goes.
    pub fn sent(&self) -> &Sent {
        &self.sent
    }
}

impl Sent {
    /// From the device of `backend`, with `more` in the query. The port is taken before anybody is sent there.
    fn from(backend: &Backend, road: Road, more: &str) -> Result<Self> {
        let loopback = match road {
            Road::Loopback => {
                // before anybody is told that it waits: a key that is pressed meanwhile is not lost
                backend.watch_interrupt()?;
                Some(Loopback::bind()?)
            }
            Road::Carried => None,
        };
        let port = loopback.as_ref().map(|loopback| format!("&port={}", loopback.port()));
        let (verifier, state) = (backend.random().secret(), backend.random().secret());
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        let device = backend.device().ok_or_else(Error::signed_out)?;
        let address = format!(
            "{}{}?challenge={challenge}&device={}{}&state={state}{more}",
            backend.origin(),
            paths::SIGN_IN,
            utf8_percent_encode(&device, UNRESERVED),
            port.unwrap_or_default()
        );
        Ok(Self {
            loopback,
            word: word(&challenge, &device, &state),
            verifier: SecretString::from(verifier),
            state,
            address,
        })
    }

    /// Where the browser goes. Only this terminal can use what comes of it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What the page says of this terminal: by it the person knows that it asks for theirs.
    pub fn word(&self) -> &str {
        &self.word
    }

    /// Where the browser comes back to, on this machine.
    pub fn port(&self) -> Option<u16> {
        self.loopback.as_ref().map(Loopback::port)
    }

    /// How long it is waited for.
    pub fn limit(&self) -> Duration {
        LONGEST
    }

    /// Whether the person carries the code.
    pub fn is_carried(&self) -> bool {
        self.loopback.is_none()
    }

    /// The code that it brings.
    fn brought(&mut self, backend: &Backend) -> Result<SecretString> {
        let loopback = self.loopback.take();
        let loopback = loopback.ok_or_else(|| Error::unexpected("no browser comes back here"))?;
        let late = || {
            let message = format!("nobody signed in within {} min", LONGEST.as_secs() / 60);
            Error::new(Exit::SignedOut, "login.late", message).try_("jit login")
        };
        let brought = backend.interruptible(async {
            let brought = tokio::time::timeout(LONGEST, loopback.brought(&self.state)).await;
            brought.map_err(|_| late())?
        })?;
        if let Some(code) = brought.code {
            return Ok(SecretString::from(code));
        }
        let why = brought.error.unwrap_or_default();
        let why: String = why.chars().take(300).collect();
        Err(Error::new(Exit::SignedOut, "login.refused", why).try_("jit login"))
    }
}

impl Backend {
    /// Begins to show a second factor for `session`, which is this one, through a browser.
    ///
    /// # Errors
    /// Exit 1 where there is no port, or no signal can be watched.
    pub fn begin_second_factor(&self, session: &SessionId, road: Road) -> Result<Sent> {
        Sent::from(self, road, &format!("&renews={session}"))
    }

    /// Waits for the browser; from then on the session has what was shown.
    ///
    /// # Errors
    /// Exit 4 where nobody, or somebody else, signed in, 130 at the interrupt key; what the backend says.
    pub fn finish_second_factor(&self, mut sent: Sent) -> Result<Me> {
        let again = |error: Error| match error.exit {
            Exit::SignedOut => error.try_("jit login --fresh"),
            _ => error,
        };
        let code = sent.brought(self).map_err(again)?;
        self.finish_second_factor_with(&sent, &code)
    }

    /// The same by the code that the person carried here.
    ///
    /// # Errors
    /// Exit 4 where it is not the one; what the backend says.
    pub fn finish_second_factor_with(&self, sent: &Sent, code: &SecretString) -> Result<Me> {
        self.renew_session(&Renewal {
            code: code.expose_secret().to_owned(),
            verifier: sent.verifier.expose_secret().to_owned(),
        })
    }
}
