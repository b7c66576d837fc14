//! kill -9 of the real backend at random moments over request, approval, mint and end, with several people under way.
//! Restarted on the same folder it finishes what was begun. 25 kills, 500 with `--deep`; `JIT_TEST_SEED` sets the seed.

pub mod api;
mod crowd;
pub mod evidence;
pub mod seeded;
pub mod tables;

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use self::api::Caller;
use self::crowd::{Lane, Moment, Play};
use self::evidence::Uptime;
use self::seeded::Seeded;
use self::tables::Tables;
use crate::harness::{Backend, BackendPlan, LIMIT, StsAnswer, StsRecorder, deep, wait_until};

/// When a kill comes.
#[derive(Clone, Copy, Debug)]
enum Trigger {
    /// After so many milliseconds.
    Random(u64),
    /// While STS holds its answer back.
    StsAsked,
    /// When STS has just answered.
    StsAnswered,
    /// When a client has just been told, and so many milliseconds later.
    Told(Moment, u64),
}

/// Every second kill comes by the clock, the others go through what happens.
fn trigger(number: u32, random: &mut Seeded) -> Trigger {
    if number.is_multiple_of(2) {
        return Trigger::Random(random.below(700));
    }
    let soon = random.below(6);
    match (number / 2) % 6 {
        0 => Trigger::Told(Moment::Filed, soon),
        1 => Trigger::StsAsked,
        2 => Trigger::Told(Moment::Decided, soon),
        3 => Trigger::Told(Moment::Minted, soon),
        4 => Trigger::StsAnswered,
        _ => Trigger::Told(Moment::Dropped, soon),
    }
}

/// Lets time pass while `moments` come in; true once it was `wanted`.
fn listen(moments: &Receiver<Moment>, wanted: Option<Moment>, limit: Duration) -> bool {
    let end = Instant::now() + limit;
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        match moments.recv_timeout(left) {
            Ok(moment) if Some(moment) == wanted => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    false
}

fn await_trigger(trigger: Trigger, moments: &Receiver<Moment>, sts: &StsRecorder) {
    match trigger {
        Trigger::Random(ms) => drop(listen(moments, None, Duration::from_millis(ms))),
        Trigger::StsAsked => {
            sts.then(StsAnswer::Held);
            sts.wait_for_calls(sts.calls().len() + 1, LIMIT);
        }
        Trigger::StsAnswered => drop(sts.wait_for_calls(sts.calls().len() + 1, LIMIT)),
        Trigger::Told(moment, ms) => {
            while moments.try_recv().is_ok() {}
            assert!(listen(moments, Some(moment), LIMIT), "no {moment:?} within {LIMIT:?}");
            listen(moments, None, Duration::from_millis(ms));
        }
    }
}

/// How many rows of each state the kill met, read from a copy so that the restart finds what the kill left.
fn met(backend: &Backend, tally: &mut BTreeMap<String, u32>) {
    let copy = tempfile::tempdir().unwrap();
    for name in ["jit.db", "jit.db-wal"] {
        // there is no log when the kill came before the first write
        drop(std::fs::copy(backend.data().join(name), copy.path().join(name)));
    }
    let tables = Tables::read(&copy.path().join("jit.db"));
    let pending = tables
        .requests
        .iter()
        .filter(|r| r.state == "pending")
        .map(|r| r.state.clone());
    let grants = tables.grants.iter().map(|g| g.state.clone());
    for state in pending.chain(grants) {
        *tally.entry(state).or_default() += 1;
    }
}

/// Kills and restarts; gives when the backend was up, the last time still open.
fn kill_often(
    backend: Backend,
    kills: u32,
    play: &Play,
    events: (&Receiver<Moment>, &StsRecorder),
    random: &mut Seeded,
) -> (Backend, Vec<Uptime>) {
    let (mut backend, mut up, mut tally) = (backend, Vec::new(), BTreeMap::new());
    let mut since = Timestamp::now().as_millisecond();
    for number in 0..kills {
        await_trigger(trigger(number, random), events.0, events.1);
        backend.kill();
        up.push((since, Timestamp::now().as_millisecond()));
        met(&backend, &mut tally);
        backend = backend.start_again();
        since = Timestamp::now().as_millisecond();
        play.is_up();
    }
    up.push((since, i64::MAX));
    eprintln!("{kills} kills met: {tally:?}");
    for state in ["pending", "granting", "active", "ended"] {
        assert!(tally.contains_key(state), "no kill met anything {state}");
    }
    (backend, up)
}

fn lanes<'a>(play: &'a Play, people: &[Caller; 3], random: &mut Seeded) -> Vec<Lane<'a>> {
    let [alice, bob, carol] = people;
    let mut lanes = Vec::new();
    let mut add = |who: &Caller, target, approvers: &[&Caller]| {
        lanes.push(Lane {
            play,
            who: who.clone(),
            target,
            approvers: approvers.iter().map(|a| (*a).clone()).collect(),
            random: random.fork(),
        });
    };
    for (who, approver) in [(alice, bob), (bob, carol), (carol, bob)] {
        add(who, "dev-admin", &[]);
        add(who, "prod-admin", &[approver]);
        add(who, "prod-readonly", &[approver]);
    }
    add(alice, "prod-owner", &[bob, carol]);
    lanes
}

/// The ids of `who`'s requests, page by page.
fn listed(who: &Caller) -> Vec<String> {
    let (mut ids, mut page) = (Vec::new(), "/v1/requests".to_owned());
    loop {
        let list = who.get(&page).unwrap().body;
        let found = list["requests"].as_array().unwrap();
        ids.extend(found.iter().map(|r| r["id"].as_str().unwrap().to_owned()));
        match list["next"].as_str() {
            Some(next) => page = format!("/v1/requests?before={next}"),
            None => return ids,
        }
    }
}

#[test]
fn killed_backend_finishes_what_was_begun() {
    let (mut random, seed) = Seeded::of_this_run();
    eprintln!("JIT_TEST_SEED={seed}");
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    let people = ["alice", "bob", "carol"].map(|name| Caller::sign_in(backend.url(), name, backend.code(name)));
    let (sender, moments) = channel();
    let play = Play::new(sender);
    let lanes = lanes(&play, &people, &mut random);
    let (mut backend, up) = std::thread::scope(|scope| {
        let running: Vec<_> = lanes.into_iter().map(|lane| scope.spawn(|| lane.run())).collect();
        let killed = kill_often(backend, deep(25, 500), &play, (&moments, &sts), &mut random);
        play.end();
        for lane in running {
            lane.join().expect("nobody was refused or forgotten");
        }
        killed
    });
    let database = backend.data().join("jit.db");
    wait_until("the work that is due", LIMIT, || {
        let left = Tables::read(&database).outbox;
        left.iter().all(|left| left.kind == "expire").then_some(())
    });
    let mut shown: Vec<String> = people.iter().flat_map(listed).collect();
    shown.sort();
    let told = play.told.into_inner().unwrap();
    assert_eq!(
        shown,
        told.requests.iter().cloned().collect::<Vec<_>>(),
        "shown on the left"
    );
    drop(backend.stop().exits(0));
    let tables = Tables::read(&database);
    evidence::holds_together(&tables.events);
    evidence::tells_every_change_once(&tables);
    evidence::is_what_was_told(&tables, &told);
    evidence::is_over_in_time(&tables, &up);
    evidence::is_boxed(&tables, &sts.calls());
    sts.release();
}
