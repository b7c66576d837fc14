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
    let (mut view, mut attempts) = (view, Attempts::default());
    while !is_reached(&view, goal)? {
        let lost = |error: &Error| ctx.ui.note(&format!("{error}; trying again"));
        match waiting.next(lost).map_err(|error| stays_open(error, &view))? {
            Next::Changed(changed) => {
                view = *changed;
                if let Some(line) = view.grant.as_ref().and_then(|grant| attempts.line(grant)) {
                    ctx.ui.note(&line);
                }
                seen(&view)?;
            }
            Next::TooLate => return Err(too_late(&view)),
        }
    }
    Ok(view)
}

/// What was said of attempts that failed.
#[derive(Debug, Default)]
struct Attempts {
    last_error: Option<String>,
}

impl Attempts {
    /// Says that the provider did not do it yet, and why: a wait that says nothing looks like one that hangs. The same
    /// error is said in full once, and counted ever more seldom after that.
    fn line(&mut self, grant: &GrantView) -> Option<String> {
        let (attempts, error) = (grant.attempts, grant.last_error.as_ref()?);
        if attempts == 0 {
            return None;
        }
        if self.last_error.as_ref() != Some(error) {
            self.last_error = Some(error.clone());
            let line = format!("attempt {attempts} to reach the provider failed ({error}); trying again");
            return Some(line);
        }
        let is_told = attempts.is_power_of_two();
        is_told.then(|| format!("attempt {attempts} failed in the same way; trying again"))
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
    let who = by.map_or_else(|| "an approver".to_owned(), |d| d.by.called());
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn failed(attempts: u32, error: &str) -> GrantView {
        serde_json::from_value(json!({
            "id": "grt_000000000001", "request": "req_000000000001", "target": "prod", "state": "granting", "only": [],
            "beneficiary": {"id": "usr_000000000001", "name": "alice"}, "activated_at": null, "ends_at": null,
            "last_credential_at": null, "renews": false, "ended_at": null, "cause": null, "detail": null,
            "attempts": attempts, "last_error": error, "next_attempt_at": null, "end_is_enforced": true,
        }))
        .unwrap()
    }

    #[test]
    fn same_failed_attempt_is_said_ever_more_seldom() {
        let mut attempts = Attempts::default();
        let mut said: Vec<String> = (0..=40).filter_map(|n| attempts.line(&failed(n, "no key"))).collect();
        assert_eq!(
            said.remove(0),
            "attempt 1 to reach the provider failed (no key); trying again"
        );
        let counted = |line: &String| line.split(' ').nth(1).unwrap().parse::<u32>().unwrap();
        assert_eq!(said.iter().map(counted).collect::<Vec<_>>(), [2, 4, 8, 16, 32]);
        assert!(said.iter().all(|line| line.len() < 60), "{said:?}");
        let other = attempts.line(&failed(41, "throttled")).unwrap();
        assert!(other.contains("(throttled)"), "{other}");
    }
}
