//! A worker that dies: at every point at which it waits for the provider or takes up an effect, counted and not sampled,
//! in each of [`HISTORIES`]. Whatever it left behind is gone when its successor is done, and the last
//! credential that is named is no earlier than the last one that there can be.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::reconcile::Reconciler;
use super::{BATCH, claim, step};
use crate::domain::{Effect, RequestId, Timestamp};
use crate::server::backend::Caller;
use crate::server::provider::ProviderError;
use crate::server::service::{end, locks};
use crate::server::stage::members::Members;
use crate::server::stage::{Stage, new_request};
use crate::wire::{EndGrant, NewLock, NewRequest};

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

/// How long a session of the permission set lives.
const SESSION_MS: i64 = 3_600_000;

/// A backend whose worker dies.
struct Mortal {
    stage: Stage,
    members: Arc<Members>,
    alice: Caller,
    /// After how many points it dies, once for each; without more of them it lives.
    deaths: Vec<usize>,
    seconds: i64,
    /// What Alice asked for.
    asked: Vec<RequestId>,
    /// Whether she had it before, by somebody else.
    had_it: bool,
    /// When she had it last: a session could be begun then.
    seen: Option<Timestamp>,
}

/// What happens to Alice, from nothing to nothing, in a world where the worker dies.
type History = fn(&mut Mortal);

/// Those in which a worker dies between any two steps; and in the first two a second time.
const HISTORIES: [(&str, History, bool); 6] = [
    ("two that overlap", overlapping, true),
    ("given back while it is given", given_back, true),
    ("locked while it is given", locked, false),
    ("not given before its end", past_its_end, false),
    ("extended", extended, false),
    ("there before", there_before, false),
];

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
            asked: Vec::new(),
            had_it: false,
            seen: None,
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
        self.note();
        self.seconds += seconds;
        self.stage.at(self.seconds);
        self.note();
    }

    fn note(&mut self) {
        if self.members.has(ALICE) {
            self.seen = Some(self.stage.backend.now());
        }
    }

    /// Alice asks.
    fn ask(&mut self, new: &NewRequest) -> RequestId {
        let filed = now(self.stage.file_as(&self.alice, new)).unwrap();
        let id = RequestId::parse(&filed.request.id).unwrap();
        self.asked.push(id.clone());
        id
    }

    /// Alice asks for `target` and has it, whatever happened on the way.
    fn get(&mut self, target: &str, seconds: u32) -> RequestId {
        let id = self.ask(&new_request(target, seconds));
        self.work();
        self.holds();
        id
    }

    /// Alice gives back what `request` brought her.
    fn give_back(&self, request: &RequestId) {
        let case = now(self.stage.backend.store.case(request)).unwrap().unwrap();
        let (id, why) = (case.grant.unwrap().id, EndGrant::default());
        now(end::end(&self.stage.backend, &self.alice, id.as_str(), &why, None)).unwrap();
    }

    /// Access is there exactly while a grant is live, or since before.
    fn holds(&self) {
        let grants = now(self.stage.backend.store.open_grants(&self.alice.person.id)).unwrap();
        let is_live = grants.iter().any(|grant| grant.is_live(self.stage.backend.now()));
        assert_eq!(self.members.has(ALICE), is_live || self.had_it, "{grants:?}");
    }

    /// One life of Alice's access, and what is left after it: nothing.
    fn history(mut self, history: History) -> Self {
        history(&mut self);
        self.work();
        self.holds();
        self.pass(86_400);
        self.work();
        assert_eq!(self.members.has(ALICE), self.had_it, "ends: nothing is live");
        assert_eq!(now(self.stage.backend.store.left()).unwrap(), 0, "effects are left");
        assert_eq!(
            now(self.stage.backend.store.memberships(None, 10)).unwrap(),
            [],
            "in use"
        );
        self.outlives();
        self
    }

    /// No session that was begun while it was there lives longer than what is named.
    fn outlives(&self) {
        let cases = self
            .asked
            .iter()
            .map(|id| now(self.stage.backend.store.case(id)).unwrap().unwrap());
        let last = cases.filter_map(|case| case.grant?.last_credential_at).max();
        match (self.had_it, self.seen) {
            // it goes on: there is no last one
            (true, _) => assert_eq!(last, None, "remains"),
            (false, None) => {}
            (false, Some(seen)) => {
                let begun_last = Timestamp::from_millis(seen.millis() + SESSION_MS);
                assert!(last >= Some(begun_last), "{last:?}: it was there at {seen}");
            }
        }
    }
}

/// Two grants on one membership: the first ends at its time, the second is given back.
fn overlapping(mortal: &mut Mortal) {
    mortal.get("dev-admin", 7_200);
    let second = mortal.get("dev-too", 14_400);
    mortal.pass(7_200);
    mortal.work();
    assert!(mortal.members.has(ALICE), "overlap: the second is live");
    mortal.holds();
    mortal.give_back(&second);
}

fn given_back(mortal: &mut Mortal) {
    let id = mortal.ask(&new_request("dev-admin", 7_200));
    mortal.live();
    mortal.give_back(&id);
}

fn locked(mortal: &mut Mortal) {
    mortal.ask(&new_request("dev-admin", 7_200));
    mortal.live();
    let carol = now(mortal.stage.sign_in("carol"));
    let lock = NewLock {
        on: "alice".into(),
        reason: "laptop stolen".into(),
    };
    now(locks::lock(&mortal.stage.backend, &carol, &lock, None)).unwrap();
}

fn past_its_end(mortal: &mut Mortal) {
    mortal.ask(&new_request("dev-admin", 7_200));
    mortal.live();
    mortal.pass(7_200);
}

/// Asked for again in its second hour, and the worker dies from then on.
fn extended(mortal: &mut Mortal) {
    mortal.get("dev-admin", 7_200);
    mortal.pass(3_600);
    let more = NewRequest {
        extend: true,
        ..new_request("dev-admin", 7_200)
    };
    mortal.ask(&more);
    mortal.live();
    mortal.pass(LAPSE_S);
    mortal.work();
    mortal.pass(3_600);
    mortal.work();
    assert!(mortal.members.has(ALICE), "overlap: it was extended");
    mortal.holds();
    mortal.pass(7_200);
}

/// Somebody else gave it to her: it stays.
fn there_before(mortal: &mut Mortal) {
    mortal.members.there.lock().unwrap().insert(ALICE.to_owned());
    mortal.had_it = true;
    let id = mortal.ask(&new_request("dev-admin", 7_200));
    mortal.live();
    mortal.give_back(&id);
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

/// How many points there are in `history` at which a worker may die.
fn points(history: History) -> usize {
    let long = Mortal::new(&[usize::MAX], &[]).history(history);
    usize::MAX - long.deaths[0]
}

#[test]
fn restart_between_any_two_steps_leaves_nothing_behind() {
    for (name, history, is_twice) in HISTORIES {
        let points = points(history);
        assert!(points >= 4, "{name}: {points}");
        for first in 0..points {
            let lived = Mortal::new(&[first], &[]).history(history);
            assert!(lived.deaths.is_empty(), "{name}: died at {first}");
            for second in 0..if is_twice { points } else { 0 } {
                Mortal::new(&[first, second], &[]).history(history);
            }
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
        for first in 0..points(overlapping) {
            let mortal = Mortal::new(&[first], &errors);
            mortal.members.lost.lock().unwrap().clone_from(&lost);
            let lived = mortal.history(overlapping);
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
    let lived = Mortal::new(&[], &[]).history(overlapping);
    assert_eq!(lived.members.count("grant"), 2);
    assert_eq!(lived.members.count("revoke"), 1);
}
