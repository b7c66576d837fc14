//! The worker of the world, and what its provider does.
//! Owns doing what is due as the real worker does. Refuses nothing: the end, and giving up, must never be refused.

use super::{Provider, World};
use crate::domain::change::Effect;
use crate::domain::event::Event;
use crate::domain::grant::{Grant, GrantState, KillState};
use crate::domain::id::GrantId;
use crate::domain::lock::Scope;
use crate::domain::time::Timestamp;

impl World {
    /// One tick of the worker. It claims at `now` and works `behind_ms` earlier: its clock may have gone back.
    pub(in crate::domain::apply) fn tick(&mut self, provider: Provider, behind_ms: i64) {
        let now = Timestamp::from_millis(self.now.millis() - behind_ms);
        let (due, later) = self.outbox.drain(..).partition(|(at, _)| *at <= self.now);
        self.outbox = later;
        let mut due: Vec<(Timestamp, Effect)> = due;
        due.sort_by_key(|(at, effect)| (effect.urgency(), *at));
        for (at, effect) in due {
            if !self.work(now, &effect, provider) {
                self.outbox.push((at, effect));
            }
        }
    }

    /// Whether the effect is settled.
    fn work(&mut self, now: Timestamp, effect: &Effect, provider: Provider) -> bool {
        let event = match effect {
            Effect::Expire { request } => {
                self.play(now, &request.clone(), &Event::Expire).unwrap();
                return true;
            }
            Effect::Sweep { scope } => {
                self.sweep(&scope.clone());
                return true;
            }
            // of grants there is none in it
            Effect::Oust { .. } | Effect::Depart { .. } => return true,
            Effect::Recall { .. } => Event::Recall,
            Effect::Stop { scope, .. } => {
                let lock = &self.locks[scope];
                let (by, reason) = (lock.by.clone(), lock.reason.clone());
                Event::Lock { by, reason }
            }
            Effect::Activate { .. } => Event::Activate,
            Effect::End { .. } => Event::End,
            Effect::Warn { .. } => Event::Warn,
            Effect::Give { grant } => match self.give(grant, provider) {
                Some(event) => event,
                None => return self.grants[grant].state != GrantState::Granting,
            },
            Effect::Take { grant } | Effect::LetGo { grant } => {
                if provider == Provider::IsSilent {
                    return false;
                }
                self.access.remove(grant);
                Event::Taken
            }
            Effect::Kill { grant } | Effect::Unkill { grant } => match self.switch(now, grant, provider) {
                Some(event) => event,
                None => return false,
            },
        };
        let (Effect::Activate { grant }
        | Effect::End { grant }
        | Effect::Give { grant }
        | Effect::Take { grant }
        | Effect::LetGo { grant }
        | Effect::Kill { grant }
        | Effect::Stop { grant, .. }
        | Effect::Recall { grant }
        | Effect::Warn { grant }
        | Effect::Unkill { grant }) = effect
        else {
            return true;
        };
        let request = self.grants[grant].request.clone();
        // the end, and giving up, must never be refused
        self.play(now, &request, &event).unwrap();
        true
    }

    /// Writes the kill switch as the worker does: all that is wanted, and nothing else.
    fn switch(&mut self, now: Timestamp, id: &GrantId, provider: Provider) -> Option<Event> {
        let kill = self.grants[id].kill.as_ref().expect("a kill switch without sessions");
        if now >= kill.until && kill.state.is_wanted() || kill.state == KillState::Killed {
            return Some(Event::Outlived);
        }
        let event = match kill.state {
            KillState::Killing => Event::Killed { issued_before: None },
            KillState::Killed | KillState::Lifting | KillState::Lifted => Event::Lifted,
        };
        if provider == Provider::Refuses {
            return None;
        }
        let wanted = |grant: &&Grant| grant.kill.as_ref().is_some_and(|kill| kill.state.is_wanted());
        self.shut_out = self.grants.values().filter(wanted).map(|g| g.id.clone()).collect();
        // a silent provider may have done it all the same
        (provider == Provider::Works).then_some(event)
    }

    /// Leaves an effect for each grant that was there when the lock was set.
    fn sweep(&mut self, scope: &Scope) {
        let lock = self.locks[scope].clone();
        let is_under = |grant: &&Grant| match scope {
            Scope::All => true,
            Scope::Person(who) => grant.beneficiary == *who,
            Scope::Target(on) => grant.target == *on,
            Scope::Bound(_) => false,
        };
        let there = |grant: &&Grant| grant.state.is_open() && (lock.stands() || grant.created_at <= lock.since);
        let under = self.grants.values().filter(|grant| is_under(grant) && there(grant));
        let stop = |grant: &Grant| Effect::Stop {
            grant: grant.id.clone(),
            scope: scope.clone(),
        };
        self.outbox.extend(under.map(|grant| (self.now, stop(grant))));
    }

    fn give(&mut self, id: &GrantId, provider: Provider) -> Option<Event> {
        let grant = &self.grants[id];
        if grant.state != GrantState::Granting {
            return None;
        }
        assert!(grant.ends_at.is_some(), "intent-first: given without a durable end");
        match provider {
            Provider::Works => {
                self.access.insert(id.clone());
                Some(Event::Verified { before: self.now })
            }
            // after a silent attempt nobody knows that nothing is there: only the end settles it
            Provider::Refuses if self.access.contains(id) => None,
            Provider::Refuses => Some(Event::NotGiven { detail: "no".into() }),
            Provider::IsSilent => {
                // it may have worked all the same
                self.access.insert(id.clone());
                None
            }
        }
    }
}
