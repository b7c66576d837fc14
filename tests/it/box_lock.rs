//! Locks as they read, held by snapshots of the real binary.

use super::harness::{Backend, BackendPlan, SealedBox, StsRecorder};
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

/// A second target of `dev-admin`'s role.
const TWIN: &str = r#"[[target]]
name = "dev-too"
title = "Admin in dev, again"
account = "dev"
risk = 0
approvers = ["engineering"]
provider = { kind = "aws", road = "assume-role", role = "jit/jit-dev-admin", session = "1h" }

"#;

const ASK: [&str; 6] = ["request", "dev-admin", "--for", "1h", "--reason", "day to day"];

#[test]
fn lock_on_a_person_reads_as_documented() {
    let house = house();
    drop(house.alice.jit(&ASK).exits(0));
    let stolen = ["--reason", "laptop stolen"];
    let lock = |on| [&["lock", on], &stolen[..]].concat();
    held("lock_ends_what_is_live", &house.carol.jit(&lock("alice")).exits(0));
    held("lock_again_says_so", &house.carol.jit(&lock("alice")).exits(0));
    held("lock_refuses_a_request", &house.alice.jit(&ASK).exits(5));
    let no_keys = house.alice.jit(&["has", "dev-admin", "--fresh"]);
    drop(no_keys.exits(10));
    held("lock_shows_in_status", &house.alice.jit(&["status"]).exits(0));
    held("lock_shows_in_targets", &house.alice.jit(&["targets"]).exits(0));
    held("lock_shows_to_security", &house.carol.jit(&["inbox"]).exits(0));
    drop(house.alice.jit(&["whoami"]).exits(0));
    held(
        "unlock_of_oneself_exits_five",
        &house.alice.jit(&["unlock", "alice"]).exits(5),
    );
    held(
        "unlock_says_what_stays",
        &house.carol.jit(&["unlock", "alice"]).exits(0),
    );
    held(
        "unlock_of_nothing_exits_ten",
        &house.carol.jit(&["unlock", "alice"]).exits(10),
    );
    let shorter = ["request", "dev-admin", "--for", "30m", "--reason", "day to day"];
    drop(house.alice.jit(&shorter).exits(0));
    drop(house.alice.jit(&["drop", "dev-admin"]).exits(0));
    // of two that are over the one that began last, whichever was to last longer
    let status = house.alice.jit(&["status"]).exits(0);
    assert!(
        status.stdout.contains("(dropped)") && !status.stdout.contains("(locked)"),
        "{status}"
    );
}

#[test]
fn lock_on_a_target_reads_as_documented() {
    let sts = StsRecorder::start();
    let next = "[[target]]\nname = \"prod-readonly\"";
    let backend = BackendPlan::with_aws(&sts.url)
        .policy("catalogue.toml", next, &format!("{TWIN}{next}"))
        .start();
    let [alice, carol] = ["alice", "carol"].map(|name| backend.machine_of(name));
    drop(
        alice
            .jit(&["request", "dev-too", "--for", "1h", "--reason", "day to day"])
            .exits(0),
    );
    let stop = ["lock", "dev-admin", "--reason", "ledger is being restored"];
    held("lock_on_a_target_names_the_others", &carol.jit(&stop).exits(0));
    drop(alice.jit(&["has", "dev-too", "--fresh"]).exits(10));
    let again = ["request", "dev-too", "--for", "1h", "--reason", "day to day"];
    held("lock_refuses_the_same_access", &alice.jit(&again).exits(5));
    let status = alice.jit(&["status"]).exits(0);
    assert!(status.stdout.contains("dev-admin, dev-too"), "{status}");
    held(
        "unlock_of_the_same_access_exits_ten",
        &carol.jit(&["unlock", "dev-too"]).exits(10),
    );
    drop(carol.jit(&["unlock", "dev-admin"]).exits(0));
    drop(alice.jit(&again).exits(0));
}

