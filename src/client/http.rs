//! Calls of a backend: redirects refused, answers bounded, TLS beyond loopback.
//! Refuses what is no jit backend: a redirect, an answer without `Jit-Version`, anything but JSON.

use std::net::IpAddr;
use std::time::Instant;

use hot::Origin;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, LOCATION,
};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};

use crate::error::{Error, Exit, Result};
use crate::network::HttpClient;
use crate::wire::{self, Problem};

/// The largest answer that is read, in bytes: a page of 100 requests with the longest reasons fits.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;
/// The longest nonce that is kept, in bytes: several times what a backend gives.
const LONGEST_NONCE: usize = 256;
/// RFC 9449, section 4.1: the proof of the device.
const PROOF: HeaderName = HeaderName::from_static("dpop");
/// RFC 9449, section 8.1: the nonce for the next ones.
const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// One call.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Option<Vec<u8>>,
    /// Version that is known already.
    pub(super) known: Option<String>,
    pub(super) idempotency_key: Option<String>,
    /// Both its tries, where the backend wants its newest nonce first, end by then.
    pub(super) until: Instant,
}

/// What was answered, checked to come from a jit backend.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
    /// The backend's clock in milliseconds since 1970, to the second.
    pub(super) date_ms: Option<i64>,
    /// What the next proof is to be made with.
    pub(super) nonce: Option<String>,
    pub(super) version: String,
}

/// What a call shows of who makes it.
#[derive(Clone, Copy, Default)]
pub(super) struct Shown<'a> {
    pub(super) token: Option<&'a SecretString>,
    /// That it comes from this device.
    pub(super) proof: Option<&'a str>,
}

impl Answer {
    /// The answer, unless it is a "no".
    pub(super) fn or_problem(self, origin: &Origin) -> Result<Self> {
        if self.status.is_success() || self.status == StatusCode::NOT_MODIFIED {
            Ok(self)
        } else {
            Err(problem(origin, &self))
        }
    }
}

/// Whether a plain connection to `origin` stays on this machine.
pub(super) fn is_loopback(origin: &Origin) -> bool {
    let Some((_, rest)) = origin.as_str().split_once("://") else {
        return false;
    };
    let host = match rest.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => rest.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Refuses a plain connection that leaves the machine: session and credentials would be readable.
pub(super) fn check_scheme(origin: &Origin) -> Result<()> {
    if origin.as_str().starts_with("https://") || is_loopback(origin) {
        return Ok(());
    }
    let message = format!("{origin} is not encrypted: http:// is for loopback only");
    Err(Error::usage(message).hint("use its https:// address"))
}

fn headers(call: &Call, shown: &Shown<'_>) -> Result<HeaderMap> {
    let value = |text: &str| HeaderValue::from_str(text).map_err(|_| Error::unexpected("a header cannot be sent"));
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(HeaderName::from_static(wire::VERSION_HEADER), value(wire::VERSION)?);
    if let Some(token) = shown.token {
        let mut session = value(&format!("DPoP {}", token.expose_secret()))?;
        session.set_sensitive(true);
        headers.insert(AUTHORIZATION, session);
    }
    if let Some(proof) = shown.proof {
        headers.insert(PROOF, value(proof)?);
    }
    if let Some(key) = &call.idempotency_key {
        headers.insert(HeaderName::from_static(wire::IDEMPOTENCY_HEADER), value(key)?);
    }
    if let Some(known) = &call.known {
        headers.insert(IF_NONE_MATCH, value(&format!("\"{known}\""))?);
    }
    if call.body.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(headers)
}

/// Sends `call` and reads the whole answer, whatever its status.
pub(super) async fn send(client: &HttpClient, origin: &Origin, shown: &Shown<'_>, call: &Call) -> Result<Answer> {
    let url = format!("{origin}{}", call.path);
    let mut request = client
        .request(call.method.clone(), &url)
        .headers(headers(call, shown)?)
        .timeout(call.until.saturating_duration_since(Instant::now()));
    if let Some(body) = &call.body {
        request = request.body(body.clone());
    }
    let mut response = request
        .send()
        .await
        .map_err(|error| unreachable(client, origin, &error))?;
    let status = response.status();
    let version = is_jit(origin, status, response.headers())?;
    let text = |name: HeaderName| response.headers().get(name)?.to_str().ok().map(str::to_owned);
    let date_ms = text(DATE).and_then(|date| http_date_ms(&date));
    let nonce = text(NONCE).filter(|nonce| nonce.len() <= LONGEST_NONCE);
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| unreachable(client, origin, &error))?
    {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST_ANSWER {
            return Err(foreign(origin, "its answer is too large"));
        }
    }
    Ok(Answer {
        status,
        body,
        date_ms,
        nonce,
        version,
    })
}

