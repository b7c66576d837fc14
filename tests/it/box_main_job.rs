//! The main job as it reads: every verb of the client, held by snapshots of the real binary.

use serde_json::Value;

use super::harness::{Backend, BackendPlan, LIMIT, Run, SealedBox, StsRecorder};
use super::shown::held;

/// A backend, and alice and bob each on a machine of their own.
struct House {
    backend: Backend,
    alice: SealedBox,
    bob: SealedBox,
    sts: StsRecorder,
}

fn house() -> House {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    let (alice, bob) = (backend.machine_of("alice"), backend.machine_of("bob"));
    House {
        backend,
        alice,
        bob,
        sts,
    }
}

fn filed(house: &House) -> Run {
    let args = [
        "request",
        "prod-admin",
        "--for",
        "2h",
        "--reason",
        "payout job stuck, PAY-311",
        "--no-wait",
    ];
    house.alice.jit(&args).exits(0)
}

#[test]
fn request_that_is_approved_reads_as_documented() {
    let house = house();
    let waiting = house
        .alice
        .jit_command(&["request", "prod-admin", "--for", "2h", "--reason", "payout job"])
        .start();
    waiting.stderr_line("jit wait req_", LIMIT);
    held("inbox_lists_the_request", &house.bob.jit(&["inbox"]));
    held("status_shows_what_waits", &house.alice.jit(&["status"]));
    held(
        "approve_shows_what_is_agreed_to",
        &house.bob.jit(&["approve", "prod-admin", "--comment", "go"]),
    );
    held("request_ends_live", &waiting.finish(LIMIT));
    held("status_shows_what_is_live", &house.alice.jit(&["status"]));
    held(
        "request_is_covered_by_what_is_live",
        &house
            .alice
            .jit(&["request", "prod-admin", "--for", "1h", "--reason", "again"]),
    );
    held(
        "drop_says_until_when_a_copy_works",
        &house.alice.jit(&["drop", "prod-admin"]),
    );
    assert_eq!(house.sts.calls().len(), 2, "one probe, one credential");
}

#[test]
fn approve_by_target_means_the_inbox_not_ones_own_request() {
    let house = house();
    let own = [
        "request",
        "prod-admin",
        "--for",
        "1h",
        "--reason",
        "bob needs it too",
        "--no-wait",
    ];
    drop(house.bob.jit(&own).exits(0));
    drop(filed(&house));
    let approved = house.bob.jit(&["approve", "prod-admin"]).exits(0);
    assert!(
        approved.stderr.contains("alice asks for prod-admin"),
        "{}",
        approved.stderr
    );
}

#[test]
fn drop_of_what_still_waits_names_cancel() {
    let house = house();
    drop(filed(&house));
    let dropped = house.alice.jit(&["drop", "prod-admin"]).exits(10);
    assert!(
        dropped.stderr.contains("try: jit cancel prod-admin"),
        "{}",
        dropped.stderr
    );
    drop(house.alice.jit(&["cancel", "prod-admin"]).exits(0));
    let gone = house.alice.jit(&["drop", "prod-admin"]).exits(10);
    assert!(gone.stderr.contains("no live grant for prod-admin"), "{}", gone.stderr);
}

#[test]
fn deny_ends_the_wait_with_six() {
    let house = house();
    let waiting = house
        .alice
        .jit_command(&["request", "prod-admin", "--for", "1h", "--reason", "look at the ledger"])
        .start();
    waiting.stderr_line("jit wait req_", LIMIT);
    held(
        "deny_says_who_gets_nothing",
        &house.bob.jit(&["deny", "prod-admin", "--reason", "use prod-readonly"]),
    );
    held("denied_request_exits_six", &waiting.finish(LIMIT).exits(6));
}

#[test]
fn request_of_the_same_is_joined_and_of_another_shown() {
    let house = house();
    held("request_without_wait_returns", &filed(&house));
    held("request_of_the_same_is_joined", &filed(&house));
    let other = ["request", "prod-admin", "--for", "1h", "--reason", "other", "--no-wait"];
    held("request_that_differs_exits_ten", &house.alice.jit(&other).exits(10));
    held(
        "cancel_says_what_is_withdrawn",
        &house.alice.jit(&["cancel", "prod-admin"]),
    );
    held("history_shows_what_is_over", &house.alice.jit(&["status", "--history"]));
}

