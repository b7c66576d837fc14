//! One effect: load, ask, call, apply, commit.
//! Owns what follows from a provider's answer. Refuses to give up on taking away.

use super::outcome::{access_of, advance, advance_grant, person, postpone, retry, settle, wait};
use super::{depart, kill, membership, oust, sweep};
use crate::domain::lock::activating;
use crate::domain::{Case, Change, Effect, EndCause, Event, GrantId, GrantState, PersonId, Verdict, apply};
use crate::policy::{Ask, Bundle, Groups, Question, Tally, Target, Who, decide};
use crate::server::backend::Backend;
use crate::server::failure::{Failure, settled};
use crate::server::provider::{Access, Presence, ProviderError};
use crate::server::service::accounts::afresh;
use crate::server::service::{directory, people, workload};
use crate::server::store::Claimed;

/// What a system said of a binding when a request was filed is not asked again so soon after that: each look costs calls
/// out of its quota.
const FRESH_S: u32 = 60;

/// Takes one step. What fails stays in the outbox.
pub async fn take(backend: &Backend, work: &Claimed) {
    let done = match &work.effect {
        Effect::Expire { request } => advance(backend, work, request, &Event::Expire).await,
        Effect::Activate { grant } => activate(backend, work, grant).await,
        Effect::Give { grant } => give(backend, work, grant).await,
        Effect::End { grant } => advance_grant(backend, work, grant, &Event::End).await,
        Effect::Take { grant } | Effect::LetGo { grant } => take_away(backend, work, grant).await,
        Effect::Kill { grant } | Effect::Unkill { grant } => kill::take(backend, work, grant).await,
        Effect::Warn { grant } => advance_grant(backend, work, grant, &Event::Warn).await,
        Effect::Sweep { scope } => sweep::take(backend, work, scope).await,
        Effect::Stop { grant, scope } => sweep::stop(backend, work, grant, scope).await,
        Effect::Oust { membership } => oust::take(backend, work, membership).await,
        Effect::Depart { person } => depart::take(backend, work, person).await,
        Effect::Recall { grant } => advance_grant(backend, work, grant, &Event::Recall).await,
    };
    if let Err(failure) = done {
        let cause = failure.cause.as_deref().unwrap_or(&failure.problem.title);
        tracing::error!(
            effect = work.effect.kind(),
            attempts = work.attempts,
            cause,
            "a step failed; it is tried again"
        );
        postpone(backend, work, cause).await;
    }
}

async fn activate(backend: &Backend, work: &Claimed, grant: &GrantId) -> Result<(), Failure> {
    settled!(async {
        let Some(case) = backend.store.case_of_grant(grant).await? else {
            return settle(backend, work).await;
        };
        let bundle = backend.bundle();
        let is_over = backend.now() > case.grant()?.activate_by;
        // under a lock, and too late, nobody is asked: neither policy nor anything that it would need
        let event = match case.lock_on(&activating(&case)) {
            None if !is_over => match may_activate(backend, &bundle, &case).await? {
                Event::Activate => match is_as_approved(backend, &case).await {
                    Ok(event) => event,
                    Err(error) => return retry(backend, work, &case, &error.to_string()).await,
                },
                withheld => withheld,
            },
            None | Some(_) => Event::Activate,
        };
        let change = apply(backend.now(), &case, &event)?.decided_by(bundle.hash().as_str());
        backend.commit(&change.completing(work.id)).await
    })
}

/// Whether the system itself still is what was approved, where it was asked some time ago: a session may have become longer,
/// an account may have been closed.
async fn is_as_approved(backend: &Backend, case: &Case) -> Result<Event, ProviderError> {
    let (now, request) = (backend.now(), case.request.as_ref());
    let Some(request) = request.filter(|request| now.since(request.filed_at) > FRESH_S) else {
        return Ok(Event::Activate);
    };
    let binding = &request.body.binding;
    match backend.provider(binding).still_fits(now, binding).await {
        Ok(()) => Ok(Event::Activate),
        Err(ProviderError::Refused(detail)) => Ok(Event::Withhold {
            cause: EndCause::Changed,
            detail,
        }),
        Err(error) => Err(error),
    }
}

