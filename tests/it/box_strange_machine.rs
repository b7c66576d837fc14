//! Machines and files that are not as one thinks: AWS configurations of every kind, no home, a terminal that can do
//! nothing, a command that leaves others behind.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

use rustix::process::{Pid, Signal, geteuid, kill_process};

use super::harness::{
    Backend, BackendPlan, Run, SealedBox, StsRecorder, is_there, jit_program, left_out, venv_program,
};
use super::shown::held;

fn signed_in() -> (StsRecorder, Backend, SealedBox) {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    let mut alice = backend.machine_of("alice");
    alice.redact(jit_program().parent().unwrap().to_str().unwrap(), "BIN");
    fs::create_dir(alice.home().join(".aws")).unwrap();
    (sts, backend, alice)
}

fn config(machine: &SealedBox) -> std::path::PathBuf {
    machine.home().join(".aws/config")
}

/// `setup` into `text`, then `undo`: what stood in between.
#[track_caller]
fn there_and_back(machine: &SealedBox, text: &[u8]) -> Vec<u8> {
    fs::write(config(machine), text).unwrap();
    drop(machine.jit(&["setup", "--all"]).exits(0));
    let with = fs::read(config(machine)).unwrap();
    drop(machine.jit(&["setup", "--undo"]).exits(0));
    assert!(fs::read(config(machine)).unwrap() == text, "bytes of others changed");
    with
}

/// What botocore makes of `jit-dev-admin`.
fn as_botocore_reads(machine: &SealedBox) -> Run {
    let script = "import botocore.session as s; p = s.Session(profile='jit-dev-admin').get_scoped_config(); \
                  print(sorted(p)); print(p['credential_process'].split()[1])";
    machine.command(venv_program("python"), &["-c", script]).run()
}

#[test]
fn config_with_windows_line_endings_keeps_them() {
    let (_sts, _backend, alice) = signed_in();
    let with = there_and_back(&alice, b"[default]\r\nregion = eu-west-1\r\n");
    let text = String::from_utf8(with).unwrap();
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    drop(alice.jit(&["setup", "dev-admin"]).exits(0));
    let read = as_botocore_reads(&alice).exits(0);
    assert_eq!(read.stdout, "['credential_process']\ndev-admin\n");
}

#[test]
fn section_that_stands_twice_is_kept_and_said() {
    let (_sts, _backend, alice) = signed_in();
    let twice = "[profile a]\nregion = x\n[profile b]\n[profile a]\noutput = json\n";
    drop(there_and_back(&alice, twice.as_bytes()));
    held(
        "setup_says_which_section_stands_twice",
        &alice.jit(&["setup", "dev-admin"]).exits(0),
    );
    // it is as said: botocore reads nothing of such a file
    let read = as_botocore_reads(&alice);
    assert!(read.stderr.contains("Unable to parse config file"), "{read}");
    // the whole file stands twice, with a section of ours in it
    let once = fs::read_to_string(config(&alice)).unwrap();
    fs::write(config(&alice), once.repeat(2)).unwrap();
    drop(alice.jit(&["setup", "dev-admin"]).exits(0));
    assert_eq!(fs::read_to_string(config(&alice)).unwrap(), once.repeat(2));
    drop(alice.jit(&["setup", "--undo"]).exits(0));
    let left = fs::read_to_string(config(&alice)).unwrap();
    assert!(!left.contains("jit"), "{left}");
    assert_eq!(left.matches("[profile a]").count(), 4, "{left}");
}

#[test]
fn config_of_five_megabytes_is_kept_to_the_byte() {
    let (_sts, _backend, alice) = signed_in();
    let section = |n: usize| format!("[profile team-{n}]\n# {}\nregion = eu-west-1\n\n", "x".repeat(200));
    let large: String = (0..21_000).map(section).collect();
    assert!(large.len() > 5_000_000);
    let with = there_and_back(&alice, large.as_bytes());
    assert!(with.starts_with(large.as_bytes()) && with.len() < large.len() + 4_000);
}

#[test]
fn config_that_is_read_only_is_left_alone() {
    let (_sts, _backend, alice) = signed_in();
    fs::write(config(&alice), "[default]\n").unwrap();
    fs::set_permissions(config(&alice), PermissionsExt::from_mode(0o444)).unwrap();
    held(
        "setup_of_a_read_only_file_exits_three",
        &alice.jit(&["setup", "dev-admin"]).exits(3),
    );
    assert_eq!(fs::read(config(&alice)).unwrap(), b"[default]\n");
}

