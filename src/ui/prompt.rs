//! Questions to a person.
//! Refuses to ask where nobody can answer: the caller says what to do instead.

use std::io::{self, BufRead, Write};

use dialoguer::console::Term;
use secrecy::SecretString;

use super::terminal::Ui;
use crate::domain::text::shown;
use crate::error::{Error, Exit, Result};

impl Ui {
    /// One line of text.
    ///
    /// # Errors
    /// Exit 2 at the end of the input, 130 at the interrupt key.
    pub fn ask(&self, question: &str) -> Result<String> {
        let mut stderr = io::stderr();
        // whoever closed stderr sees no question; the answer is still read
        let _ = write!(stderr, "{} ", shown(question)).and_then(|()| stderr.flush());
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(0) => Err(Error::usage("no answer")),
            Ok(_) => Ok(line.trim().to_owned()),
            Err(error) => Err(unanswered(&error)),
        }
    }

    /// One line that is not shown.
    ///
    /// # Errors
    /// As `ask`.
    pub fn ask_hidden(&self, question: &str) -> Result<SecretString> {
        let mut stderr = io::stderr();
        let _ = write!(stderr, "{} ", shown(question)).and_then(|()| stderr.flush());
        let line = Term::stderr().read_secure_line().map_err(|error| unanswered(&error))?;
        Ok(SecretString::from(line.trim().to_owned()))
    }
}

fn unanswered(error: &io::Error) -> Error {
    if error.kind() == io::ErrorKind::Interrupted {
        Error::new(Exit::Interrupted, "interrupted", "interrupted")
    } else {
        Error::usage(format!("no answer: {error}"))
    }
}
