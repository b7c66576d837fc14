//! `jit use` in the real shells: it changes the shell and goes back, wherever the flags stand.

use super::harness::{is_there, left_out};
use super::shell_start::live;

#[test]
fn use_changes_the_shell_and_goes_back() {
    let Some(bash) = is_there("bash") else {
        return left_out("use_changes_the_shell_and_goes_back", "bash is missing");
    };
    let (_sts, _backend, alice) = live();
    let typed = "set -eu; eval \"$(jit shell-init bash)\"; export AWS_PROFILE=\"it's mine\" AWS_ACCESS_KEY_ID=x; \
                 jit use dev-admin; echo \"$AWS_PROFILE ${AWS_ACCESS_KEY_ID-gone}\"; jit use dev-admin; jit use -; \
                 echo \"$AWS_PROFILE ${_JIT_PROFILE_BEFORE-gone}\"; jit use --none; echo \"${AWS_PROFILE-none}\"; \
                 jit use prod-admin || echo \"code $?\"; jit use --help | head -1; jit has dev-admin && echo held";
    let run = alice
        .command(&bash, &["--norc", "-c", typed])
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", alice.home().join("../bin").display()),
        )
        .run()
        .exits(0);
    let said = "jit-dev-admin gone\nit's mine gone\nnone\ncode 10\nUse a target's profile in this shell\nheld\n";
    assert_eq!(run.stdout, said, "{run}");
    assert!(run.stderr.contains("try: jit setup prod-admin"), "{run}");
}

/// `jit -q use` and the like, in a shell that begins with `start` and prints the profile with `print`.
#[track_caller]
fn flags_may_stand_before_use(test: &str, program: &str, flags: &[&str], start: &str, print: &str) {
    let Some(shell) = is_there(program) else {
        return left_out(test, &format!("{program} is missing"));
    };
    let (_sts, _backend, alice) = live();
    if program == "nu" {
        let script = alice.jit(&["shell-init", "nu"]).exits(0).stdout;
        std::fs::write(alice.home().join("init.nu"), script).unwrap();
    }
    let typed = format!(
        "{start}; jit -q use dev-admin; {print}; jit --color never -q use -; {print}; jit -q -o json use dev-admin; {print}; \
         jit --no-input --color=never use dev-admin; {print}; jit -q has dev-admin; jit --version"
    );
    let args: Vec<&str> = flags.iter().copied().chain([typed.as_str()]).collect();
    let run = alice.command(&shell, &args).env("AWS_PROFILE", "mine").run().exits(0);
    let lines: Vec<&str> = run.stdout.lines().collect();
    let version = format!("jit {}", env!("CARGO_PKG_VERSION"));
    let [first, back, json, still, again, last] = lines[..] else {
        panic!("{run}")
    };
    assert_eq!(
        [first, back, still, again, last],
        ["jit-dev-admin", "mine", "mine", "jit-dev-admin", &version],
        "{run}"
    );
    assert!(json.contains("\"jit/use/1\""), "{run}");
}

#[test]
fn flags_before_use_change_bash_too() {
    let (flags, start) = (["--norc", "-c"], "set -eu; eval \"$(jit shell-init bash)\"");
    flags_may_stand_before_use(
        "flags_before_use_change_bash_too",
        "bash",
        &flags,
        start,
        "echo \"$AWS_PROFILE\"",
    );
}

#[test]
fn flags_before_use_change_zsh_too() {
    let (flags, start) = (["-f", "-c"], "setopt nounset errexit; eval \"$(jit shell-init zsh)\"");
    flags_may_stand_before_use(
        "flags_before_use_change_zsh_too",
        "zsh",
        &flags,
        start,
        "echo \"$AWS_PROFILE\"",
    );
}

#[test]
fn flags_before_use_change_fish_too() {
    let (flags, start) = (["--no-config", "-c"], "jit shell-init fish | source");
    flags_may_stand_before_use(
        "flags_before_use_change_fish_too",
        "fish",
        &flags,
        start,
        "echo \"$AWS_PROFILE\"",
    );
}

#[test]
fn flags_before_use_change_nu_too() {
    let (flags, start) = (["-n", "-c"], "source init.nu");
    flags_may_stand_before_use(
        "flags_before_use_change_nu_too",
        "nu",
        &flags,
        start,
        "print $env.AWS_PROFILE",
    );
}

#[test]
fn use_without_the_hook_says_how() {
    let (_sts, _backend, alice) = live();
    let run = alice.jit(&["use", "dev-admin", "--shell", "fish"]).exits(0);
    assert!(
        run.stdout
            .starts_with("set -gx AWS_PROFILE jit-dev-admin\nset -e -g AWS_ACCESS_KEY_ID; or true\n"),
        "{run}"
    );
    assert!(run.stderr.contains("jit use dev-admin | source"), "{run}");
    let json = alice.jit(&["use", "dev-admin", "-o", "json"]).exits(0).json();
    assert_eq!(json["profile"], "jit-dev-admin");
    assert_eq!(alice.jit(&["use", "$(touch x)"]).exits(10).stdout, "");
    drop(alice.jit(&["use"]).exits(2));
    drop(alice.jit(&["shell-init", "cmd"]).exits(2));
}
