//! `--dry-run`: what asking would come to. The backend decides as if it were asked, and stores nothing.

use super::context::{Ctx, Desk};
use crate::error::Result;
use crate::ui::dry_run_lines;
use crate::wire::NewRequest;

/// Prints what `new` would come to.
pub(super) fn print(ctx: &Ctx, desk: &Desk, new: &NewRequest) -> Result<()> {
    let would = desk.backend.dry_run(new)?;
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/dry-run/1", &would);
    }
    for line in dry_run_lines(&would, &desk.words()) {
        ctx.ui.line(&line)?;
    }
    ctx.ui.note("Dry run: nothing was filed, nobody was told.");
    Ok(())
}
