//! A worker that dies: at every point at which it waits for the provider or takes up an effect, counted and not sampled,
//! once and twice in a history of two grants that overlap. Whatever it left behind is gone when its successor is done.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::reconcile::Reconciler;
use super::{BATCH, claim, step};
use crate::domain::Effect;
use crate::server::backend::Caller;
use crate::server::provider::ProviderError;
use crate::server::service::end;
use crate::server::stage::Stage;
use crate::server::stage::members::Members;
use crate::wire::EndGrant;

/// Alice, as the provider knows her.
const ALICE: &str = "user-alice";

/// Everything that is due, with a point at which to die before each effect.
async fn work(stage: &Stage) {
    loop {
        let claimed = claim(&stage.backend, "worker", &Effect::ALL, BATCH).await;
        if claimed.is_empty() {
            return;
        }
        for work in claimed {
            tokio::task::yield_now().await;
            step::take(&stage.backend, &work).await;
        }
    }
}

/// A claim of a dead worker has lapsed after this, and what was put back is due again.
const LAPSE_S: i64 = 61;

/// A backend whose worker dies.
struct Mortal {
    stage: Stage,
    members: Arc<Members>,
    alice: Caller,
    /// After how many points it dies, once for each; without more of them it lives.
    deaths: Vec<usize>,
    seconds: i64,
}

impl Mortal {
    fn new(deaths: &[usize], errors: &[ProviderError]) -> Self {
        let (stage, members) = Stage::of_members();
        let alice = now(stage.sign_in("alice"));
        *members.errors.lock().unwrap() = errors.to_vec();
        Self {
            stage,
            members,
            alice,
            deaths: deaths.to_vec(),
            seconds: 0,
        }
    }

    /// Works, dies, and is followed until nothing is due any more.
    fn work(&mut self) {
        for _ in 0..12 {
            self.live();
            self.pass(LAPSE_S);
        }
    }

    /// One life of a worker.
    fn live(&mut self) {
        let mut worker = pin!(work(&self.stage));
        let mut context = Context::from_waker(Waker::noop());
        while worker.as_mut().poll(&mut context).is_pending() {
            match self.deaths.first_mut() {
                Some(0) => {
                    self.deaths.remove(0);
                    return;
                }
                Some(points) => *points -= 1,
                None => {}
            }
        }
    }

    fn pass(&mut self, seconds: i64) {
        self.seconds += seconds;
        self.stage.at(self.seconds);
    }

    /// Alice asks for `target` and has it, whatever happened on the way.
    fn get(&mut self, target: &str, seconds: u32) -> String {
        let filed = now(self.stage.file_for(&self.alice, target, seconds)).unwrap();
        self.work();
        self.holds();
        filed.request.id
    }

    /// Access is there exactly while a grant is live.
    fn holds(&self) {
        let grants = now(self.stage.backend.store.open_grants(&self.alice.person.id)).unwrap();
        let is_live = grants.iter().any(|grant| grant.is_live(self.stage.backend.now()));
        assert_eq!(self.members.has(ALICE), is_live, "{grants:?}");
    }

    /// Two grants on one membership: the first ends at its time, the second is given back.
    fn history(mut self) -> Self {
        self.get("dev-admin", 7_200);
        let second = self.get("dev-too", 14_400);
        self.pass(7_200);
        self.work();
        assert!(self.members.has(ALICE), "overlap: the second is live");
        self.holds();
        let open = now(self.stage.backend.store.open_grants(&self.alice.person.id)).unwrap();
        let grant = open.iter().find(|grant| grant.request.as_str() == second).unwrap();
        let (id, why) = (grant.id.as_str(), EndGrant::default());
        now(end::end(&self.stage.backend, &self.alice, id, &why, None)).unwrap();
        self.work();
        assert!(!self.members.has(ALICE), "ends: nothing is live");
        self.pass(86_400);
        self.work();
        assert_eq!(now(self.stage.backend.store.left()).unwrap(), 0, "effects are left");
        assert_eq!(
            now(self.stage.backend.store.memberships(None, 10)).unwrap(),
            [],
            "in use"
        );
        self
    }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut context) {
            return answer;
        }
    }
}

/// How many points there are at which a worker may die.
fn points() -> usize {
    let long = Mortal::new(&[usize::MAX], &[]).history();
    usize::MAX - long.deaths[0]
}

#[test]
fn restart_between_any_two_steps_leaves_nothing_behind() {
    let points = points();
    assert!(points >= 15, "{points}");
    for first in 0..points {
        let lived = Mortal::new(&[first], &[]).history();
        assert!(lived.deaths.is_empty(), "died at {first}");
        for second in 0..points {
            Mortal::new(&[first, second], &[]).history();
        }
    }
}

/// Somebody comes outside, is found in two rounds and taken away, while the worker dies on the way.
fn ousted(deaths: &[usize], errors: &[ProviderError]) {
    let mut mortal = Mortal::new(&[], errors);
    mortal.stage.with_drift("remove");
    let round = |mortal: &Mortal, reconciler: &mut Reconciler| {
        now(reconciler.round(&mortal.stage.backend)).unwrap();
    };
    let mut reconciler = Reconciler::default();
    round(&mortal, &mut reconciler);
    mortal.members.there.lock().unwrap().insert(ALICE.to_owned());
    round(&mortal, &mut reconciler);
    mortal.pass(300);
    round(&mortal, &mut reconciler);
    assert!(mortal.members.has(ALICE), "the intent comes first");
    mortal.deaths = deaths.to_vec();
    mortal.work();
    assert!(!mortal.members.has(ALICE), "died at {deaths:?}");
    assert_eq!(now(mortal.stage.backend.store.left()).unwrap(), 0, "effects are left");
    assert_eq!(
        now(mortal.stage.backend.store.memberships(None, 10)).unwrap(),
        [],
        "in use"
    );
    // she asks for it now: it is given, and goes at its end
    mortal.deaths.clear();
    mortal.get("dev-admin", 7_200);
    mortal.pass(7_200);
    mortal.work();
    mortal.holds();
}

#[test]
fn restart_while_drift_is_removed_leaves_nothing_behind() {
    let slow = || ProviderError::Throttled("later".into());
    let lost = || ProviderError::Unreachable("the answer was lost".into());
    for errors in [vec![], vec![slow()], vec![lost(), slow(), slow(), slow()]] {
        for first in 0..8 {
            for second in 0..8 {
                ousted(&[first, second], &errors);
            }
        }
    }
}

#[test]
fn lost_answers_and_throttling_between_restarts_leave_nothing_behind() {
    let slow = || ProviderError::Throttled("later".into());
    for (lost, errors) in [
        (vec!["grant"], vec![]),
        (vec!["revoke"], vec![slow()]),
        (vec!["grant", "grant", "revoke"], vec![slow(), slow()]),
        (vec!["verify", "revoke", "revoke"], vec![slow(); 5]),
    ] {
        for first in 0..points() {
            let mortal = Mortal::new(&[first], &errors);
            mortal.members.lost.lock().unwrap().clone_from(&lost);
            let lived = mortal.history();
            assert_eq!(
                *lived.members.lost.lock().unwrap(),
                [""; 0],
                "lost none: died at {first}"
            );
        }
    }
}

/// Both hold it; the first lets go by itself, without a call that would take it from the second.
#[test]
fn grants_that_overlap_take_one_membership_away_once() {
    let lived = Mortal::new(&[], &[]).history();
    assert_eq!(lived.members.count("grant"), 2);
    assert_eq!(lived.members.count("revoke"), 1);
}
