//! From what somebody typed to the target that is meant: an account of many may be called by its name.
//! Owns where such a name becomes the 12 digits under which everything else knows it: before cache and calls.
//! Refuses to choose between two.

use super::account::{Client, Picked};
use super::backend::{Backend, Deadline};
use super::http::foreign;
use crate::domain::accounts::{is_account_id, typed_name};
use crate::domain::refusal::Code;
use crate::domain::text::TargetName;
use crate::error::{Error, Result};
use crate::wire::{RequestView, TargetView};

/// So many are named where several fit.
const MOST_NAMED: usize = 3;

impl Client {
    /// The target that `typed` means. The backend is asked only where an account is called by its name.
    ///
    /// # Errors
    /// What the backend says; exit 10 where several fit.
    pub fn meant(&self, typed: TargetName) -> Result<TargetName> {
        self.meant_within(typed, None)
    }

    /// The same in the time that is left.
    pub(super) fn meant_within(&self, typed: TargetName, deadline: Option<Deadline>) -> Result<TargetName> {
        if !names_an_account(&typed) {
            return Ok(typed);
        }
        let (picked, backend) = self.signed_in()?;
        if let Some(deadline) = deadline {
            backend.set_deadline(deadline);
        }
        let meant = self.meant_at(&backend, &picked, typed);
        self.keep_clock(&picked, &backend);
        meant
    }

    /// The same, of a backend that is called anyway. What nothing open fits stays as it was typed: the backend has the
    /// answer.
    ///
    /// # Errors
    /// As `meant`.
    pub fn meant_at(&self, backend: &Backend, picked: &Picked, typed: TargetName) -> Result<TargetName> {
        if !names_an_account(&typed) {
            return Ok(typed);
        }
        let open = backend.requests(true, None)?.requests;
        let mut fitting = fitting(&open, &typed, &picked.session.person);
        match fitting.len() {
            0 => Ok(typed),
            1 => {
                TargetName::parse(fitting.remove(0)).map_err(|_| foreign(backend.origin(), "its request has no target"))
            }
            several => {
                fitting.truncate(MOST_NAMED);
                let message = format!("{several} accounts of yours are called {typed}");
                let hint = format!("name the one by its 12 digits: {}", fitting.join(", "));
                Err(Error::of(Code::TargetAmbiguous, message).hint(hint))
            }
        }
    }
}

/// Whether an account stands there by something else than its 12 digits.
pub(super) fn names_an_account(target: &TargetName) -> bool {
    target.account().is_some_and(|account| !is_account_id(account))
}

/// Whether `typed` may mean `target`: it is that, or names an account of the same.
pub(super) fn may_mean(typed: &TargetName, target: &str) -> bool {
    let is_of_the_same = || TargetName::parse(target).is_ok_and(|target| target.family() == typed.family());
    target == typed.as_str() || (names_an_account(typed) && is_of_the_same())
}

/// Whether `typed` means what `request` is on: as the backend understands it.
pub fn means(typed: &TargetName, request: &RequestView) -> bool {
    let is_called = || typed.account() == typed_name(&request.account_name).as_deref();
    request.target == typed.as_str() || (may_mean(typed, &request.target) && is_called())
}

/// The target among `targets` that `name` is, or is an account of; by its alias, too.
pub fn listed_at(targets: &[TargetView], name: &TargetName) -> Option<usize> {
    let family = name.family();
    let wanted = family.as_ref().unwrap_or(name).as_str();
    let is_meant = |t: &TargetView| {
        (t.name == wanted || t.aliases.iter().any(|a| a == wanted)) && (family.is_none() || t.accounts.is_some())
    };
    targets.iter().position(is_meant)
}

