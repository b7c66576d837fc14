//! The outermost layer: is this call meant for us, by whom, how often; and what every answer carries.
//! Refuses forwarded headers: a person's address is the TCP peer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::server::backend::{Backend, Caller};
use crate::server::failure::Failure;
use crate::server::service::sign_in;
use crate::wire::problem::{Code, MEDIA_TYPE};
use crate::wire::{Problem, VERSION, VERSION_HEADER};

const TRACE: HeaderName = HeaderName::from_static("x-request-id");

/// Checks the call, and puts version and trace id on its answer.
pub async fn guard(State(backend): State<Arc<Backend>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let trace = trace_id(&backend, request.headers());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = match check(&backend, &request) {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    };
    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(mut problem) = problem {
        problem.trace_id = Some(trace.clone());
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let headers = std::mem::take(response.headers_mut());
        let status = response.status();
        response = (status, headers, body).into_response();
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    }
    let headers = response.headers_mut();
    headers.insert(VERSION_HEADER, HeaderValue::from_static(VERSION));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(&trace) {
        headers.insert(TRACE, value);
    }
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(%method, path, status = response.status().as_u16(), duration_ms, trace, "answered");
    response
}

/// The caller's trace id where it is one, else a new one.
fn trace_id(backend: &Backend, headers: &HeaderMap) -> String {
    let given = headers.get(TRACE).and_then(|v| v.to_str().ok());
    let fits = |id: &&str| (8..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    given.filter(fits).map_or_else(|| backend.random.key(), str::to_owned)
}

fn check(backend: &Backend, request: &Request) -> Result<(), Failure> {
    // DNS rebinding: a page elsewhere can reach loopback under its own name (15-minute answer, then 127.0.0.1)
    let host = request.headers().get(header::HOST).and_then(|v| v.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(axum::http::uri::Authority::as_str));
    if !host.is_some_and(|host| backend.settings.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))) {
        let problem = Problem::new(Code::HostUnknown, "this backend has another address");
        return Err(problem.hint(format!("call {}", backend.settings.origin)).into());
    }
    if let Some(theirs) = request.headers().get(VERSION_HEADER).and_then(|v| v.to_str().ok())
        && !is_compatible(theirs)
    {
        let problem = Problem::new(
            Code::VersionTooOld,
            format!("this backend is jit {VERSION} and cannot serve jit {theirs}"),
        );
        return Err(problem.hint("install a newer jit").into());
    }
    Ok(())
}

/// Whether a client of version `theirs` is served: the same major version, at most two minor versions behind.
pub fn is_compatible(theirs: &str) -> bool {
    let parts = |text: &str| -> Option<(u64, u64)> {
        let mut numbers = text.split(['.', '-', '+']).map(|part| part.parse().ok());
        Some((numbers.next()??, numbers.next()??))
    };
    match (parts(theirs), parts(VERSION)) {
        (Some((their_major, their_minor)), Some((major, minor))) => their_major == major && their_minor + 2 >= minor,
        _ => false,
    }
}

/// Lets only those in who are signed in, and not too often.
pub async fn signed_in(
    State(backend): State<Arc<Backend>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    match identify(&backend, request.headers(), peer).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(failure) => failure.into_response(),
    }
}

async fn identify(backend: &Backend, headers: &HeaderMap, peer: SocketAddr) -> Result<Caller, Failure> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let secret = authorization.and_then(|value| {
        let (scheme, secret) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(secret)
    });
    let Some(secret) = secret else {
        return Err(Failure::new(Code::SessionUnknown, "not signed in"));
    };
    let caller = sign_in::caller(backend, secret, peer.ip()).await?;
    backend
        .limits
        .call(caller.person.id.as_str(), backend.now())
        .map_err(|wait_s| Failure::new(Code::RateLimited, format!("too many calls; wait {wait_s} s")))?;
    Ok(caller)
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    /// Who was let in. On a route that lets anybody in there is none, and this refuses.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts
            .extensions
            .get::<Caller>()
            .cloned()
            .ok_or_else(|| Failure::new(Code::SessionUnknown, "not signed in"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_two_minors_behind_are_served() {
        assert!(is_compatible(VERSION));
        assert!(is_compatible("0.1.99") && is_compatible("0.2.0"));
        for bad in ["", "1", "99.0.0", "x.y.z"] {
            assert!(!is_compatible(bad), "{bad}");
        }
    }
}
