//! Filing a request.

use serde_json::json;

use super::Key;
use super::view::Viewer;
use crate::domain::{
    Body, Case, Change, Duration, Event, Filing, Frozen, Narrowing, Reason, Request, RequestId, RequestState, Standing,
    apply, standing,
};
use crate::policy::{Ask, Bundle, Question, Target, decide};
use crate::server::backend::{Backend, Caller};
use crate::server::edge::limits::MOST_OPEN_REQUESTS;
use crate::server::failure::{Failure, settled};
use crate::server::provider::Access;
use crate::wire::problem::Code;
use crate::wire::{Filed, NewRequest, Outcome};

/// What is asked, in types.
struct Asked<'a> {
    target: &'a Target,
    duration: Duration,
    reason: Reason,
    only: Vec<Narrowing>,
}

/// Files `new`, or finds the request or grant that it meets.
///
/// # Errors
/// Refusals of the domain and of policy; nothing is stored then.
pub async fn file(backend: &Backend, caller: &Caller, new: &NewRequest, key: Option<&Key>) -> Result<Filed, Failure> {
    settled!(attempt(backend, caller, new, key))
}

async fn attempt(backend: &Backend, caller: &Caller, new: &NewRequest, key: Option<&Key>) -> Result<Filed, Failure> {
    let now = backend.now();
    let bundle = backend.bundle();
    let asked = parse(&bundle, new)?;
    let body = Body {
        schema: Body::SCHEMA.to_owned(),
        id: backend.random.request_id(),
        requester: caller.person.id.clone(),
        beneficiary: caller.person.id.clone(),
        target: asked.target.name.clone(),
        binding: asked.target.binding.clone(),
        duration: asked.duration,
        start: None,
        reason: asked.reason.clone(),
        ticket: None,
        only: asked.only.clone(),
    };
    let case = case_to_file(backend, caller, asked.target).await?;
    let viewer = Viewer::new(backend, &caller.person);
    match standing(now, &case, &body, asked.target.max_duration)? {
        Standing::New => {}
        Standing::Joins(request) => {
            remember(backend, caller, key, &request).await?;
            return Ok(Filed {
                outcome: Outcome::Joined,
                request: viewer.by_id(&request).await?,
            });
        }
        Standing::Covered(grant) => {
            let covering = backend.store.case_of_grant(&grant).await?.unwrap_or_default();
            remember(backend, caller, key, covering.request()?.id()).await?;
            return Ok(Filed {
                outcome: Outcome::Covered,
                request: viewer.of(&covering).await?,
            });
        }
    }
    let open = backend
        .store
        .requests_of(&caller.person.id, true, None, MOST_OPEN_REQUESTS)
        .await?;
    if open.len() >= MOST_OPEN_REQUESTS as usize {
        let title = format!("you have {MOST_OPEN_REQUESTS} open requests");
        return Err(Failure::new(Code::RequestTooMany, title));
    }
    fits(backend, caller, &body)?;
    let mut change = decided(backend, caller, &bundle, &asked, body.clone(), &case)?;
    change = change.once(key.map(|k| k.used(&caller.person.id, body.id.as_str(), now)));
    backend.commit(&change).await?;
    Ok(Filed {
        outcome: Outcome::Filed,
        request: viewer.by_id(&body.id).await?,
    })
}

/// What a new request stands beside. Pending requests whose time is over are closed first: the worker may not have come
/// by yet, and nobody shall wait for it.
async fn case_to_file(backend: &Backend, caller: &Caller, target: &Target) -> Result<Case, Failure> {
    let case = backend.store.case_to_file(&caller.person.id, &target.name).await?;
    let now = backend.now();
    let over = |request: &Request| request.state == RequestState::Pending && now >= request.expires_at;
    let mut closed = false;
    for held in case.beside.iter().filter(|held| over(&held.request)) {
        if let Some(case) = backend.store.case(held.request.id()).await? {
            backend.commit(&apply(now, &case, &Event::Expire)?).await?;
            closed = true;
        }
    }
    if closed {
        return Ok(backend.store.case_to_file(&caller.person.id, &target.name).await?);
    }
    Ok(case)
}

/// Whether the provider could ever give what is asked: nobody shall approve what cannot be.
fn fits(backend: &Backend, caller: &Caller, body: &Body) -> Result<(), Failure> {
    let access = Access {
        request: body.id.clone(),
        grant: backend.random.grant_id(),
        person: caller.person.id.clone(),
        person_name: caller.person.name.clone(),
        binding: body.binding.clone(),
        only: body.only.clone(),
        ends_at: backend.now().plus(body.duration),
    };
    let provider = backend.provider(&body.binding);
    provider
        .accepts(&access)
        .map_err(|error| Failure::new(Code::UsageNarrowing, error.to_string()))
}

/// Keeps what a key led to where nothing else changes: a repeat that comes when that request is over must not file
/// another one.
async fn remember(backend: &Backend, caller: &Caller, key: Option<&Key>, request: &RequestId) -> Result<(), Failure> {
    let Some(key) = key else { return Ok(()) };
    let used = key.used(&caller.person.id, request.as_str(), backend.now());
    backend.commit(&Change::default().once(Some(used))).await
}

/// Asks policy, then the domain.
fn decided(
    backend: &Backend,
    caller: &Caller,
    bundle: &Bundle,
    asked: &Asked<'_>,
    body: Body,
    case: &crate::domain::Case,
) -> Result<Change, Failure> {
    let now = backend.now();
    let groups = caller.groups(bundle);
    let who = caller.who(&groups);
    let ask = Ask {
        target: asked.target,
        duration: asked.duration,
        reason: asked.reason.as_str(),
        only: &asked.only,
    };
    let session = caller.facts();
    let request = decide(bundle, &Question::Request { who, ask, session, now });
    if !request.allowed {
        return Err(Failure::policy(&request));
    }
    let receive = decide(bundle, &Question::Receive { who, ask, now });
    if !receive.allowed {
        return Err(Failure::policy(&receive));
    }
    let automatic = decide(bundle, &Question::AutoApprove { who, ask, session, now });
    let filing = Filing {
        body,
        frozen: Frozen {
            workflow: asked.target.workflow.clone(),
            cap: asked.target.max_duration,
            risk: asked.target.risk,
            environment: asked.target.environment.clone(),
            bundle_hash: bundle.hash().as_str().to_owned(),
        },
        device: caller.session.device.clone(),
        automatic: automatic.allowed,
        grant: backend.random.grant_id(),
    };
    let inputs = json!([request.inputs, receive.inputs, automatic.inputs]);
    Ok(apply(now, case, &Event::File(Box::new(filing)))?.with_detail("policy", inputs))
}

fn parse<'a>(bundle: &'a Bundle, new: &NewRequest) -> Result<Asked<'a>, Failure> {
    let catalogue = bundle.catalogue();
    let Some(target) = catalogue.find(&new.target) else {
        return Err(super::targets::unknown(catalogue, &new.target));
    };
    let mut only = new
        .only
        .iter()
        .map(|text| Narrowing::parse(text))
        .collect::<Result<Vec<_>, _>>()?;
    only.sort();
    only.dedup();
    Ok(Asked {
        target,
        duration: Duration::from_secs(new.duration_s)?,
        reason: Reason::parse(new.reason.trim())?,
        only,
    })
}

/// Whether `request`'s target still resolves to what was asked and approved.
pub fn still_resolves(bundle: &Bundle, request: &Request) -> bool {
    bundle
        .catalogue()
        .target(&request.body.target)
        .is_some_and(|target| target.binding == request.body.binding)
}
