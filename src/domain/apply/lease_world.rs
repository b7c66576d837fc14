//! A store, workers and a system outside, in memory, for the property tests of leases.
//! Owns what is true outside. Refuses to trust what a worker says: what is there is looked at.

use std::collections::BTreeMap;

use crate::domain::apply;
use crate::domain::case::Case;
use crate::domain::change::{Change, Effect, Row};
use crate::domain::event::Event;
use crate::domain::grant::{Grant, GrantState};
use crate::domain::id::{GrantId, RequestId};
use crate::domain::membership::{Membership, MembershipState};
use crate::domain::request::Request;
use crate::domain::samples::{assignment, at, filing, person, secs};
use crate::domain::target::Binding;
use crate::domain::text::{Reason, TargetName};
use crate::domain::time::Timestamp;

/// How long a call may take.
const CALL_MS: i64 = 55_000;

/// What happens next.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Time passes.
    Wait(i64),
    /// Somebody gets a grant: on which of the targets, for how many minutes.
    Ask(bool, u32),
    /// Its holder drops the grant, or somebody revokes it.
    Cut(usize, bool),
    /// A worker takes up an effect that is due.
    Claim(usize),
    /// A worker goes on with what it took up; what its call comes to.
    Go(usize, Answer),
    /// A worker takes up what is due and goes on with everything, so many steps in all; what its calls come to.
    Run(u8, Answer),
    /// A worker dies.
    Die(usize),
    /// Somebody else makes the membership, outside.
    Foreign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Done,
    DoneAndLost,
    Throttled,
    Refused,
}

/// How far a worker is with an effect.
#[derive(Clone, Debug)]
enum At {
    Load,
    Look(Case),
    Call(Case),
    Commit(Case, Event),
}

#[derive(Clone, Debug)]
struct Task {
    effect: usize,
    at: At,
}

#[derive(Default)]
pub(super) struct World {
    now_ms: i64,
    requests: BTreeMap<RequestId, Request>,
    pub(super) grants: BTreeMap<GrantId, Grant>,
    pub(super) membership: Option<Membership>,
    /// By number, in the order of coming.
    outbox: BTreeMap<usize, (Timestamp, Effect)>,
    last_effect: usize,
    tasks: Vec<Task>,
    /// What is true outside.
    there: bool,
    foreign: bool,
    calls: u32,
}

impl World {
    fn now(&self) -> Timestamp {
        at(self.now_ms)
    }

    fn case(&self, grant: &GrantId) -> Case {
        let grant = &self.grants[grant];
        Case {
            request: self.requests.get(&grant.request).cloned(),
            grant: Some(grant.clone()),
            membership: self.membership.clone(),
            ..Case::default()
        }
    }

    /// All or nothing, as the store does.
    fn commit(&mut self, change: &Change, settles: Option<usize>) -> bool {
        let is_next = |row: &Row| match row {
            Row::Grant(next) => self.grants.get(&next.id).map_or(0, |old| old.version) + 1 == next.version,
            Row::Membership(next) => self.membership.as_ref().map_or(0, |old| old.version) + 1 == next.version,
            Row::Request(_) => true,
            other => panic!("{other:?}"),
        };
        let told = change.event.as_ref().map(|event| event.payload["rows"].clone());
        let rows = serde_json::json!(change.rows);
        assert!(change.rows.is_empty() || told == Some(rows), "evidence: other rows");
        if settles.is_some_and(|id| !self.outbox.contains_key(&id)) || !change.rows.iter().all(is_next) {
            return false;
        }
        for row in &change.rows {
            match row {
                Row::Grant(next) => drop(self.grants.insert(next.id.clone(), next.clone())),
                Row::Membership(next) => self.membership = Some(next.as_ref().clone()),
                Row::Request(next) => drop(self.requests.insert(next.id().clone(), next.as_ref().clone())),
                other => panic!("{other:?}"),
            }
        }
        if let Some(id) = settles {
            self.outbox.remove(&id);
        }
        for (due, effect) in &change.effects {
            self.last_effect += 1;
            self.outbox.insert(self.last_effect, (*due, effect.clone()));
        }
        true
    }

