//! The text of an AWS configuration file: finds a section, sets one key, leaves every other byte as it is.
//! Refuses a section whose `credential_process` is somebody else's.

use crate::error::{Error, Exit, Result};

/// Ways to get credentials that a profile may have beside ours, and that win over it or clash with it.
const RIVALS: &[&str] = &[
    "aws_access_key_id",
    "aws_secret_access_key",
    "sso_session",
    "sso_start_url",
    "sso_account_id",
    "sso_role_name",
    "role_arn",
    "source_profile",
    "web_identity_token_file",
];

/// An AWS configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigText(String);

/// What setting a profile did to the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing: it was so already.
    None,
    /// The whole text as it is to be.
    To(ConfigText),
}

/// What would keep a profile from working, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What is wrong.
    pub message: String,
    /// What mends it.
    pub mend: String,
}

/// Where a section's lines lie.
struct Section {
    /// Byte range of its lines without the header.
    body: std::ops::Range<usize>,
}

impl ConfigText {
    /// The text as it was read.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is a section of this name.
    pub fn has_section(&self, section: &str) -> bool {
        !self.sections(section).is_empty()
    }

    /// Keys of the section that would win over or clash with `credential_process`.
    pub fn rivals(&self, section: &str) -> Vec<&'static str> {
        let has = |key: &&&str| self.sections(section).iter().any(|s| self.value(s, key).is_some());
        RIVALS.iter().filter(has).copied().collect()
    }

    /// The text in which the section's `credential_process` is `command`.
    ///
    /// # Errors
    /// Exit 3 where the section has one that runs another program.
    pub fn with_process(&self, section: &str, command: &str) -> Result<Change> {
        let sections = self.sections(section);
        let Some(first) = sections.first() else {
            return Ok(Change::To(self.appended(section, command)));
        };
        let owner = sections
            .iter()
            .find_map(|s| self.value(s, "credential_process").map(|line| (s, line)));
        let line = format!("credential_process = {command}{}", self.line_ending());
        let replaced = match owner {
            None => first.body.start..first.body.start,
            Some((_, range)) => {
                let value = self.0[range.clone()].split_once('=').map_or("", |(_, v)| v).trim();
                if value == command {
                    return Ok(Change::None);
                }
                if !is_ours(value) {
                    let message = format!("[{section}] has a credential_process that is not jit's");
                    return Err(Error::new(Exit::Configuration, "setup.foreign", message)
                        .hint("rename that profile or remove the line, then try again"));
                }
                range
            }
        };
        let (before, after) = (&self.0[..replaced.start], &self.0[replaced.end..]);
        // a header that ends the file without a newline
        let gap = if before.is_empty() || before.ends_with('\n') {
            ""
        } else {
            self.line_ending()
        };
        Ok(Change::To(Self(format!("{before}{gap}{line}{after}"))))
    }

    fn appended(&self, section: &str, command: &str) -> Self {
        let end = self.line_ending();
        let gap = match self.0.as_str() {
            "" => String::new(),
            text if text.ends_with('\n') => end.to_owned(),
            _ => format!("{end}{end}"),
        };
        Self(format!(
            "{}{gap}[{section}]{end}credential_process = {command}{end}",
            self.0
        ))
    }

    fn line_ending(&self) -> &'static str {
        if self.0.contains("\r\n") { "\r\n" } else { "\n" }
    }

    /// Every section of this name: the tools merge repeated ones.
    fn sections(&self, name: &str) -> Vec<Section> {
        let mut found = Vec::new();
        let mut open: Option<usize> = None;
        let mut at = 0;
        for line in self.0.split_inclusive('\n') {
            if let Some(header) = header(line) {
                if let Some(start) = open.take() {
                    found.push(Section { body: start..at });
                }
                if header == name {
                    open = Some(at + line.len());
                }
            }
            at += line.len();
        }
        if let Some(start) = open {
            found.push(Section { body: start..at });
        }
        found
    }

    /// Byte range of the line that sets `key`, its ending included; nested values are none of ours.
    fn value(&self, section: &Section, key: &str) -> Option<std::ops::Range<usize>> {
        let mut at = section.body.start;
        for line in self.0[section.body.clone()].split_inclusive('\n') {
            let is_nested = line.starts_with([' ', '\t']);
            let name = line.split_once('=').map(|(name, _)| name.trim());
            if !is_nested && name.is_some_and(|name| name.eq_ignore_ascii_case(key)) {
                return Some(at..at + line.len());
            }
            at += line.len();
        }
        None
    }
}

