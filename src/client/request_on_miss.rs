//! A miss that asks for access by itself, for a profile that says so.
//! Owns when it asks again. Refuses to wait for a person, and to ask for more than the target's default.

use std::time::{Duration, Instant};

use super::account::{Client, Picked};
use super::backend::{Backend, Deadline};
use super::credential::{Minted, no_live_grant};
use super::named::{listed_at, means};
use crate::domain::id::RequestId;
use crate::domain::refusal::Code;
use crate::domain::text::{Reason, TargetName};
use crate::domain::time::{Duration as Span, Timestamp};
use crate::error::{Error, Result};
use crate::wire::{NewRequest, RequestView, TargetView};

/// What was answered "no", withdrawn or ended early is not asked for again by a program before this, in seconds.
const AGAIN_AFTER_S: u32 = 15 * 60;
/// No default is longer, in seconds.
const LONGEST_DEFAULT_S: u32 = 3_600;
/// What must be left of the limit to wait once more for access that policy gave: the shortest wait, and a mint.
const ONE_MORE_WAIT: Duration = Duration::from_millis(1_700);

/// What a miss asks with.
#[derive(Clone, Debug)]
pub struct OnMiss {
    reason: Reason,
}

impl OnMiss {
    /// With a reason of one's own, or with one that says what asks.
    ///
    /// # Errors
    /// Exit 2 for a reason that is none.
    pub fn new(target: &TargetName, reason: Option<&str>) -> Result<Self> {
        let reason = match reason {
            Some(own) => Reason::parse(own)?,
            None => Reason::parse(&by_itself(target, Some(&machine())))
                .or_else(|_| Reason::parse(&by_itself(target, None)))?,
        };
        Ok(Self { reason })
    }
}

/// Said to whoever decides: nobody typed a reason.
fn by_itself(target: &TargetName, machine: Option<&str>) -> String {
    let on = machine.map_or_else(String::new, |machine| format!(" on {machine}"));
    format!("asked by an AWS tool{on}, through the profile jit-{target}")
}

fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The target's own default, at most an hour.
///
/// # Errors
/// Exit 8 where the backend's default is no duration.
pub fn default_duration(target: &TargetView) -> Result<Span> {
    Ok(Span::from_secs(target.default_duration_s.min(LONGEST_DEFAULT_S))?)
}

impl Client {
    /// Files the request, once; a credential where policy approves and access is there within the limit.
    pub(super) fn asked(
        &self,
        backend: &Backend,
        picked: &Picked,
        target: &TargetName,
        on_miss: &OnMiss,
        deadline: Deadline,
    ) -> Result<Minted> {
        let (all, person) = (backend.requests(false, None)?.requests, &picked.session.person);
        let is_own = |r: &&RequestView| means(target, r) && r.beneficiary.id == *person && r.requester.id == *person;
        let last = all.iter().find(is_own);
        if let Some(what) = last.and_then(|last| refused_lately(last, backend.now())) {
            let message = format!("{target} was {what}, and is not asked for again");
            return Err(Error::of(Code::GrantNotLive, message).try_(format!("jit request {target}")));
        }
        let targets = backend.targets(None)?.targets;
        let found = listed_at(&targets, target).map(|at| &targets[at]);
        // what is known by an alias here goes by its own name afterwards
        let own = target.family();
        let is_own = |t: &&TargetView| t.name == own.as_ref().unwrap_or(target).as_str();
        let found = found.filter(is_own).ok_or_else(|| no_live_grant(target))?;
        let new = NewRequest {
            target: target.to_string(),
            duration_s: default_duration(found)?.secs(),
            reason: on_miss.reason.to_string(),
            ..NewRequest::default()
        };
        // whoever saw the same last request files the same one, on whichever machine
        let after = last.and_then(|last| RequestId::parse(&last.id).ok());
        let key = format!("on-miss:{target}:{}", after.as_ref().map_or("first", RequestId::as_str));
        match backend.file_once(&new, key) {
            Ok(filed) => self.given_at_once(backend, target, filed.request, deadline),
            Err(error) if error.wire_code() == Some(Code::IdempotencyReused) => {
                let message = format!("{target} was asked for on another machine");
                Err(Error::of(Code::GrantNotLive, message).try_("jit status"))
            }
            Err(error) => Err(error),
        }
    }

