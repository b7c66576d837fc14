//! `jit env` through the real binary: what stands on stdout, what on stderr, and the AWS CLI's own formats.

use std::path::PathBuf;

use super::harness::{
    Backend, BackendPlan, MiniStack, Run, SealedBox, StsRecorder, Terminal, is_there, left_out, venv_program,
};
use super::shown::held;

fn live() -> (StsRecorder, Backend, SealedBox) {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    let alice = elevated(&backend);
    (sts, backend, alice)
}

fn elevated(backend: &Backend) -> SealedBox {
    let alice = backend.machine_of("alice");
    let ask = ["request", "dev-admin", "--for", "2h", "--reason", "day to day"];
    drop(alice.jit(&ask).exits(0));
    alice
}

/// The values behind `NAME=`, in their order.
fn names(run: &Run) -> Vec<String> {
    let words = run.stdout.lines().filter_map(|line| line.split_once('='));
    words.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn env_prints_keys_and_says_when_they_die() {
    let (_sts, mut backend, alice) = live();
    backend.kill();
    let run = alice.jit(&["env", "dev-admin"]).exits(0);
    let exported = [
        "export AWS_ACCESS_KEY_ID",
        "export AWS_SECRET_ACCESS_KEY",
        "export AWS_SESSION_TOKEN",
        "export AWS_CREDENTIAL_EXPIRATION",
    ];
    assert_eq!(names(&run), exported);
    assert!(run.stderr.contains("die at"), "{run}");
    let json = alice.jit(&["env", "dev-admin", "-o", "json"]).exits(0).json();
    assert_eq!(json["schema"], "jit/env/1");
    assert_eq!(json["env"].as_object().unwrap().len(), 4);
    assert_eq!(json["renews"], true);
    for value in json["env"].as_object().unwrap().values() {
        assert!(run.stdout.contains(value.as_str().unwrap()));
    }
    let quiet = alice.jit(&["env", "dev-admin", "-q"]).exits(0);
    assert_eq!((quiet.stdout, quiet.stderr.as_str()), (run.stdout, ""));
}

#[test]
fn env_without_a_grant_prints_nothing_to_evaluate() {
    let (_sts, _backend, alice) = live();
    let run = alice.jit(&["env", "prod-admin"]).exits(10);
    assert_eq!(run.stdout, "");
    held("env_without_a_grant_exits_ten", &run);
    // what is remembered is the same failure, for people and for programs
    assert_eq!(alice.jit(&["env", "prod-admin"]).exits(10).stderr, run.stderr);
    let json = alice.jit(&["env", "prod-admin", "-o", "json"]).exits(10).json();
    assert_eq!(
        (&json["code"], &json["hint"]),
        (&"grant.not_live".into(), &"try: jit request prod-admin".into())
    );
    let for_tools = alice.jit(&["credential-process", "prod-admin"]).exits(10).stderr;
    assert_eq!(
        for_tools,
        "jit: no live grant for prod-admin: run  jit request prod-admin\n"
    );
    for _ in 0..2 {
        held(
            "env_of_no_target_exits_ten",
            &alice.jit(&["env", "prod-admn"]).exits(10),
        );
    }
    let typo = alice.jit(&["env", "dev-admin", "--shell", "csh"]).exits(2);
    assert_eq!(typo.stdout, "");
    assert_eq!(alice.jit(&["env"]).exits(2).stdout, "");
}

#[test]
fn env_unset_takes_away_what_env_set() {
    let Some(bash) = is_there("bash") else {
        return left_out("env_unset_takes_away_what_env_set", "bash is missing");
    };
    let (_sts, _backend, alice) = live();
    let alice = alice.with_program(super::harness::jit_program());
    let typed = "set -eu; AWS_PROFILE=x; export AWS_PROFILE; lines=$(jit env dev-admin -q); eval \"$lines\"; \
                 echo \"${AWS_SESSION_TOKEN:+set} ${AWS_PROFILE-gone}\"; eval \"$(jit env --unset)\"; \
                 echo \"${AWS_ACCESS_KEY_ID-gone} ${AWS_SECRET_ACCESS_KEY-gone} ${AWS_SESSION_TOKEN-gone}\"";
    let run = alice.command(&bash, &["--norc", "-c", typed]).run().exits(0);
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str()),
        ("set gone\ngone gone gone\n", "")
    );
}

