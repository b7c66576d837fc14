//! `jit setup`: writes AWS profiles that use `credential_process`, and takes them away again.
//! Shows what changes first; keeps every byte that is not its own.

use serde::Serialize;

use super::context::{Ctx, Desk};
use super::targets;
use crate::client::{AwsFiles, Change, Edit, Prefix, Profile, own_program};
use crate::domain::accounts::is_account_id;
use crate::domain::text::TargetName;
use crate::error::{Error, Result};

/// So many lines of a change are shown to a person.
const SHOWN: usize = 40;
/// So many profiles are named, each with what to type.
const NAMED: usize = 5;

/// Write AWS profiles for targets
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  jit setup prod-admin prod-readonly\n  jit setup --all\n  jit setup --undo")]
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
    /// Let profiles that ask do so no more
    #[arg(long, conflicts_with_all = ["request_on_miss", "undo"])]
    no_request_on_miss: bool,
    /// Take every target you may ask for
    #[arg(long, conflicts_with = "targets")]
    all: bool,
    /// Begin the profiles' names so
    #[arg(long, value_name = "PREFIX", default_value = "jit-")]
    prefix: String,
    /// Take away what setup wrote
    #[arg(long, conflicts_with = "request_on_miss")]
    undo: bool,
    /// Show the change and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Write without asking
    #[arg(short, long)]
    yes: bool,
}

#[derive(Serialize)]
struct Written {
    file: String,
    changed: bool,
    undone: bool,
    dry_run: bool,
    profiles: Vec<String>,
    warnings: Vec<String>,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let change = match args.undo {
        true => Change::Without(Prefix::parse(&args.prefix)?, undone(&args, ctx)?),
        false => Change::With(profiles(&args, ctx)?),
    };
    let files = ctx.client()?.aws_files();
    let edit = files.edit(&change)?;
    let is_shown_only = args.dry_run && edit.is_needed();
    if edit.is_needed() {
        print_lines(ctx, &files, &edit);
        if !args.dry_run && !args.yes && ctx.ui.can_ask() && !is_yes(&ctx.ui.ask("Write this? [Y/n]")?) {
            ctx.ui.note("Nothing written.");
            return Ok(());
        }
    }
    let edit = match edit.is_needed() && !args.dry_run {
        true => files.write(&change)?,
        false => edit,
    };
    if ctx.ui.is_json() {
        return print_json(ctx, &args, &files, edit);
    }
    for warning in &edit.warnings {
        ctx.ui.warn(&warning.message, &warning.mend);
    }
    match is_shown_only {
        true => ctx.ui.note("Nothing written: --dry-run."),
        false => say_what_was_done(ctx, &args, &edit),
    }
    Ok(())
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.to_lowercase().as_str(), "" | "y" | "yes")
}

fn names(args: &Args) -> Result<Vec<TargetName>> {
    let mut names = Vec::new();
    for name in &args.targets {
        let name = TargetName::parse(name)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn profiles(args: &Args, ctx: &Ctx) -> Result<Vec<Profile>> {
    if args.targets.is_empty() && !args.all {
        return Err(Error::usage("no target given").try_("jit setup --all"));
    }
    let (prefix, named) = (Prefix::parse(&args.prefix)?, names(args)?);
    let desk = ctx.desk()?;
    let targets = match args.all {
        true => all(&desk)?,
        false => real_names(&desk, &named)?,
    };
    let (program, is_helper) = own_program()?;
    let profile = |target| {
        let profile = Profile::new(target, &desk.picked.account, &program, is_helper)?.named(&prefix);
        match (args.request_on_miss, args.no_request_on_miss) {
            (true, _) => profile.that_asks(args.reason.as_deref()),
            (false, true) => Ok(profile.that_asks_no_more()),
            (false, false) => Ok(profile),
        }
    };
    targets.into_iter().map(profile).collect()
}

/// Every target in one account that one may ask for. A name that cannot be one is left out: nothing could ask for it.
fn all(desk: &Desk) -> Result<Vec<TargetName>> {
    let targets = desk.backend.targets(None)?.targets;
    desk.client.note_targets(&desk.picked.account, &targets);
    let in_one = targets.iter().filter(|target| target.accounts.is_none());
    let named = in_one.map(|target| TargetName::parse(&target.name));
    Ok(named.filter_map(std::result::Result::ok).collect())
}

/// What is to be taken away. A profile has the account's digits in its name: who is signed in may name the account.
fn undone(args: &Args, ctx: &Ctx) -> Result<Vec<TargetName>> {
    let mut all = names(args)?;
    let is_by_name = |name: &&TargetName| name.account().is_some_and(|account| !is_account_id(account));
    for name in all.clone().iter().filter(is_by_name) {
        // taking away needs nobody to answer
        if let Ok(real) = ctx
            .desk()
            .and_then(|desk| real_names(&desk, std::slice::from_ref(name)))
        {
            all.extend(real);
        }
    }
    Ok(all)
}

/// Targets under their own names where an alias, or the name of an account, was given.
fn real_names(desk: &Desk, named: &[TargetName]) -> Result<Vec<TargetName>> {
    let mut targets = Vec::new();
    for name in named {
        let found = TargetName::parse(&targets::find(desk, name)?.name)?;
        let target = match name.account() {
            Some(account) => targets::in_account(desk, &found, account)?,
            None => found,
        };
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    Ok(targets)
}

fn print_lines(ctx: &Ctx, files: &AwsFiles, edit: &Edit) {
    ctx.ui.note(&files.config.display().to_string());
    for line in edit.edited.lines.iter().take(SHOWN) {
        ctx.ui.note(line);
    }
    let more = edit.edited.lines.len().saturating_sub(SHOWN);
    if more > 0 {
        ctx.ui
            .note(&format!("… {more} more lines: {} profiles", edit.profiles.len()));
    }
}

fn say_what_was_done(ctx: &Ctx, args: &Args, edit: &Edit) {
    let what = match (args.undo, edit.is_needed()) {
        (true, true) => "Taken away.",
        (true, false) => return ctx.ui.note("Nothing of ours is there."),
        (false, true) => "Written.",
        (false, false) if edit.profiles.is_empty() => return ctx.ui.note("You may ask for nothing."),
        (false, false) => "Up to date.",
    };
    for name in edit.profiles.iter().take(NAMED) {
        match args.undo {
            true => ctx.ui.note(&format!("{what}  {name}")),
            false => ctx
                .ui
                .note(&format!("{what}  aws --profile {name} sts get-caller-identity")),
        }
    }
    let more = edit.profiles.len().saturating_sub(NAMED);
    if more > 0 {
        ctx.ui.note(&format!("{what}  and {more} more"));
    }
}

fn print_json(ctx: &Ctx, args: &Args, files: &AwsFiles, edit: Edit) -> Result<()> {
    let written = Written {
        file: files.config.display().to_string(),
        changed: edit.is_needed() && !args.dry_run,
        undone: args.undo,
        dry_run: args.dry_run,
        profiles: edit.profiles,
        warnings: edit.warnings.into_iter().map(|warning| warning.message).collect(),
    };
    ctx.ui.json("jit/setup/1", &written)
}
