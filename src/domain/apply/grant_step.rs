//! One step of a grant, and the change that says it.
//! Owns what every part of the lifecycle is built from. Refuses to decide anything: whether a step is allowed is its caller's.

use serde_json::Value;

use crate::domain::case::Case;
use crate::domain::change::{Actor, Change, Effect, Row};
use crate::domain::grant::{Grant, GrantState};
use crate::domain::time::Timestamp;

/// A change of the grant alone.
pub(super) fn grant_change(
    now: Timestamp,
    case: &Case,
    kind: &str,
    actor: Actor,
    next: Grant,
    details: Value,
) -> Change {
    Change::new(now, kind, actor, case.request.as_ref(), vec![Row::Grant(next)], details)
}

/// The worker settles the effect that led here: one that came before its time (a clock went back) is left again.
pub(super) fn too_early(due_at: Timestamp, effect: Effect) -> Change {
    Change::default().with_effect(due_at, effect)
}

/// The grant in its next state.
pub(super) fn step(grant: &Grant, state: GrantState) -> Grant {
    Grant {
        state,
        version: grant.version + 1,
        ..grant.clone()
    }
}

/// The grant, over.
pub(super) fn ended(now: Timestamp, grant: &Grant) -> Grant {
    Grant {
        ended_at: Some(now),
        ..step(grant, GrantState::Ended)
    }
}
