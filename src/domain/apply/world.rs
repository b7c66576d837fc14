//! A store in memory, for the property tests; worker and provider are in a file of their own.
//! Owns committing as the real store does: versions, one event, effects. Refuses whatever that store would refuse.

mod worker;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::domain::apply;
use crate::domain::case::{Case, Held};
use crate::domain::change::{AuditEvent, Change, Effect, Row};
use crate::domain::decision::Decision;
use crate::domain::event::Event;
use crate::domain::grant::{EndCause, Grant, GrantState};
use crate::domain::id::{GrantId, PersonId, RequestId};
use crate::domain::lock::{Lock, Scope};
use crate::domain::refusal::Refusal;
use crate::domain::request::{Request, RequestState};
use crate::domain::samples::at;
use crate::domain::text::TargetName;
use crate::domain::time::Timestamp;

/// What the provider does when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Provider {
    Works,
    Refuses,
    IsSilent,
}

/// Everything there is.
pub(super) struct World {
    pub now: Timestamp,
    pub requests: BTreeMap<RequestId, Request>,
    pub decisions: Vec<Decision>,
    pub grants: BTreeMap<GrantId, Grant>,
    pub outbox: Vec<(Timestamp, Effect)>,
    pub evidence: Vec<AuditEvent>,
    /// Canonical bytes of every body when it was filed.
    pub filed: BTreeMap<RequestId, Vec<u8>>,
    /// Requests whose stored body somebody changed behind our back.
    pub tampered: BTreeSet<RequestId>,
    /// Grants whose access exists in the outside world.
    pub access: BTreeSet<GrantId>,
    /// Grants whose sessions the outside world shuts out.
    pub shut_out: BTreeSet<GrantId>,
    /// First activation of the row of overlapping grants, found without `anchor_at`.
    pub run_began: BTreeMap<GrantId, Timestamp>,
    /// Locks, whatever became of them.
    pub locks: BTreeMap<Scope, Lock>,
    pub next_id: u64,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            now: at(0),
            requests: BTreeMap::new(),
            decisions: Vec::new(),
            grants: BTreeMap::new(),
            outbox: Vec::new(),
            evidence: Vec::new(),
            filed: BTreeMap::new(),
            tampered: BTreeSet::new(),
            access: BTreeSet::new(),
            shut_out: BTreeSet::new(),
            run_began: BTreeMap::new(),
            locks: BTreeMap::new(),
            next_id: 1,
        }
    }

    pub(super) fn grant_of(&self, request: &RequestId) -> Option<&Grant> {
        self.grants.values().find(|grant| grant.request == *request)
    }

    fn beside(&self, who: &PersonId, target: &TargetName, but: Option<&RequestId>) -> Vec<Held> {
        self.requests
            .values()
            .filter(|r| r.body.beneficiary == *who && r.body.target == *target && Some(r.id()) != but)
            .map(|r| Held {
                request: r.clone(),
                grant: self.grant_of(r.id()).cloned(),
            })
            .filter(|held| {
                held.request.state == RequestState::Pending || held.grant.as_ref().is_some_and(|g| g.state.is_open())
            })
            .collect()
    }

    pub(super) fn case(&self, id: &RequestId) -> Case {
        let request = &self.requests[id];
        Case {
            request: Some(request.clone()),
            decisions: self.decisions.iter().filter(|d| d.request == *id).cloned().collect(),
            grant: self.grant_of(id).cloned(),
            beside: self.beside(&request.body.beneficiary, &request.body.target, Some(id)),
            extended: request
                .body
                .extends
                .as_ref()
                .and_then(|extends| self.grants.get(&extends.grant).cloned()),
            locks: self.locks.values().cloned().collect(),
            // leases have a world of their own
            membership: None,
        }
    }

    /// The live grant of `who` on `target` that ends last.
    pub(super) fn last_live(&self, who: &PersonId, target: &TargetName) -> Option<&Grant> {
        self.grants
            .values()
            .filter(|g| g.beneficiary == *who && g.target == *target && g.is_live(self.now))
            .max_by_key(|g| g.ends_at)
    }

    /// The case that `event` on `id` is about.
    pub(super) fn case_for(&self, id: &RequestId, event: &Event) -> Case {
        match event {
            Event::File(filing) => Case {
                beside: self.beside(&filing.body.beneficiary, &filing.body.target, None),
                locks: self.locks.values().cloned().collect(),
                ..Case::default()
            },
            Event::Decide(_)
            | Event::Cancel { .. }
            | Event::Expire
            | Event::Activate
            | Event::Withhold { .. }
            | Event::Giving { .. }
            | Event::Paused { .. }
            | Event::Verified { .. }
            | Event::NotGiven { .. }
            | Event::Drop { .. }
            | Event::Revoke { .. }
            | Event::Warn
            | Event::Recall
            | Event::Lock { .. }
            | Event::End
            | Event::Gone
            | Event::Taking { .. }
            | Event::Taken
            | Event::Killed { .. }
            | Event::Outlived
            | Event::Lifted
            | Event::Mint { .. }
            | Event::Minted { .. } => self.case(id),
        }
    }

    /// Loads, applies, commits, and checks what must hold of the change itself.
    pub(super) fn play(&mut self, now: Timestamp, id: &RequestId, event: &Event) -> Result<Change, Refusal> {
        let change = apply(now, &self.case_for(id, event), event)?;
        let is_mint = matches!(event, Event::Mint { .. } | Event::Minted { .. } | Event::Warn);
        self.locked_holds(&change, event);
        self.evidence_holds(now, &change, is_mint);
        self.commit(&change);
        if !is_mint {
            self.once_holds(now, id, event);
        }
        Ok(change)
    }

    /// **evidence**: exactly one event for a change of rows, with the rows as they stand after it.
    fn evidence_holds(&self, now: Timestamp, change: &Change, is_mint: bool) {
        match &change.event {
            None => assert!(change.rows.is_empty(), "evidence: rows without an event"),
            Some(event) => {
                assert!(is_mint || !change.rows.is_empty(), "evidence: an event without rows");
                assert_eq!(event.payload["rows"], json!(change.rows), "evidence: other rows");
                assert_eq!(event.at, now, "evidence: another time");
                assert!(event.request.is_some(), "evidence: on no request");
            }
        }
    }

    /// **locked**: nothing is asked, decided, given or minted under a lock, and whatever is carries its guard.
    fn locked_holds(&self, change: &Change, event: &Event) {
        if change.event.is_none() {
            return;
        }
        let is_asked = matches!(event, Event::File(_) | Event::Decide(_) | Event::Mint { .. });
        let gives = |grant: &Grant| matches!(grant.state, GrantState::Granting | GrantState::Active);
        let was = change
            .grant()
            .and_then(|grant| self.grants.get(&grant.id))
            .map(|grant| grant.state);
        let is_given = change
            .grant()
            .is_some_and(|grant| gives(grant) && was != Some(grant.state));
        if !is_asked && !is_given {
            return;
        }
        let body = match (change.request(), change.grant()) {
            (Some(request), _) => &request.body,
            (None, Some(grant)) => &self.requests[&grant.request].body,
            (None, None) => panic!("locked: {event:?} on nothing"),
        };
        for scope in [
            Scope::All,
            Scope::Target(body.target.clone()),
            Scope::Person(body.beneficiary.clone()),
            Scope::bound(&body.binding),
        ] {
            let stands = self.locks.get(&scope).is_some_and(Lock::stands);
            assert!(!stands, "locked: {event:?} under a lock on {scope}");
            assert!(
                change.unless_locked.contains(&scope),
                "locked: {event:?} passes a lock on {scope}"
            );
        }
    }

    /// **once**: the same again finds its work done.
    fn once_holds(&self, now: Timestamp, id: &RequestId, event: &Event) {
        if let Ok(again) = apply(now, &self.case_for(id, event), event) {
            assert!(again.rows.is_empty(), "once: {event:?} changed state twice");
            assert!(again.event.is_none(), "once: {event:?} is told twice");
        }
    }

    fn commit(&mut self, change: &Change) {
        for row in &change.rows {
            match row {
                Row::Request(next) => {
                    let before = self.requests.get(next.id());
                    assert_eq!(next.version, before.map_or(0, |r| r.version) + 1, "evidence: version");
                    self.filed
                        .entry(next.id().clone())
                        .or_insert_with(|| next.body.canonical_bytes());
                    self.requests.insert(next.id().clone(), next.as_ref().clone());
                }
                Row::Decision(decision) => {
                    let voted = |d: &Decision| d.by == decision.by && d.request == decision.request;
                    assert!(!self.decisions.iter().any(voted), "once: one person decided twice");
                    self.decisions.push(decision.clone());
                }
                Row::Grant(next) => self.put_grant(next, change),
                Row::Lock(next) => {
                    let before = self.locks.insert(next.scope.clone(), next.clone());
                    assert_eq!(
                        next.version,
                        before.map_or(0, |lock| lock.version) + 1,
                        "evidence: version"
                    );
                }
                Row::Person(_)
                | Row::Device(_)
                | Row::Session(_)
                | Row::SignInCode(_)
                | Row::SealingCheck(_)
                | Row::IssuerKey(_)
                | Row::Membership(_)
                | Row::DirectoryUser(_)
                | Row::DirectoryGroup(_)
                | Row::DirectoryMembers(_) => {
                    panic!("a case has no such row: {row:?}")
                }
            }
        }
        self.evidence.extend(change.event.clone());
        self.outbox.extend(change.effects.clone());
    }

    fn put_grant(&mut self, next: &Grant, change: &Change) {
        let before = self.grants.get(&next.id).cloned();
        assert_eq!(
            next.version,
            before.as_ref().map_or(0, |g| g.version) + 1,
            "evidence: version"
        );
        if let Some(end) = before.as_ref().and_then(|g| g.ends_at) {
            assert_eq!(next.ends_at, Some(end), "ends: the end moved");
        }
        if next.state == GrantState::Granting {
            self.enter_granting(next, change);
        }
        self.grants.insert(next.id.clone(), next.clone());
    }

    fn enter_granting(&mut self, next: &Grant, change: &Change) {
        let (begins, ends) = (next.activated_at.unwrap(), next.ends_at.unwrap());
        let intent = (ends, Effect::End { grant: next.id.clone() });
        assert!(change.effects.contains(&intent), "intent-first: no End beside Give");
        assert!(
            !self.tampered.contains(&next.request),
            "bound: a changed body is granted"
        );
        let now = change.event.as_ref().unwrap().at;
        assert!(
            now >= next.starts_at && now <= next.activate_by,
            "activated out of time"
        );
        let began = self
            .grants
            .values()
            .filter(|g| g.beneficiary == next.beneficiary && g.target == next.target)
            .filter(|g| matches!(g.state, GrantState::Granting | GrantState::Active))
            .filter(|g| g.ends_at.is_some_and(|end| now < end))
            .filter_map(|g| self.run_began.get(&g.id).copied())
            .fold(begins, Timestamp::min);
        self.run_began.insert(next.id.clone(), began);
        let request = &self.requests[&next.request];
        assert!(
            ends <= began.plus(request.frozen.cap),
            "cap: more than the target's cap"
        );
        assert!(ends <= request.body.ends(now), "cap: more than was approved");
        if let Some(extends) = &request.body.extends {
            let old = &self.grants[&extends.grant];
            assert_eq!(old.ends_at, Some(extends.ends_at), "cap: counted from another end");
            assert!(
                old.cause.is_none_or(|cause| cause == EndCause::Expired),
                "given back, and extended"
            );
        }
    }

    /// Sets a lock, or lifts one as far as this person can.
    pub(super) fn change_lock(&mut self, change: &Change) {
        assert_eq!(change.rows.is_empty(), change.event.is_none(), "evidence: of a lock");
        self.commit(change);
    }
}
