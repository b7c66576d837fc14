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
use crate::server::identity::verify;
use crate::server::service::{admin, presence, sign_in};
use crate::wire::Problem;
use crate::wire::problem::Code;

/// RFC 9449, section 4.1: a device's proof.
const PROOF: HeaderName = HeaderName::from_static("dpop");

/// Who was not let in.
enum Refused {
    /// Whoever it is tries tokens: that counts on the address that they come from.
    Stranger(Failure),
    /// They are signed in, on their own device: that counted on them, and on nobody else behind the same address.
    Known(Failure),
}

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
        Err(Refused::Known(failure)) => failure.into_response(),
        Err(Refused::Stranger(failure)) => {
            let slowed = backend.limits.call_from(peer.ip(), backend.now()).err();
            slowed.map_or(failure, too_often).into_response()
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

/// Notes that they used their session.
pub async fn used(State(backend): State<Arc<Backend>>, caller: Caller, request: Request, next: Next) -> Response {
    presence::note(&backend, &caller).await;
    next.run(request).await
}

/// Lets none of those in who are signed in as a workload.
pub async fn people_alone(caller: Caller, request: Request, next: Next) -> Response {
    match caller.person.workload {
        None => next.run(request).await,
        Some(_) => Failure::new(Code::Forbidden, "a workload asks and receives, nothing else").into_response(),
    }
}

fn slowed(backend: &Backend, who: &str) -> Result<(), Failure> {
    backend.limits.call(who, backend.now()).map_err(too_often)
}

fn too_often(wait_s: u32) -> Failure {
    Failure::too_much("too many calls", wait_s)
}

async fn identify(backend: &Backend, call: &Parts, peer: SocketAddr) -> Result<Caller, Refused> {
    let (caller, proven) = recognized(backend, call, peer).await.map_err(Refused::Stranger)?;
    slowed(backend, caller.person.id.as_str()).map_err(Refused::Known)?;
    match backend.proofs.count(backend.now(), &proven) {
        Ok(()) => Ok(caller),
        // so begins every command
        Err(error @ ProofError::Nonce) => Err(Refused::Known(refusal(error))),
        Err(
            error @ (ProofError::Unreadable | ProofError::Signature | ProofError::OtherCall | ProofError::Repeated),
        ) => Err(Refused::Stranger(refusal(error))),
    }
}

/// Whose session it is, and the proof that it is used on its device: all of it checked but how young that is.
async fn recognized(backend: &Backend, call: &Parts, peer: SocketAddr) -> Result<(Caller, Proven), Failure> {
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
    // first: whoever found a token is not told whether it counts still
    let proven = verify(proof(call)?, &expected(backend, call, Some(secret))).map_err(refusal)?;
    let caller = sign_in::caller(backend, secret, peer.ip()).await?;
    if proven.device.id != caller.session.device {
        return Err(Failure::new(Code::SessionProof, "the session is of another device"));
    }
    Ok((caller, proven))
}

/// The one proof that came with `call`.
fn proof(call: &Parts) -> Result<&str, Failure> {
    let mut proofs = call.headers.get_all(PROOF).iter();
    match (proofs.next().and_then(|proof| proof.to_str().ok()), proofs.next()) {
        (Some(proof), None) => Ok(proof),
        (Some(_) | None, _) => Err(Failure::new(Code::SessionProof, "a call needs one proof of its device")),
    }
}

/// What a proof must be for that comes with `call`.
fn expected<'a>(backend: &'a Backend, call: &'a Parts, token: Option<&'a str>) -> Expected<'a> {
    Expected {
        method: call.method.as_str(),
        names: &backend.settings.hosts,
        path: call.uri.path(),
        token,
    }
}

fn refusal(error: ProofError) -> Failure {
    let code = match error {
        ProofError::Nonce => Code::SessionNonce,
        ProofError::Unreadable | ProofError::Signature | ProofError::OtherCall | ProofError::Repeated => {
            Code::SessionProof
        }
    };
    Failure::new(code, error.to_string())
}

/// The device that proves that this call comes from it. Whoever signs in is nobody yet: they count on their address, apart
/// from those who try tokens there, and before their proof costs anything.
fn proven(backend: &Backend, call: &Parts, peer: SocketAddr) -> Result<Proven, Failure> {
    let called = backend.limits.sign_in_from(peer.ip(), backend.now());
    called.map_err(too_often)?;
    let checked = backend
        .proofs
        .check(backend.now(), proof(call)?, &expected(backend, call, None));
    checked.map_err(refusal)
}

/// Puts the device that proved itself where sign-in finds it.
pub async fn on_device(
    State(backend): State<Arc<Backend>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    match proven(&backend, &parts, peer) {
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
