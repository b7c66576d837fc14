//! What a look at the issuer's address takes from a key that waits, and what it lets take over.

use super::*;

#[test]
fn key_that_is_not_seen_any_more_waits_anew() {
    let mut world = World::new(30);
    world.tick();
    world.publish();
    world.make();
    world.publish();
    world.now = at(DAY / 2);
    world.roll_back();
    assert_eq!(world.states(), ["in use", "made"]);
    world.now = at(2 * DAY);
    world.tick();
    assert_eq!(world.states(), ["in use", "made"], "nobody can check what it signs");
    world.publish();
    world.tick();
    assert_eq!(world.states(), ["in use", "published"]);
    world.now = at(3 * DAY);
    world.tick();
    assert_eq!(world.states(), ["retired", "in use"]);
}

#[test]
fn key_that_the_last_look_missed_does_not_take_over() {
    let mut world = World::new(4);
    world.tick();
    world.publish();
    world.make();
    world.publish();
    world.seen.clear();
    world.now = at(9 * DAY);
    world.tick();
    assert_eq!(world.states(), ["in use", "published"], "and one next key is enough");
    world.publish();
    world.tick();
    world.tick();
    assert_eq!(world.states(), ["retired", "in use", "made"]);
}

#[test]
fn what_signs_or_will_is_known_beforehand() {
    let mut world = World::new(30);
    assert_eq!(world.life().signs(world.now), Signs::NextMade);
    world.tick();
    assert_eq!(world.life().signs(world.now), Signs::OnceSeen(&world.keys[0], 0));
    world.publish();
    assert_eq!(world.life().signs(world.now), Signs::Now(&world.keys[0]));
    world.make();
    world.now = at(60);
    world.revoke(0);
    assert_eq!(world.life().signs(world.now), Signs::OnceSeen(&world.keys[1], DAY));
    world.publish();
    assert_eq!(world.life().signs(world.now), Signs::From(&world.keys[1], at(60 + DAY)));
    world.revoke(0);
    assert_eq!(world.life().signs(world.now), Signs::NextMade);
}
