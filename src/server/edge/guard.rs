//! The outermost layer: is this call meant for us, who makes it, and what every answer carries.
//! Refuses other names of ours, clients that are too old, and proxies that do not say who calls.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::domain::text::shown;
use crate::server::backend::Backend;
use crate::server::edge::connections::Seat;
use crate::server::edge::forwarded;
use crate::server::failure::{Failure, repeated};
use crate::server::scim;
use crate::wire::problem::{Code, MEDIA_TYPE, StepUp};
use crate::wire::{Problem, VERSION, VERSION_HEADER, paths};

/// RFC 6797: a browser that was here once comes encrypted for a year, whatever it is told.
const ENCRYPTED: HeaderValue = HeaderValue::from_static("max-age=31536000");
const TRACE: HeaderName = HeaderName::from_static("x-request-id");
/// RFC 9449, section 8.1: the nonce for the next proofs.
const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
/// RFC 9449, sections 7.1 and 9: what a 401 says of how to come again.
const WANTED: HeaderValue = HeaderValue::from_static("DPoP algs=\"ES256\"");
const NONCE_WANTED: HeaderValue = HeaderValue::from_static("DPoP error=\"use_dpop_nonce\", algs=\"ES256\"");
const PROOF_WANTED: HeaderValue = HeaderValue::from_static("DPoP error=\"invalid_dpop_proof\", algs=\"ES256\"");
/// RFC 6750, section 3.1: another token is wanted.
const TOKEN_WANTED: HeaderValue = HeaderValue::from_static("DPoP error=\"invalid_token\", algs=\"ES256\"");

/// Checks the call, and puts version and trace id on its answer.
pub async fn guard(State(backend): State<Arc<Backend>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    if let Some(seat) = request.extensions().get::<Arc<Seat>>() {
        seat.called();
    }
    let trace = trace_id(&backend, request.headers());
    let (method, path) = (repeated(request.method().as_str()), repeated(request.uri().path()));
    let takes_proofs = request.uri().path().starts_with("/v1/");
    let is_scim = request.uri().path().starts_with(paths::SCIM);
    let checked = check(&backend, &request).and_then(|()| seen_through_proxies(&backend, &mut request));
    let mut response = match checked {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    };
    let problem = response.extensions_mut().remove::<Problem>();
    if takes_proofs {
        invite(&backend, problem.as_ref(), &mut response);
    }
    let why = problem
        .as_ref()
        .map(|problem| (problem.code.clone(), shown(&problem.title)));
    if let Some(mut problem) = problem {
        problem.trace_id = Some(trace.clone());
        let status = response.status();
        // a directory knows SCIM's form of an error alone
        let (kind, body) = if is_scim {
            let detail = format!("{} (trace {trace})", problem.title);
            (
                scim::MEDIA_TYPE,
                scim::error::body(status, None, &detail).to_string().into_bytes(),
            )
        } else {
            (MEDIA_TYPE, serde_json::to_vec(&problem).unwrap_or_default())
        };
        let headers = std::mem::take(response.headers_mut());
        response = (status, headers, body).into_response();
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    let headers = response.headers_mut();
    headers.insert(VERSION_HEADER, HeaderValue::from_static(VERSION));
    // what may be kept says so itself
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if backend.settings.origin.starts_with("https://") {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, ENCRYPTED);
    }
    if let Ok(value) = HeaderValue::from_str(&trace) {
        headers.insert(TRACE, value);
    }
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = response.status().as_u16();
    // the one line by which who runs the backend finds the trace that somebody was told
    if response.status().is_server_error() {
        let (code, title) = why.unzip();
        tracing::error!(method, path, status, duration_ms, trace, code, title, "answered");
    } else {
        tracing::info!(method, path, status, duration_ms, trace, "answered");
    }
    response
}

/// What the next proof is made with; how to come again where this call was not let in.
fn invite(backend: &Backend, problem: Option<&Problem>, response: &mut Response) {
    let is_unauthorized = response.status() == StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    if let Ok(nonce) = HeaderValue::from_str(&backend.proofs.nonce(backend.now())) {
        headers.insert(NONCE, nonce);
    }
    if is_unauthorized {
        let step_up = problem.and_then(|problem| stepping_up(problem.step_up.as_ref()?));
        let wanted = if problem.is_some_and(|problem| problem.code() == Some(Code::SessionNonce)) {
            NONCE_WANTED
        } else if problem.is_some_and(|problem| problem.code() == Some(Code::SessionProof)) {
            PROOF_WANTED
        } else if problem.is_some_and(|problem| problem.code() == Some(Code::SessionEnded)) {
            TOKEN_WANTED
        } else {
            WANTED
        };
        headers.insert(header::WWW_AUTHENTICATE, step_up.unwrap_or(wanted));
    }
}

/// RFC 9470, section 3: that signing in again is wanted, and how.
fn stepping_up(wanted: &StepUp) -> Option<HeaderValue> {
    let is_plain = |acr: &&String| acr.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
    let classes: Vec<&str> = wanted.acr_values.iter().filter(is_plain).map(String::as_str).collect();
    let mut text = format!(
        "DPoP error=\"insufficient_user_authentication\", max_age=\"{}\"",
        wanted.max_age_s
    );
    if !classes.is_empty() {
        text.push_str(&format!(", acr_values=\"{}\"", classes.join(" ")));
    }
    HeaderValue::from_str(&text).ok()
}

/// Puts whoever calls through a proxy that is trusted in the place of the proxy.
fn seen_through_proxies(backend: &Backend, request: &mut Request) -> Result<(), Failure> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
    let (Some(proxies), Some(peer)) = (&backend.settings.trusted_proxies, peer) else {
        return Ok(());
    };
    match forwarded::caller(peer.ip(), request.headers(), proxies) {
        Some(caller) if caller == peer.ip() => {}
        Some(caller) => {
            let seen = ConnectInfo(SocketAddr::new(caller, 0));
            request.extensions_mut().insert(seen);
        }
        // the proxy itself, looking whether we are well
        None if [paths::LIVEZ, paths::READYZ].contains(&request.uri().path()) => {}
        None => {
            let problem = Problem::new(Code::CallerUnknown, "the proxy does not say who calls");
            return Err(problem
                .hint("have it set the header that the backend's file names")
                .into());
        }
    }
    Ok(())
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