/// The name in `[name]`, with runs of white space as one space.
fn header(line: &str) -> Option<String> {
    let inner = line.trim_start().strip_prefix('[')?.split_once(']')?.0;
    let words: Vec<&str> = inner.split_whitespace().collect();
    Some(words.join(" ").replace('"', ""))
}

/// Whether a `credential_process` runs jit.
fn is_ours(value: &str) -> bool {
    let program = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => value.split_whitespace().next(),
    };
    let name = program.unwrap_or_default().rsplit('/').next().unwrap_or_default();
    name == "jit-credential" || name == "jit"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECTION: &str = "profile jit-prod";
    const COMMAND: &str = "/usr/bin/jit-credential prod --server https://h --identity a";

    fn set(text: &str) -> String {
        match ConfigText::new(text).with_process(SECTION, COMMAND).unwrap() {
            Change::None => text.to_owned(),
            Change::To(new) => new.0,
        }
    }

    #[test]
    fn new_profile_is_appended_after_a_blank_line() {
        let ours = format!("[{SECTION}]\ncredential_process = {COMMAND}\n");
        assert_eq!(set(""), ours);
        assert_eq!(
            set("[default]\nregion = x\n"),
            format!("[default]\nregion = x\n\n{ours}")
        );
        assert_eq!(set("[default]"), format!("[default]\n\n{ours}"));
    }

    #[test]
    fn existing_profile_keeps_its_other_lines() {
        let text = "# mine\n[profile   jit-prod]  # c\nregion = x\ncredential_process = /o/jit credential-process prod\noutput=json\n[other]\n";
        let expected = format!(
            "# mine\n[profile   jit-prod]  # c\nregion = x\ncredential_process = {COMMAND}\noutput=json\n[other]\n"
        );
        assert_eq!(set(text), expected);
        assert_eq!(set(&expected), expected);
        assert_eq!(
            set("[profile jit-prod]\nregion = x\n"),
            format!("[profile jit-prod]\ncredential_process = {COMMAND}\nregion = x\n")
        );
    }

    #[test]
    fn windows_line_endings_are_kept() {
        assert_eq!(
            set("[a]\r\nb = c\r\n"),
            format!("[a]\r\nb = c\r\n\r\n[{SECTION}]\r\ncredential_process = {COMMAND}\r\n")
        );
    }

    #[test]
    fn process_of_somebody_else_is_left_alone() {
        let text = ConfigText::new("[profile jit-prod]\ncredential_process = /opt/granted --x\n");
        assert_eq!(text.with_process(SECTION, COMMAND).unwrap_err().exit.code(), 3);
    }

    #[test]
    fn rivals_of_a_profile_are_named() {
        let text = ConfigText::new("[profile jit-prod]\nSSO_Session = x\ns3 =\n  role_arn = y\n[b]\nrole_arn = z\n");
        assert_eq!(text.rivals(SECTION), ["sso_session"]);
    }

    proptest! {
        #[test]
        fn bytes_that_are_not_ours_are_kept(lines in proptest::collection::vec(
            prop_oneof![
                Just("[profile jit-prod]".to_owned()), Just("[default]".to_owned()), Just("  nested = 1".to_owned()),
                Just("credential_process = /x/jit prod".to_owned()), "[a-z_]{1,8} = [ -~]{0,12}", "[#;][ -~]{0,12}", Just(String::new()),
            ], 0..12), crlf in any::<bool>(), ends in any::<bool>()) {
            let end = if crlf { "\r\n" } else { "\n" };
            let mut text = lines.join(end);
            if ends { text.push_str(end); }
            let new = set(&text);
            let ours = |line: &&str| !line.trim_start().starts_with("credential_process") && !line.trim().is_empty();
            let old_lines: Vec<&str> = text.lines().filter(ours).collect();
            let mut new_lines: Vec<&str> = new.lines().filter(ours).collect();
            if new_lines.len() > old_lines.len() { prop_assert_eq!(new_lines.pop(), Some("[profile jit-prod]")); }
            prop_assert_eq!(old_lines, new_lines);
            prop_assert_eq!(set(&new), new.clone());
            let line = format!("credential_process = {}", COMMAND);
            prop_assert!(new.contains(&line));
        }
    }
}
