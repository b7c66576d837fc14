//! `jit setup --all` and `--undo` on configurations that people wrote by hand.

use std::fs;
use std::os::unix::fs::symlink;

use crate::harness::{Backend, BackendPlan, LIMIT, SealedBox, StsRecorder, jit_program, venv_program};
use crate::shown::held;

fn signed_in() -> (StsRecorder, Backend, SealedBox) {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    let mut alice = backend.machine_of("alice");
    alice.redact(jit_program().parent().unwrap().to_str().unwrap(), "BIN");
    fs::create_dir(alice.home().join(".aws")).unwrap();
    (sts, backend, alice)
}

/// Some 3,000 lines as they come together in years, without a last line ending. Nothing in it is ours.
fn by_hand() -> Vec<u8> {
    let mut text = b"\xef\xbb\xbf# my accounts, caf\xe9 edition\r\n".to_vec();
    for n in 0..360 {
        let odd = match n % 5 {
            0 => format!("[profile  team-{n} ]   # since 2019\nregion=eu-west-1\nOUTPUT =  json\n\n\n"),
            1 => format!(
                "[profile team-{n}]\r\nsso_session = corp\r\nsso_account_id = 1111\r\n\tregion\t=\tus-east-1\r\n"
            ),
            2 => format!(
                "[profile team-{n}]\ns3 =\n    max_concurrent_requests = 20\n\taddressing_style = path\n# end of {n}\n"
            ),
            3 => format!("; old\n;[profile team-{n}]\n[sso-session corp-{n}]\nsso_start_url = https://x/{n}#/\n"),
            _ => format!(
                "[services local-{n}]\ndynamodb =\n  endpoint_url = http://localhost:8000\n[profile twice]\nregion = {n}\n"
            ),
        };
        text.extend(odd.bytes());
        text.extend(format!("# {n} --------------------------------\n\n  \n# written by jit setup?\n").bytes());
    }
    text.extend(b"[default]\ncredential_process = /opt/other --x");
    text
}

#[test]
fn undo_after_all_restores_every_byte() {
    let (_sts, _backend, alice) = signed_in();
    let before = by_hand();
    assert!(before.iter().filter(|byte| **byte == b'\n').count() >= 3_000);
    let real = alice.home().join("dotfiles");
    fs::write(&real, &before).unwrap();
    symlink(&real, alice.home().join(".aws/config")).unwrap();
    let tried = alice.jit(&["setup", "--all", "--dry-run"]).exits(0);
    assert!(tried.stderr.contains("+ [profile jit-dev-admin]"), "{tried}");
    assert_eq!(fs::read(&real).unwrap(), before);
    drop(alice.jit(&["setup", "--all"]).exits(0));
    let with = fs::read(&real).unwrap();
    assert!(with.starts_with(&before) && with.len() > before.len());
    let again = alice.jit(&["setup", "--all", "-o", "json"]).exits(0).json();
    assert_eq!(
        (&again["changed"], again["profiles"].as_array().unwrap().len()),
        (&false.into(), 4)
    );
    assert_eq!(fs::read(&real).unwrap(), with);
    drop(alice.jit(&["setup", "--undo", "dev-admin"]).exits(0));
    drop(alice.jit(&["setup", "--undo", "--prefix", "other-"]).exits(0));
    assert!(fs::read(&real).unwrap().len() > before.len());
    drop(alice.jit(&["setup", "--all"]).exits(0));
    drop(alice.jit(&["setup", "--undo"]).exits(0));
    assert!(
        fs::symlink_metadata(alice.home().join(".aws/config"))
            .unwrap()
            .is_symlink()
    );
    assert!(fs::read(&real).unwrap() == before, "bytes of others changed");
}

#[test]
fn setup_all_and_undo_say_what_they_do() {
    let (_sts, _backend, alice) = signed_in();
    fs::write(alice.home().join(".aws/config"), "[default]\nregion = eu-west-1\n").unwrap();
    held(
        "setup_all_shows_what_it_writes",
        &alice.jit(&["setup", "--all"]).exits(0),
    );
    held(
        "setup_undo_shows_what_it_takes",
        &alice.jit(&["setup", "--undo", "dev-admin"]).exits(0),
    );
    drop(alice.jit(&["logout"]).exits(0));
    drop(alice.jit(&["setup", "--undo"]).exits(0));
    held(
        "setup_undo_twice_does_nothing",
        &alice.jit(&["setup", "--undo"]).exits(0),
    );
    drop(alice.jit(&["setup"]).exits(2));
    drop(alice.jit(&["setup", "--all", "dev-admin"]).exits(2));
    drop(alice.jit(&["setup", "--undo", "--prefix", "a b"]).exits(2));
}

