//! From what somebody typed to a request or grant that they may see.
//! A whole id, a prefix of four or more that is unique among what they may see, or a target with one open request.

use super::accounts::means;
use super::targets;
use crate::domain::{Case, GrantId, Request, RequestId, RequestState, TargetName, Timestamp};
use crate::policy::{Question, decide};
use crate::server::backend::{Backend, Caller};
use crate::server::failure::{Failure, repeated};
use crate::wire::Problem;
use crate::wire::problem::Code;

/// Shortest prefix that is looked up.
const SHORTEST_PREFIX: usize = 4;
/// How many ids a prefix may fit before it is called ambiguous.
const MOST_CANDIDATES: u32 = 20;

/// Whether `caller` may see `case`.
pub async fn may_view(backend: &Backend, caller: &Caller, case: &Case) -> bool {
    let Some(request) = &case.request else { return false };
    if [&request.body.requester, &request.body.beneficiary].contains(&&caller.person.id) {
        return true;
    }
    // what others ask for is no workload's to see
    if caller.person.workload.is_some() {
        return false;
    }
    let bundle = backend.bundle();
    let target = bundle.catalogue().asked_or_last_known(request);
    let groups = caller.groups(&bundle);
    let who = caller.who(&groups);
    decide(
        &bundle,
        &Question::View {
            who,
            request,
            target: &target,
            now: backend.now(),
        },
    )
    .allowed
}

/// The case that `given` names.
///
/// # Errors
/// [`Code::RequestNotFound`] for none, the same words for one that is not theirs to see;
/// [`Code::RequestAmbiguous`] for several.
pub async fn request(backend: &Backend, caller: &Caller, given: &str) -> Result<Case, Failure> {
    if let Ok(id) = RequestId::parse(given) {
        let case = backend
            .store
            .case(&id)
            .await?
            .ok_or_else(|| Failure::no_request(given))?;
        return if may_view(backend, caller, &case).await {
            Ok(case)
        } else {
            Err(Failure::no_request(given))
        };
    }
    let mut found = Vec::new();
    for id in candidates(backend, given).await? {
        if let Some(case) = backend.store.case(&id).await?
            && may_view(backend, caller, &case).await
        {
            found.push(case);
        }
    }
    if found.is_empty()
        && let Ok(target) = TargetName::parse(given)
    {
        found = open_on_target(backend, caller, &target).await?;
    }
    one(found, given)
}

async fn candidates(backend: &Backend, given: &str) -> Result<Vec<RequestId>, Failure> {
    let short = given.strip_prefix(RequestId::PREFIX).unwrap_or(given);
    if !is_prefix(short) {
        return Ok(Vec::new());
    }
    Ok(backend
        .store
        .requests_like(&format!("{}{short}", RequestId::PREFIX), MOST_CANDIDATES)
        .await?)
}

/// Whether `short` can begin an id.
fn is_prefix(short: &str) -> bool {
    let lengths = SHORTEST_PREFIX..=crate::domain::id::RANDOM_CHARS;
    lengths.contains(&short.len()) && short.bytes().all(|b| crate::domain::id::ALPHABET.contains(&b))
}

/// Open requests on `target` that the caller may see: their own first, else those that wait for somebody.
async fn open_on_target(backend: &Backend, caller: &Caller, target: &TargetName) -> Result<Vec<Case>, Failure> {
    let own = backend.store.requests_of(&caller.person.id, true, None, 100).await?;
    let own = meant(own, target);
    let ids = if own.is_empty() {
        let pending = backend.store.pending(1_000).await?;
        pending
            .iter()
            .filter(|r| is_on(target, r))
            .map(|r| r.id().clone())
            .collect()
    } else {
        own
    };
    let mut cases = Vec::new();
    for id in ids {
        if let Some(case) = backend.store.case(&id).await?
            && may_view(backend, caller, &case).await
        {
            cases.push(case);
        }
    }
    Ok(cases)
}

