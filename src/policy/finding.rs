//! What is wrong with a bundle, and where.
//! Refuses to print: whoever shows a finding decides how.

use std::fmt;
use std::ops::Range;

use crate::domain::text::shown;

/// Something that keeps a bundle from being loaded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Path inside the bundle.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Character in the line, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, message) = (shown(&self.file), shown(&self.message));
        write!(f, "{file}:{}:{}: {message}", self.line, self.column)?;
        match &self.hint {
            Some(hint) => write!(f, "; {}", shown(hint)),
            None => Ok(()),
        }
    }
}

/// A file of a bundle, as text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    /// Path inside the bundle.
    pub(super) file: &'a str,
    /// All of it.
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// Whether the file belongs to the security layer.
    pub(super) fn is_security(&self) -> bool {
        self.file.starts_with("security/")
    }

    /// A finding at the bytes `at` of this file.
    pub(super) fn finding(&self, at: Range<usize>, message: impl Into<String>) -> Finding {
        let mut end = at.start.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Finding {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: message.into(),
            hint: None,
        }
    }
}

impl Finding {
    /// The same with what to do about it.
    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A finding about a whole file.
    pub(super) fn of_file(file: &str, message: impl Into<String>) -> Self {
        Source { file, text: "" }.finding(0..0, message)
    }
}
