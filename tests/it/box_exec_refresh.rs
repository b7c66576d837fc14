//! `jit exec --refresh`: who the endpoint answers, what the command finds in its environment, signals and ends.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use jit::client::TAKEN_OUT;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::harness::{Backend, BackendPlan, LIMIT, Running, SealedBox, StsRecorder, Terminal, jit_program, wait_until};
use crate::shown::held;

/// Says its environment, then lives until its input closes.
const TELLS: &str = "/usr/bin/env; echo told; read -r line";

/// Alice with dev-admin for so long.
fn live(long: &str) -> (StsRecorder, Backend, SealedBox) {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    let alice = backend.machine_of("alice");
    drop(
        alice
            .jit(&["request", "dev-admin", "--for", long, "--reason", "day to day"])
            .exits(0),
    );
    (sts, backend, alice)
}

/// A command beside which `jit` stays.
struct Beside {
    running: Running,
    told: String,
}

impl Beside {
    #[track_caller]
    fn start(alice: &SealedBox, args: &[&str], script: &str) -> Self {
        let args = [&["exec", "dev-admin"][..], args, &["--", "/bin/sh", "-c", script]].concat();
        let running = alice.jit_command(&args).kept_open().start();
        running.stdout_line("told", LIMIT);
        let told = running.said();
        Self { running, told }
    }

    fn variable(&self, name: &str) -> Option<&str> {
        let mut lines = self.told.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    }

    /// `127.0.0.1:PORT`.
    fn host(&self) -> &str {
        let uri = self.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI").unwrap();
        uri.strip_prefix("http://")
            .and_then(|rest| rest.strip_suffix("/credentials"))
            .unwrap()
    }

