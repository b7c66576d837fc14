//! What the verbs for shells share: `--shell`, and which shell is meant without it.
//! Refuses to trust `$SHELL` where the shell around this command is known.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::context::Ctx;
use crate::client::shell::Shell;
use crate::config::parent_program;

/// Reads the name of one of `shells`.
pub(super) fn one_of(shells: &[Shell]) -> impl TypedValueParser<Value = Shell> + use<> {
    PossibleValuesParser::new(shells.iter().map(|shell| shell.name()))
        .map(|name| Shell::named(&name).unwrap_or(Shell::Sh))
}

impl Ctx {
    /// The shell that started this command, else the one of the log-in, else any.
    pub(super) fn shell(&self) -> Shell {
        let around = parent_program().and_then(|program| Shell::of_program(&program));
        let of_login = || Shell::of_program(&self.env.text("SHELL")?);
        around.or_else(of_login).unwrap_or(Shell::Sh)
    }
}
