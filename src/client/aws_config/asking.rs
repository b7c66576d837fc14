//! Whether the program of a profile files a request where nothing is live: the flags at the end of its line.
//! Owns that a profile keeps them until it is told otherwise. Refuses to read a line that runs something else.

use super::{Wanted, is_ours};

const ASKS: &str = " --request-on-miss";
const REASON: &str = " --reason ";

/// Whether a profile's program asks for access by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asking {
    /// As the profile has it; a new one does not.
    AsItIs,
    /// It does, with this reason, as one word of a command line; without one, with the reason that it has.
    Asks(Option<String>),
    /// It does not.
    AsksNot,
}

impl Wanted {
    /// The command of a profile whose command is `now`, or of a new one where that is empty.
    pub(in crate::client) fn beside(&self, now: &str) -> String {
        let (asks, reason) = asked(now);
        let (asks, reason) = match &self.asking {
            Asking::AsItIs => (asks, reason),
            Asking::Asks(own) => (true, own.as_deref().or(reason)),
            Asking::AsksNot => (false, None),
        };
        let mut command = self.command.clone();
        if asks {
            command.push_str(ASKS);
            command.extend(reason.map(|word| format!("{REASON}{word}")));
        }
        command
    }
}

/// Whether a command of ours asks, and its reason as it stands there.
fn asked(command: &str) -> (bool, Option<&str>) {
    if !is_ours(command) || !command.contains(ASKS) {
        return (false, None);
    }
    let word = command
        .split_once(REASON)
        .map(|(_, rest)| match rest.strip_prefix('"') {
            Some(quoted) => quoted.find('"').map_or(rest, |end| &rest[..end + 2]),
            None => rest.split(' ').next().unwrap_or_default(),
        });
    (true, word.filter(|word| !word.is_empty()))
}
