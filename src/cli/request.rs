//! `jit request`: asks, waits, obtains credentials, caches them.

use super::asking::Asking;
use super::context::Ctx;
use crate::domain::text::{Narrowing, TargetName};
use crate::error::{Error, Result};

/// Ask for access and wait for it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit request prod-admin --for 2h --reason \"payout job stuck, PAY-311\"\n  jit request prod-admin --reason \"read one bucket\" --only 's3:Get*@arn:aws:s3:::ledger/*'\n  jit request prod-admin --reason \"payout job stuck\" --dry-run"
)]
pub(super) struct Args {
    /// What to ask for
    target: Option<String>,
    #[command(flatten)]
    asking: Asking,
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
    let new = args.asking.new_request(ctx, &desk, &target, &reason, &only)?;
    args.asking.send(ctx, &desk, &new)
}
