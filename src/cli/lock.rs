//! `jit lock`: stops a person, a target or everything.

use super::context::Ctx;
use super::stopping::{self, Words};
use crate::domain::text::Reason;
use crate::error::Result;

/// Stop a person, a target or everything
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit lock alice --reason \"laptop stolen\"\n  jit lock prod-admin --reason \"ledger is being restored\"\n\nA name that is both: person:NAME or target:NAME. Undo: jit unlock"
)]
pub(super) struct Args {
    /// Person, target or all
    #[arg(value_name = "WHO")]
    on: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let reason = Reason::parse(&args.reason)?;
    let desk = ctx.desk()?;
    let stopped = stopping::stop(&desk, &args.on, &reason)?;
    stopping::print(ctx, &desk, &stopped, (Words::Locked, &args.on))
}
