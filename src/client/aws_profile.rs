//! Profiles that use `credential_process`: their names and what they run.
//! Refuses names and paths that a shell would take apart.

use std::fs;
use std::path::{Path, PathBuf};

use hot::Account;

use super::aws_config::{Asking, Wanted};
use crate::domain::text::TargetName;
use crate::error::{Error, Result};

/// What every profile of ours begins with, where nothing else is chosen.
const PREFIX: &str = "jit-";
/// Longest beginning of a profile's name.
const LONGEST_PREFIX: usize = 40;

/// The beginning of profiles' names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

impl Default for Prefix {
    fn default() -> Self {
        Self(PREFIX.to_owned())
    }
}

impl Prefix {
    /// Reads one; an empty one gives profiles the targets' own names.
    ///
    /// # Errors
    /// Exit 2 for characters that are not plain everywhere.
    pub fn parse(text: &str) -> Result<Self> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if text.len() <= LONGEST_PREFIX && text.chars().all(is_plain) && !text.starts_with('-') {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::usage(format!("`{text}` cannot begin a profile's name")).hint("letters, digits, dot, _ and - only"))
    }

    /// The profile of a target.
    pub fn profile(&self, target: &TargetName) -> String {
        format!("{}{target}", self.0)
    }

    /// Whether a section of a configuration is a profile whose name begins so.
    pub(super) fn begins(&self, section: &str) -> bool {
        section
            .strip_prefix("profile ")
            .is_some_and(|name| name.starts_with(&self.0))
    }
}

/// A profile of ours.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its target.
    pub target: TargetName,
    /// Its name, as `aws --profile` takes it.
    pub name: String,
    /// What it runs.
    command: String,
    asking: Asking,
}

/// The program that a profile runs: the tiny helper beside this very program, else this one.
///
/// # Errors
/// Exit 1 where the system does not say which program runs.
pub fn own_program() -> Result<(PathBuf, bool)> {
    let own = std::env::current_exe()
        .and_then(|path| fs::canonicalize(&path))
        .map_err(|error| Error::unexpected(format!("no path of this program: {error}")))?;
    let helper = own.with_file_name("jit-credential");
    let is_there = helper.is_file();
    Ok((if is_there { helper } else { own }, is_there))
}

impl Profile {
    /// What the name of a profile of ours begins with, where no other prefix was chosen.
    pub const PREFIX: &str = PREFIX;

    /// The name, as `aws --profile` takes it, where no other prefix was chosen.
    pub fn name_of(target: &TargetName) -> String {
        Prefix::default().profile(target)
    }

    /// A profile of `target` for `account`, running `program`.
    ///
    /// # Errors
    /// Exit 3 where the path or the identity has characters that shells take apart.
    pub fn new(target: TargetName, account: &Account, program: &Path, is_helper: bool) -> Result<Self> {
        let program = program.to_str().unwrap_or_default();
        let verb = if is_helper { "" } else { "credential-process " };
        let command = format!(
            "{} {verb}{target} --server {} --identity {}",
            word(program).ok_or_else(|| unfit("the path of this program", program))?,
            word(account.origin().as_str()).ok_or_else(|| unfit("the server", account.origin().as_str()))?,
            // the name is the person's, as their identity provider has it
            word(account.identity()).ok_or_else(|| {
                unfit("the identity", account.identity())
                    .hint("sign in under a name of letters and digits: jit login --identity NAME")
            })?,
        );
        let name = Self::name_of(&target);
        Ok(Self {
            target,
            name,
            command,
            asking: Asking::AsItIs,
        })
    }

    /// The same, whose program files a request where nothing is live.
    ///
    /// # Errors
    /// Exit 2 for a reason that is none, 3 for one with characters that shells take apart.
    pub fn that_asks(mut self, reason: Option<&str>) -> Result<Self> {
        let reason = match reason {
            Some(reason) => {
                crate::domain::text::Reason::parse(reason)?;
                Some(word(reason).ok_or_else(|| unfit("the reason", reason))?)
            }
            None => None,
        };
        self.asking = Asking::Asks(reason);
        Ok(self)
    }

