//! `jit completions`: the script that completes verbs and flags in a shell.

use clap::{CommandFactory, ValueEnum};
use clap_complete::generate;

use super::context::Ctx;
use crate::error::Result;

/// Print a shell's completion script
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit completions zsh > ~/.zfunc/_jit")]
pub(super) struct Args {
    /// Shell to print it for
    shell: Shell,
}

/// Shells that there is a script for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Shell {
    /// Bash
    Bash,
    /// Zsh
    Zsh,
    /// Fish
    Fish,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    ctx.ui.raw(&script(args.shell))
}

/// The script of a shell.
pub(super) fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    let mut command = super::Cli::command();
    let generator = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    generate(generator, &mut command, "jit", &mut script);
    script
}
