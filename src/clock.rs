//! The one clock. Owns reading the time; a test's clock exists under test only, never in a binary.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::time::Timestamp;

/// Where the time comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's. Set backwards it never goes back within a process: what has ended stays ended,
    /// and no grant gets longer.
    Real {
        /// Wall clock at the start.
        wall_ms: i64,
        /// Monotonic clock at the start.
        since: Instant,
    },
    /// A hand-set one.
    #[cfg(test)]
    Manual(Arc<std::sync::atomic::AtomicI64>),
}

/// The wall clock, in milliseconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the wall clock"
)]
fn wall_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

impl Clock {
    /// The machine's clock, going on from `newest` where that is later: a clock that was set back while we were
    /// away makes no grant longer.
    pub fn real_after(newest: Option<Timestamp>) -> Arc<Self> {
        let wall_ms = wall_ms().max(newest.map_or(i64::MIN, Timestamp::millis));
        Arc::new(Self::Real {
            wall_ms,
            since: Instant::now(),
        })
    }

    /// The machine's clock.
    pub fn real() -> Arc<Self> {
        Arc::new(Self::Real {
            wall_ms: wall_ms(),
            since: Instant::now(),
        })
    }

    /// A clock that stands at `at` until it is moved.
    #[cfg(test)]
    pub fn manual(at: Timestamp) -> Arc<Self> {
        Arc::new(Self::Manual(Arc::new(std::sync::atomic::AtomicI64::new(at.millis()))))
    }

    /// Moves a hand-set clock.
    #[cfg(test)]
    pub fn set(&self, at: Timestamp) {
        if let Self::Manual(ms) = self {
            ms.store(at.millis(), std::sync::atomic::Ordering::SeqCst);
        }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Real { wall_ms: start, since } => {
                let elapsed = i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX);
                Timestamp::from_millis(wall_ms().max(start.saturating_add(elapsed)))
            }
            #[cfg(test)]
            Self::Manual(ms) => Timestamp::from_millis(ms.load(std::sync::atomic::Ordering::SeqCst)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_goes_on_from_what_was_written_last() {
        let ahead = Timestamp::from_millis(wall_ms() + 3_600_000);
        let clock = Clock::real_after(Some(ahead));
        assert!(clock.now() >= ahead && clock.now().since(ahead) < 60);
        assert!(Clock::real_after(None).now() < ahead);
    }
}
