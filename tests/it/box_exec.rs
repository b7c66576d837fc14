//! `jit exec` with static keys: the command's environment, and that nothing stands between it and its caller.

use std::fs;

use jit::client::{TAKEN_OUT, TARGET_VARIABLE};
use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{Backend, BackendPlan, LIMIT, SealedBox, StsRecorder};
use crate::shown::held;

/// Alice with dev-admin for an hour, so that its keys live as long as the grant.
fn live() -> (StsRecorder, Backend, SealedBox) {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    let alice = backend.machine_of("alice");
    drop(
        alice
            .jit(&["request", "dev-admin", "--for", "1h", "--reason", "day to day"])
            .exits(0),
    );
    (sts, backend, alice)
}

/// What the environment of a command says, by `env`.
fn variable<'a>(printed: &'a str, name: &str) -> Option<&'a str> {
    printed
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

#[test]
fn command_gets_the_keys_and_nothing_that_wins_over_them() {
    let (_sts, _backend, mut alice) = live();
    let json: Value = alice.jit(&["credential-process", "dev-admin"]).exits(0).json();
    for name in TAKEN_OUT {
        alice.set_env(name, "of-somebody-else");
    }
    alice.set_env("AWS_REGION", "eu-west-1");
    let run = alice.jit(&["exec", "dev-admin", "--", "/usr/bin/env"]).exits(0);
    let ours = [
        ("AWS_ACCESS_KEY_ID", "AccessKeyId"),
        ("AWS_SECRET_ACCESS_KEY", "SecretAccessKey"),
        ("AWS_SESSION_TOKEN", "SessionToken"),
        ("AWS_CREDENTIAL_EXPIRATION", "Expiration"),
        ("AWS_ACCOUNT_ID", "AccountId"),
    ];
    for (name, member) in ours {
        assert_eq!(variable(&run.stdout, name), json[member].as_str(), "{name}");
    }
    let others = TAKEN_OUT
        .iter()
        .filter(|name| ours.iter().all(|(ours, _)| ours != *name));
    for name in others {
        assert_eq!(variable(&run.stdout, name), None, "{name}");
    }
    assert_eq!(variable(&run.stdout, TARGET_VARIABLE), Some("dev-admin"));
    assert_eq!(variable(&run.stdout, "AWS_REGION"), Some("eu-west-1"));
    assert_eq!(run.stderr, "");
}

#[test]
fn command_takes_the_place_of_jit() {
    let (_sts, _backend, alice) = live();
    let script = "echo $$; read -r line; echo \"$line\"; exit 7";
    let running = alice
        .jit_command(&["exec", "dev-admin", "--", "/bin/sh", "-c", script])
        .kept_open()
        .start();
    assert_eq!(running.stdout_line("", LIMIT), running.pid().to_string());
    drop(running.finish(LIMIT).exits(7));
    let running = alice
        .jit_command(&["exec", "dev-admin", "--", "/bin/sh", "-c", "echo up; read -r line"])
        .kept_open()
        .start();
    running.stdout_line("up", LIMIT);
    running.signal(Signal::TERM);
    assert_eq!(running.finish(LIMIT).status, None);
}

#[test]
fn command_dies_of_a_closed_pipe_as_elsewhere() {
    let (_sts, _backend, alice) = live();
    let script = "/usr/bin/yes | /usr/bin/head -n 1";
    let run = alice
        .jit(&["exec", "dev-admin", "--", "/bin/sh", "-c", script])
        .exits(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("y\n", ""));
}

#[test]
fn command_that_cannot_be_run_exits_as_in_a_shell() {
    let (_sts, _backend, alice) = live();
    fs::write(alice.home().join("plain"), "no program").unwrap();
    held(
        "exec_of_no_command_exits_127",
        &alice.jit(&["exec", "dev-admin", "--", "no-such-command"]).exits(127),
    );
    held(
        "exec_of_no_program_exits_126",
        &alice.jit(&["exec", "dev-admin", "--", "./plain"]).exits(126),
    );
    drop(alice.jit(&["exec", "dev-admin", "--", "/"]).exits(126));
}

#[test]
fn own_failure_exits_125_and_names_what_to_type() {
    let (_sts, _backend, alice) = live();
    held(
        "exec_without_a_grant_exits_125",
        &alice.jit(&["exec", "prod-admin", "--", "true"]).exits(125),
    );
    let json = alice
        .jit(&["exec", "prod-admin", "-o", "json", "--", "true"])
        .exits(125)
        .json();
    assert_eq!((&json["schema"], &json["exit"]), (&"jit/error/1".into(), &10.into()));
    held(
        "exec_without_dashes_exits_125",
        &alice.jit(&["exec", "dev-admin", "true"]).exits(125),
    );
    held(
        "exec_without_a_command_exits_125",
        &alice.jit(&["exec", "dev-admin"]).exits(125),
    );
    held(
        "exec_signed_out_exits_125",
        &SealedBox::new().jit(&["exec", "dev-admin", "--", "true"]).exits(125),
    );
    drop(alice.jit(&["help", "exec"]).exits(0));
}
