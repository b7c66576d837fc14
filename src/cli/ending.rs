//! After a grant was ended: waits until its sessions are shut out, where there is a kill switch, and until it is known when
//! the last of them dies, where none can be.
//! Refuses to fail for it: the grant has ended, and what is known already is said.

use std::time::Duration;

use super::context::Desk;
use crate::client::{Next, Waiting};
use crate::error::{Error, Exit, Result};
use crate::wire::GrantView;

/// The backend needs a second or two; past this it goes on without anybody watching.
const LIMIT: Duration = Duration::from_secs(10);

/// Whether access is there still although it was ended: sessions that outlive it can be begun until it is taken away. What a
/// group has besides names no last credential.
pub(super) fn is_held_up(grant: &GrantView) -> bool {
    grant.state == "revoking" && (grant.through_group || grant.last_credential_at > grant.ends_at)
}

/// What is said of it.
pub(super) const HELD_UP: &str =
    "The system that gives it has not taken it away yet, and it works until then. It is tried for ever:  jit status";

/// `grant` once its sessions are shut out or can be begun no more, or as it stands when the limit has passed.
///
/// # Errors
/// Exit 130 at the interrupt key.
pub(super) fn settled(desk: &Desk, grant: GrantView) -> Result<GrantView> {
    let is_being_killed = |grant: &GrantView| grant.sessions.as_deref() == Some("killing");
    let is_under_way = |grant: &GrantView| is_being_killed(grant) || is_held_up(grant);
    if !is_under_way(&grant) {
        return Ok(grant);
    }
    // who may end it need not be let to look at it
    let Ok(view) = desk.backend.request(&grant.request) else {
        return Ok(grant);
    };
    let mut waiting = Waiting::from(&desk.backend, &view, Some(LIMIT))?;
    let mut known = view.grant.unwrap_or(grant);
    while is_under_way(&known) {
        match waiting.next(|_| ()) {
            Ok(Next::Changed(view)) => known = view.grant.unwrap_or(known),
            Err(
                error @ Error {
                    exit: Exit::Interrupted,
                    ..
                },
            ) => return Err(error),
            Ok(Next::TooLate) | Err(_) => break,
        }
    }
    Ok(known)
}
