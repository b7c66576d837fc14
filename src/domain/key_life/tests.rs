//! Key lives played through, one by one and by the thousand.

mod looks;

use proptest::prelude::*;

use super::super::change::{Change, Row};
use super::super::issuer_key::{key_made, key_missed, key_published, key_removed, key_retired, keys_revoked};
use super::*;
use crate::domain::Actor;

const US: &str = "https://jit.acme.example";
const DAY: i64 = 86_400;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + secs * 1000)
}

fn period(days: u32) -> Duration {
    Duration::from_secs(days * 86_400).unwrap()
}

fn a_key(number: u64, issuer: &str, now: Timestamp) -> IssuerKey {
    IssuerKey {
        id: KeyId::parse(&format!("{number:0>43}")).unwrap(),
        number,
        issuer: issuer.to_owned(),
        x: "x".to_owned(),
        y: "y".to_owned(),
        sealed: Some("v1.".to_owned()),
        made_at: now,
        published_at: None,
        retired_at: None,
        removed_at: None,
        version: 1,
    }
}

/// Keys as a store keeps them, and what was ever signed with them.
struct World {
    now: Timestamp,
    issuer: &'static str,
    period: Duration,
    keys: Vec<IssuerKey>,
    /// What the last look found.
    seen: Vec<KeyId>,
    /// The number of the key, and when the last token of it ends.
    tokens: Vec<(u64, Timestamp)>,
}

impl World {
    fn new(days: u32) -> Self {
        Self {
            now: at(0),
            issuer: US,
            period: period(days),
            keys: Vec::new(),
            seen: Vec::new(),
            tokens: Vec::new(),
        }
    }

    fn life(&self) -> KeyLife<'_> {
        KeyLife::new(self.issuer, &self.keys)
    }

    fn write(&mut self, change: &Change) {
        for row in &change.rows {
            let Row::IssuerKey(new) = row else { continue };
            match self.keys.iter_mut().find(|key| key.id == new.id) {
                Some(old) => {
                    assert_eq!(old.version + 1, new.version);
                    *old = new.as_ref().clone();
                }
                None => self.keys.push(new.as_ref().clone()),
            }
        }
    }

    fn make(&mut self) {
        let number = u64::try_from(self.keys.len()).unwrap() + 1;
        let key = a_key(number, self.issuer, self.now);
        self.write(&key_made(self.now, Actor::Backend, key, serde_json::json!({})));
    }

    fn key(&self, id: &KeyId) -> IssuerKey {
        self.keys.iter().find(|key| key.id == *id).unwrap().clone()
    }

    /// What the worker does in a minute.
    fn tick(&mut self) {
        for due in self.life().due(self.now, self.period, &self.seen) {
            match due {
                Due::Make => self.make(),
                Due::Retire(id) => {
                    let retired = self.key(&id);
                    self.write(&key_retired(self.now, &retired));
                    let signing = self.life().signing(self.now);
                    let is_seen = signing.is_none_or(|key| self.seen.contains(&key.id));
                    assert!(is_seen || retired.issuer != self.issuer, "nobody sees what takes over");
                }
                Due::Remove(id) => {
                    let key = self.key(&id);
                    for (_, end) in self.tokens.iter().filter(|(number, _)| *number == key.number) {
                        assert!(
                            later(*end, AFTER_S) <= self.now,
                            "a token of {} may be good",
                            key.number
                        );
                    }
                    self.write(&key_removed(self.now, &key));
                }
            }
        }
    }

    /// Everybody can fetch what we have now.
    fn publish(&mut self) {
        let unseen: Vec<IssuerKey> = self
            .life()
            .to_publish()
            .filter(|key| key.published_at.is_none())
            .cloned()
            .collect();
        for key in unseen {
            self.write(&key_published(self.now, &key));
        }
        self.seen = self.life().to_publish().map(|key| key.id.clone()).collect();
    }

    /// What is published is that of a while ago.
    fn roll_back(&mut self) {
        let waiting: Vec<IssuerKey> = self.life().waiting(self.now).cloned().collect();
        self.seen.retain(|id| waiting.iter().all(|key| key.id != *id));
        for key in waiting.iter().filter(|key| key.published_at.is_some()) {
            self.write(&key_missed(self.now, key));
        }
    }

    fn sign(&mut self) {
        let Some(key) = self.life().signing(self.now).cloned() else {
            return;
        };
        let published = key.published_at.expect("nothing unpublished signs");
        let others = |other: &&IssuerKey| other.issuer == key.issuer && other.number < key.number;
        let others_ended = self
            .keys
            .iter()
            .filter(others)
            .all(|other| other.retired_at.is_some_and(|at| at <= key.made_at));
        let waited = later(published, DAY) <= self.now;
        assert!(waited || others_ended, "key {} signs too early", key.number);
        assert!(key.sealed.is_some() && key.issuer == self.issuer);
        self.tokens.push((key.number, later(self.now, i64::from(TOKEN_S))));
    }

    fn revoke(&mut self, which: usize) {
        let standing: Vec<IssuerKey> = self
            .keys
            .iter()
            .filter(|key| key.removed_at.is_none())
            .cloned()
            .collect();
        if let Some(key) = standing.get(which % standing.len().max(1)) {
            self.write(&keys_revoked(
                self.now,
                Actor::Operator,
                &[key],
                None,
                serde_json::json!({}),
            ));
        }
    }

    /// The numbers of the keys that everybody can fetch.
    fn published(&self) -> Vec<u64> {
        self.life().to_publish().map(|key| key.number).collect()
    }

    fn states(&self) -> Vec<&'static str> {
        let life = self.life();
        self.keys.iter().map(|key| life.state(self.now, key).as_str()).collect()
    }
}

