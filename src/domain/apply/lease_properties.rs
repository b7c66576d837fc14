//! Leases under random histories: several grants on one membership, by two targets that are bound alike, worked on in
//! steps of load, call and commit that come in any order, with answers that are lost and workers that die in between.

use proptest::prelude::*;

use super::lease_world::{Answer, Step, World};
use crate::domain::apply;
use crate::domain::event::Event;
use crate::domain::grant::{EndCause, GrantState};
use crate::domain::membership::MembershipState;
use crate::domain::samples::{at, runs};

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let answer = prop_oneof![
        5 => Just(Answer::Done),
        2 => Just(Answer::DoneAndLost),
        2 => Just(Answer::Throttled),
        1 => Just(Answer::Refused),
    ];
    let step = prop_oneof![
        2 => prop_oneof![3 => 0..2_000_i64, 1 => 0..600_000_i64].prop_map(Step::Wait),
        3 => (any::<bool>(), 1..60_u32).prop_map(|(second, minutes)| Step::Ask(second, minutes)),
        2 => (0..6_usize, any::<bool>()).prop_map(|(which, drops)| Step::Cut(which, drops)),
        4 => (0..4_usize).prop_map(Step::Claim),
        6 => (0..4_usize, answer.clone()).prop_map(|(which, answer)| Step::Go(which, answer)),
        4 => (1..20_u8, answer).prop_map(|(steps, answer)| Step::Run(steps, answer)),
        1 => (0..4_usize).prop_map(Step::Die),
        1 => Just(Step::Foreign),
        2 => prop_oneof![2 => Just(Step::ForeignGone), 1 => Just(Step::Repoint), 2 => Just(Step::Compare), 3 => Just(Step::Sleep), 2 => Just(Step::Oversleep), 2 => Just(Step::Wake)],
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(runs(600))]

    #[test]
    fn leases_hold_after_every_step(steps in steps()) {
        let mut world = World::default();
        for step in &steps {
            world.step(step);
            world.holds();
        }
        world.finish();
    }
}

/// The random steps reach what they are about.
#[test]
fn random_leases_reach_every_state() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut shared, mut taking_joined, mut remains, mut failed, mut active) = (0, 0, 0, 0, 0);
    let (mut adopted, mut gone, mut stale) = (0, 0, 0);
    for _ in 0..1_000 {
        let mut world = World::default();
        for step in steps().new_tree(&mut runner).unwrap().current() {
            world.step(&step);
            let Some(one) = &world.membership else { continue };
            shared += u32::from(one.leases.len() > 1 && one.state == MembershipState::There);
            taking_joined += u32::from(one.leases.len() > 1 && one.state == MembershipState::Taking);
        }
        world.finish();
        adopted += world.adopted;
        gone += world.gone;
        stale += world.stale;
        let all = world.grants.values();
        remains += all
            .clone()
            .filter(|g| g.detail.as_deref().is_some_and(|d| d.contains("remains")))
            .count();
        failed += all.clone().filter(|g| g.cause == Some(EndCause::Failed)).count();
        active += all.filter(|g| g.last_credential_at.is_some()).count();
    }
    let seen = (shared, taking_joined, remains, failed, active, adopted, gone, stale);
    assert!(
        shared > 50
            && taking_joined > 5
            && remains > 5
            && failed > 20
            && active > 200
            && adopted > 5
            && gone > 1
            && stale > 1,
        "{seen:?}"
    );
}

/// Dropped while the provider was asked to give: once it has answered, taking away waits for nothing.
#[test]
fn answer_after_the_drop_leaves_nothing_to_wait_for() {
    for answer in [Answer::Done, Answer::Refused, Answer::Throttled] {
        let mut world = World::default();
        for step in [
            Step::Ask(false, 10),
            Step::Run(2, Answer::Done),
            Step::Claim(0),
            Step::Go(0, Answer::Done),
            Step::Go(0, Answer::Done),
        ] {
            world.step(&step);
        }
        assert!(
            world.membership.as_ref().unwrap().busy_until.is_some(),
            "a call is under way"
        );
        for step in [Step::Cut(0, true), Step::Go(0, answer), Step::Go(0, Answer::Done)] {
            world.step(&step);
        }
        assert_eq!(world.membership.as_ref().unwrap().busy_until, None, "{answer:?}");
        world.finish();
    }
}

