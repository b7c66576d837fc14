//! `jit wait`: waits for what happens elsewhere.

use super::context::Ctx;
use super::finish;
use super::follow::{self, Goal};
use crate::domain::time::Duration;
use crate::error::Result;
use crate::ui::ticket;

/// Wait for a request
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit wait req_7h3kq2 --until ended")]
pub(super) struct Args {
    /// Request or target with one open request
    request: String,
    /// Wait until access is live or over
    #[arg(long, value_name = "WHEN", default_value = "active")]
    until: Goal,
    /// Longest time to wait
    #[arg(long, value_name = "TIME", value_parser = follow::duration, allow_hyphen_values = true)]
    timeout: Option<Duration>,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let desk = ctx.desk()?;
    let view = desk.backend.request(&args.request)?;
    desk.backend.watch_interrupt()?;
    follow::print_json(ctx, &view, None)?;
    if view.state == "pending" {
        finish::note_waiting(ctx, &desk, &view);
        ticket(view.ticket.as_deref()).iter().for_each(|line| ctx.ui.note(line));
    }
    let print = |view: &crate::wire::RequestView| follow::print_json(ctx, view, None);
    let view = follow::follow(ctx, &desk.backend, view, args.until, follow::limit(args.timeout), print)?;
    match args.until {
        Goal::Approved => finish::scheduled(ctx, &desk, &view),
        Goal::Active => finish::finish(ctx, &desk, &view),
        Goal::Ended => {
            ctx.ui.note(&format!("{} is over.", view.target));
            Ok(())
        }
    }
}
