//! The AWS files of a person, and the one change that is made to them: profiles of ours come and go.
//! Owns replacing the configuration. Refuses files of others, files that are none, and to lose what somebody else
//! writes at the same time.

use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::account::Client;
use super::aws_config::{ConfigText, Edited, Warning};
use super::aws_profile::{Prefix, Profile, section};
use super::state::StateFolder;
use crate::domain::text::TargetName;
use crate::error::{Error, Exit, Result};

/// The AWS files of a person.
#[derive(Clone, Debug)]
pub struct AwsFiles {
    /// The configuration.
    pub config: PathBuf,
    credentials: PathBuf,
    state: StateFolder,
}

/// What is to be done to the configuration.
#[derive(Clone, Debug)]
pub enum Change {
    /// These profiles come.
    With(Vec<Profile>),
    /// Profiles of ours go: those of these targets, or all whose names begin so.
    Without(Prefix, Vec<TargetName>),
}

/// A change, made to the configuration as it stands.
#[derive(Clone, Debug)]
pub struct Edit {
    /// The lines that go and come, and the text after it.
    pub edited: Edited,
    /// What would keep a profile from working.
    pub warnings: Vec<Warning>,
    /// Names of the profiles that come or go.
    pub profiles: Vec<String>,
}

impl Edit {
    /// Whether anything is to be written.
    pub fn is_needed(&self) -> bool {
        !self.edited.lines.is_empty()
    }
}

impl AwsFiles {
    /// The profile for `target`: of those that setup wrote the one of the usual name, else the first; where it wrote
    /// none, one that somebody else made under the usual name.
    pub fn profile_of(&self, target: &TargetName) -> Option<String> {
        let text = ConfigText::read(&self.config).ok()?;
        let (index, usual) = (text.index(), Profile::name_of(target));
        let ours: Vec<&str> = index.profiles_for(target.as_str()).collect();
        match ours.first() {
            Some(first) if !ours.contains(&usual.as_str()) => Some((*first).to_owned()),
            Some(_) => Some(usual),
            None => index.has(&section(&usual)).then_some(usual),
        }
    }

    /// Whether setup wrote the profile `name`.
    pub fn is_ours(&self, name: &str) -> bool {
        let section = section(name);
        ConfigText::read(&self.config).is_ok_and(|text| text.index().ours().any(|ours| *ours == section))
    }

    /// The configuration with the change in it, not written yet.
    ///
    /// # Errors
    /// Exit 3 where the configuration cannot be read, or a profile of a name is not ours.
    pub fn edit(&self, change: &Change) -> Result<Edit> {
        let text = ConfigText::read(&self.config)?;
        match change {
            Change::With(profiles) => self.with(&text, profiles),
            Change::Without(prefix, targets) => Ok(self.without(&text, prefix, targets)),
        }
    }

    /// Makes the change to what stands there at that moment: a link is followed to its file, whose mode is kept.
    ///
    /// # Errors
    /// As `edit`; exit 3 where the file is not one that we may replace.
    pub fn write(&self, change: &Change) -> Result<Edit> {
        // two terminals at once: the second one reads what the first one wrote
        let held = self.state.lock()?;
        let place = Place::of(&self.config)?;
        let edit = self.edit(change)?;
        if edit.is_needed() {
            place
                .put(edit.edited.text.as_bytes())
                .map_err(|error| failed(&place.path, &error))?;
        }
        drop(held);
        Ok(edit)
    }

