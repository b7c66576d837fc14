//! `jit revoke`: takes access from somebody.

use super::context::Ctx;
use super::ending::settled;
use super::stopping::{self, Words};
use crate::domain::text::Reason;
use crate::error::Result;
use crate::ui::{short_id, what_still_works};
use crate::wire::EndGrant;

/// Take access from somebody
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit revoke grt_7h3kq2 --reason \"left the incident\"\n  jit revoke --all alice --reason \"laptop stolen\""
)]
pub(super) struct Args {
    /// Grant to end
    #[arg(required_unless_present = "all")]
    grant: Option<String>,
    /// Lock a person and end all they have
    #[arg(long, value_name = "WHO", conflicts_with = "grant")]
    all: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let reason = Reason::parse(&args.reason)?;
    let desk = ctx.desk()?;
    let Some(given) = &args.grant else {
        let who = format!("person:{}", args.all.unwrap_or_default());
        let stopped = stopping::stop(&desk, &who, &reason)?;
        return stopping::print(ctx, &desk, &stopped, Words::Revoked);
    };
    let how = EndGrant {
        reason: Some(String::from(reason)),
    };
    let grant = settled(&desk, desk.backend.end(given, &how)?)?;
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/grant/1", &grant);
    }
    let rest = what_still_works(std::slice::from_ref(&grant), &desk.words(), desk.backend.now());
    let (id, target, who) = (short_id(&grant.id), &grant.target, &grant.beneficiary.name);
    ctx.ui.note(&format!("Took {target} from {who} ({id}). {rest}"));
    Ok(())
}
