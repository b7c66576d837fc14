//! `jit aws` given what cannot be right, and what it writes and refuses to overwrite.

use crate::aws_account::{ISSUER, bundle, by_token, line};
use crate::harness::{RawServer, SealedBox};

/// A box with the small bundle on the road web-identity, and keys of nobody.
fn machine() -> SealedBox {
    let machine = SealedBox::new();
    bundle(&machine, by_token);
    machine
}

#[test]
fn templates_of_several_accounts_need_a_folder() {
    let machine = machine();
    insta::assert_snapshot!(
        "bootstrap_of_two_accounts_exits_two",
        machine.jit(&line("bootstrap", &[])).exits(2)
    );
    let answer = machine.jit(&line("bootstrap", &["-o", "json"])).exits(0).json();
    assert_eq!(answer["schema"], "jit/aws-bootstrap/1");
    assert_eq!(answer["templates"].as_array().unwrap().len(), 2);
    let run = machine.jit(&line("bootstrap", &["--out", "infra"])).exits(0);
    insta::assert_snapshot!("bootstrap_writes_a_file_an_account", run);
    let run = machine
        .jit(&line("bootstrap", &["--out", "infra", "--format", "terraform"]))
        .exits(0);
    insta::assert_snapshot!("bootstrap_writes_a_root_an_account", run);
    let again = machine.jit(&line("bootstrap", &["--out", "infra"])).exits(0);
    assert!(again.stderr.starts_with("Up to date: infra/dev.yaml"), "{again}");
}

#[test]
fn file_of_somebody_else_is_not_overwritten() {
    let machine = machine();
    let (ours, theirs) = (
        machine.home().join("infra/dev.yaml"),
        machine.home().join("infra/payments-prod.yaml"),
    );
    std::fs::create_dir(machine.home().join("infra")).unwrap();
    std::fs::write(&theirs, "Resources: {}\n").unwrap();
    let run = machine.jit(&line("bootstrap", &["--out", "infra"])).exits(3);
    insta::assert_snapshot!("bootstrap_over_another_file_exits_three", run);
    assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "Resources: {}\n");
    assert!(!ours.exists());
}

#[test]
fn file_of_an_older_catalogue_is_written_anew() {
    let machine = machine();
    let args = ["--account", "dev", "--out", "dev.yaml"];
    drop(machine.jit(&line("bootstrap", &args)).exits(0));
    bundle(&machine, |text| {
        by_token(text).replace("jit/jit-dev-admin", "jit/jit-dev-lead")
    });
    let run = machine.jit(&line("bootstrap", &args)).exits(0);
    assert_eq!(run.stderr, "Written: dev.yaml for dev (222222222222)\n");
    assert!(
        std::fs::read_to_string(machine.home().join("dev.yaml"))
            .unwrap()
            .contains("jit-dev-lead")
    );
}

#[test]
fn issuer_that_aws_would_refuse_exits_two() {
    let machine = machine();
    for issuer in [
        "http://jit.acme.example",
        "https://jit.acme.example:8443",
        "https://jit.acme.example/?a",
        "jit",
    ] {
        let run = machine
            .jit(&["aws", "bootstrap", "--policy", "policy", "--issuer", issuer])
            .exits(2);
        assert!(
            run.stderr.starts_with(&format!("jit: issuer address {issuer} ")),
            "{run}"
        );
    }
}

#[test]
fn what_a_plan_lacks_is_said() {
    let machine = machine();
    let dev = ["aws", "bootstrap", "--policy", "policy", "--account", "dev"];
    insta::assert_snapshot!("bootstrap_without_issuer_exits_two", machine.jit(&dev).exits(2));
    insta::assert_snapshot!(
        "bootstrap_of_an_unknown_account_exits_two",
        machine.jit(&line("bootstrap", &["--account", "staging"])).exits(2)
    );
    let run = machine
        .jit(&["aws", "bootstrap", "--policy", "nowhere", "--issuer", ISSUER])
        .exits(3);
    insta::assert_snapshot!("bootstrap_without_policy_exits_three", run);
    bundle(&machine, str::to_owned);
    insta::assert_snapshot!("bootstrap_without_backend_exits_two", machine.jit(&dev).exits(2));
    for arn in [
        "arn:aws:iam::999999999999:root",
        "arn:aws:iam::999999999999:role/*",
        "*",
        "999999999999",
    ] {
        let run = machine
            .jit(&line("bootstrap", &["--account", "dev", "--backend-role", arn]))
            .exits(2);
        assert!(run.stderr.contains("is no user and no role"), "{run}");
    }
}

#[test]
fn check_without_credentials_exits_three() {
    let mut machine = machine();
    machine.set_env("AWS_EC2_METADATA_DISABLED", "true");
    insta::assert_snapshot!(
        "aws_check_without_credentials",
        machine.jit(&line("check", &[])).exits(3)
    );
}

#[test]
fn check_without_an_answer_exits_eight() {
    let machine = with_keys(machine()).with_env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let run = machine.jit(&line("check", &[])).exits(8);
    assert!(
        run.stderr.starts_with("jit: AWS does not answer GetCallerIdentity: "),
        "{run}"
    );
}

#[test]
fn check_that_is_refused_exits_nine() {
    const DENIED: &str =
        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not \u{202e} you</Message></Error></ErrorResponse>";
    let aws = RawServer::answering(403, "text/xml", DENIED);
    let machine = with_keys(machine()).with_env("AWS_ENDPOINT_URL", &aws.url);
    insta::assert_snapshot!("aws_check_that_is_refused", machine.jit(&line("check", &[])).exits(9));
}

fn with_keys(machine: SealedBox) -> SealedBox {
    machine
        .with_env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        .with_env("AWS_SECRET_ACCESS_KEY", "nobody's")
}

#[test]
fn verb_alone_is_a_mistake_in_two_lines() {
    let machine = SealedBox::new();
    insta::assert_snapshot!("aws_alone_exits_two", machine.jit(&["aws"]).exits(2));
}
