//! A failure that is remembered for a few seconds, so that a tool which asks again fails cheaply.
//! Refuses to remember for longer, and to hide a credential that still works.

use crate::cache::Cache;
use crate::entry::number;
use crate::guard;
use crate::names::Account;
use crate::problem::Problem;
use crate::write::{FAILED, gone, place};

const VERSION: &str = "jit-failed/2";
/// Between message and hint: `one_line` leaves none in either.
const BETWEEN: char = '\t';

/// Longer than this is not believed (a clock was moved), in milliseconds.
const LONGEST_MS: u64 = 10_000;
/// No message of ours is longer; Java deadlocks on a large stderr.
const LONGEST_MESSAGE: usize = 500;

/// Why the last try failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Until when nobody shall try again, milliseconds since the epoch; at most 10 s ahead.
    pub until_ms: u64,
    /// The exit code to fail with.
    pub exit: u8,
    /// The stable code of the failure; no white space.
    pub code: String,
    /// What went wrong.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl Failure {
    /// The one line for stderr, without `jit: ` in front.
    pub fn line(&self) -> String {
        joined(&self.message, self.hint.as_deref())
    }
}

/// Message and command on one line: AWS tools show it as it is, and some deadlock on more.
pub fn joined(message: &str, hint: Option<&str>) -> String {
    match hint {
        Some(hint) => match hint.strip_prefix("try: ") {
            Some(command) => format!("{message}: run  {command}"),
            None => format!("{message}: {hint}"),
        },
        None => message.to_owned(),
    }
}

impl Cache {
    /// Remembers a failure. `write` forgets it; so must whatever makes another try worth while (a login).
    ///
    /// # Errors
    /// A refusal, or what the system said.
    pub fn remember_failure(&self, account: &Account, target: &str, failure: &Failure) -> Result<(), Problem> {
        let slot = self.slot_made(account, target)?;
        let Failure { until_ms, exit, .. } = failure;
        let (code, message) = (one_line(&failure.code), one_line(&failure.message));
        let hint = failure.hint.as_deref().map(one_line);
        let hint = hint.map_or_else(String::new, |hint| format!("{BETWEEN}{hint}"));
        let line = format!("{VERSION} {until_ms} {exit} {} {code} {message}{hint}\n", slot.whose);
        place(&slot.beside(FAILED), line.as_bytes())
    }

    /// The failure that is remembered at `now_ms`, if any. What cannot be read is no failure.
    pub fn failure(&self, account: &Account, target: &str, now_ms: u64) -> Option<Failure> {
        let slot = self.slot(account, target).ok()?;
        let line = String::from_utf8(guard::read(&slot.beside(FAILED)).ok()?).ok()?;
        let failure = parsed(line.strip_suffix('\n')?, &slot.whose)?;
        let is_current = failure.until_ms > now_ms && failure.until_ms - now_ms <= LONGEST_MS;
        is_current.then_some(failure)
    }

    /// Forgets what failed for all targets of an account.
    ///
    /// # Errors
    /// A refusal, or what the system said.
    pub fn forget_failures(&self, account: &Account) -> Result<(), Problem> {
        let folder = self.folder(account);
        for name in self.names(account)?.iter().filter(|name| name.ends_with(FAILED)) {
            gone(&folder.join(name))?;
        }
        Ok(())
    }
}

fn parsed(line: &str, whose: &str) -> Option<Failure> {
    let mut fields = line.splitn(6, ' ');
    if fields.next()? != VERSION {
        return None;
    }
    let until_ms = number(fields.next()?)?;
    let exit = u8::try_from(number(fields.next()?)?).ok()?;
    if fields.next()? != whose {
        return None;
    }
    let (code, said) = (fields.next()?, fields.next()?);
    let (message, hint) = match said.split_once(BETWEEN) {
        Some((message, hint)) => (message, Some(one_line(hint))),
        None => (said, None),
    };
    Some(Failure {
        until_ms,
        exit,
        code: one_line(code),
        message: one_line(message),
        hint,
    })
}

/// Part of a message may come from a backend: nothing in it ends the line or moves the cursor.
fn one_line(message: &str) -> String {
    let mut line = String::with_capacity(message.len());
    for c in message.chars() {
        // Bidi marks and their like are escaped by `escape_debug`, which knows what is printable.
        match c {
            '\'' | '"' | '\\' => line.push(c),
            _ => line.extend(c.escape_debug()),
        }
        if line.len() >= LONGEST_MESSAGE {
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_stays_one_harmless_line() {
        let line = one_line("a\n\u{1b}[2J\u{202e}b 'c' \\ é");
        assert_eq!(line, "a\\n\\u{1b}[2J\\u{202e}b 'c' \\ é");
        assert!(one_line(&"x".repeat(9000)).len() <= LONGEST_MESSAGE);
    }

    #[test]
    fn torn_failure_is_none() {
        let whole = "jit-failed/2 9 8 a/b/c backend.unreachable backend unreachable\ttry: jit doctor";
        let failure = parsed(whole, "a/b/c").unwrap();
        assert_eq!((failure.exit, failure.code.as_str()), (8, "backend.unreachable"));
        assert_eq!(failure.line(), "backend unreachable: run  jit doctor");
        assert_eq!(parsed(whole, "a/b/d"), None);
        for length in 0.."jit-failed/2 9 8 a/b/c backend.unreachable ".len() {
            assert_eq!(parsed(&whole[..length], "a/b/c"), None, "{length}");
        }
        assert_eq!(parsed("jit-failed/1 9 8 a/b/c backend unreachable", "a/b/c"), None);
        assert_eq!(parsed("jit-failed/2 9 256 a/b/c c x", "a/b/c"), None);
    }
}
