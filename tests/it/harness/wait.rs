//! Waiting for an event or a state, always with a limit. The only place in the tests where time passes by itself.

use std::time::{Duration, Instant};

/// How long a test waits for something that should happen at once on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(30);

/// Polls `condition` until it gives a value, with pauses of 1 ms growing to 100 ms.
///
/// # Panics
/// When `limit` passes first; `what` is named in the message.
#[track_caller]
pub fn wait_until<T>(what: &str, limit: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(begun.elapsed() < limit, "waited {limit:?} for {what}");
        // Nobody unparks this thread: the pause ends by its own limit, or earlier, which does no harm.
        std::thread::park_timeout(pause);
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}
