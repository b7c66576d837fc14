//! Who may lock and unlock what in the small bundle.

use super::*;
use crate::domain::Known;
use crate::policy::Subject;

fn may(bundle: &Bundle, who: &str, on: &str, lifts: bool) -> Decision {
    let (one, other) = (person(who), person(on));
    let groups = |person: &Person| bundle.catalogue().groups_of_person(person, &Known::default());
    let (groups, others) = (groups(&one), groups(&other));
    let who = Who {
        person: &one,
        groups: &groups,
        active: true,
    };
    let on = match (on, bundle.catalogue().find(on)) {
        ("everything", _) => Subject::Everything,
        (_, Some(target)) => Subject::Target(target),
        (_, None) => Subject::Person {
            person: &other,
            groups: &others,
            active: true,
        },
    };
    let (session, now) = (session(), Timestamp::from_millis(1_791_000_000_500));
    let question = match lifts {
        false => Question::Lock { who, on, session, now },
        true => Question::Unlock { who, on, session, now },
    };
    decide(bundle, &question)
}

#[test]
fn small_bundle_lets_security_lock_and_approvers_their_targets() {
    let who = ["alice", "bob", "carol", "mallory"];
    for (on, expected) in [
        ("everything", ["", "lock.everything", "lock.security", ""]),
        ("alice", ["", "", "lock.security", ""]),
        (
            "dev-admin",
            ["lock.approvers", "lock.approvers", "lock.approvers lock.security", ""],
        ),
        ("prod-admin", ["", "lock.approvers", "lock.approvers lock.security", ""]),
    ] {
        for (who, expected) in who.iter().zip(expected) {
            for lifts in [false, true] {
                let answer = may(small_bundle(), who, on, lifts);
                assert_eq!(answer.errors, Vec::<String>::new());
                assert_eq!(because(&answer).join(" "), expected, "{who} on {on}, lifts: {lifts}");
                assert_eq!(answer.allowed, !expected.is_empty());
            }
        }
    }
}

/// Locking oneself in the slice of who asks: one entity, not two.
#[test]
fn question_about_oneself_can_be_asked() {
    let answer = may(small_bundle(), "carol", "carol", false);
    assert!(answer.allowed && answer.errors.is_empty(), "{answer:#?}");
}
