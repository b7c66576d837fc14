//! What is there compared with what we know, at the start and every five minutes.
//! Owns closing what somebody else took away, and telling what nobody here gave; where policy says so, it is taken away
//! too. Refuses to take what was there before us, anything at first sight, and silence for an answer: a list that cannot be
//! read changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::moved::Moved;
use super::told::Told;
use crate::domain::{
    Assignment, Binding, Change, Event, GrantId, Membership, MembershipState, Timestamp, apply, drift,
};
use crate::server::backend::Backend;
use crate::server::failure::{Failure, settled};
use crate::server::wake::stopped;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(300);
/// What was given a moment ago may not be listed yet.
const SETTLED_MS: i64 = 120_000;
/// Memberships read at once.
const PAGE: u32 = 200;
/// Permission sets in accounts that are looked at in one round although nobody holds a lease there: each costs a call out
/// of the quota that giving and taking need. The next round goes on with the next ones.
const UNHELD_A_ROUND: usize = 50;

/// What nobody here gave is taken away once it was seen for so long, and in more than one round.
const APART_MS: i64 = 240_000;
/// Where nobody looked for longer than this, what is there may have come meanwhile: it is told, and given a day.
const GAP_MS: i64 = 3_600_000;
/// The day.
const GIVEN_MS: i64 = 24 * 3_600_000;
/// Of that so much at most in one round: where much is wrong at once, something else is, and somebody is to look.
const MOST_OUSTED: usize = 20;

/// Who has something somewhere, by the binding's ARN and account.
pub(super) type Place = (String, String);

/// Looks until `stop` turns true; the first time at once.
pub async fn run(backend: Arc<Backend>, mut stop: watch::Receiver<bool>) {
    let mut rounds = tokio::time::interval(EVERY);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut reconciler = Reconciler::default();
    loop {
        tokio::select! {
            _ = rounds.tick() => {}
            () = stopped(&mut stop) => return,
        }
        tokio::select! {
            round = reconciler.round(&backend) => if let Err(failure) = round {
                let cause = failure.cause.as_deref().unwrap_or(&failure.problem.title);
                tracing::error!(cause, "what is there could not be compared with what is known; it is tried again");
            },
            () = stopped(&mut stop) => return,
        }
    }
}

/// What earlier rounds left.
#[derive(Default)]
pub struct Reconciler {
    /// What was told already: told once until it is gone.
    told: Option<Told>,
    /// When it was seen first, since this start.
    seen: BTreeMap<(Place, String), Timestamp>,
    /// What is being taken away in this round.
    ousted: usize,
    /// Where the next round goes on.
    next: usize,
    /// In so many rounds every place has its turn.
    turns: usize,
    moved: Moved,
}

impl Reconciler {
    /// One round.
    ///
    /// # Errors
    /// As the store says.
    pub async fn round(&mut self, backend: &Backend) -> Result<(), Failure> {
        if self.told.is_none() {
            self.told = Some(Told::read(backend).await?);
        }
        self.ousted = 0;
        let held = held(backend).await?;
        let mut places: BTreeMap<Place, (Binding, Vec<&Membership>)> = BTreeMap::new();
        for membership in &held {
            let entry = places.entry(place(&membership.binding));
            let (_, here) = entry.or_insert_with(|| (membership.binding.clone(), Vec::new()));
            here.push(membership);
        }
        for binding in self.some_unheld(backend, &places) {
            places.entry(place(&binding)).or_insert_with(|| (binding, Vec::new()));
        }
        for (binding, here) in places.into_values() {
            match backend.provider(&binding).members(backend.now(), &binding).await {
                Ok(members) => self.compare(backend, &binding, &members, &here).await?,
                Err(error) => {
                    let (arn, account) = (binding.arn(), binding.account());
                    tracing::warn!(arn, account, %error, "who has it cannot be listed");
                }
            }
        }
        self.moved
            .round(backend, &held, self.told.get_or_insert_default())
            .await
    }

