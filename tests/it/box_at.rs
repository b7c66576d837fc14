//! Asking for later, as it reads: held by snapshots of the real binary.

use jiff::{ToSpan as _, Zoned};

use super::harness::{Backend, BackendPlan, Run, SealedBox, StsRecorder};
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

/// The command that `run` proposes after `try:`, up to the first comma.
#[track_caller]
fn proposed(run: &Run) -> Vec<String> {
    let line = run
        .stderr
        .lines()
        .find_map(|line| line.trim().strip_prefix("try: jit "));
    let line = line.unwrap_or_else(|| panic!("nothing is proposed: {run}"));
    let command = line.split(',').next().unwrap();
    command.split_whitespace().map(str::to_owned).collect()
}

#[track_caller]
fn runs(machine: &SealedBox, args: &[String], more: &[&str]) -> Run {
    let args: Vec<&str> = args.iter().map(String::as_str).chain(more.iter().copied()).collect();
    machine.jit(&args).exits(0)
}

#[test]
fn live_grant_beside_a_planned_one_is_extended_and_kept() {
    let alice = &house().alice;
    let (soon, later) = (ask("dev-admin", "tomorrow 09:00"), ask("dev-admin", "tomorrow 09:30"));
    drop(alice.jit(&soon).exits(0));
    let now = ["request", "dev-admin", "--for", "30m", "--reason", "paged at night"];
    drop(alice.jit(&now).exits(0));
    let more = ["extend", "dev-admin", "--for", "30m", "--reason", "paged at night"];
    drop(alice.jit(&more).exits(0));
    let overlaps = alice.jit(&later).exits(10);
    held("at_overlaps_what_is_planned", &overlaps);
    held("at_planned_is_given_up_by_id", &runs(alice, &proposed(&overlaps), &[]));
    drop(alice.jit(&["has", "dev-admin", "--fresh"]).exits(0));
    drop(alice.jit(&later).exits(0));
    // both at once, by the target
    held(
        "at_drop_takes_live_and_planned",
        &alice.jit(&["drop", "dev-admin"]).exits(0),
    );
    drop(alice.jit(&["drop", "dev-admin"]).exits(10));
}

#[test]
fn commands_proposed_beside_a_planned_request_work() {
    let house = house();
    let alice = &house.alice;
    let (soon, later) = (ask("prod-admin", "tomorrow 09:00"), ask("prod-admin", "tomorrow 09:30"));
    let pending = [&soon[..], &["--no-wait"]].concat();
    drop(alice.jit(&pending).exits(0));
    let overlaps = alice.jit(&later).exits(10);
    held("at_overlaps_what_waits", &overlaps);
    let wait = proposed(&overlaps);
    let wait: Vec<&str> = wait.iter().map(String::as_str).chain(["--timeout", "1s"]).collect();
    drop(alice.jit(&wait).exits(7));
    let not_yet = alice.jit(&["drop", wait[1]]).exits(10);
    drop(runs(alice, &proposed(&not_yet), &[]));
    drop(alice.jit(&pending).exits(0));
    drop(house.bob.jit(&["approve", "prod-admin"]).exits(0));
    let planned = alice.jit(&["cancel", "prod-admin"]).exits(10);
    held("at_approved_is_not_cancelled", &planned);
    drop(runs(alice, &proposed(&planned), &[]));
    drop(alice.jit(&ask("dev-admin", "tomorrow 09:00")).exits(0));
    let extend = ["extend", "dev-admin", "--for", "30m", "--reason", "paged at night"];
    let nothing = alice.jit(&extend).exits(10);
    drop(runs(
        alice,
        &proposed(&nothing),
        &["--for", "30m", "--reason", "paged at night"],
    ));
}

#[test]
fn start_names_the_clock_that_it_was_read_by() {
    let mut house = house();
    let alice = &mut house.alice;
    alice.set_env("TZ", "STD-3");
    let planned = alice.jit(&ask("dev-admin", "tomorrow 09:00")).exits(0);
    assert!(planned.stderr.contains("09:00 UTC+03 (in "), "{planned}");
    alice.set_env("TZ", "Nonsense/Zone");
    let unknown = alice.jit(&ask("dev-admin", "tomorrow 23:30")).exits(0);
    assert!(
        unknown
            .stderr
            .contains("no time zone is named Nonsense/Zone (TZ): times are UTC"),
        "{unknown}"
    );
    assert!(unknown.stderr.contains("23:30 UTC (in "), "{unknown}");
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
    // where they are put back, they are an hour ahead until then, and may be in another day already
    let ahead = jiff::SignedDuration::from_hours(i64::from(!forward));
    let now = Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC) + ahead;
    let tomorrow = now.tomorrow().unwrap();
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