    /// Status and body of a call with these lines as its head.
    fn call(&self, head: &str) -> Option<(u16, Value)> {
        let mut stream = TcpStream::connect(self.host()).ok()?;
        stream.write_all(format!("{head}\r\n\r\n").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let status = answer.split(' ').nth(1)?.parse().ok()?;
        let body = answer.split_once("\r\n\r\n")?.1;
        Some((status, serde_json::from_str(body).unwrap_or_default()))
    }

    /// What the child itself would be answered.
    fn credentials(&self) -> Option<(u16, Value)> {
        let token = self.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").unwrap();
        self.call(&format!(
            "GET /credentials HTTP/1.1\r\nHost: {}\r\nAuthorization: {token}",
            self.host()
        ))
    }
}

#[test]
fn command_finds_an_endpoint_and_no_keys() {
    let (_sts, _backend, mut alice) = live("1h");
    for name in TAKEN_OUT {
        alice.set_env(name, "of-somebody-else");
    }
    let beside = Beside::start(&alice, &["--refresh"], TELLS);
    for name in TAKEN_OUT {
        let is_ours = [
            "CONTAINER_CREDENTIALS_FULL_URI",
            "CONTAINER_AUTHORIZATION_TOKEN",
            "ACCOUNT_ID",
        ]
        .iter()
        .any(|end| name.strip_prefix("AWS_") == Some(end));
        assert_eq!(beside.variable(name).is_some(), is_ours, "{name}");
        assert_ne!(beside.variable(name), Some("of-somebody-else"), "{name}");
    }
    let cached = alice.jit(&["credential-process", "dev-admin"]).exits(0).json();
    let (status, answer) = beside.credentials().unwrap();
    assert_eq!(status, 200);
    for (ours, theirs) in [
        ("AccessKeyId", "AccessKeyId"),
        ("SecretAccessKey", "SecretAccessKey"),
        ("Token", "SessionToken"),
        ("Expiration", "Expiration"),
        ("AccountId", "AccountId"),
    ] {
        assert_eq!(answer[ours], cached[theirs], "{ours}");
    }
    let token = beside.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").unwrap().to_owned();
    let line = fs::read(format!("/proc/{}/cmdline", beside.running.pid())).unwrap();
    assert!(token.len() >= 43 && !String::from_utf8_lossy(&line).contains(&token));
}

#[test]
fn attack_13_exec_endpoint_answers_its_child_alone() {
    let (_sts, _backend, alice) = live("1h");
    let beside = Beside::start(&alice, &["--refresh"], TELLS);
    let host = beside.host().to_owned();
    let port = host.rsplit(':').next().unwrap();
    let token = beside.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").unwrap();
    let auth = format!("Authorization: {token}");
    let refused = |status: u16, head: String| {
        let (seen, body) = beside.call(&head).unwrap_or_else(|| panic!("no answer: {head}"));
        assert_eq!(seen, status, "{head}");
        assert!(
            body.get("SecretAccessKey").is_none() && !body.to_string().contains("ASIA"),
            "{head}"
        );
    };
    let get = "GET /credentials HTTP/1.1";
    for rebound in [
        "evil.example",
        &format!("evil.example:{port}"),
        &format!("localhost:{port}"),
        "127.0.0.1",
    ] {
        refused(403, format!("{get}\r\nHost: {rebound}\r\n{auth}"));
    }
    refused(
        403,
        format!("GET http://{host}/credentials HTTP/1.1\r\nHost: {host}\r\n{auth}"),
    );
    refused(403, format!("GET /credentials HTTP/1.0\r\n{auth}"));
    refused(401, format!("{get}\r\nHost: {host}"));
    refused(
        401,
        format!("{get}\r\nHost: {host}\r\nAuthorization: {}", "x".repeat(token.len())),
    );
    refused(401, format!("{get}\r\nHost: {host}\r\nAuthorization: Bearer {token}"));
    refused(
        401,
        format!("OPTIONS /credentials HTTP/1.1\r\nHost: {host}\r\nOrigin: https://evil.example"),
    );
    for path in ["/", "/latest/meta-data/iam/security-credentials/", "/credentials?a=b"] {
        refused(404, format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{auth}"));
    }
    for method in ["HEAD", "POST", "PUT", "DELETE"] {
        refused(405, format!("{method} /credentials HTTP/1.1\r\nHost: {host}\r\n{auth}"));
    }
    let huge = "x".repeat(20_000);
    let seen = beside.call(&format!("{get}\r\nHost: {host}\r\nX: {huge}\r\n{auth}"));
    assert!(seen.is_none_or(|(status, _)| status == 431), "a huge head is answered");
    assert_eq!(beside.credentials().unwrap().0, 200);
}

#[test]
fn endpoint_says_nothing_once_the_grant_is_revoked() {
    let (sts, backend, alice) = live("1h");
    let beside = Beside::start(&alice, &["--refresh"], TELLS);
    assert_eq!(beside.credentials().unwrap().0, 200);
    let calls = sts.calls().len();
    let grant = alice.jit(&["status", "-o", "json"]).exits(0).stdout;
    let grant = &grant[grant.find("grt_").expect("a grant")..][..16];
    let bob = backend.machine_of("bob");
    drop(bob.jit(&["revoke", grant, "--reason", "laptop lost"]).exits(0));
    // the key of the last hour is cached, works at AWS, and is served no more
    let answer = wait_until("the endpoint to see the revoke", LIMIT, || {
        let (status, body) = beside.credentials()?;
        (status != 200).then_some((status, body))
    });
    assert_eq!(answer.0, 403);
    assert_eq!(
        answer.1["message"],
        "no live grant for dev-admin: run  jit request dev-admin"
    );
    assert_eq!(sts.calls().len(), calls);
    drop(alice.jit(&["credential-process", "dev-admin"]).exits(10));
}

#[test]
fn endpoint_goes_on_without_the_backend_and_ends_with_the_command() {
    let (_sts, mut backend, alice) = live("1h");
    let beside = Beside::start(
        &alice,
        &["--refresh"],
        "/usr/bin/sleep 600 & /usr/bin/env; echo told; read -r line; kill $!; exit 7",
    );
    backend.kill();
    assert_eq!(beside.credentials().unwrap().0, 200);
    let host = beside.host().to_owned();
    drop(beside.running.finish(LIMIT).exits(7));
    assert!(TcpStream::connect(host).is_err());
}

#[test]
fn refresh_is_chosen_where_the_grant_outlives_the_keys() {
    let (_sts, _backend, alice) = live("2h");
    let beside = Beside::start(&alice, &[], TELLS);
    assert!(beside.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI").is_some());
    assert!(beside.variable("AWS_ACCESS_KEY_ID").is_none());
    drop(beside.running.finish(LIMIT).exits(1));
    let args = [
        "exec",
        "dev-admin",
        "--no-refresh",
        "--",
        "/bin/sh",
        "-c",
        "echo ${AWS_ACCESS_KEY_ID:+keys}",
    ];
    held("exec_without_refresh_warns_of_the_end", &alice.jit(&args).exits(0));
    drop(
        alice
            .jit(&["exec", "dev-admin", "--refresh", "--no-refresh", "--", "true"])
            .exits(125),
    );
}

#[test]
fn refresh_is_chosen_where_the_grant_was_extended_since() {
    let (_sts, _backend, alice) = live("20m");
    let extend = ["extend", "dev-admin", "--for", "1h", "--reason", "not done yet"];
    drop(alice.jit(&[&extend[..], &["--no-wait"]].concat()).exits(0));
    // what is seen elsewhere counts: the credential in the cache is the one that was minted before
    wait_until("the extension", LIMIT, || {
        let status = alice.jit(&["status"]).exits(0);
        (!status.stdout.contains("GIVING")).then_some(())
    });
    let beside = Beside::start(&alice, &[], TELLS);
    assert!(beside.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI").is_some());
    drop(beside.running.finish(LIMIT));
    let env = alice.jit(&["env", "dev-admin", "--shell", "sh"]).exits(0);
    assert!(env.stderr.contains("jit exec dev-admin --refresh"), "{env}");
}

#[test]
fn default_profile_never_wins_over_the_endpoint() {
    let (_sts, _backend, alice) = live("1h");
    let aws = alice.home().join(".aws");
    fs::create_dir(&aws).unwrap();
    fs::write(aws.join("credentials"), "[default]\naws_access_key_id = AKIAMINE\n").unwrap();
    let config = "# mine\n[default]\nregion = eu-west-1\nsso_session = corp\n\n[profile x]\nrole_arn = y\n";
    fs::write(aws.join("config"), config).unwrap();
    let beside = Beside::start(&alice, &["--refresh"], TELLS);
    assert_eq!(beside.variable("AWS_SHARED_CREDENTIALS_FILE"), Some("/dev/null"));
    let copy = beside.variable("AWS_CONFIG_FILE").unwrap().to_owned();
    assert_eq!(
        fs::read_to_string(&copy).unwrap(),
        config.replace("sso_session = corp\n", "")
    );
    drop(beside.running.finish(LIMIT));
    assert!(fs::metadata(copy).is_err());
    assert_eq!(fs::read_to_string(aws.join("config")).unwrap(), config);
    fs::remove_dir_all(aws).unwrap();
    let beside = Beside::start(&alice, &["--refresh"], TELLS);
    assert!(beside.variable("AWS_CONFIG_FILE").is_none() && beside.variable("AWS_SHARED_CREDENTIALS_FILE").is_none());
}

#[test]
fn signals_reach_the_command_and_its_end_is_ours() {
    let (_sts, _backend, alice) = live("1h");
    let traps = "for s in HUP INT QUIT TERM USR1 USR2 WINCH CONT; do trap \"echo got $s\" $s; done; \
        trap 'kill $!; exit 5' TSTP; /usr/bin/sleep 600 & echo told; while :; do wait; done";
    let beside = Beside::start(&alice, &["--refresh"], traps);
    for (name, signal) in [
        ("HUP", Signal::HUP),
        ("INT", Signal::INT),
        ("QUIT", Signal::QUIT),
        ("TERM", Signal::TERM),
        ("USR1", Signal::USR1),
        ("USR2", Signal::USR2),
        ("WINCH", Signal::WINCH),
        ("CONT", Signal::CONT),
    ] {
        beside.running.signal(signal);
        beside.running.stdout_line(&format!("got {name}"), LIMIT);
    }
    beside.running.signal(Signal::TSTP);
    drop(beside.running.finish_by_itself(LIMIT).exits(5));
    for (name, code) in [("TERM", None), ("HUP", None), ("QUIT", Some(131)), ("ABRT", Some(134))] {
        let script = format!("kill -{name} $$");
        let run = alice.jit(&["exec", "dev-admin", "--refresh", "--", "/bin/sh", "-c", &script]);
        assert_eq!(run.status, code, "{name}: {run}");
    }
}

#[test]
fn command_that_ignores_a_signal_is_not_killed() {
    let (_sts, _backend, alice) = live("1h");
    let script = "trap '' TERM INT; echo told; read -r line; echo \"still $line\"";
    let beside = Beside::start(&alice, &["--refresh"], script);
    for _ in 0..3 {
        beside.running.signal(Signal::TERM);
        beside.running.signal(Signal::INT);
    }
    let mut running = beside.running;
    running.say("here\n");
    assert_eq!(running.stdout_line("still", LIMIT), "still here");
    drop(running.finish(LIMIT).exits(0));
}

#[test]
fn command_ignores_what_its_caller_had_ignored() {
    let (_sts, _backend, alice) = live("1h");
    let program = jit_program().display();
    for how in ["--refresh", "--no-refresh"] {
        let script = format!(
            "trap '' HUP; exec {program} exec dev-admin {how} -- /bin/sh -c 'kill -HUP $$; kill -HUP $PPID; echo alive'"
        );
        // a process between, so that nobody else is the parent
        let run = alice
            .command("/bin/sh", &["-c", "trap '' HUP; /bin/sh -c \"$0\"; exit $?", &script])
            .run();
        assert_eq!(run.exits(0).stdout, "alive\n", "{how}");
    }
}

#[test]
fn keys_of_a_terminal_reach_the_command_once() {
    let (_sts, _backend, alice) = live("1h");
    let script = "trap 'echo got INT' INT; echo pid $$; while :; do read -r line; echo \"read $line\"; done";
    fs::write(alice.home().join("child"), script).unwrap();
    let shell = std::path::Path::new("/bin/bash");
    let test = "keys_of_a_terminal_reach_the_command_once";
    let Some(terminal) = Terminal::start(&alice, test, shell, &["--norc", "--noprofile"]) else {
        return;
    };
    let line = format!(
        "PS1='sh> '; {} exec dev-admin --refresh -- /bin/bash child",
        jit_program().display()
    );
    terminal.types(&line);
    terminal.presses("Enter");
    terminal.wait_for("pid ");
    terminal.presses("C-c");
    terminal.wait_for("got INT");
    terminal.types("one");
    terminal.presses("Enter");
    let screen = terminal.wait_for("read one");
    assert_eq!(screen.matches("got INT").count(), 1, "{screen}");
    terminal.presses("C-z");
    terminal.wait_for("Stopped");
    terminal.types("fg >/dev/null");
    terminal.presses("Enter");
    terminal.types("two");
    terminal.presses("Enter");
    let screen = terminal.wait_for("read two");
    let pid = screen.lines().find_map(|line| line.strip_prefix("pid ")).unwrap();
    // the echo of a key may follow on the same line
    let digits: String = pid.chars().take_while(char::is_ascii_digit).collect();
    kill_process(Pid::from_raw(digits.parse().unwrap()).unwrap(), Signal::TERM).unwrap();
    terminal.wait_for("Terminated");
    terminal.types("echo code $?");
    terminal.presses("Enter");
    terminal.wait_for("code 143");
}
