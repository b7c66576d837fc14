//! What a directory is told that something was not done: SCIM's own form (RFC 7644, section 3.12).
//! Owns its words and statuses. Refuses to repeat what was sent at length.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::MEDIA_TYPE;
use crate::server::failure::{Failure, repeated};

const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// Which of the RFC's kinds of error it is (table 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScimType {
    /// The filter cannot be read, or compares what cannot be compared.
    InvalidFilter,
    /// The body cannot be read.
    InvalidSyntax,
    /// The path of a PATCH cannot be read.
    InvalidPath,
    /// A value is missing, or of another type.
    InvalidValue,
    /// A PATCH names nothing that is there.
    NoTarget,
    /// It may not be written.
    Mutability,
    /// Another has it already.
    Uniqueness,
}

impl ScimType {
    const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::InvalidValue => "invalidValue",
            Self::NoTarget => "noTarget",
            Self::Mutability => "mutability",
            Self::Uniqueness => "uniqueness",
        }
    }
}

/// Why something was not done.
#[derive(Clone, Debug)]
pub enum ScimError {
    /// What was sent cannot be done.
    Wrong(ScimType, String),
    /// No such resource.
    NotFound,
    /// Not its own.
    Forbidden(String),
    /// It was changed meanwhile (`If-Match`).
    Changed,
    /// Not offered.
    NotOffered(&'static str),
    /// Anything else.
    Failed(Box<Failure>),
}

impl ScimError {
    /// What was sent cannot be done; `given` is repeated of it.
    pub fn wrong(kind: ScimType, what: &str, given: &str) -> Self {
        Self::Wrong(kind, format!("{what}: {}", repeated(given)))
    }

    /// Whether another change came first: load and decide again.
    pub fn is_conflict(&self) -> bool {
        match self {
            Self::Failed(failure) => failure.is_conflict,
            Self::Wrong(..) | Self::NotFound | Self::Forbidden(_) | Self::Changed | Self::NotOffered(_) => false,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Wrong(ScimType::Uniqueness, _) => StatusCode::CONFLICT,
            Self::Wrong(..) => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Changed => StatusCode::PRECONDITION_FAILED,
            Self::NotOffered(_) => StatusCode::NOT_IMPLEMENTED,
            Self::Failed(failure) => {
                StatusCode::from_u16(failure.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

impl<E: Into<Failure>> From<E> for ScimError {
    fn from(error: E) -> Self {
        Self::Failed(Box::new(error.into()))
    }
}

/// The body of an error.
pub fn body(status: StatusCode, kind: Option<ScimType>, detail: &str) -> Value {
    let mut body = json!({ "schemas": [SCHEMA], "status": status.as_str(), "detail": detail });
    if let Some(kind) = kind {
        body["scimType"] = json!(kind.as_str());
    }
    body
}

impl IntoResponse for ScimError {
    fn into_response(self) -> Response {
        let status = self.status();
        let (kind, detail) = match self {
            // the guard makes SCIM's form of it: it alone knows the trace id
            Self::Failed(failure) => return failure.into_response(),
            Self::Wrong(kind, detail) => (Some(kind), detail),
            Self::NotFound => (None, "no such resource".to_owned()),
            Self::Forbidden(detail) => (None, detail),
            Self::Changed => (None, "it was changed meanwhile".to_owned()),
            Self::NotOffered(what) => (None, format!("not offered: {what}")),
        };
        let content = (header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        (status, [content], body(status, kind, &detail).to_string()).into_response()
    }
}
