//! Locks: what stands still for a person, on a target, or everywhere, until somebody lifts it.
//! Owns how a lock is set and lifted, and what it bears on. Refuses to know who may: policy says that.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::case::Case;
use super::change::{Actor, Change, Effect, Row};
use super::decision::Verdict;
use super::id::PersonId;
use super::refusal::Refusal;
use super::request::Body;
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

/// Locks on these stand in the way of asking for `body`.
pub fn asking(body: &Body) -> Vec<Scope> {
    let mut scopes = receiving(body);
    scopes.push(Scope::Person(body.requester.clone()));
    scopes
}

/// Locks on these stand in the way of having `body`'s access.
pub fn receiving(body: &Body) -> Vec<Scope> {
    let mut scopes = vec![Scope::All, Scope::Person(body.beneficiary.clone())];
    scopes.extend(Scope::of_target(&body.target));
    scopes
}

/// Locks on these stand in the way of `by` deciding on `body`.
pub fn deciding(body: &Body, by: &PersonId) -> Vec<Scope> {
    let mut scopes = asking(body);
    scopes.push(Scope::Person(by.clone()));
    scopes
}

/// Locks on these stand in the way of activating `case`: who is locked has not approved anything.
pub fn activating(case: &Case) -> Vec<Scope> {
    let approvals = case.decisions.iter().filter(|vote| vote.verdict == Verdict::Approve);
    let approvers = approvals.map(|vote| Scope::Person(vote.by.clone()));
    let asked = case.request.iter().flat_map(|request| asking(&request.body));
    asked.chain(approvers).collect()
}

/// Sets a lock for `by`. One that stands already is left as it is; only a lift that had begun is taken back.
pub fn set(now: Timestamp, known: Option<&Lock>, scope: &Scope, by: &PersonId, reason: &Reason) -> Change {
    let standing = known.filter(|lock| lock.stands());
    if let Some(lock) = standing {
        if lock.lifting.is_none() {
            return Change::default();
        }
        let kept = Lock {
            lifting: None,
            version: lock.version + 1,
            ..lock.clone()
        };
        return change(now, "lock.kept", by, kept, reason.as_str());
    }
    let lock = Lock {
        scope: scope.clone(),
        by: by.clone(),
        reason: reason.clone(),
        since: now,
        lifting: None,
        lifted: None,
        version: known.map_or(0, |lock| lock.version) + 1,
    };
    let sweep = Effect::Sweep { scope: scope.clone() };
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
        (Scope::All | Scope::Person(_) | Scope::Target(_), _) => {
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

#[cfg(test)]
mod tests {
    use super::super::samples::{at, person};
    use super::*;

    fn reason() -> Reason {
        Reason::parse("laptop stolen").unwrap()
    }

    fn row(change: &Change) -> Lock {
        match change.rows.as_slice() {
            [Row::Lock(lock)] => lock.clone(),
            other => panic!("no lock: {other:?}"),
        }
    }

    fn locked(scope: &Scope) -> Lock {
        row(&set(at(0), None, scope, &person(1), &reason()))
    }

    #[test]
    fn scope_reads_back_from_its_text() {
        for scope in [
            Scope::All,
            Scope::Person(person(7)),
            Scope::Target(TargetName::parse("prod-admin").unwrap()),
        ] {
            assert_eq!(Scope::try_from(scope.to_string()), Ok(scope));
        }
        for bad in ["", "everything", "person:alice", "target:", "role:x", "all:x"] {
            assert!(Scope::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn lock_that_stands_is_not_set_twice() {
        let scope = Scope::Person(person(2));
        let first = set(at(0), None, &scope, &person(1), &reason());
        assert_eq!(first.effects, [(at(0), Effect::Sweep { scope: scope.clone() })]);
        let again = set(at(1), Some(&row(&first)), &scope, &person(3), &reason());
        assert_eq!(again, Change::default());
    }

    #[test]
    fn lock_set_again_after_its_lift_goes_on_in_its_row() {
        let scope = Scope::Person(person(2));
        let lifted = row(&lift(at(1), Some(&locked(&scope)), &person(1), &[], false).unwrap());
        assert!(!lifted.stands());
        let again = row(&set(at(2), Some(&lifted), &scope, &person(3), &reason()));
        assert_eq!(
            (again.version, again.since, again.lifted, again.by),
            (3, at(2), None, person(3))
        );
    }

    #[test]
    fn nobody_lifts_the_lock_on_themselves() {
        let lock = locked(&Scope::Person(person(2)));
        assert_eq!(lift(at(1), Some(&lock), &person(2), &[], false), Err(Refusal::OwnLock));
        let shared = lift(at(1), Some(&lock), &person(3), &[person(3), person(2)], false);
        assert_eq!(shared, Err(Refusal::OwnLock));
    }

    #[test]
    fn lock_on_everything_is_lifted_by_two_people() {
        let first = row(&lift(at(1), Some(&locked(&Scope::All)), &person(1), &[], false).unwrap());
        assert!(first.stands());
        let same = lift(at(2), Some(&first), &person(1), &[], false);
        assert_eq!(same, Err(Refusal::SecondPerson));
        let device = lift(at(2), Some(&first), &person(2), &[person(1), person(2)], false);
        assert_eq!(device, Err(Refusal::SecondPerson));
        let second = row(&lift(at(2), Some(&first), &person(2), &[person(2)], false).unwrap());
        assert_eq!(second.lifted.unwrap().by, person(2));
    }

    #[test]
    fn first_of_two_counts_no_more_once_void_or_locked_again() {
        let first = row(&lift(at(1), Some(&locked(&Scope::All)), &person(1), &[], false).unwrap());
        let instead = row(&lift(at(2), Some(&first), &person(2), &[], true).unwrap());
        assert_eq!((instead.stands(), instead.lifting.unwrap().by), (true, person(2)));
        let kept = row(&set(at(3), Some(&first), &Scope::All, &person(3), &reason()));
        assert_eq!((kept.lifting, kept.since, kept.by), (None, at(0), person(1)));
    }

    #[test]
    fn what_is_not_locked_is_not_lifted() {
        assert_eq!(lift(at(1), None, &person(1), &[], false), Err(Refusal::NotLocked));
    }
}
