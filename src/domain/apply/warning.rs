//! The warning before the end: one event, in time to finish or to extend.
//! Owns when it is due and when it is not needed. Refuses to know who is told, and how.

use serde_json::json;

use super::grant_step::too_early;
use crate::domain::case::Case;
use crate::domain::change::{Actor, Change, Effect};
use crate::domain::grant::Grant;
use crate::domain::id::GrantId;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

/// So long before the end, in seconds. A grant that is no longer than this has no warning.
pub const WARNED_BEFORE_S: i64 = 600;

/// The warning of a grant from `begins` to `ends_at`, where it is long enough for one.
pub(super) fn warning(begins: Timestamp, ends_at: Timestamp, grant: &GrantId) -> Option<(Timestamp, Effect)> {
    let due_at = Timestamp::from_millis(ends_at.millis() - WARNED_BEFORE_S * 1000);
    (due_at > begins).then(|| (due_at, Effect::Warn { grant: grant.clone() }))
}

/// Tells that the grant ends soon. Nothing where it is over or ending already, and where a longer one takes its place: that
/// one has a warning of its own.
pub(super) fn warn(now: Timestamp, case: &Case) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    let Some(ends_at) = grant.ends_at.filter(|_| grant.is_live(now)) else {
        return Ok(Change::default());
    };
    let due = grant
        .activated_at
        .and_then(|begins| warning(begins, ends_at, &grant.id));
    let Some((due_at, effect)) = due else {
        return Ok(Change::default());
    };
    if now < due_at {
        return Ok(too_early(due_at, effect));
    }
    let goes_on = |other: &Grant| other.is_live(now) && other.ends_at > Some(ends_at);
    if case.beside.iter().filter_map(|held| held.grant.as_ref()).any(goes_on) {
        return Ok(Change::default());
    }
    let details = json!({ "grant": grant.id, "ends_at": ends_at, "last_credential_at": grant.last_credential_at });
    let (kind, request) = ("grant.ending", case.request.as_ref());
    Ok(Change::new(now, kind, Actor::Backend, request, Vec::new(), details))
}
