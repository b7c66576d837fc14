//! `jit man`: manual pages, made from the same definitions as the help.
//! Owns the sections that the help does not have: exit codes and environment.

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::context::Ctx;
use super::help::find;
use crate::config::VARIABLES;
use crate::error::{Error, Exit, Result};

/// Print a manual page
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit man request | man -l -")]
pub(super) struct Args {
    /// Verb to print the page of
    verb: Option<String>,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let command = super::Cli::command();
    let command = match &args.verb {
        Some(verb) => find(&command, verb)?.clone(),
        None => command,
    };
    let page = page(command).map_err(|error| Error::unexpected(error.to_string()))?;
    ctx.ui.raw(&page)
}

/// The page of `jit` itself, or of one of its verbs.
pub(super) fn page(command: Command) -> std::io::Result<Vec<u8>> {
    let is_top = command.get_name() == "jit";
    let name = if is_top {
        "jit".to_owned()
    } else {
        format!("jit-{}", command.get_name())
    };
    let mut built = command.clone().disable_help_subcommand(true);
    built.build();
    let parts: Vec<Command> = built.get_subcommands().cloned().collect();
    let command = command
        .display_name(&name)
        .bin_name(&name)
        .disable_help_flag(true)
        .version(env!("CARGO_PKG_VERSION"));
    let man = Man::new(command).title(name).manual("jit manual");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if is_top {
        man.render_subcommands_section(&mut page)?;
    } else if !parts.is_empty() {
        commands(&parts).to_writer(&mut page)?;
    }
    exit_codes().to_writer(&mut page)?;
    if is_top {
        environment().to_writer(&mut page)?;
    }
    man.render_extra_section(&mut page)?;
    Ok(page)
}

/// The commands of a verb that has some, each with its own options.
fn commands(parts: &[Command]) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    for part in parts {
        roff.control("TP", []);
        let usage = part.clone().render_usage().to_string();
        roff.text([bold(usage.replace("Usage: ", "jit "))]);
        roff.text([roman(part.get_about().map(ToString::to_string).unwrap_or_default())]);
        roff.control("RS", []);
        let is_own = |arg: &&clap::Arg| !arg.is_global_set() && arg.get_id() != "help";
        for arg in part.get_arguments().filter(is_own) {
            roff.control("TP", []);
            roff.text([bold(arg.to_string())]);
            roff.text([roman(arg.get_help().map(ToString::to_string).unwrap_or_default())]);
        }
        roff.control("RE", []);
    }
    roff
}

fn exit_codes() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (exit, meaning) in Exit::ALL {
        roff.control("TP", []);
        roff.text([bold(exit.code().to_string())]);
        roff.text([roman(*meaning)]);
    }
    roff
}

fn environment() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["ENVIRONMENT"]);
    for variable in VARIABLES {
        roff.control("TP", []);
        roff.text([bold(variable.name)]);
        roff.text([roman(variable.about)]);
    }
    roff
}
