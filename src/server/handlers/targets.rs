//! What one may ask for.

use std::sync::Arc;

use axum::extract::{Query, State};
use serde::Deserialize;

use crate::server::backend::{Backend, Caller};
use crate::server::edge::body::Json;
use crate::server::failure::Failure;
use crate::server::service::targets;
use crate::wire::{Problem, TargetList};

/// Which targets.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Words that must all fit name, alias, description or account.
    q: Option<String>,
}

/// Lists targets that one may ask for, by name.
#[utoipa::path(get, path = "/v1/targets", params(Search),
    responses((status = 200, body = TargetList), (status = "default", body = Problem)))]
pub async fn list(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    query: Query<Search>,
) -> Result<Json<TargetList>, Failure> {
    targets::targets(&backend, &caller, query.q.as_deref()).await.map(Json)
}
