//! What `[default]` of a person's AWS files says of credentials, hidden from a command that asks an endpoint: AWS tools
//! look there first, so it would run as somebody else without a word.
//! Owns the copy of the configuration that the command reads instead. Refuses to touch the person's own files.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, test_kill_process};

use crate::client::account::Client;
use crate::client::aws_config::ConfigText;
use crate::client::state::StateFolder;
use crate::error::Result;

/// Names of the section that a tool reads where no profile is named.
const DEFAULT: [&str; 2] = ["default", "profile default"];
/// Names of the copies begin and end so; between stands the process that made one.
const NAME: (&str, &str) = ("exec-", ".config");

/// What the command reads instead, as variables. The copy goes when this is dropped.
pub(super) struct Hidden {
    variables: Vec<(&'static str, PathBuf)>,
    copy: Option<PathBuf>,
}

impl Hidden {
    /// Variables for the command.
    pub(super) fn variables(&self) -> &[(&'static str, PathBuf)] {
        &self.variables
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(copy) = &self.copy {
            // whoever runs a command next sweeps it away
            let _ = fs::remove_file(copy);
        }
    }
}

impl Client {
    /// Hides what stands in the way, if anything does.
    pub(super) fn hidden_defaults(&self) -> Result<Hidden> {
        let mut hidden = Hidden {
            variables: Vec::new(),
            copy: None,
        };
        let credentials = ConfigText::read(&self.folders.aws_credentials)?;
        if credentials.without_credentials(&DEFAULT).is_some() {
            // not a copy: there would be secrets in it
            hidden
                .variables
                .push(("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".into()));
        }
        if let Some(config) = ConfigText::read(&self.folders.aws_config)?.without_credentials(&DEFAULT) {
            let copy = placed(&self.state, &config)?;
            hidden.variables.push(("AWS_CONFIG_FILE", copy.clone()));
            hidden.copy = Some(copy);
        }
        Ok(hidden)
    }
}

fn placed(state: &StateFolder, config: &ConfigText) -> Result<PathBuf> {
    let held = state.lock()?;
    sweep(state.path());
    let name = format!("{}{}{}", NAME.0, std::process::id(), NAME.1);
    state.write(&name, config.as_bytes(), &held)?;
    Ok(state.path().join(name))
}

/// Takes away what a `jit` left that was killed.
fn sweep(folder: &Path) {
    let Ok(files) = fs::read_dir(folder) else { return };
    for file in files.flatten() {
        let name = file.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix(NAME.0)?.strip_suffix(NAME.1)?.parse().ok());
        let is_gone = |pid| test_kill_process(pid) == Err(rustix::io::Errno::SRCH);
        if number.and_then(Pid::from_raw).is_some_and(is_gone) {
            // another one may have been faster
            let _ = fs::remove_file(file.path());
        }
    }
}
