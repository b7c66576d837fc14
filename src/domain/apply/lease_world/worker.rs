//! The workers of the world of leases: steps of load, look, call and commit, between any two of which anything may happen.
//! Owns doing what the real worker does, in its order. Refuses to hear of what a call came to where its answer is lost.

use super::{Answer, CALL_MS, World};
use crate::domain::apply;
use crate::domain::case::Case;
use crate::domain::change::{Change, Effect};
use crate::domain::event::Event;
use crate::domain::grant::GrantState;
use crate::domain::id::GrantId;
use crate::domain::membership::MembershipState;
use crate::domain::time::Timestamp;

/// How far a worker is with an effect.
#[derive(Clone, Debug)]
pub(super) enum At {
    Load,
    Look(Case),
    /// Announced with the instant before which the call is acted on.
    Call(Case, Timestamp),
    Commit(Case, Event),
}

#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) effect: usize,
    pub(super) what: Effect,
    pub(super) at: At,
    /// Another may take up the same effect.
    pub(super) has_lapsed: bool,
}

impl Task {
    pub(super) fn lapsed(self) -> Self {
        Self {
            has_lapsed: true,
            ..self
        }
    }
}

impl World {
    pub(super) fn claim(&mut self, which: usize) {
        let taken = |id: &usize| self.tasks.iter().any(|task| task.effect == *id && !task.has_lapsed);
        let due = self
            .outbox
            .iter()
            .filter(|(id, (due, _))| *due <= self.now() && !taken(id));
        if let Some((effect, what)) = due.map(|(id, (_, what))| (*id, what.clone())).nth(which) {
            self.tasks.push(Task {
                effect,
                what,
                at: At::Load,
                has_lapsed: false,
            });
        }
    }

    /// One step of a worker: between any two of them anything may happen.
    pub(super) fn go(&mut self, which: usize, answer: Answer) {
        if which >= self.tasks.len() {
            return;
        }
        // no two steps are at the same instant: what came first is known by that
        self.pass(1);
        if which >= self.tasks.len() {
            return;
        }
        let mut task = self.tasks.remove(which);
        let effect = task.effect;
        let next = match (task.at, &task.what) {
            (At::Load, _) if !self.outbox.contains_key(&effect) => None,
            (At::Load, Effect::Activate { grant }) => Some(At::Commit(self.case(grant), Event::Activate)),
            (At::Load, Effect::End { grant }) => Some(At::Commit(self.case(grant), Event::End)),
            (At::Load, Effect::Give { grant }) => self.begin_to_give(grant, effect),
            (At::Load, Effect::LetGo { grant }) => self.begin_to_take(grant, effect),
            (At::Load, Effect::Warn { grant }) => Some(At::Commit(self.case(grant), Event::Warn)),
            (At::Load, other) => panic!("{other:?}"),
            (At::Look(case), _) => self.look(case, answer),
            (At::Call(case, _), Effect::LetGo { .. }) => self.take(case, answer),
            (At::Call(case, until), _) => self.give(case, until, answer, effect),
            (At::Commit(case, event), _) => {
                self.settle(case, &event, effect);
                None
            }
        };
        if let Some(at) = next {
            task.at = at;
            self.tasks.push(task);
        }
    }

    /// Commits what follows from `event`, and settles the effect, unless somebody did so already.
    fn settle(&mut self, case: Case, event: &Event, effect: usize) {
        let settles = self.outbox.contains_key(&effect).then_some(effect);
        if let (Event::Verified { before }, Some(one)) = (event, &self.membership) {
            let is_over = !self.grants[&case.grant.as_ref().unwrap().id].state.is_open();
            self.stale += u32::from(is_over && one.state == MembershipState::Absent && *before < one.since);
        }
        let change = apply(self.now(), &case, event).unwrap();
        if !self.commit(&change, settles) {
            // another change came first: it is loaded and decided again
            let case = self.case(&case.grant.unwrap().id);
            let change = apply(self.now(), &case, event).unwrap();
            assert!(self.commit(&change, settles), "nothing came between");
        }
    }

