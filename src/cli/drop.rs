//! `jit drop`: gives access back early.

use serde::Serialize;

use super::context::{Ctx, Desk};
use super::ending::settled;
use crate::domain::refusal::Code;
use crate::domain::text::TargetName;
use crate::error::{Error, Result};
use crate::ui::what_still_works;
use crate::wire::{EndGrant, GrantView, RequestView};

/// Give access back early
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit drop prod-admin")]
pub(super) struct Args {
    /// What to give back
    target: String,
}

#[derive(Serialize)]
struct Dropped<'a> {
    target: &'a TargetName,
    grants: &'a [GrantView],
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let target = TargetName::parse(&args.target)?;
    let desk = ctx.desk()?;
    let open = desk.backend.grants(&target)?.grants;
    if open.is_empty() {
        desk.client.forget(&desk.picked.account, &target)?;
        return Err(nothing_to_give_back(&desk, &target));
    }
    let grants = open
        .into_iter()
        .map(|grant| end(&desk, grant))
        .collect::<Result<Vec<_>>>()?;
    // last: whoever fetched meanwhile did so from a grant that is over now
    desk.client.forget(&desk.picked.account, &target)?;
    let grants = grants
        .into_iter()
        .map(|grant| settled(&desk, grant))
        .collect::<Result<Vec<_>>>()?;
    if ctx.ui.is_json() {
        return ctx.ui.json(
            "jit/drop/1",
            &Dropped {
                target: &target,
                grants: &grants,
            },
        );
    }
    let rest = what_still_works(&grants, &desk.words(), desk.backend.now());
    ctx.ui.note(&format!("Gave {target} back. {rest}"));
    Ok(())
}

/// No grant: a request that still waits is withdrawn, not given back.
fn nothing_to_give_back(desk: &Desk, target: &TargetName) -> Error {
    let waits = |request: &RequestView| request.target == target.as_str() && request.state == "pending";
    let open = desk.backend.requests(true, None);
    if open.is_ok_and(|open| open.requests.iter().any(waits)) {
        let message = format!("{target} waits for approval and gives no access yet");
        return Error::of(Code::GrantNotLive, message).try_(format!("jit cancel {target}"));
    }
    Error::of(Code::GrantNotLive, format!("no live grant for {target}")).try_("jit status")
}

/// Ends one grant; one that is over meanwhile is given back all the same.
fn end(desk: &Desk, grant: GrantView) -> Result<GrantView> {
    match desk.backend.end(&grant.id, &EndGrant::default()) {
        Err(error) if matches!(error.wire_code(), Some(Code::GrantNotLive)) => Ok(grant),
        ended => ended,
    }
}
