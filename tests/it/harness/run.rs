//! What a finished program left: status, stdout, stderr. Must be looked at.

use std::fmt;

use serde_json::Value;

use super::redact::Redactions;

/// A program that has ended. Shown (`{run}`) with ids, times, ports and folders redacted, for snapshots.
#[must_use = "look at what the program did: snapshot it, or call exits()"]
#[derive(Clone, Debug)]
pub struct Run {
    /// The exit status, or none when a signal ended it.
    pub status: Option<i32>,
    /// Everything on stdout.
    pub stdout: String,
    /// Everything on stderr.
    pub stderr: String,
    /// What was run, for messages.
    pub command: String,
    pub(super) redactions: Redactions,
}

impl Run {
    /// Goes on only if the program ended with `status`.
    #[track_caller]
    pub fn exits(self, status: i32) -> Self {
        assert_eq!(
            self.status,
            Some(status),
            "{}\nstdout: {}\nstderr: {}",
            self.command,
            self.stdout,
            self.stderr
        );
        self
    }

    /// The one JSON object on stdout.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!(
                "{}: {error} in stdout: {}\nstderr: {}",
                self.command, self.stdout, self.stderr
            )
        })
    }

    /// The JSON objects on stdout, one a line.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error} in line: {line}", self.command))
        };
        self.stdout.lines().map(parse).collect()
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.map_or("signal".to_owned(), |status| status.to_string());
        writeln!(f, "exit: {status}")?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                write!(f, "--- {name}\n{}", self.redactions.apply(text))?;
                if !text.ends_with('\n') {
                    writeln!(f, "(no newline)")?;
                }
            }
        }
        Ok(())
    }
}
