//! `jit panic`: stops everything of everybody, now.

use super::context::Ctx;
use super::stopping::{self, Words};
use crate::domain::text::Reason;
use crate::error::Result;

/// Stop everything of everybody, now
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit panic --reason \"keys leaked, INC-7\"\n\nIt is jit lock all. Undo, by two people: jit unlock all"
)]
pub(super) struct Args {
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let reason = Reason::parse(&args.reason)?;
    let desk = ctx.desk()?;
    let stopped = stopping::stop(&desk, "all", &reason)?;
    stopping::print(ctx, &desk, &stopped, (Words::Locked, "all"))
}
