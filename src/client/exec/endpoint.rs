//! Credentials over loopback for one child, as AWS tools ask for them in a container.
//! Owns who is answered: whoever has the child's token, calls it by its one name, and gets its one path.
//! Refuses everybody else, and to play the instance's metadata.

use std::convert::Infallible;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::Full;
use hyper::body::{Body, Bytes};
use hyper::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::sync::{Mutex, Semaphore, oneshot};

use crate::client::credential_process::one_line;
use crate::client::keys::Keys;
use crate::clock::Clock;
use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::error::{Error, Exit, Result};
use crate::random::Random;

/// The one path.
const PATH: &str = "/credentials";
/// Connections at once; whoever comes then waits.
const MOST: usize = 64;
/// The head of a call must have come within this.
const LONGEST_HEAD: Duration = Duration::from_secs(3);
/// A whole connection: one call, and what the backend takes.
const LONGEST_CALL: Duration = Duration::from_secs(15);
/// Largest head of a call, in bytes: the least that the library takes.
const LARGEST_HEAD: usize = 8 * 1024;
/// After a failed accept (no files left) the next try waits.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Whoever asks within this after an answer gets the same: a program near the end asks at every call.
const KEPT_MS: i64 = 2_000;

/// An endpoint that answers until it is dropped.
pub(super) struct Endpoint {
    uri: String,
    token: SecretString,
    _stop: oneshot::Sender<()>,
}

type Source = dyn Fn() -> Result<Keys> + Send + Sync;

struct Desk {
    host: String,
    token: SecretString,
    source: Arc<Source>,
    clock: Arc<Clock>,
    last: Mutex<Option<(Timestamp, Answer)>>,
}

#[derive(Clone)]
struct Answer {
    status: StatusCode,
    body: Arc<SecretString>,
}

impl Endpoint {
    /// Listens on a free port of this machine alone. `source` gives credentials, or says why there are none.
    pub(super) fn start(
        random: &Random,
        clock: Arc<Clock>,
        source: impl Fn() -> Result<Keys> + Send + Sync + 'static,
    ) -> Result<Self> {
        let failed = |error: std::io::Error| Error::unexpected(format!("no endpoint on loopback: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let host = listener.local_addr().map_err(failed)?.to_string();
        let uri = format!("http://{host}{PATH}");
        let token = SecretString::from(URL_SAFE_NO_PAD.encode(random.bytes::<32>()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let desk = Arc::new(Desk {
            host,
            token: token.clone(),
            source: Arc::new(source),
            clock,
            last: Mutex::new(None),
        });
        let (stop, stopped) = oneshot::channel();
        let serving = move || serve(runtime, listener, desk, stopped);
        std::thread::Builder::new()
            .name("endpoint".to_owned())
            .spawn(serving)
            .map_err(failed)?;
        Ok(Self {
            uri,
            token,
            _stop: stop,
        })
    }

    /// What the child's environment names.
    pub(super) fn uri(&self) -> &str {
        &self.uri
    }

    /// What the child says with every call.
    pub(super) fn token(&self) -> &SecretString {
        &self.token
    }
}

fn serve(runtime: Runtime, listener: TcpListener, desk: Arc<Desk>, stopped: oneshot::Receiver<()>) {
    runtime.block_on(async {
        tokio::select! {
            () = accept(listener, desk) => {}
            _ = stopped => {}
        }
    });
    // a call of the backend may still be under way: nobody waits for it
    runtime.shutdown_background();
}

async fn accept(listener: TcpListener, desk: Arc<Desk>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let desk = Arc::clone(&desk);
        tokio::spawn(async move {
            let service = service_fn(move |request| answered(Arc::clone(&desk), request));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(LONGEST_HEAD)
                .max_buf_size(LARGEST_HEAD)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            // whoever hangs up, or says nothing in time, is not missed
            let _ = tokio::time::timeout(LONGEST_CALL, connection).await;
            drop(place);
        });
    }
}

async fn answered<B: Body>(
    desk: Arc<Desk>,
    request: Request<B>,
) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let answer = match desk.refusal(&request) {
        Some((status, code)) => Answer::failure(status, code, "not for this caller"),
        None => desk.current().await,
    };
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(
        answer.body.expose_secret().as_bytes(),
    )));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if answer.status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET"));
    }
    Ok(response)
}

impl Desk {
    /// Why a call is not answered, if it is not. A page in a browser whose name was rebound to this machine calls it by
    /// that name; strangers learn neither path nor method.
    fn refusal<B>(&self, request: &Request<B>) -> Option<(StatusCode, &'static str)> {
        let only = |name| {
            let mut values = request.headers().get_all(name).iter();
            values
                .next()
                .filter(|_| values.next().is_none())
                .map(HeaderValue::as_bytes)
        };
        let uri = request.uri();
        if uri.authority().is_some() || only(HOST) != Some(self.host.as_bytes()) {
            return Some((StatusCode::FORBIDDEN, "HostRefused"));
        }
        let token = self.token.expose_secret().as_bytes();
        let is_known = only(AUTHORIZATION).is_some_and(|given| verify_slices_are_equal(given, token).is_ok());
        if !is_known {
            return Some((StatusCode::UNAUTHORIZED, "TokenRefused"));
        }
        if uri.path_and_query().map(|path| path.as_str()) != Some(PATH) {
            return Some((StatusCode::NOT_FOUND, "NoSuchPath"));
        }
        (request.method() != Method::GET).then_some((StatusCode::METHOD_NOT_ALLOWED, "GetOnly"))
    }

