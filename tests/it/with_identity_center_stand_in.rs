//! What plays Identity Center for other tests is itself looked at by programs that are not ours: botocore, the aws CLI
//! of both versions, and the AWS SDK for Rust.

use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::harness::{
    BackendPlan, FakedTime, IdentityCenter, LIMIT, Redactions, Running, SealedBox, left_out, venv_program, wait_until,
};

const CHECKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/identity_center/check_stand_in.py");
/// A dozen programs of Python one after the other, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs one part of the checks; what could not run is said to be left out.
#[track_caller]
fn checked(part: &str, test: &str) {
    let mut command = Command::new(venv_program("python"));
    command.args([CHECKS, part]).env_clear().stdin(Stdio::null());
    let run = Running::start(command, Redactions::default()).finish(PATIENCE).exits(0);
    assert!(
        run.stdout
            .lines()
            .any(|line| line.starts_with("ok ") || line.starts_with("left out ")),
        "{run}"
    );
    if let Some(line) = run.stdout.lines().find(|line| line.starts_with("left out ")) {
        left_out(test, &format!("{line}: sudo apt-get install awscli"));
    }
}

#[test]
fn botocore_reads_each_answer_of_the_admin_side() {
    checked("admin", "botocore_reads_each_answer_of_the_admin_side");
}

#[test]
fn botocore_sees_each_fault_as_it_was_ordered() {
    checked("faults", "botocore_sees_each_fault_as_it_was_ordered");
}

#[test]
fn botocore_signs_in_and_fetches_credentials() {
    checked("sign_in", "botocore_signs_in_and_fetches_credentials");
}

#[test]
fn aws_cli_signs_in_and_shares_its_cache() {
    checked("cli", "aws_cli_signs_in_and_shares_its_cache");
}

#[test]
fn stand_in_takes_what_the_rust_sdk_signs() {
    let center = IdentityCenter::start(&json!({}));
    let backend = BackendPlan::with_aws(&center.url).start();
    let alice = backend.machine_of("alice");
    drop(
        alice
            .jit(&["request", "dev-admin", "--for", "30m", "--reason", "signed by rust"])
            .exits(0),
    );
    assert!(center.outcomes("AssumeRole", "ok") >= 1, "{}", center.view());
    assert_eq!(center.outcomes("AssumeRole", "InvalidSignatureException"), 0);
}

#[test]
fn stand_in_keeps_what_a_test_seeds_and_orders() {
    let center = IdentityCenter::start(&json!({
        "accounts": [{"id": "333333333333", "name": "prod"}],
        "permission_sets": [{"name": "ReadOnly", "session": "PT1H"}],
        "users": [{"name": "alice"}, {"name": "bob"}],
        "assignments": [{"permission_set": "ReadOnly", "account": "333333333333", "user": "alice"}],
    }));
    assert!(
        center.made["permission_sets"]["ReadOnly"]
            .as_str()
            .unwrap()
            .starts_with("arn:aws:sso:::permissionSet/")
    );
    let bobs = json!([{"permission_set": "ReadOnly", "account": "333333333333", "user": "bob"}]);
    let view = center.control(&json!({"assign": bobs, "settings": {"held": true}}));
    assert_eq!(view["settings"]["held"], true);
    assert_eq!(
        center.assignments(),
        ["333333333333 ReadOnly alice", "333333333333 ReadOnly bob"]
    );
    drop(center.control(&json!({"unassign": bobs})));
    assert_eq!(center.assignments(), ["333333333333 ReadOnly alice"]);
    assert_eq!(center.view()["calls"], json!([]));
}

#[test]
fn what_is_in_progress_ends_by_the_clock_of_the_test() {
    let Some(clock) = FakedTime::start("what_is_in_progress_ends_by_the_clock_of_the_test") else {
        return;
    };
    let seed = json!({"permission_sets": [{"name": "ReadOnly"}], "users": [{"name": "alice"}]});
    let center = IdentityCenter::under(&clock, &seed);
    drop(center.control(&json!({"settings": {"create_ms": 3_600_000}})));
    let machine = SealedBox::new()
        .with_env("AWS_ACCESS_KEY_ID", "test")
        .with_env("AWS_SECRET_ACCESS_KEY", "test");
    let (set, person) = (
        &center.made["permission_sets"]["ReadOnly"],
        &center.made["users"]["alice"],
    );
    let mut args = vec!["sso-admin", "create-account-assignment"];
    args.extend(["--target-type", "AWS_ACCOUNT", "--target-id", "333333333333"]);
    args.extend(["--principal-type", "USER", "--principal-id", person.as_str().unwrap()]);
    args.extend(["--permission-set-arn", set.as_str().unwrap()]);
    args.extend(["--instance-arn", center.made["instance_arn"].as_str().unwrap()]);
    drop(machine.aws(&center.url, &args).exits(0));
    assert!(center.assignments().is_empty());
    clock.set_ahead(Duration::from_secs(3_601));
    assert_eq!(center.assignments(), ["333333333333 ReadOnly alice"]);
}

#[test]
fn a_stand_in_is_gone_with_its_test() {
    let center = IdentityCenter::start(&json!({}));
    let address = center.url.trim_start_matches("http://").to_owned();
    assert!(TcpStream::connect(&address).is_ok());
    drop(center);
    wait_until("nobody listening", LIMIT, || TcpStream::connect(&address).err());
}
