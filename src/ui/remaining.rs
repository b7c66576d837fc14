//! What an end leaves behind, in words: copies of a last credential, and what was there before.
//! Refuses to name the one without the other.

use super::words::TimeWords;
use crate::domain::time::Timestamp;
use crate::wire::GrantView;

/// What is said in place of a last credential where access was there before.
const REMAINS: &str = "access remains: it was there before jit";
const REMAINS_THROUGH_GROUP: &str = "access remains through a group";

/// That of `grant`, where it is so.
pub(super) fn remains(grant: &GrantView) -> Option<&'static str> {
    grant.pre_existing.then_some(match grant.through_group {
        true => REMAINS_THROUGH_GROUP,
        false => REMAINS,
    })
}

/// That access is over, and until when a copy of its last credential works: never one without the other.
pub fn what_still_works(grants: &[GrantView], words: &TimeWords, now: Timestamp) -> String {
    let works = |grant: &&GrantView| grant.last_credential_at.is_some_and(|last| last > now);
    let open: Vec<&GrantView> = grants.iter().filter(works).collect();
    if let Some(remains) = grants.iter().find_map(remains) {
        // whatever else is over: they have the same access still
        return format!("{}.", remains.replacen('a', "A", 1));
    }
    let last = |grants: &[&GrantView]| grants.iter().filter_map(|grant| grant.last_credential_at).max();
    let is_out = |grant: &&GrantView| grant.sessions.as_deref().is_some_and(|state| state != "killing");
    let (out, others): (Vec<&GrantView>, Vec<&GrantView>) = open.into_iter().partition(is_out);
    let Some(until) = last(&others) else {
        return match out.iter().all(|grant| grant.end_is_enforced) {
            _ if out.is_empty() => "No credential of it works any more.".to_owned(),
            true => "Its sessions are shut out now.".to_owned(),
            false => "Its sessions are shut out now; what they assumed in other roles goes on.".to_owned(),
        };
    };
    let (until, left) = (words.at(until), words.left(until));
    if others.iter().any(|grant| grant.sessions.is_some()) {
        return format!(
            "Its sessions are being shut out; at the latest a copy of its last credential dies at {until} ({left})."
        );
    }
    format!("A copy of its last credential works until {until} ({left}).")
}
