//! Signing in, who one is, signing out.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

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
    let opened = workload::open(&backend, &body.value, &key, peer.ip()).await?;
    Ok((StatusCode::CREATED, Json(opened)).into_response())
}

/// Who one is and until when.
#[utoipa::path(get, path = "/v1/me", responses((status = 200, body = Me), (status = "default", body = Problem)))]
pub async fn me(State(backend): State<Arc<Backend>>, caller: Caller) -> Result<Json<Me>, Failure> {
    sign_in::me(&backend, &caller).await.map(Json)
}

/// The session that asks.
#[utoipa::path(get, path = "/v1/sessions", responses((status = 200, body = Me), (status = "default", body = Problem)))]
pub async fn look(State(backend): State<Arc<Backend>>, caller: Caller) -> Result<Json<Me>, Failure> {
    sign_in::me(&backend, &caller).await.map(Json)
}

/// Says that a second factor was shown again: the session goes on with it.
#[utoipa::path(post, path = "/v1/sessions/renewal", request_body = Renewal,
    responses((status = 200, body = Me), (status = "default", body = Problem)))]
pub async fn renew(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    body: Body<Renewal>,
) -> Result<Json<Me>, Failure> {
    step_up::renew(&backend, &caller, &body.value).await.map(Json)
}

/// Which sessions.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Every session of whoever asks, not this one alone.
    #[serde(default)]
    everywhere: bool,
}

/// Signs out.
#[utoipa::path(delete, path = "/v1/sessions", params(Which),
    responses((status = 204), (status = "default", body = Problem)))]
pub async fn close(
    State(backend): State<Arc<Backend>>,
    Query(which): Query<Which>,
    caller: Caller,
) -> Result<StatusCode, Failure> {
    match which.everywhere {
        true => sign_in::close_everywhere(&backend, &caller).await?,
        false => sign_in::close(&backend, &caller).await?,
    }
    Ok(StatusCode::NO_CONTENT)
}
