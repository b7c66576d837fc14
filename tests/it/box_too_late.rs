//! What comes too late, or from somebody else: decisions, sessions, and access that is taken away.

use std::path::Path;

use super::harness::{Backend, BackendPlan, Run, SealedBox, StsRecorder};

fn backend() -> (StsRecorder, Backend) {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    (sts, backend)
}

fn ask(machine: &SealedBox, target: &str) -> Run {
    let reason = "payout job stuck, PAY-311";
    let args = [
        "request",
        target,
        "--for",
        "1h",
        "--reason",
        reason,
        "--no-wait",
        "-o",
        "json",
    ];
    machine.jit(&args).exits(0)
}

#[track_caller]
fn says(run: Run, status: i32, words: &str) {
    let run = run.exits(status);
    assert!(run.stderr.contains(words), "no {words:?} in: {}", run.stderr);
}

#[test]
fn decision_that_is_made_twice_or_late_exits_ten() {
    let (_sts, backend) = backend();
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| backend.machine_of(name));
    let filed = ask(&alice, "prod-admin").json();
    let id = filed["id"].as_str().unwrap();
    drop(bob.jit(&["approve", id]).exits(0));
    says(bob.jit(&["approve", id]), 10, "approved already by bob");
    says(
        carol.jit(&["deny", id, "--reason", "too late"]),
        10,
        "approved already by bob",
    );
    says(alice.jit(&["cancel", id]), 10, "approved already");
}

#[test]
fn decision_on_what_was_cancelled_exits_ten() {
    let (_sts, backend) = backend();
    let (alice, bob) = (backend.machine_of("alice"), backend.machine_of("bob"));
    let filed = ask(&alice, "prod-admin").json();
    let id = filed["id"].as_str().unwrap();
    drop(alice.jit(&["cancel", id]).exits(0));
    says(bob.jit(&["approve", id]), 10, "cancelled already");
}

#[test]
fn revoke_takes_access_from_its_holder_with_a_reason() {
    let (_sts, backend) = backend();
    let (alice, bob) = (backend.machine_of("alice"), backend.machine_of("bob"));
    let filed = ask(&alice, "prod-admin").json();
    drop(bob.jit(&["approve", filed["id"].as_str().unwrap()]).exits(0));
    drop(alice.jit(&["wait", "prod-admin"]).exits(0));
    let grants = alice.jit(&["status", "-o", "json"]).exits(0).stdout;
    let at = grants.find("grt_").expect("a grant");
    let grant = &grants[at..at + 16];
    drop(bob.jit(&["revoke", grant]).exits(2));
    drop(bob.jit(&["revoke", grant, "--reason", "ledger is frozen"]).exits(0));
    drop(alice.jit(&["has", "prod-admin", "--fresh"]).exits(10));
}

#[test]
fn session_that_was_ended_elsewhere_exits_four() {
    let (_sts, backend) = backend();
    let alice = backend.machine_of("alice");
    let copy = SealedBox::new();
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .arg(alice.home().join("."))
        .arg(copy.home())
        .status();
    assert!(copied.unwrap().success() && Path::new(&copy.home()).exists());
    drop(copy.jit(&["whoami"]).exits(0));
    drop(alice.jit(&["logout"]).exits(0));
    says(copy.jit(&["whoami"]), 4, "try: jit login");
    says(copy.jit(&["targets"]), 4, "try: jit login");
}
