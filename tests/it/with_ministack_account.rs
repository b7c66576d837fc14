//! An account of ministack, made by the template, looked at by `jit aws check`, opened by the aws CLI, looked at again.

use serde_json::{Value, json};

use crate::aws_account::{bundle, line, with_kill_switch};
use crate::harness::{MiniStack, Run, SealedBox, venv_program};

const ACCOUNT: &str = "111111111111";
const PROVIDER: &str = "arn:aws:iam::111111111111:oidc-provider/jit.acme.example";

/// A person's shell with an administrator's keys of the account, and a stand-in of its own.
struct Shell {
    stack: MiniStack,
    machine: SealedBox,
}

impl Shell {
    fn new() -> Self {
        let stack = MiniStack::own();
        let machine = SealedBox::new()
            .with_env("AWS_ENDPOINT_URL", &stack.url)
            .with_env("AWS_DEFAULT_REGION", "us-east-1")
            .with_env("AWS_ACCESS_KEY_ID", ACCOUNT)
            .with_env("AWS_SECRET_ACCESS_KEY", "test");
        bundle(&machine, with_kill_switch);
        Self { stack, machine }
    }

    /// The account as the template makes it.
    fn applied() -> Self {
        let shell = Self::new();
        let args = ["--account", "payments-prod", "--out", "prod.yaml"];
        drop(shell.machine.jit(&line("bootstrap", &args)).exits(0));
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/aws_account.py");
        let args = [script, shell.stack.url.as_str(), ACCOUNT, "prod.yaml"];
        drop(shell.machine.command(venv_program("python"), &args).run().exits(0));
        shell
    }

    fn check(&self, more: &[&str]) -> Run {
        self.machine.jit(&line("check", more))
    }

    #[track_caller]
    fn iam(&self, args: &[&str]) -> Run {
        let mut line = vec!["iam"];
        line.extend(args);
        self.machine.aws(&self.stack.url, &line).exits(0)
    }

    /// Severity, kind and place of each finding.
    #[track_caller]
    fn found(&self) -> Vec<String> {
        let answer = self.check(&["-o", "json"]).json();
        let findings = answer["findings"].as_array().unwrap();
        let word = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
        let line = |f: &Value| format!("{} {} {}", word(f, "severity"), word(f, "kind"), word(f, "place"));
        findings.iter().map(line).collect()
    }

    /// The trust of prod-admin's role, changed.
    fn change_trust(&self, change: impl Fn(&mut Value)) {
        let args = [
            "get-role",
            "--role-name",
            "jit-prod-admin",
            "--query",
            "Role.AssumeRolePolicyDocument",
        ];
        let mut trust = self.iam(&[&args[..], &["--output", "json"]].concat()).json();
        change(&mut trust);
        let text = trust.to_string();
        let args = [
            "update-assume-role-policy",
            "--role-name",
            "jit-prod-admin",
            "--policy-document",
            &text,
        ];
        drop(self.iam(&args));
    }
}

#[test]
fn account_made_by_the_template_is_well() {
    let shell = Shell::applied();
    let run = shell.check(&[]).exits(0);
    insta::assert_snapshot!("aws_check_of_a_well_account", run);
    let answer = shell
        .check(&["--account", "payments-prod", "-o", "json"])
        .exits(0)
        .json();
    assert_eq!(answer["schema"], "jit/aws-check/1");
    assert_eq!((&answer["well"], &answer["findings"]), (&json!(true), &json!([])));
    assert_eq!(answer["endpoint"], shell.stack.url.as_str());
}

#[test]
fn holes_planted_in_iam_are_named() {
    let shell = Shell::applied();
    shell.change_trust(|trust| {
        trust["Statement"][0]["Condition"]["StringLike"]["jit.acme.example:sub"] = json!("jit:aws/*:usr_*");
    });
    let read_only = ["--role-name", "jit-prod-readonly"];
    drop(shell.iam(&[&["update-role", "--max-session-duration", "43200"][..], &read_only].concat()));
    drop(shell.iam(&["delete-role-permissions-boundary", "--role-name", "jit-prod-owner"]));
    // the stand-in cannot add an audience: the provider is made anew with one more
    let provider = ["--open-id-connect-provider-arn", PROVIDER];
    drop(shell.iam(&[&["delete-open-id-connect-provider"][..], &provider].concat()));
    let wider = [
        "--url",
        "https://jit.acme.example",
        "--client-id-list",
        "sts.amazonaws.com",
        "other",
    ];
    drop(shell.iam(&[&["create-open-id-connect-provider"][..], &wider].concat()));
    let everything = ["--policy-arn", "arn:aws:iam::aws:policy/AdministratorAccess"];
    drop(
        shell.iam(
            &[
                &["attach-role-policy", "--role-name", "jit-kill-switch"][..],
                &everything,
            ]
            .concat(),
        ),
    );
    let run = shell.check(&[]).exits(1);
    insta::assert_snapshot!("aws_check_of_an_open_account", run);
    let found = [
        "hole provider-audience oidc-provider/jit.acme.example",
        "hole kill-switch-wider role/jit/jit-kill-switch",
        "hole subject role/jit/jit-prod-admin",
        "hole boundary role/jit/jit-prod-owner",
        "hole maximum-session role/jit/jit-prod-readonly",
    ];
    assert_eq!(shell.found(), found);
}

#[test]
fn another_way_into_a_role_is_named() {
    let shell = Shell::applied();
    shell.change_trust(|trust| {
        let other = json!({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"});
        trust["Statement"].as_array_mut().unwrap().push(other);
    });
    let like = trust_of_everybody();
    let args = [
        "create-role",
        "--role-name",
        "left-over",
        "--assume-role-policy-document",
        &like,
    ];
    drop(shell.iam(&args));
    let found = shell.found();
    assert!(
        found.contains(&"hole other-principal role/jit/jit-prod-admin".to_owned()),
        "{found:?}"
    );
    assert!(found.contains(&"hole subject role/left-over".to_owned()), "{found:?}");
    assert!(found.contains(&"note unused role/left-over".to_owned()), "{found:?}");
}

/// A trust that takes every token of our issuer.
fn trust_of_everybody() -> String {
    let statement = json!({"Effect": "Allow", "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity"});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

#[test]
fn check_of_an_empty_account_says_what_is_missing() {
    let shell = Shell::new();
    let run = shell.check(&[]).exits(1);
    insta::assert_snapshot!("aws_check_of_an_empty_account", run);
}

#[test]
fn check_in_another_account_exits_three() {
    let shell = Shell::new();
    let run = shell.check(&["--account", "dev"]).exits(3);
    insta::assert_snapshot!("aws_check_in_another_account", run);
}
