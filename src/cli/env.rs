//! `jit env`: a target's keys as lines for a shell, and when those keys die.

use std::collections::BTreeMap;

use secrecy::ExposeSecret;
use serde::Serialize;

use super::context::Ctx;
use super::shells::one_of;
use crate::client::Keys;
use crate::client::shell::{KEY_VARIABLES, RIVAL_VARIABLES, Shell, lines};
use crate::domain::text::TargetName;
use crate::domain::time::Timestamp;
use crate::error::Result;

/// Print a target's keys for a shell
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  eval \"$(jit env prod-admin)\"\n  jit env prod-admin --shell fish | source\n  eval \"$(jit env --unset)\""
)]
pub(super) struct Args {
    /// Whose keys
    #[arg(required_unless_present = "unset")]
    target: Option<String>,
    /// Shell to print lines for
    #[arg(long, value_name = "SHELL", value_parser = one_of(Shell::ALL))]
    shell: Option<Shell>,
    /// Print lines that take them away
    #[arg(long)]
    unset: bool,
}

#[derive(Serialize)]
struct Printed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a TargetName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    renews: Option<bool>,
    env: BTreeMap<&'a str, &'a str>,
    unset: &'a [&'a str],
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let shell = args.shell.unwrap_or_else(|| ctx.shell());
    let target = args.target.as_deref().map(TargetName::parse).transpose()?;
    match target.filter(|_| !args.unset) {
        Some(target) => {
            let client = ctx.client()?;
            let target = client.meant(target)?;
            let keys = client.keys(&target)?;
            print_keys(ctx, shell, &target, &keys)
        }
        None => print_unset(ctx, shell),
    }
}

fn print_keys(ctx: &Ctx, shell: Shell, target: &TargetName, keys: &Keys) -> Result<()> {
    let variables = keys.variables();
    if ctx.ui.is_json() {
        let printed = Printed {
            target: Some(target),
            account: Some(&keys.account),
            expires_at: Some(keys.expires_at),
            renews: Some(keys.renews),
            env: variables
                .iter()
                .map(|(name, value)| (*name, value.expose_secret()))
                .collect(),
            unset: &RIVAL_VARIABLES,
        };
        return ctx.ui.json("jit/env/1", &printed);
    }
    let text = lines(shell, &variables, &RIVAL_VARIABLES)?;
    ctx.ui.raw(text.expose_secret().as_bytes())?;
    warn_if_shown(ctx, shell, &format!("jit env {target}"));
    let words = ctx.words_at(ctx.clock.now());
    let (at, left) = (words.at(keys.expires_at), words.left(keys.expires_at));
    let renews = match keys.renews {
        true => format!("; jit exec {target} --refresh -- CMD does"),
        false => String::new(),
    };
    ctx.ui.note(&format!(
        "Keys of {target} die at {at} (in {left}); this shell renews none{renews}."
    ));
    Ok(())
}

fn print_unset(ctx: &Ctx, shell: Shell) -> Result<()> {
    if ctx.ui.is_json() {
        let printed = Printed {
            target: None,
            account: None,
            expires_at: None,
            renews: None,
            env: BTreeMap::new(),
            unset: &KEY_VARIABLES,
        };
        return ctx.ui.json("jit/env/1", &printed);
    }
    ctx.ui
        .raw(lines(shell, &[], &KEY_VARIABLES)?.expose_secret().as_bytes())?;
    warn_if_shown(ctx, shell, "jit env --unset");
    Ok(())
}

/// ` --shell NAME` where the command would not find that by itself.
fn shell_flag(ctx: &Ctx, shell: Shell) -> String {
    if ctx.shell() == shell {
        String::new()
    } else {
        format!(" --shell {}", shell.name())
    }
}

/// Lines on a terminal set nothing, and stay readable in its history.
fn warn_if_shown(ctx: &Ctx, shell: Shell, command: &str) {
    if ctx.ui.prints_to_terminal() {
        let command = format!("{command}{}", shell_flag(ctx, shell));
        ctx.ui.warn(
            "nothing is set: a shell has to evaluate these lines",
            &shell.evaluating(&command),
        );
    }
}
