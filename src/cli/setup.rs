//! `jit setup`: writes AWS profiles that use `credential_process`.
//! Shows what changes first; keeps every byte that is not its own.

use serde::Serialize;

use super::context::{Ctx, Desk};
use super::targets;
use crate::client::{Edit, Profile, own_program};
use crate::domain::text::TargetName;
use crate::error::{Error, Result};

/// Write AWS profiles for targets
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit setup prod-admin prod-readonly")]
pub(super) struct Args {
    /// Targets to write profiles for
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// Let AWS tools ask for access themselves
    #[arg(long)]
    request_on_miss: bool,
    /// Why, for those requests
    #[arg(long, value_name = "TEXT", requires = "request_on_miss")]
    reason: Option<String>,
    /// Write without asking
    #[arg(short, long)]
    yes: bool,
}

#[derive(Serialize)]
struct Written {
    file: String,
    changed: bool,
    profiles: Vec<String>,
    warnings: Vec<String>,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    if args.targets.is_empty() {
        return Err(Error::usage("no target given").try_("jit targets"));
    }
    let names = args
        .targets
        .iter()
        .map(|name| TargetName::parse(name))
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let desk = ctx.desk()?;
    let profiles = names
        .iter()
        .map(|name| match args.request_on_miss {
            true => profile(&desk, name)?.that_asks(args.reason.as_deref()),
            false => profile(&desk, name),
        })
        .collect::<Result<Vec<_>>>()?;
    let files = desk.client.aws_files();
    let edit = files.with(&profiles)?;
    let (file, is_needed) = (files.config.display().to_string(), edit.is_needed());
    if is_needed {
        ctx.ui.note(&file);
        print_diff(ctx, &edit);
        if !args.yes && ctx.ui.can_ask() && !is_yes(&ctx.ui.ask("Write this? [Y/n]")?) {
            ctx.ui.note("Nothing written.");
            return Ok(());
        }
        files.write(&edit)?;
    }
    print_written(ctx, &profiles, &edit, file)
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.to_lowercase().as_str(), "" | "y" | "yes")
}

/// The profile of a target that exists, under its own name where an alias was given.
fn profile(desk: &Desk, name: &TargetName) -> Result<Profile> {
    let found = targets::find(&desk.backend, name)?;
    let target = TargetName::parse(&found.name)?;
    let (program, is_helper) = own_program()?;
    Profile::new(target, &desk.picked.account, &program, is_helper)
}

/// Lines that go and lines that come.
fn print_diff(ctx: &Ctx, edit: &Edit) {
    let (before, after) = (lines(edit.before.as_str()), lines(edit.after.as_str()));
    let same_start = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let ends = before[same_start..].iter().rev().zip(after[same_start..].iter().rev());
    let same_end = ends.take_while(|(a, b)| a == b).count();
    for gone in &before[same_start..before.len() - same_end] {
        ctx.ui.note(&format!("- {gone}"));
    }
    for new in &after[same_start..after.len() - same_end] {
        ctx.ui.note(&format!("+ {new}"));
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

fn print_written(ctx: &Ctx, profiles: &[Profile], edit: &Edit, file: String) -> Result<()> {
    let names: Vec<String> = profiles.iter().map(|p| Profile::name_of(&p.target)).collect();
    if ctx.ui.is_json() {
        let written = Written {
            file,
            changed: edit.is_needed(),
            profiles: names,
            warnings: edit.warnings.iter().map(|w| w.message.clone()).collect(),
        };
        return ctx.ui.json("jit/setup/1", &written);
    }
    for warning in &edit.warnings {
        ctx.ui.warn(&warning.message, &warning.mend);
    }
    let what = if edit.is_needed() { "Written" } else { "Up to date" };
    for name in names {
        ctx.ui
            .note(&format!("{what}.  aws --profile {name} sts get-caller-identity"));
    }
    Ok(())
}
