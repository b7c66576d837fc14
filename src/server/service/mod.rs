//! Use cases: load, ask policy, apply, commit. One file a use case.
//! Refuses HTTP (handlers parse and answer) and outside calls (the worker and `mint` make them).

pub mod accounts;
pub mod admin;
#[cfg(test)]
mod attacks;
pub mod browser;
pub mod confirm;
pub mod decide;
pub mod device_flow;
pub mod devices;
pub mod directory;
pub mod dry_run;
pub mod end;
pub mod file;
pub mod flight;
pub mod inbox;
pub mod issuer;
#[cfg(test)]
mod kills;
pub mod known_device;
pub mod locked;
pub mod locks;
pub mod look;
pub mod mint;
pub mod others;
pub mod people;
pub mod plan;
pub mod presence;
pub mod pushes;
pub mod resolve;
pub mod roll;
pub mod roster;
pub mod sign;
pub mod sign_in;
pub mod step_up;
pub mod targets;
#[cfg(test)]
mod tests;
pub mod view;
pub mod workload;

use crate::domain::{Digest, Once, PersonId, Timestamp};

/// An idempotency key as it came in, before it is known what it leads to.
#[derive(Clone, Debug)]
pub struct Key {
    /// As the client sent it.
    pub key: String,
    /// SHA-256 of method, path and body.
    pub body_hash: Digest,
}

impl Key {
    /// The key as it is stored, leading to `outcome`.
    pub fn used(&self, person: &PersonId, outcome: &str, at: Timestamp) -> Once {
        Once {
            person: person.clone(),
            key: self.key.clone(),
            body_hash: self.body_hash.clone(),
            outcome: outcome.to_owned(),
            at,
        }
    }
}
