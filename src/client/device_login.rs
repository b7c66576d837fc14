//! Signing in on a machine without a browser (RFC 8628): asks for a code, and asks until somebody typed it elsewhere.
//! Refuses to ask more often than the backend wants.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hot::Origin;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::account::Client;
use super::backend::Backend;
use super::device_keys::{Kept, KeyNews};
use super::login::SignedIn;
use crate::domain::person::KeyStorage;
use crate::domain::refusal::Code;
use crate::error::{Error, Exit, Result};
use crate::wire::{DeviceSignIn, NewDeviceSignIn, NewSession};

/// What the backend adds where it is asked too often (RFC 8628, section 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// Longest between two calls, whatever a backend says.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A machine that waits to be signed in.
pub struct DeviceLogin {
    backend: Backend,
    asked: DeviceSignIn,
    verifier: SecretString,
    storage: KeyStorage,
    news: Option<KeyNews>,
}

impl Client {
    /// Asks `server` to be signed in.
    ///
    /// # Errors
    /// What keeps a device key from being kept; what the backend says; exit 1 where no signal can be watched.
    pub fn begin_on_device(&self, server: &Origin) -> Result<DeviceLogin> {
        let Kept { key, storage, news } = self.device_key(server)?;
        let backend = self.on_device(server.clone(), key)?;
        backend.watch_interrupt()?;
        let verifier = SecretString::from(backend.random().secret());
        let asked = backend.ask_to_be_signed_in(&NewDeviceSignIn {
            challenge: URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose_secret())),
            machine: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        })?;
        Ok(DeviceLogin {
            backend,
            asked,
            verifier,
            storage,
            news,
        })
    }

    /// Waits until somebody signed this machine in, and opens the session.
    ///
    /// # Errors
    /// Exit 4 where nobody did, or somebody said no, 130 at the interrupt key; what the backend says.
    pub fn finish_on_device(&self, login: &DeviceLogin, identity: Option<&str>) -> Result<SignedIn> {
        let ends = Instant::now() + login.limit();
        let mut pause = Duration::from_secs(login.asked.interval_s.into()).min(LONGEST_PAUSE);
        loop {
            login.backend.pause(pause)?;
            let opened = login.backend.open_session(&NewSession {
                name: String::new(),
                code: login.asked.device_code.clone(),
                verifier: Some(login.verifier.expose_secret().to_owned()),
                key_storage: login.storage.as_str().to_owned(),
            });
            let error = match opened {
                Ok(opened) => {
                    return self.keep_opened(&login.backend, &opened, (login.storage, login.news.clone()), identity);
                }
                Err(error) => error,
            };
            match error.wire_code() {
                Some(Code::SessionPending) => {}
                Some(Code::RateLimited) => pause = (pause + SLOWER).min(LONGEST_PAUSE),
                // it waits there no longer: its time is over, or the backend began anew
                Some(Code::SessionCodeInvalid) if Instant::now() + pause < ends => return Err(unknown()),
                Some(Code::SessionCodeInvalid) => return Err(late(login)),
                // a moment without the backend: the code may still be typed
                _ if error.is_worth_a_retry() => {}
                _ => return Err(error),
            }
            if Instant::now() >= ends {
                return Err(late(login));
            }
        }
    }
}

fn unknown() -> Error {
    let message = "the backend knows this machine's code no longer";
    Error::new(Exit::SignedOut, "login.code_unknown", message).try_("jit login --device")
}

fn late(login: &DeviceLogin) -> Error {
    let message = format!(
        "nobody signed this machine in within {} min",
        login.limit().as_secs() / 60
    );
    Error::new(Exit::SignedOut, "login.late", message).try_("jit login --device")
}

impl DeviceLogin {
    /// Where the person types the code.
    pub fn page(&self) -> &str {
        &self.asked.page
    }

    /// The code.
    pub fn code(&self) -> &str {
        &self.asked.user_code
    }

    /// How long it is waited for.
    pub fn limit(&self) -> Duration {
        Duration::from_secs(self.asked.expires_in_s.into()).min(Duration::from_secs(3_600))
    }
}