/// Of several open requests on `target`: the one that waits, else the newest of one's own: the others are what it
/// extends.
fn meant(mut own: Vec<Request>, target: &TargetName) -> Vec<RequestId> {
    own.retain(|request| is_on(target, request));
    let waits = |request: &&Request| request.state == RequestState::Pending;
    let whose = |request: &Request| request.body.beneficiary.clone();
    let is_one_row = own.iter().all(|request| whose(request) == whose(&own[0]));
    let one = match own.iter().filter(waits).count() {
        1 => own.iter().find(waits),
        0 if is_one_row => own.first(),
        _ => None,
    };
    match one {
        Some(one) => vec![one.id().clone()],
        None => own.iter().map(|request| request.id().clone()).collect(),
    }
}

/// Whether somebody means the request's target by `typed`.
fn is_on(typed: &TargetName, request: &Request) -> bool {
    means(typed, &request.body.target, request.body.binding.account_name())
}

fn one(mut found: Vec<Case>, given: &str) -> Result<Case, Failure> {
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Failure::no_request(given)),
        _ => {
            let mut problem = Problem::new(
                Code::RequestAmbiguous,
                format!("{} fits {} requests", repeated(given), found.len()),
            );
            problem.nearest = found
                .iter()
                .filter_map(|c| c.request.as_ref())
                .map(|r| r.id().to_string())
                .collect();
            Err(problem.hint("give more of the id").into())
        }
    }
}

/// The case of the caller's own grant that `given` names: a target means their live grant on it that ends last.
///
/// # Errors
/// [`Code::GrantNotFound`], [`Code::RequestAmbiguous`]; [`Code::TargetNotFound`] for a name that nothing has.
pub async fn own_grant(backend: &Backend, caller: &Caller, given: &str) -> Result<Case, Failure> {
    // a name comes before a prefix: `dev1` can be both
    if let Ok(target) = TargetName::parse(given)
        && let Some(case) = live_on_target(backend, caller, &target).await?
    {
        return Ok(case);
    }
    let found = grant(backend, caller, given).await;
    let is_none = matches!(&found, Err(failure) if failure.problem.code == Code::GrantNotFound.as_str());
    if is_none && !given.starts_with(GrantId::PREFIX) && TargetName::parse(given).is_ok() {
        let bundle = backend.bundle();
        let catalogue = bundle.catalogue();
        let name = given.split_once('/').map_or(given, |(family, _)| family);
        if catalogue.find(given).is_none() && catalogue.family(name).is_none() {
            return Err(targets::unknown(bundle.catalogue(), given));
        }
    }
    found
}

/// The case behind the grant that `given` names. A target names none: whose grant on it would be meant?
///
/// # Errors
/// [`Code::GrantNotFound`], [`Code::RequestAmbiguous`].
pub async fn grant(backend: &Backend, caller: &Caller, given: &str) -> Result<Case, Failure> {
    let ids = if let Ok(id) = GrantId::parse(given) {
        vec![id]
    } else {
        let short = given.strip_prefix(GrantId::PREFIX).unwrap_or(given);
        if is_prefix(short) {
            backend
                .store
                .grants_like(&format!("{}{short}", GrantId::PREFIX), MOST_CANDIDATES)
                .await?
        } else {
            Vec::new()
        }
    };
    let mut found = Vec::new();
    for id in ids {
        if let Some(case) = backend.store.case_of_grant(&id).await?
            && may_view(backend, caller, &case).await
        {
            found.push(case);
        }
    }
    if found.is_empty() {
        Err(Failure::no_grant(given))
    } else {
        one(found, given)
    }
}

/// The caller's own live grant on `target`; of several the one that ends last.
async fn live_on_target(backend: &Backend, caller: &Caller, target: &TargetName) -> Result<Option<Case>, Failure> {
    let now = backend.now();
    let mut found: Option<(Timestamp, Case)> = None;
    for grant in backend.store.open_grants(&caller.person.id).await? {
        let is_candidate = grant.target == *target || grant.target.family().is_some();
        let Some(ends_at) = grant.ends_at.filter(|_| is_candidate && grant.is_live(now)) else {
            continue;
        };
        let is_later = found.as_ref().is_none_or(|(end, _)| *end <= ends_at);
        if let Some(case) = backend.store.case_of_grant(&grant.id).await?.filter(|_| is_later)
            && is_on(target, case.request()?)
        {
            found = Some((ends_at, case));
        }
    }
    Ok(found.map(|(_, case)| case))
}
