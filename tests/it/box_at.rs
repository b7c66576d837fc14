//! Asking for later, as it reads: held by snapshots of the real binary.

use jiff::{ToSpan as _, Zoned};

use super::harness::{Backend, BackendPlan, SealedBox, StsRecorder};
use super::shown::held;

struct House {
    _backend: Backend,
    alice: SealedBox,
    bob: SealedBox,
    _sts: StsRecorder,
}

fn house() -> House {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    let [alice, bob] = ["alice", "bob"].map(|name| backend.machine_of(name));
    House {
        _backend: backend,
        alice,
        bob,
        _sts: sts,
    }
}

fn ask<'a>(target: &'a str, at: &'a str) -> [&'a str; 8] {
    [
        "request",
        target,
        "--at",
        at,
        "--for",
        "1h",
        "--reason",
        "planned failover",
    ]
}

#[test]
fn request_for_later_reads_as_documented() {
    let house = house();
    let tomorrow = "tomorrow 09:00";
    held(
        "at_dry_run_says_from_when",
        &house
            .alice
            .jit(&[&ask("dev-admin", tomorrow)[..], &["--dry-run"]].concat()),
    );
    held(
        "at_is_scheduled",
        &house.alice.jit(&ask("dev-admin", tomorrow)).exits(0),
    );
    held("at_again_joins", &house.alice.jit(&ask("dev-admin", tomorrow)).exits(0));
    held("at_shows_in_status", &house.alice.jit(&["status"]).exits(0));
    drop(house.alice.jit(&["has", "dev-admin", "--fresh"]).exits(10));
    held("at_is_dropped", &house.alice.jit(&["drop", "dev-admin"]).exits(0));
    drop(
        house
            .alice
            .jit(&[&ask("prod-admin", tomorrow)[..], &["--no-wait"]].concat())
            .exits(0),
    );
    held("at_shows_in_the_inbox", &house.bob.jit(&["inbox"]).exits(0));
    held("at_shows_while_waiting", &house.alice.jit(&["status"]).exits(0));
    held(
        "at_shows_to_who_decides",
        &house.bob.jit(&["approve", "prod-admin"]).exits(0),
    );
    held(
        "at_is_waited_for_until_approved",
        &house.alice.jit(&["wait", "prod-admin", "--until", "approved"]).exits(0),
    );
    let line = house.alice.jit(&["status", "prod-admin", "-o", "json"]).exits(0);
    let view: serde_json::Value = serde_json::from_str(&line.stdout).unwrap();
    assert!(view["start"].as_str().unwrap().ends_with('Z'), "{line}");
    assert_eq!(view["grant"]["state"], "scheduled");
}

#[test]
fn start_that_can_never_be_right_exits_two() {
    let house = house();
    for (name, at) in [
        ("at_unreadable_exits_two", "soon"),
        ("at_of_no_clock_exits_two", "25:00"),
        ("at_in_the_past_exits_two", "2020-01-01T00:00:00Z"),
    ] {
        held(name, &house.alice.jit(&ask("dev-admin", at)).exits(2));
    }
    let far = jiff::Timestamp::now() + 24.hours() * 40;
    let far = house.alice.jit(&ask("dev-admin", &far.to_string())).exits(5);
    assert!(far.stderr.contains("base.start-horizon"), "{far}");
    let extend = ["extend", "dev-admin", "--at", "14:30", "--reason", "more of it"];
    drop(house.alice.jit(&extend).exits(2));
}

/// A zone whose clocks are put forward, or back, at two in the night after today.
fn zone(forward: bool) -> String {
    let tomorrow = Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).tomorrow().unwrap();
    // POSIX counts no 29 February
    let day = |of: &Zoned| of.day_of_year() - i16::from(of.in_leap_year() && of.month() > 2);
    let (day, other) = (day(&tomorrow), (day(&tomorrow) + 90) % 365 + 1);
    match forward {
        true => format!("STD0DST,J{day}/2,J{other}/2"),
        false => format!("STD0DST,J{other}/2,J{day}/2"),
    }
}

#[test]
fn start_on_a_night_when_clocks_change_is_told_apart() {
    let house = house();
    let mut alice = house.alice;
    alice.set_env("TZ", zone(true));
    let gap = alice.jit(&ask("dev-admin", "tomorrow 02:30")).exits(2);
    assert!(gap.stderr.contains("02:30 does not exist on"), "{gap}");
    assert!(gap.stderr.contains("the nearest are 01:59 and 03:00"), "{gap}");
    alice.set_env("TZ", zone(false));
    let twice = alice.jit(&ask("dev-admin", "tomorrow 01:30")).exits(0);
    assert!(
        twice
            .stderr
            .contains("comes twice that day: the first one is meant (UTC+01)"),
        "{twice}"
    );
}