    /// The same, whose program files none, whatever the profile says so far.
    #[must_use]
    pub fn that_asks_no_more(mut self) -> Self {
        self.asking = Asking::AsksNot;
        self
    }

    /// The same under another name.
    #[must_use]
    pub fn named(mut self, prefix: &Prefix) -> Self {
        self.name = prefix.profile(&self.target);
        self
    }

    pub(super) fn wanted(&self) -> Wanted {
        Wanted {
            section: section(&self.name),
            command: self.command.clone(),
            asking: self.asking.clone(),
        }
    }
}

/// The section of a profile in the configuration.
pub(super) fn section(name: &str) -> String {
    format!("profile {name}")
}

fn unfit(what: &str, text: &str) -> Error {
    Error::configuration(format!("{what} cannot stand in an AWS profile: {text}"))
        .hint("letters, digits and @ . _ + - / : only")
}

/// `text` as botocore's splitter and every shell read it back; `None` where they differ.
fn word(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@._+-/:".contains(c);
    if text.is_empty() || text.starts_with('-') {
        None
    } else if text.chars().all(plain) {
        Some(text.to_owned())
    } else if text.chars().all(|c| plain(c) || " []".contains(c)) {
        Some(format!("\"{text}\""))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hot::Origin;

    fn account(identity: &str) -> Account {
        Account::new(Origin::parse("http://[::1]:7878").unwrap(), identity).unwrap()
    }

    fn profile(identity: &str, program: &str) -> Result<Profile> {
        let target = TargetName::parse("prod").unwrap();
        Profile::new(target, &account(identity), Path::new(program), true)
    }

    #[test]
    fn prefix_is_plain_or_nothing() {
        for fine in ["", "jit-", "a.b_C-9"] {
            assert!(Prefix::parse(fine).is_ok(), "{fine}");
        }
        for bad in ["-x", "a b", "a]", "é", "$x", &"x".repeat(41)] {
            assert_eq!(Prefix::parse(bad).unwrap_err().exit.code(), 2, "{bad}");
        }
        let prod = TargetName::parse("prod").unwrap();
        assert_eq!(Prefix::parse("x.").unwrap().profile(&prod), "x.prod");
        assert!(Prefix::default().begins("profile jit-prod") && !Prefix::default().begins("jit-prod"));
    }

    #[test]
    fn name_that_a_profile_cannot_hold_says_how_to_have_another() {
        let error = profile("Zoë O'Neil", "/x").err().unwrap();
        assert_eq!(error.message, "the identity cannot stand in an AWS profile: Zoë O'Neil");
        let hint = "sign in under a name of letters and digits: jit login --identity NAME";
        assert_eq!(error.hint.as_deref(), Some(hint));
    }

    #[test]
    fn command_is_one_that_every_splitter_reads() {
        assert_eq!(
            profile("alice", "/opt/my jit/jit-credential").unwrap().command,
            "\"/opt/my jit/jit-credential\" prod --server \"http://[::1]:7878\" --identity alice"
        );
    }

    #[test]
    fn reason_of_a_profile_is_one_word_to_every_splitter() {
        let asking = |reason| -> Result<String> {
            let wanted = profile("alice", "/b/jit")?.that_asks(reason)?.wanted();
            Ok(wanted.beside(""))
        };
        let plain = "/b/jit prod --server \"http://[::1]:7878\" --identity alice --request-on-miss";
        assert_eq!(asking(None).unwrap(), plain);
        assert_eq!(
            asking(Some("nightly report")).unwrap(),
            format!("{plain} --reason \"nightly report\"")
        );
        for (bad, exit) in [(" ", 2), ("$(touch x)", 3), ("a\"b", 3), ("--help", 3), ("it's", 3)] {
            let error: Error = asking(Some(bad)).unwrap_err();
            assert_eq!(error.exit.code(), exit, "{bad}");
        }
    }

    #[test]
    fn attack_16_identity_that_a_shell_would_run_is_refused() {
        for bad in ["$(touch x)", "a;b", "a\"b", "a`b`", "-x", "é"] {
            assert_eq!(profile(bad, "/b/jit").unwrap_err().exit.code(), 3, "{bad}");
        }
        assert!(profile("alice", "/b/$x/jit").is_err());
    }
}
