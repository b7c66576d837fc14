//! Tickets and dry runs as they read, held by snapshots of the real binary.

use super::harness::{Backend, BackendPlan, SealedBox, StsRecorder};
use super::shown::held;

struct House {
    _backend: Backend,
    alice: SealedBox,
    bob: SealedBox,
    sts: StsRecorder,
}

fn house() -> House {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    let (alice, bob) = (backend.machine_of("alice"), backend.machine_of("bob"));
    House {
        _backend: backend,
        alice,
        bob,
        sts,
    }
}

const WHY: [&str; 2] = ["--reason", "payout job stuck"];

fn request<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&["request"], args, &WHY].concat()
}

#[test]
fn ticket_is_shown_wherever_the_request_is() {
    let house = house();
    let filed = request(&["prod-admin", "--for", "2h", "--ticket", "PAY-311", "--no-wait"]);
    held("ticket_stands_beside_the_request", &house.alice.jit(&filed));
    held("inbox_shows_the_ticket", &house.bob.jit(&["inbox"]));
    held(
        "status_of_one_shows_the_ticket",
        &house.alice.jit(&["status", "prod-admin"]),
    );
    held("approve_shows_the_ticket", &house.bob.jit(&["approve", "prod-admin"]));
    drop(house.alice.jit(&["wait", "prod-admin"]).exits(0));
    held("status_shows_the_ticket", &house.alice.jit(&["status"]));
}

#[test]
fn ticket_that_joining_loses_is_said() {
    let house = house();
    let ask = |more: &[&str]| {
        house
            .alice
            .jit(&request(&[&["prod-admin", "--for", "2h", "--no-wait"], more].concat()))
    };
    drop(ask(&[]).exits(0));
    held(
        "joining_says_that_its_ticket_is_lost",
        &ask(&["--ticket", "PAY-311"]).exits(0),
    );
    drop(house.alice.jit(&["cancel", "prod-admin"]).exits(0));
    drop(ask(&["--ticket", "PAY-311"]).exits(0));
    let same = ask(&["--ticket", "PAY-311"]).exits(0);
    assert!(
        same.stderr.starts_with("Joined") && same.stderr.lines().count() == 1,
        "{same}"
    );
    let other = ask(&["--ticket", "PAY-312"]).exits(0);
    assert!(
        other.stderr.contains("was filed with PAY-311; PAY-312 was not added"),
        "{other}"
    );
}

#[test]
fn ticket_that_is_none_exits_two_and_sends_nothing() {
    let house = house();
    let long = "P".repeat(101);
    for key in ["", "PAY 311", "a\u{202e}b", "a\u{1b}[2J", "-", long.as_str()] {
        let run = house.alice.jit(&request(&["prod-admin", "--ticket", key])).exits(2);
        assert!(run.stderr.contains("is no ticket key"), "{key:?}: {run}");
    }
    // a flag is never taken for a key: what it says would be lost
    drop(
        house
            .alice
            .jit(&request(&["prod-admin", "--ticket", "--dry-run"]))
            .exits(2),
    );
    held(
        "ticket_that_is_none_exits_two",
        &house
            .alice
            .jit(&request(&["prod-admin", "--ticket", "PAY 311"]))
            .exits(2),
    );
    assert!(house.bob.jit(&["inbox"]).exits(0).stdout.is_empty());
}

#[test]
fn dry_run_reads_as_documented() {
    let house = house();
    let dry = |args: &[&str]| house.alice.jit(&request(&[args, &["--dry-run"]].concat()));
    held(
        "dry_run_names_who_could_approve",
        &dry(&["prod-admin", "--for", "2h", "--ticket", "PAY-311"]).exits(0),
    );
    held("dry_run_of_two_stages", &dry(&["prod-owner", "--for", "30m"]).exits(0));
    held("dry_run_of_what_is_automatic", &dry(&["dev-admin"]).exits(0));
    held(
        "dry_run_over_the_cap_exits_five",
        &dry(&["prod-admin", "--for", "9h"]).exits(5),
    );
    held(
        "dry_run_of_no_target_exits_ten",
        &dry(&["prod-admn", "--for", "1h"]).exits(10),
    );
    held(
        "dry_run_with_a_bad_duration_exits_two",
        &dry(&["prod-admin", "--for", "0s"]).exits(2),
    );
    drop(
        house
            .alice
            .jit(&request(&["prod-readonly", "--for", "1h", "--no-wait"]))
            .exits(0),
    );
    held(
        "dry_run_that_would_join",
        &dry(&["prod-readonly", "--for", "1h"]).exits(0),
    );
    held(
        "dry_run_that_differs_exits_ten",
        &dry(&["prod-readonly", "--for", "2h"]).exits(10),
    );
    drop(house.alice.jit(&request(&["dev-admin", "--for", "1h"])).exits(0));
    held("dry_run_of_what_is_held", &dry(&["dev-admin", "--for", "30m"]).exits(0));
    let json = dry(&["prod-admin", "--for", "2h", "-o", "json"]).exits(0).json_lines();
    assert_eq!((json.len(), &json[0]["schema"]), (1, &"jit/dry-run/1".into()));
    assert_eq!(json[0]["stages"][0]["approvers"], serde_json::json!(["bob", "carol"]));
    let status = house.alice.jit(&["status"]).exits(0).stdout;
    assert!(!status.contains("prod-admin"), "{status}");
    assert_eq!(house.sts.calls().len(), 2, "dev-admin's probe and credential");
}