    /// Put back for a while, behind the others.
    fn wait(&mut self, effect: usize) {
        if let Some(row) = self.outbox.remove(&effect) {
            self.last_effect += 1;
            self.outbox.insert(self.last_effect, row);
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
            self.wait(effect);
            return None;
        }
        if self.is_repointed {
            return Some(At::Commit(case, Event::NotGiven { detail: "other".into() }));
        }
        match standing.state {
            MembershipState::Giving | MembershipState::There if !standing.pre_existing => self.begin_call(case, None),
            MembershipState::Absent | MembershipState::Giving | MembershipState::There | MembershipState::Foreign => {
                Some(At::Look(case))
            }
            MembershipState::Taking => {
                self.commit(&Change::default(), Some(effect));
                None
            }
        }
    }

    fn begin_to_take(&mut self, grant: &GrantId, effect: usize) -> Option<At> {
        let case = self.case(grant);
        let standing = case.membership.as_ref()?;
        if standing.is_in_the_way(self.now(), grant) {
            self.wait(effect);
            return None;
        }
        let until = Timestamp::from_millis(self.now().millis() + CALL_MS);
        let change = apply(self.now(), &case, &Event::Taking { until }).unwrap();
        let is_said = change.event.is_some();
        let is_over = change.grant().is_some() || !is_said && !standing.is_taken_for(grant);
        let done = self.commit(&change, is_over.then_some(effect));
        assert!(done, "nothing came between");
        (!is_over).then(|| At::Call(self.case(grant), until))
    }

    /// Whether it is there before anything was given. Without an answer it is looked again, and nothing is said.
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
        let was_anothers = case.membership.as_ref()?.state != MembershipState::Absent;
        self.adopted += u32::from(is_begun && was_anothers && found == Some(false));
        is_begun.then(|| At::Call(self.case(&grant), until))
    }

    /// The call to give is over without having been seen to give; where that is not heard of, time tells.
    fn pause(&mut self, case: &Case, until: Timestamp, unknown: bool) {
        let (now, case) = (self.now(), self.case(&case.grant.as_ref().unwrap().id));
        let before = unknown.then_some(now);
        let change = apply(now, &case, &Event::Paused { until, before }).unwrap();
        assert!(self.commit(&change, None), "nothing came between");
    }

    fn give(&mut self, case: Case, until: Timestamp, answer: Answer, effect: usize) -> Option<At> {
        let verified = Event::Verified { before: self.now() };
        if case.membership.as_ref()?.pre_existing {
            // it is only looked
            return match (answer, self.there) {
                (Answer::Done, true) => Some(At::Commit(case, verified)),
                (Answer::Done, false) | (Answer::DoneAndLost | Answer::Throttled | Answer::Refused, _) => {
                    self.pause(&case, until, true);
                    None
                }
            };
        }
        let is_foreseen = self.membership.as_ref()?.state;
        let is_foreseen = matches!(is_foreseen, MembershipState::Giving | MembershipState::There);
        match answer {
            Answer::Done if is_foreseen => {
                self.is_given();
                Some(At::Commit(case, verified))
            }
            // whoever dies between this and saying so is beyond help
            Answer::Done => {
                self.is_given();
                self.settle(case, &verified, effect);
                None
            }
            Answer::DoneAndLost => {
                self.is_given();
                self.pause(&case, until, true);
                None
            }
            Answer::Throttled => {
                self.pause(&case, until, false);
                None
            }
            Answer::Refused => Some(At::Commit(case, Event::NotGiven { detail: "no".into() })),
        }
    }

    fn is_given(&mut self) {
        self.there = true;
        self.bereft.clear();
    }

    fn take(&mut self, case: Case, answer: Answer) -> Option<At> {
        assert!(!self.foreign, "only-ours: what is not ours is taken");
        self.note();
        match answer {
            Answer::Done => {
                self.there = false;
                Some(At::Commit(case, Event::Taken))
            }
            Answer::DoneAndLost => {
                self.there = false;
                None
            }
            Answer::Throttled | Answer::Refused => None,
        }
    }
}
