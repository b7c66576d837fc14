//! Where the browser comes back to: one path of one port of this machine, until a code has come.
//! Owns who is answered. Refuses another state, another name for this machine, and to end for it: whoever guesses
//! does not end somebody's sign-in.

use std::convert::Infallible;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderValue, REFERRER_POLICY};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::errors::not_signed_in;
use super::oidc::CALLBACK;
use crate::error::{Error, Result};

/// Whoever signs in needs a few minutes at most.
const LIMIT: Duration = Duration::from_secs(10 * 60);
/// Connections at once: a browser opens some that it never uses.
const MOST: usize = 16;
/// The head of a call must have come within this.
const LONGEST_HEAD: Duration = Duration::from_secs(3);
/// Largest head of a call, in bytes.
const LARGEST_HEAD: usize = 16 * 1024;
/// What the browser gets its last page in.
const LAST_PAGE: Duration = Duration::from_secs(1);

/// What the browser brought.
type Brought = Result<SecretString>;

/// An address that waits.
pub(super) struct Callback {
    listener: TcpListener,
    host: String,
}

struct Desk {
    host: String,
    state: String,
    brought: mpsc::Sender<Brought>,
}

impl Callback {
    /// Listens on a free port of this machine alone.
    pub(super) fn bind() -> Result<Self> {
        let failed = |error: std::io::Error| Error::unexpected(format!("no address on loopback: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let host = listener.local_addr().map_err(failed)?.to_string();
        Ok(Self { listener, host })
    }

    /// What the browser is sent back to.
    pub(super) fn address(&self) -> String {
        format!("http://{}{CALLBACK}", self.host)
    }

    /// The code that comes with `state`.
    ///
    /// # Errors
    /// Exit 4 where the page said no, or nobody came in time.
    pub(super) async fn code(self, state: &str) -> Brought {
        let listener = tokio::net::TcpListener::from_std(self.listener)
            .map_err(|error| Error::unexpected(format!("no address on loopback: {error}")))?;
        let (brought, mut heard) = mpsc::channel(1);
        let desk = Arc::new(Desk {
            host: self.host,
            state: state.to_owned(),
            brought,
        });
        let (mut open, end) = (JoinSet::new(), tokio::time::sleep(LIMIT));
        tokio::pin!(end);
        let result = loop {
            tokio::select! {
                Some(result) = heard.recv() => break result,
                () = &mut end => break Err(not_signed_in("nobody signed in at Identity Center in time")),
                Some(_) = open.join_next(), if !open.is_empty() => {}
                Ok((stream, _)) = listener.accept(), if open.len() < MOST => {
                    let desk = Arc::clone(&desk);
                    open.spawn(async move {
                        let service = service_fn(move |request| answered(Arc::clone(&desk), request));
                        let connection = http1::Builder::new()
                            .timer(TokioTimer::new())
                            .header_read_timeout(LONGEST_HEAD)
                            .max_buf_size(LARGEST_HEAD)
                            .keep_alive(false)
                            .serve_connection(TokioIo::new(stream), service);
                        // whoever hangs up is not missed
                        drop(connection.await);
                    });
                }
            }
        };
        let last_page = async { while open.join_next().await.is_some() {} };
        // a connection that says nothing is not waited for
        drop(tokio::time::timeout(LAST_PAGE, last_page).await);
        result
    }
}

async fn answered<B>(desk: Arc<Desk>, request: Request<B>) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let (status, text) = match desk.judged(&request) {
        Judged::Stranger(status) => (status, "Nothing is here."),
        Judged::Brought(brought) => {
            let text = match &brought {
                Ok(_) => "Signed in to Identity Center. This page can be closed.",
                Err(_) => "Not signed in. This page can be closed: the terminal says why.",
            };
            // a browser that comes twice brings the same
            let _ = desk.brought.try_send(brought);
            (StatusCode::OK, text)
        }
    };
    let page = format!("<!doctype html><meta charset=utf-8><title>jit</title><p>{text}\n");
    let mut response = Response::new(Full::new(Bytes::from(page)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    Ok(response)
}

/// What a call is.
enum Judged {
    Stranger(StatusCode),
    Brought(Brought),
}

impl Desk {
    fn judged<B>(&self, request: &Request<B>) -> Judged {
        let mut hosts = request.headers().get_all(HOST).iter().map(HeaderValue::as_bytes);
        let is_ours = (hosts.next(), hosts.next()) == (Some(self.host.as_bytes()), None);
        if !is_ours || request.uri().authority().is_some() {
            return Judged::Stranger(StatusCode::FORBIDDEN);
        }
        if request.method() != Method::GET || request.uri().path() != CALLBACK {
            return Judged::Stranger(StatusCode::NOT_FOUND);
        }
        let query = request.uri().query().unwrap_or_default();
        let is_known = one(query, "state")
            .is_some_and(|state| verify_slices_are_equal(state.as_bytes(), self.state.as_bytes()).is_ok());
        if !is_known {
            return Judged::Stranger(StatusCode::BAD_REQUEST);
        }
        let is_code = |code: &String| (1..=4_096).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_graphic());
        match one(query, "code").filter(is_code) {
            Some(code) => Judged::Brought(Ok(SecretString::from(code))),
            None => {
                let said: String = one(query, "error").unwrap_or_default().chars().take(100).collect();
                Judged::Brought(Err(not_signed_in(&format!("Identity Center let nobody in: {said}"))))
            }
        }
    }
}

/// The value of a name that stands there once.
fn one(query: &str, name: &str) -> Option<String> {
    let mut values = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(key, _)| *key == name);
    let (_, value) = values.next().filter(|_| values.next().is_none())?;
    let text = value.replace('+', " ");
    percent_decode_str(&text)
        .decode_utf8()
        .ok()
        .map(|text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn asked(host: &str, request: String) -> String {
        let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    fn get(host: &str, path: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")
    }

    #[tokio::test]
    async fn attack_18_strangers_do_not_end_a_sign_in() {
        let callback = Callback::bind().unwrap();
        let host = callback.host.clone();
        let waits = tokio::spawn(async move { callback.code("st4te").await });
        for (request, status) in [
            (get(&host, "/oauth/callback?code=evil&state=other"), 400),
            (get(&host, "/oauth/callback?code=evil"), 400),
            (get(&host, "/oauth/callback?error=access_denied&state=x"), 400),
            (get(&host, "/oauth/callback?code=a&state=other&state=st4te"), 400),
            (get(&host, "/else?code=evil&state=st4te"), 404),
            (get("evil.example", "/oauth/callback?code=evil&state=st4te"), 403),
            (
                get(&host, "/oauth/callback?code=evil&state=st4te").replace("GET", "POST"),
                404,
            ),
        ] {
            let answer = asked(&host, request.clone()).await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{request}: {answer}"
            );
        }
        let answer = asked(&host, get(&host, "/oauth/callback?code=a%2Bb&state=st4te")).await;
        assert!(answer.contains("Signed in to Identity Center"), "{answer}");
        assert!(!answer.contains("a+b"), "{answer}");
        assert_eq!(waits.await.unwrap().unwrap().expose_secret(), "a+b");
    }

    #[tokio::test]
    async fn page_that_says_no_ends_the_sign_in() {
        let callback = Callback::bind().unwrap();
        let host = callback.host.clone();
        let waits = tokio::spawn(async move { callback.code("st4te").await });
        let path = "/oauth/callback?error=access_denied%1b%5b2J&state=st4te";
        assert!(asked(&host, get(&host, path)).await.contains("Not signed in"));
        let error = waits.await.unwrap().unwrap_err();
        assert_eq!(error.exit.code(), 4);
        assert!(error.message.contains("access_denied"), "{error}");
    }
}
