//! Locks: what stands still for a person, on a target, or everywhere, until somebody lifts it.
//! Owns how a lock is set and lifted, and what it bears on. Refuses to know who may: policy says that.

#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::case::Case;
use super::change::{Actor, Change, Effect, Row};
use super::decision::Verdict;
use super::id::PersonId;
use super::refusal::Refusal;
use super::request::Body;
use super::target::Binding;
use super::text::{Reason, TargetName};
use super::time::Timestamp;

/// What stands still.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// Everything of everybody.
    All,
    /// Whatever a person does and has.
    Person(PersonId),
    /// Whatever is on a target.
    Target(TargetName),
    /// Whatever is bound to one role, or to one permission set in one account, by whatever target. Nobody locks it by
    /// itself: it is what a lock on a target bears on beside the target's name.
    Bound(String),
}

impl Scope {
    /// All that is bound as `binding` is.
    pub fn bound(binding: &Binding) -> Self {
        Self::bound_in(binding.account(), binding)
    }

    /// The same in the account of this id, where the binding is one for many.
    pub fn bound_in(account: &str, binding: &Binding) -> Self {
        Self::Bound(format!("{account}/{}", binding.arn()))
    }
}

impl Scope {
    /// Locks on these bear on a target: on itself, and on the one that has the accounts of which it names one.
    pub fn of_target(target: &TargetName) -> impl Iterator<Item = Self> {
        std::iter::once(target.clone()).chain(target.family()).map(Self::Target)
    }

    /// Whether a lock on this bears on `target`.
    pub fn is_on(&self, target: &TargetName) -> bool {
        Self::of_target(target).any(|scope| scope == *self)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Person(id) => write!(f, "person:{id}"),
            Self::Target(name) => write!(f, "target:{name}"),
            Self::Bound(to) => write!(f, "bound:{to}"),
        }
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> String {
        scope.to_string()
    }
}

impl TryFrom<String> for Scope {
    type Error = Refusal;
    fn try_from(text: String) -> Result<Self, Refusal> {
        match text.split_once(':') {
            None if text == "all" => Ok(Self::All),
            Some(("person", id)) => PersonId::parse(id).map(Self::Person),
            Some(("target", name)) => TargetName::parse(name).map(Self::Target),
            Some(("bound", to)) => Ok(Self::Bound(to.to_owned())),
            None | Some(_) => Err(Refusal::BadId {
                given: text.chars().take(40).collect(),
            }),
        }
    }
}

/// Who lifted a lock, or said that it may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lift {
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

/// A lock. One row for each scope: set again, the same row goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// On what.
    pub scope: Scope,
    /// What the target was bound to when it was set: whatever else is bound alike is the same access, and locked with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound_to: Option<Scope>,
    /// Who set it.
    pub by: PersonId,
    /// Why.
    pub reason: Reason,
    /// Since when.
    pub since: Timestamp,
    /// The first of the two who lift the lock on everything.
    pub lifting: Option<Lift>,
    /// It stands unless it was lifted.
    pub lifted: Option<Lift>,
    /// Version of the row; 1 when new.
    pub version: u64,
}

impl Lock {
    /// Whether it holds.
    pub fn stands(&self) -> bool {
        self.lifted.is_none()
    }

    /// Whether it bears on `scope`.
    pub fn is_on(&self, scope: &Scope) -> bool {
        self.scope == *scope || self.bound_to.as_ref() == Some(scope)
    }

    /// What it says to whatever it stands in the way of.
    pub fn refusal(&self) -> Refusal {
        Refusal::Locked {
            scope: self.scope.clone(),
            by: self.by.clone(),
            reason: self.reason.to_string(),
            since: self.since,
        }
    }
}

/// Locks on these stand in the way of asking for `body`, which is the same access as `same`.
pub fn asking(body: &Body, same: &[TargetName]) -> Vec<Scope> {
    let mut scopes = receiving(body, same);
    scopes.push(Scope::Person(body.requester.clone()));
    scopes
}

/// Locks on these stand in the way of having `body`'s access, which is the same as that of `same`.
pub fn receiving(body: &Body, same: &[TargetName]) -> Vec<Scope> {
    let mut scopes = vec![
        Scope::All,
        Scope::Person(body.beneficiary.clone()),
        Scope::bound(&body.binding),
    ];
    scopes.extend(Scope::of_target(&body.target));
    scopes.extend(same.iter().flat_map(Scope::of_target));
    scopes
}

