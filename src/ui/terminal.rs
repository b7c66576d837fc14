//! stdout, stderr, width and colour.
//! Owns every write. Refuses unescaped text: `line` and `note` escape what moves a cursor.

use std::io::{self, IsTerminal, Write};

use dialoguer::console::Term;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::text::{shown, shown_json};
use crate::error::{Error, Result};

/// How data is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one object a command.
    Json,
}

/// When colour is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColourChoice {
    /// On a terminal, without `NO_COLOR`.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What colour marks: nothing but state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Green.
    Live,
    /// Yellow.
    Waiting,
    /// Red.
    Refused,
}

/// The terminal.
#[derive(Clone, Debug)]
pub struct Ui {
    format: Format,
    quiet: bool,
    no_input: bool,
    colour: ColourChoice,
    no_colour: bool,
}

impl Ui {
    /// The terminal as flags and environment want it.
    pub fn new(format: Format, quiet: bool, no_input: bool, colour: ColourChoice, no_colour: bool) -> Self {
        Self {
            format,
            quiet,
            no_input,
            colour,
            no_colour,
        }
    }

    /// Whether programs read the output.
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether a person can be asked.
    pub fn can_ask(&self) -> bool {
        !self.no_input && !self.is_json() && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Whether a person sees stdout, and no program reads it.
    pub fn prints_to_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Columns of stdout; no limit where it is no terminal.
    pub fn width(&self) -> usize {
        let columns = io::stdout()
            .is_terminal()
            .then(|| Term::stdout().size_checked())
            .flatten();
        columns.map_or(usize::MAX, |(_, columns)| usize::from(columns).max(40))
    }

    /// A line of data to stdout, escaped.
    ///
    /// # Errors
    /// A closed pipe, which is no failure, and a full disk, which is.
    pub fn line(&self, text: &str) -> Result<()> {
        self.raw(format!("{}\n", shown(text)).as_bytes())
    }

    /// A line of data to stdout of which the first word says a state.
    ///
    /// # Errors
    /// As `line`.
    pub fn marked(&self, state: State, text: &str) -> Result<()> {
        let text = shown(text);
        let line = match (self.has_colour(io::stdout().is_terminal()), text.split_once(' ')) {
            (true, Some((word, rest))) => format!("{} {rest}\n", painted(state, word)),
            (true, None) => format!("{}\n", painted(state, &text)),
            (false, _) => format!("{text}\n"),
        };
        self.raw(line.as_bytes())
    }

    /// Bytes to stdout as they are: generated scripts, the credential for AWS tools.
    ///
    /// # Errors
    /// As `line`.
    pub fn raw(&self, bytes: &[u8]) -> Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| {
            if error.kind() == io::ErrorKind::BrokenPipe {
                Error::closed_pipe()
            } else {
                Error::unexpected(format!("stdout: {error}"))
            }
        })
    }

    /// A line about what happens, for people, to stderr. Nothing with `-q` and `-o json`.
    pub fn note(&self, text: &str) {
        if !self.quiet && !self.is_json() {
            self.stderr(&shown(text));
        }
    }

    /// The same, its first word coloured by state.
    pub fn note_marked(&self, state: State, text: &str) {
        if self.quiet || self.is_json() {
            return;
        }
        let text = shown(text);
        match text.split_once(' ') {
            Some((word, rest)) if self.has_colour(io::stderr().is_terminal()) => {
                self.stderr(&format!("{} {rest}", painted(state, word)));
            }
            _ => self.stderr(&text),
        }
    }

    /// What must be read, with `-q` too, and what mends it.
    pub fn warn(&self, text: &str, mend: &str) {
        if !self.is_json() {
            self.stderr(&format!("jit: {}", shown(text)));
            self.stderr(&format!("  mend: {}", shown(mend)));
        }
    }

    /// One JSON object on one line, `schema` first.
    ///
    /// # Errors
    /// As `line`.
    pub fn json(&self, schema: &str, body: &impl Serialize) -> Result<()> {
        let mut object = Map::new();
        object.insert("schema".to_owned(), Value::from(schema));
        match serde_json::to_value(body).map_err(|error| Error::unexpected(error.to_string()))? {
            Value::Object(members) => object.extend(members),
            other => {
                object.insert("value".to_owned(), other);
            }
        }
        self.json_line(&Value::Object(object))
    }

    /// A value on one line, with what could move a cursor as JSON's own escapes.
    pub(super) fn json_line(&self, value: &Value) -> Result<()> {
        self.raw(format!("{}\n", shown_json(&value.to_string())).as_bytes())
    }

    pub(super) fn stderr(&self, line: &str) {
        // whoever closed stderr does not want to know
        let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
    }

    fn has_colour(&self, is_terminal: bool) -> bool {
        match self.colour {
            ColourChoice::Always => true,
            ColourChoice::Never => false,
            ColourChoice::Auto => is_terminal && !self.no_colour,
        }
    }
}

fn painted(state: State, word: &str) -> String {
    let code = match state {
        State::Live => 32,
        State::Waiting => 33,
        State::Refused => 31,
    };
    format!("\u{1b}[{code}m{word}\u{1b}[0m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_terminals_without_no_color() {
        let ui = |colour, no_colour| Ui::new(Format::Text, false, false, colour, no_colour);
        assert!(ui(ColourChoice::Auto, false).has_colour(true));
        assert!(!ui(ColourChoice::Auto, true).has_colour(true));
        assert!(!ui(ColourChoice::Auto, false).has_colour(false));
        assert!(ui(ColourChoice::Always, true).has_colour(false));
        assert!(!ui(ColourChoice::Never, false).has_colour(true));
    }
}
