//! The invariants of the lifecycle, under random events, people, clocks and providers.
//! Each is a function with its name; all of them are checked after every step.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::steps::{people_of, run, steps};
use super::world::{Provider, World};
use crate::domain::apply;
use crate::domain::case::Case;
use crate::domain::change::Effect;
use crate::domain::decision::Verdict;
use crate::domain::event::Event;
use crate::domain::grant::{EndCause, Grant, GrantState, KillState};
use crate::domain::id::DeviceId;
use crate::domain::lock::receiving;
use crate::domain::request::{Extends, RequestState};
use crate::domain::samples::{device, filing, runs, secs, vote};
use crate::domain::text::Reason;
use crate::domain::time::Timestamp;

/// **ends**: at its end a grant is not live, and until it begins to end somebody is told to end it.
fn ends(world: &World) {
    for grant in world.grants.values() {
        let open = matches!(grant.state, GrantState::Granting | GrantState::Active);
        assert!(
            !grant.ends_at.is_some_and(|end| grant.is_live(end)),
            "ends: live at its end"
        );
        if open {
            let id = grant.id.clone();
            let intent = (grant.ends_at.unwrap(), Effect::End { grant: id });
            assert!(world.outbox.contains(&intent), "ends: nobody ends {}", grant.id);
        }
        if grant.state == GrantState::Revoking {
            let id = grant.id.clone();
            let takes = |(_, effect): &(_, Effect)| {
                *effect == Effect::Take { grant: id.clone() } || *effect == Effect::Kill { grant: id.clone() }
            };
            assert!(world.outbox.iter().any(takes), "ends: nobody takes {}", grant.id);
        }
        if !grant.state.is_open() {
            assert!(
                grant.cause.is_some() && grant.ended_at.is_some(),
                "ended without a cause"
            );
            assert!(!world.access.contains(&grant.id), "ends: over, but access is there");
        }
    }
}

/// **shut-out**: with a kill switch, an early end is over only once its sessions are shut out or over by themselves;
/// what is shut out is let go of, and nobody else ever is.
fn shut_out(world: &World) {
    for grant in world.grants.values() {
        let id = &grant.id;
        let Some(kill) = &grant.kill else {
            assert!(!world.shut_out.contains(id), "shut-out: {id} is, and nobody wants it");
            continue;
        };
        let can_be = world.requests[&grant.request].body.binding.kill().is_some();
        assert!(can_be, "shut-out: a target without a kill switch");
        assert!(kill.until > kill.since, "shut-out: nothing was left of it");
        if !grant.state.is_open() {
            assert_ne!(kill.state, KillState::Killing, "shut-out: {id} ended before it was");
        }
        if kill.state == KillState::Killed {
            assert!(world.shut_out.contains(id), "shut-out: {id} is said to be");
        }
        if kill.state == KillState::Lifted {
            assert!(!world.shut_out.contains(id), "shut-out: {id} is for ever");
            continue;
        }
        let next = match kill.state {
            KillState::Killing => Effect::Kill { grant: id.clone() },
            KillState::Killed | KillState::Lifting | KillState::Lifted => Effect::Unkill { grant: id.clone() },
        };
        let is_due = |(_, effect): &(_, Effect)| *effect == next;
        assert!(world.outbox.iter().any(is_due), "shut-out: nobody goes on with {id}");
    }
}

/// **no-self**: nobody who asks or benefits decides, nor does their machine.
fn no_self(world: &World) {
    let machine = |device_id: &DeviceId| (1..5).find(|n| device(*n) == *device_id).map(people_of).unwrap();
    for decision in &world.decisions {
        let asked = &world.requests[&decision.request].body;
        for who in [&asked.requester, &asked.beneficiary] {
            assert_ne!(decision.by, *who, "no-self: own decision");
            assert!(!machine(&decision.device).contains(who), "no-self: own device");
        }
    }
}

/// **bound**: what was filed is what was decided and what is granted.
fn bound(world: &World) {
    for (id, request) in &world.requests {
        let case = world.case(id);
        assert!(
            case.decisions.iter().all(|d| d.digest == request.digest),
            "bound: digest"
        );
        if !world.tampered.contains(id) {
            assert_eq!(request.body.canonical_bytes(), world.filed[id], "bound: body");
            assert!(case.is_bound(), "bound: rows differ");
        }
        if case.grant.is_some() {
            let (first, second) = (0, 1);
            let yes = |stage| {
                let is_yes = |d: &&_| -> bool { is_approval(d, stage) };
                case.decisions.iter().filter(is_yes).count()
            };
            assert!(
                request.automatic || (yes(first) == 1 && yes(second) == 1),
                "bound: granted unasked"
            );
        }
    }
}

