//! One reading for all who asked before it began: two hundred who wait to see the same list cost two lists.
//! Owns who joins whom, and that of each list only one is read at a time, while others gather for the next. Refuses to answer with a reading that began before the question: it may miss what was done
//! since.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};

use super::errors::Failure;

type Flight<V> = Arc<OnceCell<Result<V, Failure>>>;

/// Readings by what is read.
#[derive(Debug)]
pub struct Shared<K, V> {
    /// Those that have not begun: whoever asks now may join.
    open: Arc<Mutex<HashMap<K, Flight<V>>>>,
    /// Held by whoever reads.
    reading: Mutex<HashMap<K, Weak<Reading>>>,
}

type Reading = tokio::sync::Mutex<()>;

impl<K, V> Default for Shared<K, V> {
    fn default() -> Self {
        Self {
            open: Arc::default(),
            reading: Mutex::default(),
        }
    }
}

/// A reading that has yet to say that it begins.
#[derive(Debug)]
pub struct Boarding<K, V> {
    open: Arc<Mutex<HashMap<K, Flight<V>>>>,
    key: K,
    flight: Flight<V>,
}

impl<K: Eq + Hash, V> Boarding<K, V> {
    /// Nobody joins any more. To be called before the first byte is asked for; calling it again does nothing.
    pub fn close(&self) {
        let mut open = locked(&self.open);
        if open
            .get(&self.key)
            .is_some_and(|flight| Arc::ptr_eq(flight, &self.flight))
        {
            open.remove(&self.key);
        }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Shared<K, V> {
    /// What `read` gives, called by one of those who ask for `key` before it begins. Where that one gives up, another
    /// reads; where it fails for a while, each who joined tries for themselves. Nobody waits past `until`: others count on
    /// that what was announced is over by then.
    ///
    /// # Errors
    /// What `read` fails with; [`Failure::Throttled`] where its turn did not come in time.
    pub async fn ask<F>(&self, key: &K, until: Instant, read: impl Fn(Boarding<K, V>) -> F) -> Result<V, Failure>
    where
        F: Future<Output = Result<V, Failure>>,
    {
        loop {
            let flight = locked(&self.open).entry(key.clone()).or_default().clone();
            let boarding = || Boarding {
                open: self.open.clone(),
                key: key.clone(),
                flight: flight.clone(),
            };
            let mut has_read = false;
            let answer = flight.get_or_init(async || {
                has_read = true;
                let reading = self.reading(key);
                let _one_at_a_time = reading.lock().await;
                read(boarding()).await
            });
            let Ok(answer) = timeout_at(until, answer).await else {
                let waited = "others are still reading the same list; it is read again";
                return Err(Failure::Throttled(waited.to_owned()));
            };
            let answer = answer.clone();
            boarding().close();
            match answer {
                Err(failure) if failure.is_transient() && !has_read => {}
                answer => return answer,
            }
        }
    }
}

impl<K: Clone + Eq + Hash, V> Shared<K, V> {
    /// What whoever reads `key` holds.
    fn reading(&self, key: &K) -> Arc<Reading> {
        let mut all = locked(&self.reading);
        if let Some(reading) = all.get(key).and_then(Weak::upgrade) {
            return reading;
        }
        all.retain(|_, reading| reading.strong_count() > 0);
        let reading = Arc::default();
        all.insert(key.clone(), Arc::downgrade(&reading));
        reading
    }
}

/// Nothing that is done under the lock can panic half-way.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use tokio::sync::{Notify, Semaphore};
    use tokio::task::yield_now;

    use super::*;

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    type Lists = Arc<Shared<&'static str, u32>>;

    #[tokio::test]
    async fn those_who_ask_before_it_begins_share_one_reading() {
        let shared = Lists::default();
        let (readings, gate) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
        let asking: Vec<_> = (0..200)
            .map(|_| {
                let (shared, readings, gate) = (shared.clone(), readings.clone(), gate.clone());
                tokio::spawn(async move {
                    let read = |boarding: Boarding<_, _>| {
                        let (readings, gate) = (&readings, &gate);
                        async move {
                            drop(gate.acquire().await);
                            boarding.close();
                            Ok(readings.fetch_add(1, Ordering::SeqCst) + 1)
                        }
                    };
                    shared.ask(&"list", later(), read).await
                })
            })
            .collect();
        // all have asked once the last has had its turn on this one thread
        yield_now().await;
        gate.add_permits(1);
        for asked in asking {
            assert_eq!(asked.await.unwrap(), Ok(1));
        }
        assert_eq!(readings.load(Ordering::SeqCst), 1);
        assert!(locked(&shared.open).is_empty());
    }

    #[tokio::test]
    async fn reading_that_has_begun_is_not_joined() {
        let shared = Lists::default();
        let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let first = {
            let (shared, begun, go_on) = (shared.clone(), begun.clone(), go_on.clone());
            tokio::spawn(async move {
                let read = |boarding: Boarding<_, _>| {
                    let (begun, go_on) = (&begun, &go_on);
                    async move {
                        boarding.close();
                        begun.notify_one();
                        go_on.notified().await;
                        Ok(1)
                    }
                };
                shared.ask(&"list", later(), read).await
            })
        };
        begun.notified().await;
        let second = {
            let shared = shared.clone();
            tokio::spawn(async move { shared.ask(&"list", later(), |_| async { Ok(2) }).await })
        };
        yield_now().await;
        assert!(!second.is_finished(), "one at a time");
        go_on.notify_one();
        assert_eq!((first.await.unwrap(), second.await.unwrap()), (Ok(1), Ok(2)));
        assert!(locked(&shared.open).is_empty());
    }

    #[tokio::test]
    async fn another_reads_where_the_first_gives_up() {
        let shared = Lists::default();
        let first = {
            let shared = shared.clone();
            tokio::spawn(async move { shared.ask(&"list", later(), |_| pending()).await })
        };
        yield_now().await;
        let second = {
            let shared = shared.clone();
            tokio::spawn(async move { shared.ask(&"list", later(), |_| async { Ok(2) }).await })
        };
        yield_now().await;
        first.abort();
        assert_eq!(second.await.unwrap(), Ok(2));
    }

    #[tokio::test]
    async fn failure_for_a_while_is_everybodys_own() {
        let shared = Lists::default();
        let gate = Arc::new(Semaphore::new(0));
        let ask = |answer: Result<u32, Failure>| {
            let (shared, gate) = (shared.clone(), gate.clone());
            tokio::spawn(async move {
                let read = |_| {
                    let (gate, answer) = (&gate, answer.clone());
                    async move {
                        drop(gate.acquire().await);
                        answer
                    }
                };
                shared.ask(&"list", later(), read).await
            })
        };
        let busy = Failure::Throttled("busy".into());
        let (first, second) = (ask(Err(busy.clone())), ask(Ok(2)));
        yield_now().await;
        gate.add_permits(2);
        assert_eq!((first.await.unwrap(), second.await.unwrap()), (Err(busy), Ok(2)));
    }

    #[tokio::test]
    async fn nobody_waits_for_a_reading_past_their_time() {
        let shared = Lists::default();
        let reads = {
            let shared = shared.clone();
            tokio::spawn(async move {
                let read = |boarding: Boarding<_, _>| async move {
                    boarding.close();
                    pending().await
                };
                shared.ask(&"list", later(), read).await
            })
        };
        yield_now().await;
        let soon = Instant::now() + Duration::from_millis(5);
        let waited = shared.ask(&"list", soon, |_| async { Ok(2) }).await;
        assert!(matches!(waited, Err(Failure::Throttled(_))), "{waited:?}");
        reads.abort();
        assert_eq!(shared.ask(&"list", later(), |_| async { Ok(3) }).await, Ok(3));
    }
}