#[test]
fn profile_that_somebody_wrote_is_refused() {
    let (_sts, _backend, alice) = signed_in();
    let config = alice.home().join(".aws/config");
    let text = "[profile jit-dev-admin]\nregion = x\n";
    fs::write(&config, text).unwrap();
    held(
        "setup_of_a_profile_of_somebody_exits_three",
        &alice.jit(&["setup", "--all"]).exits(3),
    );
    held(
        "setup_undo_leaves_a_profile_of_somebody",
        &alice.jit(&["setup", "--undo", "dev-admin"]).exits(0),
    );
    assert_eq!(fs::read_to_string(&config).unwrap(), text);
    drop(alice.jit(&["setup", "--all", "--prefix", "a."]).exits(0));
    let listed = alice
        .command(
            venv_program("python"),
            &[
                "-c",
                "import boto3; print(*boto3.Session().available_profiles, sep=chr(10))",
            ],
        )
        .run()
        .exits(0);
    assert!(listed.stdout.lines().any(|name| name == "a.prod-admin"), "{listed}");
}

#[test]
fn setups_at_once_lose_nothing() {
    let (_sts, _backend, alice) = signed_in();
    let targets = ["dev-admin", "prod-admin", "prod-readonly", "prod-owner"];
    let all: Vec<_> = targets
        .iter()
        .map(|name| alice.jit_command(&["setup", name]).start())
        .collect();
    for one in all {
        drop(one.finish(LIMIT).exits(0));
    }
    let text = fs::read_to_string(alice.home().join(".aws/config")).unwrap();
    for name in targets {
        assert!(text.contains(&format!("[profile jit-{name}]")), "{name}");
    }
    drop(alice.jit(&["setup", "--undo"]).exits(0));
    assert_eq!(fs::read_to_string(alice.home().join(".aws/config")).unwrap(), "");
}

#[test]
fn no_room_leaves_the_old_configuration() {
    let (_sts, _backend, alice) = signed_in();
    let config = alice.home().join(".aws/config");
    let before = by_hand();
    fs::write(&config, &before).unwrap();
    // no file may grow beyond 16 KiB: as a full disk, in the middle of writing
    let script = format!(
        "trap '' XFSZ; ulimit -f 16; exec {} setup --all",
        jit_program().display()
    );
    let run = alice.command("/bin/bash", &["-c", &script]).run().exits(3);
    assert!(run.stderr.contains(".aws/config: "), "{run}");
    assert!(fs::read(&config).unwrap() == before);
    let left = fs::read_dir(alice.home().join(".aws")).unwrap().count();
    assert_eq!(left, 1);
}

#[test]
fn setup_keeps_a_profile_that_asks_until_told_otherwise() {
    let (_sts, _backend, alice) = signed_in();
    let config = || fs::read_to_string(alice.home().join(".aws/config")).unwrap();
    let asking = [
        "setup",
        "prod-admin",
        "-y",
        "--request-on-miss",
        "--reason",
        "nightly report",
    ];
    drop(alice.jit(&asking).exits(0));
    let flags = " --request-on-miss --reason \"nightly report\"\n";
    assert!(config().contains(flags), "{}", config());
    drop(alice.jit(&["setup", "--all", "-y"]).exits(0));
    assert_eq!(config().matches(" --request-on-miss").count(), 1, "{}", config());
    assert!(config().contains(flags), "{}", config());
    let told = alice
        .jit(&["setup", "prod-admin", "-y", "--no-request-on-miss"])
        .exits(0);
    assert!(told.stderr.contains("- credential_process = "), "{told}");
    assert!(!config().contains("--request-on-miss"), "{}", config());
    let both = ["setup", "prod-admin", "--request-on-miss", "--no-request-on-miss"];
    drop(alice.jit(&both).exits(2));
}
