//! Two hundred grants and ends at once, through a whole backend and its interface, while Identity Center throttles half of
//! the calls, loses answers and says "conflict": exactly what should be there is there, and in the end nothing of ours.

mod house;
mod play;

use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;

use self::house::{House, PEOPLE, PLACES};
use self::play::{Asked, CELLS, Cell, Fate};
use crate::fault_kill::evidence;
use crate::fault_kill::seeded::Seeded;

/// How long the storm may take on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(240);
/// Calls of the interface that are under way at once.
const AT_ONCE: usize = 40;

/// What somebody does in the storm.
enum Deed<'a> {
    Approve(&'a Asked),
    Drop(&'a Asked),
    /// Approved, and given back at once.
    Withdraw(&'a Asked),
}

impl Deed<'_> {
    fn count(&self) -> usize {
        match self {
            Self::Approve(_) | Self::Drop(_) => 1,
            Self::Withdraw(_) => 2,
        }
    }

    fn act(&self, house: &House) {
        match self {
            Self::Approve(asked) => house.approve(asked),
            Self::Drop(asked) => house.drop_grant(asked),
            Self::Withdraw(asked) => {
                house.approve(asked);
                house.drop_grant(asked);
            }
        }
    }
}

/// Does all of it, as many at once as may be; in no order that anybody chose.
fn at_once(house: &House, mut deeds: Vec<Deed<'_>>, random: &mut Seeded) {
    for at in (1..deeds.len()).rev() {
        let with = random.below(u64::try_from(at).unwrap() + 1);
        deeds.swap(at, usize::try_from(with).unwrap());
    }
    let queue = Mutex::new(deeds);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().pop();
                    match next {
                        Some(deed) => deed.act(house),
                        None => return,
                    }
                }
            });
        }
    });
}

/// Everybody's requests, filed on a quiet day: what is measured is the worker, not who asks.
fn file(house: &House) -> Vec<Cell> {
    let cells = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for person in 0..PEOPLE {
            let cells = &cells;
            scope.spawn(move || {
                for place in 0..PLACES {
                    let cell = Cell::file(house, person, place);
                    cells.lock().unwrap().push(cell);
                }
            });
        }
    });
    let mut cells = cells.into_inner().unwrap();
    cells.sort_by_key(|cell| (cell.person, cell.place));
    cells
}

/// Half of the calls are throttled; of the others some conflict, and some are done while their answer is lost.
fn storm() -> serde_json::Value {
    let change = json!(["CreateAccountAssignment", "DeleteAccountAssignment"]);
    json!([
        {"operation": change, "fault": "cut_after", "share": 0.05, "seed": 2},
        {"operation": change, "fault": "conflict", "share": 0.05, "seed": 3},
        {"operation": "sso-admin:*", "fault": "throttle", "share": 0.5, "seed": 4},
    ])
}

/// The share of throttled calls, in percent.
fn throttled(house: &House) -> u64 {
    let view = house.center.view();
    let outcomes = view["outcomes"].as_object().unwrap().values();
    let outcomes: Vec<_> = outcomes.flat_map(|of| of.as_object().unwrap()).collect();
    let count = |is_meant: &dyn Fn(&str) -> bool| -> u64 {
        let those = outcomes.iter().filter(|(outcome, _)| is_meant(outcome));
        those.map(|(_, count)| count.as_u64().unwrap()).sum()
    };
    count(&|outcome| outcome == "ThrottlingException") * 100 / count(&|_| true)
}

#[test]
fn two_hundred_grants_and_ends_at_once_leave_what_should_be_there() {
    let (mut random, seed) = Seeded::of_this_run();
    eprintln!("JIT_TEST_SEED={seed}");
    let house = House::open();
    house.others_are_there();
    let cells = file(&house);
    assert_eq!(cells.len(), CELLS);
    let before = cells.iter().flat_map(|cell| cell.live_before().map(Deed::Approve));
    at_once(&house, before.collect(), &mut random);
    house.settled("what was there before", PATIENCE);
    house.shows(&cells, Fate::is_there_before);

    house
        .center
        .control(&json!({ "reset_record": true, "settings": {"create_ms": 300, "delete_ms": 300}, "faults": storm() }));
    let deeds: Vec<_> = cells.iter().flat_map(Cell::deeds).collect();
    let count: usize = deeds.iter().map(Deed::count).sum();
    assert!(count >= 200, "{count} at once");
    at_once(&house, deeds, &mut random);
    house.settled("the storm", PATIENCE);
    house.shows(&cells, Fate::is_there_after);
    for cell in &cells {
        cell.is_told(&house);
    }
    let share = throttled(&house);
    assert!(share >= 45, "{share} % were throttled");
    let most = house.center.view()["most_outstanding"]["create"].as_u64().unwrap();
    assert!(most <= 10, "{most} creations at once");

    let left = cells.iter().flat_map(|cell| cell.live_after().map(Deed::Drop));
    at_once(&house, left.collect(), &mut random);
    house.settled("the end of all", PATIENCE);
    house.shows(&cells, |_| false);
    let tables = house.close();
    assert!(tables.grants.iter().all(|grant| grant.state == "ended"));
    evidence::holds_together(&tables.events);
    evidence::tells_every_change_once(&tables);
}