/// Locks on these stand in the way of `by` deciding on `body`, which is the same access as `same`.
pub fn deciding(body: &Body, same: &[TargetName], by: &PersonId) -> Vec<Scope> {
    let mut scopes = asking(body, same);
    scopes.push(Scope::Person(by.clone()));
    scopes
}

/// Locks on these stand in the way of activating `case`: who is locked has not approved anything.
pub fn activating(case: &Case) -> Vec<Scope> {
    let approvals = case.decisions.iter().filter(|vote| vote.verdict == Verdict::Approve);
    let approvers = approvals.map(|vote| Scope::Person(vote.by.clone()));
    let asked = case.request.iter();
    let asked = asked.flat_map(|request| asking(&request.body, &request.frozen.same_access));
    asked.chain(approvers).collect()
}

/// What somebody wants to stand still.
#[derive(Clone, Copy, Debug)]
pub struct NewLock<'a> {
    /// What.
    pub scope: &'a Scope,
    /// What that is bound to now, where it is a target.
    pub bound_to: Option<&'a Scope>,
    /// Who.
    pub by: &'a PersonId,
    /// Why.
    pub reason: &'a Reason,
}

/// Sets a lock. One that stands already is left as it is; only a lift that had begun is taken back, and what the target is
/// bound to by now is locked too.
pub fn set(now: Timestamp, known: Option<&Lock>, new: NewLock<'_>) -> Change {
    let NewLock {
        scope,
        bound_to,
        by,
        reason,
    } = new;
    let sweep = Effect::Sweep { scope: scope.clone() };
    let standing = known.filter(|lock| lock.stands());
    if let Some(lock) = standing {
        let is_rebound = bound_to.is_some() && lock.bound_to.as_ref() != bound_to;
        if lock.lifting.is_none() && !is_rebound {
            return Change::default();
        }
        let kept = Lock {
            bound_to: bound_to.or(lock.bound_to.as_ref()).cloned(),
            lifting: None,
            version: lock.version + 1,
            ..lock.clone()
        };
        let change = change(now, "lock.kept", by, kept, reason.as_str());
        return if is_rebound {
            change.with_effect(now, sweep)
        } else {
            change
        };
    }
    let lock = Lock {
        scope: scope.clone(),
        bound_to: bound_to.cloned(),
        by: by.clone(),
        reason: reason.clone(),
        since: now,
        lifting: None,
        lifted: None,
        version: known.map_or(0, |lock| lock.version) + 1,
    };
    change(now, "lock.set", by, lock, reason.as_str()).with_effect(now, sweep)
}

/// Lifts a lock for `by`, on whose device `device_people` are enrolled. The lock on everything takes two people: the
/// first is recorded. `first_is_void` where that one may not count any more.
///
/// # Errors
/// [`Refusal::NotLocked`], [`Refusal::OwnLock`], [`Refusal::SecondPerson`].
pub fn lift(
    now: Timestamp,
    known: Option<&Lock>,
    by: &PersonId,
    device_people: &[PersonId],
    first_is_void: bool,
) -> Result<Change, Refusal> {
    let lock = known.filter(|lock| lock.stands()).ok_or(Refusal::NotLocked)?;
    let mine = Lift {
        by: by.clone(),
        at: now,
    };
    match (&lock.scope, lock.lifting.as_ref().filter(|_| !first_is_void)) {
        (Scope::Person(who), _) if who == by => Err(Refusal::OwnLock),
        (Scope::Person(who), _) if device_people.contains(who) => Err(Refusal::OwnLock),
        (Scope::All, None) => {
            let next = Lock {
                lifting: Some(mine),
                version: lock.version + 1,
                ..lock.clone()
            };
            Ok(change(now, "lock.lifting", by, next, lock.reason.as_str()))
        }
        (Scope::All, Some(first)) if first.by == *by || device_people.contains(&first.by) => Err(Refusal::SecondPerson),
        (Scope::All | Scope::Person(_) | Scope::Target(_) | Scope::Bound(_), _) => {
            let next = Lock {
                lifted: Some(mine),
                version: lock.version + 1,
                ..lock.clone()
            };
            Ok(change(now, "lock.lifted", by, next, lock.reason.as_str()))
        }
    }
}

fn change(now: Timestamp, kind: &str, by: &PersonId, lock: Lock, reason: &str) -> Change {
    let details = json!({ "scope": lock.scope, "reason": reason });
    Change::new(
        now,
        kind,
        Actor::Person(by.clone()),
        None,
        vec![Row::Lock(lock)],
        details,
    )
}