#[test]
fn panic_reads_as_documented() {
    let house = house();
    drop(house.alice.jit(&ASK).exits(0));
    let panic = ["panic", "--reason", "keys leaked, INC-7"];
    held("panic_of_anybody_exits_five", &house.alice.jit(&panic).exits(5));
    held("panic_stops_everything", &house.bob.jit(&panic).exits(0));
    held("panic_twice_says_so", &house.carol.jit(&panic).exits(0));
    held(
        "panic_refuses_a_dry_run",
        &house.alice.jit(&[&ASK[..], &["--dry-run"]].concat()).exits(5),
    );
    held("unlock_all_takes_two", &house.bob.jit(&["unlock", "all"]).exits(0));
    held("panic_again_takes_the_half_back", &house.carol.jit(&panic).exits(0));
    drop(house.bob.jit(&["unlock", "all"]).exits(0));
    held(
        "unlock_all_by_the_same_exits_five",
        &house.bob.jit(&["unlock", "all"]).exits(5),
    );
    held("half_lifted_lock_in_status", &house.alice.jit(&["status"]).exits(0));
    held(
        "unlock_all_by_the_second",
        &house.carol.jit(&["unlock", "all"]).exits(0),
    );
    drop(house.alice.jit(&ASK).exits(0));
}

#[test]
fn revoke_all_reads_as_documented() {
    let house = house();
    drop(house.alice.jit(&ASK).exits(0));
    let revoke = ["revoke", "--all", "alice", "--reason", "left the company"];
    held("revoke_all_of_another_exits_five", &house.bob.jit(&revoke).exits(5));
    held("revoke_all_takes_everything", &house.carol.jit(&revoke).exits(0));
    let json = house.carol.jit(&[&revoke[..], &["-o", "json"]].concat()).exits(0);
    let said: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(said["schema"], "jit/lock/1");
    assert_eq!((&said["set"], &said["lock"]["ending"]), (&false.into(), &0.into()));
    let line = ["-o", "json", "status"];
    let status: serde_json::Value = serde_json::from_str(&house.carol.jit(&line).exits(0).stdout).unwrap();
    assert_eq!(status["locks"][0]["name"], "alice");
    let lifted = house.carol.jit(&["unlock", "alice", "-o", "json"]).exits(0);
    let lifted: serde_json::Value = serde_json::from_str(&lifted.stdout).unwrap();
    assert_eq!(
        (&lifted["schema"], &lifted["lifted"]),
        (&"jit/unlock/1".into(), &true.into())
    );
}

#[test]
fn lock_refuses_what_can_never_be_right() {
    let house = house();
    held(
        "lock_without_reason_exits_two",
        &house.carol.jit(&["lock", "alice"]).exits(2),
    );
    held(
        "lock_with_empty_reason_exits_two",
        &house.carol.jit(&["lock", "alice", "--reason", " "]).exits(2),
    );
    let stop = ["--reason", "stop it"];
    held(
        "lock_of_nobody_exits_ten",
        &house.carol.jit(&[&["lock", "prod-admn"], &stop[..]].concat()).exits(10),
    );
    held(
        "revoke_of_a_grant_and_all_exits_two",
        &house
            .carol
            .jit(&[&["revoke", "grt_7h3k", "--all", "alice"], &stop[..]].concat())
            .exits(2),
    );
    held(
        "lock_in_capitals_exits_ten",
        &house.carol.jit(&[&["lock", "ALL"], &stop[..]].concat()).exits(10),
    );
    let named = house
        .carol
        .jit(&[&["revoke", "--all", "person:bob"], &stop[..]].concat());
    drop(named.exits(0));
    drop(house.carol.jit(&["unlock", "bob"]).exits(0));
    let own = house.alice.jit(&[&["lock", "alice"], &stop[..]].concat()).exits(0);
    held("lock_on_oneself", &own);
    held(
        "request_under_ones_own_lock_exits_five",
        &house.alice.jit(&ASK).exits(5),
    );
}
