//! The text of an AWS configuration file with profiles of ours in it, and without them.
//! Owns the mark by which a section of ours is known. Refuses to change a section without it, or any byte of others.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::aws_text::{Section, comments, sections, settings};
use crate::error::{Error, Exit, Result};

/// Ways to get credentials that a profile may have beside ours, and that win over it or clash with it.
const RIVALS: &[&str] = &[
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "sso_session",
    "sso_start_url",
    "sso_account_id",
    "sso_role_name",
    "role_arn",
    "source_profile",
    "credential_source",
    "web_identity_token_file",
    "login_session",
];
/// What a profile of ours has.
const PROCESS: &str = "credential_process";

/// What we put between the text that was there and a section of ours. The mark in the section says which, so that it
/// can be taken away again to the byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    /// An empty line.
    Line,
    /// Nothing: the file was empty.
    None,
    /// An empty line, and before it the end of a line that had none.
    LineAndEnd,
}

impl Gap {
    const ALL: [Gap; 3] = [Self::Line, Self::None, Self::LineAndEnd];

    /// The comment in a section of ours.
    fn mark(self) -> &'static str {
        match self {
            Self::Line => "# written by jit setup",
            Self::None => "# written by jit setup, into an empty file",
            Self::LineAndEnd => "# written by jit setup, below a line that had no end",
        }
    }

    fn endings(self) -> usize {
        match self {
            Self::None => 0,
            Self::Line => 1,
            Self::LineAndEnd => 2,
        }
    }
}

/// An AWS configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigText(Vec<u8>);

/// A text after a change.
#[derive(Clone, Debug)]
pub struct Edited {
    /// The whole of it.
    pub text: ConfigText,
    /// The lines that went (`- `) and that came (`+ `).
    pub lines: Vec<String>,
}

/// A configuration whose sections are found by name.
pub struct Index<'a> {
    bytes: &'a [u8],
    sections: HashMap<String, Vec<Section>>,
}

/// A profile as it is to stand: its section and the command of its `credential_process`.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// `profile jit-prod-admin`.
    pub section: String,
    /// What it runs, without the flags by which it asks for access.
    pub command: String,
    /// Whether it does.
    pub asking: Asking,
}

/// What would keep a profile from working, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What is wrong.
    pub message: String,
    /// What mends it.
    pub mend: String,
}

impl ConfigText {
    /// The text as it was read.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The sections by name: most tools merge repeated ones.
    pub fn index(&self) -> Index<'_> {
        let mut by_name: HashMap<String, Vec<Section>> = HashMap::new();
        for section in sections(&self.0) {
            by_name.entry(section.name.clone()).or_default().push(section);
        }
        Index {
            bytes: &self.0,
            sections: by_name,
        }
    }

    /// The text in which each of these profiles runs its command.
    ///
    /// # Errors
    /// Exit 3 where a section of that name is not ours.
    pub fn with(&self, profiles: &[Wanted]) -> Result<Edited> {
        let index = self.index();
        let mut replaced: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
        let mut new = Vec::new();
        for wanted in profiles {
            match index.sections.get(&wanted.section) {
                None => new.push(wanted),
                Some(found) => replaced.extend(index.updated(found, wanted, self.line_ending())?),
            }
        }
        let mut edited = self.replaced(replaced);
        let end = self.line_ending();
        for wanted in new {
            let start = edited.text.0.len();
            append(&mut edited.text.0, wanted, end);
            edited.lines.extend(shown('+', &edited.text.0[start..]));
        }
        Ok(edited)
    }

    /// The text with other bytes in these places, which do not overlap.
    fn replaced(&self, mut places: Vec<(Range<usize>, Vec<u8>)>) -> Edited {
        places.sort_by_key(|(range, _)| (range.start, range.end));
        let (mut text, mut lines) = (Vec::with_capacity(self.0.len()), Vec::new());
        let mut at = 0;
        for (range, new) in places {
            text.extend_from_slice(&self.0[at..range.start]);
            text.extend_from_slice(&new);
            at = range.end;
            lines.extend(shown('-', &self.0[range]).chain(shown('+', &new)));
        }
        text.extend_from_slice(&self.0[at..]);
        Edited {
            text: Self(text),
            lines,
        }
    }

    /// The text without the lines by which sections of these names get credentials; none where there is no such line.
    pub fn without_credentials(&self, names: &[&str]) -> Option<Self> {
        let meant = sections(&self.0)
            .into_iter()
            .filter(|s| names.contains(&s.name.as_str()));
        let gone: Vec<Range<usize>> = meant
            .flat_map(|section| settings(&self.0, section.body))
            .filter(|setting| setting.key == PROCESS || RIVALS.contains(&setting.key.as_str()))
            .map(|setting| setting.whole)
            .collect();
        gone.first()?;
        Some(
            self.replaced(gone.into_iter().map(|range| (range, Vec::new())).collect())
                .text,
        )
    }

    fn line_ending(&self) -> &'static str {
        // below a lone `\r` nobody could tell a `\n` of ours from the other half of theirs
        if self.0.windows(2).any(|two| two == b"\r\n") || self.0.ends_with(b"\r") {
            "\r\n"
        } else {
            "\n"
        }
    }
}

