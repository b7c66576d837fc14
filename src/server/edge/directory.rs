//! Which directory calls: whoever shows a token of one, before its end.
//! Owns how often it may call. Refuses sessions; no other route takes such a token.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::domain::Digest;
use crate::server::backend::Backend;
use crate::server::edge::connections::Seat;
use crate::server::failure::Failure;
use crate::server::settings::DirectorySettings;
use crate::wire::problem::Code;

/// The directory that calls.
#[derive(Clone, Debug)]
pub struct Pushing(pub Arc<DirectorySettings>);

/// Lets only directories in, and not too often.
pub async fn from_directory(
    State(backend): State<Arc<Backend>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(directory) = shown(&backend, request.headers()) else {
        // who tries tokens is slowed down
        let tried = backend.limits.directory_at(peer.ip(), backend.now());
        let failure = match tried {
            Ok(()) => Failure::new(Code::SessionUnknown, "no token of a directory, or one that has ended"),
            Err(wait_s) => Failure::too_much("too many calls", wait_s),
        };
        let mut response = failure.into_response();
        let bearer = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
        return response;
    };
    let who = format!("directory:{}", directory.name);
    if let Err(wait_s) = backend.limits.call(&who, backend.now()) {
        return Failure::too_much("too many calls", wait_s).into_response();
    }
    backend.pushes.called(&directory.name, backend.now());
    // strangers who take every connection do not keep it from saying that somebody has left
    let _held = request.extensions().get::<Arc<Seat>>().map(Seat::hold);
    request.extensions_mut().insert(Pushing(Arc::new(directory.clone())));
    next.run(request).await
}

/// The directory whose token stands in `headers`. Only hashes are compared: how long that takes says nothing of a token.
fn shown<'a>(backend: &'a Backend, headers: &HeaderMap) -> Option<&'a DirectorySettings> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let (hash, now) = (Digest::of(token.trim().as_bytes()), backend.now());
    let is_its = |(own, until): &(Digest, _)| *own == hash && now < *until;
    let mut all = backend.settings.directories.iter();
    all.find(|directory| directory.tokens.iter().any(is_its))
}

impl<S: Send + Sync> FromRequestParts<S> for Pushing {
    type Rejection = Failure;

    /// The directory that was let in. On any other route there is none, and this refuses.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let pushing = parts.extensions.get::<Pushing>().cloned();
        pushing.ok_or_else(|| Failure::new(Code::SessionUnknown, "no token of a directory"))
    }
}
