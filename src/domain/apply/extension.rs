//! An extension: counted from the old end, bound to it, gone with what it extends.

use super::world::{Provider, World};
use crate::domain::apply;
use crate::domain::change::{Change, Effect, Row};
use crate::domain::event::{Event, Filing};
use crate::domain::grant::{EndCause, GrantState};
use crate::domain::id::{GrantId, RequestId};
use crate::domain::refusal::Refusal;
use crate::domain::request::{Extends, RequestState};
use crate::domain::samples::{at, filing, person, secs, vote};
use crate::domain::time::Timestamp;

/// Request 1: an hour, given at 0. The cap is two hours.
fn given() -> World {
    let mut world = World::new();
    let mut first = filing(1);
    first.automatic = true;
    world
        .play(at(0), &RequestId::from_bits(1), &Event::File(Box::new(first)))
        .unwrap();
    world.tick(Provider::Works, 0);
    world.tick(Provider::Works, 0);
    assert_eq!(state(&world, 1), GrantState::Active);
    world
}

fn state(world: &World, n: u64) -> GrantState {
    world.grants[&GrantId::from_bits(n)].state
}

fn ends(world: &World, n: u64) -> Timestamp {
    world.grants[&GrantId::from_bits(n)].ends_at.unwrap()
}

/// Request 2: `minutes` more of what request 1 gave.
fn extension(world: &World, minutes: u32) -> Filing {
    let mut asked = filing(2);
    asked.body.duration = secs(minutes * 60);
    asked.body.extends = Some(Extends {
        grant: GrantId::from_bits(1),
        ends_at: ends(world, 1),
    });
    asked
}

fn file(world: &mut World, asked: Filing) -> Result<Change, Refusal> {
    let id = asked.body.id.clone();
    world.play(world.now, &id, &Event::File(Box::new(asked)))
}

fn approve(world: &mut World) -> Result<Change, Refusal> {
    let id = RequestId::from_bits(2);
    let yes = vote(2, &world.requests[&id].digest, 2);
    world.play(world.now, &id, &Event::Decide(Box::new(yes)))
}

fn work(world: &mut World) {
    world.tick(Provider::Works, 0);
    world.tick(Provider::Works, 0);
}

#[test]
fn extension_ends_its_duration_after_the_old_end() {
    let mut world = given();
    world.now = at(600_000);
    let asked = extension(&world, 30);
    file(&mut world, asked).unwrap();
    approve(&mut world).unwrap();
    work(&mut world);
    assert_eq!((state(&world, 1), ends(&world, 1)), (GrantState::Active, at(3_600_000)));
    assert_eq!((state(&world, 2), ends(&world, 2)), (GrantState::Active, at(5_400_000)));
    world.now = at(3_600_000);
    work(&mut world);
    assert_eq!(
        (state(&world, 1), state(&world, 2)),
        (GrantState::Ended, GrantState::Active)
    );
}

#[test]
fn extension_beyond_the_cap_says_what_is_left() {
    let mut world = given();
    let asked = extension(&world, 61);
    let refused = file(&mut world, asked).unwrap_err();
    let Refusal::OverCapExtended { left, cap_ends_at, .. } = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((left, cap_ends_at), (Some(secs(3600)), at(7_200_000)));
    let asked = extension(&world, 60);
    file(&mut world, asked).unwrap();
    approve(&mut world).unwrap();
    work(&mut world);
    let mut third = filing(3);
    third.body.duration = secs(1);
    third.body.extends = Some(Extends {
        grant: GrantId::from_bits(2),
        ends_at: ends(&world, 2),
    });
    let refused = file(&mut world, third).unwrap_err();
    assert!(
        matches!(refused, Refusal::OverCapExtended { left: None, .. }),
        "{refused:?}"
    );
}

#[test]
fn extension_of_what_is_not_live_is_refused() {
    let mut world = given();
    let asked = extension(&world, 10);
    let mut other_end = asked.clone();
    other_end.body.extends.as_mut().unwrap().ends_at = at(9_000_000);
    let mut other_grant = asked.clone();
    other_grant.body.extends.as_mut().unwrap().grant = GrantId::from_bits(9);
    let mut of_another = asked.clone();
    of_another.body.beneficiary = person(3);
    for wrong in [other_end, other_grant, of_another] {
        let refused = file(&mut world, wrong).unwrap_err();
        assert!(matches!(refused, Refusal::NothingToExtend { .. }), "{refused:?}");
    }
    world.now = at(3_600_000);
    let refused = file(&mut world, asked).unwrap_err();
    assert!(matches!(refused, Refusal::NothingToExtend { .. }), "{refused:?}");
}

#[test]
fn extension_that_is_pending_is_joined_by_the_same_only() {
    let mut world = given();
    let asked = extension(&world, 30);
    file(&mut world, asked.clone()).unwrap();
    let mut again = asked.clone();
    again.body.id = RequestId::from_bits(3);
    assert_eq!(file(&mut world, again).unwrap(), Change::default());
    let mut longer = asked.clone();
    (longer.body.id, longer.body.duration) = (RequestId::from_bits(3), secs(60));
    assert!(matches!(file(&mut world, longer), Err(Refusal::Differs { .. })));
    let mut anew = asked;
    (anew.body.id, anew.body.extends, anew.body.duration) = (RequestId::from_bits(3), None, secs(7_000));
    assert!(matches!(file(&mut world, anew), Err(Refusal::Differs { .. })));
}

