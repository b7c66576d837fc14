//! Cases and lists of requests and grants, from memory.

use std::cmp::Reverse;

use async_trait::async_trait;

use super::super::{Cases, StoreError};
use super::{MemoryStore, State};
use crate::domain::apply::REMAINS;
use crate::domain::{
    Case, Decision, Grant, GrantId, Held, Lock, PersonId, Request, RequestId, RequestState, Scope, TargetName,
    Timestamp,
};

impl State {
    fn grant_of(&self, request: &RequestId) -> Option<Grant> {
        self.grants.iter().find(|grant| grant.request == *request).cloned()
    }

    fn decisions_on(&self, request: &RequestId) -> Vec<Decision> {
        let on = self.decisions.iter().filter(|decision| decision.request == *request);
        on.cloned().collect()
    }

    /// Pending, or its grant is open.
    fn is_open(&self, request: &Request) -> bool {
        request.state == RequestState::Pending || self.grant_of(request.id()).is_some_and(|grant| grant.state.is_open())
    }

    fn beside(&self, beneficiary: &PersonId, target: &TargetName, except: Option<&RequestId>) -> Vec<Held> {
        self.requests
            .iter()
            .filter(|request| request.body.beneficiary == *beneficiary && request.body.target == *target)
            .filter(|request| Some(request.id()) != except && self.is_open(request))
            .map(|request| Held {
                request: request.clone(),
                grant: self.grant_of(request.id()),
            })
            .collect()
    }

    /// Locks that stand on everything, on `target` and what it is bound to, on `people` and on who decided.
    fn locks_of<'a>(
        &self,
        target: &TargetName,
        people: impl IntoIterator<Item = &'a PersonId>,
        request: Option<&Request>,
    ) -> Vec<Lock> {
        let mut scopes = vec![Scope::All];
        scopes.extend(Scope::of_target(target));
        scopes.extend(people.into_iter().cloned().map(Scope::Person));
        if let Some(request) = request {
            scopes.push(Scope::bound(&request.body.binding));
            scopes.extend(request.frozen.same_access.iter().flat_map(Scope::of_target));
            let decisions = self.decisions_on(request.id());
            scopes.extend(decisions.into_iter().map(|decision| Scope::Person(decision.by)));
        }
        self.locks_on(&scopes)
    }

    fn case(&self, id: &RequestId) -> Option<Case> {
        let request = self.requests.iter().find(|request| request.id() == id)?;
        Some(Case {
            request: Some(request.clone()),
            decisions: self.decisions_on(id),
            grant: self.grant_of(id),
            beside: self.beside(&request.body.beneficiary, &request.body.target, Some(id)),
            extended: request
                .body
                .extends
                .as_ref()
                .and_then(|extends| self.grants.iter().find(|grant| grant.id == extends.grant).cloned()),
            locks: self.locks_of(
                &request.body.target,
                [&request.body.requester, &request.body.beneficiary],
                Some(request),
            ),
            membership: request
                .body
                .membership()
                .and_then(|name| self.memberships.get(&name).cloned()),
        })
    }
}

/// The first `limit` of `ids` that begin with `prefix`, in their order.
fn like<T: Ord + Clone>(mut ids: Vec<T>, text: impl Fn(&T) -> &str, prefix: &str, limit: u32) -> Vec<T> {
    ids.retain(|id| text(id).starts_with(prefix));
    ids.sort();
    ids.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    ids
}

#[async_trait]
impl Cases for MemoryStore {
    async fn case(&self, request: &RequestId) -> Result<Option<Case>, StoreError> {
        Ok(self.state().case(request))
    }

    async fn case_of_grant(&self, grant: &GrantId) -> Result<Option<Case>, StoreError> {
        let state = self.state();
        let grant = state.grants.iter().find(|known| known.id == *grant);
        Ok(grant.and_then(|grant| state.case(&grant.request)))
    }

    async fn case_to_file(&self, beneficiary: &PersonId, target: &TargetName) -> Result<Case, StoreError> {
        let state = self.state();
        Ok(Case {
            beside: state.beside(beneficiary, target, None),
            locks: state.locks_of(target, [beneficiary], None),
            ..Case::default()
        })
    }

