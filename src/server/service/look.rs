//! Looking at one's requests and grants, and waiting for a change.

use std::cmp::Reverse;
use std::time::Duration;

use super::accounts::means;
use super::view::Viewer;
use super::{locked, resolve};
use crate::domain::{RequestId, TargetName, Timestamp};
use crate::server::backend::{Backend, Caller};
use crate::server::failure::Failure;
use crate::server::wake::stopped;
use crate::wire::{GrantList, RequestList, RequestView};

/// When to come back with a wait that was one too many, in seconds.
const WAIT_AGAIN_S: u32 = 5;
/// Requests on a page.
const PAGE: u32 = 100;
/// What is over and left access behind is shown for so long: as long as the longest session goes on.
const REMAINING_MS: i64 = 12 * 3_600_000;

/// The request that `given` names; with `wait` and the version that the caller knows, as soon as it differs.
/// `None`: nothing changed within `wait`.
///
/// # Errors
/// No such request, or too many waits.
pub async fn request(
    backend: &Backend,
    caller: &Caller,
    given: &str,
    known: Option<&str>,
    wait: Duration,
) -> Result<Option<RequestView>, Failure> {
    let viewer = Viewer::new(backend, &caller.person);
    let id = resolve::request(backend, caller, given).await?.request()?.id().clone();
    if known.is_none() || wait.is_zero() {
        let view = viewer.by_id(&id).await?;
        return Ok((known != Some(view.version.as_str())).then_some(view));
    }
    // listen first, then load: a commit between the two wakes us
    let mut changes = backend.wakes.listen(&id);
    let view = viewer.by_id(&id).await?;
    if known != Some(view.version.as_str()) {
        return Ok(Some(view));
    }
    let Some(_waiting) = backend.limits.wait(&caller.person.id) else {
        return Err(Failure::too_much("you wait for too much at once", WAIT_AGAIN_S));
    };
    let mut stopping = backend.stopping.clone();
    let deadline = tokio::time::Instant::now() + wait;
    loop {
        tokio::select! {
            () = changes.changed() => {
                let view = viewer.by_id(&id).await?;
                if known != Some(view.version.as_str()) {
                    return Ok(Some(view));
                }
            }
            () = stopped(&mut stopping) => return Ok(None),
            () = tokio::time::sleep_until(deadline) => return Ok(None),
        }
    }
}

/// One's own requests, newest first; the open ones with those that are over while a credential of theirs works.
///
/// # Errors
/// What the store says; a cursor that is none.
pub async fn requests(
    backend: &Backend,
    caller: &Caller,
    open_only: bool,
    before: Option<&str>,
) -> Result<RequestList, Failure> {
    let (before, me) = (before.map(RequestId::parse).transpose()?, &caller.person.id);
    let mut found = backend.store.requests_of(me, open_only, before.as_ref(), PAGE).await?;
    let next = (found.len() == PAGE as usize)
        .then(|| found.last().map(|r| r.id().to_string()))
        .flatten();
    if open_only && before.is_none() {
        found.extend(backend.store.outlived(me, backend.now()).await?);
        let since = Timestamp::from_millis(backend.now().millis() - REMAINING_MS);
        found.extend(backend.store.left_behind(me, since).await?);
        found.sort_by_key(|request| Reverse(request.filed_at));
    }
    let viewer = Viewer::new(backend, &caller.person);
    let mut requests = Vec::with_capacity(found.len());
    for request in &found {
        requests.push(viewer.by_id(request.id()).await?);
    }
    let locks = locked::seen(backend, caller).await?;
    Ok(RequestList { requests, next, locks })
}

/// One's own open grants, those that end last first.
///
/// # Errors
/// What the store says.
pub async fn grants(backend: &Backend, caller: &Caller, target: Option<&str>) -> Result<GrantList, Failure> {
    let target = target.map(TargetName::parse).transpose()?;
    let viewer = Viewer::new(backend, &caller.person);
    let mut grants = Vec::new();
    for grant in backend.store.open_grants(&caller.person.id).await? {
        let Some(case) = backend.store.case(&grant.request).await? else {
            continue;
        };
        let named = case.request()?.body.binding.account_name();
        if target.as_ref().is_none_or(|typed| means(typed, &grant.target, named)) {
            grants.push(viewer.grant(&grant, &case.request()?.body).await?);
        }
    }
    Ok(GrantList { grants })
}
