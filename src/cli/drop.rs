//! `jit drop`: gives access back early.

use serde::Serialize;

use super::context::{Ctx, Desk};
use super::ending::{HELD_UP, is_held_up, settled};
use crate::domain::id::{GrantId, RequestId};
use crate::domain::refusal::Code;
use crate::domain::text::TargetName;
use crate::error::{Error, Result};
use crate::ui::{short_id, what_still_works};
use crate::wire::{EndGrant, GrantView, RequestView};

/// Give access back early
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit drop prod-admin\n  jit drop req_7h3kq2\n\nA target gives back all that one has on it, and what starts later; a request or grant only that"
)]
pub(super) struct Args {
    /// Target, request or grant
    #[arg(value_name = "WHAT")]
    target: String,
}

#[derive(Serialize)]
struct Dropped<'a> {
    target: &'a TargetName,
    grants: &'a [GrantView],
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let meant = Meant::parse(&args.target)?;
    let desk = ctx.desk()?;
    let (target, grants, kept) = meant.end(&desk)?;
    // last: whoever fetched meanwhile did so from a grant that is over now
    desk.client.forget(&desk.picked.account, &target)?;
    if grants.is_empty() {
        note(&desk, &target, &[]);
        return Err(nothing_to_give_back(&desk, &target));
    }
    let grants = grants
        .into_iter()
        .map(|grant| settled(&desk, grant))
        .collect::<Result<Vec<_>>>()?;
    note(&desk, &target, &[kept, grants.clone()].concat());
    if ctx.ui.is_json() {
        let (target, grants) = (&target, grants.as_slice());
        return ctx.ui.json("jit/drop/1", &Dropped { target, grants });
    }
    say(ctx, &desk, &target, &grants);
    Ok(())
}

/// What is to be given back.
enum Meant<'a> {
    /// All that one has on a target.
    All(TargetName),
    /// What an id of a request or grant names.
    One(&'a str),
}

impl<'a> Meant<'a> {
    fn parse(given: &'a str) -> Result<Self> {
        let prefixes = [RequestId::PREFIX, GrantId::PREFIX];
        match prefixes.iter().any(|prefix| given.starts_with(prefix)) {
            true => Ok(Self::One(given)),
            false => Ok(Self::All(TargetName::parse(given)?)),
        }
    }

    /// Gives it back: the target, what was ended, and what is kept on it.
    fn end(self, desk: &Desk) -> Result<(TargetName, Vec<GrantView>, Vec<GrantView>)> {
        match self {
            Self::All(typed) => {
                let target = desk.meant(typed)?;
                let ended = end_on(desk, &target)?;
                Ok((target, ended, Vec::new()))
            }
            Self::One(id) => {
                let ended = end_one(desk, id)?;
                let target = TargetName::parse(&ended.target)?;
                let kept = desk.backend.grants(&target)?.grants;
                Ok((target, vec![ended], kept))
            }
        }
    }
}

/// What went, and what works still.
fn say(ctx: &Ctx, desk: &Desk, target: &TargetName, grants: &[GrantView]) {
    let whose = whose(desk, grants);
    let is_planned = |grant: &&GrantView| grant.activated_at.is_none();
    let planned = grants.iter().filter(is_planned).count();
    if planned == grants.len() {
        return ctx.ui.note(&format!("Gave {target}{whose} up before it started."));
    }
    let too = if planned == 0 {
        ""
    } else {
        " What was to start later is given up too."
    };
    if grants.iter().any(is_held_up) {
        return ctx.ui.note(&format!("Giving {target}{whose} back.{too} {HELD_UP}"));
    }
    let rest = what_still_works(grants, &desk.words(), desk.backend.now());
    ctx.ui.note(&format!("Gave {target}{whose} back. {rest}{too}"));
    if grants.iter().any(|grant| grant.also_held) {
        ctx.ui
            .note("Another grant holds the same access, and goes on:  jit status");
    }
}

/// Ends all that one has on `target`, or has asked for somebody else.
fn end_on(desk: &Desk, target: &TargetName) -> Result<Vec<GrantView>> {
    let own = end_all(desk, target)?;
    if !own.is_empty() {
        return Ok(own);
    }
    end_what_was_asked_for_another(desk, target)
}

/// Ends the one grant that an id names, and nothing beside it.
fn end_one(desk: &Desk, id: &str) -> Result<GrantView> {
    if id.starts_with(GrantId::PREFIX) {
        return end_own(desk, id);
    }
    let view = desk.backend.request(id)?;
    let Some(grant) = view.grant else {
        let message = format!("{} is {} and gives no access", short_id(&view.id), view.state);
        let error = Error::of(Code::GrantNotLive, message);
        return Err(match view.state.as_str() {
            "pending" => error.try_(format!("jit cancel {}", short_id(&view.id))),
            _ => error.try_("jit status"),
        });
    };
    end_own(desk, &grant.id)
}

/// Somebody else's takes a reason, which is not asked for here.
fn end_own(desk: &Desk, id: &str) -> Result<GrantView> {
    let ended = desk.backend.end(id, &EndGrant::default());
    ended.map(|ended| ended.grant).map_err(|error| match error.wire_code() {
        Some(Code::UsageText) => {
            Error::of(Code::Forbidden, "that grant is somebody else's").try_("jit revoke GRANT --reason TEXT")
        }
        _ => error,
    })
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
        let (one, two) = (grants[0].beneficiary.called(), other.beneficiary.called());
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
    other.map_or_else(String::new, |grant| format!(" of {}", grant.beneficiary.called()))
}