#[test]
fn env_prints_for_the_shell_around_it() {
    let (_sts, _backend, alice) = live();
    let alice = alice
        .with_program(super::harness::jit_program())
        .with_env("SHELL", "/usr/bin/zsh");
    // the parent is this test: no shell, so the one of the log-in counts
    let own = alice
        .jit_command(&["env", "dev-admin"])
        .env("SHELL", "/usr/bin/fish")
        .run();
    assert!(own.exits(0).stdout.starts_with("set -gx AWS_ACCESS_KEY_ID "));
    let Some(elvish) = is_there("elvish") else {
        return left_out("env_prints_for_the_shell_around_it", "elvish is missing");
    };
    let around = alice
        .command(&elvish, &["-norc", "-c", "jit env dev-admin"])
        .run()
        .exits(0);
    assert!(around.stdout.starts_with("set-env AWS_ACCESS_KEY_ID "), "{around}");
}

#[test]
fn env_on_a_terminal_says_that_nothing_is_set() {
    let (_sts, _backend, alice) = live();
    let args = ["env", "dev-admin", "--shell", "sh"];
    let Some(terminal) = Terminal::jit(&alice, "env_on_a_terminal_says_that_nothing_is_set", &args) else {
        return;
    };
    let screen = terminal.wait_for("die at");
    assert!(screen.contains("nothing is set"), "{screen}");
    assert!(screen.contains("eval \"$(jit env dev-admin"), "{screen}");
}

#[test]
fn keys_of_env_work_in_the_aws_cli_and_nowhere_else() {
    let aws = &MiniStack::shared().url;
    let backend = BackendPlan::with_aws(aws).start();
    let alice = elevated(&backend)
        .with_program(super::harness::jit_program())
        .with_program(&venv_program("aws"))
        .with_env("AWS_ENDPOINT_URL", aws.as_str())
        .with_env("AWS_DEFAULT_REGION", "us-east-1");
    let typed = "eval \"$(jit env dev-admin -q)\"; aws sts get-caller-identity --query Arn --output text; \
                 eval \"$(jit env --unset)\"; aws sts get-caller-identity 2>&1";
    let run = alice
        .command("/bin/sh", &["-c", typed])
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .run();
    assert!(
        run.stdout
            .starts_with("arn:aws:sts::222222222222:assumed-role/jit-dev-admin/alice@"),
        "{run}"
    );
    assert!(run.stdout.contains("Unable to locate credentials"), "{run}");
}

/// An AWS CLI of version 2, which has `configure export-credentials`.
fn aws_cli_2() -> Option<PathBuf> {
    let machine = SealedBox::new();
    [is_there("aws"), Some(PathBuf::from("/usr/bin/aws"))]
        .into_iter()
        .flatten()
        .filter(|aws| aws.is_file())
        .find(|aws| {
            machine
                .command(aws, &["--version"])
                .run()
                .stdout
                .starts_with("aws-cli/2")
        })
}

#[test]
fn env_formats_are_those_of_the_aws_cli() {
    let Some(aws) = aws_cli_2() else {
        return left_out(
            "env_formats_are_those_of_the_aws_cli",
            "no AWS CLI of version 2 (Debian: awscli)",
        );
    };
    let (_sts, _backend, alice) = live();
    let json = alice.jit(&["env", "dev-admin", "-o", "json"]).exits(0).json();
    let formats = [
        ("sh", "env"),
        ("bash", "env"),
        ("zsh", "env"),
        ("dotenv", "env-no-export"),
        ("pwsh", "powershell"),
        ("cmd", "windows-cmd"),
        ("fish", "fish"),
    ];
    for (shell, format) in formats {
        let mut theirs = alice.command(&aws, &["configure", "export-credentials", "--format", format]);
        for (name, value) in json["env"].as_object().unwrap() {
            theirs = theirs.env(name, value.as_str().unwrap());
        }
        let theirs = theirs.run();
        if theirs.stderr.contains("Invalid choice") {
            println!("this AWS CLI has no format {format}");
            continue;
        }
        let ours = alice.jit(&["env", "dev-admin", "--shell", shell]).exits(0).stdout;
        let ours: Vec<&str> = ours.lines().take(4).collect();
        // the same instant, written with Z here
        let theirs = theirs.exits(0).stdout.replace("+00:00", "Z");
        assert_eq!(ours, theirs.lines().collect::<Vec<_>>(), "{shell}");
    }
}

#[test]
fn use_is_unset_as_env_is() {
    let (_sts, _backend, alice) = live();
    let back = |flag| alice.jit(&["use", flag, "--shell", "bash"]).exits(0).stdout;
    assert_eq!(back("--unset"), back("--none"));
}
