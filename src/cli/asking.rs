//! Asking, as `request` does it: why, for how long, and what follows from the answer.
//! Owns the flags and the refusals with what to type instead. Refuses to send what can never be right.

use std::io::Read;

use super::context::{Ctx, Desk};
use super::follow::{self, Goal};
use super::{dry_run, finish, targets};
use crate::domain::refusal::Code;
use crate::domain::text::{Narrowing, PersonName, Reason, TargetName, Ticket};
use crate::domain::time::Duration;
use crate::error::{Error, Result};
use crate::ui::{State, account_line, for_whom, from, goes_on_for, length, narrowed, span};
use crate::wire::{CenterView, Filed, NewRequest, Outcome, RequestView, TargetView};

/// Flags of whoever asks.
#[derive(Debug, clap::Args)]
pub(super) struct Asking {
    /// How long, such as 30m or 2h
    #[arg(long = "for", value_name = "TIME", value_parser = follow::duration, allow_hyphen_values = true)]
    duration: Option<Duration>,
    /// Why; - reads it from stdin
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    reason: Option<String>,
    /// Ticket behind it, such as PAY-311
    #[arg(long, value_name = "KEY", value_parser = ticket)]
    ticket: Option<Ticket>,
    /// Ask for somebody else
    #[arg(long, value_name = "WHO", value_parser = person)]
    on_behalf_of: Option<PersonName>,
    /// Say what would happen, file nothing
    #[arg(long, conflicts_with_all = ["no_wait", "timeout"])]
    dry_run: bool,
    /// File it and return
    #[arg(long)]
    no_wait: bool,
    /// Longest time to wait
    #[arg(long, value_name = "TIME", value_parser = follow::duration, allow_hyphen_values = true)]
    timeout: Option<Duration>,
}

fn ticket(text: &str) -> std::result::Result<Ticket, Error> {
    Ticket::parse(text).map_err(Error::from)
}

fn person(text: &str) -> std::result::Result<PersonName, Error> {
    PersonName::parse(text).map_err(Error::from)
}

impl Asking {
    /// Whether nobody said why, and somebody can be asked.
    pub(super) fn asks_why(&self, ctx: &Ctx) -> bool {
        self.reason.is_none() && ctx.ui.can_ask()
    }

    /// Whether it is for somebody else.
    pub(super) fn is_for_another(&self) -> bool {
        self.on_behalf_of.is_some()
    }

    /// What is to be asked for `target`: what no flag says is asked for, or the target's own.
    pub(super) fn new_request(
        &self,
        ctx: &Ctx,
        desk: &Desk,
        target: &TargetName,
        reason: &Reason,
        only: &[Narrowing],
    ) -> Result<NewRequest> {
        let (view, duration) = match self.duration {
            Some(duration) => (targets::look(desk, target)?, duration),
            None => {
                let view = targets::find(desk, target)?;
                let duration = default_duration(ctx, target, &view)?;
                (Some(view), duration)
            }
        };
        if let Some(center) = view.and_then(|view| view.identity_center) {
            self.fits_there(ctx, target, only, &center)?;
        }
        Ok(NewRequest {
            only: only.iter().map(ToString::to_string).collect(),
            target: target.to_string(),
            duration_s: duration.secs(),
            reason: reason.to_string(),
            ticket: self.ticket.as_ref().map(ToString::to_string),
            on_behalf_of: self.on_behalf_of.as_ref().map(ToString::to_string),
            ..NewRequest::default()
        })
    }

    /// Identity Center's sessions are what the permission set says: no narrower, and no shorter. Said before anything is
    /// sent.
    fn fits_there(&self, ctx: &Ctx, target: &TargetName, only: &[Narrowing], center: &CenterView) -> Result<()> {
        if !only.is_empty() {
            let message = format!("{target} cannot be narrowed with --only");
            return Err(
                Error::of(Code::UsageNarrowing, message).hint("leave out --only, or ask for a target with less")
            );
        }
        // the dry run says it in its place
        if !self.dry_run {
            let session = goes_on_for(center.session_s).replacen('a', "A", 1);
            ctx.ui.note(&format!("{session}."));
        }
        Ok(())
    }

