//! Waiting for a request to change: long polls by version, tried again when the backend is lost.
//! Refuses to give up before its limit, and to ask without a pause.

use std::time::{Duration, Instant};

use super::backend::Backend;
use crate::domain::id::RequestId;
use crate::error::{Error, Result};
use crate::wire::{LONGEST_WAIT_S, RequestView};

/// The first pause after the backend was lost.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest one.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A wait for one request.
pub struct Waiting<'a> {
    backend: &'a Backend,
    request: RequestId,
    known: String,
    deadline: Option<Instant>,
}

/// What a wait came to.
pub enum Next {
    /// The request is different now.
    Changed(Box<RequestView>),
    /// The limit passed first.
    TooLate,
}

impl<'a> Waiting<'a> {
    /// Waits from `view` on, for `limit` at most, for ever without one.
    ///
    /// # Errors
    /// Exit 8 where the backend's answer has no id.
    pub fn from(backend: &'a Backend, view: &RequestView, limit: Option<Duration>) -> Result<Self> {
        let request =
            RequestId::parse(&view.id).map_err(|_| super::http::foreign(backend.origin(), "its request has no id"))?;
        backend.watch_interrupt()?;
        Ok(Self {
            backend,
            request,
            known: view.version.clone(),
            deadline: limit.and_then(|limit| Instant::now().checked_add(limit)),
        })
    }

    /// The next version. `lost` hears once each time the backend is lost.
    ///
    /// # Errors
    /// Exit 130 at the interrupt key; whatever the backend refuses. Losing it is no error here.
    pub fn next(&mut self, mut lost: impl FnMut(&Error)) -> Result<Next> {
        let mut pause = FIRST_PAUSE;
        loop {
            let Some(left) = self.left() else {
                return Ok(Next::TooLate);
            };
            let asked = Instant::now();
            match self
                .backend
                .request_changed(self.request.as_str(), &self.known, self.poll().min(left))
            {
                Ok(Some(view)) if view.id == self.request.as_str() => {
                    view.version.clone_into(&mut self.known);
                    return Ok(Next::Changed(Box::new(view)));
                }
                Ok(Some(_)) => {
                    return Err(super::http::foreign(
                        self.backend.origin(),
                        "it answers with another request",
                    ));
                }
                Ok(None) => {
                    pause = FIRST_PAUSE;
                    // a wait that is not granted must not become a busy loop
                    if asked.elapsed() < FIRST_PAUSE {
                        self.backend.pause(FIRST_PAUSE.min(left))?;
                    }
                }
                Err(error) if error.is_worth_a_retry() => {
                    if pause == FIRST_PAUSE {
                        lost(&error);
                    }
                    self.backend.pause(self.jittered(pause).min(left))?;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// `None` when the limit has passed.
    fn left(&self) -> Option<Duration> {
        match self.deadline {
            None => Some(Duration::MAX),
            Some(deadline) => Some(deadline.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero()),
        }
    }

    /// 25 to 30 s: waiters that began together do not ask together for ever.
    fn poll(&self) -> Duration {
        let [random] = self.backend.random().bytes();
        Duration::from_secs(LONGEST_WAIT_S - u64::from(random % 6))
    }

    fn jittered(&self, pause: Duration) -> Duration {
        let [random] = self.backend.random().bytes();
        pause.mul_f64(0.5 + f64::from(random) / 512.0)
    }
}
