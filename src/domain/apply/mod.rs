//! The lifecycle: what follows from an event.
//! Owns the state machine and its invariants; each part is in a file of its own. Refuses whatever a state does not allow.

mod credential;
mod ending;
#[cfg(test)]
mod extension;
mod grant;
mod grant_step;
#[cfg(test)]
mod humans;
mod kill;
mod lease;
#[cfg(test)]
mod lease_properties;
#[cfg(test)]
mod lease_world;
mod lock;
#[cfg(test)]
mod properties;
mod request;
#[cfg(test)]
mod steps;
#[cfg(test)]
mod table;
#[cfg(test)]
mod table_locks;
mod warning;
#[cfg(test)]
mod world;

pub use lease::REMAINS;

use super::case::Case;
use super::change::{Actor, Change};
use super::event::Event;
use super::id::PersonId;
use super::refusal::Refusal;
use super::time::Timestamp;

/// What follows from `event` on `case` at `now`.
///
/// # Errors
/// The [`Refusal`] that the case's state, or an invariant, demands.
pub fn apply(now: Timestamp, case: &Case, event: &Event) -> Result<Change, Refusal> {
    let bars = lock::bars(case, event);
    let change = match case.lock_on(&bars) {
        Some(standing) => lock::barred(now, case, event, standing)?,
        None => follows(now, case, event)?.unless_locked(bars),
    };
    match event {
        Event::Verified { before } => lease::answered(now, case, change, Some(*before)),
        Event::NotGiven { .. } => lease::answered(now, case, change, None),
        Event::File(_)
        | Event::Decide(_)
        | Event::Cancel { .. }
        | Event::Expire
        | Event::Activate
        | Event::Withhold { .. }
        | Event::Giving { .. }
        | Event::Paused { .. }
        | Event::Drop { .. }
        | Event::Revoke { .. }
        | Event::Warn
        | Event::Recall
        | Event::Lock { .. }
        | Event::End
        | Event::Gone
        | Event::Taking { .. }
        | Event::Taken
        | Event::Killed { .. }
        | Event::Outlived
        | Event::Lifted
        | Event::Mint { .. }
        | Event::Minted { .. } => Ok(change),
    }
}

/// What follows where no lock stands in the way.
fn follows(now: Timestamp, case: &Case, event: &Event) -> Result<Change, Refusal> {
    match event {
        Event::File(filing) => request::file(now, case, filing),
        Event::Decide(vote) => request::decide(now, case, vote),
        Event::Cancel { by } => request::cancel(now, case, by),
        Event::Expire => request::expire(now, case),
        Event::Activate => grant::activate(now, case),
        Event::Withhold { cause, detail } => grant::withhold(now, case, *cause, detail),
        Event::Giving { found, until } => lease::giving(now, case, *found, *until),
        Event::Paused { until, before } => lease::paused(now, case, *until, *before),
        Event::Verified { .. } => grant::verified(now, case),
        Event::NotGiven { detail } => grant::not_given(now, case, detail),
        Event::Drop { by } => grant::give_back(now, case, by),
        Event::Revoke { by, reason } => grant::revoke(now, case, by, reason.as_str()),
        Event::Warn => warning::warn(now, case),
        Event::Recall => grant::recalled(now, case),
        Event::Lock { by, reason } => lock::swept(now, case, by, reason.as_str()),
        Event::End => grant::end(now, case),
        Event::Gone => grant::gone(now, case),
        Event::Taking { until } => lease::taking(now, case, *until),
        Event::Taken => grant::taken(now, case),
        Event::Killed { issued_before } => kill::killed(now, case, *issued_before),
        Event::Outlived => kill::outlived(now, case),
        Event::Lifted => kill::lifted(now, case),
        Event::Mint { by, device, until } => credential::mint(now, case, by, device, *until),
        Event::Minted {
            access_key_id,
            device,
            until,
        } => credential::minted(now, case, access_key_id, device, *until),
    }
}

fn person(id: &PersonId) -> Actor {
    Actor::Person(id.clone())
}
