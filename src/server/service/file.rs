//! Filing a request.

use super::Key;
use super::plan::Plan;
use super::view::Viewer;
use crate::domain::{Case, Change, Event, Request, RequestId, RequestState, apply};
use crate::server::backend::{Backend, Caller};
use crate::server::failure::{Failure, settled};
use crate::wire::{Filed, NewRequest, Outcome};

/// Files `new`, or finds the request or grant that it meets.
///
/// # Errors
/// Refusals of the domain and of policy; nothing is stored then.
pub async fn file(backend: &Backend, caller: &Caller, new: &NewRequest, key: Option<&Key>) -> Result<Filed, Failure> {
    settled!(attempt(backend, caller, new, key))
}

async fn attempt(backend: &Backend, caller: &Caller, new: &NewRequest, key: Option<&Key>) -> Result<Filed, Failure> {
    let bundle = backend.bundle();
    let plan = Plan::make(backend, caller, &bundle, new).await?;
    let viewer = Viewer::new(backend, &caller.person);
    if let Some((outcome, met)) = plan.met(backend, caller).await? {
        remember(backend, caller, key, met.request()?.id()).await?;
        let request = viewer.of(&met).await?;
        return Ok(Filed { outcome, request });
    }
    let filing = plan.filing(backend, caller, &bundle).await?;
    close_overdue(backend, &plan.case).await?;
    let (now, id) = (backend.now(), plan.body.id.clone());
    let change = apply(now, &plan.case, &Event::File(Box::new(filing)))?.with_detail("policy", plan.inputs());
    let change = change.once(key.map(|k| k.used(&caller.person.id, id.as_str(), now)));
    backend.commit(&change).await?;
    Ok(Filed {
        outcome: Outcome::Filed,
        request: viewer.by_id(&id).await?,
    })
}

/// Pending requests whose time is over are closed first: the worker may not have come by yet, and nobody shall wait
/// for it.
async fn close_overdue(backend: &Backend, case: &Case) -> Result<(), Failure> {
    let now = backend.now();
    let over = |request: &Request| request.state == RequestState::Pending && now >= request.expires_at;
    for held in case.beside.iter().filter(|held| over(&held.request)) {
        if let Some(case) = backend.store.case(held.request.id()).await? {
            backend.commit(&apply(now, &case, &Event::Expire)?).await?;
        }
    }
    Ok(())
}

/// Keeps what a key led to where nothing else changes: a repeat that comes when that request is over must not file
/// another one.
async fn remember(backend: &Backend, caller: &Caller, key: Option<&Key>, request: &RequestId) -> Result<(), Failure> {
    let Some(key) = key else { return Ok(()) };
    let used = key.used(&caller.person.id, request.as_str(), backend.now());
    backend.commit(&Change::default().once(Some(used))).await
}
