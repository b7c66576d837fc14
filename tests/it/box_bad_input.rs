//! Bad input: each a clear error that says what to do, with the documented exit code.

use super::harness::{Backend, BackendPlan, SealedBox, StsRecorder};
use super::shown::held;

fn alice() -> (Backend, SealedBox) {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    let alice = backend.machine_of("alice");
    (backend, alice)
}

#[test]
fn durations_that_nobody_means_exit_two() {
    let alice = SealedBox::new();
    for (i, bad) in ["0", "-5m", "2 hours", "1e9d"].into_iter().enumerate() {
        let run = alice
            .jit(&["request", "prod-admin", "--for", bad, "--reason", "x"])
            .exits(2);
        held(&format!("duration_{i}_exits_two"), &run);
    }
}

#[test]
fn durations_past_the_cap_exit_five_with_the_cap() {
    let (_backend, alice) = alice();
    for (name, long) in [("9h", "9h"), ("99h", "99h")] {
        let run = alice
            .jit(&["request", "prod-admin", "--for", long, "--reason", "long night"])
            .exits(5);
        held(&format!("over_the_cap_{name}_exits_five"), &run);
    }
}

#[test]
fn target_that_is_none_names_the_nearest() {
    let (_backend, alice) = alice();
    held(
        "unknown_target_exits_ten",
        &alice
            .jit(&["request", "prod-admn", "--for", "1h", "--reason", "typo"])
            .exits(10),
    );
    held(
        "unknown_target_without_duration_exits_ten",
        &alice.jit(&["request", "prod-admn", "--reason", "typo"]).exits(10),
    );
    held(
        "unknown_target_of_setup_exits_ten",
        &alice.jit(&["setup", "prod-admn"]).exits(10),
    );
    held("unknown_request_exits_ten", &alice.jit(&["wait", "req_zzzz"]).exits(10));
    held("malformed_id_exits_ten", &alice.jit(&["status", "../../x"]).exits(10));
}

#[test]
fn reasons_that_cannot_be_shown_exit_two() {
    let alice = SealedBox::new();
    held(
        "no_reason_without_a_terminal_exits_two",
        &alice.jit(&["request", "prod-admin", "--for", "1h"]).exits(2),
    );
    let bad = [
        ("long", "x".repeat(1_000_000)),
        ("nul", "a\0b".into()),
        ("escape", "a\u{1b}[2Jb".into()),
        ("bidi", "a\u{202e}b".into()),
        ("empty", " \n".into()),
    ];
    for (name, reason) in bad {
        let command = alice.jit_command(&["request", "prod-admin", "--for", "1h", "--reason", "-"]);
        held(
            &format!("reason_{name}_exits_two"),
            &command.input(reason).run().exits(2),
        );
    }
}

#[test]
fn command_lines_that_cannot_be_right_exit_two() {
    let alice = SealedBox::new();
    let lines: [(&str, &[&str]); 6] = [
        ("verb_with_a_typo", &["requst"]),
        ("request_without_target", &["request", "--reason", "x"]),
        ("deny_without_reason", &["deny", "req_zzzz"]),
        ("login_without_server", &["login", "--identity", "alice", "--code", "x"]),
        (
            "login_over_plain_http",
            &["login", "--server", "http://jit.example", "--identity", "a"],
        ),
        (
            "narrowing_that_is_none",
            &["request", "prod-admin", "--reason", "x", "--only", "s3"],
        ),
    ];
    for (name, args) in lines {
        held(&format!("{name}_exits_two"), &alice.jit(args).exits(2));
    }
    held("json_error_of_usage", &alice.jit(&["-o", "json", "requst"]).exits(2));
}

#[test]
fn code_on_the_command_line_is_for_loopback_only() {
    let args = [
        "login",
        "--server",
        "https://jit.example",
        "--identity",
        "a",
        "--code",
        "x",
    ];
    held("code_beyond_loopback_exits_two", &SealedBox::new().jit(&args).exits(2));
}

#[test]
fn code_that_is_wrong_exits_four() {
    let (backend, _alice) = alice();
    let mut machine = SealedBox::new();
    machine.redact(backend.url().to_owned(), "SERVER");
    let args = [
        "login",
        "--server",
        backend.url(),
        "--identity",
        "alice",
        "--code",
        "AAAA-BBBB",
    ];
    held("wrong_code_exits_four", &machine.jit(&args).exits(4));
}

#[test]
fn environment_is_documented() {
    held(
        "help_environment",
        &SealedBox::new().jit(&["help", "environment"]).exits(0),
    );
    held(
        "help_of_request",
        &SealedBox::new().jit(&["request", "--help"]).exits(0),
    );
}
