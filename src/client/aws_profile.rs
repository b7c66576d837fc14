//! Profiles that use `credential_process`: what they say, and the file they are written to.
//! Owns reading and replacing that file. Refuses names and paths that a shell would take apart.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hot::Account;

use super::account::Client;
use super::aws_config::{Change, ConfigText, Warning};
use crate::domain::text::TargetName;
use crate::error::{Error, Exit, Result};

/// What every profile of ours begins with.
const PREFIX: &str = "jit-";

/// A profile of ours.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its target.
    pub target: TargetName,
    /// What it runs.
    command: String,
}

/// The AWS files of a person.
#[derive(Clone, Debug)]
pub struct AwsFiles {
    /// The configuration.
    pub config: PathBuf,
    credentials: PathBuf,
}

/// A file before and after.
#[derive(Clone, Debug)]
pub struct Edit {
    /// As it is.
    pub before: ConfigText,
    /// As it is to be.
    pub after: ConfigText,
    /// What would keep a profile from working.
    pub warnings: Vec<Warning>,
}

impl Edit {
    /// Whether anything is to be written.
    pub fn is_needed(&self) -> bool {
        self.before != self.after
    }
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
    /// The name, as `aws --profile` takes it.
    pub fn name_of(target: &TargetName) -> String {
        format!("{PREFIX}{target}")
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
            word(account.identity()).ok_or_else(|| unfit("the identity", account.identity()))?,
        );
        Ok(Self { target, command })
    }

    /// The same, whose program files a request where nothing is live.
    ///
    /// # Errors
    /// Exit 2 for a reason that is none, 3 for one with characters that shells take apart.
    pub fn that_asks(mut self, reason: Option<&str>) -> Result<Self> {
        self.command.push_str(" --request-on-miss");
        if let Some(reason) = reason {
            crate::domain::text::Reason::parse(reason)?;
            let word = word(reason).ok_or_else(|| unfit("the reason", reason))?;
            self.command.push_str(&format!(" --reason {word}"));
        }
        Ok(self)
    }

    fn section(&self) -> String {
        format!("profile {}", Self::name_of(&self.target))
    }
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

impl AwsFiles {
    /// What the configuration says now.
    ///
    /// # Errors
    /// Exit 3 where it cannot be read.
    pub fn text(&self) -> Result<ConfigText> {
        read(&self.config)
    }

    /// Whether there is a profile of ours for `target`.
    pub fn has_profile(&self, target: &TargetName) -> bool {
        let section = format!("profile {}", Profile::name_of(target));
        self.text().is_ok_and(|text| text.has_section(&section))
    }

    /// The configuration with `profiles` in it, not written yet.
    ///
    /// # Errors
    /// Exit 3 where a profile of that name is somebody else's.
    pub fn with(&self, profiles: &[Profile]) -> Result<Edit> {
        let before = self.text()?;
        let credentials = read(&self.credentials)?;
        let mut after = before.clone();
        let mut warnings = Vec::new();
        for profile in profiles {
            let section = profile.section();
            if let Change::To(text) = after.with_process(&section, &profile.command)? {
                after = text;
            }
            let name = Profile::name_of(&profile.target);
            let mut warn = |file: &Path, section: &str, keys: &[&str]| {
                if !keys.is_empty() {
                    warnings.push(Warning {
                        message: format!(
                            "{} has {} under [{section}]: they win over jit",
                            file.display(),
                            keys.join(", ")
                        ),
                        mend: "remove them, or rename that profile".to_owned(),
                    });
                }
            };
            warn(&self.config, &section, &before.rivals(&section));
            warn(&self.credentials, &name, &credentials.rivals(&name));
        }
        Ok(Edit {
            before,
            after,
            warnings,
        })
    }

    /// Puts the new text in place: a link is followed to its file, whose mode is kept.
    ///
    /// # Errors
    /// Exit 3 where the file changed meanwhile or cannot be written.
    pub fn write(&self, edit: &Edit) -> Result<()> {
        if self.text()? != edit.before {
            return Err(Error::new(
                Exit::Configuration,
                "setup.raced",
                format!("{} changed meanwhile", self.config.display()),
            )
            .try_("jit setup"));
        }
        let path = fs::canonicalize(&self.config).unwrap_or_else(|_| self.config.clone());
        self.place(&path, edit.after.as_str().as_bytes())
            .map_err(|error| failed(&path, &error))
    }

    fn place(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mode = fs::metadata(path).map_or(0o600, |metadata| metadata.permissions().mode() & 0o777);
        let mut new = path.as_os_str().to_owned();
        new.push(format!(".jit.{}", std::process::id()));
        let new = PathBuf::from(new);
        let written = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&new)
            .and_then(|mut file| {
                file.set_permissions(PermissionsExt::from_mode(mode))?;
                file.write_all(bytes)?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&new, path));
        if written.is_err() {
            // the first error is the one to tell
            let _ = fs::remove_file(&new);
        }
        written
    }
}

impl Client {
    /// The AWS files that the environment names.
    pub fn aws_files(&self) -> AwsFiles {
        AwsFiles {
            config: self.folders.aws_config.clone(),
            credentials: self.folders.aws_credentials.clone(),
        }
    }
}

fn read(path: &Path) -> Result<ConfigText> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(ConfigText::new(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(ConfigText::new("")),
        Err(error) => Err(failed(path, &error)),
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::configuration(format!("{}: {error}", path.display())).hint("AWS_CONFIG_FILE can name another file")
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
    fn command_is_one_that_every_splitter_reads() {
        assert_eq!(
            profile("alice", "/opt/my jit/jit-credential").unwrap().command,
            "\"/opt/my jit/jit-credential\" prod --server \"http://[::1]:7878\" --identity alice"
        );
    }

    #[test]
    fn reason_of_a_profile_is_one_word_to_every_splitter() {
        let asking = |reason| -> Result<String> { Ok(profile("alice", "/b/jit")?.that_asks(reason)?.command) };
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

    #[test]
    fn file_keeps_its_mode_and_its_link() {
        let temp = tempfile::tempdir().unwrap();
        let (real, link) = (temp.path().join("real"), temp.path().join("config"));
        fs::write(&real, "[default]\n").unwrap();
        fs::set_permissions(&real, PermissionsExt::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let files = AwsFiles {
            config: link.clone(),
            credentials: temp.path().join("none"),
        };
        let edit = files.with(&[profile("alice", "/b/jit-credential").unwrap()]).unwrap();
        files.write(&edit).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(files.has_profile(&TargetName::parse("prod").unwrap()));
        assert!(
            !files
                .with(&[profile("alice", "/b/jit-credential").unwrap()])
                .unwrap()
                .is_needed()
        );
    }

    #[test]
    fn static_keys_of_the_profile_are_warned_about() {
        let temp = tempfile::tempdir().unwrap();
        let credentials = temp.path().join("credentials");
        fs::write(&credentials, "[jit-prod]\naws_access_key_id = x\n").unwrap();
        let files = AwsFiles {
            config: temp.path().join("config"),
            credentials,
        };
        let edit = files.with(&[profile("alice", "/b/jit-credential").unwrap()]).unwrap();
        assert_eq!(edit.warnings.len(), 1);
        assert!(edit.warnings[0].message.contains("aws_access_key_id"));
    }
}