/// Asks again what was asked before: the target resolves alike, in an account that still is one of its own, the voters still
/// may, policy agrees.
async fn may_activate(backend: &Backend, bundle: &Bundle, case: &Case) -> Result<Event, Failure> {
    let withhold = |cause, detail: String| Ok(Event::Withhold { cause, detail });
    let request = case.request()?;
    let target = match afresh(backend, bundle, request).await? {
        Ok(target) => target,
        Err(changed) => return withhold(EndCause::Changed, changed),
    };
    let target = &target;
    let beneficiary = person(backend, &case.request()?.body.beneficiary).await?;
    let (groups, active) = directory::groups(backend, bundle, &beneficiary).await?;
    if !active {
        let detail = format!("{} is no longer in the directory", beneficiary.name);
        return withhold(EndCause::Refused, detail);
    }
    if beneficiary.workload.is_some() && groups.names().is_empty() {
        let detail = format!("the workload {} is no longer enrolled", beneficiary.name);
        return withhold(EndCause::Refused, detail);
    }
    let who = Who {
        person: &beneficiary,
        groups: &groups,
        active,
    };
    let tally = match tally(backend, bundle, case, target).await? {
        Ok(tally) => tally,
        Err(void) => return withhold(EndCause::Refused, void),
    };
    let body = &request.body;
    let ask = Ask {
        target,
        duration: body.duration,
        reason: body.reason.as_str(),
        ticket: body.ticket.as_ref(),
        only: &body.only,
        start: None,
    };
    for question in [
        Question::Receive {
            who,
            ask,
            now: backend.now(),
        },
        Question::Activate {
            who,
            request,
            target,
            tally: &tally,
            now: backend.now(),
        },
    ] {
        let answer = decide(bundle, &question);
        if !answer.allowed {
            return withhold(EndCause::Refused, Failure::policy(&answer).problem.title);
        }
    }
    Ok(Event::Activate)
}

/// Counts the votes that still count, or says whose does not: a vote of somebody who has left the group is void.
async fn tally(
    backend: &Backend,
    bundle: &Bundle,
    case: &Case,
    target: &Target,
) -> Result<Result<Tally, String>, Failure> {
    let request = case.request()?;
    if request.automatic {
        return Ok(Ok(Tally::default()));
    }
    let mut counted = Tally::default();
    let mut humans: Vec<PersonId> = vec![request.body.requester.clone(), request.body.beneficiary.clone()];
    let behind = workload::behind(backend, bundle.catalogue(), request.body.workload.as_deref()).await?;
    let started = |one: &PersonId| behind.is(one) || request.frozen.started_by.contains(one);
    for vote in case.decisions.iter().filter(|d| d.verdict == Verdict::Approve) {
        let voter = person(backend, &vote.by).await?;
        let void = |why: &str| {
            Ok(Err(format!(
                "the approval of {} is void: {why}",
                people::in_words(backend, &voter)
            )))
        };
        let (groups, active) = directory::groups(backend, bundle, &voter).await?;
        if !active {
            return void("no longer in the directory");
        }
        let same = directory::same_human(backend, bundle, &voter).await?;
        if started(&vote.by) || same.iter().any(started) {
            return void("they started the job");
        }
        if same.iter().any(|one| humans.contains(one)) {
            return void("another identity of somebody who asked or decided");
        }
        humans.push(voter.id.clone());
        let wanted = request
            .frozen
            .workflow
            .stages
            .get(vote.stage)
            .map(|s| s.groups.as_slice())
            .unwrap_or_default();
        let may = |groups: &Groups| {
            let names = groups.names().iter().cloned();
            names
                .filter(|g| wanted.contains(g) && target.approvers.contains(g))
                .collect::<Vec<String>>()
        };
        let held = may(&groups.before(directory::votes_before(backend, request)));
        if held.is_empty() && !may(&groups).is_empty() {
            return void("an approver only since it was asked");
        }
        if held.is_empty() {
            return void("no longer an approver");
        }
        counted.distinct_approvers += 1;
        counted.groups.extend(held);
    }
    counted.groups.sort();
    counted.groups.dedup();
    let stages = 0..request.frozen.workflow.stages.len();
    let open = stages
        .filter(|stage| request.frozen.workflow.missing(*stage, &case.decisions) > 0)
        .count();
    counted.stages_open = u32::try_from(open).unwrap_or(u32::MAX);
    Ok(Ok(counted))
}

