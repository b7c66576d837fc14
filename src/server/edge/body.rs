//! JSON bodies, with their idempotency key. Owns what is said of a body that cannot be read.

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::Digest;
use crate::server::failure::Failure;
use crate::server::service::Key;
use crate::wire::problem::Code;
use crate::wire::{IDEMPOTENCY_HEADER, LARGEST_BODY};

/// A body, and the key that makes it count once.
#[derive(Debug)]
pub struct Body<T> {
    /// What was sent.
    pub value: T,
    /// Under which key.
    pub key: Option<Key>,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let bytes = to_bytes(body, LARGEST_BODY).await.map_err(|_| {
            Failure::new(
                Code::BodyTooLarge,
                format!("the body is cut short or over {LARGEST_BODY} bytes"),
            )
        })?;
        let is_json = parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .is_some_and(|v| {
                v.split(';')
                    .next()
                    .is_some_and(|t| t.trim().eq_ignore_ascii_case("application/json"))
            });
        if !is_json {
            return Err(Failure::new(Code::UsageBody, "the body is not application/json"));
        }
        let value = serde_json::from_slice(&bytes)
            .map_err(|e| Failure::new(Code::UsageBody, format!("the body cannot be read: {e}")))?;
        let key = match parts.headers.get(IDEMPOTENCY_HEADER) {
            Some(key) => Some(read_key(key.to_str().unwrap_or_default(), &parts, &bytes)?),
            None => None,
        };
        Ok(Self { value, key })
    }
}

fn read_key(key: &str, parts: &axum::http::request::Parts, bytes: &[u8]) -> Result<Key, Failure> {
    let fits = (8..=128).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
    if !fits {
        return Err(Failure::new(
            Code::UsageBody,
            "the idempotency key has 8 to 128 printable characters",
        ));
    }
    let mut whole = format!("{} {}\n", parts.method, parts.uri.path()).into_bytes();
    whole.extend_from_slice(bytes);
    Ok(Key {
        key: key.to_owned(),
        body_hash: Digest::of(&whole),
    })
}

/// An answer in JSON.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}
