//! The worker: takes effects from the outbox, changes the outside world, commits what came of it.
//! Owns retries and their order: what is taken away goes before what is given. At least once, so every step
//! may be done again.

mod depart;
mod kill;
mod membership;
mod moved;
mod oust;
mod outcome;
pub mod reconcile;
mod step;
mod sweep;
mod told;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::domain::{Effect, Timestamp};
use crate::server::backend::Backend;
use crate::server::store::{Claimed, StoreError};
use crate::server::wake::stopped;

/// It looks at least this often.
const TICK: Duration = Duration::from_secs(1);
/// A claim is taken over by another worker after this; a step takes less, its provider's limits included.
const CLAIM_MS: i64 = 60_000;
/// Effects claimed at once.
const BATCH: u32 = 64;
/// Steps under way at once: one that hangs holds up none of the others.
const AT_ONCE: usize = 64;

/// Which urgencies have places of their own.
const ROOMS: [RangeInclusive<u8>; 4] = [
    Effect::AT_ONCE,
    Effect::SHUTTING_OUT,
    Effect::LETTING_GO,
    Effect::GIVING,
];

/// Places for steps of some urgencies. However long a provider takes to give, taking away never waits for it; and what
/// calls nobody (a lock that is carried out, a deadline) waits for no provider at all.
struct Room {
    urgencies: RangeInclusive<u8>,
    places: Arc<Semaphore>,
}

impl Room {
    fn of(urgencies: RangeInclusive<u8>) -> Self {
        Self {
            urgencies,
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    fn free(&self) -> u32 {
        u32::try_from(self.places.available_permits())
            .unwrap_or(BATCH)
            .min(BATCH)
    }
}

/// Idempotency keys are kept for 24 hours.
const ONCE_MS: i64 = 24 * 3_600_000;
/// How often old keys are swept away.
const SWEEP_MS: i64 = 60_000;

/// Works until `stop` turns true, then finishes the steps that are under way.
pub async fn run(backend: Arc<Backend>, mut stop: watch::Receiver<bool>) {
    let owner = format!("worker-{}", backend.random.key());
    let rooms = ROOMS.map(Room::of);
    let mut steps = JoinSet::new();
    let mut swept_at = backend.now();
    while !*stop.borrow() {
        backend.worker_ticked();
        while steps.try_join_next().is_some() {}
        let looked = backend.now();
        let mut is_idle = true;
        for room in &rooms {
            for work in claim(&backend, &owner, &room.urgencies, room.free()).await {
                is_idle = false;
                let (backend, places) = (backend.clone(), room.places.clone());
                steps.spawn(async move {
                    let Ok(_place) = places.acquire_owned().await else {
                        return;
                    };
                    step::take(&backend, &work).await;
                    backend.work.notify_one();
                });
            }
        }
        if is_idle {
            if backend.now().millis() - swept_at.millis() > SWEEP_MS {
                swept_at = backend.now();
                sweep(&backend).await;
            }
            pause(&backend, looked, &mut stop).await;
        }
    }
    while steps.join_next().await.is_some() {}
    if let Err(error) = backend.store.release(&owner).await {
        tracing::warn!(%error, "claims could not be given back; they lapse by themselves");
    }
}

async fn claim(backend: &Backend, owner: &str, urgencies: &RangeInclusive<u8>, free: u32) -> Vec<Claimed> {
    if free == 0 {
        return Vec::new();
    }
    let now = backend.now();
    let until = Timestamp::from_millis(now.millis() + CLAIM_MS);
    match backend.store.claim(owner, now, until, urgencies.clone(), free).await {
        Ok(claimed) => claimed,
        Err(error) => {
            report(&error);
            Vec::new()
        }
    }
}

fn report(error: &StoreError) {
    tracing::error!(%error, "the worker cannot read its work; it tries again");
}

/// Until there is work, something is due, a step ends, or the tick is over. What was due when we `looked` is under way
/// already: it is no reason to look again at once.
async fn pause(backend: &Backend, looked: Timestamp, stop: &mut watch::Receiver<bool>) {
    let due = backend.store.next_due(looked).await.ok().flatten();
    let until_due = due.map_or(TICK, |at| {
        let ms = at.millis().saturating_sub(backend.now().millis()).max(5);
        Duration::from_millis(u64::try_from(ms).unwrap_or(u64::MAX)).min(TICK)
    });
    tokio::select! {
        () = backend.work.notified() => {}
        () = tokio::time::sleep(until_due) => {}
        () = stopped(stop) => {}
    }
}

async fn sweep(backend: &Backend) {
    let before = Timestamp::from_millis(backend.now().millis() - ONCE_MS);
    if let Err(error) = backend.store.forget_once(before).await {
        report(&error);
    }
    // a browser that comes back late is told that it is, as long as it has its cookie
    if let Err(error) = backend.store.forget_codes(before).await {
        report(&error);
    }
}

/// Does everything that is due now, and all that follows from it.
#[cfg(test)]
pub async fn drain(backend: &Backend) {
    loop {
        let claimed = claim(backend, "drain", &Effect::ALL, BATCH).await;
        if claimed.is_empty() {
            return;
        }
        for work in claimed {
            step::take(backend, &work).await;
        }
    }
}

#[cfg(test)]
mod old_stores;
#[cfg(test)]
mod overlapping;
#[cfg(test)]
mod restarts;
#[cfg(test)]
mod rooms;
#[cfg(test)]
mod waiting;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_urgency_has_places_in_one_room() {
        for urgency in Effect::ALL {
            let rooms = ROOMS.iter().filter(|room| room.contains(&urgency));
            assert_eq!(rooms.count(), 1, "{urgency}");
        }
    }
}