    /// The reason as given, from stdin, or as answered to `question`.
    pub(super) fn reason(&self, ctx: &Ctx, question: &str) -> Result<Reason> {
        let text = match self.reason.as_deref() {
            Some("-") => stdin()?,
            Some(text) => text.to_owned(),
            None if ctx.ui.can_ask() => ctx.ui.ask(question)?,
            None => return Err(Error::of(Code::UsageText, "a reason is needed").hint("add: --reason TEXT")),
        };
        Ok(Reason::parse(&text)?)
    }

    /// Asks, waits as the flags want it, and obtains credentials.
    pub(super) fn send(&self, ctx: &Ctx, desk: &Desk, new: &NewRequest) -> Result<()> {
        if self.dry_run {
            return dry_run::print(ctx, desk, new).map_err(|error| explained(ctx, desk, error, new));
        }
        let filed = desk
            .backend
            .file(new)
            .map_err(|error| explained(ctx, desk, error, new))?;
        desk.backend.watch_interrupt()?;
        note_filed(ctx, desk, new, &filed);
        follow::print_json(ctx, &filed.request, Some(filed.outcome))?;
        match filed.outcome {
            _ if self.no_wait => return Ok(()),
            Outcome::Covered => return finish::renew(ctx, desk, &filed.request),
            Outcome::Filed | Outcome::Joined => {}
        }
        if filed.request.state == "pending" {
            finish::note_waiting(ctx, desk, &filed.request);
        }
        let print = |view: &RequestView| follow::print_json(ctx, view, None);
        let limit = follow::limit(self.timeout);
        let is_later = |view: &RequestView| view.start.is_some_and(|start| start > desk.backend.now());
        let goal = match is_later(&filed.request) {
            true => Goal::Approved,
            false => Goal::Active,
        };
        let view = follow::follow(ctx, &desk.backend, filed.request, goal, limit, print)?;
        match goal {
            Goal::Approved => finish::scheduled(ctx, desk, &view),
            Goal::Active | Goal::Ended => finish::finish(ctx, desk, &view),
        }
    }
}

/// What stdin says, up to what no reason needs.
fn stdin() -> Result<String> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(4 * 1024 * 1024).read_to_string(&mut text);
    read.map_err(|error| Error::usage(format!("--reason -: {error}")))?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

/// The target's own default, at most an hour, shown before anything is sent.
fn default_duration(ctx: &Ctx, target: &TargetName, view: &TargetView) -> Result<Duration> {
    let duration = crate::client::default_duration(view)?;
    ctx.ui
        .note(&format!("For {duration}, the default of {target} (--for changes it)."));
    Ok(duration)
}

/// A refusal with what to type instead, from what was typed.
fn explained(ctx: &Ctx, desk: &Desk, error: Error, new: &NewRequest) -> Error {
    let mut error = error;
    if !ctx.ui.is_json() {
        error.message = desk.words().in_words(&error.message);
    }
    let problem = error.problem.as_deref();
    match error.wire_code() {
        Some(Code::PolicyOverCap) => {
            let cap = problem
                .and_then(|p| p.cap_s)
                .and_then(|cap| Duration::from_secs(cap).ok());
            match cap.filter(|cap| cap.secs() < new.duration_s) {
                Some(cap) => error.try_(again(new, cap)),
                None if new.extend => {
                    error.hint(format!("nothing is left; when it is over: jit request {}", new.target))
                }
                None => error,
            }
        }
        Some(Code::RequestDiffers) => {
            let other = problem.and_then(|p| p.request.clone());
            let other = other.and_then(|id| crate::domain::id::RequestId::parse(&id).ok());
            let Some(other) = other else { return error };
            let Ok(view) = desk.backend.request(other.as_str()) else {
                return error;
            };
            note_both(ctx, desk, &view, new);
            error.try_(match (view.state.as_str(), view.start) {
                ("pending", _) => format!("jit wait {other}, or jit cancel {other}"),
                (_, Some(_)) => format!("jit drop {other}, which gives it up"),
                (_, None) => format!("jit wait {other}"),
            })
        }
        Some(Code::TargetAmbiguous) if problem.is_none_or(|p| p.nearest.is_empty()) => {
            error.try_(format!("jit targets {}/", new.target))
        }
        Some(Code::GrantNotLive) if new.extend => error.try_(format!("jit request {}{}", new.target, behalf(new))),
        Some(Code::GrantNarrowedOtherwise) => error.try_(format!("jit drop {}", new.target)),
        _ => error,
    }
}

