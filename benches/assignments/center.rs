//! The stand-in of the tests (moto, and a quota of our own) as a process of the bench.
//! Refuses to go on where it says no.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::caller::Failure;

/// How long AWS takes for a change.
pub const TAKES_MS: u64 = 3_000;

/// A running stand-in; it ends with its stdin.
pub struct Center {
    child: Child,
    address: String,
    /// What the seed made.
    pub made: Value,
}

impl Center {
    /// One that has what `seed` names, and takes what AWS takes.
    pub fn start(seed: &Value) -> Result<Self, Failure> {
        let root = env!("CARGO_MANIFEST_DIR");
        let mut child = Command::new(format!("{root}/.cache/venv/bin/python"))
            .arg(format!("{root}/tests/identity_center/stand_in.py"))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the stand-in: {error}; run tests/venv.sh"))?;
        let mut lines = BufReader::new(child.stderr.take().ok_or("no stderr")?);
        let mut line = String::new();
        while !line.contains("Running on ") {
            line.clear();
            if lines.read_line(&mut line)? == 0 {
                return Err("the stand-in did not start".into());
            }
        }
        // what it says later is of no interest, and must not fill its pipe
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        let address = line.trim().rsplit("http://").next().unwrap_or_default().to_owned();
        let mut center = Self {
            child,
            address,
            made: Value::Null,
        };
        center.made = center.call("POST", "/_seed", seed)?;
        center.control(&json!({"settings": {
            "create_ms": TAKES_MS, "delete_ms": TAKES_MS, "quota": {"per_second": 20, "outstanding": 10},
        }}))?;
        Ok(center)
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Gives orders.
    pub fn control(&self, orders: &Value) -> Result<Value, Failure> {
        self.call("POST", "/_control", orders)
    }

    /// Everything that it knows.
    pub fn view(&self) -> Result<Value, Failure> {
        self.call("GET", "/_control", &json!({}))
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, Failure> {
        let body = body.to_string();
        let mut stream = TcpStream::connect(&self.address)?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}",
            self.address,
            body.len()
        );
        stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n{body}").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, said) = answer.split_once("\r\n\r\n").ok_or("half an answer of the stand-in")?;
        match head.starts_with("HTTP/1.1 200 ") {
            true => Ok(serde_json::from_str(said)?),
            false => Err(format!("{method} {path}: {answer}").into()),
        }
    }
}

impl Drop for Center {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // gone already is as good
        drop(self.child.wait());
    }
}
