//! `jit help`: the help of a verb, and of what is no verb: the environment.

use clap::Command;

use super::context::Ctx;
use crate::config::VARIABLES;
use crate::error::{Error, Result};

/// Show help for a verb or the environment
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit help environment")]
pub(super) struct Args {
    /// Verb, or environment
    #[arg(value_name = "VERB")]
    topic: Option<String>,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let mut command = super::Cli::whole();
    let text = match args.topic.as_deref() {
        None => command.render_long_help().to_string(),
        Some("environment") => environment(),
        Some(verb) => {
            find(&command, verb)?;
            let found = command.find_subcommand_mut(verb);
            found.map_or_else(String::new, |verb| verb.render_long_help().to_string())
        }
    };
    ctx.ui.raw(text.as_bytes())
}

/// The verb of this name.
pub(super) fn find<'a>(command: &'a Command, verb: &str) -> Result<&'a Command> {
    command
        .find_subcommand(verb)
        .ok_or_else(|| Error::usage(format!("no verb named {verb}")).try_("jit help"))
}

fn environment() -> String {
    let width = VARIABLES.iter().map(|v| v.name.len()).max().unwrap_or(0);
    let line = |v: &crate::config::Variable| format!("{:width$}  {}\n", v.name, v.about);
    VARIABLES.iter().map(line).collect()
}
