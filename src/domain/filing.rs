//! What a new request meets: one to join, a grant that covers it, or nothing.

use super::case::Case;
use super::grant::Grant;
use super::id::{GrantId, RequestId};
use super::refusal::Refusal;
use super::request::{Body, Request, RequestState};
use super::time::{Duration, Timestamp};

/// What becomes of a request that is being filed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is new, or extends a live grant.
    New,
    /// The same is asked already: wait for that one.
    Joins(RequestId),
    /// A live grant lasts at least as long.
    Covered(GrantId),
}

/// What `body` meets at `now`, with at most `cap` on the target, counted from first activation.
///
/// # Errors
/// [`Refusal::OverCap`], [`Refusal::OverCapExtended`], [`Refusal::Differs`], [`Refusal::NarrowedOtherwise`].
pub fn standing(now: Timestamp, case: &Case, body: &Body, cap: Duration) -> Result<Standing, Refusal> {
    if body.duration > cap {
        return Err(Refusal::OverCap {
            target: body.target.to_string(),
            cap,
        });
    }
    for held in &case.beside {
        if let Some(joined) = waiting(now, &held.request, held.grant.as_ref(), body)? {
            return Ok(Standing::Joins(joined));
        }
    }
    let live: Vec<&Grant> = case
        .beside
        .iter()
        .filter_map(|held| held.grant.as_ref())
        .filter(|grant| grant.activated_at.is_some() && grant.is_live_or_coming(now))
        .collect();
    if let Some(other) = live.iter().find(|grant| grant.only != body.only) {
        return Err(Refusal::NarrowedOtherwise {
            target: body.target.to_string(),
            grant: other.id.clone(),
        });
    }
    if let Some(cover) = live
        .iter()
        .find(|grant| grant.ends_at.is_some_and(|end| now.plus(body.duration) <= end))
    {
        return Ok(Standing::Covered(cover.id.clone()));
    }
    if let Some(anchor) = case.anchor(now) {
        let cap_ends_at = anchor.plus(cap);
        if now.plus(body.duration) > cap_ends_at {
            return Err(Refusal::OverCapExtended {
                target: body.target.to_string(),
                cap,
                cap_ends_at,
            });
        }
    }
    Ok(Standing::New)
}

/// The request to join, if `other` has not been activated yet.
fn waiting(now: Timestamp, other: &Request, grant: Option<&Grant>, body: &Body) -> Result<Option<RequestId>, Refusal> {
    let is_waiting = match other.state {
        RequestState::Pending => now < other.expires_at,
        RequestState::Approved => grant.is_some_and(|g| g.activated_at.is_none() && g.is_live_or_coming(now)),
        RequestState::Denied | RequestState::Cancelled | RequestState::Expired => false,
    };
    if !is_waiting {
        return Ok(None);
    }
    let same = other.body.duration == body.duration && other.body.only == body.only && other.body.start == body.start;
    if same {
        Ok(Some(other.id().clone()))
    } else {
        Err(Refusal::Differs {
            request: other.id().clone(),
            duration: other.body.duration,
        })
    }
}
