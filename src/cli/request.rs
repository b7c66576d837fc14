//! `jit request`: asks, waits, obtains credentials, caches them.

use super::asking::Asking;
use super::context::{Ctx, Desk};
use crate::domain::refusal::Code;
use crate::domain::start;
use crate::domain::text::{Narrowing, TargetName};
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};

/// Ask for access and wait for it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit request prod-admin --for 2h --reason \"payout job stuck, PAY-311\"\n  jit request prod-admin --reason \"read one bucket\" --only 's3:Get*@arn:aws:s3:::ledger/*'\n  jit request prod-admin --at \"tomorrow 09:00\" --for 1h --reason \"planned failover\"\n  jit request prod-admin --reason \"payout job stuck\" --dry-run"
)]
pub(super) struct Args {
    /// What to ask for
    target: Option<String>,
    #[command(flatten)]
    asking: Asking,
    /// Start later: 14:30, "tomorrow 09:00", "2026-01-31 14:30"
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
    /// Narrow the session to ACTION[@RESOURCE]
    #[arg(long, value_name = "NARROWING")]
    only: Vec<String>,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let typed = args
        .target
        .as_deref()
        .ok_or_else(|| Error::usage("no target given").try_("jit targets"))?;
    let target = TargetName::parse(typed).map_err(|refusal| Error::from(refusal).hint("all targets: jit targets"))?;
    let only = args
        .only
        .iter()
        .map(|text| Narrowing::parse(text))
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let reason = args.asking.reason(ctx, "Reason:")?;
    let desk = ctx.desk()?;
    let start = args.at.as_deref().map(|text| starting(ctx, &desk, text)).transpose()?;
    let mut new = args.asking.new_request(ctx, &desk, &target, &reason, &only)?;
    new.start = start;
    args.asking.send(ctx, &desk, &new)
}

/// When that is on this machine's clock face; one that comes twice is said.
fn starting(ctx: &Ctx, desk: &Desk, text: &str) -> Result<Timestamp> {
    let words = desk.words();
    let start = start::parse(text, desk.backend.now(), words.zone())
        .map_err(|bad| Error::of(Code::UsageTime, bad.to_string()).hint(bad.hint()))?;
    if let Some(zone) = words.unknown_zone() {
        let hint = "name a zone such as Europe/Berlin, or write --at as 2026-01-31T14:30:00+01:00";
        ctx.ui
            .warn(&format!("no time zone is named {zone} (TZ): times are UTC"), hint);
    }
    if let Some(offset) = &start.first_of_two {
        let note = format!(
            "{} comes twice that day: the first one is meant ({offset}).",
            words.at(start.at)
        );
        ctx.ui.note(&note);
    }
    Ok(start.at)
}