/// **bound**, over time: nobody has access for longer than was approved, nor unbroken for longer than the cap.
fn no_longer_than_approved(world: &World) {
    let whose = |g: &Grant| (g.beneficiary.clone(), g.target.clone());
    let all: BTreeSet<_> = world.grants.values().map(whose).collect();
    for (who, target) in all {
        let is_theirs = |g: &&Grant| whose(g) == (who.clone(), target.clone());
        // what ended early is as long as it was: another begins anew after it
        let ended_early = |g: &Grant| g.cause.is_some_and(|cause| cause != EndCause::Expired);
        let spans = |g: &Grant| Some((g.activated_at?, g.ends_at?)).filter(|_| !ended_early(g));
        let mut spans: Vec<_> = world.grants.values().filter(is_theirs).filter_map(spans).collect();
        spans.sort_unstable();
        let mut runs: Vec<(Timestamp, Timestamp)> = Vec::new();
        for (begins, ends) in spans {
            match runs.last_mut().filter(|run| begins < run.1) {
                Some(run) => run.1 = run.1.max(ends),
                None => runs.push((begins, ends)),
            }
        }
        let granted_s: u32 = runs.iter().map(|(begins, ends)| ends.since(*begins)).sum();
        let requests = world.requests.values().filter(|r| r.state == RequestState::Approved);
        let approved_s: u32 = requests
            .filter(|r| r.body.beneficiary == who && r.body.target == target)
            .map(|r| r.body.duration.secs())
            .sum();
        assert!(
            granted_s <= approved_s,
            "bound: {granted_s} s granted, {approved_s} s approved"
        );
        assert!(runs.iter().all(|run| run.1.since(run.0) <= 7200), "cap: {runs:?}");
    }
    // whatever lay between: what extends something belongs to what that began
    for grant in world.grants.values().filter(|grant| grant.activated_at.is_some()) {
        let mut first = grant;
        while let Some(extends) = &world.requests[&first.request].body.extends {
            first = &world.grants[&extends.grant];
        }
        let (begins, ends) = (first.activated_at.unwrap(), grant.ends_at.unwrap());
        assert!(ends.since(begins) <= 7200, "cap: {begins} to {ends} by extending");
    }
}

/// **ends**, of what was extended: nothing is minted from an extension once what it extends was given back.
fn extension_ends_with_what_it_extends(world: &World) {
    for grant in world.grants.values() {
        let case = world.case(&grant.request);
        let mint = Event::Mint {
            by: grant.beneficiary.clone(),
            device: device(1),
            until: world.now.plus(secs(900)),
        };
        let minted = apply(world.now, &case, &mint);
        assert!(case.lost().is_none() || minted.is_err(), "minted from a lost extension");
    }
}

fn is_approval(decision: &crate::domain::decision::Decision, stage: usize) -> bool {
    decision.stage == stage && decision.verdict == Verdict::Approve
}

/// **locked**: what stands under a lock gets no credential, and is not activated; whatever was there before is ended by
/// somebody who is told to.
fn locked(world: &World) {
    for grant in world.grants.values() {
        let (case, body) = (world.case(&grant.request), &world.requests[&grant.request].body);
        let Some(lock) = case.lock_on(&receiving(body, &[])) else {
            continue;
        };
        let mint = Event::Mint {
            by: grant.beneficiary.clone(),
            device: device(1),
            until: world.now.plus(secs(900)),
        };
        assert!(apply(world.now, &case, &mint).is_err(), "locked: minted");
        for event in [Event::Activate, Event::Verified { before: world.now }] {
            let change = apply(world.now, &case, &event).expect("the worker is never refused");
            let given = change
                .grant()
                .is_some_and(|grant| matches!(grant.state, GrantState::Granting | GrantState::Active));
            assert!(!given, "locked: {event:?} gives");
        }
        let sweep = Effect::Sweep {
            scope: lock.scope.clone(),
        };
        let stop = Effect::Stop {
            grant: grant.id.clone(),
            scope: lock.scope.clone(),
        };
        let is_swept = world
            .outbox
            .iter()
            .any(|(_, effect)| *effect == sweep || *effect == stop);
        let can_end = matches!(grant.state, GrantState::Granting | GrantState::Active);
        assert!(!can_end || is_swept, "locked: nobody ends {}", grant.id);
    }
}

/// **warned**: at most once, while there is something left to end, and never of what was too short for it.
fn warned(world: &World) {
    for grant in world.grants.values() {
        let mut told = world.evidence.iter().filter(|event| event.kind == "grant.ending");
        let mine = told
            .by_ref()
            .filter(|event| event.request.as_ref() == Some(&grant.request));
        let times: Vec<Timestamp> = mine.map(|event| event.at).collect();
        assert!(times.len() <= 1, "warned: {} times", times.len());
        let (begins, ends) = (grant.activated_at, grant.ends_at);
        for (at, (begins, ends)) in times.iter().zip(begins.zip(ends)) {
            assert!(*at < ends && ends.since(*at) <= 600, "warned: at {at} of {ends}");
            assert!(ends.since(begins) > 600, "warned: of a short grant");
        }
    }
}

