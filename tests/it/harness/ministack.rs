//! ministack (PyPI, MIT): somebody else's AWS stand-in, which enforces trust, session policies and expiry.
//! One process serves all tests; it ends with the test binary, however that ends.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::child::Running;
use super::faked_time::FakedTime;
use super::redact::Redactions;
use super::venv::venv_program;
use super::wait::{LIMIT, wait_until};

/// The roles that the bundle of `jit serve --dev` names.
const DEV_ROLES: [&str; 4] = [
    "222222222222:jit-dev-admin",
    "111111111111:jit-prod-admin",
    "111111111111:jit-prod-readonly",
    "111111111111:jit-prod-owner",
];

/// Runs a program until stdin closes, which happens even when the test binary is killed.
const UNTIL_STDIN_CLOSES: &str = r#""$0" & pid=$!; read -r _; kill -KILL "$pid"; wait "$pid""#;

/// A running ministack on loopback.
pub struct MiniStack {
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub url: String,
    running: Running,
}

impl MiniStack {
    /// The one that all tests share, with the roles of the dev bundle.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<MiniStack> = OnceLock::new();
        SHARED.get_or_init(|| {
            let started = Self::start(&[]);
            started.make_roles(&DEV_ROLES);
            started
        })
    }

    /// One for a test alone, which counts its calls, with the roles of the dev bundle.
    pub fn of_its_own() -> Self {
        Self::counting(Vec::new())
    }

    /// The same under the test's clock.
    pub fn under(clock: &FakedTime) -> Self {
        Self::counting(clock.env().to_vec())
    }

    fn counting(mut env: Vec<(&'static str, OsString)>) -> Self {
        env.push(("LOG_LEVEL", "DEBUG".into()));
        let started = Self::start(&env);
        started.make_roles(&DEV_ROLES);
        started
    }

    /// How many calls of `service` (`sts`, `s3`) one that counts has had, once it is `count` or more: what it says
    /// comes a moment after what it answers.
    #[track_caller]
    pub fn calls_of(&self, service: &str, count: usize) -> usize {
        let wanted = format!(" -> service={service} ");
        wait_until(&format!("call {count} of {service}"), LIMIT, || {
            let seen = self.running.said().matches(&wanted).count();
            (seen >= count).then_some(seen)
        })
    }

    /// One of a test's own, without any role: for tests that change what others look at.
    pub fn own() -> Self {
        Self::start(&[])
    }

    fn start(env: &[(&'static str, OsString)]) -> Self {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", UNTIL_STDIN_CLOSES])
            .arg(venv_program("ministack"))
            .stdin(Stdio::piped())
            .env_clear();
        // Without BIND_HOST it listens on every interface; port 0 takes a free one.
        command.envs([
            ("AUTH", "true"),
            ("BIND_HOST", "127.0.0.1"),
            ("GATEWAY_PORT", "0"),
            ("PATH", "/usr/bin:/bin"),
        ]);
        command.envs(env.iter().map(|(name, value)| (name, value)));
        let running = Running::start(command, Redactions::default());
        let line = running.stderr_line("Running on http://", LIMIT);
        let url = line
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
            .unwrap()
            .to_owned();
        Self { url, running }
    }

    /// Makes roles, each as `ACCOUNT:NAME` under `/jit/`, that anybody may assume and that may do everything.
    #[track_caller]
    pub fn make_roles(&self, roles: &[&str]) {
        let mut command = Command::new(venv_program("python"));
        command
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/aws_roles.py"))
            .arg(&self.url)
            .args(roles);
        command.env_clear().stdin(Stdio::null());
        drop(Running::start(command, Redactions::default()).finish(LIMIT).exits(0));
    }
}

impl Drop for MiniStack {
    /// Its shell ends it once stdin closes; killing the shell, as `Running` would, leaves ministack behind.
    fn drop(&mut self) {
        self.running.close_input();
        wait_until("the end of ministack", LIMIT, || {
            (!self.running.is_alive()).then_some(())
        });
    }
}
