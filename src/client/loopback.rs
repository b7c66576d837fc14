//! Where the browser comes back to: a port of this machine, for one sign-in.
//! Owns which call is the answer: the one that knows our `state`. Refuses to be impressed by any other.

use std::convert::Infallible;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use http_body_util::Full;
use hyper::body::{Body, Bytes};
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderValue, REFERRER_POLICY};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use percent_encoding::percent_decode_str;
use tokio::sync::{Semaphore, mpsc};

use crate::error::{Error, Result};
use crate::wire::Brought;

/// Connections at once; whoever comes then waits.
const MOST: usize = 64;
/// The head of a call must have come within this.
const LONGEST_HEAD: Duration = Duration::from_secs(3);
/// A whole connection: one call, answered from memory.
const LONGEST_CALL: Duration = Duration::from_secs(5);
/// Largest head of a call, in bytes: cookies of other servers on this machine may be in it.
const LARGEST_HEAD: usize = 64 * 1024;
/// After a failed accept (no files left) the next try waits.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

const THANKS: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>jit</title>\n\
    <h1>jit</h1>\n<p>You can close this tab: go on in the terminal.</p>\n</html>\n";
const NOTHING: &str = "nothing here\n";

/// A port of this machine that waits for the browser.
pub(super) struct Loopback {
    listener: TcpListener,
    port: u16,
}

struct Desk {
    host: String,
    state: String,
    brought: Mutex<Option<Brought>>,
}

impl Loopback {
    /// Takes a free port of this machine alone: before the browser opens, so that nobody else has it then.
    ///
    /// # Errors
    /// Exit 1 where the system gives none.
    pub(super) fn bind() -> Result<Self> {
        let failed = |error: std::io::Error| Error::unexpected(format!("no port on loopback: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        Ok(Self { listener, port })
    }

    /// The port.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// What the browser brings for the sign-in of `state`; every other call is told that there is nothing.
    ///
    /// # Errors
    /// Exit 1 where the port is lost.
    pub(super) async fn brought(self, state: &str) -> Result<Brought> {
        let lost = |error: std::io::Error| Error::unexpected(format!("the port on loopback is lost: {error}"));
        let listener = tokio::net::TcpListener::from_std(self.listener).map_err(lost)?;
        let desk = Arc::new(Desk {
            host: format!("127.0.0.1:{}", self.port),
            state: state.to_owned(),
            brought: Mutex::new(None),
        });
        let (done, mut ended) = mpsc::channel(1);
        let accepting = tokio::spawn(accept(listener, desk, done));
        let brought = ended.recv().await;
        accepting.abort();
        brought.ok_or_else(|| Error::unexpected("the port on loopback is lost"))
    }
}

async fn accept(listener: tokio::net::TcpListener, desk: Arc<Desk>, done: mpsc::Sender<Brought>) {
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (desk, done) = (Arc::clone(&desk), done.clone());
        tokio::spawn(async move {
            let own = Arc::clone(&desk);
            let service = service_fn(move |request| answered(Arc::clone(&own), request));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(LONGEST_HEAD)
                .max_buf_size(LARGEST_HEAD)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            // whoever hangs up, or says nothing in time, is not missed
            let _ = tokio::time::timeout(LONGEST_CALL, connection).await;
            drop(place);
            // the browser has its page by now
            let brought = desk.brought.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(brought) = brought {
                // nobody waits any more: another tab came first
                let _ = done.send(brought).await;
            }
        });
    }
}

async fn answered<B: Body>(
    desk: Arc<Desk>,
    request: Request<B>,
) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let brought = desk.read(&request);
    let (status, kind, body) = match brought.is_some() {
        true => (StatusCode::OK, "text/html; charset=utf-8", THANKS),
        false => (StatusCode::NOT_FOUND, "text/plain; charset=utf-8", NOTHING),
    };
    if let Some(brought) = brought {
        let mut first = desk.brought.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(brought);
    }
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    for (name, value) in [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

impl Desk {
    /// What a call brings, where it is the answer that is waited for.
    fn read<B>(&self, request: &Request<B>) -> Option<Brought> {
        let mut hosts = request.headers().get_all(HOST).iter();
        let is_ours = (hosts.next(), hosts.next()) == (Some(&HeaderValue::from_str(&self.host).ok()?), None)
            && request.method() == Method::GET
            && request.uri().path() == "/";
        let brought = read_query(request.uri().query().filter(|_| is_ours)?)?;
        let is_known = verify_slices_are_equal(brought.state.as_bytes(), self.state.as_bytes()).is_ok();
        let says_something = brought.code.is_some() != brought.error.is_some();
        (is_known && says_something).then_some(brought)
    }
}

/// What stands in a query; none where something stands there twice.
fn read_query(query: &str) -> Option<Brought> {
    let (mut state, mut code, mut error) = (None, None, None);
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=')?;
        let place = match name {
            "state" => &mut state,
            "code" => &mut code,
            "error" => &mut error,
            _ => continue,
        };
        let value = percent_decode_str(value).decode_utf8().ok()?.into_owned();
        if place.replace(value).is_some() {
            return None;
        }
    }
    Some(Brought {
        state: state?,
        code,
        error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: &str, uri: &str, host: &str) -> Option<String> {
        let desk = Desk {
            host: "127.0.0.1:7".into(),
            state: "ours".into(),
            brought: Mutex::default(),
        };
        let request = Request::builder().method(method).uri(uri).header(HOST, host);
        let brought = desk.read(&request.body(()).unwrap())?;
        brought.code.or(brought.error)
    }

    #[test]
    fn answer_with_our_state_is_the_one() {
        let host = "127.0.0.1:7";
        assert_eq!(read("GET", "/?state=ours&code=a%2Bb", host).as_deref(), Some("a+b"));
        assert_eq!(
            read("GET", "/?error=acme%3A%20no&state=ours&x=y", host).as_deref(),
            Some("acme: no")
        );
    }

    #[test]
    fn stray_calls_are_not_the_answer() {
        let host = "127.0.0.1:7";
        for (method, uri) in [
            ("GET", "/"),
            ("GET", "/favicon.ico"),
            ("GET", "/?code=a"),
            ("GET", "/?state=theirs&code=a"),
            ("GET", "/?state=ours"),
            ("GET", "/?state=ours&code=a&error=b"),
            ("GET", "/?state=ours&state=theirs&code=a"),
            ("GET", "/?state=ours&code=a&code=b"),
            ("GET", "/?state=ours&code=%ff"),
            ("GET", "/x?state=ours&code=a"),
            ("POST", "/?state=ours&code=a"),
            ("HEAD", "/?state=ours&code=a"),
        ] {
            assert_eq!(read(method, uri, host), None, "{method} {uri}");
        }
        for other in ["localhost:7", "evil.example", "127.0.0.1", "127.0.0.1:8"] {
            assert_eq!(read("GET", "/?state=ours&code=a", other), None, "{other}");
        }
    }
}
