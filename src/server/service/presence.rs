//! Whether anybody sits at a session: when it was last used, and that one which nobody used for long says no yes.
//! Owns that. Refuses to call it use where somebody came back who did not sign in again: anybody may have come.

use super::step_up;
use crate::domain::{Session, Timestamp};
use crate::server::backend::{Backend, Caller};
use crate::server::failure::Failure;
use crate::wire::Problem;
use crate::wire::problem::Code;

/// Notes that the caller used their session. Where that cannot be written, they are as good as away.
pub async fn note(backend: &Backend, caller: &Caller) {
    let (session, now) = (&caller.session, backend.now());
    let (after, before) = Session::to_note(now, backend.settings.session_idle);
    if session.used_at <= after || session.used_at >= before {
        return;
    }
    if let Err(error) = backend.store.note_use(&session.id, now, (after, before)).await {
        tracing::warn!(%error, "that a session was used could not be noted");
    }
}

/// Refuses a session that nobody used for long.
///
/// # Errors
/// [`Code::SessionIdle`], with what would help where a second factor does.
pub fn must_be_there(backend: &Backend, caller: &Caller) -> Result<(), Failure> {
    if idle_since(backend, caller).is_none() {
        return Ok(());
    }
    let title = format!("this session was not used for {}", backend.settings.session_idle);
    let failure = Failure::from(Problem::new(Code::SessionIdle, title).hint("sign in again"));
    Err(step_up::shown_anew(backend, caller, failure))
}

/// When the caller's session was last used, where that is too long ago.
pub fn idle_since(backend: &Backend, caller: &Caller) -> Option<Timestamp> {
    let is_idle = caller.session.is_idle(caller.at, backend.settings.session_idle);
    is_idle.then_some(caller.session.used_at)
}
