//! `jit cancel`: withdraws a pending request.

use super::context::{Ctx, Desk};
use super::follow;
use crate::domain::refusal::Code;
use crate::error::{Error, Result};
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
    let view = desk
        .backend
        .cancel(&args.request)
        .map_err(|error| explained(&desk, error, &args.request))?;
    follow::print_json(ctx, &view, None)?;
    ctx.ui
        .note(&format!("Cancelled {} ({}).", short_id(&view.id), view.target));
    Ok(())
}

/// What is approved is given up, not withdrawn.
fn explained(desk: &Desk, error: Error, given: &str) -> Error {
    if error.wire_code() != Some(Code::RequestAlreadyDecided) {
        return error;
    }
    let Ok(view) = desk.backend.request(given) else {
        return error;
    };
    let is_open = |state: &str| !matches!(state, "ended" | "failed");
    match view.grant.is_some_and(|grant| is_open(&grant.state)) {
        true => error.try_(format!("jit drop {}", short_id(&view.id))),
        false => error,
    }
}
