//! `jit cancel`: withdraws a pending request.

use super::context::Ctx;
use super::follow;
use crate::error::Result;
use crate::ui::short_id;

/// Withdraw a pending request
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit cancel req_7h3kq2")]
pub(super) struct Args {
    /// Request or target with one open request
    request: String,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let desk = ctx.desk()?;
    let view = desk.backend.cancel(&args.request)?;
    follow::print_json(ctx, &view, None)?;
    ctx.ui
        .note(&format!("Cancelled {} ({}).", short_id(&view.id), view.target));
    Ok(())
}
