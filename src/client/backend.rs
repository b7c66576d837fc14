//! One backend and who talks to it: calls that block the verb, on a runtime of their own.
//! Owns the clock's offset and the interrupt key. Refuses to retry: whoever waits decides that.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hot::Origin;
use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::device::DeviceKey;
use super::http::{self, Answer, Call, Shown};
use super::nonces::KeptNonce;
use super::proof::{Proving, proof};
use crate::clock::Clock;
use crate::config::NetworkSettings;
use crate::domain::time::Timestamp;
use crate::error::{Error, Exit, Result};
use crate::network::{HttpClient, Network};
use crate::random::Random;
use crate::wire::problem::Code;
use crate::wire::{self, Problem};

/// Longest that a call without a wait may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A backend, as one identity or as nobody.
pub struct Backend {
    origin: Origin,
    client: HttpClient,
    runtime: Runtime,
    identity: Identity,
    nonce: RefCell<Option<String>>,
    kept_nonce: Option<KeptNonce>,
    clock: Arc<Clock>,
    random: Random,
    offset_ms: Cell<i64>,
    offset_is_measured: Cell<bool>,
    interrupt: RefCell<Option<Signal>>,
    deadline: Cell<Option<Instant>>,
    second_factor: RefCell<Option<ShowSecondFactor>>,
}

/// Has the person show a second factor for the session, because of what the backend said.
pub type ShowSecondFactor = Box<dyn FnOnce(&Backend, &Error) -> Result<()> + Send>;

/// Who calls: whoever holds the token, on the device that has the key.
#[derive(Default)]
pub(super) struct Identity {
    pub(super) key: Option<DeviceKey>,
    pub(super) token: Option<SecretString>,
}

/// How long all calls of a command may take together.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(pub Instant);

