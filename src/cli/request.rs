//! `jit request`: asks, waits, obtains credentials, caches them.

use std::io::Read;

use super::context::{Ctx, Desk};
use super::follow::{self, Goal};
use super::targets;
use crate::client::Profile;
use crate::domain::refusal::Code;
use crate::domain::text::{Narrowing, Reason, TargetName};
use crate::domain::time::Duration;
use crate::error::{Error, Exit, Result};
use crate::ui::{State, account_line, narrowed, needs, short_id, span};
use crate::wire::{Filed, NewRequest, Outcome, RequestView};

/// Ask for access and wait for it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit request prod-admin --for 2h --reason \"payout job stuck, PAY-311\"\n  jit request prod-admin --reason \"read one bucket\" --only 's3:Get*@arn:aws:s3:::ledger/*'"
)]
pub(super) struct Args {
    /// What to ask for
    target: Option<String>,
    /// How long, such as 30m or 2h
    #[arg(long = "for", value_name = "TIME", value_parser = follow::duration, allow_hyphen_values = true)]
    duration: Option<Duration>,
    /// Why; - reads it from stdin
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    reason: Option<String>,
    /// Narrow the session to ACTION[@RESOURCE]
    #[arg(long, value_name = "NARROWING")]
    only: Vec<String>,
    /// File it and return
    #[arg(long)]
    no_wait: bool,
    /// Longest time to wait
    #[arg(long, value_name = "TIME", value_parser = follow::duration, allow_hyphen_values = true)]
    timeout: Option<Duration>,
}

/// No default is longer, in seconds.
const LONGEST_DEFAULT_S: u32 = 3_600;

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
    let reason = reason(ctx, args.reason.as_deref())?;
    let desk = ctx.desk()?;
    let duration = match args.duration {
        Some(duration) => duration,
        None => default_duration(ctx, &desk, &target)?,
    };
    let new = NewRequest {
        target: target.to_string(),
        duration_s: duration.secs(),
        reason: reason.to_string(),
        only: only.into_iter().map(String::from).collect(),
    };
    let filed = desk
        .backend
        .file(&new)
        .map_err(|error| explained(ctx, &desk, error, &new))?;
    desk.backend.watch_interrupt()?;
    note_filed(ctx, &desk, &filed);
    follow::print_json(ctx, &filed.request, Some(filed.outcome))?;
    match filed.outcome {
        _ if args.no_wait => return Ok(()),
        Outcome::Covered => return renew(&desk, &filed.request),
        Outcome::Filed | Outcome::Joined => {}
    }
    if filed.request.state == "pending" {
        note_waiting(ctx, &desk, &filed.request);
    }
    let print = |view: &RequestView| follow::print_json(ctx, view, None);
    let limit = follow::limit(args.timeout);
    let view = follow::follow(ctx, &desk.backend, filed.request, Goal::Active, limit, print)?;
    finish(ctx, &desk, &view)
}

/// The reason as given, from stdin, or as answered.
fn reason(ctx: &Ctx, given: Option<&str>) -> Result<Reason> {
    let text = match given {
        Some("-") => {
            let mut text = String::new();
            let stdin = std::io::stdin().lock();
            let read = stdin.take(4 * 1024 * 1024).read_to_string(&mut text);
            read.map_err(|error| Error::usage(format!("--reason -: {error}")))?;
            text.trim_end_matches(['\n', '\r']).to_owned()
        }
        Some(text) => text.to_owned(),
        None if ctx.ui.can_ask() => ctx.ui.ask("Reason:")?,
        None => return Err(Error::of(Code::UsageText, "a reason is needed").hint("add: --reason TEXT")),
    };
    Ok(Reason::parse(&text)?)
}

/// The target's own default, at most an hour, shown before anything is sent.
fn default_duration(ctx: &Ctx, desk: &Desk, target: &TargetName) -> Result<Duration> {
    let view = targets::find(&desk.backend, target)?;
    let duration = Duration::from_secs(view.default_duration_s.min(LONGEST_DEFAULT_S))?;
    ctx.ui
        .note(&format!("For {duration}, the default of {target} (--for changes it)."));
    Ok(duration)
}

