//! `credential-process`, the cache and AWS profiles, through the real binary.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::harness::{Backend, BackendPlan, LIMIT, SealedBox, StsRecorder};
use super::shown::held;

fn live() -> (StsRecorder, Backend, SealedBox) {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    let alice = backend.machine_of("alice");
    drop(
        alice
            .jit(&["request", "dev-admin", "--for", "2h", "--reason", "day to day"])
            .exits(0),
    );
    (sts, backend, alice)
}

/// The cached file of a target: the only one of that name.
fn cached(machine: &SealedBox) -> PathBuf {
    let mut folders = vec![machine.home().join(".cache/jit")];
    while let Some(folder) = folders.pop() {
        for file in fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
            match file.is_dir() {
                true => folders.push(file),
                false if file.ends_with("dev-admin") => return file,
                false => {}
            }
        }
    }
    panic!("nothing is cached");
}

#[test]
fn hit_prints_the_json_of_aws_tools_and_nothing_else() {
    let (_sts, mut backend, alice) = live();
    backend.kill();
    let run = alice.jit(&["credential-process", "dev-admin"]).exits(0);
    let json = run.json();
    assert_eq!((&json["Version"], run.stderr.as_str()), (&serde_json::json!(1), ""));
    assert!(json["Expiration"].as_str().unwrap().ends_with('Z'));
    drop(alice.jit(&["has", "dev-admin"]).exits(0));
    drop(alice.jit(&["has", "dev-admin", "--fresh"]).exits(8));
}

#[test]
fn miss_without_a_grant_names_the_command() {
    let (_sts, _backend, alice) = live();
    held(
        "credential_without_a_grant_exits_ten",
        &alice.jit(&["credential-process", "prod-admin"]).exits(10),
    );
    drop(
        alice
            .jit(&[
                "request",
                "prod-admin",
                "--for",
                "1h",
                "--reason",
                "payout job stuck",
                "--no-wait",
            ])
            .exits(0),
    );
    let pending = ["credential-process", "prod-admin", "-q"];
    let run = alice.jit(&pending);
    // the first failure is remembered for a few seconds; after them it is said that it waits
    assert_eq!(run.status, Some(10), "{run}");
    assert!(run.stderr.contains("run  jit "), "{run}");
}

#[test]
fn pending_request_is_said_to_wait() {
    let (_sts, _backend, alice) = live();
    drop(
        alice
            .jit(&[
                "request",
                "prod-admin",
                "--for",
                "1h",
                "--reason",
                "payout job stuck",
                "--no-wait",
            ])
            .exits(0),
    );
    held(
        "credential_of_a_pending_request_exits_ten",
        &alice.jit(&["credential-process", "prod-admin"]).exits(10),
    );
}

#[test]
fn two_hundred_at_once_make_one_mint() {
    let (sts, _backend, alice) = live();
    fs::remove_file(cached(&alice)).unwrap();
    let before = sts.calls().len();
    let all: Vec<_> = (0..200)
        .map(|_| alice.jit_command(&["credential-process", "dev-admin"]).start())
        .collect();
    let mut answers: Vec<String> = all
        .into_iter()
        .map(|one| one.finish(LIMIT * 4).exits(0).stdout)
        .collect();
    answers.dedup();
    assert_eq!((answers.len(), sts.calls().len() - before), (1, 1));
}

#[test]
fn torn_and_newer_cache_files_are_fetched_again() {
    let (_sts, _backend, alice) = live();
    let file = cached(&alice);
    for torn in ["", "jit-cache/1 12", "jit-cache/9 a b c\n{}\n", "{}\n"] {
        fs::write(&file, torn).unwrap();
        let run = alice.jit(&["credential-process", "dev-admin"]).exits(0);
        assert_eq!(run.json()["Version"], 1, "{torn}");
    }
}

/// As if the time had come to renew it: the fourth word of line 1 says when that is.
fn make_stale(file: &Path) {
    let text = fs::read_to_string(file).unwrap();
    let (line, json) = text.split_once('\n').unwrap();
    let mut words: Vec<&str> = line.split(' ').collect();
    words[3] = "1";
    fs::write(file, format!("{}\n{json}", words.join(" "))).unwrap();
}

