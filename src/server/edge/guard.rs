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
use crate::server::edge::connections::Seat;
use crate::server::failure::{Failure, repeated};
use crate::server::service::sign_in;
use crate::wire::problem::{Code, MEDIA_TYPE};
use crate::wire::{Problem, VERSION, VERSION_HEADER, paths};

const TRACE: HeaderName = HeaderName::from_static("x-request-id");

/// Checks the call, and puts version and trace id on its answer.
pub async fn guard(State(backend): State<Arc<Backend>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    if let Some(seat) = request.extensions().get::<Arc<Seat>>() {
        seat.called();
    }
    let trace = trace_id(&backend, request.headers());
    let (method, path) = (repeated(request.method().as_str()), repeated(request.uri().path()));
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
    // what may be kept says so itself
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(&trace) {
        headers.insert(TRACE, value);
    }
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = response.status().as_u16();
    // the one line by which who runs the backend finds the trace that somebody was told
    if response.status().is_server_error() {
        tracing::error!(method, path, status, duration_ms, trace, "answered");
    } else {
        tracing::info!(method, path, status, duration_ms, trace, "answered");
    }
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
    let named = request.headers().get_all(header::HOST).iter();
    let named = named.map(|host| host.to_str().unwrap_or_default());
    let mut hosts: Vec<&str> = named
        .chain(request.uri().authority().map(axum::http::uri::Authority::as_str))
        .collect();
    hosts.dedup();
    // the issuer may have a name of its own, under which nothing else is served
    let issuer = backend.settings.issuer.as_ref().map(|issuer| issuer.url.host());
    let issuer = issuer.filter(|_| [paths::DISCOVERY, paths::KEY_SET].contains(&request.uri().path()));
    let own = backend.settings.hosts.iter().map(String::as_str).chain(issuer);
    let is_own = |host: &&str| own.clone().any(|own| own.eq_ignore_ascii_case(host));
    if hosts.is_empty() || !hosts.iter().all(is_own) {
        let problem = Problem::new(Code::HostUnknown, "this backend has another address");
        return Err(problem.hint(format!("call {}", backend.settings.origin)).into());
    }
    let theirs = request.headers().get(VERSION_HEADER);
    if let Some(theirs) = theirs.map(|v| v.to_str().unwrap_or_default())
        && !is_compatible(theirs)
    {
        let problem = Problem::new(
            Code::VersionTooOld,
            format!(
                "this backend is jit {VERSION} and cannot serve jit {}",
                repeated(theirs)
            ),
        );
        return Err(problem.hint("use a jit of the backend's version").into());
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
        (Some((their_major, their_minor)), Some((major, minor))) => {
            their_major == major && their_minor.saturating_add(2) >= minor
        }
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
            let _held = request.extensions().get::<Arc<Seat>>().map(Seat::hold);
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(failure) => {
            // who tries tokens is slowed down; who is signed in at the same address is not
            let tried = backend.limits.call(&peer.ip().to_string(), backend.now());
            let slowed = tried.map_err(|wait_s| Failure::too_much("too many calls", wait_s));
            slowed.err().unwrap_or(failure).into_response()
        }
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
        .map_err(|wait_s| Failure::too_much("too many calls", wait_s))?;
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
        assert!(is_compatible("0.18446744073709551615.0"));
        for bad in ["", "1", "99.0.0", "x.y.z", "0.18446744073709551616.0"] {
            assert!(!is_compatible(bad), "{bad}");
        }
    }
}
