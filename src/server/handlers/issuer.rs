//! What AWS fetches of us as OpenID Connect issuer. Public, and the same for everybody.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::server::backend::Backend;
use crate::server::failure::Failure;
use crate::server::issuer::{self, documents, files};
use crate::server::service::issuer::Issuer;
use crate::wire::problem::Code;

fn of(backend: &Backend) -> Result<&Issuer, Failure> {
    let none = || Failure::new(Code::PathNotFound, "this backend is no issuer");
    backend.issuer.as_deref().ok_or_else(none)
}

/// A copy may be kept for a while: AWS is not the only one who fetches, and keys change by the day.
fn answer(document: &Value) -> Response {
    let kept = format!("public, max-age={}", documents::KEEP_S);
    let headers = [
        (header::CONTENT_TYPE, files::CONTENT_TYPE.to_owned()),
        (header::CACHE_CONTROL, kept),
    ];
    (headers, documents::text(document)).into_response()
}

/// Where the keys are and what is signed with them.
#[utoipa::path(get, path = "/.well-known/openid-configuration", responses((status = 200, body = Object, content_type = "application/json")))]
pub async fn discovery(State(backend): State<Arc<Backend>>) -> Result<Response, Failure> {
    Ok(answer(&issuer::discovery(&of(&backend)?.settings().url)))
}

/// The public keys.
#[utoipa::path(get, path = "/.well-known/jwks.json", responses((status = 200, body = Object, content_type = "application/json")))]
pub async fn key_set(State(backend): State<Arc<Backend>>) -> Result<Response, Failure> {
    let issuer = of(&backend)?;
    let keys = issuer.keys().await?;
    Ok(answer(&issuer::key_set(issuer.life(&keys).to_publish())))
}
