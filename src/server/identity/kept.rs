//! What was fetched of somebody else, and is good for a while.
//! Owns how often they are asked: one call at a time, and no storm passes on to them. Refuses to serve what is too old.

use std::sync::{Arc, PoisonError, RwLock};

use super::fetch::FetchError;
use crate::clock::Clock;
use crate::domain::Timestamp;

/// What was fetched is good this long.
pub const GOOD_MS: i64 = 10 * 60_000;
/// After a failure nobody is asked again for this long.
const PAUSE_MS: i64 = 5_000;
/// For what was lacking, one is asked again this often at most.
pub const AGAIN_MS: i64 = 60_000;

/// Something fetched.
pub struct Kept<T> {
    held: RwLock<Held<T>>,
    flight: tokio::sync::Mutex<()>,
}

struct Held<T> {
    value: Option<Fetched<T>>,
    tried_at: Option<Timestamp>,
    failed: Option<FetchError>,
    /// When somebody was last asked before the value had grown old.
    asked_again_at: Option<Timestamp>,
}

/// A value and when it was fetched.
pub struct Fetched<T> {
    /// What.
    pub value: Arc<T>,
    /// When.
    pub at: Timestamp,
}

impl<T> Clone for Fetched<T> {
    fn clone(&self) -> Self {
        Self {
            value: self.value.clone(),
            at: self.at,
        }
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self {
            held: RwLock::new(Held {
                value: None,
                tried_at: None,
                failed: None,
                asked_again_at: None,
            }),
            flight: tokio::sync::Mutex::default(),
        }
    }
}

impl<T> Kept<T> {
    /// The value, fetched where there is none that is good still.
    ///
    /// # Errors
    /// What fetching says; the same for a moment to whoever asks then.
    pub async fn get(
        &self,
        clock: &Clock,
        fetch: impl Future<Output = Result<T, FetchError>>,
    ) -> Result<Fetched<T>, FetchError> {
        if let Some(good) = self.good(clock.now()) {
            return Ok(good);
        }
        let _one = self.flight.lock().await;
        if let Some(good) = self.good(clock.now()) {
            return Ok(good);
        }
        if let Some(failed) = self.failed(clock.now()) {
            return Err(failed);
        }
        self.note(clock, fetch.await)
    }

    /// Another value than `than`, where one is there or may be asked for: else the same.
    ///
    /// # Errors
    /// What fetching says.
    pub async fn newer(
        &self,
        clock: &Clock,
        than: &Fetched<T>,
        fetch: impl Future<Output = Result<T, FetchError>>,
    ) -> Result<Fetched<T>, FetchError> {
        let _one = self.flight.lock().await;
        let now = clock.now();
        {
            let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
            let newer = held
                .value
                .as_ref()
                .filter(|value| !Arc::ptr_eq(&value.value, &than.value));
            if let Some(newer) = newer {
                return Ok(newer.clone());
            }
            let is_new = |at: Timestamp| now.millis().saturating_sub(at.millis()) < AGAIN_MS;
            if held.asked_again_at.is_some_and(is_new) {
                return Ok(than.clone());
            }
            held.asked_again_at = Some(now);
        }
        self.note(clock, fetch.await)
    }

    fn good(&self, now: Timestamp) -> Option<Fetched<T>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let is_good = |value: &&Fetched<T>| now.millis().saturating_sub(value.at.millis()) < GOOD_MS;
        held.value.as_ref().filter(is_good).cloned()
    }

    fn failed(&self, now: Timestamp) -> Option<FetchError> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let is_new = |at: Timestamp| now.millis().saturating_sub(at.millis()) < PAUSE_MS;
        held.failed.clone().filter(|_| held.tried_at.is_some_and(is_new))
    }

    fn note(&self, clock: &Clock, fetched: Result<T, FetchError>) -> Result<Fetched<T>, FetchError> {
        let at = clock.now();
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.tried_at = Some(at);
        match fetched {
            Ok(value) => {
                let value = Fetched {
                    value: Arc::new(value),
                    at,
                };
                held.failed = None;
                held.value = Some(value.clone());
                Ok(value)
            }
            Err(error) => {
                held.failed = Some(error.clone());
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn clock() -> Arc<Clock> {
        Clock::manual(Timestamp::from_millis(1_000_000))
    }

    fn pass(clock: &Clock, ms: i64) {
        clock.set(Timestamp::from_millis(clock.now().millis() + ms));
    }

    async fn fetched(calls: &AtomicU32) -> Result<u32, FetchError> {
        tokio::task::yield_now().await;
        Ok(calls.fetch_add(1, Ordering::SeqCst))
    }

    #[tokio::test]
    async fn what_was_fetched_is_good_for_ten_minutes() {
        let (clock, kept, calls) = (clock(), Kept::default(), AtomicU32::new(0));
        assert_eq!(*kept.get(&clock, fetched(&calls)).await.unwrap().value, 0);
        pass(&clock, GOOD_MS - 1);
        assert_eq!(*kept.get(&clock, fetched(&calls)).await.unwrap().value, 0);
        pass(&clock, 1);
        assert_eq!(*kept.get(&clock, fetched(&calls)).await.unwrap().value, 1);
    }

    #[tokio::test]
    async fn a_thousand_who_ask_at_once_are_one_call() {
        let (clock, kept, calls) = (clock(), Arc::new(Kept::default()), Arc::new(AtomicU32::new(0)));
        let asking: Vec<_> = (0..1_000)
            .map(|_| {
                let (clock, kept, calls) = (clock.clone(), kept.clone(), calls.clone());
                tokio::spawn(async move { *kept.get(&clock, fetched(&calls)).await.unwrap().value })
            })
            .collect();
        for asked in asking {
            assert_eq!(asked.await.unwrap(), 0);
        }
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn attack_26_what_is_lacking_is_asked_for_once_a_minute() {
        let (clock, kept, calls) = (clock(), Arc::new(Kept::default()), Arc::new(AtomicU32::new(0)));
        let first = kept.get(&clock, fetched(&calls)).await.unwrap();
        let asking: Vec<_> = (0..1_000)
            .map(|_| {
                let (clock, kept, calls, first) = (clock.clone(), kept.clone(), calls.clone(), first.clone());
                tokio::spawn(async move { *kept.newer(&clock, &first, fetched(&calls)).await.unwrap().value })
            })
            .collect();
        for asked in asking {
            assert_eq!(asked.await.unwrap(), 1);
        }
        let second = kept.get(&clock, fetched(&calls)).await.unwrap();
        pass(&clock, AGAIN_MS - 1);
        assert_eq!(*kept.newer(&clock, &second, fetched(&calls)).await.unwrap().value, 1);
        pass(&clock, 1);
        assert_eq!(*kept.newer(&clock, &second, fetched(&calls)).await.unwrap().value, 2);
    }

    #[tokio::test]
    async fn after_a_failure_nobody_is_asked_for_a_moment() {
        let (clock, kept, calls) = (clock(), Kept::<u32>::default(), AtomicU32::new(0));
        let lost = || FetchError::Unreachable("x".to_owned());
        assert_eq!(kept.get(&clock, async { Err(lost()) }).await.err(), Some(lost()));
        assert_eq!(kept.get(&clock, fetched(&calls)).await.err(), Some(lost()));
        assert_eq!(calls.load(Ordering::SeqCst), 0);
        pass(&clock, PAUSE_MS);
        assert!(kept.get(&clock, fetched(&calls)).await.is_ok());
        // and what was good is not served for ever
        pass(&clock, GOOD_MS);
        assert_eq!(kept.get(&clock, async { Err(lost()) }).await.err(), Some(lost()));
    }
}
