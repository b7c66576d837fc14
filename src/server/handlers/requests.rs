//! Requests: file, list, look, wait, decide, withdraw; the inbox.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{meanwhile, repeated};
use crate::domain::RequestId;
use crate::server::backend::{Backend, Caller};
use crate::server::edge::body::{Body, Json};
use crate::server::failure::Failure;
use crate::server::service::view::Viewer;
use crate::server::service::{decide, dry_run, file, inbox, look};
use crate::wire::problem::Code;
use crate::wire::{DryRun, Filed, LONGEST_WAIT_S, NewDecision, NewRequest, Outcome, Problem, RequestList, RequestView};

/// Files a request.
#[utoipa::path(post, path = "/v1/requests", request_body = NewRequest,
    responses((status = 201, body = Filed), (status = 200, body = Filed), (status = "default", body = Problem)))]
pub async fn file(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    body: Body<NewRequest>,
) -> Result<Response, Failure> {
    let key = body.key.as_ref();
    let done = match repeated(&backend, &caller, key).await? {
        Some(done) => done,
        None => match file::file(&backend, &caller, &body.value, key).await {
            Ok(filed) if filed.outcome == Outcome::Filed => {
                return Ok((StatusCode::CREATED, Json(filed)).into_response());
            }
            Ok(filed) => return Ok(Json(filed).into_response()),
            Err(failure) => meanwhile(&backend, &caller, key, failure).await?,
        },
    };
    let (outcome, request) = (Outcome::Filed, shown(&backend, &caller, &done).await?);
    Ok(Json(Filed { outcome, request }).into_response())
}

/// Says what filing a request would come to. Stores nothing; an idempotency key means nothing here.
#[utoipa::path(post, path = "/v1/dry-run", request_body = NewRequest,
    responses((status = 200, body = DryRun), (status = "default", body = Problem)))]
pub async fn dry_run(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    body: Body<NewRequest>,
) -> Result<Json<DryRun>, Failure> {
    dry_run::dry_run(&backend, &caller, &body.value).await.map(Json)
}

/// The request `id` as it stands now.
async fn shown(backend: &Backend, caller: &Caller, id: &str) -> Result<RequestView, Failure> {
    Viewer::new(backend, &caller.person).by_id(&RequestId::parse(id)?).await
}

/// Which of one's requests.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Only those that are pending, have an open grant, or one that is over while a credential of it works.
    #[serde(default)]
    open: bool,
    /// Only those filed before this one.
    #[param(pattern = "^req_[0-9a-hjkmnp-tv-z]{12}$")]
    before: Option<String>,
}

/// Lists one's own requests, newest first.
#[utoipa::path(get, path = "/v1/requests", params(Which),
    responses((status = 200, body = RequestList), (status = "default", body = Problem)))]
pub async fn list(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    which: Query<Which>,
) -> Result<Json<RequestList>, Failure> {
    look::requests(&backend, &caller, which.open, which.before.as_deref())
        .await
        .map(Json)
}

/// How long to wait for a change.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// Such as `30s`; at most 30 seconds. Needs `If-None-Match`.
    #[param(pattern = "^[0-9]{1,9}s?$")]
    wait: Option<String>,
}

/// Looks at a request; waits for a change where asked to.
#[utoipa::path(get, path = "/v1/requests/{id}", params(Wait, ("id" = String, Path), ("if-none-match" = Option<String>, Header, description = "The version that one knows: `\"ETAG\"`.")),
    responses((status = 200, body = RequestView), (status = 304), (status = "default", body = Problem)))]
pub async fn look(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    wait: Query<Wait>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let known = known.map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"'));
    let wait = read_wait(wait.wait.as_deref())?;
    match (look::request(&backend, &caller, &id, known, wait).await?, known) {
        (Some(view), _) => {
            let tag = view.version.clone();
            Ok(tagged(&tag, Json(view).into_response()))
        }
        (None, known) => Ok(tagged(
            known.unwrap_or_default(),
            StatusCode::NOT_MODIFIED.into_response(),
        )),
    }
}

fn read_wait(text: Option<&str>) -> Result<Duration, Failure> {
    let Some(text) = text else { return Ok(Duration::ZERO) };
    let seconds: Option<u64> = text.strip_suffix('s').unwrap_or(text).parse().ok();
    let seconds = seconds.ok_or_else(|| Failure::new(Code::UsageBody, "wait is a number of seconds, such as 30s"))?;
    Ok(Duration::from_secs(seconds.min(LONGEST_WAIT_S)))
}

fn tagged(version: &str, mut response: Response) -> Response {
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Decides on a request.
#[utoipa::path(post, path = "/v1/requests/{id}/decisions", params(("id" = String, Path)), request_body = NewDecision,
    responses((status = 200, body = RequestView), (status = "default", body = Problem)))]
pub async fn decide(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body<NewDecision>,
) -> Result<Json<RequestView>, Failure> {
    let key = body.key.as_ref();
    let done = match repeated(&backend, &caller, key).await? {
        Some(done) => done,
        None => match decide::decide(&backend, &caller, &id, &body.value, key).await {
            Ok(view) => return Ok(Json(view)),
            Err(failure) => meanwhile(&backend, &caller, key, failure).await?,
        },
    };
    shown(&backend, &caller, &done).await.map(Json)
}

/// Nothing to say beyond the path.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

/// Withdraws a pending request.
#[utoipa::path(post, path = "/v1/requests/{id}/cancel", params(("id" = String, Path)), request_body = Empty,
    responses((status = 200, body = RequestView), (status = "default", body = Problem)))]
pub async fn cancel(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body<Empty>,
) -> Result<Json<RequestView>, Failure> {
    let key = body.key.as_ref();
    let done = match repeated(&backend, &caller, key).await? {
        Some(done) => done,
        None => match decide::cancel(&backend, &caller, &id, key).await {
            Ok(view) => return Ok(Json(view)),
            Err(failure) => meanwhile(&backend, &caller, key, failure).await?,
        },
    };
    shown(&backend, &caller, &done).await.map(Json)
}

/// Lists what one can decide, oldest first.
#[utoipa::path(get, path = "/v1/inbox", responses((status = 200, body = RequestList), (status = "default", body = Problem)))]
pub async fn inbox(State(backend): State<Arc<Backend>>, caller: Caller) -> Result<Json<RequestList>, Failure> {
    inbox::inbox(&backend, &caller).await.map(Json)
}