impl Backend {
    pub(super) fn new(
        origin: Origin,
        network: &NetworkSettings,
        identity: Identity,
        clock: Arc<Clock>,
        offset_ms: i64,
    ) -> Result<Self> {
        http::check_scheme(&origin)?;
        let client = Network::for_address(network, origin.as_str())?.client(origin.as_str())?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::unexpected(format!("no runtime could be started: {error}")))?;
        Ok(Self {
            origin,
            client,
            runtime,
            identity,
            nonce: RefCell::new(None),
            kept_nonce: None,
            clock,
            random: Random::default(),
            offset_ms: Cell::new(offset_ms),
            offset_is_measured: Cell::new(false),
            interrupt: RefCell::new(None),
            deadline: Cell::new(None),
            second_factor: RefCell::new(None),
        })
    }

    /// The same, which begins with the nonce that was kept, and keeps the next.
    pub(super) fn with_nonce(mut self, kept: KeptNonce) -> Self {
        self.nonce.replace(kept.read());
        self.kept_nonce = Some(kept);
        self
    }

    /// Its address.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Its clock less ours, in milliseconds.
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms.get()
    }

    pub(super) fn measured_offset_ms(&self) -> Option<i64> {
        self.offset_is_measured.get().then(|| self.offset_ms.get())
    }

    /// Now by the backend's clock.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.now().millis().saturating_add(self.offset_ms.get()))
    }

    /// From here on the interrupt key ends a call with exit 130 instead of ending the process.
    /// Call it before a person is told that they may press it.
    ///
    /// # Errors
    /// Exit 1 where the system gives no signals.
    pub fn watch_interrupt(&self) -> Result<()> {
        if self.interrupt.borrow().is_none() {
            let _runtime = self.runtime.enter();
            let watched = signal(SignalKind::interrupt());
            let watched = watched.map_err(|error| Error::unexpected(format!("no signals: {error}")))?;
            self.interrupt.replace(Some(watched));
        }
        Ok(())
    }

    /// From here on no call goes on past `deadline`.
    pub fn set_deadline(&self, deadline: Deadline) {
        self.deadline.set(Some(deadline.0));
    }

    /// From here on `show` is done, once, where a call needs a second factor that was shown more recently; the call is then
    /// sent again as it was, under the same key.
    pub fn on_second_factor(&self, show: ShowSecondFactor) {
        self.second_factor.replace(Some(show));
    }

    /// The thumbprint of the device that it is called from.
    pub(super) fn device(&self) -> Option<String> {
        self.identity.key.as_ref().map(DeviceKey::thumbprint)
    }

    pub(super) fn random(&self) -> &Random {
        &self.random
    }

    pub(super) fn get<T: DeserializeOwned>(&self, path: String) -> Result<T> {
        let answer = self.send(self.call(Method::GET, path, None))?;
        self.read(&answer)
    }

    pub(super) fn post<T: DeserializeOwned>(&self, path: String, body: &impl Serialize) -> Result<T> {
        let body = serde_json::to_vec(body).map_err(|error| Error::unexpected(error.to_string()))?;
        let answer = self.send(self.call(Method::POST, path, Some(body)))?;
        self.read(&answer)
    }

    pub(super) fn post_once<T: DeserializeOwned>(&self, path: String, body: &impl Serialize, key: String) -> Result<T> {
        let body = serde_json::to_vec(body).map_err(|error| Error::unexpected(error.to_string()))?;
        let mut call = self.call(Method::POST, path, Some(body));
        call.idempotency_key = Some(key);
        let answer = self.send(call)?;
        self.read(&answer)
    }

    pub(super) fn delete(&self, path: String) -> Result<()> {
        self.send(self.call(Method::DELETE, path, None)).map(drop)
    }

    /// The same, as whoever holds `token`, at once and whatever comes of it.
    pub(super) fn delete_as(&self, path: String, token: &SecretString) -> Result<()> {
        let call = self.call(Method::DELETE, path, None);
        self.interruptible(self.proven_as(&call, Some(token))).map(drop)
    }

    pub(super) fn take_away<T: DeserializeOwned>(&self, path: String) -> Result<T> {
        let answer = self.send(self.call(Method::DELETE, path, None))?;
        self.read(&answer)
    }

    /// `None` where nothing changed from `known` in the time that `path` asks to wait.
    pub(super) fn get_changed<T: DeserializeOwned>(
        &self,
        path: String,
        known: Option<&str>,
        wait: Duration,
    ) -> Result<Option<T>> {
        let mut call = self.call(Method::GET, path, None);
        call.known = known.map(str::to_owned);
        call.until = Instant::now() + wait + Duration::from_secs(10);
        let answer = self.send(call)?;
        if answer.status == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        self.read(&answer).map(Some)
    }

    /// Passes the time until `limit` or the interrupt key.
    ///
    /// # Errors
    /// Exit 130 at the interrupt key, where it is watched.
    pub fn pause(&self, limit: Duration) -> Result<()> {
        self.interruptible(async {
            tokio::time::sleep(limit).await;
            Ok(())
        })
    }

    /// Other work of the same command: the interrupt key ends it as it ends a call.
    ///
    /// # Errors
    /// Those of `work`; exit 130 at the interrupt key, where it is watched.
    pub(super) fn run<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.interruptible(work)
    }

    /// What is left of `longest` before the deadline.
    pub(super) fn within(&self, longest: Duration) -> Duration {
        let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
        self.deadline
            .get()
            .map_or(longest, |deadline| longest.min(left(deadline)))
    }

    fn call(&self, method: Method, path: String, body: Option<Vec<u8>>) -> Call {
        Call {
            idempotency_key: (method == Method::POST).then(|| self.random.key()),
            method,
            path,
            body,
            known: None,
            until: Instant::now() + LIMIT,
        }
    }

    fn send(&self, mut call: Call) -> Result<Answer> {
        let begun = Instant::now();
        let answer = self.sent(&mut call);
        match answer {
            Err(error) if error.problem.as_ref().is_some_and(|problem| problem.step_up.is_some()) => {
                let Some(show) = self.second_factor.take() else {
                    return Err(error);
                };
                let limit = call.until.saturating_duration_since(begun);
                show(self, &error)?;
                call.until = Instant::now() + limit;
                self.sent(&mut call)
            }
            answer => answer,
        }
    }

    fn sent(&self, call: &mut Call) -> Result<Answer> {
        let started = Instant::now();
        let deadline = self.deadline.get().unwrap_or(call.until);
        call.until = call.until.min(deadline);
        let result = self.interruptible(self.proven(call));
        let status = result
            .as_ref()
            .map_or_else(|error| error.code.clone(), |a| a.status.as_str().to_owned());
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(method = %call.method, path = %call.path, %status, duration_ms, "called the backend");
        if let Ok(answer) = &result {
            self.note_date(answer, started);
        }
        result
    }

    /// Sends `call`; once more where the backend wants its newest nonce in the proof (RFC 9449, section 8).
    async fn proven(&self, call: &Call) -> Result<Answer> {
        self.proven_as(call, self.identity.token.as_ref()).await
    }

    async fn proven_as(&self, call: &Call, token: Option<&SecretString>) -> Result<Answer> {
        let first = self.once(call, token).await?;
        let wants_nonce = first.status == StatusCode::UNAUTHORIZED
            && serde_json::from_slice::<Problem>(&first.body).is_ok_and(|p| p.code() == Some(Code::SessionNonce));
        let Some(nonce) = first.nonce.as_ref().filter(|_| wants_nonce) else {
            return first.or_problem(&self.origin);
        };
        if let Some(kept) = &self.kept_nonce {
            kept.keep(nonce);
        }
        self.once(call, token).await?.or_problem(&self.origin)
    }

    async fn once(&self, call: &Call, token: Option<&SecretString>) -> Result<Answer> {
        let proof = match &self.identity.key {
            None => None,
            Some(key) => Some(proof(
                key,
                &Proving {
                    method: call.method.as_str(),
                    url: &format!("{}{}", self.origin, call.path),
                    token,
                    nonce: self.nonce.borrow().as_deref(),
                    id: &self.random.key(),
                    now: self.now(),
                },
            )?),
        };
        let shown = Shown {
            token,
            proof: proof.as_deref(),
        };
        let answer = http::send(&self.client, &self.origin, &shown, call).await?;
        if answer.nonce.is_some() {
            self.nonce.replace(answer.nonce.clone());
        }
        Ok(answer)
    }

    /// The date has whole seconds: an offset below two is not one.
    fn note_date(&self, answer: &Answer, started: Instant) {
        let Some(date_ms) = answer.date_ms.filter(|_| started.elapsed() < Duration::from_secs(2)) else {
            return;
        };
        let offset = date_ms.saturating_add(500).saturating_sub(self.clock.now().millis());
        self.offset_ms.set(if offset.abs() < 2_000 { 0 } else { offset });
        self.offset_is_measured.set(true);
    }

    /// Does `work`, until the interrupt key where it is watched.
    pub(super) fn interruptible<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let Some(mut interrupt) = self.interrupt.take() else {
            return self.runtime.block_on(work);
        };
        let done = self.runtime.block_on(async {
            tokio::select! {
                done = work => done,
                _ = interrupt.recv() => Err(Error::new(Exit::Interrupted, "interrupted", "interrupted")),
            }
        });
        self.interrupt.replace(Some(interrupt));
        done
    }

    fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T> {
        let body: &[u8] = if answer.body.is_empty() { b"null" } else { &answer.body };
        serde_json::from_slice(body).map_err(|_| {
            if answer.version == wire::VERSION {
                return http::foreign(&self.origin, "its answer cannot be read");
            }
            let message = format!("backend {} is of another version: {}", self.origin, answer.version);
            Error::new(Exit::Configuration, "version.other", message)
                .hint(format!("this is jit {}: install the backend's version", wire::VERSION))
        })
    }
}
