//! Attack 16: a backend that puts commands, line breaks, escapes and bidi marks into every field of every answer.
//! Whatever verb meets it: nothing runs, nothing moves the cursor, nothing that was not checked is written down.

use serde_json::{Value, json};

use super::mock_answers::{answer, honest};
use crate::harness::{BackendPlan, RawServer, Run, SealedBox, is_there, jit_program, left_out};

const HOSTILE: &str = "$(touch x)`touch x`; touch x\r\n[profile y]\ncredential_process=touch x\n\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}\u{2066}\u{9b}31m\0";

/// Fields whose form the client checks: a hostile one is refused, so one run keeps them true to see the others.
const CHECKED: [&str; 27] = [
    "id",
    "request",
    "grant",
    "version",
    "state",
    "outcome",
    "target",
    "digest",
    "session",
    "device",
    "token",
    "schema",
    "verdict",
    "filed_at",
    "expires_at",
    "ends_at",
    "activated_at",
    "ended_at",
    "last_credential_at",
    "next_attempt_at",
    "session_ends_at",
    "grant_ends_at",
    "at",
    "last_at",
    "code",
    "account",
    "partition",
];

/// What of an answer is hostile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hostility {
    /// Text that people read.
    Text,
    /// Every string there is.
    Everything,
}

fn poisoned(value: &Value, name: &str, how: Hostility) -> Value {
    match value {
        Value::String(_) if how == Hostility::Text && CHECKED.contains(&name) => value.clone(),
        Value::String(_) => json!(HOSTILE),
        Value::Array(list) => list.iter().map(|item| poisoned(item, name, how)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, item)| (key.clone(), poisoned(item, key, how)))
            .collect(),
        other => other.clone(),
    }
}

fn problem() -> Value {
    json!({
        "code": "policy.refused", "status": 403, "title": "x", "detail": "x", "hint": "x", "trace_id": "x",
        "reasons": [{"policy": "x", "advice": "x"}], "request": "req_000000000001", "nearest": ["x"],
    })
}

/// Every verb that speaks to a backend.
const VERBS: [&[&str]; 26] = [
    &["whoami"],
    &["targets"],
    &["targets", "prod"],
    &["status"],
    &["status", "req_000000000001"],
    &["inbox"],
    &[
        "request",
        "prod-admin",
        "--for",
        "1h",
        "--reason",
        "long enough",
        "--no-wait",
    ],
    &["request", "prod-admin", "--for", "1h", "--reason", "long enough"],
    &["wait", "req_000000000001"],
    &["approve", "req_000000000001"],
    &["deny", "req_000000000001", "--reason", "long enough"],
    &["has", "prod-admin", "--fresh"],
    &["setup", "prod-admin"],
    &["setup", "--all"],
    &["revoke", "grt_000000000001", "--reason", "long enough"],
    &["revoke", "--all", "alice", "--reason", "long enough"],
    &["lock", "alice", "--reason", "long enough"],
    &["unlock", "alice"],
    &["panic", "--reason", "long enough"],
    &["drop", "prod-admin"],
    &["env", "prod-admin"],
    &["use", "prod-admin"],
    &["console", "prod-admin", "--print"],
    &["shell-init", "bash"],
    &["login", "--identity-center", "prod-admin", "--no-browser"],
    &["aws", "deny-sessions", "req_000000000001"],
];

#[track_caller]
fn moves_nothing(run: &Run) {
    let marks = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    for (name, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
        let raw: Vec<char> = text.chars().filter(|c| marks(*c)).collect();
        assert!(raw.is_empty(), "{raw:?} on {name} of {}: {text}", run.command);
        assert!(
            !text.contains("\n[profile y]"),
            "a line of theirs on {name} of {}",
            run.command
        );
    }
    assert!(
        run.status.is_some_and(|status| status != 1 && status != 101),
        "{} failed unexpectedly: {run}",
        run.command
    );
}

#[track_caller]
fn nothing_ran(machine: &SealedBox) {
    assert!(!machine.home().join("x").exists(), "a command of the backend ran");
    let config = std::fs::read_to_string(machine.home().join(".aws/config")).unwrap_or_default();
    assert!(!config.contains("touch") && !config.contains("profile y"), "{config}");
    for file in ["live", "targets"] {
        let read = std::fs::read_to_string(machine.home().join(".local/state/jit").join(file)).unwrap_or_default();
        let is_ours = |c: char| c.is_ascii_alphanumeric() || " \n._-%/".contains(c);
        assert!(read.chars().all(is_ours), "{read}");
    }
}

/// Somebody who signed in at a backend that has turned hostile since.
fn betrayed(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> SealedBox {
    let mut backend = BackendPlan::with_aws("http://127.0.0.1:9").start();
    let machine = backend.machine_of("alice");
    backend.kill();
    drop(RawServer::in_place_of(backend.url(), answer));
    machine
}

fn plays(machine: &SealedBox) {
    for verb in VERBS {
        moves_nothing(&machine.jit(verb));
        moves_nothing(&machine.jit(&[verb, &["-o", "json"]].concat()));
    }
    moves_nothing(&machine.jit(&["credential-process", "prod-admin"]));
    nothing_ran(machine);
}

#[test]
fn attack_16_hostile_text_is_shown_as_text() {
    plays(&betrayed(|line| {
        answer(200, &poisoned(&honest(line), "", Hostility::Text))
    }));
}

#[test]
fn attack_16_hostile_ids_are_refused_or_shown_as_text() {
    plays(&betrayed(|line| {
        answer(200, &poisoned(&honest(line), "", Hostility::Everything))
    }));
}

#[test]
fn attack_16_hostile_problems_are_shown_as_text() {
    for how in [Hostility::Text, Hostility::Everything] {
        plays(&betrayed(move |_| answer(403, &poisoned(&problem(), "", how))));
    }
}

#[test]
fn attack_16_hostile_sign_in_is_refused() {
    let server = RawServer::start(|line| answer(201, &poisoned(&honest(line), "", Hostility::Text)));
    let machine = SealedBox::new();
    let args = [
        "login",
        "--server",
        &server.url,
        "--identity",
        "alice",
        "--code",
        "AAAA-BBBB",
    ];
    moves_nothing(&machine.jit(&args).exits(8));
    nothing_ran(&machine);
}

#[test]
fn attack_16_shell_runs_nothing_of_the_backend() {
    let Some(bash) = is_there("bash") else {
        return left_out("attack_16_shell_runs_nothing_of_the_backend", "bash is missing");
    };
    let machine = betrayed(|line| answer(200, &poisoned(&honest(line), "", Hostility::Text)));
    let machine = machine.with_program(jit_program());
    let typed = r#"eval "$(jit completions bash)"; complete -p jit; jit setup --all; jit targets; jit status; name=$(jit targets -o json); echo "${#name}""#;
    let run = machine.command(&bash, &["--norc", "-c", typed]).run();
    moves_nothing(&run);
    assert!(run.stdout.contains("complete "), "{run}");
    nothing_ran(&machine);
}
