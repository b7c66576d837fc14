//! Signing in, who one is, signing out.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::server::backend::{Backend, Caller};
use crate::server::edge::body::{Body, Json};
use crate::server::failure::Failure;
use crate::server::identity::device::DeviceKey;
use crate::server::service::{sign_in, step_up, workload};
use crate::wire::{Me, NewSession, NewWorkloadSession, OpenedSession, Problem, Renewal};

/// Signs in with a one-time code.
#[utoipa::path(post, path = "/v1/sessions", request_body = NewSession,
    responses((status = 201, body = OpenedSession), (status = "default", body = Problem)))]
pub async fn open(
    State(backend): State<Arc<Backend>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    key: DeviceKey,
    body: Body<NewSession>,
) -> Result<Response, Failure> {
    let opened = sign_in::open(&backend, &body.value, &key, peer.ip()).await?;
    Ok((StatusCode::CREATED, Json(opened)).into_response())
}

/// Signs a workload in with a token of its issuer.
#[utoipa::path(post, path = "/v1/workload-sessions", request_body = NewWorkloadSession,
    responses((status = 201, body = OpenedSession), (status = "default", body = Problem)))]
pub async fn open_workload(
    State(backend): State<Arc<Backend>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    key: DeviceKey,
    body: Body<NewWorkloadSession>,
) -> Result<Response, Failure> {
    backend
        .limits
        .call(&peer.ip().to_string(), backend.now())
        .map_err(|wait_s| Failure::too_much("too many calls", wait_s))?;
    let opened = workload::open(&backend, &body.value, &key, peer.ip()).await?;
    Ok((StatusCode::CREATED, Json(opened)).into_response())
}

/// Who one is and until when.
#[utoipa::path(get, path = "/v1/me", responses((status = 200, body = Me), (status = "default", body = Problem)))]
pub async fn me(State(backend): State<Arc<Backend>>, caller: Caller) -> Json<Me> {
    Json(sign_in::me(&backend, &caller).await)
}

/// The session that asks.
#[utoipa::path(get, path = "/v1/sessions", responses((status = 200, body = Me), (status = "default", body = Problem)))]
pub async fn look(State(backend): State<Arc<Backend>>, caller: Caller) -> Json<Me> {
    Json(sign_in::me(&backend, &caller).await)
}

/// Says that a second factor was shown again: the session goes on with it.
#[utoipa::path(post, path = "/v1/sessions/renewal", request_body = Renewal,
    responses((status = 200, body = Me), (status = "default", body = Problem)))]
pub async fn renew(
    State(backend): State<Arc<Backend>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    caller: Caller,
    body: Body<Renewal>,
) -> Result<Json<Me>, Failure> {
    step_up::renew(&backend, &caller, &body.value, peer.ip())
        .await
        .map(Json)
}

/// Signs out.
#[utoipa::path(delete, path = "/v1/sessions", responses((status = 204), (status = "default", body = Problem)))]
pub async fn close(State(backend): State<Arc<Backend>>, caller: Caller) -> Result<StatusCode, Failure> {
    sign_in::close(&backend, &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
