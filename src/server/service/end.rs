//! Giving access back, and taking it from somebody.
//! Owns that whoever takes it takes all of it: several grants on a target are one access. Refuses to take what
//! neither is the caller's nor policy lets them end.

use super::view::Viewer;
use super::{Key, resolve, step_up};
use crate::domain::{Case, Change, Event, GrantId, Reason, Refusal, apply};
use crate::policy::{Question, decide};
use crate::server::backend::{Backend, Caller};
use crate::server::failure::{Failure, settled};
use crate::wire::{EndGrant, EndedGrant, GrantView};

/// Ends the grant that `given` names. One's own needs nothing; somebody else's needs a reason, and policy. With a
/// reason the other grants of its beneficiary on its target end as well, as far as the caller may end them.
///
/// # Errors
/// Refusals of the domain and of policy; nothing is changed then.
pub async fn end(
    backend: &Backend,
    caller: &Caller,
    given: &str,
    new: &EndGrant,
    key: Option<&Key>,
) -> Result<EndedGrant, Failure> {
    let reason = new
        .reason
        .as_deref()
        .map(|text| Reason::parse(text.trim()))
        .transpose()?;
    let id = settled!(async {
        let case = resolve::grant(backend, caller, given).await?;
        let id = case.grant()?.id.clone();
        let change = ended(backend, caller, &case, reason.clone())?;
        // the named one comes last: as long as it lives, the same call can be made again
        if let Some(reason) = &reason {
            end_beside(backend, caller, &case, reason).await?;
        }
        let change = change.once(key.map(|k| k.used(&caller.person.id, id.as_str(), backend.now())));
        backend.commit(&change).await?;
        Ok(id)
    })?;
    if let Some(reason) = &reason {
        // what was given meanwhile, too
        let case = backend.store.case_of_grant(&id).await?.unwrap_or_default();
        end_beside(backend, caller, &case, reason).await?;
    }
    told(backend, caller, &id).await
}

/// The grant `id` that was ended, with what its beneficiary has beside it on the target.
///
/// # Errors
/// No such grant; what the store says.
pub async fn told(backend: &Backend, caller: &Caller, id: &GrantId) -> Result<EndedGrant, Failure> {
    let case = backend.store.case_of_grant(id).await?;
    let case = case.ok_or_else(|| Failure::no_grant(id.as_str()))?;
    let (body, now) = (&case.request()?.body, backend.now());
    let grant = Viewer::new(backend, &caller.person).grant(case.grant()?, body).await?;
    let ending = case.grants_beside().filter(|grant| !grant.is_live_or_coming(now));
    let mut over: Vec<GrantId> = ending.map(|grant| grant.id.clone()).collect();
    for request in backend.store.outlived(&body.beneficiary, now).await? {
        let is_beside = request.body.beneficiary == body.beneficiary && request.body.target == body.target;
        let other = backend.store.grant_of(request.id()).await?;
        over.extend(other.filter(|other| is_beside && other.id != *id).map(|other| other.id));
    }
    let mut beside = Vec::new();
    for id in over {
        beside.extend(seen(backend, caller, &id).await?);
    }
    let still_held = case.grants_beside().any(|grant| grant.is_live_or_coming(now));
    Ok(EndedGrant {
        grant,
        beside,
        still_held,
    })
}

/// The grant `id`, for who may see it.
async fn seen(backend: &Backend, caller: &Caller, id: &GrantId) -> Result<Option<GrantView>, Failure> {
    let Some(case) = backend.store.case_of_grant(id).await? else {
        return Ok(None);
    };
    if !resolve::may_view(backend, caller, &case).await {
        return Ok(None);
    }
    let viewer = Viewer::new(backend, &caller.person);
    viewer.grant(case.grant()?, &case.request()?.body).await.map(Some)
}

/// Ends what stands beside `case`. What is over meanwhile is left, and so is what is not the caller's to end.
async fn end_beside(backend: &Backend, caller: &Caller, case: &Case, reason: &Reason) -> Result<(), Failure> {
    for grant in case.grants_beside() {
        settled!(async {
            let Some(case) = backend.store.case_of_grant(&grant.id).await? else {
                return Ok(());
            };
            match ended(backend, caller, &case, Some(reason.clone())) {
                Ok(change) => backend.commit(&change).await,
                Err(failure) => {
                    tracing::info!(grant = %grant.id, why = %failure.problem.title, "left beside what was ended");
                    Ok(())
                }
            }
        })?;
    }
    Ok(())
}

fn ended(backend: &Backend, caller: &Caller, case: &Case, reason: Option<Reason>) -> Result<Change, Failure> {
    let (request, by) = (case.request()?, caller.person.id.clone());
    if by == request.body.beneficiary || by == request.body.requester {
        return Ok(apply(backend.now(), case, &Event::Drop { by })?);
    }
    let reason = reason.ok_or(Refusal::TextEmpty { what: "reason" })?;
    let bundle = backend.bundle();
    // what has left the catalogue can be taken away all the same
    let target = bundle.catalogue().asked_or_last_known(request);
    let groups = caller.groups(&bundle);
    let who = caller.who(&groups);
    let question = Question::Revoke {
        who,
        request,
        target: &target,
        session: caller.facts(),
        now: backend.now(),
    };
    let answer = decide(&bundle, &question);
    if !answer.allowed {
        return Err(step_up::refused(backend, caller, &bundle, &question, &answer));
    }
    let change = apply(backend.now(), case, &Event::Revoke { by, reason })?;
    Ok(change
        .decided_by(bundle.hash().as_str())
        .with_detail("policy", answer.inputs))
}