/// **revoke-free**: giving back and ending need nothing but the grant.
fn revoke_free(world: &World) {
    for grant in world.grants.values().filter(|g| g.state.is_open()) {
        let bare = Case {
            decisions: vec![],
            beside: vec![],
            ..world.case(&grant.request)
        };
        let by = grant.beneficiary.clone();
        let reason = Reason::parse("stop").unwrap();
        let lock = Event::Lock { by: by.clone(), reason };
        let mut ways = vec![(world.now, Event::Drop { by }), (world.now, lock)];
        ways.extend(grant.ends_at.map(|end| (end, Event::End)));
        for (now, event) in ways {
            let change = apply(now, &bare, &event).expect("revoke-free: refused");
            let next = change.grant().unwrap_or(grant).state;
            assert!(change.unless_locked.is_empty(), "revoke-free: waits for a lock");
            assert!(
                matches!(next, GrantState::Revoking | GrantState::Ended),
                "revoke-free: {next}"
            );
        }
    }
}

proptest! {
    #![proptest_config(runs(400))]

    #[test]
    fn invariants_hold_after_every_step(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            run(&mut world, step);
            ends(&world);
            shut_out(&world);
            no_self(&world);
            bound(&world);
            revoke_free(&world);
            locked(&world);
            warned(&world);
            no_longer_than_approved(&world);
            extension_ends_with_what_it_extends(&world);
        }
    }

    /// However somebody asks and extends, again and again: access is as long as what was approved, and as the cap.
    #[test]
    fn attack_07_extending_never_exceeds_what_was_approved(
        asks in prop::collection::vec((1..120_u32, 0..3_000_000_i64, any::<bool>(), any::<bool>()), 1..30)
    ) {
        let mut world = World::new();
        for (minutes, wait_ms, automatic, extends) in asks {
            let mut asked = filing(world.next_id);
            asked.body.duration = secs(minutes * 60);
            asked.automatic = automatic;
            if extends && let Some(live) = world.last_live(&asked.body.beneficiary, &asked.body.target) {
                let (grant, ends_at) = (live.id.clone(), live.ends_at.unwrap());
                asked.body.extends = Some(Extends { grant, ends_at });
            }
            let (id, digest) = (asked.body.id.clone(), asked.body.digest());
            world.next_id += 1;
            let filed = world.play(world.now, &id, &Event::File(Box::new(asked)));
            world.now = Timestamp::from_millis(world.now.millis() + wait_ms);
            if filed.is_ok_and(|change| change.request().is_some()) {
                let yes = vote(2, &digest, world.next_id);
                world.next_id += 1;
                let _ = world.play(world.now, &id, &Event::Decide(Box::new(yes)));
            }
            world.tick(Provider::Works, 0);
            world.tick(Provider::Works, 0);
            no_longer_than_approved(&world);
        }
    }
}

/// The random steps above reach what they are about; a generator that only gets refusals would prove nothing.
#[test]
fn random_steps_reach_every_state() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut extensions, mut lost) = (0_u32, 0_u32);
    let (mut kinds, mut causes) = (std::collections::BTreeMap::new(), std::collections::BTreeSet::new());
    for _ in 0..4_000 {
        let mut world = World::new();
        for step in steps().new_tree(&mut runner).unwrap().current() {
            run(&mut world, &step);
        }
        for event in &world.evidence {
            *kinds.entry(event.kind.clone()).or_insert(0_u32) += 1;
        }
        causes.extend(world.grants.values().filter_map(|g| g.cause));
        let is_extension = |g: &&Grant| world.requests[&g.request].body.extends.is_some();
        for extension in world.grants.values().filter(is_extension) {
            extensions += u32::from(extension.activated_at.is_some());
            let is_lost = world.case(&extension.request).lost().is_some();
            lost += u32::from(is_lost && extension.activated_at.is_some());
        }
    }
    assert!(extensions >= 50 && lost >= 5, "{extensions} extensions, {lost} lost");
    for kind in [
        "request.filed",
        "request.decided",
        "request.cancelled",
        "request.expired",
        "grant.granting",
        "grant.active",
        "grant.failed",
        "grant.revoking",
        "grant.ended",
        "grant.killed",
        "grant.kill_lifting",
        "grant.kill_lifted",
        "credential.minting",
        "grant.ending",
        "lock.set",
        "lock.lifting",
        "lock.lifted",
    ] {
        assert!(kinds.get(kind).is_some_and(|n| *n >= 10), "{kind}: {kinds:?}");
    }
    assert_eq!(causes.len(), 7, "{causes:?}");
}
