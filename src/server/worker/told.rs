//! What was told of access that jit did not give, and of accounts that somebody holds access in and that are not theirs to
//! have any more: once, until it is over. Owns that a start, or another replica, tells nothing anew: the evidence has it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::reconcile::Place;
use crate::domain::{Actor, Change, Timestamp};
use crate::server::backend::Backend;
use crate::server::failure::Failure;

/// What was told.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Who has something somewhere, and until when it stays at least.
    drift: BTreeMap<(Place, String), Option<Timestamp>>,
    /// Memberships in accounts that left.
    left: BTreeSet<String>,
}

impl Told {
    /// All of it that was ever told. What is over since is left out once it is looked at.
    pub(super) async fn read(backend: &Backend) -> Result<Self, Failure> {
        let mut told = Self::default();
        for line in backend.store.told().await? {
            let Some(payload) = line.payload.as_ref() else { continue };
            let word = |name: &str| payload["details"][name].as_str().unwrap_or_default().to_owned();
            if line.kind == "drift.found" {
                let key = ((word("arn"), word("account")), word("user"));
                told.drift.insert(key, Timestamp::parse(&word("stays_until")).ok());
            } else {
                told.left.insert(word("membership"));
            }
        }
        Ok(told)
    }

    /// Tells that somebody has what jit did not give, unless it was told. It stays until `until` at least, where that is
    /// given.
    pub(super) async fn tell(
        &mut self,
        backend: &Backend,
        key: &(Place, String),
        until: Option<Timestamp>,
    ) -> Result<(), Failure> {
        if self.drift.contains_key(key) {
            return Ok(());
        }
        let ((arn, account), user) = key;
        tracing::warn!(arn, account, user, "access that jit did not give");
        let mut details = json!({ "arn": arn, "account": account, "user": user });
        if let Some(until) = until {
            details["stays_until"] = Value::String(until.to_string());
        }
        let change = Change::new(backend.now(), "drift.found", Actor::Backend, None, Vec::new(), details);
        backend.commit(&change).await?;
        self.drift.insert(key.clone(), until);
        Ok(())
    }

    /// Whether it stays, whatever policy says: nobody was looking when it came, so whoever gave it is given time.
    pub(super) fn is_given_time(&self, key: &(Place, String), now: Timestamp) -> bool {
        let until = self.drift.get(key).copied().flatten();
        until.is_some_and(|until| now < until)
    }

    /// It is over: should it come again, it is told again.
    pub(super) fn forget(&mut self, key: &(Place, String)) {
        self.drift.remove(key);
    }

    /// The same of all that is not to be kept.
    pub(super) fn retain(&mut self, is_kept: impl Fn(&(Place, String)) -> bool) {
        self.drift.retain(|key, _| is_kept(key));
    }

    /// Whether it is news that the membership's account left.
    pub(super) fn is_news(&self, membership: &str) -> bool {
        !self.left.contains(membership)
    }

    /// That was told.
    pub(super) fn note_left(&mut self, membership: &str) {
        self.left.insert(membership.to_owned());
    }

    /// The account is back.
    pub(super) fn note_back(&mut self, membership: &str) {
        self.left.remove(membership);
    }

    /// Those that nobody holds any more are news should somebody hold them again.
    pub(super) fn retain_held(&mut self, is_held: impl Fn(&str) -> bool) {
        self.left.retain(|name| is_held(name));
    }
}
