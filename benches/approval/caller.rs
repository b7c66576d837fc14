//! A person's connection to the backend: plain HTTP/1.1, kept open. Refuses every answer that is a problem.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use jit::wire::paths;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::device::Device;

/// Whatever goes wrong ends the bench.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Numbers the idempotency keys of the run.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Somebody who is signed in.
pub struct Caller {
    address: SocketAddr,
    token: Option<String>,
    device: Device,
    nonce: String,
    stream: BufReader<TcpStream>,
}

impl Caller {
    /// Signs in with a one-time code.
    pub async fn sign_in(address: SocketAddr, name: &str, code: &str) -> Result<Self, Failure> {
        let mut caller = Self {
            address,
            token: None,
            device: Device::new(),
            nonce: String::new(),
            stream: BufReader::new(TcpStream::connect(address).await?),
        };
        let new = json!({ "name": name, "code": code, "key_storage": "file" });
        let opened = caller.post(paths::SESSIONS, &new).await?;
        caller.token = Some(opened["token"].as_str().ok_or("no token")?.to_owned());
        Ok(caller)
    }

    /// The same person on a connection of their own.
    pub async fn beside(&self) -> Result<Self, Failure> {
        Ok(Self {
            address: self.address,
            token: self.token.clone(),
            device: self.device.clone(),
            nonce: self.nonce.clone(),
            stream: BufReader::new(TcpStream::connect(self.address).await?),
        })
    }

    /// Files a request and gives it back.
    pub async fn file(&mut self, target: &str, duration_s: u32) -> Result<Value, Failure> {
        let new = json!({ "target": target, "duration_s": duration_s, "reason": "measuring how fast it goes" });
        Ok(self.post(paths::REQUESTS, &new).await?["request"].take())
    }

    /// Waits until access is there.
    pub async fn until_active(&mut self, request: Value) -> Result<Value, Failure> {
        let mut request = request;
        while request["grant"]["state"] != "active" {
            request = self.changed(&request).await?;
        }
        Ok(request)
    }

    /// Looks at a request.
    pub async fn look(&mut self, id: &str) -> Result<Value, Failure> {
        self.call("GET", &paths::with_id(paths::REQUEST, id), None, None).await
    }

    /// Waits until access is over.
    pub async fn until_ended(&mut self, id: &str) -> Result<(), Failure> {
        let mut request = self.look(id).await?;
        while request["grant"]["state"] != "ended" {
            request = self.changed(&request).await?;
        }
        Ok(())
    }

    /// Waits for what never comes.
    pub async fn wait_for_ever(&mut self, request: &Value) -> Result<(), Failure> {
        loop {
            let seen = self.changed(request).await?;
            if seen["version"] != request["version"] {
                return Err(format!("{} changed", request["id"]).into());
            }
        }
    }

    /// The request once it differs, or as it was when the wait is over.
    async fn changed(&mut self, request: &Value) -> Result<Value, Failure> {
        let (id, version) = (&request["id"], &request["version"]);
        let path = paths::with_id(paths::REQUEST, id.as_str().ok_or("no id")?);
        let seen = self
            .call("GET", &format!("{path}?wait=30s"), version.as_str(), None)
            .await?;
        Ok(if seen.is_null() { request.clone() } else { seen })
    }

    /// Posts and gives what was answered.
    pub async fn post(&mut self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.call("POST", path, None, Some(body)).await
    }

    async fn call(
        &mut self,
        method: &str,
        path: &str,
        known: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let (mut status, mut answer) = self.once(method, path, known, body).await?;
        // the nonce of the proof was too old: the answer brought a new one
        if status == 401 {
            (status, answer) = self.once(method, path, known, body).await?;
        }
        match status {
            200..=299 => Ok(serde_json::from_slice(&answer)?),
            304 => Ok(Value::Null),
            _ => Err(format!("{method} {path}: {status} {}", String::from_utf8_lossy(&answer)).into()),
        }
    }

    async fn once(
        &mut self,
        method: &str,
        path: &str,
        known: Option<&str>,
        body: Option<&Value>,
    ) -> Result<(u16, Vec<u8>), Failure> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let url = format!("http://{}{path}", self.address);
        let proof = self.device.proof(method, &url, self.token.as_deref(), &self.nonce);
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nDPoP: {proof}\r\n",
            self.address
        );
        if let Some(token) = &self.token {
            head.push_str(&format!("Authorization: DPoP {token}\r\n"));
        }
        if let Some(known) = known {
            head.push_str(&format!("If-None-Match: \"{known}\"\r\n"));
        }
        if method == "POST" {
            let key = NEXT.fetch_add(1, Ordering::Relaxed);
            head.push_str(&format!(
                "Idempotency-Key: approval-bench-{key}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
                body.len()
            ));
        }
        self.stream.write_all(format!("{head}\r\n{body}").as_bytes()).await?;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<(u16, Vec<u8>), Failure> {
        let (mut status, mut length, mut first) = (0, 0, true);
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await? == 0 {
                return Err("the backend hung up".into());
            }
            let line = line.trim_end();
            if let Some((name, nonce)) = line.split_once(": ")
                && name.eq_ignore_ascii_case("dpop-nonce")
            {
                nonce.clone_into(&mut self.nonce);
            }
            let line = line.to_ascii_lowercase();
            if first {
                status = line.split(' ').nth(1).unwrap_or_default().parse()?;
                first = false;
            } else if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok((status, body))
    }
}
