//! Following a request until it is live, over, or refused: shared by `request`, `wait` and `status --watch`.
//! Owns which end is which exit code. Refuses to call a refusal anything else.

use std::time::Duration;

use serde::Serialize;

use super::context::Ctx;
use crate::client::{Backend, Next, Waiting};
use crate::domain::id::RequestId;
use crate::error::{Error, Exit, Result};
use crate::ui::short_id;
use crate::wire::{GrantView, Outcome, RequestView};

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Goal {
    /// Everybody has decided
    Approved,
    /// Access is live
    Active,
    /// Access is over
    Ended,
}

/// One line of `-o json`.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    #[serde(flatten)]
    request: &'a RequestView,
}

/// Prints a request as one JSON object, with `-o json`.
pub(super) fn print_json(ctx: &Ctx, request: &RequestView, outcome: Option<Outcome>) -> Result<()> {
    if ctx.ui.is_json() {
        ctx.ui.json("jit/request/1", &Line { outcome, request })?;
    }
    Ok(())
}

/// Waits from `view` on until `goal`; hands each new version to `seen`.
pub(super) fn follow(
    ctx: &Ctx,
    backend: &Backend,
    view: RequestView,
    goal: Goal,
    limit: Option<Duration>,
    mut seen: impl FnMut(&RequestView) -> Result<()>,
) -> Result<RequestView> {
    let mut waiting = Waiting::from(backend, &view, limit)?;
    let mut view = view;
    while !is_reached(&view, goal)? {
        let lost = |error: &Error| ctx.ui.note(&format!("{error}; trying again"));
        match waiting.next(lost).map_err(|error| stays_open(error, &view))? {
            Next::Changed(changed) => {
                view = *changed;
                note_attempt(ctx, &view);
                seen(&view)?;
            }
            Next::TooLate => return Err(too_late(&view)),
        }
    }
    Ok(view)
}

/// Says that the provider did not do it yet, and why: a wait that says nothing looks like one that hangs.
fn note_attempt(ctx: &Ctx, view: &RequestView) {
    let doing = view.grant.as_ref().filter(|grant| grant.attempts > 0);
    if let Some((grant, error)) = doing.and_then(|grant| Some((grant, grant.last_error.as_ref()?))) {
        let attempts = grant.attempts;
        ctx.ui.note(&format!(
            "attempt {attempts} to reach the provider failed ({error}); trying again"
        ));
    }
}

/// Whether `goal` is reached; an error where it never will be.
fn is_reached(view: &RequestView, goal: Goal) -> Result<bool> {
    match (view.state.as_str(), &view.grant) {
        ("denied", _) => Err(denied(view)),
        ("cancelled", _) => Err(over(Exit::Gone, "request.cancelled", view, "was cancelled")),
        ("expired", _) => Err(over(
            Exit::TooLate,
            "request.expired",
            view,
            "expired without a decision",
        )),
        ("approved", Some(grant)) => is_given(view, grant, goal),
        _ => Ok(false),
    }
}

fn is_given(view: &RequestView, grant: &GrantView, goal: Goal) -> Result<bool> {
    match (grant.state.as_str(), goal) {
        ("scheduled" | "granting" | "active", Goal::Approved) | ("active", Goal::Active) | ("ended", Goal::Ended) => {
            Ok(true)
        }
        ("failed", _) => Err(not_given(view, grant)),
        ("revoking" | "ended", Goal::Active | Goal::Approved) => Err(ended(view, grant)),
        _ => Ok(false),
    }
}

fn over(exit: Exit, code: &str, view: &RequestView, what: &str) -> Error {
    Error::new(exit, code, format!("{} {what}", short_id(&view.id)))
}

fn denied(view: &RequestView) -> Error {
    let by = view.decisions.iter().rev().find(|d| d.verdict == "deny");
    let who = by.map_or("an approver", |d| d.by.name.as_str());
    let comment = by.and_then(|d| d.comment.as_ref());
    let said = comment.map_or_else(String::new, |comment| format!(": \"{comment}\""));
    Error::new(Exit::Denied, "request.denied", format!("denied by {who}{said}"))
}

/// Approved, but the provider said no.
fn not_given(view: &RequestView, grant: &GrantView) -> Error {
    let why = grant.detail.as_ref().or(grant.last_error.as_ref());
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    let message = format!("approved, but access to {} could not be given{why}", view.target);
    Error::new(Exit::Provider, "provider.refused", message).hint("show this to whoever runs the backend")
}

/// Over before it could be used: each cause has its exit code.
fn ended(view: &RequestView, grant: &GrantView) -> Error {
    let (exit, code) = match grant.cause.as_deref() {
        Some("refused") => (Exit::Refused, "policy.refused"),
        Some("locked") => (Exit::Refused, "access.locked"),
        Some("failed") => (Exit::Provider, "provider.refused"),
        Some("changed") => (Exit::Gone, "request.changed"),
        _ => (Exit::Gone, "grant.not_live"),
    };
    let cause = grant.cause.as_deref().unwrap_or("ended");
    let why = grant
        .detail
        .as_ref()
        .map_or_else(String::new, |detail| format!(": {detail}"));
    Error::new(
        exit,
        code,
        format!("the grant of {} is over ({cause}){why}", view.target),
    )
}

fn too_late(view: &RequestView) -> Error {
    let what = match view.state.as_str() {
        "pending" => "no decision in time",
        _ => "the timeout came first",
    };
    let message = format!("{what}: {} is {} still", short_id(&view.id), view.state);
    again(Error::new(Exit::TooLate, "request.timeout", message), view)
}

/// The interrupt key ends the wait, not the request.
fn stays_open(error: Error, view: &RequestView) -> Error {
    if error.exit != Exit::Interrupted {
        return error;
    }
    again(Error::new(error.exit, error.code, "the request stays open"), view)
}

fn again(error: Error, view: &RequestView) -> Error {
    match RequestId::parse(&view.id) {
        Ok(id) => error.try_(format!("jit wait {}", short_id(id.as_str()))),
        Err(_) => error,
    }
}

/// A limit that a flag gave.
pub(super) fn limit(timeout: Option<crate::domain::time::Duration>) -> Option<Duration> {
    timeout.map(|timeout| Duration::from_secs(u64::from(timeout.secs())))
}

/// Reads a duration from a flag.
pub(super) fn duration(text: &str) -> std::result::Result<crate::domain::time::Duration, Error> {
    crate::domain::time::Duration::parse(text).map_err(Error::from)
}
