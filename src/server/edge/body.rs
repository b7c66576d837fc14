//! JSON bodies, with their idempotency key. Owns what is said of a body that cannot be read.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, Query, Request};
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::Digest;
use crate::server::failure::{Failure, repeated};
use crate::server::service::Key;
use crate::wire::problem::Code;
use crate::wire::{IDEMPOTENCY_HEADER, LARGEST_BODY};

/// A body must have come within this.
const LONGEST_BODY: Duration = Duration::from_secs(10);

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

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), body);
        let bytes = whole(request, state, LARGEST_BODY).await?;
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
        let value = serde_json::from_slice(&bytes).map_err(|error| {
            Failure::new(
                Code::UsageBody,
                format!("the body cannot be read: {}", repeated(&error.to_string())),
            )
        })?;
        let key = match parts.headers.get(IDEMPOTENCY_HEADER) {
            Some(key) => Some(read_key(key.to_str().unwrap_or_default(), &parts, &bytes)?),
            None => None,
        };
        Ok(Self { value, key })
    }
}

/// All of a body. Its size is limited by a layer of the router, to `most` bytes.
///
/// # Errors
/// [`Code::BodyTooLarge`]; [`Code::UsageBody`] where it is cut short or slow.
pub async fn whole<S: Send + Sync>(request: Request, state: &S, most: usize) -> Result<Bytes, Failure> {
    let read = Bytes::from_request(request, state);
    match tokio::time::timeout(LONGEST_BODY, read).await {
        Ok(read) => read.map_err(|rejection| unread(&rejection, most)),
        Err(_) => Err(Failure::new(Code::UsageBody, "the body took too long to come")),
    }
}

fn unread(rejection: &BytesRejection, most: usize) -> Failure {
    match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
            Failure::new(Code::BodyTooLarge, format!("the body is over {most} bytes"))
        }
        _ => Failure::new(Code::UsageBody, "the body is cut short"),
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

/// A form of a page; none where it cannot be read as one.
pub struct Form<T>(pub Option<T>);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let is_form = request.headers().get(header::CONTENT_TYPE).is_some_and(|kind| {
            kind.as_bytes()
                .eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
        });
        let bytes = whole(request, state, LARGEST_BODY).await?;
        // a form is written as a query is
        let uri: Option<Uri> = std::str::from_utf8(&bytes)
            .ok()
            .filter(|_| is_form)
            .and_then(|text| format!("/?{text}").parse().ok());
        let value = uri.and_then(|uri| Query::<T>::try_from_uri(&uri).ok());
        Ok(Self(value.map(|Query(value)| value)))
    }
}

/// An answer in JSON.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}
