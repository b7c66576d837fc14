//! The invariants of the lifecycle, under random events, people, clocks and providers.
//! Each is a function with its name; all of them are checked after every step.

use proptest::prelude::*;

use super::steps::{people_of, run, steps};
use super::world::{Provider, World};
use crate::domain::apply;
use crate::domain::case::Case;
use crate::domain::change::Effect;
use crate::domain::decision::Verdict;
use crate::domain::event::Event;
use crate::domain::grant::{GrantState, KillState};
use crate::domain::id::DeviceId;
use crate::domain::samples::{device, filing, runs, secs, vote};
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
        let can_be = world.requests[&grant.request].body.binding.kill.is_some();
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

fn is_approval(decision: &crate::domain::decision::Decision, stage: usize) -> bool {
    decision.stage == stage && decision.verdict == Verdict::Approve
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
        let mut ways = vec![(world.now, Event::Drop { by })];
        ways.extend(grant.ends_at.map(|end| (end, Event::End)));
        for (now, event) in ways {
            let change = apply(now, &bare, &event).expect("revoke-free: refused");
            let next = change.grant().unwrap_or(grant).state;
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
        }
    }

    /// However somebody asks again and again, unbroken access never exceeds the cap, nor what was approved.
    #[test]
    fn attack_07_extending_never_exceeds_the_cap(
        asks in prop::collection::vec((1..120_u32, 0..3_000_000_i64, any::<bool>()), 1..30)
    ) {
        let mut world = World::new();
        let mut approved_s = 0;
        for (minutes, wait_ms, automatic) in asks {
            let mut asked = filing(world.next_id);
            asked.body.duration = secs(minutes * 60);
            asked.automatic = automatic;
            let (id, digest) = (asked.body.id.clone(), asked.body.digest());
            world.next_id += 1;
            let filed = world.play(world.now, &id, &Event::File(Box::new(asked)));
            world.now = Timestamp::from_millis(world.now.millis() + wait_ms);
            if filed.is_ok_and(|change| change.request().is_some()) {
                let yes = vote(2, &digest, world.next_id);
                world.next_id += 1;
                let decided = world.play(world.now, &id, &Event::Decide(Box::new(yes)));
                approved_s += if automatic || decided.is_ok() { minutes * 60 } else { 0 };
            }
            world.tick(Provider::Works, 0);
            world.tick(Provider::Works, 0);
        }
        let mut spans: Vec<_> = world.grants.values().filter_map(|g| Some((g.activated_at?, g.ends_at?))).collect();
        spans.sort_unstable();
        let granted_s: u32 = spans.iter().map(|(begins, ends)| ends.since(*begins)).sum();
        prop_assert!(granted_s <= approved_s);
        for run in spans.chunk_by(|one, next| next.0 < one.1) {
            let end = run.iter().map(|span| span.1).max().unwrap();
            prop_assert!(end.since(run[0].0) <= 7200);
        }
    }
}

/// The random steps above reach what they are about; a generator that only gets refusals would prove nothing.
#[test]
fn random_steps_reach_every_state() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut kinds, mut causes) = (std::collections::BTreeMap::new(), std::collections::BTreeSet::new());
    for _ in 0..1_600 {
        let mut world = World::new();
        for step in steps().new_tree(&mut runner).unwrap().current() {
            run(&mut world, &step);
        }
        for event in &world.evidence {
            *kinds.entry(event.kind.clone()).or_insert(0_u32) += 1;
        }
        causes.extend(world.grants.values().filter_map(|g| g.cause));
    }
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
    ] {
        assert!(kinds.get(kind).is_some_and(|n| *n >= 10), "{kind}: {kinds:?}");
    }
    assert_eq!(causes.len(), 6, "{causes:?}");
}
