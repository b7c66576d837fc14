//! What is there compared with what we know, at the start and every five minutes.
//! Owns closing what somebody else took away, and telling what nobody here gave. Refuses to take away what is not ours, and
//! to take silence for an answer: a list that cannot be read changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::domain::{Actor, Binding, Change, Event, GrantId, Membership, MembershipState, Timestamp, apply};
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

/// Who has something somewhere, by the binding's ARN and account.
type Place = (String, String);

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
    /// What was told already: told once until it is gone. What an earlier start told is in the evidence.
    told: Option<BTreeSet<(Place, String)>>,
    /// Where the next round goes on.
    next: usize,
}

impl Reconciler {
    /// One round.
    ///
    /// # Errors
    /// As the store says.
    pub async fn round(&mut self, backend: &Backend) -> Result<(), Failure> {
        if self.told.is_none() {
            self.told = Some(told(backend).await?);
        }
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
        Ok(())
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
        let cycle = all.values().cycle().skip(from);
        cycle
            .take(all.len().min(UNHELD_A_ROUND))
            .map(|binding| (*binding).clone())
            .collect()
    }

    async fn compare(
        &mut self,
        backend: &Backend,
        binding: &Binding,
        members: &[String],
        here: &[&Membership],
    ) -> Result<(), Failure> {
        let place = place(binding);
        let there: BTreeSet<&str> = members.iter().map(String::as_str).collect();
        for missing in here.iter().filter(|one| is_missing(backend.now(), one, &there)) {
            close(backend, missing).await?;
        }
        for user in members {
            let key = (place.clone(), user.clone());
            let told = self.told.get_or_insert_default();
            if is_known(backend, binding, user).await? {
                told.remove(&key);
            } else if told.insert(key) {
                tell(backend, &place, user).await?;
            }
        }
        self.told
            .get_or_insert_default()
            .retain(|(at, user)| *at != place || there.contains(user.as_str()));
        Ok(())
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

/// Whether jit gave `user` this, or took it a moment ago. Asked anew: what was read before the list may be older than it.
async fn is_known(backend: &Backend, binding: &Binding, user: &str) -> Result<bool, Failure> {
    let Some(name) = binding.assignment().map(|assignment| assignment.membership(user)) else {
        return Ok(false);
    };
    let standing = backend.store.membership(&name).await?;
    Ok(standing.is_some_and(|one| one.state.may_be_there() || !is_settled(backend.now(), &one)))
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

/// What was ever told. What is gone since is left out once its place is looked at.
async fn told(backend: &Backend) -> Result<BTreeSet<(Place, String)>, Failure> {
    let lines = backend.store.drift_found().await?;
    let payloads = lines.iter().filter_map(|line| line.payload.as_ref());
    let word = |payload: &Value, name: &str| payload["details"][name].as_str().unwrap_or_default().to_owned();
    Ok(payloads
        .map(|payload| {
            let place = (word(payload, "arn"), word(payload, "account"));
            (place, word(payload, "user"))
        })
        .collect())
}

/// Somebody has what we did not give: reported, never taken.
async fn tell(backend: &Backend, place: &Place, user: &str) -> Result<(), Failure> {
    tracing::warn!(arn = place.0, account = place.1, user, "access that jit did not give");
    let details = json!({ "arn": place.0, "account": place.1, "user": user });
    let change = Change::new(backend.now(), "drift.found", Actor::Backend, None, Vec::new(), details);
    backend.commit(&change).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::provider::Provider as _;
    use crate::server::stage::Stage;
    use crate::server::stage::members::Members;

    const ALICE: &str = "user-alice";

    /// Alice's live `dev-admin` and `dev-too`, which are one membership.
    async fn live() -> (Stage, Arc<Members>) {
        let (stage, members) = Stage::of_members();
        let alice = stage.sign_in("alice").await;
        stage.file_for(&alice, "dev-admin", 3_600).await.unwrap();
        stage.file_for(&alice, "dev-too", 7_200).await.unwrap();
        stage.work().await;
        assert!(members.has(ALICE));
        (stage, members)
    }

    async fn kinds(stage: &Stage, kind: &str) -> usize {
        let all = stage.backend.store.evidence(0, 1_000).await.unwrap();
        all.iter().filter(|line| line.kind == kind).count()
    }

    #[tokio::test]
    async fn membership_that_somebody_took_closes_its_grants() {
        let (stage, members) = live().await;
        let mut reconciler = Reconciler::default();
        stage.at(300);
        reconciler.round(&stage.backend).await.unwrap();
        stage.work().await;
        assert!(members.has(ALICE), "it is there, so nothing is closed");
        members.there.lock().unwrap().clear();
        reconciler.round(&stage.backend).await.unwrap();
        stage.work().await;
        let left = stage.backend.store.memberships(None, 10).await.unwrap();
        assert_eq!(left, []);
        let ended = stage.backend.store.evidence(0, 1_000).await.unwrap();
        let causes = ended.iter().filter(|line| line.kind == "grant.ended");
        let causes: Vec<_> = causes
            .map(|line| line.payload.clone().unwrap()["details"]["cause"].clone())
            .collect();
        assert_eq!(causes, ["gone", "gone"]);
    }

    #[tokio::test]
    async fn membership_given_a_moment_ago_is_not_missed() {
        let (stage, members) = live().await;
        members.there.lock().unwrap().clear();
        stage.at(60);
        Reconciler::default().round(&stage.backend).await.unwrap();
        assert_eq!(kinds(&stage, "grant.revoking").await, 0);
    }

    #[tokio::test]
    async fn access_that_jit_did_not_give_is_told_once_and_stays() {
        let (stage, members) = live().await;
        members.there.lock().unwrap().insert("user-mallory".to_owned());
        let mut reconciler = Reconciler::default();
        for _ in 0..3 {
            reconciler.round(&stage.backend).await.unwrap();
        }
        assert_eq!(kinds(&stage, "drift.found").await, 1);
        // a start, or another replica, tells nothing anew
        Reconciler::default().round(&stage.backend).await.unwrap();
        assert_eq!(kinds(&stage, "drift.found").await, 1);
        assert!(members.has("user-mallory"));
        assert!(members.count("revoke") == 0);
    }

    #[tokio::test]
    async fn access_given_after_the_round_began_is_no_drift() {
        let (stage, members) = live().await;
        let bundle = stage.backend.bundle();
        let binding = &bundle.catalogue().find("dev-admin").unwrap().binding;
        let listed = members.members(stage.backend.now(), binding).await.unwrap();
        let mut reconciler = Reconciler::default();
        // nobody was known to have it when the round began, and it is taken a moment after the list was read
        reconciler.compare(&stage.backend, binding, &listed, &[]).await.unwrap();
        stage.at(7_200);
        stage.work().await;
        assert!(!members.has(ALICE));
        reconciler.compare(&stage.backend, binding, &listed, &[]).await.unwrap();
        assert_eq!(kinds(&stage, "drift.found").await, 0);
        stage.at(7_500);
        reconciler.compare(&stage.backend, binding, &listed, &[]).await.unwrap();
        assert_eq!(
            kinds(&stage, "drift.found").await,
            1,
            "long gone from here, and there all the same"
        );
    }
}
