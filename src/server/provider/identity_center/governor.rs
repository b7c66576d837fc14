//! The one gate that all calls to a service go through: a place in the queue, the call, and what slows all of them down.
//! Owns the waiting. Refuses to let a call go that its turn has not come for, and to answer a throttled one with less
//! than another try: nothing came of it, so it may be sent again.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::errors::{Asked, Failure, explain};
use super::quota::{Class, Next, Pace, Step, Urgency};
use crate::random::Random;
use crate::server::provider::ProviderError;

/// The shortest and the longest pause after the service said that it is too much, in milliseconds: drawn, so that
/// several backends do not come back at the same instant.
const PAUSE: (u64, u64) = (50, 250);

/// How long a call waits that the service took no more of, doubled each time, and the longest: others go meanwhile.
const AGAIN: Duration = Duration::from_millis(200);
const LONGEST_AGAIN: Duration = Duration::from_secs(3);

/// The gate of one service.
#[derive(Clone)]
pub struct Governor(Arc<Gate>);

struct Gate {
    queues: Mutex<Queues>,
    since: Instant,
    random: Random,
}

struct Queues {
    pace: Pace<oneshot::Sender<()>>,
    /// Somebody sleeps until the next may go.
    is_timed: bool,
}

impl fmt::Debug for Governor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Governor").finish_non_exhaustive()
    }
}

impl Governor {
    /// A gate that lets so many calls go in any one second.
    pub fn new(calls_per_second: u32) -> Self {
        let queues = Queues {
            pace: Pace::new(calls_per_second),
            is_timed: false,
        };
        Self(Arc::new(Gate {
            queues: Mutex::new(queues),
            since: Instant::now(),
            random: Random::default(),
        }))
    }

    /// Whether calls wait for their turn.
    pub fn is_busy(&self) -> bool {
        self.queues().pace.is_busy()
    }

    /// The service said that it is too much, or that calls hinder each other: all go slower for a while.
    pub fn slow_down(&self) {
        let pause = PAUSE.0 + self.drawn() % (PAUSE.1 - PAUSE.0);
        let now = self.now();
        self.queues()
            .pace
            .slow_down(now, i64::try_from(pause).unwrap_or(i64::MAX));
    }

    /// `delay`, more or less by up to a fifth.
    pub fn jittered(&self, delay: Duration) -> Duration {
        delay.mul_f64(0.8 + 0.4 * (self.drawn() % 1_000) as f64 / 1_000.0)
    }

    fn drawn(&self) -> u64 {
        u64::from_le_bytes(self.0.random.bytes())
    }

    /// Returns when it is this one's turn. Whoever stops waiting takes no place.
    async fn turn(&self, class: Class) {
        let (sender, receiver) = oneshot::channel();
        self.queues().pace.enter(class, sender);
        self.hand_out();
        // the sender goes only with the gate itself
        let _ = receiver.await;
    }

    /// Lets go whoever may go now, and sets the timer for the next.
    fn hand_out(&self) {
        loop {
            let now = self.now();
            let mut queues = self.queues();
            match queues.pace.next(now, |waiting| !waiting.is_closed()) {
                Next::Go(waiting) => {
                    let _ = waiting.send(());
                }
                Next::At(instant) if !queues.is_timed => {
                    queues.is_timed = true;
                    let gate = self.clone();
                    let at = self.0.since + Duration::from_millis(u64::try_from(instant).unwrap_or_default());
                    tokio::spawn(async move {
                        sleep_until(at).await;
                        gate.queues().is_timed = false;
                        gate.hand_out();
                    });
                    return;
                }
                Next::At(_) | Next::Nobody => return,
            }
        }
    }

