//! The miss of `credential_process`: one flight, a remembered failure, an end in under 4 s.
//! Owns the order: cache, lock, cache again, backend. Refuses to ask a person anything, and to file a request unless told.

use std::time::{Duration, Instant};

use hot::{Account, Entry, Failure, Json, State};

use super::account::{Client, cache_problem};
use super::backend::Deadline;
use super::credential::no_live_grant;
use super::identity_center::is_provisioning;
use super::named::means;
use super::request_on_miss::OnMiss;
use crate::domain::refusal::Code;
use crate::domain::text::TargetName;
use crate::error::{Error, Exit, Result};
use crate::wire::RequestView;

/// The whole command, below the 5 s that the AWS SDK for Rust gives.
const LIMIT: Duration = Duration::from_millis(3_800);
/// Longest wait for whoever fetches already.
const LOCK_LIMIT: Duration = Duration::from_secs(3);
/// For so long a failure is given again without asking.
const REMEMBERED: u64 = 3_000;

impl Client {
    /// The JSON for stdout.
    ///
    /// # Errors
    /// One line that names the command to type; exit codes as everywhere.
    pub fn credential_process(&self, target: &TargetName, on_miss: Option<&OnMiss>) -> Result<Json> {
        self.entry_or_ask(target, on_miss).map(|entry| entry.json)
    }

    /// A credential that works now, from the cache or minted.
    pub(super) fn entry(&self, target: &TargetName) -> Result<Entry> {
        self.entry_or_ask(target, None)
    }

    /// The same; where nothing is live or on its way, the request is filed.
    fn entry_or_ask(&self, target: &TargetName, on_miss: Option<&OnMiss>) -> Result<Entry> {
        let deadline = Deadline(Instant::now() + LIMIT);
        self.check_chain(target)?;
        let account = self.account()?;
        if let Some(answer) = self.cached(&account, target)? {
            return answer;
        }
        let meant = self.meant_within(target.clone(), Some(deadline))?;
        if meant != *target {
            self.check_chain(&meant)?;
            if let Some(answer) = self.cached(&account, &meant)? {
                return answer;
            }
        }
        let target = &meant;
        // a lock that cannot be had (a read-only home, 3 s) is gone without: the backend merges who asks together
        let held = self.cache.lock(&account, target.as_str(), LOCK_LIMIT);
        if let Err(problem @ hot::Problem::Refused { .. }) = held {
            return Err(cache_problem(problem));
        }
        if let Some(answer) = self.cached(&account, target)? {
            return answer;
        }
        if matches!(held, Ok(Some(_))) {
            self.sweep_held(&account, target);
        }
        let old = self.cache.read(&account, target.as_str()).ok();
        let old = old.filter(|old| old.facts.state(self.now_ms()) != State::Dead);
        // what still works is no miss
        let on_miss = on_miss.filter(|_| old.is_none());
        match self.fetched(&account, target, on_miss, deadline) {
            Ok(entry) => Ok(entry),
            Err(error) => {
                self.remember(&account, target, &error);
                // better than nothing when it cannot be renewed
                old.ok_or(error)
            }
        }
    }

    /// A profile whose program asks for the same once more would ask for ever.
    fn check_chain(&self, target: &TargetName) -> Result<()> {
        if hot::chain_names(&|name| self.env.os(name), target.as_str()) {
            let message = format!("{target} asks for itself through a profile of jit");
            return Err(Error::configuration(message).try_("unset AWS_PROFILE"));
        }
        Ok(())
    }

    /// What is over goes, although AWS may still take it: whoever calls holds the lock.
    fn sweep_held(&self, account: &Account, target: &TargetName) {
        let is_over = |entry: &Entry| entry.facts.state(self.now_ms()) == State::Dead;
        if self
            .cache
            .read(account, target.as_str())
            .is_ok_and(|entry| is_over(&entry))
            && let Err(problem) = self.cache.remove(account, target.as_str())
        {
            tracing::warn!(%problem, "what is over stays in the cache");
        }
    }

    /// What the cache alone can answer: a fresh credential, or a failure of a moment ago.
    fn cached(&self, account: &Account, target: &TargetName) -> Result<Option<Result<Entry>>> {
        let now_ms = self.now_ms();
        let failure = || self.cache.failure(account, target.as_str(), now_ms);
        match self.cache.read(account, target.as_str()) {
            Ok(entry) => match entry.facts.state(now_ms) {
                State::Fresh => return Ok(Some(Ok(entry))),
                State::Stale => return Ok(failure().map(|_| Ok(entry))),
                State::Dead => {}
            },
            Err(problem @ (hot::Problem::Refused { .. } | hot::Problem::RelativeRoot(_))) => {
                return Err(cache_problem(problem));
            }
            Err(_) => {}
        }
        Ok(failure().map(|failure| Err(remembered(&failure))))
    }

