//! Who waits for which request. One parked task a waiter, woken by the commit.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::domain::RequestId;

/// Waiters by request.
#[derive(Debug, Default)]
pub struct Wakes(Mutex<HashMap<RequestId, watch::Sender<u64>>>);

impl Wakes {
    /// Begins to listen for changes of `request`. Listen first, then load: no change is missed.
    pub fn listen(&self, request: &RequestId) -> watch::Receiver<u64> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting
            .entry(request.clone())
            .or_insert_with(|| watch::Sender::new(0))
            .subscribe()
    }

    /// Wakes who waits for `request`.
    pub fn wake(&self, request: &RequestId) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = waiting.get(request) {
            if sender.receiver_count() == 0 {
                waiting.remove(request);
            } else {
                sender.send_modify(|count| *count = count.wrapping_add(1));
            }
        }
    }

    /// Forgets requests that nobody waits for any more.
    pub fn sweep(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, sender| sender.receiver_count() > 0);
    }
}

/// Resolves once `stop` turns true, or nobody can turn it any more.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