    pub(super) fn step(&mut self, step: &Step) {
        match *step {
            Step::Wait(ms) => {
                self.now_ms += ms;
                // calls are bounded: whoever waits longer for an answer has given up
                let now = self.now();
                let is_bounded = |task: &Task| match &task.at {
                    At::Call(case) => case
                        .membership
                        .as_ref()
                        .is_none_or(|it| it.busy_until.is_none_or(|at| now < at)),
                    At::Load | At::Look(_) | At::Commit(..) => true,
                };
                self.tasks.retain(is_bounded);
            }
            Step::Ask(second, minutes) => self.ask(second, minutes),
            Step::Cut(which, drops) => self.cut(which, drops),
            Step::Claim(which) => self.claim(which),
            Step::Go(which, answer) => self.go(which, answer),
            Step::Run(steps, answer) => (0..steps).for_each(|_| {
                self.claim(0);
                self.go(0, answer);
            }),
            Step::Die(which) if which < self.tasks.len() => drop(self.tasks.remove(which)),
            Step::Die(_) => {}
            // once something of ours may be there nobody could tell whose it is
            Step::Foreign => {
                let ours = |one: &Membership| one.state.may_be_there();
                if !self.there && !self.membership.as_ref().is_some_and(ours) {
                    (self.there, self.foreign) = (true, true);
                }
            }
        }
    }

    fn ask(&mut self, second: bool, minutes: u32) {
        let mut asked = filing(u64::try_from(self.grants.len()).unwrap() + 1);
        asked.automatic = true;
        asked.body.target = TargetName::parse(if second { "ic-too" } else { "ic" }).unwrap();
        asked.body.binding = Binding::Assignment(assignment());
        asked.body.user = Some("user-1".into());
        asked.body.duration = secs(minutes * 60);
        let change = apply(self.now(), &Case::default(), &Event::File(Box::new(asked))).unwrap();
        assert!(self.commit(&change, None));
    }

    fn cut(&mut self, which: usize, drops: bool) {
        let Some(grant) = self.grants.keys().nth(which).cloned() else {
            return;
        };
        let (by, reason) = (person(1), Reason::parse("enough of it").unwrap());
        let event = if drops {
            Event::Drop { by }
        } else {
            Event::Revoke { by, reason }
        };
        if let Ok(change) = apply(self.now(), &self.case(&grant), &event) {
            assert!(self.commit(&change, None));
        }
    }

    fn claim(&mut self, which: usize) {
        let taken = |id: &usize| self.tasks.iter().any(|task| task.effect == *id);
        let due = self
            .outbox
            .iter()
            .filter(|(id, (due, _))| *due <= self.now() && !taken(id));
        if let Some(effect) = due.map(|(id, _)| *id).nth(which) {
            self.tasks.push(Task { effect, at: At::Load });
        }
    }

    /// One step of a worker: between any two of them anything may happen.
    fn go(&mut self, which: usize, answer: Answer) {
        if which >= self.tasks.len() {
            return;
        }
        let Task { effect, at } = self.tasks.remove(which);
        let Some((_, what)) = self.outbox.get(&effect).cloned() else {
            return;
        };
        let next = match (at, &what) {
            (At::Load, Effect::Activate { grant }) => Some(At::Commit(self.case(grant), Event::Activate)),
            (At::Load, Effect::End { grant }) => Some(At::Commit(self.case(grant), Event::End)),
            (At::Load, Effect::Give { grant }) => self.begin_to_give(grant, effect),
            (At::Load, Effect::LetGo { grant }) => self.begin_to_take(grant, effect),
            (At::Load, Effect::Warn { grant }) => Some(At::Commit(self.case(grant), Event::Warn)),
            (At::Load, other) => panic!("{other:?}"),
            (At::Look(case), _) => self.look(case, answer),
            (At::Call(case), Effect::LetGo { .. }) => self.take(case, answer),
            (At::Call(case), _) => self.give(case, answer),
            (At::Commit(case, event), _) => {
                let change = apply(self.now(), &case, &event).unwrap();
                if !self.commit(&change, Some(effect)) {
                    // another change came first: it is loaded and decided again
                    let case = self.case(&case.grant.unwrap().id);
                    let change = apply(self.now(), &case, &event).unwrap();
                    assert!(self.commit(&change, Some(effect)), "nothing came between");
                }
                None
            }
        };
        if let Some(at) = next {
            self.tasks.push(Task { effect, at });
        }
    }

    fn begin_to_give(&mut self, grant: &GrantId, effect: usize) -> Option<At> {
        let case = self.case(grant);
        let is_over = case.grant.as_ref()?.ends_at.is_none_or(|end| self.now() >= end);
        if case.grant.as_ref()?.state != GrantState::Granting || is_over {
            self.commit(&Change::default(), Some(effect));
            return None;
        }
        let standing = case.membership.as_ref()?;
        if standing.is_busy(self.now()) {
            return None;
        }
        match standing.state {
            MembershipState::Absent => Some(At::Look(case)),
            MembershipState::Giving | MembershipState::There => self.begin_call(case, None),
            MembershipState::Taking => {
                self.commit(&Change::default(), Some(effect));
                None
            }
        }
    }