/// The targets that `typed` means: what `person` holds, else what they wait for, else what they had, else what they asked
/// for somebody else.
fn fitting<'a>(open: &'a [RequestView], typed: &TargetName, person: &str) -> Vec<&'a str> {
    let rank = |request: &RequestView| {
        let grant = request.grant.as_ref().map(|grant| grant.state.as_str());
        match (request.beneficiary.id == person, grant) {
            (true, Some("active")) => 0,
            (true, Some("revoking" | "ended" | "failed")) => 2,
            (true, _) => 1,
            (false, _) => 3,
        }
    };
    let fits = || open.iter().filter(|request| means(typed, request));
    let best = fits().map(rank).min();
    let mut names: Vec<&str> = fits()
        .filter(|request| Some(rank(request)) == best)
        .map(|request| request.target.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn name(text: &str) -> TargetName {
        TargetName::parse(text).unwrap()
    }

    fn request(target: &str, account_name: &str, of: &str, state: &str) -> RequestView {
        let person = json!({"id": of, "name": of});
        let grant = json!({
            "id": "grt_000000000001", "request": "req_000000000001", "target": target, "beneficiary": person,
            "state": state, "only": [], "activated_at": null, "ends_at": null, "last_credential_at": null,
            "renews": false, "ended_at": null, "cause": null, "detail": null, "attempts": 0, "last_error": null,
            "next_attempt_at": null, "end_is_enforced": true,
        });
        serde_json::from_value(json!({
            "id": "req_000000000001", "version": "1", "digest": "0", "body": "", "state": "approved",
            "requester": person, "beneficiary": person, "target": target, "title": "x", "account_name": account_name,
            "account": "1", "role_arn": "x", "duration_s": 3600, "reason": "x", "only": [], "automatic": false,
            "filed_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-01T00:00:00Z", "stages": [], "decisions": [],
            "grant": grant, "before": {"grants": 0, "last_at": null, "last_duration_s": null, "dropped_early": 0},
            "chain": false,
        }))
        .unwrap()
    }

    #[test]
    fn account_is_meant_by_the_name_that_was_shown() {
        let open = [
            request("ops/111122223333", "Payments Prod", "me", "active"),
            request("ops/444444444444", "Ledger", "me", "active"),
            request("admin/555555555555", "Ledger", "me", "active"),
        ];
        let found = |typed| fitting(&open, &name(typed), "me");
        assert_eq!(found("ops/payments-prod"), ["ops/111122223333"]);
        assert_eq!(found("ops/ledger"), ["ops/444444444444"]);
        assert_eq!(found("ops/444444444444"), ["ops/444444444444"]);
        assert!(found("ops/none").is_empty() && found("ops").is_empty() && found("ledger").is_empty());
        // letters that look like others name nothing
        let odd = [request("ops/111122223333", "L\u{0435}dger", "me", "active")];
        assert!(fitting(&odd, &name("ops/ledger"), "me").is_empty());
    }

    #[test]
    fn what_is_held_is_meant_before_what_is_not() {
        let mut open = vec![
            request("ops/111111111111", "Ledger", "you", "active"),
            request("ops/222222222222", "Ledger", "me", "ended"),
            request("ops/333333333333", "Ledger", "me", "granting"),
            request("ops/444444444444", "Ledger", "me", "active"),
            request("ops/444444444444", "Ledger", "me", "active"),
        ];
        let typed = name("ops/ledger");
        for expected in [
            vec!["ops/444444444444"],
            vec!["ops/333333333333"],
            vec!["ops/222222222222"],
            vec!["ops/111111111111"],
        ] {
            assert_eq!(fitting(&open, &typed, "me"), expected);
            open.retain(|request| request.target != expected[0]);
        }
        let two = [
            request("ops/222222222222", "Ledger", "me", "active"),
            request("ops/111111111111", "ledger", "me", "active"),
        ];
        assert_eq!(fitting(&two, &typed, "me"), ["ops/111111111111", "ops/222222222222"]);
    }

    #[test]
    fn only_a_name_of_an_account_may_mean_another_target() {
        assert!(may_mean(&name("ops/ledger"), "ops/444444444444"));
        for (typed, target) in [
            ("ops/111111111111", "ops/444444444444"),
            ("ops/ledger", "admin/444444444444"),
            ("ops", "ops/444444444444"),
            ("ops", "admin"),
        ] {
            assert!(!may_mean(&name(typed), target), "{typed} {target}");
        }
    }
}
