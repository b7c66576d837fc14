//! Which sealing key the secrets of a store are wrapped with: a value that only that key opens.
//! Refuses the key itself and every cipher.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::change::{Actor, Change, Row};
use super::time::Timestamp;

/// The one check value of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealingCheck {
    /// The value; none where nothing sealed is left, so that another key may come. Not in the evidence.
    #[serde(skip)]
    pub sealed: Option<String>,
    /// When it was set, or taken away.
    pub at: Timestamp,
    /// Counts its changes, from 1.
    pub version: u64,
}

impl SealingCheck {
    /// The check after `standing` that holds `sealed`.
    pub fn after(standing: Option<&Self>, now: Timestamp, sealed: Option<String>) -> Self {
        Self {
            sealed,
            at: now,
            version: standing.map_or(0, |check| check.version) + 1,
        }
    }
}

/// Secrets of this store are wrapped with the key that made `sealed` from now on.
pub fn set_sealing_key(now: Timestamp, standing: Option<&SealingCheck>, sealed: String) -> Change {
    let check = SealingCheck::after(standing, now, Some(sealed));
    let rows = vec![Row::SealingCheck(check)];
    Change::new(now, "sealing_key.set", Actor::Backend, None, rows, json!({}))
}