#[test]
fn first_key_signs_as_soon_as_it_is_published() {
    let mut world = World::new(30);
    world.tick();
    assert_eq!((world.states(), world.life().signing(world.now)), (vec!["made"], None));
    world.publish();
    assert_eq!(world.states(), ["in use"]);
    assert_eq!(world.life().due(world.now, world.period, &world.seen), []);
}

#[test]
fn next_key_is_made_and_published_before_it_signs() {
    let mut world = World::new(30);
    world.tick();
    world.publish();
    world.now = at(28 * DAY - 1);
    assert_eq!(world.life().due(world.now, world.period, &world.seen), []);
    world.now = at(28 * DAY);
    world.tick();
    assert_eq!(world.states(), ["in use", "made"]);
    world.publish();
    assert_eq!(world.states(), ["in use", "published"]);
    world.now = at(29 * DAY - 1);
    assert_eq!(world.states(), ["in use", "published"]);
    world.now = at(29 * DAY);
    world.tick();
    assert_eq!(world.states(), ["retired", "in use"]);
    world.now = at(29 * DAY + 419);
    world.tick();
    assert_eq!(world.states(), ["retired", "in use"]);
    assert_eq!(world.published(), [1, 2], "its last token may still be good");
    world.now = at(29 * DAY + 420);
    world.tick();
    assert_eq!(world.states(), ["removed", "in use"]);
    assert_eq!(world.published(), [2]);
    assert_eq!(world.keys[0].sealed, None);
}

#[test]
fn key_that_nobody_publishes_never_signs() {
    let mut world = World::new(30);
    world.tick();
    world.publish();
    world.now = at(28 * DAY);
    world.tick();
    world.now = at(400 * DAY);
    world.tick();
    assert_eq!(world.states(), ["in use", "made"], "one next key is enough");
}

#[test]
fn store_without_a_key_left_begins_anew() {
    let mut world = World::new(30);
    world.tick();
    world.publish();
    world.revoke(0);
    assert_eq!(world.states(), ["removed"]);
    world.now = at(60);
    world.tick();
    assert_eq!(world.life().signing(world.now), None);
    world.publish();
    assert_eq!(world.states(), ["removed", "in use"]);
}

#[test]
fn key_waits_its_day_although_the_one_before_is_revoked() {
    let mut world = World::new(30);
    world.tick();
    world.publish();
    world.now = at(60);
    world.make();
    world.publish();
    world.now = at(120);
    world.revoke(0);
    assert_eq!(world.states(), ["removed", "published"]);
    world.now = at(60 + DAY - 1);
    assert_eq!(world.states(), ["removed", "published"]);
    world.now = at(60 + DAY);
    assert_eq!(world.states(), ["removed", "in use"]);
}

#[test]
fn keys_of_another_address_are_retired() {
    let mut world = World::new(30);
    world.tick();
    world.publish();
    world.issuer = "https://elsewhere.example";
    world.tick();
    assert_eq!(world.states(), ["retired", "made"]);
    assert_eq!(
        world.keys[0].retired_at,
        Some(world.now),
        "though none signs in its place"
    );
    assert_eq!(world.published(), [2]);
    world.publish();
    assert_eq!(world.states(), ["retired", "in use"]);
    world.issuer = US;
    assert_eq!(world.life().signing(world.now), None, "what is retired stays so");
}

#[test]
fn first_key_of_an_address_does_not_wait_for_those_of_another() {
    let mut world = World::new(30);
    world.tick();
    world.publish();
    world.issuer = "https://elsewhere.example";
    // by hand, before the worker has looked: the other one is not retired
    world.make();
    world.publish();
    assert_eq!(world.life().signing(world.now).map(|key| key.number), Some(2));
}

#[derive(Clone, Debug)]
enum Step {
    Wait(i64),
    Tick,
    Publish,
    RollBack,
    Fail,
    Sign,
    Rotate,
    Revoke(usize),
    Move,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => prop_oneof![1..600_i64, 1..3 * DAY].prop_map(Step::Wait),
        6 => Just(Step::Tick),
        4 => Just(Step::Publish),
        1 => Just(Step::RollBack),
        1 => Just(Step::Fail),
        6 => Just(Step::Sign),
        1 => Just(Step::Rotate),
        1 => (0..9_usize).prop_map(Step::Revoke),
        1 => Just(Step::Move),
    ];
    prop::collection::vec(step, 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn no_history_signs_too_early_or_removes_too_soon(days in 1..60_u32, steps in steps()) {
        let mut world = World::new(days);
        for step in steps {
            match step {
                Step::Wait(secs) => world.now = later(world.now, secs),
                Step::Tick => world.tick(),
                Step::Publish => world.publish(),
                Step::RollBack => world.roll_back(),
                Step::Fail => world.seen.clear(),
                Step::Sign => world.sign(),
                Step::Rotate if world.life().next(world.now).is_none() => world.make(),
                Step::Rotate => {}
                Step::Revoke(which) => world.revoke(which),
                Step::Move => world.issuer = if world.issuer == US { "https://elsewhere.example" } else { US },
            }
            for (number, end) in &world.tokens {
                let key = &world.keys[usize::try_from(*number).unwrap() - 1];
                let is_ours = key.issuer == world.issuer && key.removed_at.is_none();
                prop_assert!(!is_ours || *end < world.now || world.published().contains(number));
            }
            let in_use = world.states().iter().filter(|state| **state == "in use").count();
            prop_assert!(in_use <= 1);
            let waiting = world.keys.iter().filter(|key| {
                let state = world.life().state(world.now, key);
                matches!(state, KeyState::Made | KeyState::Published)
            });
            prop_assert!(waiting.count() <= 1, "one next key is enough");
        }
    }
}
