//! How a directory is answered, and what it says of the version that it means.
//! Owns ETags. Refuses to write over a version that the caller has not seen, where it says which it has.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::MEDIA_TYPE;
use super::error::ScimError;

/// Runs an async block again while another change came first, as `failure::settled!` does.
macro_rules! settled {
    ($attempt:expr) => {{
        let mut tries = 8_u32;
        loop {
            let answer: Result<_, crate::server::scim::error::ScimError> = $attempt.await;
            tries -= 1;
            match answer {
                Err(error) if error.is_conflict() && tries > 0 => {}
                answer => break answer,
            }
        }
    }};
}

pub(super) use settled;

/// The versions that a caller means (RFC 9110, section 13.1).
#[derive(Clone, Debug, Default)]
pub struct Matching {
    only: Option<String>,
    none_of: Option<String>,
}

impl Matching {
    /// Of a call's headers.
    pub fn of(headers: &HeaderMap) -> Self {
        let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::to_owned);
        Self {
            only: text(header::IF_MATCH),
            none_of: text(header::IF_NONE_MATCH),
        }
    }

    /// Whether `etag` is one that the caller means.
    ///
    /// # Errors
    /// [`ScimError::Changed`].
    pub fn check(&self, etag: &str) -> Result<(), ScimError> {
        match &self.only {
            Some(only) if !names(only, etag) => Err(ScimError::Changed),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether the caller has `etag` already.
    pub fn has(&self, etag: &str) -> bool {
        self.none_of.as_ref().is_some_and(|list| names(list, etag))
    }
}

/// Whether `list` names `etag`: all of ours are weak, so a `W/` does not count.
fn names(list: &str, etag: &str) -> bool {
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    list.split(',')
        .any(|one| one.trim() == "*" || plain(one) == plain(etag))
}

/// A resource or a list.
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its version, where it has one.
    pub etag: Option<String>,
    /// Where it is, where it is new.
    pub location: Option<String>,
    /// All of it.
    pub body: Value,
}

impl Answer {
    /// A list, or what never changes.
    pub fn of(body: Value) -> Self {
        Self {
            status: StatusCode::OK,
            etag: None,
            location: None,
            body,
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        let named = [(header::ETAG, self.etag), (header::LOCATION, self.location)];
        for (name, value) in named {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                headers.insert(name, value);
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_meant_however_it_is_written() {
        let matching = |only: &str| Matching {
            only: Some(only.to_owned()),
            none_of: None,
        };
        for only in ["W/\"3\"", "\"3\"", "*", "\"1\", W/\"3\""] {
            assert!(matching(only).check("W/\"3\"").is_ok(), "{only}");
        }
        for only in ["W/\"2\"", "3", "", "\"33\""] {
            assert!(matching(only).check("W/\"3\"").is_err(), "{only}");
        }
        assert!(Matching::default().check("W/\"3\"").is_ok());
    }
}
