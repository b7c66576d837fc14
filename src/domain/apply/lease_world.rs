//! A store, workers and a system outside, in memory, for the property tests of leases.
//! Owns what is true outside; the workers are in a file of their own. Refuses to trust what a worker says: what is there is
//! looked at.

mod worker;

use std::collections::{BTreeMap, BTreeSet};

use self::worker::{At, Task};
use crate::domain::apply;
use crate::domain::case::Case;
use crate::domain::change::{Change, Effect, Row};
use crate::domain::drift;
use crate::domain::event::Event;
use crate::domain::grant::Grant;
use crate::domain::id::{GrantId, RequestId};
use crate::domain::membership::{Membership, MembershipState};
use crate::domain::request::Request;
use crate::domain::samples::{assignment, at, filing, person, secs};
use crate::domain::target::Binding;
use crate::domain::text::{Reason, TargetName};
use crate::domain::time::Timestamp;

/// How long a call may take.
const CALL_MS: i64 = 55_000;
/// For so long what was given may not be listed yet.
const SETTLED_MS: i64 = 120_000;

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
    /// They take it away again.
    ForeignGone,
    /// What is there is compared with what is known, when all that was given would be listed.
    Compare,
    /// The target is bound to something else from now on, or as before again.
    Repoint,
    /// A machine sleeps past what it had announced: its claims and calls lapse.
    Sleep,
    /// The same, and when it wakes all that was held is given back and taken away.
    Oversleep,
    /// It wakes, and goes on all the same.
    Wake,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Done,
    DoneAndLost,
    Throttled,
    Refused,
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
    /// Those of a machine that sleeps.
    asleep: Vec<Task>,
    /// What is true outside.
    there: bool,
    foreign: bool,
    is_repointed: bool,
    /// Grants that held the membership when somebody else took it away.
    bereft: BTreeSet<GrantId>,
    /// When what we gave was there last.
    seen: Option<Timestamp>,
    /// How often what was another's, and went, was given anew.
    pub(super) adopted: u32,
    /// How often a grant lost what was another's.
    pub(super) gone: u32,
    /// How often it was said too late to mean anything that it was given.
    pub(super) stale: u32,
}

impl World {
    fn now(&self) -> Timestamp {
        at(self.now_ms)
    }

    pub(super) fn case(&self, grant: &GrantId) -> Case {
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
            Step::Wait(ms) => self.pass(ms),
            Step::Sleep => self.sleep(),
            Step::Oversleep => {
                self.sleep();
                (0..self.grants.len()).for_each(|which| self.cut(which, true));
                self.step(&Step::Run(40, Answer::Done));
            }
            Step::Wake => self.tasks.append(&mut self.asleep),
            Step::Repoint => self.is_repointed = !self.is_repointed,
            Step::ForeignGone if self.foreign => {
                (self.there, self.foreign) = (false, false);
                self.bereft = self.membership.iter().flat_map(|one| one.leases.clone()).collect();
            }
            Step::ForeignGone => {}
            Step::Compare => {
                self.pass(SETTLED_MS + 1);
                self.compare();
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
                // nor while a call may still give it
                let mut tasks = self.tasks.iter().chain(&self.asleep);
                let is_calling = tasks.any(|task| matches!(task.at, At::Call(..)));
                if !self.there && !is_calling && !self.membership.as_ref().is_some_and(ours) {
                    (self.there, self.foreign) = (true, true);
                }
            }
        }
    }

    /// Whoever has it may begin a session now.
    fn note(&mut self) {
        if self.there && !self.foreign {
            self.seen = Some(self.now());
        }
    }

    fn sleep(&mut self) {
        self.now_ms += CALL_MS + 5_001;
        // what takes away, and is acted on after so long, nothing here could undo
        let takes = |task: &Task| matches!((&task.at, &task.what), (At::Call(..), Effect::LetGo { .. }));
        let asleep = self.tasks.drain(..).filter(|task| !takes(task));
        self.asleep.extend(asleep.map(Task::lapsed));
    }

    fn pass(&mut self, ms: i64) {
        self.now_ms += ms;
        self.note();
        // calls are bounded: whoever waits longer for an answer has given up
        let now = self.now();
        let is_bounded = |task: &Task| match &task.at {
            At::Call(_, until) => now < *until,
            At::Load | At::Look(_) | At::Commit(..) => true,
        };
        self.tasks.retain(|task| task.has_lapsed || is_bounded(task));
    }

    /// What somebody else took away is not counted with any more.
    fn compare(&mut self) {
        let (now, there) = (self.now(), self.there);
        let Some(known) = self.membership.clone().filter(|_| !there) else {
            return;
        };
        match known.state {
            MembershipState::There if now.millis() - known.since.millis() > SETTLED_MS => {
                for grant in &known.leases {
                    let change = apply(now, &self.case(grant), &Event::Gone).unwrap();
                    assert!(self.commit(&change, None));
                    self.gone += u32::from(!change.rows.is_empty() && known.pre_existing);
                }
            }
            MembershipState::Foreign => assert!(self.commit(&drift::left(now, &known), None)),
            MembershipState::Absent | MembershipState::Giving | MembershipState::There | MembershipState::Taking => {}
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

    pub(super) fn holds(&mut self) {
        self.note();
        self.outlives();
        let live = |grant: &&Grant| grant.is_live(self.now()) && !self.bereft.contains(&grant.id);
        if let Some(grant) = self.grants.values().find(live) {
            assert!(self.there, "overlap: {} is live and nothing is there", grant.id);
        }
        if self.there && !self.foreign {
            let owned = self.membership.as_ref().is_some_and(|one| one.state.may_be_there());
            assert!(owned, "intent-first: there, and no row says so");
            let is_held = self.membership.as_ref().is_some_and(|one| !one.leases.is_empty());
            let is_open = |grant: &GrantId| self.grants[grant].state.is_open();
            let ends = |effect: &Effect| {
                matches!(effect, Effect::End { grant } if is_open(grant))
                    || matches!(effect, Effect::LetGo { grant } if is_open(grant) || !is_held)
            };
            assert!(
                self.outbox.values().any(|(_, effect)| ends(effect)),
                "intent-first: nobody ends it"
            );
        }
    }

    /// Once all is over, the last credential that is named is no earlier than one that was begun while it was there.
    fn outlives(&self) {
        let is_idle = |one: &Membership| !one.state.may_be_there() && one.leases.is_empty();
        let is_over = self.grants.values().all(|grant| !grant.state.is_open());
        let Some(seen) = self
            .seen
            .filter(|_| is_over && self.membership.as_ref().is_some_and(is_idle))
        else {
            return;
        };
        let last = self.grants.values().filter_map(|grant| grant.last_credential_at).max();
        let session = Binding::Assignment(assignment()).session();
        assert!(
            last >= Some(seen.plus(session)),
            "outlives: {last:?}, there at {seen:?}"
        );
    }

    /// Everybody's time is over, and the provider answers.
    pub(super) fn finish(&mut self) {
        self.now_ms += 100_000_000;
        self.is_repointed = false;
        self.tasks.clear();
        self.asleep.clear();
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
            // what was there before us stays so, or it would be taken for what came after us
            let over = match membership.pre_existing {
                true => MembershipState::Foreign,
                false => MembershipState::Absent,
            };
            assert_eq!(membership.state, over, "{membership:?}");
        }
    }
}
