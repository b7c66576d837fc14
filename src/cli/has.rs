//! `jit has`: whether one holds a target now, for scripts.

use serde::Serialize;

use super::context::Ctx;
use crate::domain::refusal::Code;
use crate::domain::text::TargetName;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};

/// Exit 0 if you hold it now
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit has prod-admin || jit request prod-admin --reason \"PAY-311\"")]
pub(super) struct Args {
    /// What to look for
    target: String,
    /// Ask the backend even if cached
    #[arg(long)]
    fresh: bool,
}

#[derive(Serialize)]
struct Held {
    target: TargetName,
    held: bool,
    source: &'static str,
    ends_at: Option<Timestamp>,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let target = TargetName::parse(&args.target)?;
    let client = ctx.client()?;
    let picked = client.picked()?;
    if !args.fresh && client.holds(&picked.account, &target) {
        return say(ctx, target, "cache", None);
    }
    let backend = client.backend(&picked)?;
    let grants = backend.grants(&target)?.grants;
    client.note_grants(&picked.account, backend.offset_ms(), &target, &grants);
    // narrowed access never stands for all of it
    let full = grants
        .iter()
        .filter(|grant| grant.state == "active" && grant.only.is_empty());
    if let Some(grant) = full.max_by_key(|grant| grant.ends_at) {
        return say(ctx, target, "backend", grant.ends_at);
    }
    if let Some(given) = grants.iter().find(|grant| grant.state == "granting") {
        let error = Error::of(Code::GrantNotLive, format!("{target} is being given"));
        return Err(error.try_(format!("jit wait {}", given.request)));
    }
    let error = match grants.iter().find(|grant| grant.state == "active") {
        Some(grant) => Error::of(
            Code::GrantNotLive,
            format!("{target} is held narrowed to {} only", grant.only.join(", ")),
        ),
        None => Error::of(Code::GrantNotLive, format!("no live grant for {target}")),
    };
    Err(error.try_(format!("jit request {target}")))
}

fn say(ctx: &Ctx, target: TargetName, source: &'static str, ends_at: Option<Timestamp>) -> Result<()> {
    if ctx.ui.is_json() {
        let held = Held {
            target,
            held: true,
            source,
            ends_at,
        };
        return ctx.ui.json("jit/has/1", &held);
    }
    Ok(())
}
