//! Setting and lifting, and what a lock bears on.

use super::super::samples::{at, body, person};
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

fn set(now: Timestamp, known: Option<&Lock>, scope: &Scope, by: u64) -> Change {
    let (by, reason) = (&person(by), &reason());
    let bound_to = None;
    super::set(
        now,
        known,
        NewLock {
            scope,
            bound_to,
            by,
            reason,
        },
    )
}

fn locked(scope: &Scope) -> Lock {
    row(&set(at(0), None, scope, 1))
}

#[test]
fn scope_reads_back_from_its_text() {
    for scope in [
        Scope::All,
        Scope::Person(person(7)),
        Scope::Target(TargetName::parse("prod-admin").unwrap()),
        Scope::bound(&body(1).binding),
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
    let first = set(at(0), None, &scope, 1);
    assert_eq!(first.effects, [(at(0), Effect::Sweep { scope: scope.clone() })]);
    let again = set(at(1), Some(&row(&first)), &scope, 3);
    assert_eq!(again, Change::default());
}

#[test]
fn lock_set_again_after_its_lift_goes_on_in_its_row() {
    let scope = Scope::Person(person(2));
    let lifted = row(&lift(at(1), Some(&locked(&scope)), &person(1), &[], false).unwrap());
    assert!(!lifted.stands());
    let again = row(&set(at(2), Some(&lifted), &scope, 3));
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
    let kept = row(&set(at(3), Some(&first), &Scope::All, 3));
    assert_eq!((kept.lifting, kept.since, kept.by), (None, at(0), person(1)));
}

#[test]
fn what_is_not_locked_is_not_lifted() {
    assert_eq!(lift(at(1), None, &person(1), &[], false), Err(Refusal::NotLocked));
}

#[test]
fn lock_on_a_target_bears_on_what_is_bound_alike() {
    let (body, scope) = (body(1), Scope::Target(TargetName::parse("dev-too").unwrap()));
    let bound = Scope::bound(&body.binding);
    let (by, reason) = (&person(1), &reason());
    let new = |bound_to| NewLock {
        scope: &scope,
        bound_to,
        by,
        reason,
    };
    let lock = row(&super::set(at(0), None, new(Some(&bound))));
    assert!(receiving(&body, &[]).iter().any(|scope| lock.is_on(scope)));
    let old = row(&super::set(at(0), None, new(None)));
    assert!(!receiving(&body, &[]).iter().any(|scope| old.is_on(scope)));
    // set again, it bears on what the target is bound to by now
    let again = super::set(at(1), Some(&old), new(Some(&bound)));
    assert_eq!(row(&again).bound_to, Some(bound.clone()));
    assert_eq!(again.effects, [(at(1), Effect::Sweep { scope: scope.clone() })]);
    assert_eq!(super::set(at(2), Some(&lock), new(Some(&bound))), Change::default());
}