impl Index<'_> {
    /// Whether there is a section of this name.
    pub fn has(&self, section: &str) -> bool {
        self.sections.contains_key(section)
    }

    /// The first section that stands there again, written the same way.
    pub fn repeated(&self) -> Option<&String> {
        let written = |section: &Section| self.bytes[section.header.clone()].split(|byte| *byte == b']').next();
        let again = |found: &[Section]| {
            let mut seen = HashSet::new();
            found
                .iter()
                .find(|section| !seen.insert(written(section)))
                .map(|section| section.header.start)
        };
        let all = self
            .sections
            .iter()
            .filter_map(|(name, found)| Some((again(found)?, name)));
        all.min().map(|(_, name)| name)
    }

    /// Whether a section of this name is there that is not ours.
    pub fn has_foreign(&self, section: &str) -> bool {
        let found = self.sections.get(section).into_iter().flatten();
        found.into_iter().any(|section| mark_of(self.bytes, section).is_none())
    }

    /// Keys of the section that would win over or clash with `credential_process`.
    pub fn rivals(&self, section: &str) -> Vec<&'static str> {
        let found = self.sections.get(section).into_iter().flatten();
        let keys: Vec<String> = found
            .flat_map(|section| settings(self.bytes, section.body.clone()))
            .map(|setting| setting.key)
            .collect();
        let has = |rival: &&&str| keys.iter().any(|key| key == **rival);
        RIVALS.iter().filter(has).copied().collect()
    }

    /// The same where `credential_process` itself would win: in the credentials file.
    pub fn rivals_and_process(&self, section: &str) -> Vec<&'static str> {
        let found = self.sections.get(section).into_iter().flatten();
        let mut all = found.flat_map(|section| settings(self.bytes, section.body.clone()));
        let has_process = all.any(|setting| setting.key == PROCESS);
        let mut keys = self.rivals(section);
        keys.extend(has_process.then_some(PROCESS));
        keys
    }

    /// Names of the sections of ours, in their order in the file.
    pub fn ours(&self) -> impl Iterator<Item = &String> {
        let all = self.sections.values().flatten();
        let mut ours: Vec<&Section> = all.filter(|section| mark_of(self.bytes, section).is_some()).collect();
        ours.sort_by_key(|section| section.header.start);
        ours.into_iter().map(|section| &section.name)
    }

    /// Names of the profiles of ours that give credentials of `target`, in their order in the file.
    pub fn profiles_for<'a>(&'a self, target: &'a str) -> impl Iterator<Item = &'a str> {
        let serves = move |section: &&String| {
            let found = self.sections.get(*section).into_iter().flatten();
            let mut all = found.flat_map(|section| settings(self.bytes, section.body.clone()));
            all.any(|setting| setting.key == PROCESS && target_of(&setting.value) == Some(target))
        };
        self.ours()
            .filter(serves)
            .filter_map(|name| name.strip_prefix("profile "))
    }

    /// What changes in sections of the wanted name: nothing, or one line.
    fn updated(&self, found: &[Section], wanted: &Wanted, end: &str) -> Result<Option<(Range<usize>, Vec<u8>)>> {
        let processes: Vec<_> = found
            .iter()
            .flat_map(|section| settings(self.bytes, section.body.clone()))
            .filter(|setting| setting.key == PROCESS)
            .collect();
        let command = wanted.beside(processes.first().map_or("", |setting| &setting.value));
        if !processes.is_empty() && processes.iter().all(|setting| setting.value == command) {
            return Ok(None);
        }
        let marks: Option<Vec<_>> = found.iter().map(|section| mark_of(self.bytes, section)).collect();
        let Some((_, mark)) = marks.as_ref().and_then(|marks| marks.first()) else {
            return Err(foreign(&wanted.section, "was not made by jit setup"));
        };
        if processes.iter().any(|setting| !is_ours(&setting.value)) {
            return Err(foreign(&wanted.section, "runs another program for credentials"));
        }
        let line = format!("{PROCESS} = {command}{end}").into_bytes();
        let place = processes
            .first()
            .map_or(mark.end..mark.end, |setting| setting.line.clone());
        Ok(Some((place, line)))
    }
}