#[test]
fn late_approval_ends_when_it_said_and_waits_no_longer() {
    let mut world = given();
    let asked = extension(&world, 30);
    file(&mut world, asked).unwrap();
    let pending = &world.requests[&RequestId::from_bits(2)];
    assert_eq!(pending.expires_at, at(3_600_000), "the workflow's own hour");
    let mut short = given();
    let asked = extension(&short, 1);
    short.now = at(1_800_000);
    file(&mut short, asked).unwrap();
    let pending = &short.requests[&RequestId::from_bits(2)];
    assert_eq!(pending.expires_at, at(3_660_000), "nothing would be left to give");
    short.now = at(3_630_000);
    work(&mut short);
    approve(&mut short).unwrap();
    work(&mut short);
    assert_eq!((state(&short, 2), ends(&short, 2)), (GrantState::Active, at(3_660_000)));
}

#[test]
fn late_extension_counts_towards_the_cap_from_the_beginning() {
    let mut world = given();
    let asked = extension(&world, 50);
    world.now = at(3_000_000);
    file(&mut world, asked).unwrap();
    // what it extends is over by then, and no second row of two hours begins
    world.now = at(4_200_000);
    work(&mut world);
    approve(&mut world).unwrap();
    work(&mut world);
    assert_eq!((state(&world, 2), ends(&world, 2)), (GrantState::Active, at(6_600_000)));
    let mut third = filing(3);
    third.body.duration = secs(11 * 60);
    third.body.extends = Some(Extends {
        grant: GrantId::from_bits(2),
        ends_at: ends(&world, 2),
    });
    let refused = file(&mut world, third.clone()).unwrap_err();
    let Refusal::OverCapExtended { left, cap_ends_at, .. } = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((left, cap_ends_at), (Some(secs(600)), at(7_200_000)));
    third.body.duration = secs(600);
    file(&mut world, third).unwrap();
}

#[test]
fn extension_of_a_grant_whose_end_was_moved_is_not_given() {
    let mut world = given();
    let asked = extension(&world, 30);
    file(&mut world, asked).unwrap();
    let extended = world.grants.get_mut(&GrantId::from_bits(1)).unwrap();
    extended.ends_at = Some(at(5_000_000));
    let refused = approve(&mut world).unwrap_err();
    assert!(matches!(refused, Refusal::Changed { .. }), "{refused:?}");
}

#[test]
fn drop_ends_the_extension_with_what_it_extends() {
    let mut world = given();
    let asked = extension(&world, 30);
    file(&mut world, asked).unwrap();
    approve(&mut world).unwrap();
    work(&mut world);
    let dropped = world
        .play(at(1), &RequestId::from_bits(1), &Event::Drop { by: person(1) })
        .unwrap();
    let grant = GrantId::from_bits(2);
    assert!(dropped.effects.contains(&(at(1), Effect::End { grant })));
    world.now = at(1);
    work(&mut world);
    let extension = &world.grants[&GrantId::from_bits(2)];
    assert_eq!(
        (extension.state, extension.cause),
        (GrantState::Ended, Some(EndCause::Dropped))
    );
}

/// Both were decided on the same state: whichever is committed second is at a version that is gone, and is decided again.
#[test]
fn extension_and_drop_in_one_instant_exclude_each_other() {
    for automatic in [false, true] {
        let mut world = given();
        let drop = Event::Drop { by: person(1) };
        let ended = apply(world.now, &world.case(&RequestId::from_bits(1)), &drop).unwrap();
        let mut asked = extension(&world, 30);
        asked.automatic = automatic;
        let filed = file(&mut world, asked).unwrap();
        let base = |change: &Change| {
            let rows = change.rows.iter();
            let mut versions = rows.filter_map(|row| match row {
                Row::Grant(grant) if grant.id == GrantId::from_bits(1) => Some(grant.version),
                _ => None,
            });
            versions.next().unwrap()
        };
        assert_eq!(base(&ended), base(&filed), "{automatic}");
        // the drop looks again, and takes the extension with it
        world.play(world.now, &RequestId::from_bits(1), &drop).unwrap();
        work(&mut world);
        let over = !automatic && world.requests[&RequestId::from_bits(2)].state == RequestState::Cancelled;
        assert!(
            over || automatic && state(&world, 2) == GrantState::Ended,
            "{automatic}"
        );
    }
}

#[test]
fn pending_extension_is_withdrawn_with_what_it_extends() {
    let mut world = given();
    let asked = extension(&world, 30);
    file(&mut world, asked).unwrap();
    world
        .play(at(1), &RequestId::from_bits(1), &Event::Drop { by: person(1) })
        .unwrap();
    assert!(matches!(approve(&mut world), Err(Refusal::ExtendedOver { .. })));
    world.now = at(1);
    work(&mut world);
    assert_eq!(world.requests[&RequestId::from_bits(2)].state, RequestState::Cancelled);
}

#[test]
fn extension_approved_while_its_grant_is_dropped_is_not_given() {
    let mut world = given();
    let asked = extension(&world, 30);
    file(&mut world, asked).unwrap();
    approve(&mut world).unwrap();
    world
        .play(at(1), &RequestId::from_bits(1), &Event::Drop { by: person(1) })
        .unwrap();
    let case = world.case(&RequestId::from_bits(2));
    let change = apply(at(1), &case, &Event::Activate).unwrap();
    let grant = change.grant().unwrap();
    assert_eq!((grant.state, grant.cause), (GrantState::Ended, Some(EndCause::Dropped)));
}
