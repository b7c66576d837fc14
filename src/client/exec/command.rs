//! A command that works with a target's credentials: what its environment has and has not, and becoming it.
//! Owns the variables that are taken out. Refuses to put a secret on a command line.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command};

use secrecy::ExposeSecret;

use super::endpoint::Endpoint;
use crate::client::keys::Keys;
use crate::domain::text::TargetName;
use crate::error::{Error, Exit, Result};

/// Taken out of the environment of a command: each would win over its credentials, or mix with them.
pub const TAKEN_OUT: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ACCOUNT_ID",
    "AWS_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_CREDENTIAL_FILE",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_BEARER_TOKEN_BEDROCK",
];

/// Names the target to the command: for prompts and scripts.
pub const TARGET_VARIABLE: &str = "JIT_TARGET";

/// A command, its arguments, and the target whose credentials it gets.
#[derive(Debug)]
pub struct ChildCommand {
    name: OsString,
    command: Command,
}

impl ChildCommand {
    /// The command `name ARGS`, with nothing in its environment that would win over what it is given.
    pub fn new(name: OsString, args: &[OsString], target: &TargetName) -> Self {
        let mut command = Command::new(&name);
        command.args(args);
        for variable in TAKEN_OUT {
            command.env_remove(variable);
        }
        command.env(TARGET_VARIABLE, target.as_str());
        Self { name, command }
    }

    /// The same with these keys.
    #[must_use]
    pub fn with_keys(mut self, keys: &Keys) -> Self {
        for (name, value) in keys.variables() {
            self.command.env(name, value.expose_secret());
        }
        self.command.env("AWS_ACCOUNT_ID", &keys.account);
        self
    }

    /// The same, asking `endpoint` for keys.
    pub(super) fn asking(mut self, endpoint: &Endpoint, account: &str) -> Self {
        self.command
            .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", endpoint.uri())
            .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", endpoint.token().expose_secret())
            .env("AWS_ACCOUNT_ID", account);
        self
    }

    /// The same with further variables.
    pub(super) fn with_variables(mut self, variables: &[(&'static str, PathBuf)]) -> Self {
        for (name, value) in variables {
            self.command.env(name, value);
        }
        self
    }

    /// Starts the command beside this process, in its process group: a terminal's keys reach both.
    pub(super) fn spawn(mut self) -> Result<Child> {
        let spawned = self.command.spawn();
        spawned.map_err(|error| self.failed(&error))
    }

    /// Puts the command in the place of this very process: signals, terminal and exit code are its own.
    /// Comes back only where it cannot be run.
    pub fn replace_this_process(mut self) -> Error {
        let error = self.command.exec();
        self.failed(&error)
    }

    /// As a shell: 127 for what is not there, 126 for what cannot be run.
    fn failed(&self, error: &io::Error) -> Error {
        let name = self.name.to_string_lossy();
        if error.kind() == ErrorKind::NotFound {
            return Error::new(
                Exit::NoSuchCommand,
                "exec.not_found",
                format!("no command named {name}"),
            )
            .hint("check its name, or give its whole path");
        }
        let why = error.kind().to_string();
        Error::new(
            Exit::CannotRun,
            "exec.cannot_run",
            format!("{name} cannot be run: {why}"),
        )
        .hint("check that it is a program that you may execute")
    }
}