    fn fetched(
        &self,
        account: &Account,
        target: &TargetName,
        on_miss: Option<&OnMiss>,
        deadline: Deadline,
    ) -> Result<Entry> {
        let (picked, backend) = self.signed_in()?;
        backend.set_deadline(deadline);
        let result = match self.minted_for(&backend, target) {
            Err(Missing::Nothing) => match on_miss {
                Some(on_miss) => self.asked(&backend, &picked, target, on_miss, deadline),
                None => Err(no_live_grant(target)),
            },
            Err(Missing::Because(error)) => Err(error),
            Ok(minted) => Ok(minted),
        };
        self.keep_clock(&picked, &backend);
        let minted = result?;
        let target = &minted.target;
        if let Err(problem) = self.cache.write(account, target.as_str(), &minted.entry) {
            // the credential is good although it could not be kept (a full disk, a read-only home)
            tracing::warn!(%problem, "the credential was not cached");
        }
        self.note_live(account, backend.offset_ms(), target, minted.grant_ends_at);
        Ok(minted.entry)
    }

    /// From the live grant that ends last; where there is none, what is on its way.
    fn minted_for(
        &self,
        backend: &super::Backend,
        target: &TargetName,
    ) -> std::result::Result<super::credential::Minted, Missing> {
        match self.minted_on(backend, target) {
            Err(error) if error.exit == Exit::Gone && !is_the_answer(&error) => {
                let open = backend.requests(true, None).map_err(Missing::Because)?.requests;
                Err(waiting(&open, target).map_or(Missing::Nothing, Missing::Because))
            }
            minted => minted.map_err(Missing::Because),
        }
    }

    fn remember(&self, account: &Account, target: &TargetName, error: &Error) {
        let failure = Failure {
            until_ms: self.now_ms().saturating_add(REMEMBERED),
            exit: error.exit.code(),
            code: error.code.clone(),
            message: error.message.clone(),
            hint: error.hint.clone(),
        };
        if let Err(problem) = self.cache.remember_failure(account, target.as_str(), &failure) {
            tracing::warn!(%problem, "the failure was not remembered");
        }
    }

    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.clock.now().millis()).unwrap_or(0)
    }
}

/// No such target, another one than was approved, or a grant that is live and cannot be used yet: what is on its way is not
/// the answer.
fn is_the_answer(error: &Error) -> bool {
    let is_about_the_target = matches!(error.wire_code(), Some(Code::RequestChanged | Code::TargetNotFound));
    is_about_the_target || is_provisioning(error)
}

/// Why there is no credential.
enum Missing {
    /// Nothing is live and nothing is on its way.
    Nothing,
    /// What is to be said.
    Because(Error),
}

/// No live grant: is something on its way?
fn waiting(open: &[RequestView], target: &TargetName) -> Option<Error> {
    let ours = open.iter().filter(|request| means(target, request));
    for request in ours {
        let Ok(id) = crate::domain::id::RequestId::parse(&request.id) else {
            continue;
        };
        let is_coming = request
            .grant
            .as_ref()
            .is_some_and(|g| matches!(g.state.as_str(), "scheduled" | "granting"));
        if request.state == "pending" || is_coming {
            let what = if is_coming {
                "is being given"
            } else {
                "waits for approval"
            };
            return Some(Error::of(Code::GrantNotLive, format!("{target} {what}")).try_(format!("jit wait {id}")));
        }
    }
    None
}

fn remembered(failure: &Failure) -> Error {
    let exit = crate::error::Exit::ALL
        .iter()
        .map(|(exit, _)| *exit)
        .find(|exit| exit.code() == failure.exit)
        .unwrap_or(Exit::Unexpected);
    Error {
        hint: failure.hint.clone(),
        ..Error::new(exit, failure.code.clone(), failure.message.clone())
    }
}

/// Message and command on one line: AWS tools show it as it is, and some deadlock on more.
pub fn one_line(error: &Error) -> String {
    hot::joined(&error.message, error.hint.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_is_one_line_with_the_command() {
        let target = TargetName::parse("prod-admin").unwrap();
        assert_eq!(
            one_line(&no_live_grant(&target)),
            "no live grant for prod-admin: run  jit request prod-admin"
        );
        assert_eq!(one_line(&Error::signed_out()), "signed out: run  jit login");
    }

    #[test]
    fn remembered_failure_is_the_same_failure() {
        let failure = Failure {
            until_ms: 0,
            exit: 10,
            code: "grant.not_live".into(),
            message: "no live grant for prod-admin".into(),
            hint: Some("try: jit request prod-admin".into()),
        };
        let (again, first) = (
            remembered(&failure),
            no_live_grant(&TargetName::parse("prod-admin").unwrap()),
        );
        assert_eq!((again.exit, &again.code), (first.exit, &first.code));
        assert_eq!((again.message, again.hint), (first.message, first.hint));
    }
}
