//! `jit exec`: runs a command with a target's credentials.
//! Refuses to stand between the command and its terminal, its signals, its exit code.

use std::ffi::OsString;

use super::context::Ctx;
use crate::client::{ChildCommand, Keys};
use crate::domain::text::TargetName;
use crate::error::Result;

/// Run a command with a target's credentials
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  jit exec prod-admin -- aws sts get-caller-identity\n  jit exec prod-admin --refresh -- ./long-job\n\nWith --refresh the endpoint ends with the command, whatever it leaves running."
)]
pub(super) struct Args {
    /// Target whose credentials it gets
    target: String,
    /// Stay beside it, give new ones
    #[arg(long, conflicts_with = "no_refresh")]
    refresh: bool,
    /// Give what is there, once
    #[arg(long)]
    no_refresh: bool,
    /// Command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let client = ctx.client()?;
    let target = client.meant(TargetName::parse(&args.target)?)?;
    let keys = client.keys(&target)?;
    let mut words = args.command.into_iter();
    let name = words.next().unwrap_or_default();
    let rest: Vec<OsString> = words.collect();
    let command = ChildCommand::new(name, &rest, &target);
    if args.refresh || keys.renews && !args.no_refresh {
        ctx.ended_with = client.run_beside(command, &target)?.repeat();
        return Ok(());
    }
    if keys.renews {
        warn_of_the_end(ctx, &target, &keys);
    }
    Err(command.with_keys(&keys).replace_this_process())
}

fn warn_of_the_end(ctx: &Ctx, target: &TargetName, keys: &Keys) {
    let until = ctx.words_at(ctx.clock.now()).at(keys.expires_at);
    let message = format!("keys of {target} work until {until}; the grant goes on");
    ctx.ui.warn(&message, "leave out --no-refresh");
}