async fn give(backend: &Backend, work: &Claimed, grant: &GrantId) -> Result<(), Failure> {
    let Some(case) = backend.store.case_of_grant(grant).await? else {
        return settle(backend, work).await;
    };
    let is_due = case.grant()?.state == GrantState::Granting;
    if !is_due || case.grant()?.ends_at.is_some_and(|end| backend.now() >= end) {
        // its end is in the outbox too, and takes it from here
        return backend.commit(&Change::default().completing(work.id)).await;
    }
    if let Some(standing) = &case.membership {
        if standing.is_ousted() {
            return wait(backend, work, "access that jit did not give is being taken away first").await;
        }
        if standing.is_busy(backend.now()) {
            return wait(backend, work, "it is being given for another grant").await;
        }
    }
    if !backend.bundle().catalogue().still_resolves(case.request()?) {
        // an attempt before may have gone through unheard: a session was thrown away unseen, a membership is taken away
        let detail = "the target resolves otherwise than what was approved".to_owned();
        return advance_grant(backend, work, grant, &Event::NotGiven { detail }).await;
    }
    if case.membership.is_some() {
        return membership::give(backend, work, grant).await;
    }
    let access = access_of(backend, &case).await?;
    let given = given(backend, &access).await;
    let verified = Event::Verified { before: backend.now() };
    match given {
        Ok(Presence::There) => advance_grant(backend, work, grant, &verified).await,
        Ok(Presence::Absent) => retry(backend, work, &case, "the check found nothing yet").await,
        Err(error) if error.is_transient() => retry(backend, work, &case, &error.to_string()).await,
        Err(ProviderError::Refused(detail)) => advance_grant(backend, work, grant, &Event::NotGiven { detail }).await,
        Err(error) => {
            advance_grant(
                backend,
                work,
                grant,
                &Event::NotGiven {
                    detail: error.to_string(),
                },
            )
            .await
        }
    }
}

/// Gives, and checks: with a kill switch also that it can be reached, or an early end would not be what was promised.
async fn given(backend: &Backend, access: &Access) -> Result<Presence, ProviderError> {
    if let Some(role) = access.binding.role().filter(|role| role.kill.is_some()) {
        backend.aws.can_shut_out(backend.now(), role).await?;
    }
    let provider = backend.provider(&access.binding);
    provider.grant(backend.now(), access).await?;
    provider.verify(backend.now(), access).await
}

async fn take_away(backend: &Backend, work: &Claimed, grant: &GrantId) -> Result<(), Failure> {
    let Some(case) = backend.store.case_of_grant(grant).await? else {
        return settle(backend, work).await;
    };
    if case.membership.is_some() {
        return membership::take(backend, work, grant).await;
    }
    if case.grant()?.state != GrantState::Revoking {
        return backend.commit(&Change::default().completing(work.id)).await;
    }
    let access = access_of(backend, &case).await?;
    match backend.provider(&access.binding).revoke(backend.now(), &access).await {
        Ok(()) => advance_grant(backend, work, grant, &Event::Taken).await,
        Err(error) => retry(backend, work, &case, &error.to_string()).await,
    }
}
