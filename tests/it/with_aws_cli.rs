//! The real aws CLI and boto3 through `credential_process`, against ministack, which enforces what STS was given.

use crate::harness::{AwsKeys, Backend, BackendPlan, LIMIT, MiniStack, SealedBox, venv_program, wait_until};

const IDENTITY: [&str; 5] = ["sts", "get-caller-identity", "--output", "json", "--profile"];
const BUCKETS: [&str; 2] = ["s3api", "list-buckets"];
/// As a program of somebody would: a session of the profile, one call.
const BOTO3: &str =
    "import boto3; print(boto3.Session(profile_name='jit-prod-admin').client('sts').get_caller_identity()['Arn'])";

fn backend() -> Backend {
    BackendPlan::with_aws(&MiniStack::shared().url).start()
}

/// Alice with prod-admin, approved by bob, and a profile for it.
fn elevated(backend: &Backend) -> SealedBox {
    let (alice, bob) = (backend.machine_of("alice"), backend.machine_of("bob"));
    let ask = ["request", "prod-admin", "--for", "30m", "--reason", "payout job stuck"];
    let waiting = alice.jit_command(&ask).start();
    waiting.stderr_line("req_", LIMIT);
    drop(bob.jit(&["approve", "prod-admin"]).exits(0));
    drop(waiting.finish(LIMIT).exits(0));
    drop(alice.jit(&["setup", "prod-admin"]).exits(0));
    alice
}

#[test]
fn aws_cli_and_boto3_use_the_role_until_it_is_given_back() {
    let (aws, backend) = (&MiniStack::shared().url, backend());
    let alice = elevated(&backend);
    let who = [&IDENTITY[..], &["jit-prod-admin"]].concat();
    let role = "arn:aws:sts::111111111111:assumed-role/jit-prod-admin/alice@";
    let seen = alice.aws(aws, &who).exits(0).json();
    assert!(seen["Arn"].as_str().unwrap().starts_with(role), "{seen}");
    let boto3 = alice.command(venv_program("python"), &["-c", BOTO3]);
    let boto3 = boto3
        .env("AWS_ENDPOINT_URL", aws)
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .run()
        .exits(0);
    assert!(boto3.stdout.starts_with(role), "{boto3}");
    drop(alice.jit(&["drop", "prod-admin"]).exits(0));
    let over = alice.aws(aws, &who).exits(255);
    let said: Vec<&str> = over.stderr.lines().filter(|line| !line.trim().is_empty()).collect();
    assert_eq!(said.len(), 1, "{over}");
    assert!(said[0].contains("jit request prod-admin"), "{over}");
}

#[test]
fn attack_01_aws_ends_a_short_grant_without_the_backend() {
    let (aws, mut backend) = (&MiniStack::shared().url, backend());
    let alice = backend.machine_of("alice");
    drop(
        alice
            .jit(&[
                "request",
                "dev-admin",
                "--for",
                "10s",
                "--reason",
                "the cloud keeps the time",
            ])
            .exits(0),
    );
    let keys = alice.jit(&["credential-process", "dev-admin"]).exits(0).json();
    backend.kill();
    let keys = AwsKeys::from_credential_process(&keys);
    let thief = SealedBox::new();
    drop(thief.aws_with(aws, &keys, &BUCKETS).exits(0));
    wait_until("AWS to end the session", LIMIT, || {
        thief
            .aws_with(aws, &keys, &BUCKETS)
            .stderr
            .contains("AccessDenied")
            .then_some(())
    });
    let onward = [
        "sts",
        "assume-role",
        "--role-session-name",
        "onward",
        "--role-arn",
        "arn:aws:iam::222222222222:role/jit/jit-dev-admin",
    ];
    assert!(thief.aws_with(aws, &keys, &onward).stderr.contains("AccessDenied"));
}
