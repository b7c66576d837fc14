//! `jit inbox`: what waits for one's decision.

use super::context::Ctx;
use super::stopping;
use crate::error::Result;
use crate::ui::inbox_table;

/// List what waits for your decision
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit inbox -o json")]
pub(super) struct Args {}

pub(super) fn run(_: Args, ctx: &mut Ctx) -> Result<()> {
    let desk = ctx.desk()?;
    let list = desk.backend.inbox()?;
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/inbox/1", &list);
    }
    stopping::note(ctx, &desk, &list.locks);
    stopping::note_devices(ctx, &desk.words(), &list.new_devices);
    if list.requests.is_empty() {
        ctx.ui.note("Nothing waits for you.");
        return Ok(());
    }
    let lines = inbox_table(&list.requests, &desk.words()).lines(ctx.ui.width());
    lines.iter().try_for_each(|line| ctx.ui.line(line))
}
