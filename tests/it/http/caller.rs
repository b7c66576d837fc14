//! Somebody who calls a backend over HTTP, what they send and what they are answered.

use std::fmt;
use std::sync::Arc;

use jit::server::backend::Backend;
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::harness::Device;

/// Somebody who calls.
#[derive(Clone)]
pub struct Caller {
    /// Whom they call.
    pub url: String,
    /// Their session token, if they have one.
    pub token: Option<String>,
    /// Their device.
    pub device: Device,
    /// Whom they get nonces from.
    pub backend: Arc<Backend>,
    /// With what.
    pub http: reqwest::Client,
}

impl Caller {
    /// A call, to be changed before it is sent.
    pub fn call(&self, method: Method, path: &str) -> RequestBuilder {
        let mut call = self
            .bare(method.clone(), path)
            .header("dpop", self.proof(&method, &self.url, path));
        if let Some(token) = &self.token {
            call = call.header("authorization", format!("DPoP {token}"));
        }
        call
    }

    /// A call that shows nothing of who makes it.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// A proof that `method path` under the origin `url` comes from their device.
    pub fn proof(&self, method: &Method, url: &str, path: &str) -> String {
        let nonce = self.backend.proofs.nonce(self.backend.now());
        self.device
            .proof(method.as_str(), &format!("{url}{path}"), self.token.as_deref(), &nonce)
    }

    /// The lines of a head that show who makes `method path`.
    pub fn shown(&self, method: &Method, path: &str) -> String {
        let proof = self.proof(method, &self.url, path);
        format!(
            "Authorization: DPoP {}\r\nDPoP: {proof}\r\n",
            self.token.as_ref().unwrap()
        )
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.call(Method::GET, path)).await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.call(Method::POST, path).json(body)).await
    }

    /// POST of JSON that counts once.
    pub async fn post_once(&self, path: &str, key: &str, body: &Value) -> Answer {
        let call = self.call(Method::POST, path).header("idempotency-key", key);
        Answer::of(call.json(body)).await
    }

    /// Asks for `target` for an hour.
    pub async fn file(&self, target: &str) -> Value {
        let answer = self.post("/v1/requests", &new_request(target)).await;
        assert_eq!(answer.status, 201, "{answer}");
        answer.body["request"].clone()
    }

    /// A yes on what `view` shows.
    pub async fn approve(&self, view: &Value) -> Answer {
        let path = format!("/v1/requests/{}/decisions", view["id"].as_str().unwrap());
        self.post(&path, &yes(view)).await
    }

    /// Asks for credentials of `grant`.
    pub async fn mint(&self, grant: &Value) -> Answer {
        let path = format!("/v1/grants/{}/credentials", grant["id"].as_str().unwrap());
        self.post(&path, &json!({})).await
    }

    /// The request of `view` as it is now.
    pub async fn look(&self, view: &Value) -> Answer {
        self.get(&format!("/v1/requests/{}", view["id"].as_str().unwrap()))
            .await
    }

    /// Waits for a change of what `view` shows.
    pub async fn wait(&self, view: &Value, seconds: u32) -> Answer {
        let path = format!("/v1/requests/{}?wait={seconds}s", view["id"].as_str().unwrap());
        let known = format!("\"{}\"", view["version"].as_str().unwrap());
        Answer::of(self.call(Method::GET, &path).header("if-none-match", known)).await
    }

    /// Waits until `holds` for the request.
    pub async fn until(&self, view: &Value, holds: impl Fn(&Value) -> bool) -> Value {
        let mut view = view.clone();
        for _ in 0..20 {
            if holds(&view) {
                return view;
            }
            let answer = self.wait(&view, 5).await;
            if answer.status == 200 {
                view = answer.body;
            }
        }
        panic!("waited in vain: {view}")
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its JSON; null where there is none.
    pub body: Value,
}

impl Answer {
    /// What comes of `call`.
    pub async fn of(call: RequestBuilder) -> Self {
        let answer = call.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
        Self { status, headers, body }
    }

    /// Goes on only if it has `status`.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// Goes on only if it is a whole problem with `code`.
    #[track_caller]
    pub fn refuses(self, code: &str) -> Self {
        assert_eq!(self.body["code"], code, "{self}");
        assert_eq!(self.body["status"], self.status, "{self}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["trace_id"], self.header("x-request-id"));
        assert!(!self.body["title"].as_str().unwrap().is_empty(), "{self}");
        self
    }

    /// A header, empty where it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap_or_default())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.body)
    }
}

/// A request for `target` for an hour.
pub fn new_request(target: &str) -> Value {
    json!({ "target": target, "duration_s": 3600, "reason": "payout job stuck, PAY-311" })
}

/// A sign-in.
pub fn new_session(name: &str, code: &str) -> Value {
    json!({ "name": name, "code": code, "key_storage": "file" })
}

/// A yes on what `view` shows.
pub fn yes(view: &Value) -> Value {
    json!({ "verdict": "approve", "digest": view["digest"] })
}
