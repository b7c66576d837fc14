//! Proofs that were used, for as long as the nonce in them counts.
//! Owns that no proof is good twice. Refuses to keep any longer: two sets, the older one is dropped whole.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};

use super::nonce::NONCE_MS;
use crate::domain::Timestamp;

/// Enough of a hash that nobody finds two proofs with the same.
type Mark = [u8; 16];

/// The proofs that were seen.
pub struct Seen(Mutex<Sets>);

struct Sets {
    since: Timestamp,
    young: HashSet<Mark>,
    old: HashSet<Mark>,
}

impl Seen {
    /// None so far.
    pub fn since(now: Timestamp) -> Self {
        Self(Mutex::new(Sets {
            since: now,
            young: HashSet::new(),
            old: HashSet::new(),
        }))
    }

    /// Whether `device` never used `id` before, which it has from now on.
    pub fn is_new(&self, now: Timestamp, device: &str, id: &str) -> bool {
        let hash = digest(&SHA256, format!("{device} {id}").as_bytes());
        let mut mark = Mark::default();
        mark.copy_from_slice(&hash.as_ref()[..16]);
        let mut sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // whatever is dropped is older than any nonce that counts
        if now.millis().saturating_sub(sets.since.millis()) > NONCE_MS {
            sets.old = std::mem::take(&mut sets.young);
            sets.since = now;
        }
        !sets.old.contains(&mark) && sets.young.insert(mark)
    }
}
