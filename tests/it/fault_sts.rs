//! STS on its bad days, end to end: what `jit request` says and leaves, and what STS itself received.

use std::time::Duration;

use crate::harness::{Backend, BackendPlan, SealedBox, StsAnswer, StsCall, StsRecorder};

fn alice() -> (StsRecorder, Backend, SealedBox) {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    let alice = backend.machine_of("alice");
    (sts, backend, alice)
}

fn ask(duration: &str) -> [&str; 6] {
    ["request", "dev-admin", "--for", duration, "--reason", "night shift"]
}

/// The lines of stderr that say what failed.
fn failures(stderr: &str) -> Vec<&str> {
    stderr
        .lines()
        .filter(|line| line.contains("could not be given"))
        .collect()
}

#[test]
fn refusal_of_sts_is_one_clear_line_and_nine() {
    let (sts, _backend, alice) = alice();
    let refusals = [
        (
            StsAnswer::AccessDenied,
            "jit-dev-admin: the role does not exist, its trust policy",
        ),
        (
            StsAnswer::DurationTooLong,
            "longer than arn:aws:iam::222222222222:role/jit/jit-dev-admin allows",
        ),
        (StsAnswer::PolicyTooLarge, "--only"),
        (StsAnswer::ExpiredToken, "expired"),
    ];
    for (answer, says) in refusals {
        sts.answer(answer);
        let run = alice.jit(&ask("20s")).exits(9);
        assert_eq!(failures(&run.stderr).len(), 1, "{run}");
        assert!(run.stderr.contains(says), "no {says:?} in: {}", run.stderr);
        let id = run
            .stderr
            .split_whitespace()
            .find(|word| word.starts_with("req_"))
            .unwrap();
        let status = alice.jit(&["status", id]).exits(0);
        assert!(
            status.stdout.contains("failed") && status.stdout.contains(says),
            "{status}"
        );
        drop(alice.jit(&["credential-process", "dev-admin"]).exits(10));
    }
}

#[test]
fn throttled_call_is_made_again_until_it_succeeds() {
    let (sts, _backend, alice) = alice();
    for passing in [
        StsAnswer::Throttled,
        StsAnswer::InternalFailure,
        StsAnswer::Half,
        StsAnswer::Junk,
    ] {
        sts.then(passing);
    }
    drop(alice.jit(&ask("1h")).exits(0));
    drop(alice.jit(&["has", "dev-admin", "--fresh"]).exits(0));
    assert!(
        sts.calls().len() >= 6,
        "four that failed, the check, the mint: {}",
        sts.calls().len()
    );
}

#[test]
fn sts_that_never_answers_ends_with_the_grant() {
    let (sts, _backend, alice) = alice();
    sts.answer(StsAnswer::Held);
    let waiting = alice.jit_command(&ask("7s")).start();
    sts.wait_for_calls(2, crate::harness::LIMIT);
    let status = alice.jit(&["status"]).exits(0);
    assert!(status.stdout.contains("did not answer in time"), "{status}");
    let run = waiting.finish(crate::harness::LIMIT);
    assert!(matches!(run.status, Some(9 | 10)), "{run}");
    assert!(run.stderr.contains("dev-admin"), "{run}");
    sts.release();
}

#[test]
fn clock_of_sts_that_is_off_gives_nothing_and_says_so() {
    let (sts, _backend, alice) = alice();
    sts.answer(StsAnswer::ClockAhead(Duration::from_secs(90)));
    let waiting = alice.jit_command(&ask("4s")).start();
    sts.wait_for_calls(2, crate::harness::LIMIT);
    let status = alice.jit(&["status"]).exits(0);
    assert!(status.stdout.contains("clock"), "{status}");
    let run = waiting.finish(crate::harness::LIMIT);
    assert!(matches!(run.status, Some(9 | 10)), "{run}");
    drop(alice.jit(&["credential-process", "dev-admin"]).exits(10));
}

/// What every call carries, whatever the grant's length.
fn is_boxed(call: &StsCall, person: &str, request: &str) {
    let short = request.trim_start_matches("req_");
    assert_eq!(
        call.param("RoleArn"),
        "arn:aws:iam::222222222222:role/jit/jit-dev-admin"
    );
    assert_eq!(call.param("RoleSessionName"), format!("alice@{short}"));
    assert_eq!(call.param("SourceIdentity"), person);
    assert_eq!(
        (call.param("Tags.member.1.Key"), call.param("Tags.member.1.Value")),
        ("jit:request", request)
    );
    let policy = call.policy();
    let statements = policy["Statement"].as_array().unwrap();
    assert_eq!(statements[0]["Effect"], "Allow");
    let end = &statements[0]["Condition"]["DateLessThan"]["aws:CurrentTime"];
    assert_eq!(
        &statements[1]["Condition"]["DateGreaterThanEquals"]["aws:CurrentTime"],
        end
    );
    let denied = statements[2..]
        .iter()
        .map(|s| s["Action"].to_string())
        .collect::<String>();
    for way_out in ["sts:AssumeRole", "sts:GetWebIdentityToken", "iam:PassRole", "iam:Put*"] {
        assert!(
            denied.contains(&format!("\"{way_out}\"")),
            "{way_out} is open: {policy}"
        );
    }
}

#[test]
fn sts_receives_time_box_names_and_duration() {
    let (sts, _backend, alice) = alice();
    let me = alice.jit(&["whoami", "-o", "json"]).exits(0).json();
    let person = me["person"]["id"].as_str().unwrap().to_owned();
    for (duration, seconds) in [("20s", 900), ("30m", 1800), ("4h", 3600)] {
        let before = sts.calls().len();
        let mut ask = ask(duration).to_vec();
        ask.extend(["-o", "json"]);
        let lines = alice.jit(&ask).exits(0).json_lines();
        let request = lines.last().unwrap()["id"].as_str().unwrap().to_owned();
        let calls = sts.calls()[before..].to_vec();
        assert_eq!(calls.len(), 2, "the check and the mint");
        for call in &calls {
            is_boxed(call, &person, &request);
            // the mint may come a second after the check
            let asked: i64 = call.param("DurationSeconds").parse().unwrap();
            assert!((seconds - 5..=seconds).contains(&asked), "{duration}: {asked}");
        }
        drop(alice.jit(&["drop", "dev-admin"]).exits(0));
        drop(alice.jit(&["wait", &request, "--until", "ended"]).exits(0));
    }
}