#[test]
fn credential_that_still_works_is_given_where_none_is_fetched() {
    let (_sts, mut backend, alice) = live();
    let ask = ["credential-process", "dev-admin", "--request-on-miss"];
    let first = alice.jit(&ask).exits(0).stdout;
    let (file, kept) = (cached(&alice), alice.home().join("kept"));
    make_stale(&file);
    // given back as if elsewhere: nothing is live any more, and nothing is asked for in its place
    fs::rename(&file, &kept).unwrap();
    drop(alice.jit(&["drop", "dev-admin"]).exits(0));
    fs::rename(&kept, &file).unwrap();
    assert_eq!(alice.jit(&ask).exits(0).stdout, first);
    let history = alice.jit(&["status", "--history", "-o", "json"]).exits(0).json();
    assert_eq!(history["requests"].as_array().unwrap().len(), 1, "{history}");
    backend.kill();
    assert_eq!(alice.jit(&ask).exits(0).stdout, first, "a moment later");
}

#[test]
fn attack_25_open_or_linked_cache_file_exits_three() {
    let (_sts, _backend, alice) = live();
    let file = cached(&alice);
    fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    held(
        "attack_25_open_cache_file",
        &alice.jit(&["credential-process", "dev-admin"]).exits(3),
    );
    let moved = alice.home().join("moved");
    fs::rename(&file, &moved).unwrap();
    symlink(&moved, &file).unwrap();
    held(
        "attack_25_linked_cache_file",
        &alice.jit(&["credential-process", "dev-admin"]).exits(3),
    );
}

#[test]
fn attack_25_open_state_exits_three() {
    let (_sts, _backend, alice) = live();
    let file = alice.home().join(".local/state/jit/secrets.json");
    fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
    held("attack_25_open_secrets_file", &alice.jit(&["status"]).exits(3));
    fs::set_permissions(file.parent().unwrap(), PermissionsExt::from_mode(0o755)).unwrap();
    held("attack_25_open_state_folder", &alice.jit(&["status"]).exits(3));
}

#[test]
fn attack_17_identities_never_share_a_credential() {
    let (_sts, backend, mut alice) = live();
    backend.sign_in(&mut alice, "bob");
    drop(alice.jit(&["credential-process", "dev-admin"]).exits(10));
    drop(alice.jit(&["has", "dev-admin"]).exits(10));
    drop(
        alice
            .jit(&["--identity", "alice", "credential-process", "dev-admin"])
            .exits(0),
    );
    drop(alice.jit(&["logout", "--identity", "alice"]).exits(0));
    drop(
        alice
            .jit(&["--identity", "alice", "credential-process", "dev-admin"])
            .exits(4),
    );
}

#[test]
fn setup_writes_a_profile_and_keeps_the_rest() {
    let (_sts, _backend, mut alice) = live();
    let program = super::harness::jit_program();
    alice.redact(program.parent().unwrap().to_str().unwrap(), "BIN");
    let config = alice.home().join(".aws/config");
    fs::create_dir(alice.home().join(".aws")).unwrap();
    fs::write(&config, "[default]\nregion = eu-west-1").unwrap();
    held(
        "setup_shows_what_it_writes",
        &alice.jit(&["setup", "dev-admin"]).exits(0),
    );
    held(
        "setup_twice_changes_nothing",
        &alice.jit(&["setup", "dev-admin"]).exits(0),
    );
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.starts_with("[default]\nregion = eu-west-1\n\n[profile jit-dev-admin]\n# written by jit setup"));
    assert!(text.contains("\ncredential_process = "));
    fs::write(
        alice.home().join(".aws/credentials"),
        "[jit-dev-admin]\naws_access_key_id = x\n",
    )
    .unwrap();
    held(
        "setup_warns_about_static_keys",
        &alice.jit(&["setup", "dev-admin"]).exits(0),
    );
}

#[test]
fn closed_pipe_is_no_failure() {
    let (_sts, _backend, alice) = live();
    let script = format!(
        "{} targets | true; exit ${{PIPESTATUS[0]}}",
        super::harness::jit_program().display()
    );
    drop(alice.command("/bin/bash", &["-c", &script]).run().exits(0));
}
