//! What people see of a request: its body, what is missing and who can give it, what was there before.

use std::collections::HashMap;

use tokio::sync::OnceCell;

use super::people::{self, Names};
use super::roll::Roll;
use super::workload;
use crate::domain::apply::REMAINS;
use crate::domain::{
    Body, Case, Decision, Effect, Grant, GrantId, GrantState, MembershipState, Person, PersonId, Request, RequestId,
    RequestState, Timestamp, Workflow,
};
use crate::policy::{Catalogue, Member};
use crate::server::backend::Backend;
use crate::server::failure::Failure;
use crate::wire::{Before, DecisionView, ExtendsView, GrantView, PersonView, RequestView, StageView};

/// How far back `before` looks.
const BEFORE_MS: i64 = 30 * 86_400_000;

/// Somebody, and as others see them.
struct Known {
    person: Person,
    view: PersonView,
}

/// Renders for one person.
pub struct Viewer<'a> {
    backend: &'a Backend,
    person: &'a Person,
    names: Names<'a>,
    roll: OnceCell<Roll>,
}

impl<'a> Viewer<'a> {
    /// Renders for `person`.
    pub fn new(backend: &'a Backend, person: &'a Person) -> Self {
        Self {
            backend,
            person,
            names: Names::new(backend),
            roll: OnceCell::new(),
        }
    }

    /// Whom it renders for.
    pub fn person(&self) -> &Person {
        self.person
    }

    /// The request `id` as it stands now.
    pub async fn by_id(&self, id: &RequestId) -> Result<RequestView, Failure> {
        let case = self
            .backend
            .store
            .case(id)
            .await?
            .ok_or_else(|| Failure::no_request(id.as_str()))?;
        self.of(&case).await
    }

    /// A case.
    pub async fn of(&self, case: &Case) -> Result<RequestView, Failure> {
        let request = case.request()?;
        let body = &request.body;
        let people = self.names(case).await?;
        let grant = match &case.grant {
            Some(grant) => Some(self.grant(grant, body).await?),
            None => None,
        };
        let bundle = self.backend.bundle();
        let target = bundle.catalogue().asked(request);
        let mut apart = apart(&people, body);
        let mut asks = None;
        if let Some(workload) = body.workload.as_deref() {
            let human = bundle.catalogue().human_behind(workload);
            apart.extend(human.into_iter().flatten().cloned());
            asks = Some(workload::view(self.backend, bundle.catalogue(), workload).await);
        }
        let roll = self
            .roll
            .get_or_try_init(|| Roll::read(self.backend, bundle.catalogue()));
        let roll = roll.await?;
        Ok(RequestView {
            id: body.id.to_string(),
            version: version(case, grant.as_ref()),
            digest: request.digest.to_string(),
            body: String::from_utf8_lossy(&body.canonical_bytes()).into_owned(),
            state: shown_state(request, self.backend.now()).to_owned(),
            requester: named(&people, &body.requester),
            beneficiary: named(&people, &body.beneficiary),
            workload: asks,
            target: body.target.to_string(),
            title: target
                .as_ref()
                .map_or_else(|| body.target.to_string(), |t| t.title.clone()),
            account_name: body.binding.account_name().to_owned(),
            account: body.binding.account().to_owned(),
            role_arn: body.binding.arn().to_owned(),
            duration_s: body.duration.secs(),
            start: body.start,
            extends: extends(body),
            reason: body.reason.to_string(),
            ticket: body.ticket.as_ref().map(ToString::to_string),
            only: body.only.iter().map(ToString::to_string).collect(),
            automatic: request.automatic,
            filed_at: request.filed_at,
            expires_at: request.expires_at,
            stages: stages(
                &request.frozen.workflow,
                &case.decisions,
                (bundle.catalogue(), roll),
                &apart,
                &self.names,
            )
            .await?,
            decisions: case.decisions.iter().map(|d| decision(d, request, &people)).collect(),
            grant,
            before: self.before(request).await?,
            chain: body.binding.chain(),
            kill_switch: body.binding.kill().is_some(),
        })
    }

