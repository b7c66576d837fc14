//! The templates of `jit aws bootstrap`: as committed, and as cfn-lint and `terraform fmt` take them.

use std::path::Path;

use crate::aws_account::{bundle, by_token, line, with_kill_switch};
use crate::harness::{SealedBox, is_there, left_out};

const PROD: [&str; 2] = ["--account", "payments-prod"];
const TERRAFORM: [&str; 4] = ["--account", "payments-prod", "--format", "terraform"];
const BACKEND: &str = "arn:aws:iam::999999999999:role/jit-backend";

/// cfn-lint of the templates' own venv: it wants nothing from anybody.
#[track_caller]
fn lint(machine: &SealedBox, file: &str) {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/venv-templates/bin/cfn-lint");
    assert!(program.is_file(), "cfn-lint is missing: run  tests/venv.sh templates");
    let run = machine
        .command(program, &["--non-zero-exit-code", "informational", file])
        .run();
    assert_eq!((run.status, run.stdout.as_str()), (Some(0), ""), "{run}");
}

#[test]
fn cloudformation_of_the_small_bundle_is_as_committed() {
    let machine = SealedBox::new();
    bundle(&machine, by_token);
    let run = machine.jit(&line("bootstrap", &PROD)).exits(0);
    assert_eq!(run.stderr, "");
    insta::assert_snapshot!("cloudformation", run.stdout);
}

#[test]
fn terraform_of_the_small_bundle_is_as_committed() {
    let machine = SealedBox::new();
    bundle(&machine, by_token);
    let run = machine.jit(&line("bootstrap", &TERRAFORM)).exits(0);
    insta::assert_snapshot!("terraform", run.stdout);
}

#[test]
fn kill_switch_and_boundary_are_as_committed() {
    let machine = SealedBox::new();
    bundle(&machine, |text| {
        with_kill_switch(text).replace("# never = [\"iam:*\"]", "never = [\"ec2:*Route*\"]")
    });
    let run = machine.jit(&line("bootstrap", &PROD)).exits(0);
    insta::assert_snapshot!("cloudformation_with_kill_switch", run.stdout);
}

#[test]
fn trust_of_the_backend_itself_is_as_committed() {
    let machine = SealedBox::new();
    bundle(&machine, str::to_owned);
    let args = ["--account", "dev", "--backend-role", BACKEND];
    let run = machine.jit(&line("bootstrap", &args)).exits(0);
    insta::assert_snapshot!("cloudformation_of_assume_role", run.stdout);
}

#[test]
fn cfn_lint_takes_every_template() {
    let machine = SealedBox::new();
    type Change = fn(&str) -> String;
    let changes: [(&str, Change); 3] = [("a", by_token), ("b", with_kill_switch), ("c", str::to_owned)];
    for (name, change) in changes {
        bundle(&machine, change);
        let args = ["--backend-role", BACKEND, "--kill-switch", "--out", name];
        drop(machine.jit(&line("bootstrap", &args)).exits(0));
        for account in ["dev", "payments-prod"] {
            lint(&machine, &format!("{name}/{account}.yaml"));
        }
    }
}

#[test]
fn terraform_fmt_changes_nothing() {
    let Some(terraform) = is_there("terraform") else {
        return left_out(
            "terraform_fmt_changes_nothing",
            "terraform is not installed (hashicorp.com/terraform)",
        );
    };
    let machine = SealedBox::new();
    bundle(&machine, with_kill_switch);
    let args = ["--format", "terraform", "--kill-switch", "--out", "infra"];
    drop(machine.jit(&line("bootstrap", &args)).exits(0));
    let run = machine
        .command(&terraform, &["fmt", "-check", "-diff", "-recursive", "infra"])
        .run();
    assert_eq!((run.status, run.stdout.as_str()), (Some(0), ""), "{run}");
}
