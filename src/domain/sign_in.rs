//! Signing in with a one-time code, what comes of signing in elsewhere, a workload that signs in, showing a second factor
//! again, and signing out.
//! Refuses codes that are spent, old, or of another terminal; which person a code belongs to is the store's knowledge.

use serde_json::{Value, json};

use super::change::{Actor, Change, Row};
use super::lock::{Lock, Scope};
use super::person::{Device, KeyStorage, Person, Session, SignInCode, SignInMethod};
use super::refusal::Refusal;
use super::time::Timestamp;

/// A code is void after this many wrong ones in its person's name.
pub const MOST_TRIES: u32 = 5;

/// Notes that `person` proved elsewhere who they are: `code` is for the terminal that asked. `is_new` where they were
/// never seen before; `details` say how it was proved.
pub fn prove(now: Timestamp, person: &Person, is_new: bool, code: &SignInCode, details: Value) -> Change {
    let mut rows = Vec::new();
    if is_new {
        rows.push(Row::Person(person.clone()));
    }
    rows.push(Row::SignInCode(code.clone()));
    let actor = Actor::Person(person.id.clone());
    Change::new(now, "session.proved", actor, None, rows, details)
}

/// Whether `session` on `device` is what `code` was made for. `challenge` is that of the terminal that brings it, if it
/// brought one.
fn fits(code: &SignInCode, challenge: Option<&str>, device: &Device, session: &Session) -> bool {
    let is_theirs = code.person == session.person && device.person == session.person && device.id == session.device;
    let is_its_way = match &code.bound {
        None => challenge.is_none() && session.method == SignInMethod::Local && session.mfa_at.is_none(),
        Some(bound) => {
            bound.renews.is_none()
                && challenge == Some(bound.challenge.as_str())
                && bound.device == device.id
                && bound.method == session.method
                && bound.mfa_at == session.mfa_at
        }
    };
    is_theirs && is_its_way
}

