//! `jit unlock`: lifts a lock.

use super::context::Ctx;
use crate::domain::TargetName;
use crate::error::Result;
use crate::ui::State;
use crate::wire::LiftLock;

/// Lift a lock
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit unlock alice\n\nA lock on all takes two people; a person's own is lifted by others"
)]
pub(super) struct Args {
    /// Person, target or all
    #[arg(value_name = "WHO")]
    on: String,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let desk = ctx.desk()?;
    let done = desk.backend.unlock(&LiftLock { on: args.on })?;
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/unlock/1", &done);
    }
    if done.lifted {
        let what = done.lock.what();
        ctx.ui.note(&format!("Unlocked {what}. What was ended stays ended."));
        let targets = done.still_locked.iter().filter(|name| TargetName::parse(name).is_ok());
        for other in targets {
            let still = format!("It stays shut: {other} is the same access, and locked.");
            ctx.ui.note_marked(State::Waiting, &still);
            ctx.ui.note(&format!("  to lift that too:  jit unlock {other}"));
        }
    } else {
        ctx.ui
            .note_marked(State::Waiting, "Everything is still locked: this was the first of two.");
        ctx.ui.note("  another person who may:  jit unlock all");
    }
    Ok(())
}
