//! Grants: list, end, mint.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use serde::Deserialize;

use super::requests::Empty;
use super::{meanwhile, repeated};
use crate::domain::GrantId;
use crate::server::backend::{Backend, Caller};
use crate::server::edge::body::{Body, Json};
use crate::server::failure::Failure;
use crate::server::service::{end, look, mint};
use crate::wire::{EndGrant, EndedGrant, GrantList, MintedCredential, Problem};

/// Which of one's grants.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct On {
    /// Only those on this target.
    target: Option<String>,
}

/// Lists one's own open grants; those that end last come first.
#[utoipa::path(get, path = "/v1/grants", params(On),
    responses((status = 200, body = GrantList), (status = "default", body = Problem)))]
pub async fn list(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    on: Query<On>,
) -> Result<Json<GrantList>, Failure> {
    look::grants(&backend, &caller, on.target.as_deref()).await.map(Json)
}

/// Ends a grant; with a reason, also the other grants of its beneficiary on its target that the caller may end.
#[utoipa::path(post, path = "/v1/grants/{id}/end", params(("id" = String, Path)), request_body = EndGrant,
    responses((status = 200, body = EndedGrant), (status = "default", body = Problem)))]
pub async fn end(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body<EndGrant>,
) -> Result<Json<EndedGrant>, Failure> {
    let key = body.key.as_ref();
    let done = match repeated(&backend, &caller, key).await? {
        Some(done) => done,
        None => match end::end(&backend, &caller, &id, &body.value, key).await {
            Ok(view) => return Ok(Json(view)),
            Err(failure) => meanwhile(&backend, &caller, key, failure).await?,
        },
    };
    end::told(&backend, &caller, &GrantId::parse(&done)?).await.map(Json)
}

/// Mints credentials of a live grant, for the device that asks. Never repeated from memory.
#[utoipa::path(post, path = "/v1/grants/{id}/credentials", params(("id" = String, Path)), request_body = Empty,
    responses((status = 200, body = MintedCredential), (status = "default", body = Problem)))]
pub async fn credentials(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Path(id): Path<String>,
    _body: Body<Empty>,
) -> Result<Json<MintedCredential>, Failure> {
    mint::mint(&backend, &caller, &id).await.map(Json)
}
