//! `jit extend`: asks for more of what is held, and waits as `request` does.

use super::asking::Asking;
use super::context::{Ctx, Desk};
use crate::domain::refusal::Code;
use crate::domain::text::TargetName;
use crate::error::{Error, Result};

/// Ask to hold access for longer
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit extend prod-admin --for 1h --reason \"the replay runs still\"")]
pub(super) struct Args {
    /// What is held
    target: String,
    #[command(flatten)]
    asking: Asking,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let target = TargetName::parse(&args.target)?;
    // where nobody is asked, whatever can never be right is refused before anybody is called
    let given = if args.asking.asks_why(ctx) {
        None
    } else {
        Some(args.asking.reason(ctx, "")?)
    };
    let desk = ctx.desk()?;
    let reason = match given {
        Some(reason) => reason,
        None if args.asking.is_for_another() => args.asking.reason(ctx, "Reason:")?,
        None => args.asking.reason(ctx, &question(&desk, &target)?)?,
    };
    let mut new = args.asking.new_request(ctx, &desk, &target, &reason, &[])?;
    new.extend = true;
    args.asking.send(ctx, &desk, &new)
}

/// Asks why, with what was said before.
fn question(desk: &Desk, target: &TargetName) -> Result<String> {
    let grants = desk.backend.grants(target)?.grants;
    let Some(live) = grants.iter().find(|grant| grant.state == "active") else {
        let error = Error::of(Code::GrantNotLive, format!("no live grant on {target} to extend"));
        return Err(error.try_(format!("jit request {target}")));
    };
    let before = desk.backend.request(&live.request)?;
    Ok(format!("Reason (before: {}):", before.reason))
}
