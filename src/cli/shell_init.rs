//! `jit shell-init`: the script that a shell reads at its start: completion with names, `jit use`, what is live.
//! Refuses to ask anybody for it: it is the same without a network and without a session.

use std::collections::BTreeSet;

use clap::Command;

use super::context::Ctx;
use super::shells::one_of;
use crate::client::shell::{Init, Shell};
use crate::error::Result;

/// Print a script for your shell's start
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example (in ~/.bashrc, ~/.zshrc, ~/.config/fish/config.fish):\n  eval \"$(jit shell-init bash)\"\n  eval \"$(jit shell-init zsh)\"\n  jit shell-init fish | source"
)]
pub(super) struct Args {
    /// Shell to print it for
    #[arg(value_parser = one_of(Shell::STARTING))]
    shell: Shell,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let (live, targets) = ctx.client()?.shell_files();
    let mut command = super::Cli::whole();
    let (verbs, flags) = (verbs(&command), flags(&command));
    let init = Init {
        live: &live,
        targets: &targets,
        verbs: &verbs,
        flags: &flags,
    };
    let script = init.script(args.shell, &completion(args.shell, &mut command))?;
    ctx.ui.raw(script.as_bytes())?;
    if ctx.ui.prints_to_terminal() {
        let how = args.shell.evaluating(&format!("jit shell-init {}", args.shell.name()));
        ctx.ui.warn(
            "nothing is set: this belongs into the file that your shell reads at its start",
            &how,
        );
    }
    Ok(())
}

/// The script that clap makes.
fn completion(shell: Shell, command: &mut Command) -> String {
    let mut script = Vec::new();
    let mut of = |generator| clap_complete::generate(generator, command, "jit", &mut script);
    match shell {
        Shell::Zsh => of(clap_complete::Shell::Zsh),
        Shell::Fish => of(clap_complete::Shell::Fish),
        Shell::Elvish => of(clap_complete::Shell::Elvish),
        Shell::Pwsh => of(clap_complete::Shell::PowerShell),
        Shell::Nu => {
            let mut script = Vec::new();
            clap_complete::generate(clap_complete_nushell::Nushell, command, "jit", &mut script);
            return String::from_utf8_lossy(&script).into_owned();
        }
        Shell::Bash | Shell::Sh | Shell::Cmd | Shell::Dotenv => of(clap_complete::Shell::Bash),
    }
    String::from_utf8_lossy(&script).into_owned()
}

/// Verbs whose argument is a target, or a request that a target's name can stand for.
fn verbs(command: &Command) -> Vec<String> {
    let takes_name = |verb: &&Command| {
        let mut positionals = verb.get_positionals();
        positionals.any(|arg| ["target", "targets", "request"].contains(&arg.get_id().as_str()))
    };
    let verbs = command.get_subcommands().filter(takes_name);
    verbs.map(|verb| verb.get_name().to_owned()).collect()
}

/// Every flag of any verb that takes a value, long and short.
fn flags(command: &Command) -> Vec<String> {
    let all = command.get_subcommands().chain([command]).flat_map(Command::get_opts);
    let names = all.filter(|arg| arg.get_action().takes_values()).flat_map(|arg| {
        let long = arg.get_long().map(|name| format!("--{name}"));
        let short = arg.get_short().map(|name| format!("-{name}"));
        long.into_iter().chain(short)
    });
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_that_take_a_target_are_found_by_their_argument() {
        let command = super::super::Cli::whole();
        let verbs = verbs(&command);
        for verb in ["request", "drop", "env", "use", "setup", "status", "credential-process"] {
            assert!(verbs.iter().any(|known| known == verb), "{verb}");
        }
        assert!(
            !verbs.iter().any(|known| known == "login" || known == "revoke"),
            "{verbs:?}"
        );
        let flags = flags(&command);
        assert!(flags.iter().any(|flag| flag == "--for") && flags.iter().any(|flag| flag == "-o"));
        assert!(!flags.iter().any(|flag| flag == "--no-input"));
    }
}
