//! What each event does under a lock, as a table; and whom and what a lock bears on.

use super::table::{END_MS, START_MS, case, cell, holds};
use crate::domain::apply;
use crate::domain::case::Case;
use crate::domain::event::Event;
use crate::domain::grant::GrantState;
use crate::domain::lock::{Lift, Lock, Scope};
use crate::domain::samples::{at, device, person};
use crate::domain::text::{Reason, TargetName};

/// Under a lock on the target.
const LOCKED: &str = "\
event          | scheduled | granting | active | revoking | ended | failed
activate       | ended(locked) | - | - | - | - | -
verified       | - | revoking(locked) +take | - | - | - | -
mint           | no: access.locked | no: access.locked | no: access.locked | no: access.locked | no: access.locked | no: access.locked
drop           | ended(dropped) | revoking(dropped) +take | revoking(dropped) +take | - | no: grant.not_live | no: grant.not_live
end            | - | revoking(expired) +take | revoking(expired) +take | - | - | -
taken          | - | - | - | ended(dropped) | - | -
";

fn lock_on(scope: Scope) -> Lock {
    Lock {
        scope,
        bound_to: None,
        by: person(3),
        reason: Reason::parse("enough").unwrap(),
        since: at(1),
        lifting: None,
        lifted: None,
        version: 1,
    }
}

#[test]
fn locked_grant_follows_its_table() {
    let (during, end) = (at(START_MS), at(END_MS));
    let mint = Event::Mint {
        by: person(1),
        device: device(1),
        until: end,
    };
    let events = [
        ("activate", during, Event::Activate),
        ("verified", at(END_MS - 1), Event::Verified { before: during }),
        ("mint", at(END_MS - 1), mint),
        ("drop", during, Event::Drop { by: person(1) }),
        ("end", end, Event::End),
        ("taken", end, Event::Taken),
    ];
    use GrantState::{Active, Ended, Failed, Granting, Revoking, Scheduled};
    let states = [Scheduled, Granting, Active, Revoking, Ended, Failed];
    let cases = states.map(|state| {
        let mut case = case(state);
        case.locks = vec![lock_on(Scope::Target(case.grant.as_ref().unwrap().target.clone()))];
        (state.to_string(), case)
    });
    holds(LOCKED, &events, &cases);
}

/// Whom and what a lock is on decides what it stands in the way of.
#[test]
fn lock_bears_on_who_asks_has_and_approves() {
    let target = case(GrantState::Scheduled).grant.unwrap().target;
    let other = TargetName::parse("db").unwrap();
    let is_stopped = |scope: &Scope, event: &Event, state: GrantState| {
        let mut case = case(state);
        case.locks = vec![lock_on(scope.clone())];
        let plain = cell(apply(
            at(START_MS),
            &Case {
                locks: vec![],
                ..case.clone()
            },
            event,
        ));
        cell(apply(at(START_MS), &case, event)) != plain
    };
    let mint = Event::Mint {
        by: person(1),
        device: device(1),
        until: at(END_MS),
    };
    for (scope, stops_activation, stops_mint) in [
        (Scope::All, true, true),
        (Scope::Target(target), true, true),
        (Scope::Person(person(1)), true, true),
        (Scope::Person(person(2)), true, false),
        (Scope::Person(person(3)), false, false),
        (Scope::Target(other), false, false),
        (
            Scope::bound(&case(GrantState::Scheduled).request.unwrap().body.binding),
            true,
            true,
        ),
    ] {
        let activation = is_stopped(&scope, &Event::Activate, GrantState::Scheduled);
        let minting = is_stopped(&scope, &mint, GrantState::Active);
        assert_eq!((activation, minting), (stops_activation, stops_mint), "{scope}");
    }
    let lifted = Lock {
        lifted: Some(Lift {
            by: person(3),
            at: at(2),
        }),
        ..lock_on(Scope::All)
    };
    let mut free = case(GrantState::Active);
    free.locks = vec![lifted];
    assert_eq!(cell(apply(at(START_MS), &free, &mint)), "active");
}
