//! Random histories for the properties: what can happen, and how it is played on the model store.

use super::world::{Provider, World};
use crate::domain::decision::Verdict;
use crate::domain::event::{Event, Filing, Vote};
use crate::domain::grant::{EndCause, Grant};
use crate::domain::id::{GrantId, PersonId, RequestId};
use crate::domain::lock::{self, Scope};
use crate::domain::request::{Body, Extends};
use crate::domain::samples::{binding, body, device, frozen, person, secs, stage, vote};
use crate::domain::target::KillSwitch;
use crate::domain::text::{Narrowing, Reason, TargetName};
use crate::domain::time::Timestamp;
use proptest::prelude::*;

/// Something that happens. Numbers pick people, targets and requests modulo how many there are; person 0 is whoever the
/// request is for.
#[derive(Clone, Debug)]
pub(super) enum Step {
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
    Extend {
        by: u64,
        /// Which of the live grants.
        of: usize,
        minutes: u32,
        automatic: bool,
        /// How much later than it does the grant is said to end.
        lie_s: u32,
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
    /// The beneficiary gets a credential and gives access back at once.
    MintAndDrop {
        on: usize,
    },
    /// An event that the worker would not send now.
    Stray {
        which: u8,
        on: usize,
    },
    Tamper {
        on: usize,
    },
    /// Locks somebody, a target or everything; or lifts that, all by two people.
    Lock {
        by: u64,
        on: u8,
        lifts: bool,
    },
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || 1..5_u64;
    let mostly_own = || prop_oneof![2 => Just(0), 1 => 1..5_u64];
    let on = || 0..6_usize;
    let clock = prop_oneof![
        Just(0),
        0..3_000_i64,
        0..600_000_i64,
        0..4_000_000_i64,
        -2_000_000..0_i64
    ];
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
    let extend = (0..5_u64, 0..8_usize, 1..60_u32, any::<u8>(), any::<u8>());
    let extend = extend.prop_map(|(by, of, minutes, automatic, rare)| Step::Extend {
        by,
        of,
        minutes,
        automatic: automatic > 64,
        lie_s: if rare > 230 { 3_600 } else { 0 },
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
        2 => extend,
        5 => vote,
        1 => (who(), on()).prop_map(|(by, on)| Step::Cancel { by, on }),
        2 => (mostly_own(), on()).prop_map(|(by, on)| Step::Drop { by, on }),
        2 => (who(), on()).prop_map(|(by, on)| Step::Revoke { by, on }),
        5 => (mostly_own(), on()).prop_map(|(by, on)| Step::Mint { by, on }),
        5 => on().prop_map(|on| Step::MintAndDrop { on }),
        6 => tick.prop_map(|(provider, behind_ms)| Step::Tick { provider, behind_ms }),
        2 => (0..6_u8, on()).prop_map(|(which, on)| Step::Stray { which, on }),
        1 => on().prop_map(|on| Step::Tamper { on }),
        1 => (who(), 0..6_u8, any::<u8>()).prop_map(|(by, on, rare)| Step::Lock { by, on, lifts: rare > 80 }),
    ];
    prop::collection::vec(step, 1..60)
}

/// Person 4's machine is enrolled for person 3 too.
pub(super) fn people_of(device_of: u64) -> Vec<PersonId> {
    if device_of == 4 {
        vec![person(4), person(3)]
    } else {
        vec![person(device_of)]
    }
}

fn target_of(number: u8) -> TargetName {
    TargetName::parse(["prod-admin", "db"][usize::from(number)]).unwrap()
}

/// An extension of what is live, if anything is. Nobody in particular asks for it: its beneficiary.
pub(super) fn extended(world: &World, step: &Step) -> Option<Filing> {
    let Step::Extend {
        by,
        of,
        minutes,
        automatic,
        lie_s,
    } = *step
    else {
        return None;
    };
    let all: Vec<&Grant> = world.grants.values().filter(|grant| grant.is_live(world.now)).collect();
    let one = all.get(of.checked_rem(all.len())?)?;
    let live = world.last_live(&one.beneficiary, &one.target)?;
    let who = if by == 0 { live.beneficiary.clone() } else { person(by) };
    let end = live.ends_at.unwrap();
    Some(Filing {
        body: Body {
            binding: world.requests[&live.request].body.binding.clone(),
            requester: who,
            beneficiary: live.beneficiary.clone(),
            target: live.target.clone(),
            duration: secs(minutes * 60),
            only: live.only.clone(),
            extends: Some(Extends {
                grant: live.id.clone(),
                ends_at: Timestamp::from_millis(end.millis() + i64::from(lie_s) * 1000),
            }),
            ..body(world.next_id)
        },
        frozen: frozen(vec![stage("team", 1, &[]), stage("security", 1, &["team"])]),
        device: device(by.max(1)),
        automatic,
        grant: GrantId::from_bits(world.next_id),
    })
}

pub(super) fn filed(world: &World, step: &Step) -> Option<Filing> {
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
    let mut binding = binding();
    // one of the two targets has a kill switch
    binding.role_mut().unwrap().kill = (target == 0).then(|| KillSwitch {
        role_arn: "arn:aws:iam::111122223333:role/jit/jit-kill-switch".into(),
    });
    Some(Filing {
        body: Body {
            binding,
            requester: person(by),
            beneficiary: person(to),
            target: target_of(target),
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

pub(super) fn event_of(world: &World, step: &Step, id: &RequestId) -> Option<Event> {
    let request = &world.requests[id];
    let someone = |by| match by {
        0 => request.body.beneficiary.clone(),
        by => person(by),
    };
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
        Step::Drop { by, .. } => Event::Drop { by: someone(by) },
        Step::Revoke { by, .. } => Event::Revoke {
            by: person(by),
            reason: Reason::parse("enough").unwrap(),
        },
        Step::Mint { by, .. } => Event::Mint {
            by: someone(by),
            device: device(by),
            // no credential outlives its grant
            until: world
                .grant_of(id)
                .and_then(|grant| grant.ends_at)
                .map_or(world.now, |end| end.min(world.now.plus(secs(900)))),
        },
        Step::Stray { which, .. } => match which {
            0 => Event::Expire,
            1 => Event::Activate,
            2 => Event::End,
            3 => Event::Verified { before: world.now },
            4 => Event::NotGiven { detail: "no".into() },
            _ => Event::Withhold {
                cause: EndCause::Refused,
                detail: "no".into(),
            },
        },
        Step::Clock(_)
        | Step::File { .. }
        | Step::Extend { .. }
        | Step::MintAndDrop { .. }
        | Step::Tick { .. }
        | Step::Lock { .. }
        | Step::Tamper { .. } => {
            return None;
        }
    })
}

pub(super) fn run(world: &mut World, step: &Step) {
    if let Some(filing) = filed(world, step).or_else(|| extended(world, step)) {
        let id = filing.body.id.clone();
        world.next_id += 1;
        // refused, joined and covered are answers too
        let _ = world.play(world.now, &id, &Event::File(Box::new(filing)));
        return;
    }
    let on = match *step {
        Step::Clock(ms) => return world.now = Timestamp::from_millis(world.now.millis() + ms),
        Step::Tick { provider, behind_ms } => return tick(world, provider, behind_ms),
        Step::MintAndDrop { on } => {
            run(world, &Step::Mint { by: 0, on });
            return run(world, &Step::Drop { by: 0, on });
        }
        Step::Lock { by, on, lifts } => return lock(world, by, on, lifts),
        Step::Vote { on, .. }
        | Step::Cancel { on, .. }
        | Step::Drop { on, .. }
        | Step::Revoke { on, .. }
        | Step::Mint { on, .. }
        | Step::Stray { on, .. }
        | Step::Tamper { on } => on,
        Step::File { .. } | Step::Extend { .. } => return,
    };
    // the newest requests are the ones where something can happen
    let Some(id) = world.requests.keys().rev().nth(on).cloned() else {
        return;
    };
    if let Step::Tamper { .. } = step {
        world
            .requests
            .get_mut(&id)
            .unwrap()
            .body
            .binding
            .role_mut()
            .unwrap()
            .role_arn += "-other";
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

fn lock(world: &mut World, by: u64, on: u8, lifts: bool) {
    let scope = match on {
        0 | 1 => Scope::All,
        2 | 3 => Scope::Target(target_of(on - 2)),
        other => Scope::Person(person(u64::from(other - 3))),
    };
    let known = world.locks.get(&scope).cloned();
    let (now, by) = (world.now, person(by));
    if !lifts {
        let reason = Reason::parse("stop").unwrap();
        let new = lock::NewLock {
            scope: &scope,
            bound_to: None,
            by: &by,
            reason: &reason,
        };
        return world.change_lock(&lock::set(now, known.as_ref(), new));
    }
    for by in [by, person(9)] {
        let known = world.locks.get(&scope).cloned();
        if let Ok(change) = lock::lift(now, known.as_ref(), &by, &[], false) {
            world.change_lock(&change);
        }
    }
}

pub(super) fn tick(world: &mut World, provider: Provider, behind_ms: i64) {
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