/// A machine slept in the middle of its call, and everybody has let go when it wakes.
#[test]
fn what_is_given_late_has_an_effect_that_takes_it_away() {
    for answer in [Answer::Done, Answer::DoneAndLost] {
        let mut world = World::default();
        for step in [
            Step::Ask(false, 10),
            Step::Run(2, Answer::Done),
            Step::Claim(0),
            Step::Go(0, Answer::Done),
            Step::Go(0, Answer::Done),
            Step::Sleep,
            Step::Cut(0, true),
            Step::Run(8, Answer::Done),
        ] {
            world.step(&step);
            world.holds();
        }
        let standing = world.membership.clone().unwrap();
        assert_eq!((standing.state, standing.leases.len()), (MembershipState::Absent, 0));
        for step in [Step::Wake, Step::Go(0, answer)] {
            world.step(&step);
            world.holds();
        }
        let standing = world.membership.as_ref().unwrap();
        assert!(
            standing.state.may_be_there(),
            "{answer:?}: it may be there, and is known to be"
        );
        world.finish();
    }
}

/// It was given before it was taken away, and is only said now: what is there by now is somebody else's.
#[test]
fn word_that_comes_late_takes_nothing_of_another() {
    let mut world = World::default();
    for step in [
        Step::Ask(false, 10),
        Step::Run(2, Answer::Done),
        Step::Claim(0),
        Step::Go(0, Answer::Done),
        Step::Go(0, Answer::Done),
        Step::Go(0, Answer::Done),
        Step::Sleep,
        Step::Cut(0, true),
        Step::Run(8, Answer::Done),
        Step::Foreign,
        Step::Wake,
        Step::Go(0, Answer::Done),
    ] {
        world.step(&step);
        world.holds();
    }
    let standing = world.membership.as_ref().unwrap();
    assert_eq!((standing.state, world.stale), (MembershipState::Absent, 1));
    world.finish();
}

/// Known to be somebody else's, held by a grant that nobody got to look for, and let go of: it is theirs as before.
#[test]
fn access_before_us_that_nobody_looked_at_again_stays_so() {
    let begin = [Step::Ask(false, 10), Step::Run(2, Answer::Done)];
    let repointed = [Step::Repoint, Step::Run(6, Answer::Done), Step::Repoint];
    let dropped = [
        Step::Run(3, Answer::Throttled),
        Step::Cut(1, true),
        Step::Run(8, Answer::Done),
    ];
    for then in [repointed, dropped] {
        let mut world = World::default();
        let first = [
            Step::Foreign,
            Step::Run(8, Answer::Done),
            Step::Cut(0, true),
            Step::Run(8, Answer::Done),
        ];
        for step in begin.iter().chain(&first).chain(&begin).chain(&then) {
            world.step(step);
            world.holds();
        }
        let standing = world.membership.as_ref().unwrap();
        assert_eq!((standing.state, standing.leases.len()), (MembershipState::Foreign, 0));
        world.finish();
    }
}

/// Taken away once more while the answer of the first time was on its way: the grant is over all the same.
#[test]
fn answer_after_another_took_it_ends_the_grant() {
    let mut world = World::default();
    for step in [Step::Ask(false, 10), Step::Run(6, Answer::Done), Step::Cut(0, true)] {
        world.step(&step);
    }
    let grant = world.grants.keys().next().unwrap().clone();
    let case = |state| {
        let mut case = world.case(&grant);
        let standing = case.membership.as_mut().unwrap();
        standing.state = state;
        standing.busy_by = None;
        case
    };
    let gone = apply(at(0), &case(MembershipState::Absent), &Event::Taken).unwrap();
    assert_eq!(gone.grant().unwrap().state, GrantState::Ended);
    for state in [MembershipState::Giving, MembershipState::There, MembershipState::Taking] {
        let again = apply(at(0), &case(state), &Event::Taken).unwrap();
        assert_eq!(again.grant(), None, "{state:?}");
        assert_eq!(again.effects.len(), 1, "{state:?}: it is taken away again");
    }
}