    fn now(&self) -> i64 {
        i64::try_from(self.0.since.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// Nothing that is done under the lock can panic half-way.
    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.0.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One piece of work: how urgent it is, and until when its calls may wait for their turn.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Where the calls go.
    pub region: String,
    /// What they are for.
    pub urgency: Urgency,
    /// Past this nothing is begun.
    pub until: Instant,
}

impl Caller {
    /// Work that may take `limit`.
    pub fn new(region: &str, urgency: Urgency, limit: Duration) -> Self {
        Self {
            region: region.to_owned(),
            urgency,
            until: Instant::now() + limit,
        }
    }

    /// Sends a call when its turn has come, and again for as long as the answer is "too many calls". A call that was
    /// sent is waited for: its answer may name what it began.
    ///
    /// # Errors
    /// What the answer means; [`ProviderError::Throttled`] where the turn did not come in time.
    pub async fn call<T, E, S>(
        &self,
        governor: &Governor,
        step: Step,
        asked: &Asked<'_>,
        send: impl Fn() -> S,
    ) -> Result<T, Failure>
    where
        S: Future<Output = Result<T, SdkError<E>>>,
        E: ProvideErrorMetadata + Error + 'static,
    {
        let class = (self.urgency, step);
        let (mut last, mut pause) = (None, AGAIN);
        loop {
            if timeout_at(self.until, governor.turn(class)).await.is_err() {
                let waited = || Failure::Waiting(format!("{} is still waiting for its turn", asked.action));
                return Err(last.unwrap_or_else(waited));
            }
            match send().await {
                Ok(answer) => return Ok(answer),
                Err(error) => match explain(asked, &self.region, &error) {
                    busy @ Failure::Throttled(_) => {
                        governor.slow_down();
                        let at = Instant::now() + governor.jittered(pause);
                        if at > self.until {
                            return Err(busy);
                        }
                        // to the end of its queue, and ever later: what is always refused goes before nobody
                        sleep_until(at).await;
                        pause = (pause * 2).min(LONGEST_AGAIN);
                        last = Some(busy);
                    }
                    other => return Err(other),
                },
            }
        }
    }

    /// Waits, unless the work's time would be over by then.
    ///
    /// # Errors
    /// [`ProviderError::Unreachable`] with what is still under way.
    pub async fn pause(&self, length: Duration, under_way: &str) -> Result<(), ProviderError> {
        let at = Instant::now() + length;
        if at > self.until {
            return Err(ProviderError::Unreachable(format!(
                "{under_way} is still in progress; it is taken up again"
            )));
        }
        sleep_until(at).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAKE: Class = (Urgency::Take, Step::Begin);

    #[tokio::test]
    async fn those_who_stop_waiting_take_no_turn() {
        let governor = Governor::new(1);
        governor.turn(TAKE).await;
        for _ in 0..50 {
            // asks for a turn, and is gone
            let asked = timeout_at(Instant::now(), governor.turn(TAKE)).await;
            assert!(asked.is_err());
        }
        let began = Instant::now();
        governor.turn((Urgency::Give, Step::Begin)).await;
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        assert!(!governor.is_busy());
    }

    #[tokio::test]
    async fn sixty_turns_take_a_second_at_fifty() {
        let governor = Governor::new(50);
        let began = Instant::now();
        for _ in 0..60 {
            governor.turn(TAKE).await;
        }
        assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn call_that_is_always_throttled_leaves_the_gate_to_others() {
        use aws_sdk_sts::config::http::HttpResponse;
        use aws_sdk_sts::error::ErrorMetadata;
        use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError;
        use aws_smithy_types::body::SdkBody;
        let governor = Governor::new(1_000);
        let caller = Caller::new("us-east-1", Urgency::Take, Duration::from_secs(2));
        let asked = Asked {
            action: "sso:DeleteAccountAssignment",
            about: "it",
        };
        let calls = std::sync::atomic::AtomicU32::new(0);
        let send = || async {
            calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let busy = ErrorMetadata::builder().code("ThrottlingException").build();
            let raw = HttpResponse::new(400_u16.try_into().unwrap(), SdkBody::empty());
            Err::<(), _>(SdkError::service_error(GetCallerIdentityError::generic(busy), raw))
        };
        let refused = caller.call(&governor, Step::Begin, &asked, send).await;
        assert!(matches!(refused, Err(Failure::Throttled(_))), "{refused:?}");
        let calls = calls.into_inner();
        assert!((2..=6).contains(&calls), "{calls} calls in two seconds");
    }

    #[tokio::test]
    async fn work_whose_time_is_over_asks_for_nothing_more() {
        let governor = Governor::new(1);
        governor.turn(TAKE).await;
        let caller = Caller::new("us-east-1", Urgency::Give, Duration::from_millis(5));
        let asked = Asked {
            action: "sso:ListInstances",
            about: "it",
        };
        type Answer = Result<(), SdkError<aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError>>;
        let send = || async { unreachable!("its turn never came") as Answer };
        let refused = caller.call(&governor, Step::Begin, &asked, send).await;
        assert!(matches!(refused, Err(Failure::Waiting(text)) if text.contains("waiting for its turn")));
        assert!(caller.pause(Duration::from_secs(1), "it").await.is_err());
    }
}