/// A refusal with what to type instead, from what was typed.
fn explained(ctx: &Ctx, desk: &Desk, error: Error, new: &NewRequest) -> Error {
    let problem = error.problem.as_deref();
    match error.wire_code() {
        Some(Code::PolicyOverCap) => {
            let cap = problem
                .and_then(|p| p.cap_s)
                .and_then(|cap| Duration::from_secs(cap).ok());
            match cap.filter(|cap| cap.secs() < new.duration_s) {
                Some(cap) => error.try_(format!(
                    "jit request {} --for {cap} --reason {}",
                    new.target,
                    quoted(&new.reason)
                )),
                None => error,
            }
        }
        Some(Code::RequestDiffers) => {
            let other = problem.and_then(|p| p.request.clone());
            let other = other.and_then(|id| crate::domain::id::RequestId::parse(&id).ok());
            let Some(other) = other else { return error };
            if let Ok(view) = desk.backend.request(other.as_str()) {
                let (is, now) = (span(view.duration_s), span(new.duration_s));
                ctx.ui
                    .note(&format!("pending  {}  {is}{}", view.target, narrowed(&view.only)));
                ctx.ui
                    .note(&format!("asked    {}  {now}{}", new.target, narrowed(&new.only)));
            }
            error.try_(format!("jit wait {other}, or jit cancel {other}"))
        }
        Some(Code::GrantNarrowedOtherwise) => error.try_(format!("jit drop {}", new.target)),
        _ => error,
    }
}

/// Text as a shell reads it back.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| !c.is_control() && !"\"\\$`!".contains(c);
    if text.chars().all(is_plain) {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

fn note_filed(ctx: &Ctx, desk: &Desk, filed: &Filed) {
    let request = &filed.request;
    match filed.outcome {
        Outcome::Filed => ctx.ui.note(&format!(
            "{}  {} ({})  {}{}",
            request.id,
            request.target,
            account_line(&request.title, &request.account_name, &request.account),
            span(request.duration_s),
            narrowed(&request.only)
        )),
        Outcome::Joined => ctx.ui.note(&format!(
            "Joined {} (filed {}).",
            request.id,
            desk.words().ago(request.filed_at)
        )),
        Outcome::Covered => {
            let words = desk.words();
            let end = request.grant.as_ref().and_then(|grant| grant.ends_at);
            let until = end.map_or_else(String::new, |end| {
                format!(" until {} ({} left)", words.at(end), words.left(end))
            });
            ctx.ui
                .note_marked(State::Live, &format!("You hold {}{until}.", request.target));
        }
    }
}

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

/// Says who approved, obtains credentials, says until when.
pub(super) fn finish(ctx: &Ctx, desk: &Desk, request: &RequestView) -> Result<()> {
    if let Some(last) = request.decisions.iter().rev().find(|d| d.verdict == "approve") {
        let comment = last.comment.as_ref().map_or_else(String::new, |c| format!(": \"{c}\""));
        let after = span(last.at.since(request.filed_at));
        ctx.ui
            .note(&format!("Approved by {} after {after}{comment}", last.by.name));
    }
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
    let profile = Profile::name_of(&target);
    let how = if desk.client.aws_files().has_profile(&target) {
        format!("Use it:  aws --profile {profile} …")
    } else {
        format!("Use it:  jit setup {target}, then  aws --profile {profile} …")
    };
    ctx.ui.note(&format!("{how}   ·   done early? jit drop {target}"));
    Ok(())
}

/// Fetches a credential of what is held already, where none is cached.
fn renew(desk: &Desk, request: &RequestView) -> Result<()> {
    let target = TargetName::parse(&request.target)?;
    let account = &desk.picked.account;
    match &request.grant {
        Some(grant) if grant.state == "active" && !desk.client.caches(account, &target) => {
            desk.client.fetch(&desk.backend, account, &target, &grant.id).map(drop)
        }
        _ => Ok(()),
    }
}

/// Fetches and caches a credential and says how long it works; `None` where it is somebody else's.
fn obtain(ctx: &Ctx, desk: &Desk, request: &RequestView) -> Result<Option<TargetName>> {
    let foreign = |what| Error::new(Exit::Unreachable, "backend.foreign", what);
    let target = TargetName::parse(&request.target).map_err(|_| foreign("the backend names no target"))?;
    let grant = request
        .grant
        .as_ref()
        .ok_or_else(|| foreign("the backend names no grant"))?;
    if desk.picked.session.person != request.beneficiary.id {
        ctx.ui
            .note(&format!("{} holds {target} now.", request.beneficiary.name));
        return Ok(None);
    }
    let words = desk.words();
    let end = grant.ends_at.map_or_else(String::new, |end| {
        // the whole length, not what is left a moment later
        let length = end.since(grant.activated_at.unwrap_or(desk.backend.now()));
        format!(" until {} ({})", words.at(end), span(length))
    });
    match desk
        .client
        .fetch(&desk.backend, &desk.picked.account, &target, &grant.id)
    {
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
        Err(error) => return Err(error),
    }
    Ok(Some(target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_is_quoted_for_the_shell() {
        assert_eq!(quoted("long night"), "\"long night\"");
        assert_eq!(quoted("it's $(x)"), "'it'\\''s $(x)'");
    }
}
