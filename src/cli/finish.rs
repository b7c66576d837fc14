//! The end of asking: who can decide, credentials, until when.
//! Owns what a person reads once access is there. Refuses to fetch what is somebody else's.

use super::center;
use super::context::{Ctx, Desk};
use super::follow;
use crate::client::{Minted, Profile, is_signed_out_there};
use crate::domain::text::TargetName;
use crate::error::{Error, Exit, Result};
use crate::ui::{State, last_session, needs, outlives, short_id, span};
use crate::wire::RequestView;

/// Who can decide, and until when.
pub(super) fn note_waiting(ctx: &Ctx, desk: &Desk, request: &RequestView) {
    ctx.ui
        .note_marked(State::Waiting, &format!("Waiting for {}", needs(&request.stages)));
    ctx.ui.note(&format!(
        "  until {} · Ctrl-C keeps it open · jit wait {}",
        desk.words().at(request.expires_at),
        short_id(&request.id)
    ));
}

/// Says who approved, and when it starts.
pub(super) fn scheduled(ctx: &Ctx, desk: &Desk, request: &RequestView) -> Result<()> {
    note_approval(ctx, request);
    let words = desk.words();
    let Some(start) = request.start.filter(|start| words.is_to_come(*start)) else {
        ctx.ui.note(&format!("{} is approved.", request.target));
        return Ok(());
    };
    let (from, left, length) = (words.at_offset(start), words.left(start), span(request.duration_s));
    let line = format!("Starts {from} (in {left}) for {length}; policy decides again then.");
    ctx.ui.note_marked(State::Waiting, &line);
    ctx.ui.note(&format!(
        "jit wait {}   ·   not needed? jit drop {}",
        short_id(&request.id),
        short_id(&request.id)
    ));
    Ok(())
}

fn note_approval(ctx: &Ctx, request: &RequestView) {
    if let Some(last) = request.decisions.iter().rev().find(|d| d.verdict == "approve") {
        let comment = last.comment.as_ref().map_or_else(String::new, |c| format!(": \"{c}\""));
        let after = span(last.at.since(request.filed_at));
        ctx.ui
            .note(&format!("Approved by {} after {after}{comment}", last.by.called()));
    }
}

/// Says who approved, obtains credentials, says until when.
pub(super) fn finish(ctx: &Ctx, desk: &Desk, request: &RequestView) -> Result<()> {
    note_approval(ctx, request);
    let target = obtain(ctx, desk, request)?;
    // the last line of JSON is the final one: it knows when the last credential dies
    if let Some(now) = ctx
        .ui
        .is_json()
        .then(|| desk.backend.request(&request.id))
        .and_then(Result::ok)
    {
        follow::print_json(ctx, &now, None)?;
    }
    let Some(target) = target else { return Ok(()) };
    let how = match desk.client.aws_files().profile_of(&target) {
        Some(profile) => format!("Use it:  aws --profile {profile} …"),
        None => {
            let profile = Profile::name_of(&target);
            format!("Use it:  jit setup {target}, then  aws --profile {profile} …")
        }
    };
    ctx.ui.note(&format!("{how}   ·   done early? jit drop {target}"));
    Ok(())
}

/// Fetches a credential of what is held already, where none is cached.
pub(super) fn renew(ctx: &Ctx, desk: &Desk, request: &RequestView) -> Result<()> {
    let target = TargetName::parse(&request.target)?;
    let account = &desk.picked.account;
    match &request.grant {
        Some(grant) if is_own(desk, request) && grant.state == "active" && !desk.client.caches(account, &target) => {
            fetch(ctx, desk, request, &target, &grant.id).map(drop)
        }
        _ => Ok(()),
    }
}

/// Whether whoever is signed in is the one who gets it.
fn is_own(desk: &Desk, request: &RequestView) -> bool {
    desk.picked.session.person == request.beneficiary.id
}

/// Fetches and caches a credential and says how long it works; `None` where it is somebody else's.
fn obtain(ctx: &Ctx, desk: &Desk, request: &RequestView) -> Result<Option<TargetName>> {
    let foreign = |what| Error::new(Exit::Unreachable, "backend.foreign", what);
    let target = TargetName::parse(&request.target).map_err(|_| foreign("the backend names no target"))?;
    let grant = request
        .grant
        .as_ref()
        .ok_or_else(|| foreign("the backend names no grant"))?;
    let words = desk.words();
    if !is_own(desk, request) {
        let (who, profile) = (request.beneficiary.called(), Profile::name_of(&target));
        let until = grant
            .ends_at
            .map_or_else(String::new, |end| format!(" until {}", words.at(end)));
        ctx.ui
            .note_marked(State::Live, &format!("{who} holds {target}{until}."));
        ctx.ui.note(&format!(
            "Only {who} can use it:  jit status  ·  aws --profile {profile} …"
        ));
        return Ok(None);
    }
    let end = grant.ends_at.map_or_else(String::new, |end| {
        // the whole length, not what is left a moment later
        let length = match &request.extends {
            Some(extends) => format!("{} more", span(end.since(extends.ends_at))),
            None => span(end.since(grant.activated_at.unwrap_or(desk.backend.now()))),
        };
        format!(" until {} ({length})", words.at(end))
    });
    match fetch(ctx, desk, request, &target, &grant.id) {
        Ok(_) if grant.pre_existing => {
            let remains = match grant.through_group {
                true => "Access remains after that, through a group.",
                false => "Access remains after that: it was there before jit.",
            };
            ctx.ui.note_marked(State::Live, &format!("Live{end}. {remains}"));
        }
        Ok(_) if outlives(request).is_some() => {
            let last = last_session(request, &words).map_or_else(String::new, |last| format!(" {last}"));
            ctx.ui.note_marked(State::Live, &format!("Live{end}.{last}"));
        }
        Ok(minted) => {
            let renews = if minted.expires_at < minted.grant_ends_at {
                " (renews)"
            } else {
                ""
            };
            let dies = words.at(minted.expires_at);
            ctx.ui.note_marked(
                State::Live,
                &format!("Live{end}. Last credential dies at {dies}{renews}."),
            );
        }
        // access is there although nothing can be kept on this machine
        Err(error) if error.code == "cache.refused" => {
            ctx.ui.note_marked(State::Live, &format!("Live{end}."));
            ctx.ui.warn(
                &format!("the credential was not cached: {error}"),
                "JIT_CACHE_DIR can name a folder that you can write",
            );
        }
        Err(error) => {
            if center::is_its_own(&error) || error.exit == Exit::Interrupted {
                // access is there, and the error says what is missing on this side
                ctx.ui.note_marked(State::Live, &format!("Live{end}."));
            }
            return Err(error);
        }
    }
    Ok(Some(target))
}

/// Fetches a credential; where that takes a sign-in to Identity Center and somebody sits here, signs in first.
fn fetch(ctx: &Ctx, desk: &Desk, request: &RequestView, target: &TargetName, grant: &str) -> Result<Minted> {
    let mut told = |what: &str| ctx.ui.note_marked(State::Waiting, what);
    let mut fetch = || {
        desk.client
            .fetch(&desk.backend, &desk.picked.account, target, grant, &mut told)
    };
    match fetch() {
        Err(error) if is_signed_out_there(&error) && ctx.ui.can_ask() => {
            center::sign_in_for(ctx, desk, request)?;
            fetch()
        }
        fetched => fetched,
    }
}