    /// A grant, with what is being done to it.
    pub async fn grant(&self, grant: &Grant, body: &Body) -> Result<GrantView, Failure> {
        let now = self.backend.now();
        let doing = self.backend.store.pending_effects(&grant.id).await?;
        let doing = doing
            .iter()
            .find(|p| !matches!(p.effect, Effect::End { .. } | Effect::Warn { .. }));
        let people = self.people(vec![grant.beneficiary.clone()]).await?;
        let (pre_existing, also_held) = self.remaining(grant, body).await?;
        let last_credential_at = last_credential(now, grant, body).filter(|_| !pre_existing);
        // what is begun in Identity Center may end after the grant: that says nothing about what is renewed before
        let last = last_credential_at.filter(|_| body.binding.assignment().is_none());
        let renews = match (last, grant.ends_at) {
            _ if pre_existing => false,
            (Some(last), Some(end)) => last < end && grant.is_live(now),
            (None, Some(end)) => {
                let begins = grant.activated_at.unwrap_or(now);
                grant.is_live(now) && body.binding.session().secs() < end.since(begins)
            }
            _ => false,
        };
        Ok(GrantView {
            id: grant.id.to_string(),
            request: grant.request.to_string(),
            target: grant.target.to_string(),
            beneficiary: named(&people, &grant.beneficiary),
            state: grant.state.as_str().to_owned(),
            only: grant.only.iter().map(ToString::to_string).collect(),
            activated_at: grant.activated_at,
            given_at: self.given_at(grant, body).await?,
            ends_at: grant.ends_at,
            last_credential_at,
            pre_existing,
            through_group: body.through_group && pre_existing,
            also_held,
            renews,
            ended_at: grant.ended_at,
            cause: grant.cause.map(|c| c.as_str().to_owned()),
            detail: grant.detail.clone(),
            attempts: doing.map_or(0, |p| p.attempts),
            last_error: doing.and_then(|p| p.last_error.clone()),
            next_attempt_at: doing.filter(|p| p.attempts > 0).map(|p| p.due_at),
            end_is_enforced: !body.binding.chain(),
            kill_switch: body.binding.kill().is_some(),
            sessions: grant.kill.as_ref().map(|kill| kill.state.as_str().to_owned()),
            shut_out_before: self.shut_out_before(grant, body).await?,
        })
    }

    /// Whether it leaves behind what was there before, as it is known while the grant holds it and as it ended; and whether
    /// another grant holds the same.
    async fn remaining(&self, grant: &Grant, body: &Body) -> Result<(bool, bool), Failure> {
        let Some(name) = body.membership() else {
            return Ok((false, false));
        };
        let standing = self.backend.store.membership(&name).await?;
        let held_by = |is_meant: &dyn Fn(&GrantId) -> bool| {
            let leases = standing.iter().flat_map(|standing| &standing.leases);
            leases.into_iter().any(is_meant)
        };
        let pre_existing = match grant.state.is_open() {
            true => standing.as_ref().is_some_and(|standing| standing.pre_existing) && held_by(&|id| *id == grant.id),
            // somebody else may have taken it away since
            false => grant.detail.as_deref() == Some(REMAINS) && standing.as_ref().is_some_and(|one| one.pre_existing),
        };
        Ok((pre_existing || body.through_group, held_by(&|id| *id != grant.id)))
    }

    /// Since when what it gives is there: it may be given anew in its middle, and then takes its time again.
    async fn given_at(&self, grant: &Grant, body: &Body) -> Result<Option<Timestamp>, Failure> {
        let Some(name) = body.membership().filter(|_| grant.state.is_open()) else {
            return Ok(None);
        };
        let standing = self.backend.store.membership(&name).await?;
        let there = standing.filter(|one| one.state == MembershipState::There && one.leases.contains(&grant.id));
        Ok(there.map(|one| one.since))
    }

    /// Of interest while credentials of it may be in use.
    async fn shut_out_before(&self, grant: &Grant, body: &Body) -> Result<Option<Timestamp>, Failure> {
        if body.binding.kill().is_none() || !grant.is_live(self.backend.now()) {
            return Ok(None);
        }
        let switch = self.backend.store.switch(body.binding.arn()).await?;
        let is_later = |before: &Timestamp| grant.activated_at.is_some_and(|begun| begun < *before);
        Ok(switch.denied_before.filter(is_later))
    }

    async fn before(&self, request: &Request) -> Result<Before, Failure> {
        let body = &request.body;
        let since = Timestamp::from_millis(request.filed_at.millis() - BEFORE_MS);
        let grants = self
            .backend
            .store
            .grants_since(&body.beneficiary, &body.target, since)
            .await?;
        let earlier: Vec<&Grant> = grants
            .iter()
            .filter(|g| g.request != body.id && g.activated_at.is_some_and(|at| at <= request.filed_at))
            .collect();
        let last = earlier.first();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Ok(Before {
            grants: count(earlier.len()),
            last_at: last.and_then(|g| g.activated_at),
            last_duration_s: last.and_then(|g| {
                let end = g.ended_at.or(g.ends_at)?;
                Some(end.since(g.activated_at?))
            }),
            dropped_early: count(
                earlier
                    .iter()
                    .filter(|g| g.ended_by.as_ref() == Some(&g.beneficiary))
                    .count(),
            ),
        })
    }

