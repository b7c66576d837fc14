//! The one rule of locks: what a lock stands in the way of, and what it ends.
//! Owns that nothing is given under a lock. Refuses to hold up whatever takes access away.

use super::ending::begin_end;
use super::grant::withhold;
use crate::domain::case::Case;
use crate::domain::change::Change;
use crate::domain::event::Event;
use crate::domain::grant::{EndCause, GrantState};
use crate::domain::id::PersonId;
use crate::domain::lock::{Lock, Scope, activating, asking, deciding, receiving};
use crate::domain::refusal::Refusal;
use crate::domain::request::Body;
use crate::domain::text::TargetName;
use crate::domain::time::Timestamp;

/// A lock on any of these stands in the way of `event`. Nothing does of what takes away, records or is over.
pub(super) fn bars(case: &Case, event: &Event) -> Vec<Scope> {
    let request = case.request.as_ref();
    let of = |scopes: &dyn Fn(&Body, &[TargetName]) -> Vec<Scope>| {
        request.map_or_else(Vec::new, |request| scopes(&request.body, &request.frozen.same_access))
    };
    match event {
        Event::File(filing) => asking(&filing.body, &filing.frozen.same_access),
        Event::Decide(vote) => of(&|body, same| deciding(body, same, &vote.by)),
        Event::Activate => activating(case),
        Event::Verified { .. } | Event::Mint { .. } => of(&receiving),
        Event::Cancel { .. }
        | Event::Expire
        | Event::Withhold { .. }
        | Event::NotGiven { .. }
        | Event::Drop { .. }
        | Event::Revoke { .. }
        | Event::Warn
        | Event::Recall
        | Event::Lock { .. }
        | Event::End
        | Event::Gone
        | Event::Giving { .. }
        | Event::Paused { .. }
        | Event::Taking { .. }
        | Event::Taken
        | Event::Killed { .. }
        | Event::Outlived
        | Event::Lifted
        | Event::Minted { .. } => Vec::new(),
    }
}

/// What becomes of `event` under `lock`: what waits for the worker ends, the others hear of the lock.
pub(super) fn barred(now: Timestamp, case: &Case, event: &Event, lock: &Lock) -> Result<Change, Refusal> {
    match event {
        Event::Activate => withhold(now, case, EndCause::Locked, lock.reason.as_str()),
        Event::Verified { .. } if case.grant()?.state == GrantState::Granting => {
            let detail = Some(lock.reason.as_str());
            begin_end(now, case, Some(&lock.by), EndCause::Locked, detail)
        }
        Event::Verified { .. } => Ok(Change::default()),
        Event::File(_)
        | Event::Decide(_)
        | Event::Mint { .. }
        | Event::Cancel { .. }
        | Event::Expire
        | Event::Withhold { .. }
        | Event::NotGiven { .. }
        | Event::Drop { .. }
        | Event::Revoke { .. }
        | Event::Warn
        | Event::Recall
        | Event::Lock { .. }
        | Event::End
        | Event::Gone
        | Event::Giving { .. }
        | Event::Paused { .. }
        | Event::Taking { .. }
        | Event::Taken
        | Event::Killed { .. }
        | Event::Outlived
        | Event::Lifted
        | Event::Minted { .. } => Err(lock.refusal()),
    }
}

/// Ends what was there when the lock was set. What is over, or ending, is left alone.
pub(super) fn swept(now: Timestamp, case: &Case, by: &PersonId, reason: &str) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    match grant.state {
        // its own end came first: nothing of it is left to shut out
        GrantState::Granting | GrantState::Active if grant.ends_at.is_some_and(|end| now >= end) => {
            begin_end(now, case, None, EndCause::Expired, None)
        }
        GrantState::Scheduled | GrantState::Granting | GrantState::Active => {
            begin_end(now, case, Some(by), EndCause::Locked, Some(reason))
        }
        GrantState::Revoking | GrantState::Ended | GrantState::Failed => Ok(Change::default()),
    }
}
