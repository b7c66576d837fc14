//! Giving access back, and taking it from somebody.

use super::view::Viewer;
use super::{Key, resolve};
use crate::domain::{Case, Change, Event, Reason, Refusal, apply};
use crate::policy::{Question, decide};
use crate::server::backend::{Backend, Caller};
use crate::server::failure::{Failure, settled};
use crate::wire::{EndGrant, GrantView};

/// Ends the grant that `given` names. One's own needs nothing; somebody else's needs a reason, and policy.
///
/// # Errors
/// Refusals of the domain and of policy; nothing is changed then.
pub async fn end(
    backend: &Backend,
    caller: &Caller,
    given: &str,
    new: &EndGrant,
    key: Option<&Key>,
) -> Result<GrantView, Failure> {
    let reason = new
        .reason
        .as_deref()
        .map(|text| Reason::parse(text.trim()))
        .transpose()?;
    settled!(async {
        let case = resolve::grant(backend, caller, given).await?;
        let id = case.grant()?.id.clone();
        let change = ended(backend, caller, &case, reason.clone())?;
        let change = change.once(key.map(|k| k.used(&caller.person.id, id.as_str(), backend.now())));
        backend.commit(&change).await?;
        let case = backend.store.case_of_grant(&id).await?.unwrap_or(case);
        Viewer::new(backend, &caller.person)
            .grant(case.grant()?, &case.request()?.body)
            .await
    })
}

fn ended(backend: &Backend, caller: &Caller, case: &Case, reason: Option<Reason>) -> Result<Change, Failure> {
    let (request, by) = (case.request()?, caller.person.id.clone());
    if by == request.body.beneficiary || by == request.body.requester {
        return Ok(apply(backend.now(), case, &Event::Drop { by })?);
    }
    let reason = reason.ok_or(Refusal::TextEmpty { what: "reason" })?;
    let bundle = backend.bundle();
    let Some(target) = bundle.catalogue().target(&request.body.target) else {
        return Err(Refusal::Changed {
            request: request.id().clone(),
        }
        .into());
    };
    let groups = caller.groups(&bundle);
    let who = caller.who(&groups);
    let question = Question::Revoke {
        who,
        request,
        target,
        session: caller.facts(),
        now: backend.now(),
    };
    let answer = decide(&bundle, &question);
    if !answer.allowed {
        return Err(Failure::policy(&answer));
    }
    let change = apply(backend.now(), case, &Event::Revoke { by, reason })?;
    Ok(change
        .decided_by(bundle.hash().as_str())
        .with_detail("policy", answer.inputs))
}