    async fn names(&self, case: &Case) -> Result<HashMap<PersonId, Known>, Failure> {
        let body = &case.request()?.body;
        let mut ids = vec![body.requester.clone(), body.beneficiary.clone()];
        for decision in &case.decisions {
            ids.push(decision.by.clone());
        }
        self.people(ids).await
    }

    async fn people(&self, ids: Vec<PersonId>) -> Result<HashMap<PersonId, Known>, Failure> {
        let mut people = HashMap::new();
        for id in ids {
            if people.contains_key(&id) {
                continue;
            }
            let person = match id == self.person.id {
                true => Some(self.person.clone()),
                false => self.backend.store.person(&id).await?,
            };
            if let Some(person) = person {
                let view = people::view(self.backend, &person).await?;
                people.insert(id, Known { person, view });
            }
        }
        Ok(people)
    }
}

/// Changes whenever something that is shown does.
fn version(case: &Case, grant: Option<&GrantView>) -> String {
    let request = case.request.as_ref().map_or(0, |r| r.version);
    let stored = case.grant.as_ref().map_or(0, |g| g.version);
    let attempts = grant.map_or(0, |g| g.attempts);
    format!("{request}.{stored}.{attempts}")
}

/// A pending request whose time is over is expired, though the worker has not come by yet.
fn shown_state(request: &Request, now: Timestamp) -> &'static str {
    if request.state == RequestState::Pending && now >= request.expires_at {
        return RequestState::Expired.as_str();
    }
    request.state.as_str()
}

fn named(people: &HashMap<PersonId, Known>, id: &PersonId) -> PersonView {
    people
        .get(id)
        .map_or_else(|| people::unknown(id), |known| known.view.clone())
}

/// (issuer, subject) of those who ask and benefit: they are never shown as approvers.
fn apart(people: &HashMap<PersonId, Known>, body: &Body) -> Vec<Member> {
    [&body.requester, &body.beneficiary]
        .into_iter()
        .filter_map(|id| people.get(id))
        .map(|known| (known.person.issuer.clone(), known.person.subject.clone()))
        .collect()
}

/// What `body` extends.
pub fn extends(body: &Body) -> Option<ExtendsView> {
    body.extends.as_ref().map(|extends| ExtendsView {
        grant: extends.grant.to_string(),
        ends_at: extends.ends_at,
    })
}

fn decision(decision: &Decision, request: &Request, people: &HashMap<PersonId, Known>) -> DecisionView {
    DecisionView {
        by: named(people, &decision.by),
        verdict: decision.verdict.as_str().to_owned(),
        stage: request
            .frozen
            .workflow
            .stages
            .get(decision.stage)
            .map(|s| s.name.clone())
            .unwrap_or_default(),
        comment: decision.comment.as_ref().map(ToString::to_string),
        at: decision.at,
    }
}

/// The stages of `workflow` with who could decide them by catalogue and directories, without the people in `apart`, whatever
/// else they are.
///
/// # Errors
/// What the store says.
pub async fn stages(
    workflow: &Workflow,
    decisions: &[Decision],
    (catalogue, roll): (&Catalogue, &Roll),
    apart: &[Member],
    names: &Names<'_>,
) -> Result<Vec<StageView>, Failure> {
    let open = workflow.open_stages(decisions);
    let same = apart
        .iter()
        .flat_map(|(issuer, subject)| catalogue.same_human(issuer, subject));
    let apart: Vec<Member> = apart.iter().cloned().chain(same).collect();
    let mut stages = Vec::new();
    for (at, stage) in workflow.stages.iter().enumerate() {
        let members = stage.groups.iter().flat_map(|group| {
            let members = catalogue.members(group).into_iter();
            let named = members.map(|member| (member.clone(), member.1));
            named.chain(roll.of(group).iter().cloned())
        });
        stages.push(StageView {
            name: stage.name.clone(),
            groups: stage.groups.clone(),
            approvers: names.of(members.filter(|(member, _)| !apart.contains(member))).await?,
            approvals: stage.approvals,
            missing: workflow.missing(at, decisions),
            open: open.contains(&at),
        });
    }
    Ok(stages)
}

/// The last credential as it is known at `now`. While a permission set is being taken away sessions of it can be begun: then
/// none is named that dies before one that is begun now.
fn last_credential(now: Timestamp, grant: &Grant, body: &Body) -> Option<Timestamp> {
    let is_there = grant.state == GrantState::Revoking && body.binding.assignment().is_some();
    let begun = is_there.then(|| {
        grant
            .ends_at
            .map_or(now, |end| end.max(now))
            .plus(body.binding.session())
    });
    grant.last_credential_at.max(begun)
}
