//! Who waits for which request. One parked task a waiter, woken by the commit.
//! Refuses to remember a request that nobody waits for.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::domain::RequestId;

type Waiting = HashMap<RequestId, watch::Sender<u64>>;

/// Waiters by request.
#[derive(Debug, Default)]
pub struct Wakes(Mutex<Waiting>);

/// Somebody who listens for changes of one request.
#[derive(Debug)]
pub struct Listening<'a> {
    wakes: &'a Wakes,
    request: RequestId,
    changes: watch::Receiver<u64>,
}

impl Wakes {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to listen for changes of `request`. Listen first, then load: no change is missed.
    pub fn listen(&self, request: &RequestId) -> Listening<'_> {
        let changes = self
            .waiting()
            .entry(request.clone())
            .or_insert_with(|| watch::Sender::new(0))
            .subscribe();
        Listening {
            wakes: self,
            request: request.clone(),
            changes,
        }
    }

    /// Wakes who waits for `request`.
    pub fn wake(&self, request: &RequestId) {
        if let Some(sender) = self.waiting().get(request) {
            sender.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// How many listen for `request`.
    pub fn listeners(&self, request: &RequestId) -> usize {
        self.waiting().get(request).map_or(0, watch::Sender::receiver_count)
    }
}

impl Listening<'_> {
    /// Resolves once there was a change since the last time.
    pub async fn changed(&mut self) {
        // the sender is there as long as this listener is
        let _ = self.changes.changed().await;
    }
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        let mut waiting = self.wakes.waiting();
        // ours still counts
        if waiting.get(&self.request).is_some_and(|s| s.receiver_count() <= 1) {
            waiting.remove(&self.request);
        }
    }
}

/// Resolves once `stop` turns true, or nobody can turn it any more.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn change_between_listening_and_waiting_is_not_missed() {
        let (wakes, request) = (Wakes::default(), RequestId::from_bits(1));
        let mut listening = wakes.listen(&request);
        wakes.wake(&request);
        listening.changed().await;
    }

    #[test]
    fn request_without_listeners_is_forgotten() {
        let (wakes, request) = (Wakes::default(), RequestId::from_bits(1));
        let (one, two) = (wakes.listen(&request), wakes.listen(&request));
        drop(one);
        assert_eq!(wakes.listeners(&request), 1);
        drop(two);
        assert!(wakes.waiting().is_empty());
    }
}