    /// Policy may have approved: then access is there in a moment. A person is never waited for.
    fn given_at_once(
        &self,
        backend: &Backend,
        target: &TargetName,
        filed: RequestView,
        Deadline(deadline): Deadline,
    ) -> Result<Minted> {
        let mut view = filed;
        loop {
            let id = RequestId::parse(&view.id)
                .map_err(|_| super::http::foreign(backend.origin(), "its request has no id"))?;
            let state = view.grant.as_ref().map_or("", |grant| grant.state.as_str());
            let wait = format!("jit wait {id}");
            if view.state == "pending" {
                return Err(Error::of(Code::GrantNotLive, format!("{target} was asked for")).try_(wait));
            }
            match state {
                "active" => return self.minted_on(backend, target),
                "scheduled" | "granting" => {}
                _ => return Err(Error::of(Code::GrantNotLive, format!("{target} was not given")).try_(wait)),
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left < ONE_MORE_WAIT {
                return Err(Error::of(Code::GrantNotLive, format!("{target} is being given")).try_(wait));
            }
            if let Some(changed) = backend.request_changed(id.as_str(), &view.version, Duration::from_secs(1))? {
                view = changed;
            }
        }
    }
}

/// Somebody said that this access shall not be, a short while ago: how.
fn refused_lately(last: &RequestView, now: Timestamp) -> Option<&'static str> {
    let decided = last.decisions.last().map(|decision| decision.at);
    let grant = last.grant.as_ref();
    let (what, at) = match (last.state.as_str(), grant.map(|grant| grant.state.as_str())) {
        ("denied", _) => ("denied", decided.unwrap_or(last.filed_at)),
        ("cancelled", _) => ("withdrawn", last.filed_at),
        ("expired", _) => ("asked for in vain", last.expires_at),
        ("approved", Some("failed")) => ("approved and not given", decided.unwrap_or(last.filed_at)),
        ("approved", Some("revoking" | "ended")) => {
            let grant = grant?;
            let what = match grant.cause.as_deref() {
                Some("dropped") => "given back",
                Some("revoked") => "revoked",
                Some("refused") => "refused",
                Some("failed") => "approved and not given",
                // its time was over, or the target has changed: the next request is a new one
                _ => return None,
            };
            (what, grant.ended_at.or(decided).unwrap_or(last.filed_at))
        }
        _ => return None,
    };
    (now.since(at) < AGAIN_AFTER_S).then_some(what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Before;
    use serde_json::json;

    fn target() -> TargetName {
        TargetName::parse("prod-admin").unwrap()
    }

    #[test]
    fn reason_of_a_program_says_that_nobody_typed_it() {
        assert_eq!(
            by_itself(&target(), Some("box7")),
            "asked by an AWS tool on box7, through the profile jit-prod-admin"
        );
        let odd = OnMiss::new(&target(), None).unwrap().reason.to_string();
        assert!(odd.starts_with("asked by an AWS tool"), "{odd}");
    }

    fn ended(state: &str, cause: Option<&str>) -> RequestView {
        let person = json!({"id": "usr_000000000001", "name": "alice"});
        let grant = cause.map(|cause| {
            json!({
                "id": "grt_000000000001", "request": "req_000000000001", "target": "prod-admin", "beneficiary": person,
                "state": "ended", "only": [], "activated_at": null, "ends_at": null, "last_credential_at": null,
                "renews": false, "ended_at": "1970-01-01T01:00:00Z", "cause": cause, "detail": null, "attempts": 0,
                "last_error": null, "next_attempt_at": null, "end_is_enforced": true,
            })
        });
        serde_json::from_value(json!({
            "id": "req_000000000001", "version": "1", "digest": "", "body": "", "state": state, "requester": person,
            "beneficiary": person, "target": "prod-admin", "title": "", "account_name": "", "account": "",
            "role_arn": "", "duration_s": 60, "reason": "x", "only": [], "automatic": false,
            "filed_at": "1970-01-01T01:00:00Z", "expires_at": "1970-01-01T01:00:00Z", "stages": [], "decisions": [],
            "grant": grant, "before": Before::default(), "chain": false,
        }))
        .unwrap()
    }

    #[test]
    fn what_was_refused_is_left_alone_for_a_while() {
        let (soon, later) = (Timestamp::from_millis(4_499_000), Timestamp::from_millis(4_500_000));
        for (state, cause) in [
            ("denied", None),
            ("cancelled", None),
            ("expired", None),
            ("approved", Some("dropped")),
            ("approved", Some("revoked")),
            ("approved", Some("failed")),
        ] {
            let last = ended(state, cause);
            assert!(refused_lately(&last, soon).is_some(), "{state} {cause:?}");
            assert_eq!(refused_lately(&last, later), None, "{state} {cause:?}");
        }
        assert_eq!(refused_lately(&ended("approved", Some("expired")), soon), None);
    }

    #[test]
    fn reason_that_is_none_is_refused() {
        assert_eq!(OnMiss::new(&target(), Some("  ")).unwrap_err().exit.code(), 2);
        assert_eq!(
            OnMiss::new(&target(), Some("deploys")).unwrap().reason.to_string(),
            "deploys"
        );
    }
}
