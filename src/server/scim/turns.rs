//! Changes of a directory, one after the other, beside everything else.
//! Owns how many wait. Refuses more: a directory that is too fast costs itself time, and nobody else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Kind;
use crate::server::failure::Failure;

/// Changes of people, or of groups, that wait in one directory; the one whose turn it is counts.
const MOST_WAITING: usize = 64;

#[derive(Debug)]
struct Lane {
    waiting: Arc<Semaphore>,
    turn: Arc<Semaphore>,
}

/// Whose turn it is. Groups hold up no people: a large one keeps nobody from leaving.
#[derive(Debug, Default)]
pub struct Turns(Mutex<HashMap<(String, &'static str), Arc<Lane>>>);

/// A turn, while it is held.
#[derive(Debug)]
pub struct Turn {
    _turn: OwnedSemaphorePermit,
    _waited: OwnedSemaphorePermit,
}

impl Turns {
    /// Waits until it is the turn of a change of `kind` in `directory`.
    ///
    /// # Errors
    /// 429 where too many wait.
    pub async fn take(&self, directory: &str, kind: Kind) -> Result<Turn, Failure> {
        let lane = self.lane(directory, kind);
        let waited = lane.waiting.clone().try_acquire_owned();
        let waited = waited.map_err(|_| Failure::too_much("too many changes wait", 1))?;
        let turn = lane.turn.clone().acquire_owned().await;
        Ok(Turn {
            _turn: turn.map_err(|error| Failure::broken(error.to_string()))?,
            _waited: waited,
        })
    }

    fn lane(&self, directory: &str, kind: Kind) -> Arc<Lane> {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.entry((directory.to_owned(), kind.name()));
        let new = || {
            Arc::new(Lane {
                waiting: Arc::new(Semaphore::new(MOST_WAITING)),
                turn: Arc::new(Semaphore::new(1)),
            })
        };
        lane.or_insert_with(new).clone()
    }
}

/// Does what takes a while off the threads that answer.
///
/// # Errors
/// Where it panics.
pub async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    // what a panic says may name anything: it is not repeated
    done.map_err(|_| Failure::broken("a change of a directory panicked"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn changes_of_one_directory_wait_for_each_other() {
        let turns = Turns::default();
        let held = turns.take("acme", Kind::Group).await.unwrap();
        let mut next = Box::pin(turns.take("acme", Kind::Group));
        assert!(at_once(&mut next).is_none(), "it is another's turn");
        // nobody who leaves waits for a group, and no directory for another
        drop(turns.take("acme", Kind::User).await.unwrap());
        drop(turns.take("other", Kind::Group).await.unwrap());
        drop(held);
        drop(next.await.unwrap());
    }

    #[tokio::test]
    async fn directory_that_is_too_fast_is_told_to_wait() {
        let turns = Turns::default();
        let held = turns.take("acme", Kind::Group).await.unwrap();
        let mut waiting: Vec<_> = (1..MOST_WAITING)
            .map(|_| Box::pin(turns.take("acme", Kind::Group)))
            .collect();
        for one in &mut waiting {
            assert!(at_once(one).is_none());
        }
        let refused = turns.take("acme", Kind::Group).await.unwrap_err();
        assert_eq!((refused.problem.status, refused.retry_after_s), (429, Some(1)));
        drop((held, waiting));
        turns.take("acme", Kind::Group).await.unwrap();
    }

    /// What `future` comes to where it need not wait.
    fn at_once<T>(future: &mut std::pin::Pin<Box<impl Future<Output = T>>>) -> Option<T> {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(done) => Some(done),
            std::task::Poll::Pending => None,
        }
    }
}