    /// The next few permission sets of the catalogue that nobody holds a lease on.
    fn some_unheld(&mut self, backend: &Backend, held: &BTreeMap<Place, (Binding, Vec<&Membership>)>) -> Vec<Binding> {
        let bundle = backend.bundle();
        let targets = bundle.catalogue().targets().iter().map(|target| &target.binding);
        let all: BTreeMap<Place, &Binding> = targets
            .filter(|binding| binding.assignment().is_some())
            .map(|binding| (place(binding), binding))
            .filter(|(place, _)| !held.contains_key(place))
            .collect();
        let from = self.next.checked_rem(all.len()).unwrap_or(0);
        self.next = from + UNHELD_A_ROUND;
        self.turns = all.len().div_ceil(UNHELD_A_ROUND);
        let cycle = all.values().cycle().skip(from);
        cycle
            .take(all.len().min(UNHELD_A_ROUND))
            .map(|binding| (*binding).clone())
            .collect()
    }

    /// Nobody looked at it for longer than its turn takes to come round twice.
    async fn is_neglected(&self, backend: &Backend, place: &str) -> Result<bool, Failure> {
        let turns = i64::try_from(self.turns * 2).unwrap_or(i64::MAX);
        let longest = turns.saturating_mul(i64::try_from(EVERY.as_millis()).unwrap_or(i64::MAX));
        let looked = backend.store.looked_at(place).await?;
        Ok(looked.is_none_or(|at| backend.now().millis() - at.millis() > longest.max(GAP_MS)))
    }

    async fn compare(
        &mut self,
        backend: &Backend,
        binding: &Binding,
        members: &[String],
        here: &[&Membership],
    ) -> Result<(), Failure> {
        let Some(assignment) = binding.assignment() else {
            return Ok(());
        };
        let (place, name) = (place(binding), assignment.memberships());
        let there: BTreeSet<&str> = members.iter().map(String::as_str).collect();
        for missing in here.iter().filter(|one| is_missing(backend.now(), one, &there)) {
            close(backend, missing).await?;
        }
        let was_looked_at = known(backend, assignment, "").await?.is_some();
        let is_neglected = was_looked_at && self.is_neglected(backend, &name).await?;
        let mut before = Vec::new();
        for user in members {
            let key = (place.clone(), user.clone());
            let standing = known(backend, assignment, user).await?;
            let told = self.told.get_or_insert_default();
            if is_ours(backend.now(), standing.as_ref()) {
                told.forget(&key);
                self.seen.remove(&key);
                continue;
            }
            let is_foreign = standing
                .as_ref()
                .is_some_and(|one| one.state == MembershipState::Foreign);
            if is_neglected && !is_foreign {
                told.forget(&key);
                self.seen.remove(&key);
            }
            self.seen.entry(key.clone()).or_insert(backend.now());
            let until = Timestamp::from_millis(backend.now().millis() + GIVEN_MS);
            told.tell(backend, &key, is_neglected.then_some(until)).await?;
            match (is_foreign, was_looked_at) {
                (true, _) => {}
                (false, false) => before.push((user.clone(), standing)),
                (false, true) => self.oust(backend, binding, &key, standing).await?,
            }
        }
        if !was_looked_at {
            unless_changed(backend, &drift::before(backend.now(), binding, &before)).await?;
        }
        self.leave(backend, &name, &there).await?;
        let is_gone = |(at, user): &(Place, String)| *at == place && !there.contains(user.as_str());
        self.told.get_or_insert_default().retain(|key| !is_gone(key));
        self.seen.retain(|key, _| !is_gone(key));
        Ok(backend.store.note_looked(&name, backend.now()).await?)
    }

