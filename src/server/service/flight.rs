//! One mint at a time for each grant and device: whoever comes meanwhile gets the same answer.
//! Refuses to keep an answer after the flight: credentials are stored nowhere.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::domain::{DeviceId, GrantId};
use crate::server::failure::Failure;
use crate::wire::MintedCredential;

type Answer = Result<MintedCredential, Failure>;
type Flight = Arc<OnceCell<Answer>>;

/// Mints that are under way.
#[derive(Debug, Default)]
pub struct Flights(Mutex<HashMap<(GrantId, DeviceId), Flight>>);

impl Flights {
    /// Joins the flight of `grant` and `device`, or begins it with `mint`. Should the one who began it go away,
    /// the next one in line begins it anew.
    pub async fn join(&self, grant: &GrantId, device: &DeviceId, mint: impl Future<Output = Answer> + Send) -> Answer {
        let key = (grant.clone(), device.clone());
        let flight = {
            let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            flights.entry(key.clone()).or_default().clone()
        };
        let answer = flight.get_or_init(|| mint).await.clone();
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if flights.get(&key).is_some_and(|current| Arc::ptr_eq(current, &flight)) {
            flights.remove(&key);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::wire::problem::Code;

    #[tokio::test]
    async fn twenty_at_once_make_one_flight() {
        let (flights, minted) = (Arc::new(Flights::default()), Arc::new(AtomicU32::new(0)));
        let grant = GrantId::from_bits(1);
        let device = DeviceId::parse(&"a".repeat(43)).unwrap();
        let gate = Arc::new(tokio::sync::Semaphore::new(0));
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let (flights, minted, gate) = (flights.clone(), minted.clone(), gate.clone());
                let (grant, device) = (grant.clone(), device.clone());
                tokio::spawn(async move {
                    let mint = async {
                        let _open = gate.acquire().await;
                        minted.fetch_add(1, Ordering::SeqCst);
                        Err(Failure::new(Code::ServerFailed, "as asked"))
                    };
                    flights.join(&grant, &device, mint).await.is_err()
                })
            })
            .collect();
        // on this single-threaded runtime every task runs up to the gate before we come back
        tokio::task::yield_now().await;
        gate.add_permits(100);
        for task in tasks {
            assert!(task.await.unwrap());
        }
        assert_eq!(minted.load(Ordering::SeqCst), 1);
        assert!(flights.0.lock().unwrap().is_empty());
    }
}
