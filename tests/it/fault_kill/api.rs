//! Calls of one person on the backend's interface, byte by byte, so that an answer cut by a kill is seen as none.
//! Refuses to try again: that is the caller's part of the play.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::Device;

/// Longer than any wait that is asked for here.
const LONGEST: Duration = Duration::from_secs(20);

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The JSON, or null where there is none.
    pub body: Value,
    /// The nonce for the next proofs.
    nonce: String,
}

impl Answer {
    /// The stable code of a problem, empty elsewhere.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Local name.
    pub name: String,
    /// Stable id.
    pub id: String,
    address: String,
    token: Option<String>,
    device: Device,
    nonce: Arc<Mutex<String>>,
}

impl Caller {
    /// Signs `name` in with `code` at `url`, from a device of their own.
    #[track_caller]
    pub fn sign_in(url: &str, name: &str, code: &str) -> Self {
        let mut caller = Self {
            name: name.to_owned(),
            id: String::new(),
            address: url.trim_start_matches("http://").to_owned(),
            token: None,
            device: Device::new(),
            nonce: Arc::default(),
        };
        let body = json!({"name": name, "code": code, "key_storage": "file"});
        let answer = caller.post("/v1/sessions", "sign-in-once", &body).unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
        caller.token = answer.body["token"].as_str().map(str::to_owned);
        caller.id = answer.body["me"]["person"]["id"].as_str().unwrap().to_owned();
        caller
    }

    /// `GET path`.
    ///
    /// # Errors
    /// No whole answer came.
    pub fn get(&self, path: &str) -> Result<Answer> {
        self.send("GET", path, "", None)
    }

    /// `GET path` that waits up to 2 s for another version than `known`; status 304 where there is none.
    ///
    /// # Errors
    /// No whole answer came.
    pub fn get_changed(&self, path: &str, known: &str) -> Result<Answer> {
        let header = format!("If-None-Match: \"{known}\"\r\n");
        self.send("GET", &format!("{path}?wait=2s"), &header, None)
    }

    /// `POST path` under an idempotency key.
    ///
    /// # Errors
    /// No whole answer came; whether it was done is not known then.
    pub fn post(&self, path: &str, key: &str, body: &Value) -> Result<Answer> {
        self.send("POST", path, &format!("Idempotency-Key: {key}\r\n"), Some(body))
    }

    /// Once more where the backend, started anew, wants a nonce of its own.
    fn send(&self, method: &str, path: &str, headers: &str, body: Option<&Value>) -> Result<Answer> {
        let answer = self.once(method, path, headers, body)?;
        self.nonce.lock().unwrap().clone_from(&answer.nonce);
        match answer.code() {
            "session.nonce" => self.once(method, path, headers, body),
            _ => Ok(answer),
        }
    }

    fn once(&self, method: &str, path: &str, headers: &str, body: Option<&Value>) -> Result<Answer> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let nonce = self.nonce.lock().unwrap().clone();
        let url = format!("http://{}{path}", self.address);
        let proof = self.device.proof(method, &url, self.token.as_deref(), &nonce);
        let mut shown = format!("DPoP: {proof}\r\n");
        if let Some(token) = &self.token {
            shown.push_str(&format!("Authorization: DPoP {token}\r\n"));
        }
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nJit-Version: {}\r\n{shown}{headers}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.address,
            env!("CARGO_PKG_VERSION"),
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(LONGEST))?;
        stream.write_all(format!("{head}{body}").as_bytes())?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        whole(&String::from_utf8_lossy(&bytes)).ok_or_else(|| Error::new(ErrorKind::UnexpectedEof, "half an answer"))
    }
}

fn whole(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let header = |wanted: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value)
    };
    let length: usize = header("content-length").map_or(Some(0), |value| value.parse().ok())?;
    let nonce = header("dpop-nonce").unwrap_or_default().to_owned();
    if body.len() < length {
        return None;
    }
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(body).ok()?
    };
    Some(Answer { status, body, nonce })
}
