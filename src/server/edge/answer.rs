//! How a failure leaves: as a problem (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::server::edge::page::CONTENT_TYPE;
use crate::server::failure::Failure;
use crate::server::scim;
use crate::wire::Problem;
use crate::wire::problem::{Code, MEDIA_TYPE};

/// Seconds after which another try makes sense, where nobody said.
const SOON_S: u32 = 1;

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(cause) = &self.cause {
            tracing::error!(code = self.problem.code, cause, "a call failed");
        }
        let body = serde_json::to_vec(&self.problem).unwrap_or_default();
        let mut response = (
            status,
            [(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))],
            body,
        )
            .into_response();
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            let seconds = HeaderValue::from(self.retry_after_s.unwrap_or(SOON_S));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        // the guard puts the trace id in: it alone knows it
        response.extensions_mut().insert(self.problem);
        response
    }
}

/// Errors of the framework itself (a query that cannot be read, a call that took too long) come as text or as
/// nothing: makes problems of them.
pub async fn described(response: Response) -> Response {
    let status = response.status();
    let is_ours = response.extensions().get::<Problem>().is_some();
    let is_answer = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/json" || kind == CONTENT_TYPE || kind == scim::MEDIA_TYPE);
    if is_ours || is_answer || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (code, title) = match status {
        StatusCode::SERVICE_UNAVAILABLE => (Code::StoreUnavailable, "the call took too long; nothing more is known"),
        StatusCode::METHOD_NOT_ALLOWED => (Code::MethodNotAllowed, "no such method on this path"),
        status if status.is_server_error() => (Code::ServerFailed, "the backend failed"),
        _ => (Code::UsageBody, "the path or query cannot be read"),
    };
    Failure::new(code, title).into_response()
}
