//! Extending, and asking for somebody else, as they read: held by snapshots of the real binary.

use super::harness::{Backend, BackendPlan, LIMIT, SealedBox, StsRecorder};
use super::shown::held;

struct House {
    _backend: Backend,
    alice: SealedBox,
    bob: SealedBox,
    carol: SealedBox,
    _sts: StsRecorder,
}

fn house() -> House {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| backend.machine_of(name));
    House {
        _backend: backend,
        alice,
        bob,
        carol,
        _sts: sts,
    }
}

/// Alice holds `prod-admin` for an hour.
fn holding() -> House {
    let house = house();
    let args = [
        "request",
        "prod-admin",
        "--for",
        "1h",
        "--reason",
        "payout job stuck",
        "--no-wait",
    ];
    drop(house.alice.jit(&args).exits(0));
    drop(house.bob.jit(&["approve", "prod-admin"]).exits(0));
    drop(house.alice.jit(&["wait", "prod-admin"]).exits(0));
    house
}

fn extend<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&["extend", "prod-admin"], args, &["--reason", "the replay runs still"]].concat()
}

#[test]
fn extend_reads_as_documented() {
    let house = holding();
    held(
        "extend_dry_run_says_until_when",
        &house.alice.jit(&extend(&["--for", "30m", "--dry-run"])),
    );
    let waiting = house.alice.jit_command(&extend(&["--for", "30m"])).start();
    waiting.stderr_line("jit wait req_", LIMIT);
    held("inbox_shows_the_extension", &house.bob.jit(&["inbox"]));
    held(
        "extend_again_joins",
        &house.alice.jit(&extend(&["--for", "30m", "--no-wait"])),
    );
    held(
        "extend_otherwise_differs",
        &house.alice.jit(&extend(&["--for", "10m"])).exits(10),
    );
    held(
        "approve_shows_the_extension",
        &house.bob.jit(&["approve", "prod-admin"]),
    );
    held("extend_ends_live", &waiting.finish(LIMIT).exits(0));
    held(
        "status_shows_one_row_for_what_was_extended",
        &house.alice.jit(&["status"]),
    );
    held(
        "drop_gives_back_what_was_extended",
        &house.alice.jit(&["drop", "prod-admin"]),
    );
    drop(house.alice.jit(&["has", "prod-admin", "--fresh"]).exits(10));
}

#[test]
fn revoke_of_what_was_extended_takes_all_of_it() {
    let house = holding();
    drop(house.alice.jit(&extend(&["--for", "30m", "--no-wait"])).exits(0));
    drop(house.bob.jit(&["approve", "prod-admin"]).exits(0));
    drop(house.alice.jit(&["wait", "prod-admin"]).exits(0));
    let status = house.alice.jit(&["status", "-o", "json"]).exits(0).json();
    let extension = status["requests"][0]["grant"]["id"].as_str().unwrap();
    held(
        "revoke_takes_all_of_what_was_extended",
        &house
            .carol
            .jit(&["revoke", extension, "--reason", "laptop stolen"])
            .exits(0),
    );
    drop(house.alice.jit(&["has", "prod-admin", "--fresh"]).exits(10));
    held(
        "status_shows_what_outlives_the_end",
        &house.alice.jit(&["status"]).exits(0),
    );
    let request = status["requests"][0]["id"].as_str().unwrap();
    held(
        "status_of_one_that_was_revoked",
        &house.alice.jit(&["status", request]).exits(0),
    );
    held(
        "history_shows_the_last_credential",
        &house.alice.jit(&["status", "--history"]),
    );
    // nothing is left to watch for
    drop(house.alice.jit(&["status", "--watch"]).exits(0));
    drop(house.alice.jit(&["drop", "prod-admin"]).exits(10));
    let json = house.alice.jit(&["status", "-o", "json"]).exits(0).json();
    assert_eq!(json["requests"].as_array().unwrap().len(), 2);
}

#[test]
fn extend_beyond_the_cap_says_what_to_type() {
    let house = holding();
    held(
        "extend_beyond_the_cap_exits_five",
        &house.alice.jit(&extend(&["--for", "4h"])).exits(5),
    );
    drop(house.alice.jit(&extend(&["--for", "3h", "--no-wait"])).exits(0));
    drop(house.bob.jit(&["approve", "prod-admin"]).exits(0));
    drop(house.alice.jit(&["wait", "prod-admin"]).exits(0));
    held(
        "extend_with_nothing_left_exits_five",
        &house.alice.jit(&extend(&["--for", "1m"])).exits(5),
    );
}

#[test]
fn extend_of_what_is_not_held_exits_ten() {
    let house = house();
    held(
        "extend_of_nothing_exits_ten",
        &house.alice.jit(&extend(&["--for", "1h"])).exits(10),
    );
    held(
        "extend_without_a_reason_exits_two",
        &house.alice.jit(&["extend", "prod-admin"]).exits(2),
    );
}

fn for_alice<'a>(length: &'a str, args: &[&'a str]) -> Vec<&'a str> {
    let whom = [
        "request",
        "prod-readonly",
        "--on-behalf-of",
        "alice",
        "--for",
        length,
        "--reason",
        "alice is on call",
    ];
    [&whom[..], args].concat()
}

#[test]
fn request_for_another_reads_as_documented() {
    let house = house();
    held("dry_run_for_another", &house.bob.jit(&for_alice("2h", &["--dry-run"])));
    let waiting = house.bob.jit_command(&for_alice("2h", &[])).start();
    waiting.stderr_line("jit wait req_", LIMIT);
    held("inbox_says_for_whom", &house.carol.jit(&["inbox"]));
    held(
        "own_request_for_another_exits_five",
        &house.bob.jit(&["approve", "prod-readonly"]).exits(5),
    );
    held(
        "beneficiary_cannot_approve_either",
        &house.alice.jit(&["approve", "prod-readonly"]).exits(5),
    );
    held("approve_says_for_whom", &house.carol.jit(&["approve", "prod-readonly"]));
    held("requester_for_another_holds_nothing", &waiting.finish(LIMIT).exits(0));
    held("requester_sees_what_another_holds", &house.bob.jit(&["status"]));
    held("beneficiary_sees_it_too", &house.alice.jit(&["status"]));
    drop(house.bob.jit(&["has", "prod-readonly"]).exits(10));
    held("request_for_another_is_covered", &house.bob.jit(&for_alice("30m", &[])));
    held(
        "requester_gives_back_what_another_holds",
        &house.bob.jit(&["drop", "prod-readonly"]),
    );
    drop(house.alice.jit(&["has", "prod-readonly", "--fresh"]).exits(10));
}

#[test]
fn request_for_one_who_is_not_there_tells_no_names() {
    let house = house();
    let whom = |of: &SealedBox, name: &str| {
        let why = ["--for", "1h", "--reason", "somebody is on call"];
        of.jit(&[&["request", "prod-readonly", "--on-behalf-of", name][..], &why].concat())
    };
    held("request_for_nobody_exits_ten", &whom(&house.bob, "alicia").exits(10));
    held(
        "request_for_others_without_leave_exits_five",
        &whom(&house.alice, "bob").exits(5),
    );
    assert_eq!(
        whom(&house.alice, "alicia").exits(5).stderr,
        whom(&house.alice, "bob").exits(5).stderr
    );
    held("request_for_no_name_exits_two", &whom(&house.bob, "two words").exits(2));
}