/// What is there already beside what is asked.
fn note_both(ctx: &Ctx, desk: &Desk, view: &RequestView, new: &NewRequest) {
    let words = desk.words();
    let line = |what: &str, target: &str, duration_s, start, only: &[String]| {
        let (length, from) = (span(duration_s), from(start, &words));
        format!("{what:<10}{target}  {length}{from}{}", narrowed(only))
    };
    let there = line(&view.state, &view.target, view.duration_s, view.start, &view.only);
    ctx.ui.note(&there);
    let asked = line("asked", &new.target, new.duration_s, new.start, &new.only);
    ctx.ui.note(&asked);
}

/// The same command for another duration.
fn again(new: &NewRequest, duration: Duration) -> String {
    let ticket = new
        .ticket
        .as_ref()
        .map_or_else(String::new, |ticket| format!(" --ticket {ticket}"));
    let reason = quoted(&new.reason);
    let at = new.start.map_or_else(String::new, |start| format!(" --at {start}"));
    let (verb, behalf) = (if new.extend { "extend" } else { "request" }, behalf(new));
    format!(
        "jit {verb} {}{behalf} --for {duration}{at} --reason {reason}{ticket}",
        new.target
    )
}

/// The flag that says for whom.
fn behalf(new: &NewRequest) -> String {
    let who = new.on_behalf_of.as_deref();
    who.map_or_else(String::new, |who| format!(" --on-behalf-of {}", quoted(who)))
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

fn note_filed(ctx: &Ctx, desk: &Desk, new: &NewRequest, filed: &Filed) {
    let request = &filed.request;
    match filed.outcome {
        Outcome::Filed => ctx.ui.note(&format!(
            "{}  {} ({})  {}{}{}{}{}",
            request.id,
            request.target,
            account_line(&request.title, &request.account_name, &request.account),
            length(request),
            from(request.start, &desk.words()),
            narrowed(&request.only),
            for_whom(request),
            request
                .ticket
                .as_ref()
                .map_or_else(String::new, |ticket| format!("  {ticket}"))
        )),
        Outcome::Joined => {
            let ago = desk.words().ago(request.filed_at);
            ctx.ui.note(&format!("Joined {} (filed {ago}).", request.id));
            say_ticket_is_lost(ctx, new, request);
        }
        Outcome::Covered => {
            let words = desk.words();
            let end = request.grant.as_ref().and_then(|grant| grant.ends_at);
            let until = end.map_or_else(String::new, |end| {
                format!(" until {} ({} left)", words.at(end), words.left(end))
            });
            let is_own = desk.picked.session.person == request.beneficiary.id;
            let who = if is_own {
                "You hold"
            } else {
                &format!("{} holds", request.beneficiary.called())
            };
            ctx.ui
                .note_marked(State::Live, &format!("{who} {}{until}.", request.target));
        }
    }
}

/// What is joined stays as it was filed: its approvers read its ticket, not the one that was given now.
fn say_ticket_is_lost(ctx: &Ctx, new: &NewRequest, joined: &RequestView) {
    let Some(given) = new
        .ticket
        .as_ref()
        .filter(|given| joined.ticket.as_ref() != Some(given))
    else {
        return;
    };
    let has = joined.ticket.as_deref().unwrap_or("no ticket");
    ctx.ui.warn(
        &format!("{} was filed with {has}; {given} was not added", joined.id),
        &format!("jit cancel {}, then ask again", joined.id),
    );
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
