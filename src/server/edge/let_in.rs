//! Who is let in: a session token, together with a proof of the device that it was opened on.
//! Owns how often somebody may call. Refuses a token alone.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::server::backend::{Backend, Caller};
use crate::server::edge::connections::Seat;
use crate::server::failure::Failure;
use crate::server::identity::device::DeviceKey;
use crate::server::identity::proof::{Expected, ProofError, Proven};
use crate::server::service::{admin, sign_in};
use crate::wire::Problem;
use crate::wire::problem::Code;

/// RFC 9449, section 4.1: a device's proof.
const PROOF: HeaderName = HeaderName::from_static("dpop");

/// Lets only those in who are signed in, and not too often.
pub async fn signed_in(
    State(backend): State<Arc<Backend>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    match identify(&backend, &parts, peer).await {
        Ok(caller) => {
            let _held = parts.extensions.get::<Arc<Seat>>().map(Seat::hold);
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(failure) => {
            // who tries tokens is slowed down; who is signed in at the same address is not, but for a first call without
            // a nonce
            let tried = backend.limits.call(&peer.ip().to_string(), backend.now());
            let slowed = tried.map_err(|wait_s| Failure::too_much("too many calls", wait_s));
            slowed.err().unwrap_or(failure).into_response()
        }
    }
}

/// Lets only those of them in who run the backend.
pub async fn admin_only(State(backend): State<Arc<Backend>>, caller: Caller, request: Request, next: Next) -> Response {
    match admin::admins_only(&backend, &caller).await {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}

async fn identify(backend: &Backend, call: &Parts, peer: SocketAddr) -> Result<Caller, Failure> {
    let authorization = call.headers.get(header::AUTHORIZATION);
    let given = authorization.and_then(|value| value.to_str().ok()?.split_once(' '));
    let Some((scheme, secret)) = given else {
        return Err(Failure::new(Code::SessionUnknown, "not signed in"));
    };
    // a token alone is worth nothing to whoever found it (RFC 9449, section 7.2)
    if !scheme.eq_ignore_ascii_case("dpop") {
        let problem = Problem::new(Code::SessionProof, "the session counts on its device alone");
        return Err(problem.hint("send it as DPoP, with a proof of the device").into());
    }
    let caller = sign_in::caller(backend, secret, peer.ip()).await?;
    let proven = proven(backend, call, Some(secret))?;
    if proven.device.id != caller.session.device {
        return Err(Failure::new(Code::SessionProof, "the session is of another device"));
    }
    backend
        .limits
        .call(caller.person.id.as_str(), backend.now())
        .map_err(|wait_s| Failure::too_much("too many calls", wait_s))?;
    Ok(caller)
}

/// The device that proves that this call comes from it.
fn proven(backend: &Backend, call: &Parts, token: Option<&str>) -> Result<Proven, Failure> {
    let mut proofs = call.headers.get_all(PROOF).iter();
    let (Some(proof), None) = (proofs.next().and_then(|proof| proof.to_str().ok()), proofs.next()) else {
        return Err(Failure::new(Code::SessionProof, "a call needs one proof of its device"));
    };
    let expected = Expected {
        method: call.method.as_str(),
        names: &backend.settings.hosts,
        path: call.uri.path(),
        token,
    };
    let checked = backend.proofs.check(backend.now(), proof, &expected);
    checked.map_err(|error| {
        let code = match error {
            ProofError::Nonce => Code::SessionNonce,
            ProofError::Unreadable | ProofError::Signature | ProofError::OtherCall | ProofError::Repeated => {
                Code::SessionProof
            }
        };
        Failure::new(code, error.to_string())
    })
}

/// Puts the device that proved itself where sign-in finds it.
pub async fn on_device(State(backend): State<Arc<Backend>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match proven(&backend, &parts, None) {
        Ok(proven) => {
            parts.extensions.insert(proven.device);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(failure) => failure.into_response(),
    }
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

impl<S: Send + Sync> FromRequestParts<S> for DeviceKey {
    type Rejection = Failure;

    /// The device that proved itself. On a route that asks for none there is none, and this refuses.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts
            .extensions
            .get::<DeviceKey>()
            .cloned()
            .ok_or_else(|| Failure::new(Code::SessionProof, "a call needs one proof of its device"))
    }
}