#[test]
fn verbs_about_oneself_read_as_documented() {
    let house = house();
    held("targets_lists_what_one_may_ask_for", &house.alice.jit(&["targets"]));
    held("status_of_nothing_is_one_line", &house.alice.jit(&["status"]));
    held("inbox_of_nothing_is_one_line", &house.bob.jit(&["inbox"]));
    held("logout_says_who", &house.alice.jit(&["logout"]));
    held("signed_out_exits_four", &house.alice.jit(&["status"]).exits(4));
}

#[test]
fn nobody_approves_a_request_of_their_own() {
    let house = house();
    let filed = filed(&house);
    let id = filed.stderr.split(' ').next().unwrap();
    held(
        "attack_03_own_request_exits_five",
        &house.alice.jit(&["approve", id]).exits(5),
    );
    drop(house.bob.jit(&["approve", id]).exits(0));
    held(
        "second_decision_exits_ten",
        &house.bob.jit(&["deny", id, "--reason", "late"]).exits(10),
    );
}

#[test]
fn interrupt_while_waiting_keeps_the_request_open() {
    let house = house();
    let waiting = house
        .alice
        .jit_command(&["request", "prod-admin", "--for", "2h", "--reason", "payout job"])
        .start();
    waiting.stderr_line("jit wait req_", LIMIT);
    waiting.signal(rustix::process::Signal::INT);
    held("interrupt_exits_130", &waiting.finish(LIMIT).exits(130));
    assert!(house.alice.jit(&["status"]).exits(0).stdout.contains("WAITING"));
    held(
        "wait_past_its_timeout_exits_seven",
        &house.alice.jit(&["wait", "prod-admin", "--timeout", "1s"]).exits(7),
    );
}

#[test]
fn backend_lost_while_waiting_is_tried_again() {
    let mut house = house();
    let waiting = house
        .alice
        .jit_command(&["request", "prod-admin", "--for", "2h", "--reason", "payout job"])
        .start();
    waiting.stderr_line("jit wait req_", LIMIT);
    house.backend.kill();
    waiting.stderr_line("trying again", LIMIT);
    let backend = house.backend.start_again();
    drop(house.bob.jit(&["approve", "prod-admin"]).exits(0));
    assert!(waiting.finish(LIMIT).exits(0).stderr.contains("Live until"));
    drop(backend);
}

#[test]
fn two_who_drop_at_once_give_it_back() {
    let house = house();
    drop(
        house
            .alice
            .jit(&["request", "dev-admin", "--for", "1h", "--reason", "day to day"])
            .exits(0),
    );
    let both = [1, 2].map(|_| house.alice.jit_command(&["drop", "dev-admin"]).start());
    let ends = both.map(|one| one.finish(LIMIT).status);
    // whoever comes when it is over already is told so
    assert!(ends.contains(&Some(0)), "{ends:?}");
    assert!(ends.iter().all(|end| matches!(end, Some(0 | 10))), "{ends:?}");
    drop(house.alice.jit(&["has", "dev-admin"]).exits(10));
}

#[test]
fn json_is_one_object_a_line_with_its_schema() {
    let house = house();
    let lines = |args: &[&str]| house.alice.jit(&[args, &["-o", "json"]].concat()).exits(0).json_lines();
    let schema = |value: &Value| value["schema"].as_str().unwrap_or_default().to_owned();
    let request = lines(&["request", "dev-admin", "--for", "1h", "--reason", "day to day"]);
    assert_eq!(request.last().unwrap()["grant"]["state"], "active");
    assert!(request.iter().all(|line| schema(line) == "jit/request/1"));
    let verbs: [(&[&str], &str); 6] = [
        (&["targets"], "jit/targets/1"),
        (&["status"], "jit/status/1"),
        (&["inbox"], "jit/inbox/1"),
        (&["whoami"], "jit/whoami/1"),
        (&["has", "dev-admin"], "jit/has/1"),
        (&["drop", "dev-admin"], "jit/drop/1"),
    ];
    for (args, expected) in verbs {
        let lines = lines(args);
        assert_eq!(lines.iter().map(schema).collect::<Vec<_>>(), [expected], "{args:?}");
    }
}