    async fn requests_like(&self, prefix: &str, limit: u32) -> Result<Vec<RequestId>, StoreError> {
        let ids = self
            .state()
            .requests
            .iter()
            .map(|request| request.id().clone())
            .collect();
        Ok(like(ids, RequestId::as_str, prefix, limit))
    }

    async fn grants_like(&self, prefix: &str, limit: u32) -> Result<Vec<GrantId>, StoreError> {
        let ids = self.state().grants.iter().map(|grant| grant.id.clone()).collect();
        Ok(like(ids, GrantId::as_str, prefix, limit))
    }

    async fn requests_of(
        &self,
        person: &PersonId,
        open_only: bool,
        before: Option<&RequestId>,
        limit: u32,
    ) -> Result<Vec<Request>, StoreError> {
        let state = self.state();
        let position = |id| state.requests.iter().position(|request| request.id() == id);
        let end = before.map_or(Some(state.requests.len()), position).unwrap_or(0);
        let page = state.requests[..end]
            .iter()
            .rev()
            .filter(|request| request.body.requester == *person || request.body.beneficiary == *person)
            .filter(|request| !open_only || state.is_open(request));
        Ok(page
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .cloned()
            .collect())
    }

    async fn pending(&self, limit: u32) -> Result<Vec<Request>, StoreError> {
        let state = self.state();
        let pending = state
            .requests
            .iter()
            .filter(|request| request.state == RequestState::Pending);
        Ok(pending
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .cloned()
            .collect())
    }

    async fn decisions(&self, request: &RequestId) -> Result<Vec<Decision>, StoreError> {
        Ok(self.state().decisions_on(request))
    }

    async fn grant_of(&self, request: &RequestId) -> Result<Option<Grant>, StoreError> {
        Ok(self.state().grant_of(request))
    }

    async fn open_grants(&self, person: &PersonId) -> Result<Vec<Grant>, StoreError> {
        let is_open = |grant: &&Grant| grant.beneficiary == *person && grant.state.is_open();
        let mut grants: Vec<_> = self.state().grants.iter().rev().filter(is_open).cloned().collect();
        grants.sort_by_key(|grant| Reverse(grant.ends_at));
        Ok(grants)
    }

    async fn outlived(&self, person: &PersonId, now: Timestamp) -> Result<Vec<Request>, StoreError> {
        let state = self.state();
        let works = |grant: &Grant| grant.last_credential_at.is_some_and(|last| last > now) && grant.kill.is_none();
        let is_meant = |request: &&Request| {
            let is_theirs = request.body.requester == *person || request.body.beneficiary == *person;
            let grant = state.grant_of(request.id());
            is_theirs && grant.is_some_and(|grant| !grant.state.is_open() && works(&grant))
        };
        Ok(state.requests.iter().rev().filter(is_meant).cloned().collect())
    }

    async fn left_behind(&self, person: &PersonId, since: Timestamp) -> Result<Vec<Request>, StoreError> {
        let state = self.state();
        let remains = |grant: &Grant| grant.detail.as_deref() == Some(REMAINS) && grant.ended_at > Some(since);
        let is_meant = |request: &&Request| {
            let is_theirs = request.body.requester == *person || request.body.beneficiary == *person;
            let grant = state.grant_of(request.id());
            is_theirs && grant.is_some_and(|grant| !grant.state.is_open() && remains(&grant))
        };
        Ok(state.requests.iter().rev().filter(is_meant).cloned().collect())
    }

    async fn grants_since(
        &self,
        beneficiary: &PersonId,
        target: &TargetName,
        since: Timestamp,
    ) -> Result<Vec<Grant>, StoreError> {
        let is_meant = |grant: &&Grant| {
            grant.beneficiary == *beneficiary && grant.target == *target && grant.activated_at >= Some(since)
        };
        let mut grants: Vec<_> = self.state().grants.iter().rev().filter(is_meant).cloned().collect();
        grants.sort_by_key(|grant| Reverse(grant.activated_at));
        Ok(grants)
    }
}
