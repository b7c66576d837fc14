//! Whether the backend lives and is ready; what the interface looks like; paths that are none.

use std::sync::{Arc, LazyLock};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::server::backend::Backend;
use crate::server::edge::body::Json;
use crate::server::failure::Failure;
use crate::server::openapi;
use crate::server::service::pushes;
use crate::wire::Readiness;
use crate::wire::problem::Code;

/// The process answers.
#[utoipa::path(get, path = "/livez", responses((status = 200, body = String)))]
pub async fn livez() -> &'static str {
    "ok\n"
}

/// Database, policy and worker are well.
#[utoipa::path(get, path = "/readyz", responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
pub async fn readyz(State(backend): State<Arc<Backend>>) -> Response {
    let policy = backend.policy();
    let database = backend.store.left().await.is_ok();
    let worker = backend.is_worker_alive();
    let ready = database && worker && policy.error.is_none();
    let readiness = Readiness {
        ready,
        database,
        policy: policy.error.is_none(),
        policy_error: policy.error,
        policy_hash: Some(policy.bundle.hash().to_string()),
        worker,
        issuer: match &backend.issuer {
            Some(issuer) => issuer.readiness().await.ok(),
            None => None,
        },
        directories: pushes::readiness(&backend),
    };
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness)).into_response()
}

/// The description of this interface.
#[utoipa::path(get, path = "/v1/openapi.json", responses((status = 200, body = Object, content_type = "application/json")))]
pub async fn description() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(openapi::text);
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}

/// No such path.
pub async fn no_path() -> Failure {
    Failure::new(Code::PathNotFound, "no such path")
}

/// No such method on this path.
pub async fn no_method() -> Failure {
    Failure::new(Code::MethodNotAllowed, "no such method on this path")
}