    fn begin_to_take(&mut self, grant: &GrantId, effect: usize) -> Option<At> {
        let case = self.case(grant);
        if case.grant.as_ref()?.state != GrantState::Revoking {
            self.commit(&Change::default(), Some(effect));
            return None;
        }
        if case
            .membership
            .as_ref()
            .is_some_and(|standing| standing.is_busy(self.now()))
        {
            return None;
        }
        let until = Timestamp::from_millis(self.now().millis() + CALL_MS);
        let change = apply(self.now(), &case, &Event::Taking { until }).unwrap();
        let is_over = change.grant().is_some();
        let done = self.commit(&change, is_over.then_some(effect));
        assert!(done, "nothing came between");
        (!is_over).then(|| At::Call(self.case(grant)))
    }

    /// Whether it is there before anything was given.
    fn look(&mut self, case: Case, answer: Answer) -> Option<At> {
        let is_there = self.there;
        (answer == Answer::Done).then(|| self.begin_call(case, Some(is_there)))?
    }

    /// That a call is under way is durable before it is made. Whoever conflicts begins again.
    fn begin_call(&mut self, case: Case, found: Option<bool>) -> Option<At> {
        let until = Timestamp::from_millis(self.now().millis() + CALL_MS);
        let change = apply(self.now(), &case, &Event::Giving { found, until }).unwrap();
        let grant = case.grant.as_ref()?.id.clone();
        let is_begun = !change.rows.is_empty() && self.commit(&change, None);
        is_begun.then(|| At::Call(self.case(&grant)))
    }

    /// The call is over without having given; where that is not heard of, time tells.
    fn pause(&mut self, case: &Case) {
        let case = self.case(&case.grant.as_ref().unwrap().id);
        let change = apply(self.now(), &case, &Event::Paused).unwrap();
        self.commit(&change, None);
    }

    fn give(&mut self, case: Case, answer: Answer) -> Option<At> {
        self.calls += 1;
        match answer {
            Answer::Done => {
                self.there = true;
                Some(At::Commit(case, Event::Verified))
            }
            Answer::DoneAndLost => {
                self.there = true;
                None
            }
            Answer::Throttled => {
                self.pause(&case);
                None
            }
            Answer::Refused => Some(At::Commit(case, Event::NotGiven { detail: "no".into() })),
        }
    }

    fn take(&mut self, case: Case, answer: Answer) -> Option<At> {
        self.calls += 1;
        assert!(!self.foreign, "only-ours: what is not ours is taken");
        match answer {
            Answer::Done => {
                self.there = false;
                Some(At::Commit(case, Event::Taken))
            }
            Answer::DoneAndLost => {
                self.there = false;
                None
            }
            Answer::Throttled | Answer::Refused => {
                self.pause(&case);
                None
            }
        }
    }

    pub(super) fn holds(&self) {
        let live = |grant: &&Grant| grant.is_live(self.now());
        if let Some(grant) = self.grants.values().find(live) {
            assert!(self.there, "overlap: {} is live and nothing is there", grant.id);
        }
        if self.there && !self.foreign {
            let owned = self.membership.as_ref().is_some_and(|one| one.state.may_be_there());
            assert!(owned, "intent-first: there, and no row says so");
            let ends = |grant: &&Grant| {
                let effects = [
                    Effect::End {
                        grant: grant.id.clone(),
                    },
                    Effect::LetGo {
                        grant: grant.id.clone(),
                    },
                ];
                grant.state.is_open() && self.outbox.values().any(|(_, effect)| effects.contains(effect))
            };
            assert!(
                self.grants.values().any(|grant| ends(&grant)),
                "intent-first: nobody ends it"
            );
        }
    }

    /// Everybody's time is over, and the provider answers.
    pub(super) fn finish(&mut self) {
        self.now_ms += 100_000_000;
        self.tasks.clear();
        for _ in 0..10_000 {
            if self.tasks.is_empty() {
                self.claim(0);
            }
            if self.tasks.is_empty() {
                break;
            }
            self.go(0, Answer::Done);
            self.holds();
        }
        assert!(self.outbox.is_empty(), "left over: {:?}", self.outbox);
        assert_eq!(self.there, self.foreign, "ends: something is left behind");
        assert!(
            self.grants.values().all(|grant| !grant.state.is_open()),
            "ends: a grant is open"
        );
        if let Some(membership) = &self.membership {
            assert!(membership.leases.is_empty(), "ends: leases are left");
            assert_eq!(membership.state, MembershipState::Absent);
        }
    }
}