#[test]
fn what_wins_over_a_profile_is_said() {
    let (_sts, _backend, alice) = signed_in();
    let keys = "[jit-dev-admin]\naws_access_key_id = AKIAMINE\naws_secret_access_key = x\n";
    fs::write(alice.home().join(".aws/credentials"), keys).unwrap();
    drop(alice.jit(&["setup", "dev-admin"]).exits(0));
    let ours = fs::read_to_string(config(&alice)).unwrap();
    fs::write(
        config(&alice),
        format!("{ours}sso_session = corp\nsso_account_id = 1\n"),
    )
    .unwrap();
    held(
        "setup_says_what_wins_over_its_profile",
        &alice.jit(&["setup", "dev-admin"]).exits(0),
    );
}

#[test]
fn setup_of_another_prefix_is_found_by_use() {
    let (_sts, _backend, alice) = signed_in();
    drop(alice.jit(&["setup", "dev-admin", "--prefix", "acme-"]).exits(0));
    let ask = ["request", "dev-admin", "--for", "1h", "--reason", "day to day"];
    let asked = alice.jit(&ask).exits(0);
    assert!(asked.stderr.contains("aws --profile acme-dev-admin …"), "{asked}");
    let used = alice.jit(&["use", "dev-admin", "-o", "json"]).exits(0).json();
    assert_eq!(used["profile"], "acme-dev-admin");
    // a profile of ours is nobody's own: `jit use -` does not go back to it
    let command = alice.jit_command(&["use", "dev-admin", "--shell", "sh", "--hook"]);
    let again = command.env("AWS_PROFILE", "acme-dev-admin").run().exits(0);
    assert!(!again.stdout.contains("_JIT_PROFILE_BEFORE"), "{again}");
    let command = alice.jit_command(&["use", "dev-admin", "--shell", "sh", "--hook"]);
    let mine = command.env("AWS_PROFILE", "acme-mine").run().exits(0);
    assert!(mine.stdout.contains("_JIT_PROFILE_BEFORE=acme-mine"), "{mine}");
    let live = fs::read_to_string(alice.home().join(".local/state/jit/live")).unwrap();
    assert_eq!(live.split(' ').nth(2), Some("acme-dev-admin"));
}

#[test]
fn person_without_a_home_is_told_so() {
    let test = "person_without_a_home_is_told_so";
    let Some(setpriv) = is_there("setpriv").filter(|_| geteuid().is_root()) else {
        return left_out(
            test,
            "nobody but root becomes somebody whom the account database does not know",
        );
    };
    let mut machine = SealedBox::new();
    for name in [
        "HOME",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
        "XDG_CACHE_HOME",
        "XDG_DATA_HOME",
    ] {
        machine.remove_env(name);
    }
    let stranger = ["--reuid", "54321", "--regid", "54321", "--clear-groups"];
    let jit = jit_program().to_str().unwrap();
    let as_stranger = |args: &[&str]| machine.command(&setpriv, &[&stranger, &[jit][..], args].concat()).run();
    held("status_without_a_home_exits_three", &as_stranger(&["status"]).exits(3));
    held(
        "credential_without_a_home_exits_three",
        &as_stranger(&["credential-process", "dev-admin"]).exits(3),
    );
    drop(as_stranger(&["--version"]).exits(0));
    drop(as_stranger(&["env", "--unset", "--shell", "sh"]).exits(0));
}

#[test]
fn folders_that_are_named_need_no_home() {
    let (_sts, _backend, mut alice) = signed_in();
    let home = alice.home();
    let state = home.join(".local/state/jit");
    fs::write(home.join("jit.toml"), "").unwrap();
    for (name, path) in [
        ("JIT_STATE_DIR", state),
        ("JIT_CACHE_DIR", home.join(".cache/jit")),
        ("JIT_CONFIG_FILE", home.join("jit.toml")),
        ("AWS_CONFIG_FILE", home.join(".aws/config")),
        ("AWS_SHARED_CREDENTIALS_FILE", home.join(".aws/credentials")),
    ] {
        alice.set_env(name, path);
    }
    for name in [
        "HOME",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
        "XDG_CACHE_HOME",
        "XDG_DATA_HOME",
    ] {
        alice.remove_env(name);
    }
    drop(alice.jit(&["setup", "dev-admin"]).exits(0));
    let ask = ["request", "dev-admin", "--for", "1h", "--reason", "day to day"];
    drop(alice.jit(&ask).exits(0));
    drop(alice.jit(&["credential-process", "dev-admin"]).exits(0));
    assert!(config(&alice).is_file());
}

