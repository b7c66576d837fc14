//! The edge: clock, stdout and stderr of the hot path.
//! Owns what is printed and the exit code. Refuses to print anything beside it.

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::hit::Outcome;

/// Now, milliseconds since the epoch; 0 before it.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Prints an outcome and gives the exit code; `None` where the caller has to go on.
pub fn answer(outcome: &Outcome) -> Option<u8> {
    match outcome {
        Outcome::Print(json) => Some(print(json.as_bytes())),
        Outcome::Refuse { message, exit } => {
            complain(message);
            Some(*exit)
        }
        Outcome::Miss | Outcome::NotOurs => None,
    }
}

/// One line on stderr. Whoever closed it does not want to know.
pub fn complain(message: &str) {
    let _ = io::stderr().write_all(format!("jit: {message}\n").as_bytes());
}

fn print(bytes: &[u8]) -> u8 {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => 0,
        // A closed pipe is the reader's choice.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            complain(&format!("cannot write to stdout: {error}"));
            1
        }
    }
}
