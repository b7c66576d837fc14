//! A backend that answers badly, at first contact and while somebody waits, and a machine that keeps nothing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::mock_answers::{answer, honest, request};
use crate::harness::{BackendPlan, RawServer, Run, SealedBox, StsRecorder};

/// Somebody who signed in at a backend in whose place now stands a server that answers with what `other` makes of a
/// call's first line.
fn signed_in(other: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> SealedBox {
    let mut backend = BackendPlan::with_aws("http://127.0.0.1:9").start();
    let machine = backend.machine_of("alice");
    backend.kill();
    drop(RawServer::in_place_of(backend.url(), other));
    machine
}

/// A request that waits for a decision.
fn pending() -> serde_json::Value {
    let mut pending = request();
    pending["state"] = json!("pending");
    pending["grant"] = json!(null);
    pending
}

fn one_clear_line(run: &Run) {
    let said = run.stderr.lines().filter(|line| line.starts_with("jit: ")).count();
    assert_eq!(said, 1, "{run}");
}

#[test]
fn endless_answer_is_cut_and_exits_eight() {
    let machine = signed_in(|_| {
        let mut endless = answer(200, &json!({}));
        let head = b"HTTP/1.1 200 OK\r\nJit-Version: 0.1.0\r\nContent-Type: application/json\r\n\r\n";
        endless.splice(.., head.iter().copied().chain(std::iter::repeat_n(b' ', 32 << 20)));
        endless
    });
    let run = machine.jit(&["status"]).exits(8);
    assert!(run.stderr.contains("too large"), "{run}");
    one_clear_line(&run);
}

#[test]
fn silent_backend_keeps_no_aws_tool_waiting() {
    let machine = signed_in(|_| {
        // nobody unparks this thread: the answer never comes
        std::thread::park_timeout(Duration::from_secs(60));
        Vec::new()
    });
    let begun = Instant::now();
    let run = machine.jit(&["credential-process", "prod-admin"]).exits(8);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    assert_eq!(run.stderr.lines().count(), 1, "{run}");
}

/// The call is sent once more with the nonce: both have the time of one.
#[test]
fn silence_after_a_nonce_keeps_no_aws_tool_waiting() {
    let body = json!({"code": "session.nonce", "status": 401, "title": "the proof needs a nonce"});
    let text = String::from_utf8(answer(401, &body)).unwrap();
    let asks = text.replacen("\r\n", "\r\nDPoP-Nonce: n\r\n", 1).into_bytes();
    let calls = AtomicUsize::new(0);
    let machine = signed_in(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => {
            std::thread::park_timeout(Duration::from_millis(2_500));
            asks.clone()
        }
        _ => {
            std::thread::park_timeout(Duration::from_secs(60));
            Vec::new()
        }
    });
    let begun = Instant::now();
    let run = machine.jit(&["credential-process", "prod-admin"]).exits(8);
    let took = begun.elapsed();
    assert!(
        took > Duration::from_secs(3) && took < Duration::from_secs(5),
        "{took:?}"
    );
    assert_eq!(run.stderr.lines().count(), 1, "{run}");
}

#[test]
fn bad_answers_while_waiting_are_tried_again_until_the_timeout() {
    let half =
        b"HTTP/1.1 200 OK\r\nJit-Version: 0.1.0\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{";
    let bad: [Vec<u8>; 4] = [
        b"junk".to_vec(),
        half.to_vec(),
        Vec::new(),
        answer(
            503,
            &json!({"code": "store.unavailable", "status": 503, "title": "no room"}),
        ),
    ];
    for bad in bad {
        let machine = signed_in(move |line| match line.starts_with("POST ") {
            true => answer(201, &json!({"outcome": "filed", "request": pending()})),
            false if line.contains("/targets") => answer(200, &honest(line)),
            false => bad.clone(),
        });
        let ask = [
            "request",
            "prod-admin",
            "--for",
            "1h",
            "--reason",
            "payout job stuck",
            "--timeout",
            "2s",
        ];
        let run = machine.jit(&ask).exits(7);
        assert!(run.stderr.contains("trying again"), "{run}");
        assert!(run.stderr.contains("jit wait req_"), "{run}");
    }
}

#[test]
fn state_that_cannot_be_kept_exits_three() {
    let backend = BackendPlan::with_aws(&StsRecorder::start().url).start();
    let machine = SealedBox::new().with_env("JIT_STATE_DIR", "/proc/jit");
    let args = [
        "login",
        "--server",
        backend.url(),
        "--identity",
        "alice",
        "--code",
        backend.code("alice"),
    ];
    let run = machine.jit(&args).exits(3);
    one_clear_line(&run);
    assert!(run.stderr.contains("/proc/jit"), "{run}");
}

#[test]
fn cache_that_cannot_be_kept_takes_no_access_away() {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    let machine = backend.machine_of("alice").with_env("JIT_CACHE_DIR", "/proc/jit");
    let ask = ["request", "dev-admin", "--for", "1h", "--reason", "day to day"];
    let run = machine.jit(&ask).exits(0);
    assert!(
        run.stderr.contains("Live until") && run.stderr.contains("not cached"),
        "{run}"
    );
    drop(machine.jit(&["has", "dev-admin", "--fresh"]).exits(0));
}

#[test]
fn torn_state_is_named_and_lost_to_nobody_else() {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    let machine = backend.machine_of("alice");
    let folder = machine.home().join(".local/state/jit");
    let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
    for file in files.filter(|file| file.is_file()) {
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        let run = machine.jit(&["status"]);
        assert!(matches!(run.status, Some(0 | 3 | 4)), "{}: {run}", file.display());
        assert!(
            run.status == Some(0) || run.stderr.contains("jit login") || run.stderr.contains(file.to_str().unwrap()),
            "{run}"
        );
        std::fs::write(&file, &whole).unwrap();
    }
    drop(machine.jit(&["status"]).exits(0));
}