/// Spends `code`, brought by a terminal with this `challenge` if with any, and opens `session` on `device`, unless `locked`
/// stands on whose it is. A lock on everything stops nobody here: somebody has to come and lift it.
///
/// # Errors
/// [`Refusal::Locked`]; [`Refusal::CodeInvalid`] where the code is spent, too old, somebody else's or another terminal's, or
/// where session and device do not belong together.
pub fn sign_in(
    now: Timestamp,
    code: &SignInCode,
    challenge: Option<&str>,
    device: &Device,
    session: &Session,
    locked: Option<&Lock>,
) -> Result<Change, Refusal> {
    if code.spent_at.is_some() || now >= code.expires_at || !fits(code, challenge, device, session) {
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

/// Opens `session` on `device` for `person` by its key alone, unless `locked` stands on them.
///
/// # Errors
/// [`Refusal::DeviceUnknown`] where the device signs nobody in, or not them; [`Refusal::Locked`].
pub fn come_back(
    now: Timestamp,
    person: &Person,
    device: &Device,
    session: &Session,
    locked: Option<&Lock>,
) -> Result<Change, Refusal> {
    let is_its =
        session.person == person.id && session.device == device.id && session.key_storage == KeyStorage::Keyring;
    let proves_no_more = session.method == SignInMethod::Local && session.mfa_at.is_none();
    if !is_its || !proves_no_more || !device.signs_in(person, now) {
        return Err(Refusal::DeviceUnknown);
    }
    let scope = Scope::Person(person.id.clone());
    if let Some(lock) = locked.filter(|lock| lock.stands() && lock.scope == scope) {
        return Err(lock.refusal());
    }
    let known = device.signed_in_on(now, session.key_storage);
    let rows = vec![Row::Device(known), Row::Session(session.clone())];
    let details = json!({ "method": session.method, "device": session.device, "by": "device" });
    let actor = Actor::Person(person.id.clone());
    Ok(Change::new(now, "session.opened", actor, None, rows, details).unless_locked(vec![scope]))
}

/// Opens `session` on `device` for the workload `who`, whose token was believed, unless `locked` stands on it. `is_new` where
/// it was never seen before, `details` say what the token said.
///
/// # Errors
/// [`Refusal::Locked`]; [`Refusal::TokenUsed`] where session and device do not belong together.
pub fn let_in(
    now: Timestamp,
    who: &Person,
    is_new: bool,
    device: &Device,
    session: &Session,
    locked: Option<&Lock>,
    details: Value,
) -> Result<Change, Refusal> {
    let is_theirs = session.person == who.id && device.person == who.id && device.id == session.device;
    if !is_theirs || session.id_token.is_none() || who.workload.is_none() {
        return Err(Refusal::TokenUsed);
    }
    let scope = Scope::Person(who.id.clone());
    if let Some(lock) = locked.filter(|lock| lock.stands() && lock.scope == scope) {
        return Err(lock.refusal());
    }
    let mut rows = Vec::new();
    if is_new {
        rows.push(Row::Person(who.clone()));
    }
    rows.extend([Row::Device(device.clone()), Row::Session(session.clone())]);
    let actor = Actor::Person(who.id.clone());
    Ok(Change::new(now, "session.opened", actor, None, rows, details).unless_locked(vec![scope]))
}

/// Spends `code`, brought by a terminal with this `challenge`: `session` goes on with the second factor that was shown for
/// it. Its end, its device and how it was opened stay.
///
/// # Errors
/// [`Refusal::Locked`]; [`Refusal::CodeInvalid`] where the code is spent, too old, of another session or terminal, or where
/// nothing newer was shown.
pub fn renew(
    now: Timestamp,
    code: &SignInCode,
    challenge: &str,
    session: &Session,
    locked: Option<&Lock>,
) -> Result<Change, Refusal> {
    let bound = code.bound.as_deref().filter(|bound| {
        bound.renews.as_ref() == Some(&session.id)
            && bound.challenge == challenge
            && bound.device == session.device
            && bound.method == session.method
            && code.person == session.person
    });
    let shown = bound
        .and_then(|bound| bound.mfa_at)
        .filter(|at| session.mfa_at < Some(*at));
    let counts = code.spent_at.is_none() && now < code.expires_at && session.is_live(now);
    let Some(shown) = shown.filter(|_| counts) else {
        return Err(Refusal::CodeInvalid);
    };
    let person = Scope::Person(session.person.clone());
    if let Some(lock) = locked.filter(|lock| lock.stands() && lock.scope == person) {
        return Err(lock.refusal());
    }
    let spent = SignInCode {
        spent_at: Some(now),
        version: code.version + 1,
        ..code.clone()
    };
    let renewed = Session {
        mfa_at: Some(shown),
        used_at: session.used_at.max(now),
        version: session.version + 1,
        ..session.clone()
    };
    let rows = vec![Row::SignInCode(spent), Row::Session(renewed)];
    let details = json!({ "session": session.id, "mfa_at": shown });
    let actor = Actor::Person(session.person.clone());
    Ok(Change::new(now, "session.renewed", actor, None, rows, details).unless_locked(vec![person]))
}

/// Counts a wrong code that was brought in the name of whose `codes` these are. The fifth makes each of them void.
pub fn wrong_try(now: Timestamp, person: &Person, codes: &[SignInCode]) -> Change {
    if codes.is_empty() {
        return Change::default();
    }
    let counted = codes.iter().map(|code| {
        let tries = code.tries.saturating_add(1);
        Row::SignInCode(SignInCode {
            tries,
            spent_at: (tries >= MOST_TRIES).then_some(now),
            version: code.version + 1,
            ..code.clone()
        })
    });
    let details = json!({ "person": person.id });
    Change::new(
        now,
        "session.code_refused",
        Actor::Backend,
        None,
        counted.collect(),
        details,
    )
}

/// Ends every one of `sessions`, which are those of `person`, and forgets `devices`, which are theirs too.
pub fn sign_out_everywhere(now: Timestamp, person: &Person, sessions: &[Session], devices: &[Device]) -> Change {
    let live: Vec<&Session> = sessions.iter().filter(|session| session.ended_at.is_none()).collect();
    let known: Vec<&Device> = devices.iter().filter(|device| now < device.known_until).collect();
    if live.is_empty() && known.is_empty() {
        return Change::default();
    }
    let over = live.iter().map(|session| Row::Session(ended(now, session)));
    let forgotten = known.iter().map(|device| Row::Device(device.forgotten(now)));
    let rows = over.chain(forgotten).collect();
    let ids: Vec<_> = live.iter().map(|session| &session.id).collect();
    let keys: Vec<_> = known.iter().map(|device| &device.id).collect();
    let details = json!({ "sessions": ids, "devices": keys });
    let actor = Actor::Person(person.id.clone());
    Change::new(now, "session.ended_everywhere", actor, None, rows, details)
}

/// Ends `session` on behalf of `by`, who runs the backend, and forgets the `device` that would open another one by itself.
pub fn revoke_session(now: Timestamp, session: &Session, device: Option<&Device>, by: Actor) -> Change {
    if session.ended_at.is_some() {
        return Change::default();
    }
    let mut rows = vec![Row::Session(ended(now, session))];
    rows.extend(device.map(|device| Row::Device(device.forgotten(now))));
    let forgotten = device.map(|device| &device.id);
    let details = json!({ "person": session.person, "session": session.id, "device": forgotten });
    Change::new(now, "session.revoked", by, None, rows, details)
}

fn ended(now: Timestamp, session: &Session) -> Session {
    Session {
        ended_at: Some(now),
        version: session.version + 1,
        ..session.clone()
    }
}

/// Ends `session`. Ending it twice changes nothing.
pub fn sign_out(now: Timestamp, session: &Session) -> Change {
    if session.ended_at.is_some() {
        return Change::default();
    }
    Change::new(
        now,
        "session.ended",
        Actor::Person(session.person.clone()),
        None,
        vec![Row::Session(ended(now, session))],
        json!({}),
    )
}

#[cfg(test)]
mod tests;
