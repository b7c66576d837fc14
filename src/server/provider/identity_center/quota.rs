//! Who may call next, and when: the order and the pace of all calls to one service.
//! Owns the rate, what slows it down and how it recovers. Refuses a clock and randomness: both come as arguments.

use std::collections::VecDeque;
use std::time::Duration;

/// Within so long, in milliseconds, no more than the quota.
const SECOND: i64 = 1_000;

/// Within so long no more than a quarter of it: calls that left a moment apart arrive together, and two bursts would
/// meet in one second of AWS's.
const QUARTER: i64 = SECOND / 4;

/// Identity Center's own limits, not adjustable: 20 calls a second over all of its API, 10 creations under way.
/// <https://docs.aws.amazon.com/singlesignon/latest/userguide/limits.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The most calls in any one second. Below AWS's, which others use as well.
    pub calls_per_second: u32,
    /// The most assignments being created.
    pub creations_at_once: u32,
    /// How long one change is waited for before it is left to the next call. A worker's claim lasts longer.
    pub patience: Duration,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            calls_per_second: 18,
            creations_at_once: 10,
            patience: Duration::from_secs(25),
        }
    }
}

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// Access is being taken away: ahead of everything else, always.
    Take,
    /// Access is being given, or looked at.
    Give,
    /// A list is being read that nothing waits for.
    Browse,
}

/// Whether a call begins something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Goes on with what has begun, so that it ends: ahead of what begins, or ten thousand that begin would keep the
    /// first from ever ending.
    GoOn,
    /// Begins.
    Begin,
}

/// The queue that a call waits in.
pub type Class = (Urgency, Step);

/// The queues, first served first.
const CLASSES: [Class; 6] = [
    (Urgency::Take, Step::GoOn),
    (Urgency::Take, Step::Begin),
    (Urgency::Give, Step::GoOn),
    (Urgency::Give, Step::Begin),
    (Urgency::Browse, Step::GoOn),
    (Urgency::Browse, Step::Begin),
];

/// Who goes next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<T> {
    /// This one, now.
    Go(T),
    /// Nobody before this instant.
    At(i64),
    /// Nobody waits.
    Nobody,
}

/// The waiting calls of one service, and the pace at which they go. Instants are milliseconds of a clock that never
/// goes back.
#[derive(Debug)]
pub struct Pace<T> {
    quota: u32,
    /// What is allowed for now: the quota, less while the service says that it is too much.
    allowed: u32,
    /// When `allowed` was changed last.
    changed_at: i64,
    /// Nobody goes before.
    held_until: i64,
    /// The starts of the last second.
    started: VecDeque<i64>,
    waiting: [VecDeque<T>; CLASSES.len()],
}

impl<T> Pace<T> {
    /// Nobody waits; at least one call a second.
    pub fn new(calls_per_second: u32) -> Self {
        let quota = calls_per_second.max(1);
        Self {
            quota,
            allowed: quota,
            changed_at: i64::MIN,
            held_until: i64::MIN,
            started: VecDeque::new(),
            waiting: Default::default(),
        }
    }

    /// Takes a place at the end of the queue of `class`.
    pub fn enter(&mut self, class: Class, who: T) {
        let queue = CLASSES.iter().zip(&mut self.waiting).find(|(c, _)| **c == class);
        queue.expect("every class has a queue").1.push_back(who);
    }

    /// Whether anybody waits.
    pub fn is_busy(&self) -> bool {
        self.waiting.iter().any(|queue| !queue.is_empty())
    }

    /// Who goes next, and takes them out. Those who no longer wait are passed over, and cost no call.
    pub fn next(&mut self, now: i64, still_waits: impl Fn(&T) -> bool) -> Next<T> {
        for queue in &mut self.waiting {
            while queue.front().is_some_and(|who| !still_waits(who)) {
                queue.pop_front();
            }
        }
        let Some(queue) = self.waiting.iter_mut().find(|queue| !queue.is_empty()) else {
            return Next::Nobody;
        };
        if now < self.held_until {
            return Next::At(self.held_until);
        }
        self.allowed = recovered(self.allowed, self.quota, &mut self.changed_at, now);
        while self.started.front().is_some_and(|start| *start <= now - SECOND) {
            self.started.pop_front();
        }
        let allowed = self.allowed as usize;
        let free = [(SECOND, allowed), (QUARTER, allowed.div_ceil(4))]
            .into_iter()
            .filter(|(_, most)| self.started.len() >= *most)
            .map(|(length, most)| self.started[self.started.len() - most] + length)
            .max();
        if let Some(free) = free.filter(|free| *free > now) {
            return Next::At(free);
        }
        match queue.pop_front() {
            Some(who) => {
                self.started.push_back(now);
                Next::Go(who)
            }
            None => Next::Nobody,
        }
    }

    /// The service says that it is too much. All wait for `pause`; and the rate goes down by a third, once a second at
    /// most and never below a quarter of the quota: what is refused may be another's doing, and taking away goes on.
    pub fn slow_down(&mut self, now: i64, pause: i64) {
        self.held_until = self.held_until.max(now.saturating_add(pause));
        if now >= self.changed_at.saturating_add(SECOND) || self.allowed == self.quota {
            self.allowed = (self.allowed * 2 / 3).max(self.quota / 4).max(1);
            self.changed_at = now;
        }
    }
}

/// One call a second more for each second since the last change.
fn recovered(allowed: u32, quota: u32, changed_at: &mut i64, now: i64) -> u32 {
    if allowed >= quota {
        return quota;
    }
    let seconds = now.saturating_sub(*changed_at) / SECOND;
    *changed_at = changed_at.saturating_add(seconds * SECOND);
    let more = u32::try_from(seconds).unwrap_or(u32::MAX);
    allowed.saturating_add(more).min(quota)
}

#[cfg(test)]
mod tests;
