//! `jit use`: the profile of a target for this shell. A program cannot change the shell that started it: it prints lines,
//! and the function that `jit shell-init` defines evaluates them.

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::context::Ctx;
use super::shells::one_of;
use crate::client::Profile;
use crate::client::shell::{KEY_VARIABLES, RIVAL_VARIABLES, Shell, lines};
use crate::domain::text::TargetName;
use crate::error::{Error, Exit, Result};

/// Use a target's profile in this shell
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit use prod-admin\n  jit use -\n  eval \"$(jit use prod-admin)\"   (without jit shell-init)"
)]
pub(super) struct Args {
    /// Whose profile; - goes back
    #[arg(required_unless_present = "none")]
    target: Option<String>,
    /// Go back to the profile before
    #[arg(long, visible_alias = "unset", conflicts_with = "target")]
    none: bool,
    /// Shell to print lines for
    #[arg(long, value_name = "SHELL", value_parser = one_of(Shell::EVALUATING))]
    shell: Option<Shell>,
    /// Say nothing about evaluating
    #[arg(long, hide = true)]
    hook: bool,
}

/// Which profile stood there before the first `jit use`.
const BEFORE: &str = "_JIT_PROFILE_BEFORE";
const PROFILE: &str = "AWS_PROFILE";

#[derive(Serialize)]
struct Used {
    profile: Option<String>,
    unset: Vec<&'static str>,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let shell = args.shell.unwrap_or_else(|| ctx.shell());
    let target = args.target.as_deref().filter(|name| *name != "-");
    let (profile, set, unset) = match target {
        Some(name) => to(ctx, &TargetName::parse(name)?)?,
        None => back(ctx),
    };
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/use/1", &Used { profile, unset });
    }
    ctx.ui.raw(lines(shell, &set, &unset)?.expose_secret().as_bytes())?;
    if !args.hook {
        let again = format!("jit use {}", target.unwrap_or("-"));
        say_how(ctx, shell, &again);
    }
    Ok(())
}

type Lines = (Option<String>, Vec<(&'static str, SecretString)>, Vec<&'static str>);

/// The profile, and away with keys, which would win over it.
fn to(ctx: &Ctx, target: &TargetName) -> Result<Lines> {
    let files = ctx.client()?.aws_files();
    let Some(name) = files.profile_of(target) else {
        let usual = Profile::name_of(target);
        let message = format!("no profile {usual} in {}", files.config.display());
        return Err(Error::new(Exit::Gone, "profile.not_found", message).try_(format!("jit setup {target}")));
    };
    let mut set = vec![(PROFILE, SecretString::from(name.clone()))];
    let now = ctx.env.text(PROFILE);
    let is_own = |now: &String| !now.starts_with(Profile::PREFIX) && !files.is_ours(now);
    if let Some(own) = now.filter(is_own) {
        set.push((BEFORE, SecretString::from(own)));
    }
    let rivals = RIVAL_VARIABLES.into_iter().filter(|variable| *variable != PROFILE);
    Ok((Some(name), set, KEY_VARIABLES.into_iter().chain(rivals).collect()))
}

/// The profile that stood there before, or none.
fn back(ctx: &Ctx) -> Lines {
    match ctx.env.text(BEFORE) {
        Some(before) => {
            let set = vec![(PROFILE, SecretString::from(before.clone()))];
            (Some(before), set, vec![BEFORE])
        }
        None => (None, Vec::new(), vec![PROFILE]),
    }
}

fn say_how(ctx: &Ctx, shell: Shell, command: &str) {
    let evaluating = shell.evaluating(command);
    if ctx.ui.prints_to_terminal() {
        ctx.ui
            .warn("nothing is set: a shell has to evaluate these lines", &evaluating);
    } else {
        ctx.ui.note(&format!(
            "For a shell to evaluate: {evaluating}. With jit shell-init: {command}"
        ));
    }
}
