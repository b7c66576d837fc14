//! What an admin does over the interface. Whether somebody is one was asked before.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::server::backend::{Backend, Caller};
use crate::server::edge::body::{Body, Json};
use crate::server::failure::Failure;
use crate::server::service::admin;
use crate::wire::{AddedUser, NewUser, Problem, SessionList, SessionView};

/// Whose sessions.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Whose {
    /// Name, id, or the issuer's name for them; everybody where it is left out.
    person: Option<String>,
}

/// A one-time code for a local person. It is in this answer alone: a repeat makes another, and the first is void.
#[utoipa::path(post, path = "/v1/admin/users", request_body = NewUser,
    responses((status = 201, body = AddedUser), (status = "default", body = Problem)))]
pub async fn add_user(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    body: Body<NewUser>,
) -> Result<Response, Failure> {
    let added = admin::add_user(&backend, &caller, &body.value).await?;
    Ok((StatusCode::CREATED, Json(added)).into_response())
}

/// Sessions that are not over.
#[utoipa::path(get, path = "/v1/admin/sessions", params(Whose),
    responses((status = 200, body = SessionList), (status = "default", body = Problem)))]
pub async fn sessions(
    State(backend): State<Arc<Backend>>,
    Query(whose): Query<Whose>,
) -> Result<Json<SessionList>, Failure> {
    admin::sessions(&backend, whose.person.as_deref()).await.map(Json)
}

/// Ends somebody's session.
#[utoipa::path(delete, path = "/v1/admin/sessions/{id}", params(("id" = String, Path)),
    responses((status = 200, body = SessionView), (status = "default", body = Problem)))]
pub async fn revoke(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<SessionView>, Failure> {
    admin::revoke(&backend, &caller, &id).await.map(Json)
}