#[test]
fn dumb_terminal_gets_no_colour() {
    let test = "dumb_terminal_gets_no_colour";
    let Some(script) = is_there("script") else {
        return left_out(test, "script is missing");
    };
    let (_sts, _backend, mut alice) = signed_in();
    alice.remove_env("NO_COLOR");
    let jit = jit_program().display();
    // raw, as the terminal is sent it
    let sent = |term: &str, verb: &str| {
        let line = format!("{jit} {verb}");
        let run = alice
            .command(&script, &["-qec", &line, "/dev/null"])
            .env("TERM", term)
            .run();
        assert!(!run.stdout.is_empty(), "{run}");
        run.stdout
    };
    let ask = "request dev-admin --for 1h --reason daily";
    assert!(sent("xterm-256color", ask).contains("\u{1b}["), "colour elsewhere");
    for verb in [ask, "status", "request --help", "env dev-admin"] {
        let said = sent("dumb", verb);
        assert!(!said.contains('\u{1b}'), "{verb}: {said:?}");
    }
}

#[test]
fn what_a_command_leaves_behind_gets_no_keys() {
    let (_sts, _backend, alice) = signed_in();
    let ask = ["request", "dev-admin", "--for", "1h", "--reason", "day to day"];
    drop(alice.jit(&ask).exits(0));
    let leaves = "/usr/bin/setsid /usr/bin/sleep 600 <&- >/dev/null 2>&1 & echo \"$!\"; \
                  echo \"$AWS_CONTAINER_CREDENTIALS_FULL_URI\"; exit 3";
    let run = alice.jit(&["exec", "dev-admin", "--refresh", "--", "/bin/sh", "-c", leaves]);
    let said: Vec<String> = run.exits(3).stdout.lines().map(str::to_owned).collect();
    let left = Pid::from_raw(said[0].parse().unwrap()).unwrap();
    let host = said[1].trim_start_matches("http://").split('/').next().unwrap();
    assert!(TcpStream::connect(host).is_err(), "the endpoint outlives its command");
    // it is not ours to end
    kill_process(left, Signal::KILL).unwrap();
}

#[test]
fn times_are_those_of_the_zone_that_tz_names() {
    let (_sts, _backend, alice) = signed_in();
    let ask = ["request", "dev-admin", "--for", "1h", "--reason", "day to day"];
    drop(alice.jit(&ask).exits(0));
    let json = alice.jit(&["env", "dev-admin", "-o", "json"]).exits(0).json();
    let expires = json["expires_at"].as_str().unwrap();
    // a name, one by the rules alone, the one of this machine
    for zone in ["Asia/Kolkata", "UTC-5:30", "Etc/UTC", ""] {
        let of_date = alice
            .command("/usr/bin/date", &["-d", expires, "+%H:%M"])
            .env("TZ", zone)
            .run();
        let run = alice.jit_command(&["env", "dev-admin"]).env("TZ", zone).run().exits(0);
        let at = of_date.exits(0).stdout;
        assert!(
            run.stderr.contains(&format!("{} (in", at.trim())),
            "{zone}: {run}, {at}"
        );
    }
}

#[test]
fn wait_says_the_ticket_of_what_it_waits_for() {
    let (_sts, _backend, alice) = signed_in();
    let ask = [
        "request",
        "prod-admin",
        "--for",
        "1h",
        "--reason",
        "replay the night",
        "--ticket",
        "OPS-7",
        "--no-wait",
    ];
    drop(alice.jit(&ask).exits(0));
    let run = alice.jit(&["wait", "prod-admin", "--timeout", "1s"]).exits(7);
    assert!(run.stderr.contains("  ticket  OPS-7 (not looked up)\n"), "{run}");
}