    /// One call of the backend at a time. Whoever asked may hang up: the answer is made all the same, for the next.
    async fn current(self: Arc<Self>) -> Answer {
        let made = tokio::spawn(async move {
            let mut last = self.last.lock().await;
            let now_ms = self.clock.now().millis();
            let is_new = |at: &Timestamp| now_ms.saturating_sub(at.millis()) < KEPT_MS;
            if let Some((_, answer)) = last.as_ref().filter(|(at, _)| is_new(at)) {
                return answer.clone();
            }
            let source = Arc::clone(&self.source);
            let answer = match tokio::task::spawn_blocking(move || source()).await {
                Ok(Ok(keys)) => Answer::credentials(&keys),
                Ok(Err(error)) => Answer::failure(status_of(error.exit), &error.code, &one_line(&error)),
                Err(_) => Answer::failed(),
            };
            *last = Some((self.clock.now(), answer.clone()));
            answer
        });
        made.await.unwrap_or_else(|_| Answer::failed())
    }
}

impl Answer {
    fn new(status: StatusCode, body: &serde_json::Value) -> Self {
        Self {
            status,
            body: Arc::new(SecretString::from(body.to_string())),
        }
    }

    fn credentials(keys: &Keys) -> Self {
        let body = json!({
            "AccessKeyId": keys.access_key_id,
            "SecretAccessKey": keys.secret_access_key.expose_secret(),
            "Token": keys.session_token.expose_secret(),
            "Expiration": keys.expires_at.to_string(),
            "AccountId": keys.account,
        });
        Self::new(StatusCode::OK, &body)
    }

    /// AWS tools print it as it is.
    fn failure(status: StatusCode, code: &str, message: &str) -> Self {
        Self::new(status, &json!({ "code": code, "message": shown(message) }))
    }

    fn failed() -> Self {
        Self::failure(StatusCode::INTERNAL_SERVER_ERROR, "client.failed", "jit failed")
    }
}

/// AWS tools try again what is 5xx, and give up at 4xx.
const fn status_of(exit: Exit) -> StatusCode {
    match exit {
        Exit::SignedOut => StatusCode::UNAUTHORIZED,
        Exit::Unreachable | Exit::Provider => StatusCode::SERVICE_UNAVAILABLE,
        Exit::Usage | Exit::Configuration | Exit::Refused | Exit::Denied | Exit::TooLate | Exit::Gone => {
            StatusCode::FORBIDDEN
        }
        Exit::Done | Exit::Unexpected | Exit::Own | Exit::CannotRun | Exit::NoSuchCommand | Exit::Interrupted => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk() -> Desk {
        Desk {
            host: "127.0.0.1:7".to_owned(),
            token: SecretString::from("right".to_owned()),
            source: Arc::new(|| Err(Error::signed_out())),
            clock: Clock::real(),
            last: Mutex::new(None),
        }
    }

    fn refused(method: &str, uri: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        desk()
            .refusal(&request.body(()).unwrap())
            .map_or(200, |(status, _)| status.as_u16())
    }

    #[test]
    fn attack_13_endpoint_answers_its_own_name_alone() {
        let token = ("authorization", "right");
        assert_eq!(refused("GET", PATH, &[("host", "127.0.0.1:7"), token]), 200);
        for host in [
            "evil.example",
            "localhost:7",
            "127.0.0.1",
            "127.0.0.1:8",
            "127.0.0.1:7.evil.example",
            "",
        ] {
            assert_eq!(refused("GET", PATH, &[("host", host), token]), 403, "{host}");
        }
        assert_eq!(refused("GET", PATH, &[token]), 403);
        let twice = [("host", "127.0.0.1:7"), ("host", "127.0.0.1:7"), token];
        assert_eq!(refused("GET", PATH, &twice), 403);
        let absolute = refused(
            "GET",
            "http://127.0.0.1:7/credentials",
            &[("host", "127.0.0.1:7"), token],
        );
        assert_eq!(absolute, 403);
    }

    #[test]
    fn attack_13_endpoint_answers_its_child_alone() {
        let host = ("host", "127.0.0.1:7");
        for token in ["", "wrong", "Right", "righ", "right ", "Bearer right"] {
            assert_eq!(refused("GET", PATH, &[host, ("authorization", token)]), 401, "{token}");
        }
        assert_eq!(refused("GET", PATH, &[host]), 401);
        let right = ("authorization", "right");
        assert_eq!(refused("GET", PATH, &[host, right, right]), 401);
        for path in [
            "/",
            "/credentials/",
            "/credentials?x",
            "//credentials",
            "/latest/meta-data/",
        ] {
            assert_eq!(refused("GET", path, &[host, right]), 404, "{path}");
        }
        for method in ["HEAD", "POST", "PUT", "OPTIONS", "CONNECT"] {
            assert_eq!(refused(method, PATH, &[host, right]), 405, "{method}");
        }
    }

    #[test]
    fn refusals_are_final_and_failures_worth_a_retry() {
        for (exit, _) in Exit::ALL {
            assert!(!status_of(*exit).is_success());
        }
        assert!(status_of(Exit::Gone).is_client_error());
        assert!(status_of(Exit::Unreachable).is_server_error());
    }

    #[test]
    fn attack_16_words_of_a_failure_are_shown_as_text() {
        let answer = Answer::failure(StatusCode::FORBIDDEN, "x", "a\u{1b}[2J\u{202e}b");
        assert!(answer.body.expose_secret().is_ascii());
    }
}
