//! The helper as a program: what a tool sees of a hit, a miss and a broken installation.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use crate::support::{Place, SERVER, account, entry, helper_path};

const ARGS: [&str; 5] = ["prod", "--server", SERVER, "--identity", "alice"];

/// A cache with a credential that is good by the real clock.
fn holding() -> Place {
    let place = Place::new();
    let entry = entry("secret-1", hot::now_ms() + 3_600_000);
    place.cache.write(&account("alice"), "prod", &entry).unwrap();
    place
}

/// The helper in a folder of its own, with `echo` as the `jit` beside it where asked.
fn installed(place: &Place, with_jit: bool) -> PathBuf {
    let folder = place.folder.join("bin");
    fs::create_dir(&folder).unwrap();
    fs::hard_link(helper_path(), folder.join("jit-credential")).unwrap();
    if with_jit {
        symlink("/bin/echo", folder.join("jit")).unwrap();
    }
    folder.join("jit-credential")
}

fn seen(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn hit_prints_the_json_and_nothing_else() {
    let place = holding();
    let json = "{\"Version\":1,\"SecretAccessKey\":\"secret-1\"}\n".to_owned();
    assert_eq!(
        seen(&place.helper(helper_path(), &ARGS)),
        (Some(0), json, String::new())
    );
}

#[test]
fn miss_becomes_the_jit_beside_it_with_the_same_arguments() {
    let place = Place::new();
    let output = place.helper(&installed(&place, true), &ARGS);
    let echoed = format!("credential-process prod --server {SERVER} --identity alice\n");
    assert_eq!(seen(&output), (Some(0), echoed, String::new()));
}

#[test]
fn other_arguments_are_handed_over_too() {
    let place = holding();
    let output = place.helper(&installed(&place, true), &["prod", "-v", "--identity", "alice"]);
    assert_eq!(seen(&output).1, "credential-process prod -v --identity alice\n");
}

#[test]
fn link_to_the_helper_finds_the_jit_of_the_real_folder() {
    let place = Place::new();
    let link = place.folder.join("jit-credential");
    symlink(installed(&place, true), &link).unwrap();
    symlink("/bin/false", place.folder.join("jit")).unwrap();
    assert!(
        seen(&place.helper(&link, &ARGS))
            .1
            .starts_with("credential-process prod ")
    );
}

#[test]
fn jit_on_the_path_is_never_started() {
    let place = Place::new();
    let helper = installed(&place, false);
    let trap = place.folder.join("trap");
    fs::create_dir(&trap).unwrap();
    symlink("/bin/echo", trap.join("jit")).unwrap();
    let output = place
        .command(&helper)
        .env("PATH", &trap)
        .current_dir(&trap)
        .args(ARGS)
        .output()
        .unwrap();
    let (code, stdout, stderr) = seen(&output);
    assert_eq!((code, stdout.as_str()), (Some(3), ""));
    assert!(
        stderr.starts_with("jit: cannot start ") && stderr.ends_with(": run  ./install.sh\n"),
        "{stderr}"
    );
    assert_eq!(stderr.lines().count(), 1);
}

#[test]
fn closed_pipe_is_no_failure() {
    let place = holding();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let child = place
        .command(helper_path())
        .args(ARGS)
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(seen(&output), (Some(0), String::new(), String::new()));
}

#[test]
#[cfg(target_os = "linux")]
fn full_stdout_is_a_failure() {
    let place = holding();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let child = place
        .command(helper_path())
        .args(ARGS)
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (code, _, stderr) = seen(&child.wait_with_output().unwrap());
    assert!(
        code == Some(1) && stderr.starts_with("jit: cannot write to stdout: "),
        "{code:?} {stderr}"
    );
}

#[test]
fn help_and_version_are_short() {
    let place = Place::new();
    let (code, help, stderr) = seen(&place.helper(helper_path(), &["--help"]));
    assert!(code == Some(0) && stderr.is_empty() && help.contains("Usage: jit-credential TARGET"));
    assert!(help.lines().count() <= 12 && help.contains("credential_process = "));
    let version = format!("jit-credential {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        seen(&place.helper(helper_path(), &["--version"])),
        (Some(0), version, String::new())
    );
}

#[test]
fn racing_processes_see_whole_credentials_while_one_writes() {
    let place = holding();
    let spawn = |_| {
        place
            .command(helper_path())
            .args(ARGS)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    for round in 0..10 {
        let children: Vec<_> = (0..4).map(spawn).collect();
        let entry = entry(&"s".repeat(5000 + round), hot::now_ms() + 3_600_000);
        place.cache.write(&account("alice"), "prod", &entry).unwrap();
        for child in children {
            let (code, stdout, _) = seen(&child.wait_with_output().unwrap());
            assert!(
                code == Some(0) && stdout.starts_with("{\"Version\":1") && stdout.ends_with("\"}\n"),
                "{stdout}"
            );
        }
    }
}

#[test]
fn own_folder_needs_no_environment() {
    let place = Place::new();
    let helper = installed(&place, true);
    let output = std::process::Command::new(&helper)
        .env_clear()
        .current_dir(Path::new("/"))
        .args(ARGS)
        .output()
        .unwrap();
    assert!(seen(&output).1.starts_with("credential-process prod "));
}