/// The mark of a section of ours, and its line.
fn mark_of(bytes: &[u8], section: &Section) -> Option<(Gap, Range<usize>)> {
    comments(bytes, section.body.clone())
        .into_iter()
        .find_map(|(text, line)| {
            let gap = Gap::ALL.into_iter().find(|gap| gap.mark() == text)?;
            Some((gap, line))
        })
}

fn header(section: &str) -> String {
    format!("[{section}]")
}

fn append(text: &mut Vec<u8>, wanted: &Wanted, end: &str) {
    let gap = match text.as_slice() {
        [] => Gap::None,
        [.., b'\n'] => Gap::Line,
        [..] => Gap::LineAndEnd,
    };
    let command = wanted.beside("");
    let endings = end.repeat(gap.endings());
    let lines = [
        header(&wanted.section),
        gap.mark().to_owned(),
        format!("{PROCESS} = {command}"),
    ];
    text.extend_from_slice(endings.as_bytes());
    for line in lines {
        text.extend_from_slice(line.as_bytes());
        text.extend_from_slice(end.as_bytes());
    }
}

fn foreign(section: &str, what: &str) -> Error {
    let message = format!("[{section}] is there already and {what}");
    Error::new(Exit::Configuration, "setup.foreign", message)
        .hint("rename that profile, or choose names: --prefix NAME-")
}

/// Lines as a person is shown them.
fn shown(sign: char, bytes: &[u8]) -> impl Iterator<Item = String> {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<String> = text.lines().map(|line| format!("{sign} {line}")).collect();
    lines.into_iter()
}

/// The program of a `credential_process`, without its folder, and what stands behind it.
fn program_of(value: &str) -> (&str, &str) {
    let (program, rest) = match value.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"'),
        None => value.split_once(char::is_whitespace),
    }
    .unwrap_or((value, ""));
    (program.rsplit('/').next().unwrap_or_default(), rest)
}

/// Whether a `credential_process` runs jit.
fn is_ours(value: &str) -> bool {
    matches!(program_of(value).0, "jit-credential" | "jit")
}

/// Whose credentials a `credential_process` of ours gives.
fn target_of(value: &str) -> Option<&str> {
    let (program, rest) = program_of(value);
    let mut words = rest.split_whitespace();
    match program {
        "jit-credential" => words.next(),
        "jit" => words
            .next()
            .filter(|verb| *verb == "credential-process")
            .and(words.next()),
        _ => None,
    }
}

mod asking;
mod undo;

pub use asking::Asking;

#[cfg(test)]
mod tests;