/// The version of the backend that answered; an error where it is none.
fn is_jit(origin: &Origin, status: StatusCode, headers: &HeaderMap) -> Result<String> {
    if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
        let what = match headers.contains_key(LOCATION) {
            true => "it redirects elsewhere, which is never followed",
            false => "it redirects",
        };
        return Err(foreign(origin, what));
    }
    let version = headers
        .get(wire::VERSION_HEADER)
        .and_then(|value| value.to_str().ok())
        .filter(|v| v.len() <= 40)
        .ok_or_else(|| foreign(origin, "its answer is not one of jit"))?;
    let has_body = !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_json = content_type.is_some_and(|t| {
        let essence = t.split(';').next().unwrap_or_default().trim();
        essence == "application/json" || essence == wire::problem::MEDIA_TYPE
    });
    if has_body && !is_json {
        return Err(foreign(origin, "its answer is not JSON"));
    }
    Ok(version.to_owned())
}

fn problem(origin: &Origin, answer: &Answer) -> Error {
    match serde_json::from_slice::<Problem>(&answer.body) {
        Ok(mut problem) => {
            problem.status = answer.status.as_u16();
            Error::from(problem)
        }
        Err(_) => foreign(origin, "its answer cannot be read"),
    }
}

/// Something answers, and it is no jit backend.
pub(super) fn foreign(origin: &Origin, what: &str) -> Error {
    Error::new(
        Exit::Unreachable,
        "backend.foreign",
        format!("{origin} is no jit backend: {what}"),
    )
    .hint("check --server, JIT_SERVER and what stands between")
}

fn unreachable(client: &HttpClient, origin: &Origin, error: &reqwest::Error) -> Error {
    let why = client.why(error);
    let message = format!("backend {origin} is unreachable: {}", why.words);
    let mend = why.mend.unwrap_or("try again, or check --server and JIT_SERVER");
    Error::new(Exit::Unreachable, "backend.unreachable", message).hint(mend)
}

/// RFC 9110, section 5.6.7: the preferred form of an HTTP date.
fn http_date_ms(text: &str) -> Option<i64> {
    let broken = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(broken.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(raw: &str) -> Origin {
        Origin::parse(raw).unwrap()
    }

    #[test]
    fn plain_http_is_refused_beyond_loopback() {
        for fine in [
            "http://127.0.0.1:1",
            "http://127.9.9.9",
            "http://[::1]:2",
            "http://localhost:3",
            "https://h",
        ] {
            assert!(check_scheme(&origin(fine)).is_ok(), "{fine}");
        }
        for bad in [
            "http://h",
            "http://10.0.0.1",
            "http://127.0.0.1.evil",
            "http://localhost.evil",
        ] {
            assert_eq!(check_scheme(&origin(bad)).unwrap_err().exit.code(), 2, "{bad}");
        }
    }

    #[test]
    fn answer_without_version_or_json_is_foreign() {
        let json = (
            CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        let version = (
            HeaderName::from_static(wire::VERSION_HEADER),
            HeaderValue::from_static("0.1.0"),
        );
        let check = |status, list: &[&(HeaderName, HeaderValue)]| {
            let headers = list.iter().map(|h| (*h).clone()).collect();
            is_jit(&origin("https://h"), status, &headers).is_ok()
        };
        assert!(check(StatusCode::OK, &[&json, &version]));
        assert!(check(StatusCode::NO_CONTENT, &[&version]));
        assert!(!check(StatusCode::OK, &[&json]));
        assert!(!check(StatusCode::OK, &[&version]));
        assert!(!check(StatusCode::FOUND, &[&json, &version]));
    }

    #[test]
    fn http_date_is_read() {
        assert_eq!(http_date_ms("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777_000));
        assert_eq!(http_date_ms("soon"), None);
    }
}
