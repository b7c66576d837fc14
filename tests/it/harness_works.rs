//! The harness's own tests: what other tests lean on must hold by itself.

use std::net::TcpStream;
use std::time::Duration;

use crate::harness::{AwsKeys, LIMIT, MiniStack, RawServer, SealedBox, StsAnswer, StsRecorder, Terminal, wait_until};

const ROLE: &str = "arn:aws:iam::111111111111:role/jit/jit-prod-admin";

/// `aws sts assume-role` as the backend's account, with more arguments.
fn assume_role(endpoint: &str, more: &[&str]) -> crate::harness::Run {
    let machine = SealedBox::new()
        .with_env("AWS_ACCESS_KEY_ID", "test")
        .with_env("AWS_SECRET_ACCESS_KEY", "test")
        .with_env("AWS_MAX_ATTEMPTS", "1");
    let mut args = vec![
        "sts",
        "assume-role",
        "--role-arn",
        ROLE,
        "--role-session-name",
        "alice@0123456789ab",
        "--output",
        "json",
    ];
    args.extend(more);
    machine.aws(endpoint, &args)
}

#[test]
fn a_box_shows_the_program_only_its_own_environment() {
    let run = SealedBox::new()
        .with_env("EXTRA", "1")
        .command("/usr/bin/env", &[])
        .run()
        .exits(0);
    let mut names: Vec<&str> = run
        .stdout
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name)
        .collect();
    names.sort_unstable();
    let xdg = [
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_RUNTIME_DIR",
        "XDG_STATE_HOME",
    ];
    let mut wanted = vec!["EXTRA", "HOME", "LANG", "NO_COLOR", "PATH", "TMPDIR", "TZ"];
    wanted.extend(xdg);
    wanted.sort_unstable();
    assert_eq!(names, wanted);
}

#[test]
fn a_run_keeps_status_and_both_outputs_apart() {
    let run = SealedBox::new()
        .command("/bin/sh", &["-c", "read -r line; echo \"$line\"; echo err >&2; exit 7"])
        .input("in\n")
        .run();
    assert_eq!(run.to_string(), "exit: 7\n--- stdout\nin\n--- stderr\nerr\n");
}

#[test]
#[should_panic(expected = "still runs after")]
fn a_program_past_its_limit_fails_the_test() {
    let running = SealedBox::new()
        .command("/bin/sh", &["-c", "read -r _ < /dev/zero"])
        .start();
    drop(running.finish(Duration::from_millis(50)));
}

#[test]
fn a_dropped_program_is_dead() {
    let mut running = SealedBox::new()
        .command("/bin/sh", &["-c", "echo up; read -r _ < /dev/zero"])
        .start();
    running.stdout_line("up", Duration::from_secs(10));
    assert!(running.is_alive());
    let pid = rustix::process::Pid::from_raw(running.pid().cast_signed()).unwrap();
    drop(running);
    wait_until("its death", Duration::from_secs(10), || {
        rustix::process::test_kill_process(pid).err()
    });
}

#[test]
fn recorder_writes_down_what_the_aws_cli_sent() {
    let recorder = StsRecorder::start();
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let run = assume_role(
        &recorder.url,
        &[
            "--duration-seconds",
            "900",
            "--tags",
            "Key=jit:request,Value=req_1",
            "--policy",
            policy,
        ],
    )
    .exits(0);
    assert_eq!(run.json()["Credentials"]["AccessKeyId"], "ASIAMOCK000000000001");
    let call = &recorder.wait_for_calls(1, Duration::from_secs(1))[0];
    assert_eq!((call.param("RoleArn"), call.param("DurationSeconds")), (ROLE, "900"));
    assert_eq!(call.param("Tags.member.1.Key"), "jit:request");
    assert_eq!(call.policy()["Version"], "2012-10-17");
}

#[test]
fn recorder_plays_each_refusal_as_the_aws_cli_reads_it() {
    let recorder = StsRecorder::start();
    let refusals = [
        (StsAnswer::AccessDenied, "(AccessDenied)"),
        (StsAnswer::DurationTooLong, "(ValidationError)"),
        (StsAnswer::PolicyTooLarge, "(PackedPolicyTooLarge)"),
        (StsAnswer::Throttled, "(Throttling)"),
        (StsAnswer::ExpiredToken, "(ExpiredToken)"),
    ];
    for (answer, code) in refusals {
        recorder.then(answer);
        let run = assume_role(&recorder.url, &[]);
        assert!(run.status != Some(0) && run.stderr.contains(code), "{run}");
    }
    recorder.answer(StsAnswer::Half);
    assert_ne!(assume_role(&recorder.url, &[]).status, Some(0));
}

#[test]
fn recorder_holds_an_answer_until_released() {
    let recorder = StsRecorder::start();
    recorder.then(StsAnswer::Held);
    let url = recorder.url.clone();
    let caller = std::thread::spawn(move || assume_role(&url, &[]).exits(0));
    recorder.wait_for_calls(1, Duration::from_secs(30));
    assert!(!caller.is_finished());
    recorder.release();
    assert_eq!(caller.join().unwrap().status, Some(0));
}

#[test]
fn ministack_enforces_a_session_policy_on_s3() {
    let url = &MiniStack::shared().url;
    let keys = |policy: &str| {
        AwsKeys::from_credential_process(&assume_role(url, &["--policy", policy]).exits(0).json()["Credentials"])
    };
    let boxed = |condition: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}]}}"#
        )
    };
    let live = keys(&boxed(r#"{"DateLessThan":{"aws:CurrentTime":"2999-01-01T00:00:00Z"}}"#));
    let over = keys(&boxed(r#"{"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}"#));
    let list = ["s3api", "list-buckets"];
    drop(SealedBox::new().aws_with(url, &live, &list).exits(0));
    let refused = SealedBox::new().aws_with(url, &over, &list);
    assert!(
        refused.status != Some(0) && refused.stderr.contains("AccessDenied"),
        "{refused}"
    );
}

#[test]
fn a_ministack_of_ones_own_is_gone_with_it() {
    let stack = MiniStack::own();
    let address = stack.url.trim_start_matches("http://").to_owned();
    assert!(TcpStream::connect(&address).is_ok());
    drop(stack);
    // killed before its shell ended, and the system closes what it listened on a moment later
    wait_until("nobody listening", LIMIT, || TcpStream::connect(&address).err());
}

#[test]
fn raw_server_answers_as_told_and_counts() {
    use std::io::{Read, Write};
    let server = RawServer::redirecting("http://127.0.0.1:1/");
    let mut stream = std::net::TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    stream
        .write_all(b"POST /v1/requests HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 307 ") && answer.contains("\r\nLocation: http://127.0.0.1:1/\r\n"),
        "{answer}"
    );
    assert_eq!(server.requests(), ["POST /v1/requests HTTP/1.1"]);
}

#[test]
fn a_terminal_shows_the_screen_and_takes_keys() {
    let machine = SealedBox::new();
    let asks = ["-c", "printf 'name? '; read -r name; echo \"hello $name\"; exit 7"];
    let test = "a_terminal_shows_the_screen_and_takes_keys";
    let Some(terminal) = Terminal::start(&machine, test, std::path::Path::new("/bin/sh"), &asks) else {
        return;
    };
    terminal.wait_for("name?");
    terminal.types("ana");
    terminal.presses("Enter");
    assert!(terminal.wait_for("hello").contains("hello ana"));
    assert_eq!(terminal.exit_code(), 7);
}
