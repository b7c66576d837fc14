//! AWS SDKs whose process fails: cheap, remembered, in less than the shortest limit, and never round in circles.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::harness::{Backend, BackendPlan, Counted, RawServer, Sdk, SealedBox, StsRecorder, wait_until};

/// aws-sdk-rust gives 5 s, and no SDK gives less.
const SHORTEST_LIMIT: Duration = Duration::from_secs(5);

fn signed_in() -> (Backend, SealedBox, Counted) {
    let backend = BackendPlan::with_aws(&StsRecorder::start().url).start();
    let alice = backend.machine_of("alice");
    let counted = Counted::set_up(&alice, "dev-admin", &["-y"]);
    (backend, alice, counted)
}

#[test]
fn twenty_failing_runs_make_one_call_of_the_backend() {
    let (mut backend, alice, _counted) = signed_in();
    backend.kill();
    let broken = RawServer::in_place_of(backend.url(), |_| {
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n".to_vec()
    });
    let begun = Instant::now();
    let all: Vec<_> = (0..20)
        .map(|_| {
            alice
                .command(crate::harness::jit_credential_program(), &["dev-admin"])
                .start()
        })
        .collect();
    for one in all {
        let run = one.finish(Duration::from_secs(30)).exits(8);
        assert_eq!((run.stdout.as_str(), run.stderr.lines().count()), ("", 1), "{run}");
    }
    // a slow machine may need longer than a failure is remembered: one more call for each time
    let spans = usize::try_from(begun.elapsed().as_millis() / 3_000).unwrap();
    let calls = broken.requests().len();
    assert!(
        (1..=1 + spans).contains(&calls),
        "{calls} calls in {:?}",
        begun.elapsed()
    );
}

#[test]
fn hanging_backend_ends_before_any_sdk_gives_up() {
    let Some(rust) = Sdk::all("hanging_backend_ends_before_any_sdk_gives_up")
        .into_iter()
        .find(|sdk| sdk.name == "aws-sdk-rust")
    else {
        return;
    };
    let (mut backend, alice, counted) = signed_in();
    backend.kill();
    let held = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&held);
    let _hanging = RawServer::in_place_of(backend.url(), move |_| {
        seen.fetch_add(1, Ordering::SeqCst);
        // never answered while the test runs
        std::thread::park_timeout(Duration::from_secs(60));
        Vec::new()
    });
    let begun = Instant::now();
    let run = alice
        .command(crate::harness::jit_credential_program(), &["dev-admin"])
        .start()
        .finish(SHORTEST_LIMIT)
        .exits(8);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    assert_eq!(run.stderr.lines().count(), 1, "{run}");
    wait_until("the failure to be forgotten", SHORTEST_LIMIT, || {
        (begun.elapsed() > Duration::from_secs(8)).then_some(())
    });
    let seen = counted.calls(&alice, &rust, "http://127.0.0.1:1", 1);
    // its own limit would say "timed out" instead
    assert!(
        !seen.lines[0].contains("timed out") && seen.lines[0].starts_with("failed "),
        "{seen:?}"
    );
    assert_eq!((seen.runs, held.load(Ordering::SeqCst)), (1, 2), "{seen:?}");
}

#[test]
fn process_within_its_own_chain_is_refused() {
    let (_backend, alice, counted) = signed_in();
    drop(
        alice
            .jit(&["request", "dev-admin", "--for", "1h", "--reason", "day to day"])
            .exits(0),
    );
    for sdk in Sdk::all("process_within_its_own_chain_is_refused") {
        // as a program sees it that is started while dev-admin is fetched: even a hit is refused
        let inner = [("_JIT_CHAIN", "prod-admin:dev-admin")];
        let seen = counted.calls_with(&alice, &sdk, "http://127.0.0.1:1", 1, &inner);
        let line = seen.lines.first().map_or("failed", String::as_str);
        assert!(line.starts_with("failed") && seen.runs > 0, "{}: {seen:?}", sdk.name);
    }
    let refused = alice
        .jit_command(&["credential-process", "dev-admin"])
        .env("_JIT_CHAIN", "dev-admin");
    let refused = refused.run().exits(3);
    assert_eq!(
        refused.stderr,
        "jit: dev-admin asks for itself through a profile of jit: run  unset AWS_PROFILE\n"
    );
    drop(
        alice
            .jit_command(&["credential-process", "dev-admin"])
            .env("_JIT_CHAIN", "dev-admin-2:x")
            .run()
            .exits(0),
    );
}
