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
    let mut grants = end_all(&desk, &target)?;
    if grants.is_empty() {
        grants = end_what_was_asked_for_another(&desk, &target)?;
    }
    if grants.is_empty() {
        desk.client.forget(&desk.picked.account, &target)?;
        note(&desk, &target, &[]);
        return Err(nothing_to_give_back(&desk, &target));
    }
    // last: whoever fetched meanwhile did so from a grant that is over now
    desk.client.forget(&desk.picked.account, &target)?;
    let grants = grants
        .into_iter()
        .map(|grant| settled(&desk, grant))
        .collect::<Result<Vec<_>>>()?;
    note(&desk, &target, &grants);
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
    let whose = whose(&desk, &grants);
    ctx.ui.note(&format!("Gave {target}{whose} back. {rest}"));
    Ok(())
}

/// Ends every grant of one's own; what was given meanwhile, too.
fn end_all(desk: &Desk, target: &TargetName) -> Result<Vec<GrantView>> {
    let mut ended: Vec<GrantView> = Vec::new();
    loop {
        let mut open = desk.backend.grants(target)?.grants;
        open.retain(|grant| ended.iter().all(|before| before.id != grant.id));
        if open.is_empty() {
            return Ok(ended);
        }
        for grant in open {
            ended.push(end(desk, grant)?);
        }
    }
}

/// Ends what one asked for somebody else, where one holds nothing oneself.
fn end_what_was_asked_for_another(desk: &Desk, target: &TargetName) -> Result<Vec<GrantView>> {
    let me = &desk.picked.session.person;
    let mut open = desk.backend.requests(true, None)?.requests;
    open.retain(|request| request.target == target.as_str() && request.requester.id == *me);
    let is_open = |grant: &GrantView| !matches!(grant.state.as_str(), "ended" | "failed");
    let grants = open.into_iter().filter_map(|request| request.grant);
    let grants: Vec<GrantView> = grants.filter(is_open).collect();
    if let Some(other) = grants.iter().find(|grant| grant.beneficiary != grants[0].beneficiary) {
        let (one, two) = (&grants[0].beneficiary.name, &other.beneficiary.name);
        let message = format!("{one} and {two} hold {target} by your request");
        return Err(Error::of(Code::RequestAmbiguous, message).try_("jit status, then  jit revoke GRANT --reason TEXT"));
    }
    grants.into_iter().map(|grant| end(desk, grant)).collect()
}

/// What a prompt shows of it from now on.
fn note(desk: &Desk, target: &TargetName, grants: &[GrantView]) {
    let offset_ms = desk.backend.offset_ms();
    desk.client.note_grants(&desk.picked.account, offset_ms, target, grants);
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
        ended => ended.map(|ended| ended.grant),
    }
}

/// Whose it was, where that is not who gives it back.
fn whose(desk: &Desk, grants: &[GrantView]) -> String {
    let me = &desk.picked.session.person;
    let other = grants.iter().find(|grant| grant.beneficiary.id != *me);
    other.map_or_else(String::new, |grant| format!(" of {}", grant.beneficiary.name))
}
