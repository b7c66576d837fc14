//! Attack 10: secrets looked for where the real programs leave traces: files, logs, the process list.

use std::path::Path;

use crate::harness::{BackendPlan, LIMIT, StsRecorder};

/// Everything in files under `folder`.
fn bytes_under(folder: &Path) -> Vec<u8> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                bytes_under(&path)
            } else {
                std::fs::read(path).unwrap()
            }
        })
        .collect()
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

/// The command line of a process.
fn command_line(pid: u32) -> Vec<u8> {
    std::fs::read(format!("/proc/{pid}/cmdline")).unwrap()
}

/// The session token, found by its prefix among what the client keeps.
fn token_in(kept: &[u8]) -> String {
    let text = String::from_utf8_lossy(kept);
    let at = text.find("jits_");
    let token = &text[at.expect("no keyring here: the token is in a file")..];
    token
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        .collect()
}

#[test]
fn attack_10_no_secret_in_what_a_crash_says() {
    let sts = StsRecorder::start();
    let mut backend = BackendPlan::with_aws(&sts.url).env("RUST_BACKTRACE", "full").start();
    let alice = backend.machine_of("alice");
    let ask = ["request", "dev-admin", "--for", "1h", "--reason", "day to day"];
    drop(alice.jit(&ask).exits(0));
    let token = token_in(&bytes_under(&alice.home().join(".local/state")));
    let crashed = backend.abort();
    assert_eq!(crashed.status, None, "{crashed}");
    let mut said = [crashed.stdout.into_bytes(), crashed.stderr.into_bytes()].concat();
    said.extend(bytes_under(&backend.data()));
    for secret in [token.as_str(), "mock-secret-", "mock-token-", "PRIVATE KEY"] {
        assert!(!holds(&said, secret), "{} is left behind", &secret[..4]);
    }
}

#[test]
fn attack_10_no_secret_in_database_logs_or_process_list() {
    let sts = StsRecorder::start();
    let mut backend = BackendPlan::with_aws(&sts.url).env("RUST_LOG", "trace").start();
    let alice = backend.machine_of("alice");
    let ask = |target| ["-v", "request", target, "--for", "1h", "--reason", "day to day"];
    let client = alice.jit(&ask("dev-admin")).exits(0);
    let keys = alice.jit(&["credential-process", "dev-admin"]).exits(0).stdout;
    assert!(keys.contains("mock-secret-"), "{keys}");
    let token = token_in(&bytes_under(&alice.home().join(".local/state")));
    assert!(token.len() > 40, "no session token was found");
    let waiting = alice.jit_command(&ask("prod-admin")).start();
    waiting.stderr_line("jit wait", LIMIT);
    let mut traces = [command_line(backend.pid()), command_line(waiting.pid())].concat();
    traces.extend(bytes_under(&backend.data()));
    let left = backend.stop().exits(0);
    for text in [left.stdout, left.stderr, client.stdout, client.stderr] {
        traces.extend(text.into_bytes());
    }
    for secret in [token.as_str(), "mock-secret-", "mock-token-", "PRIVATE KEY"] {
        assert!(!holds(&traces, secret), "{} is left behind", &secret[..4]);
    }
}