    fn with(&self, text: &ConfigText, profiles: &[Profile]) -> Result<Edit> {
        let wanted: Vec<_> = profiles.iter().map(Profile::wanted).collect();
        let credentials = ConfigText::read(&self.credentials)?;
        let (before, secrets) = (text.index(), credentials.index());
        let mut warnings: Vec<Warning> = before.repeated().map(|name| self.twice(name)).into_iter().collect();
        let mut warn = |file: &Path, section: &str, keys: Vec<&'static str>| {
            if !keys.is_empty() {
                let keys = keys.join(", ");
                warnings.push(Warning {
                    message: format!("{} has {keys} under [{section}]: they win over jit", file.display()),
                    mend: "remove them, or rename that profile".to_owned(),
                });
            }
        };
        for (profile, wanted) in profiles.iter().zip(&wanted) {
            warn(&self.config, &wanted.section, before.rivals(&wanted.section));
            warn(
                &self.credentials,
                &profile.name,
                secrets.rivals_and_process(&profile.name),
            );
        }
        Ok(Edit {
            edited: text.with(&wanted)?,
            warnings,
            profiles: profiles.iter().map(|profile| profile.name.clone()).collect(),
        })
    }

    /// The SDKs merge the two; botocore gives the file up.
    fn twice(&self, section: &str) -> Warning {
        Warning {
            message: format!(
                "{} has [{section}] twice: the aws CLI and boto3 read none of it",
                self.config.display()
            ),
            mend: "make one of both".to_owned(),
        }
    }

    fn without(&self, text: &ConfigText, prefix: &Prefix, targets: &[TargetName]) -> Edit {
        let named: Vec<String> = targets.iter().map(|target| section(&prefix.profile(target))).collect();
        let is_meant = |name: &str| match named.is_empty() {
            true => prefix.begins(name),
            false => named.iter().any(|named| named == name),
        };
        let index = text.index();
        let bare = |section: &String| section.trim_start_matches("profile ").to_owned();
        let foreign = named.iter().filter(|name| index.has_foreign(name)).map(bare);
        let warnings = foreign.map(|name| Warning {
            message: format!("profile {name} was not made by jit setup: left alone"),
            mend: format!("remove it from {} by hand", self.config.display()),
        });
        let warnings = warnings.collect();
        let profiles = index.ours().filter(|name| is_meant(name)).map(bare).collect();
        Edit {
            edited: text.without(is_meant),
            warnings,
            profiles,
        }
    }
}

/// Where the configuration is put: the file itself, behind whatever links there are.
struct Place {
    path: PathBuf,
    mode: u32,
}

impl Place {
    fn of(named: &Path) -> Result<Self> {
        let refused = |what: String, mend: String| {
            let error = Error::new(Exit::Configuration, "setup.refused", what);
            Err(error.hint(mend))
        };
        let path = match fs::canonicalize(named) {
            Ok(path) => path,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if fs::symlink_metadata(named).is_ok() {
                    let what = format!("{} is a link to nothing", named.display());
                    return refused(what, "make the file that it names, or remove the link".to_owned());
                }
                return Ok(Self {
                    path: named.to_owned(),
                    mode: 0o600,
                });
            }
            Err(error) => return Err(failed(named, &error)),
        };
        let shown = path.display();
        let metadata = fs::metadata(&path).map_err(|error| failed(&path, &error))?;
        let mode = metadata.permissions().mode() & 0o777;
        if !metadata.is_file() {
            let mend = "name a file: AWS_CONFIG_FILE".to_owned();
            return refused(format!("{shown} is no file"), mend);
        }
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            let mend = "have its owner do it, or name another file: AWS_CONFIG_FILE".to_owned();
            return refused(format!("{shown} belongs to uid {}, not to you", metadata.uid()), mend);
        }
        if mode & 0o200 == 0 {
            return refused(format!("{shown} is read-only"), format!("try: chmod u+w {shown}"));
        }
        Ok(Self { path, mode })
    }

    /// A new file beside it, flushed, then renamed: a full disk leaves the old one.
    fn put(&self, bytes: &[u8]) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut new = self.path.as_os_str().to_owned();
        new.push(format!(".jit.{}", std::process::id()));
        let new = PathBuf::from(new);
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(self.mode)
            .open(&new)
            .and_then(|mut file| {
                file.set_permissions(PermissionsExt::from_mode(self.mode))?;
                file.write_all(bytes)?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&new, &self.path))
            .and_then(|()| File::open(folder)?.sync_all());
        if written.is_err() {
            // the first error is the one to tell
            let _ = fs::remove_file(&new);
        }
        written
    }
}

impl ConfigText {
    /// The text of a file; a missing one is empty.
    ///
    /// # Errors
    /// Exit 3 where it cannot be read, and for a pipe, which would be waited for.
    pub(super) fn read(path: &Path) -> Result<Self> {
        if fs::metadata(path).is_ok_and(|file| file.file_type().is_fifo()) {
            return Err(failed(path, &"is no file"));
        }
        match fs::read(path) {
            Ok(bytes) => Ok(Self::new(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::new("")),
            Err(error) => Err(failed(path, &error)),
        }
    }
}

impl Client {
    /// The AWS files that the environment names.
    pub fn aws_files(&self) -> AwsFiles {
        AwsFiles {
            config: self.folders.aws_config.clone(),
            credentials: self.folders.aws_credentials.clone(),
            state: self.state.clone(),
        }
    }
}

fn failed(path: &Path, error: &impl Display) -> Error {
    Error::configuration(format!("{}: {error}", path.display())).hint("AWS_CONFIG_FILE can name another file")
}

#[cfg(test)]
mod tests;
