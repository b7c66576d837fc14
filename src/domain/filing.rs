//! What a new request meets: one to join, a grant that covers it, or nothing.

use super::case::{Case, Held};
use super::grant::Grant;
use super::id::{GrantId, RequestId};
use super::refusal::Refusal;
use super::request::{Body, RequestState};
use super::text::Narrowing;
use super::time::{Duration, Timestamp};

/// A start may be over by so much when it arrives, in seconds.
const LATE_S: u32 = 60;
/// No start is further away, in seconds.
const FARTHEST_S: u32 = 366 * 86_400;

/// What becomes of a request that is being filed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is new, or goes beyond a live grant.
    New,
    /// The same is asked already: wait for that one.
    Joins(RequestId),
    /// A live grant lasts at least as long.
    Covered(GrantId),
}

/// What `body` meets at `now`, with at most `cap` on the target, counted from first activation.
///
/// # Errors
/// [`Refusal::OverCap`], [`Refusal::OverCapExtended`], [`Refusal::Differs`], [`Refusal::NarrowedOtherwise`],
/// [`Refusal::NothingToExtend`], [`Refusal::StartPast`], [`Refusal::StartTooFar`], [`Refusal::StartOfExtension`].
pub fn standing(now: Timestamp, case: &Case, body: &Body, cap: Duration) -> Result<Standing, Refusal> {
    // what is left of the cap is what bounds an extension
    if body.duration > cap && body.extends.is_none() {
        return Err(Refusal::OverCap {
            target: body.target.to_string(),
            cap,
        });
    }
    startable(now, body)?;
    // what is asked for later meets what is there then
    let from = body.start.map_or(now, |start| start.max(now));
    let waiting: Vec<&Held> = case.beside.iter().filter(|held| is_waiting(now, held)).collect();
    if let Some(same) = waiting.iter().find(|other| asks_the_same(&other.request.body, body)) {
        return Ok(Standing::Joins(same.request.id().clone()));
    }
    let live: Vec<&Grant> = case
        .beside
        .iter()
        .filter_map(|held| held.grant.as_ref())
        .filter(|grant| grant.activated_at.is_some() && grant.is_live_or_coming(from))
        .collect();
    if let Some(other) = live.iter().find(|grant| !same_narrowing(&grant.only, &body.only)) {
        return Err(Refusal::NarrowedOtherwise {
            target: body.target.to_string(),
            grant: other.id.clone(),
        });
    }
    if let Some(extends) = &body.extends {
        let is_it = |grant: &&&Grant| grant.id == extends.grant && grant.ends_at == Some(extends.ends_at);
        live.iter()
            .find(is_it)
            .filter(|grant| grant.is_live(now) && grant.is_of(body))
            .ok_or_else(|| Refusal::NothingToExtend {
                target: body.target.to_string(),
            })?;
    }
    let asked_until = body.ends(from);
    let lasts = |grant: &&&Grant| grant.ends_at.is_some_and(|end| asked_until <= end);
    // of several the one that ends last: until then it is held
    if let Some(cover) = live.iter().filter(lasts).max_by_key(|grant| grant.ends_at) {
        return Ok(Standing::Covered(cover.id.clone()));
    }
    if let Some(other) = waiting.iter().find(|other| overlaps(other, from, asked_until)) {
        return Err(Refusal::Differs {
            request: other.request.id().clone(),
            duration: other.request.body.duration,
            start: other.request.body.start,
            is_approved: other.grant.is_some(),
        });
    }
    if let Some(anchor) = case.anchor(from) {
        let cap_ends_at = anchor.plus(cap);
        if asked_until > cap_ends_at {
            return Err(Refusal::OverCapExtended {
                target: body.target.to_string(),
                cap,
                cap_ends_at,
                left: left(cap_ends_at, body, from),
            });
        }
    }
    Ok(Standing::New)
}

/// A start that is over by a moment was typed before: it is now. None is further away than anybody plans.
fn startable(now: Timestamp, body: &Body) -> Result<(), Refusal> {
    let Some(at) = body.start else { return Ok(()) };
    if body.extends.is_some() {
        return Err(Refusal::StartOfExtension);
    }
    if now.since(at) > LATE_S {
        return Err(Refusal::StartPast { at });
    }
    if at.since(now) > FARTHEST_S {
        return Err(Refusal::StartTooFar { at });
    }
    Ok(())
}

/// The longest duration that `body` could ask for, where there is one.
fn left(cap_ends_at: Timestamp, body: &Body, from: Timestamp) -> Option<Duration> {
    let counted_from = body.extends.as_ref().map_or(from, |extends| extends.ends_at);
    Duration::from_secs(cap_ends_at.since(counted_from)).ok()
}

/// Whether `held` is open and has not been activated yet.
fn is_waiting(now: Timestamp, held: &Held) -> bool {
    match held.request.state {
        RequestState::Pending => now < held.request.expires_at,
        RequestState::Approved => held
            .grant
            .as_ref()
            .is_some_and(|grant| grant.activated_at.is_none() && grant.is_live_or_coming(now)),
        RequestState::Denied | RequestState::Cancelled | RequestState::Expired => false,
    }
}

/// Whether what waits may be held at some time from `from` until `until`: what is planned for another day is in nobody's
/// way.
fn overlaps(held: &Held, from: Timestamp, until: Timestamp) -> bool {
    let Held { request, grant } = held;
    let body = &request.body;
    let last_begin = match grant {
        Some(grant) => grant.activate_by,
        None => {
            let decided = body
                .start
                .map_or(request.expires_at, |start| start.max(request.expires_at));
            decided.plus(request.frozen.workflow.activate_within)
        }
    };
    let is_later = body.start.is_some_and(|start| until <= start);
    !is_later && from < body.ends(last_begin).max(last_begin)
}

fn asks_the_same(other: &Body, body: &Body) -> bool {
    other.duration == body.duration
        && other.start == body.start
        && other.extends == body.extends
        && same_narrowing(&other.only, &body.only)
}

/// Whatever their order.
fn same_narrowing(one: &[Narrowing], other: &[Narrowing]) -> bool {
    one.iter().all(|n| other.contains(n)) && other.iter().all(|n| one.contains(n))
}
