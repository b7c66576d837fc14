//! Signing in with a one-time code, and signing out.
//! Refuses codes that are spent or old; which person a code belongs to is the store's knowledge.

use serde_json::json;

use super::change::{Actor, Change, Row};
use super::lock::{Lock, Scope};
use super::person::{Device, Session, SignInCode};
use super::refusal::Refusal;
use super::time::Timestamp;

/// Spends `code` and opens `session` on `device`, unless `locked` stands on whose it is. A lock on everything stops nobody
/// here: somebody has to come and lift it.
///
/// # Errors
/// [`Refusal::Locked`]; [`Refusal::CodeInvalid`] where the code is spent, too old, or somebody else's, or where session and device do not
/// belong together.
pub fn sign_in(
    now: Timestamp,
    code: &SignInCode,
    device: &Device,
    session: &Session,
    locked: Option<&Lock>,
) -> Result<Change, Refusal> {
    if code.spent_at.is_some()
        || now >= code.expires_at
        || code.person != session.person
        || device.person != session.person
        || device.id != session.device
    {
        return Err(Refusal::CodeInvalid);
    }
    let person = Scope::Person(session.person.clone());
    if let Some(lock) = locked.filter(|lock| lock.stands() && lock.scope == person) {
        return Err(lock.refusal());
    }
    let spent = SignInCode {
        spent_at: Some(now),
        version: code.version + 1,
        ..code.clone()
    };
    let rows = vec![
        Row::SignInCode(spent),
        Row::Device(device.clone()),
        Row::Session(session.clone()),
    ];
    let details = json!({ "method": session.method, "device": session.device });
    let actor = Actor::Person(session.person.clone());
    Ok(Change::new(now, "session.opened", actor, None, rows, details).unless_locked(vec![person]))
}

/// Ends `session`. Ending it twice changes nothing.
pub fn sign_out(now: Timestamp, session: &Session) -> Change {
    if session.ended_at.is_some() {
        return Change::default();
    }
    let ended = Session {
        ended_at: Some(now),
        version: session.version + 1,
        ..session.clone()
    };
    Change::new(
        now,
        "session.ended",
        Actor::Person(session.person.clone()),
        None,
        vec![Row::Session(ended)],
        json!({}),
    )
}
