//! `jit deny`: says no, with a reason.

use super::context::Ctx;
use super::decision;
use crate::domain::text::Comment;
use crate::error::{Error, Result};

/// Deny a request
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit deny req_7h3kq2 --reason \"use prod-readonly, the ledger is frozen\"")]
pub(super) struct Args {
    /// Request or target with one open request
    request: String,
    /// Why not
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let reason = match args.reason {
        Some(reason) => reason,
        None if ctx.ui.can_ask() => ctx.ui.ask("Why not?")?,
        None => return Err(Error::usage("a denial needs a reason").hint("add: --reason TEXT")),
    };
    let comment = Comment::parse(&reason)?;
    let desk = ctx.desk()?;
    let checked = decision::checked(&desk, &args.request)?;
    let view = decision::send(&desk, &checked, "deny", Some(comment))?;
    decision::print_denied(ctx, &view)
}
