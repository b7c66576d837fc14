//! `--request-on-miss`: a miss that files the request itself, once, and never waits.

use std::fs;
use std::path::Path;

use super::harness::{Backend, BackendPlan, LIMIT, SealedBox, StsRecorder, jit_credential_program, venv_program};
use super::shown::held;

const ON_MISS: [&str; 3] = ["credential-process", "prod-admin", "--request-on-miss"];

fn backend() -> (StsRecorder, Backend) {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    (sts, backend)
}

/// As if the few seconds had passed for which a failure is remembered.
fn moments_later(machine: &SealedBox) {
    fn walk(folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path);
            } else if path.to_str().unwrap().ends_with(".failed") {
                fs::remove_file(path).unwrap();
            }
        }
    }
    walk(&machine.home().join(".cache/jit"));
}

/// How many requests of theirs somebody has open, of those that wait for bob.
fn waiting(bob: &SealedBox) -> Vec<serde_json::Value> {
    let inbox = bob.jit(&["inbox", "-o", "json"]).exits(0).json();
    inbox["requests"].as_array().unwrap().clone()
}

#[test]
fn miss_files_the_request_once_and_returns() {
    let (_sts, backend) = backend();
    let (alice, bob) = (backend.machine_of("alice"), backend.machine_of("bob"));
    held("request_on_miss_says_what_was_asked", &alice.jit(&ON_MISS).exits(10));
    for _ in 0..3 {
        moments_later(&alice);
        let again = alice.jit(&ON_MISS).exits(10);
        assert!(
            again
                .stderr
                .starts_with("jit: prod-admin waits for approval: run  jit wait req_"),
            "{again}"
        );
    }
    let open = waiting(&bob);
    assert_eq!(open.len(), 1, "{open:?}");
    let reason = open[0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("asked by an AWS tool on "), "{reason}");
    assert!(reason.ends_with(", through the profile jit-prod-admin"), "{reason}");
    drop(bob.jit(&["approve", open[0]["id"].as_str().unwrap()]).exits(0));
    drop(alice.jit(&["wait", "prod-admin"]).exits(0));
    assert_eq!(alice.jit(&ON_MISS).exits(0).json()["Version"], 1);
}

#[test]
fn request_that_policy_approves_gives_credentials_at_once() {
    let (sts, backend) = backend();
    let alice = backend.machine_of("alice");
    let miss = ["dev-admin", "--request-on-miss", "--reason", "nightly report"];
    let run = alice.command(jit_credential_program(), &miss).run().exits(0);
    assert_eq!(
        (&run.json()["Version"], run.stderr.as_str()),
        (&serde_json::json!(1), "")
    );
    let status = alice.jit(&["status", "-o", "json"]).exits(0).stdout;
    assert!(status.contains("\"nightly report\""), "{status}");
    // once to check, once to mint; then it is a hit
    let calls = sts.calls().len();
    assert_eq!(
        alice.command(jit_credential_program(), &miss).run().exits(0).stdout,
        run.stdout
    );
    assert_eq!((calls, sts.calls().len()), (2, 2));
}

#[test]
fn twenty_misses_at_once_file_one_request() {
    let (_sts, backend) = backend();
    let (alice, bob) = (backend.machine_of("alice"), backend.machine_of("bob"));
    let all: Vec<_> = (0..20).map(|_| alice.jit_command(&ON_MISS).start()).collect();
    for one in all {
        drop(one.finish(LIMIT).exits(10));
    }
    assert_eq!(waiting(&bob).len(), 1);
}

#[test]
fn miss_leaves_alone_what_was_denied_or_given_back() {
    let (_sts, backend) = backend();
    let (alice, bob) = (backend.machine_of("alice"), backend.machine_of("bob"));
    drop(alice.jit(&ON_MISS).exits(10));
    drop(bob.jit(&["deny", "prod-admin", "--reason", "not tonight"]).exits(0));
    moments_later(&alice);
    held("request_on_miss_leaves_a_denied_one", &alice.jit(&ON_MISS).exits(10));
    let miss = ["credential-process", "dev-admin", "--request-on-miss"];
    drop(alice.jit(&miss).exits(0));
    drop(alice.jit(&["drop", "dev-admin"]).exits(0));
    moments_later(&alice);
    held(
        "request_on_miss_leaves_what_was_given_back",
        &alice.jit(&miss).exits(10),
    );
    assert_eq!(waiting(&bob).len(), 0);
    // whoever asks by hand asks
    drop(
        alice
            .jit(&["request", "dev-admin", "--reason", "one more look"])
            .exits(0),
    );
    drop(alice.jit(&miss).exits(0));
}

#[test]
fn miss_without_the_flag_files_nothing() {
    let (_sts, backend) = backend();
    let (alice, bob) = (backend.machine_of("alice"), backend.machine_of("bob"));
    drop(alice.jit(&["credential-process", "prod-admin"]).exits(10));
    drop(
        alice
            .jit(&["credential-process", "prod-admin", "--reason", "x"])
            .exits(2),
    );
    moments_later(&alice);
    drop(
        alice
            .jit(&["credential-process", "nowhere", "--request-on-miss"])
            .exits(10),
    );
    assert_eq!(waiting(&bob).len(), 0);
}

#[test]
fn profile_asks_where_setup_was_told_so() {
    let (_sts, backend) = backend();
    let (mut alice, bob) = (backend.machine_of("alice"), backend.machine_of("bob"));
    alice.redact(jit_credential_program().parent().unwrap().to_str().unwrap(), "BIN");
    let setup = ["setup", "prod-admin", "--request-on-miss", "--reason", "nightly report"];
    held("setup_of_a_profile_that_asks", &alice.jit(&setup).exits(0));
    drop(
        alice
            .jit(&["setup", "prod-admin", "--request-on-miss", "--reason", "it's me"])
            .exits(3),
    );
    drop(alice.jit(&["setup", "prod-admin", "--reason", "x"]).exits(2));
    let boto3 = "import boto3; boto3.Session(profile_name='jit-prod-admin').client('sts')";
    let run = alice.command(venv_program("python"), &["-c", boto3]);
    let run = run.env("AWS_DEFAULT_REGION", "us-east-1").run().exits(1);
    assert!(
        run.stderr.contains("prod-admin was asked for: run  jit wait req_"),
        "{run}"
    );
    let open = waiting(&bob);
    assert_eq!(
        (open.len(), &open[0]["reason"]),
        (1, &serde_json::json!("nightly report"))
    );
    // told so it is a plain profile again
    drop(alice.jit(&["setup", "prod-admin", "--no-request-on-miss"]).exits(0));
    let text = fs::read_to_string(alice.home().join(".aws/config")).unwrap();
    assert!(!text.contains("request-on-miss"), "{text}");
}
