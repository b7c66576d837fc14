//! Lines of `jit env` evaluated by the real shells: whatever a value is, a program started from there reads exactly it,
//! and nothing of it runs. Refuses to trust our own reading of a shell's rules.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jit::client::shell::{Shell, lines, quoted};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use secrecy::SecretString;

use super::harness::{SealedBox, is_there, left_out, left_out_everywhere};

/// As many variables as one run of a shell sets.
const NAMES: [&str; 24] = [
    "V00", "V01", "V02", "V03", "V04", "V05", "V06", "V07", "V08", "V09", "V10", "V11", "V12", "V13", "V14", "V15",
    "V16", "V17", "V18", "V19", "V20", "V21", "V22", "V23",
];

/// What shells stumble over.
const TRAPS: [&str; 24] = [
    "$(touch x)",
    "`touch x`",
    "'; touch x; '",
    "\"; touch x; \"",
    "\\",
    "a\\'b",
    "x\n",
    "\r\n",
    "\u{1b}[2J",
    "\u{202e}",
    "~:~",
    "=ls",
    "a:=ls",
    "-x",
    "!!",
    "%PATH%",
    "${HOME}",
    "{a,b}",
    "*",
    "a b\tc",
    "\u{2019}; touch x",
    "#",
    "&|<>^()[]?;",
    "",
];

fn value() -> impl Strategy<Value = String> {
    let text = any::<String>().prop_map(|text| text.replace('\0', ""));
    let traps = proptest::collection::vec(proptest::sample::select(&TRAPS[..]), 1..4);
    prop_oneof![
        traps.prop_map(|parts| parts.concat()),
        text,
        "[A-Za-z0-9/+=]{16,60}",
        "[ -~]{0,40}",
    ]
}

/// How a person has a file of lines evaluated, and a program started that says what it was given.
fn evaluating(shell: &str, file: &str) -> Vec<String> {
    let env = "/usr/bin/env -0";
    let script = match shell {
        "fish" => format!("/bin/cat {file} | source; {env}"),
        "elvish" => format!("eval (slurp < {file}); {env}"),
        "nu" => format!("open --raw {file} | from json | load-env; ^{env}"),
        "pwsh" => format!("Get-Content -Raw {file} | Invoke-Expression; {env}"),
        _ => format!("eval \"$(/bin/cat {file})\"; {env}"),
    };
    let alone: &[&str] = match shell {
        "bash" => &["--norc", "-c"],
        "zsh" => &["-f", "-c"],
        "nu" => &["-n", "-c"],
        "fish" => &["--no-config", "-c"],
        "elvish" => &["-norc", "-c"],
        "pwsh" => &["-NoProfile", "-Command"],
        _ => &["-c"],
    };
    alone.iter().map(|arg| (*arg).to_owned()).chain([script]).collect()
}

fn holds_in(program: &PathBuf, shell: Shell, values: &[String]) -> Result<(), TestCaseError> {
    let name = program.file_name().unwrap().to_str().unwrap();
    let machine = SealedBox::new();
    let file = machine.home().join("lines");
    let set: Vec<_> = NAMES
        .iter()
        .zip(values)
        .filter(|(_, value)| quoted(shell, value).is_some())
        .map(|(name, value)| (*name, SecretString::from(value.clone())))
        .collect();
    let text = lines(shell, &set, &["AWS_PROFILE"]).unwrap();
    std::fs::write(&file, secrecy::ExposeSecret::expose_secret(&text)).unwrap();
    let args = evaluating(name, file.to_str().unwrap());
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let run = machine.command(program, &args).env("AWS_PROFILE", "old").run();
    prop_assert_eq!(run.status, Some(0), "{}", run);
    let seen: BTreeMap<&str, &str> = run.stdout.split('\0').filter_map(|one| one.split_once('=')).collect();
    for (name, value) in NAMES.iter().zip(values).filter(|(_, v)| quoted(shell, v).is_some()) {
        prop_assert_eq!(
            seen.get(name).copied(),
            Some(value.as_str()),
            "{} {}",
            shell.name(),
            name
        );
    }
    prop_assert!(!seen.contains_key("AWS_PROFILE"));
    prop_assert!(!machine.home().join("x").exists(), "a value ran");
    Ok(())
}

#[track_caller]
fn holds(test: &str, program: &str, shell: Shell) {
    let Some(program) = is_there(program) else {
        let why = format!("{program} is missing");
        return match shell {
            Shell::Pwsh => left_out_everywhere(test, &why),
            _ => left_out(test, &why),
        };
    };
    let traps: Vec<String> = TRAPS.iter().map(|trap| (*trap).to_owned()).collect();
    holds_in(&program, shell, &traps).unwrap();
    let config = Config {
        cases: super::harness::deep(12, 400),
        failure_persistence: None,
        ..Config::default()
    };
    let values = proptest::collection::vec(value(), NAMES.len());
    TestRunner::new(config)
        .run(&values, |values| holds_in(&program, shell, &values))
        .unwrap();
}

#[test]
fn attack_16_bash_reads_back_any_value() {
    holds("attack_16_bash_reads_back_any_value", "bash", Shell::Bash);
}

#[test]
fn attack_16_dash_reads_back_any_value() {
    holds("attack_16_dash_reads_back_any_value", "dash", Shell::Sh);
}

#[test]
fn attack_16_zsh_reads_back_any_value() {
    holds("attack_16_zsh_reads_back_any_value", "zsh", Shell::Zsh);
}

#[test]
fn attack_16_fish_reads_back_any_value() {
    holds("attack_16_fish_reads_back_any_value", "fish", Shell::Fish);
}

#[test]
fn attack_16_elvish_reads_back_any_value() {
    holds("attack_16_elvish_reads_back_any_value", "elvish", Shell::Elvish);
}

#[test]
fn attack_16_nu_reads_back_any_value() {
    holds("attack_16_nu_reads_back_any_value", "nu", Shell::Nu);
}

#[test]
fn attack_16_pwsh_reads_back_any_value() {
    holds("attack_16_pwsh_reads_back_any_value", "pwsh", Shell::Pwsh);
}