    /// Those that were somebody else's, at the place whose memberships' names begin with `name`, and that are not `there`
    /// any more.
    async fn leave(&self, backend: &Backend, name: &str, there: &BTreeSet<&str>) -> Result<(), Failure> {
        let mut after: Option<String> = None;
        loop {
            let page = backend.store.foreign(name, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.name.clone());
            for gone in page.iter().filter(|one| !there.contains(one.user.as_str())) {
                unless_changed(backend, &drift::left(backend.now(), gone)).await?;
            }
        }
    }

    /// Takes away what came after us, where policy says so and it was seen before.
    async fn oust(
        &mut self,
        backend: &Backend,
        binding: &Binding,
        key: &(Place, String),
        standing: Option<Membership>,
    ) -> Result<(), Failure> {
        let now = backend.now();
        let was_seen = self
            .seen
            .get(key)
            .is_some_and(|first| now.millis() - first.millis() >= APART_MS);
        let told = self.told.get_or_insert_default();
        if !backend.bundle().catalogue().removes_drift(binding) || !was_seen || told.is_given_time(key, now) {
            return Ok(());
        }
        if self.ousted == MOST_OUSTED {
            tracing::error!("more access that jit did not give than is taken away in one round; look at it");
        }
        self.ousted += 1;
        if self.ousted > MOST_OUSTED {
            return Ok(());
        }
        // should it come again, it is new
        self.seen.remove(key);
        self.told.get_or_insert_default().forget(key);
        match drift::oust(now, binding, &key.1, standing.as_ref()) {
            Some(change) => unless_changed(backend, &change).await,
            None => Ok(()),
        }
    }
}

/// Commits what was found, unless something came first that it does not know of: the next round sees it.
async fn unless_changed(backend: &Backend, change: &Change) -> Result<(), Failure> {
    match backend.commit(change).await {
        Err(failure) if failure.is_conflict => Ok(()),
        done => done,
    }
}

fn place(binding: &Binding) -> Place {
    (binding.arn().to_owned(), binding.account().to_owned())
}

/// Everything in use.
async fn held(backend: &Backend) -> Result<Vec<Membership>, Failure> {
    let mut all: Vec<Membership> = Vec::new();
    loop {
        let after = all.last().map(|last| last.name.clone());
        let page = backend.store.memberships(after.as_deref(), PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// Whether it should be there and is not: not one that is on its way, either way.
fn is_missing(now: Timestamp, one: &Membership, there: &BTreeSet<&str>) -> bool {
    one.state == MembershipState::There && is_settled(now, one) && !there.contains(one.user.as_str())
}

/// What is known of `user` there. Asked anew: what was read before the list may be older than it.
async fn known(backend: &Backend, assignment: &Assignment, user: &str) -> Result<Option<Membership>, Failure> {
    Ok(backend.store.membership(&assignment.membership(user)).await?)
}

/// Whether jit gave it, is about to, or took it a moment ago.
fn is_ours(now: Timestamp, standing: Option<&Membership>) -> bool {
    standing.is_some_and(|one| {
        let is_held = !one.leases.is_empty() || one.state.may_be_there();
        is_held || (one.state == MembershipState::Absent && !is_settled(now, one))
    })
}

fn is_settled(now: Timestamp, one: &Membership) -> bool {
    now.millis() - one.since.millis() > SETTLED_MS
}

/// Somebody else took it: whoever holds it has nothing any more, and is not told otherwise.
async fn close(backend: &Backend, missing: &Membership) -> Result<(), Failure> {
    tracing::error!(membership = missing.name, "somebody else took away what we gave");
    for grant in &missing.leases {
        settled!(gone(backend, grant))?;
    }
    Ok(())
}

async fn gone(backend: &Backend, grant: &GrantId) -> Result<(), Failure> {
    let Some(case) = backend.store.case_of_grant(grant).await? else {
        return Ok(());
    };
    backend.commit(&apply(backend.now(), &case, &Event::Gone)?).await
}

#[cfg(test)]
mod tests;
