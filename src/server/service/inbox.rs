//! What waits for somebody's decision.

use super::directory::{same_human, votes_before};
use super::view::Viewer;
use super::{devices, locked, step_up, workload};
use crate::domain::{Behind, PersonId, Request, RequestId, Verdict};
use crate::policy::{Question, decide};
use crate::server::backend::{Backend, Caller};
use crate::server::failure::Failure;
use crate::wire::RequestList;

/// How many pending requests are looked at.
const MOST_PENDING: u32 = 1_000;
/// How many are answered with.
const PAGE: usize = 100;

/// Pending requests that policy lets `caller` decide now, oldest first.
///
/// # Errors
/// What the store says.
pub async fn inbox(backend: &Backend, caller: &Caller) -> Result<RequestList, Failure> {
    let viewer = Viewer::new(backend, &caller.person);
    let mut requests = Vec::new();
    for id in decidable(backend, caller).await? {
        requests.push(viewer.by_id(&id).await?);
    }
    let locks = locked::seen(backend, caller).await?;
    let new_devices = devices::new_devices(backend, caller).await?;
    Ok(RequestList {
        requests,
        next: None,
        locks,
        new_devices,
    })
}

async fn decidable(backend: &Backend, caller: &Caller) -> Result<Vec<RequestId>, Failure> {
    let now = backend.now();
    let mut me = same_human(backend, &backend.bundle(), &caller.person).await?;
    me.push(caller.person.id.clone());
    let mut found = Vec::new();
    for request in backend.store.pending(MOST_PENDING).await? {
        let body = &request.body;
        let own = me.contains(&body.requester) || me.contains(&body.beneficiary);
        let own = own || started(backend, &me, &request).await?;
        if !own && now < request.expires_at && may_decide(backend, caller, &me, &request).await? {
            found.push(request.id().clone());
        }
        if found.len() == PAGE {
            break;
        }
    }
    Ok(found)
}

/// Whether a job asks that one of `me` started, or somebody of whom nothing is known: then nobody may approve it.
async fn started(backend: &Backend, me: &[PersonId], request: &Request) -> Result<bool, Failure> {
    let then = &request.frozen.started_by;
    let bundle = backend.bundle();
    let now = workload::behind(backend, bundle.catalogue(), request.body.workload.as_deref()).await?;
    let is_mine = me.iter().any(|one| then.contains(one) || now.is(one));
    Ok(is_mine || (now == Behind::Unknown && then.is_empty()))
}

async fn may_decide(backend: &Backend, caller: &Caller, me: &[PersonId], request: &Request) -> Result<bool, Failure> {
    let bundle = backend.bundle();
    let Some(target) = bundle.catalogue().asked(request) else {
        return Ok(false);
    };
    let groups = caller.groups(&bundle).before(votes_before(backend, request));
    let who = caller.who(&groups);
    let decisions = backend.store.decisions(request.id()).await?;
    let decided_by: Vec<PersonId> = decisions.iter().map(|d| d.by.clone()).collect();
    if decided_by.iter().any(|by| me.contains(by)) {
        return Ok(false);
    }
    Ok(request
        .frozen
        .workflow
        .open_stages(&decisions)
        .into_iter()
        .any(|stage| {
            let (verdict, session) = (Verdict::Approve, step_up::at_best(backend, caller));
            let question = Question::Decide {
                who,
                request,
                target: &target,
                decided_by: &decided_by,
                verdict,
                stage,
                session,
                now: backend.now(),
            };
            decide(&bundle, &question).allowed
        }))
}
