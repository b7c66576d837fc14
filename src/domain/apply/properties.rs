//! The invariants of the lifecycle, under random events, people, clocks and providers.
//! Each is a function with its name; all of them are checked after every step.

use proptest::prelude::*;

use super::world::{Provider, World};
use crate::domain::apply;
use crate::domain::case::Case;
use crate::domain::change::Effect;
use crate::domain::decision::Verdict;
use crate::domain::event::{Event, Filing, Vote};
use crate::domain::grant::{EndCause, GrantState};
use crate::domain::id::{DeviceId, GrantId, PersonId, RequestId};
use crate::domain::request::Body;
use crate::domain::samples::{body, device, filing, frozen, person, runs, secs, stage, vote};
use crate::domain::text::{Narrowing, Reason, TargetName};
use crate::domain::time::Timestamp;

/// Something that happens. Numbers pick people, targets and requests modulo how many there are.
#[derive(Clone, Debug)]
enum Step {
    Clock(i64),
    File {
        by: u64,
        to: u64,
        target: u8,
        minutes: u32,
        automatic: bool,
        narrowed: bool,
        later_s: i64,
    },
    Vote {
        by: u64,
        on: usize,
        device: u64,
        denies: bool,
        unseen: bool,
    },
    Cancel {
        by: u64,
        on: usize,
    },
    Drop {
        by: u64,
        on: usize,
    },
    Revoke {
        by: u64,
        on: usize,
    },
    Mint {
        by: u64,
        on: usize,
    },
    Tick {
        provider: Provider,
        behind_ms: i64,
    },
    /// An event that the worker would not send now.
    Stray {
        which: u8,
        on: usize,
    },
    Tamper {
        on: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || 1..5_u64;
    let on = || 0..6_usize;
    let clock = prop_oneof![Just(0), 0..3_000_i64, 0..4_000_000_i64, -2_000_000..0_i64];
    let provider = prop_oneof![
        4 => Just(Provider::Works),
        1 => Just(Provider::Refuses),
        1 => Just(Provider::IsSilent)
    ];
    let file = (who(), who(), 0..2_u8, 1..150_u32, any::<bool>(), any::<u8>(), 0..4_u8);
    let file = file.prop_map(|(by, to, target, minutes, automatic, rare, later)| Step::File {
        by,
        to: if rare % 4 == 0 { to } else { by },
        target,
        minutes,
        automatic,
        narrowed: rare > 230,
        later_s: if later == 0 { 600 } else { 0 },
    });
    let vote = (who(), on(), who(), any::<u8>(), any::<u8>()).prop_map(|(by, on, other, rare, odd)| Step::Vote {
        by,
        on,
        device: if odd > 200 { other } else { by },
        denies: rare > 220,
        unseen: rare < 20,
    });
    let tick = (provider, prop_oneof![3 => Just(0), 1 => 0..900_000_i64]);
    let step = prop_oneof![
        4 => clock.prop_map(Step::Clock),
        4 => file,
        5 => vote,
        1 => (who(), on()).prop_map(|(by, on)| Step::Cancel { by, on }),
        1 => (who(), on()).prop_map(|(by, on)| Step::Drop { by, on }),
        1 => (who(), on()).prop_map(|(by, on)| Step::Revoke { by, on }),
        2 => (who(), on()).prop_map(|(by, on)| Step::Mint { by, on }),
        6 => tick.prop_map(|(provider, behind_ms)| Step::Tick { provider, behind_ms }),
        2 => (0..6_u8, on()).prop_map(|(which, on)| Step::Stray { which, on }),
        1 => on().prop_map(|on| Step::Tamper { on }),
    ];
    prop::collection::vec(step, 1..60)
}

/// Person 4's machine is enrolled for person 3 too.
fn people_of(device_of: u64) -> Vec<PersonId> {
    if device_of == 4 {
        vec![person(4), person(3)]
    } else {
        vec![person(device_of)]
    }
}

fn filed(world: &World, step: &Step) -> Option<Filing> {
    let Step::File {
        by,
        to,
        target,
        minutes,
        automatic,
        narrowed,
        later_s,
    } = *step
    else {
        return None;
    };
    let only = if narrowed {
        vec![Narrowing::parse("s3:Get*").unwrap()]
    } else {
        vec![]
    };
    Some(Filing {
        body: Body {
            requester: person(by),
            beneficiary: person(to),
            target: TargetName::parse(["prod-admin", "db"][usize::from(target)]).unwrap(),
            duration: secs(minutes * 60),
            start: (later_s > 0).then(|| world.now.plus(secs(600))),
            only,
            ..body(world.next_id)
        },
        frozen: frozen(vec![stage("team", 1, &[]), stage("security", 1, &["team"])]),
        device: device(by),
        automatic,
        grant: GrantId::from_bits(world.next_id),
    })
}

fn event_of(world: &World, step: &Step, id: &RequestId) -> Option<Event> {
    let request = &world.requests[id];
    Some(match *step {
        Step::Vote {
            by,
            device: device_of,
            denies,
            unseen,
            ..
        } => Event::Decide(Box::new(Vote {
            verdict: if denies { Verdict::Deny } else { Verdict::Approve },
            digest: if unseen {
                body(999).digest()
            } else {
                request.digest.clone()
            },
            device: device(device_of),
            device_people: people_of(device_of),
            ..vote(by, &request.digest, world.next_id)
        })),
        Step::Cancel { by, .. } => Event::Cancel { by: person(by) },
        Step::Drop { by, .. } => Event::Drop { by: person(by) },
        Step::Revoke { by, .. } => Event::Revoke {
            by: person(by),
            reason: Reason::parse("enough").unwrap(),
        },
        Step::Mint { by, .. } => Event::Mint {
            by: person(by),
            device: device(by),
            until: world.now.plus(secs(900)),
        },
        Step::Stray { which, .. } => match which {
            0 => Event::Expire,
            1 => Event::Activate,
            2 => Event::End,
            3 => Event::Verified,
            4 => Event::NotGiven { detail: "no".into() },
            _ => Event::Withhold {
                cause: EndCause::Refused,
                detail: "no".into(),
            },
        },
        Step::Clock(_) | Step::File { .. } | Step::Tick { .. } | Step::Tamper { .. } => return None,
    })
}

fn run(world: &mut World, step: &Step) {
    if let Some(filing) = filed(world, step) {
        let id = filing.body.id.clone();
        world.next_id += 1;
        // refused, joined and covered are answers too
        let _ = world.play(world.now, &id, &Event::File(Box::new(filing)));
        return;
    }
    let on = match *step {
        Step::Clock(ms) => return world.now = Timestamp::from_millis(world.now.millis() + ms),
        Step::Tick { provider, behind_ms } => return tick(world, provider, behind_ms),
        Step::Vote { on, .. }
        | Step::Cancel { on, .. }
        | Step::Drop { on, .. }
        | Step::Revoke { on, .. }
        | Step::Mint { on, .. }
        | Step::Stray { on, .. }
        | Step::Tamper { on } => on,
        Step::File { .. } => return,
    };
    // the newest requests are the ones where something can happen
    let Some(id) = world.requests.keys().rev().nth(on).cloned() else {
        return;
    };
    if let Step::Tamper { .. } = step {
        world.requests.get_mut(&id).unwrap().body.binding.role_arn += "-other";
        world.tampered.insert(id);
        return;
    }
    let event = event_of(world, step, &id).unwrap();
    let has_access = world
        .grant_of(&id)
        .is_some_and(|grant| world.access.contains(&grant.id));
    if matches!(event, Event::NotGiven { .. }) && has_access {
        return; // the event says that nothing is there
    }
    world.next_id += 1;
    let played = world.play(world.now, &id, &event);
    if let (Event::Mint { by, .. }, Ok(_)) = (&event, &played) {
        let grant = world.grant_of(&id).unwrap();
        assert_eq!(*by, grant.beneficiary, "somebody else's credentials");
        assert!(grant.is_live(world.now), "ends: minted after the end");
        assert!(!world.tampered.contains(&id), "bound: minted for a changed body");
    }
}

fn tick(world: &mut World, provider: Provider, behind_ms: i64) {
    world.tick(provider, behind_ms);
    if behind_ms > 0 || provider == Provider::IsSilent {
        return;
    }
    // what the first pass has left for now
    world.tick(provider, 0);
    for id in &world.access {
        let end = world.grants[id].ends_at.unwrap();
        assert!(world.now < end, "ends: access after the end of {id}");
    }
}

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
            let takes = |(_, effect): &(_, Effect)| *effect == Effect::Take { grant: id.clone() };
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
    for _ in 0..400 {
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
        "credential.minting",
    ] {
        assert!(kinds.get(kind).is_some_and(|n| *n >= 10), "{kind}: {kinds:?}");
    }
    assert_eq!(causes.len(), 6, "{causes:?}");
}
