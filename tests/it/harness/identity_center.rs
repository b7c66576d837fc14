//! Identity Center on loopback: moto's admin side behind faults that a test orders, and a portal and sign-in of our own
//! (`tests/identity_center/`). Ends with its test, however that ends.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::child::Running;
use super::faked_time::FakedTime;
use super::redact::Redactions;
use super::venv::venv_program;
use super::wait::{LIMIT, wait_until};

const STAND_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/identity_center/stand_in.py");

/// A running stand-in of a test's own.
pub struct IdentityCenter {
    /// Where it listens: `http://127.0.0.1:PORT`. Every service of it has this one address.
    pub url: String,
    /// What the first seed made: `instance_arn`, `identity_store_id`, `permission_sets`, `users`, `ous`, ...
    pub made: Value,
    running: Running,
}

impl IdentityCenter {
    /// One that has what `seed` names (`tests/identity_center/seeding.py`).
    #[track_caller]
    pub fn start(seed: &Value) -> Self {
        Self::with_env(seed, &[])
    }

    /// The same under the test's clock: tokens, sessions and what is in progress end by it.
    #[track_caller]
    pub fn under(clock: &FakedTime, seed: &Value) -> Self {
        Self::with_env(seed, &clock.env())
    }

    #[track_caller]
    fn with_env(seed: &Value, env: &[(&'static str, OsString)]) -> Self {
        let mut command = Command::new(venv_program("python"));
        command.arg(STAND_IN).stdin(Stdio::piped()).env_clear();
        command.env("PATH", "/usr/bin:/bin");
        command.envs(env.iter().map(|(name, value)| (name, value)));
        let running = Running::start(command, Redactions::default());
        let line = running.stderr_line("Running on http://", LIMIT);
        let url = line.split_whitespace().last().unwrap().to_owned();
        let mut started = Self {
            url,
            made: Value::Null,
            running,
        };
        started.made = started.seed(seed);
        started
    }

    /// Makes more of what exists; answers the ids.
    #[track_caller]
    pub fn seed(&self, what: &Value) -> Value {
        self.call("POST", "/_seed", what)
    }

    /// Gives orders (`tests/identity_center/control.py`); answers everything but the calls.
    #[track_caller]
    pub fn control(&self, orders: &Value) -> Value {
        self.call("POST", "/_control", orders)
    }

    /// Everything that it knows: `calls` in order, `counts`, `outcomes`, `assignments`, `under_way`, ...
    #[track_caller]
    pub fn view(&self) -> Value {
        self.call("GET", "/_control", &json!({}))
    }

    /// The assignments that exist, each as `ACCOUNT SET PERSON`, sorted.
    #[track_caller]
    pub fn assignments(&self) -> Vec<String> {
        let view = self.call("GET", "/_control?calls=0", &json!({}));
        let word = |one: &Value, name: &str| one[name].as_str().unwrap_or("?").to_owned();
        let shown = |one: &Value| {
            ["account", "permission_set", "principal"]
                .map(|name| word(one, name))
                .join(" ")
        };
        let mut all: Vec<String> = view["assignments"].as_array().unwrap().iter().map(shown).collect();
        all.sort();
        all
    }

    /// How many calls of `operation` ended with `outcome` (`ok`, `ThrottlingException`, `cut_after`, ...).
    #[track_caller]
    pub fn outcomes(&self, operation: &str, outcome: &str) -> u64 {
        let view = self.call("GET", "/_control?calls=0", &json!({}));
        view["outcomes"][operation][outcome].as_u64().unwrap_or(0)
    }

    #[track_caller]
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let address = self.url.trim_start_matches("http://");
        let body = body.to_string();
        let length = body.len();
        let mut stream = TcpStream::connect(address).unwrap();
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\nConnection: close");
        stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, said) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        assert!(head.starts_with("HTTP/1.1 200 "), "{method} {path} {body}: {answer}");
        serde_json::from_str(said).unwrap()
    }
}

impl Drop for IdentityCenter {
    /// It ends by itself once its stdin closes.
    fn drop(&mut self) {
        self.running.close_input();
        wait_until("the end of the stand-in", LIMIT, || {
            (!self.running.is_alive()).then_some(())
        });
    }
}
