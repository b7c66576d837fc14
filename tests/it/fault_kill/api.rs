//! Calls of one person on the backend's interface, byte by byte, so that an answer cut by a kill is seen as none.
//! Refuses to try again: that is the caller's part of the play.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Longer than any wait that is asked for here.
const LONGEST: Duration = Duration::from_secs(20);

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The JSON, or null where there is none.
    pub body: Value,
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
    token: String,
}

impl Caller {
    /// Signs `name` in with `code` at `url`, from a device of their own.
    #[track_caller]
    pub fn sign_in(url: &str, name: &str, code: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        // SEC 1, section 2.3.3: 04, x, y
        let point = pair.public_key().as_ref();
        let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let key = json!({"kty": "EC", "crv": "P-256", "x": coordinate(&point[1..33]), "y": coordinate(&point[33..])});
        let mut caller = Self {
            name: name.to_owned(),
            id: String::new(),
            address: url.trim_start_matches("http://").to_owned(),
            token: String::new(),
        };
        let body = json!({"name": name, "code": code, "public_key": key, "key_storage": "file"});
        let answer = caller.post("/v1/sessions", "sign-in-once", &body).unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
        caller.token = answer.body["token"].as_str().unwrap().to_owned();
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

    fn send(&self, method: &str, path: &str, headers: &str, body: Option<&Value>) -> Result<Answer> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let bearer = match self.token.as_str() {
            "" => String::new(),
            token => format!("Authorization: Bearer {token}\r\n"),
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nJit-Version: {}\r\n{bearer}{headers}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
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
    let length = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.map_or(Some(0), |(_, value)| value.parse().ok())?;
    if body.len() < length {
        return None;
    }
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(body).ok()?
    };
    Some(Answer { status, body })
}
