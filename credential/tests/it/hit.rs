//! When a cached credential is served.

use crate::support::{MIN, NOW, Place, account, entry, printed, refused};
use hot::{Facts, Failure, Outcome, Refresh};

#[test]
fn credential_with_more_than_fifteen_minutes_is_printed() {
    let place = Place::holding();
    let json = printed(place.hit(NOW));
    assert_eq!(json, "{\"Version\":1,\"SecretAccessKey\":\"alice-prod\"}\n");
    printed(place.hit(NOW + 45 * MIN - 1));
}

#[test]
fn credential_worth_refreshing_is_a_miss() {
    let place = Place::holding();
    assert_eq!(place.hit(NOW + 45 * MIN), Outcome::Miss);
    assert_eq!(place.hit(NOW + 60 * MIN), Outcome::Miss);
}

#[test]
fn last_credential_of_a_grant_is_printed_to_its_end() {
    let place = Place::new();
    let mut last = entry("last", NOW + 15 * MIN);
    last.facts = Facts {
        refresh: Refresh::plan(NOW, NOW + 15 * MIN, NOW + 15 * MIN),
        ..last.facts
    };
    place.cache.write(&account("alice"), "prod", &last).unwrap();
    printed(place.hit(NOW + 15 * MIN - 1));
    assert_eq!(place.hit(NOW + 15 * MIN), Outcome::Miss);
}

#[test]
fn short_credential_is_printed_for_half_its_life() {
    let place = Place::new();
    let mut short = entry("short", NOW + 15 * MIN);
    short.facts.refresh = Refresh::plan(NOW, NOW + 15 * MIN, NOW + 240 * MIN);
    place.cache.write(&account("alice"), "prod", &short).unwrap();
    printed(place.hit(NOW + 15 * MIN / 2 - 1));
    assert_eq!(place.hit(NOW + 15 * MIN / 2), Outcome::Miss);
}

fn fail(place: &Place, until_ms: u64) {
    let failure = Failure {
        until_ms,
        exit: 8,
        code: "backend.unreachable".into(),
        message: "backend unreachable".into(),
        hint: Some("try: jit doctor".into()),
    };
    place
        .cache
        .remember_failure(&account("alice"), "prod", &failure)
        .unwrap();
}

#[test]
fn remembered_failure_serves_what_is_still_valid() {
    let place = Place::holding();
    let late = NOW + 50 * MIN;
    fail(&place, late + 3000);
    printed(place.hit(late));
    assert_eq!(place.hit(late + 3000), Outcome::Miss);
}

#[test]
fn remembered_failure_is_repeated_without_a_credential() {
    let place = Place::new();
    fail(&place, NOW + 3000);
    assert_eq!(
        refused(place.hit(NOW)),
        ("backend unreachable: run  jit doctor".into(), 8)
    );
    assert_eq!(place.hit(NOW + 3000), Outcome::Miss);
}

#[test]
fn failure_from_a_moved_clock_is_not_believed() {
    let place = Place::new();
    fail(&place, NOW + 60 * MIN);
    assert_eq!(place.hit(NOW), Outcome::Miss);
}

#[test]
fn failure_is_forgotten_by_write_and_by_login() {
    let place = Place::new();
    fail(&place, NOW + 3000);
    place.cache.forget_failures(&account("alice")).unwrap();
    assert_eq!(place.hit(NOW), Outcome::Miss);
    fail(&place, NOW + 3000);
    place
        .cache
        .write(&account("alice"), "prod", &entry("new", NOW + MIN * 60))
        .unwrap();
    assert_eq!(place.cache.failure(&account("alice"), "prod", NOW), None);
}

#[test]
fn target_that_asks_for_itself_is_refused() {
    let place = Place::holding();
    let args = ["prod", "--server", crate::support::SERVER, "--identity", "alice"];
    let (message, exit) = refused(place.hit_with(&args, &[("_JIT_CHAIN", "dev:prod")], NOW));
    assert_eq!(
        (message.as_str(), exit),
        (
            "prod asks for itself through a profile of jit: run  unset AWS_PROFILE",
            3
        )
    );
    printed(place.hit_with(&args, &[("_JIT_CHAIN", "dev:prod-2")], NOW));
}

#[test]
fn chain_grows_by_the_target() {
    let value = |chain: &str| hot::chain_with(&|_| Some(chain.into()), "prod").1;
    assert_eq!((value(""), value("dev")), ("prod".into(), "dev:prod".into()));
}

#[test]
fn odd_names_are_left_to_clap() {
    let place = Place::holding();
    for args in [
        ["../x", "--identity=alice"],
        ["prod", "--server=ftp://x"],
        ["prod", "--identity=a\nb"],
    ] {
        let set = [("JIT_SERVER", crate::support::SERVER)];
        assert_eq!(place.hit_with(&args, &set, NOW), Outcome::NotOurs, "{args:?}");
    }
}

#[test]
fn environment_without_home_is_a_miss() {
    let args = ["prod".into(), "--server=https://h".into(), "--identity=a".into()];
    assert_eq!(hot::hit(hot::Program::Helper, &args, &|_| None, NOW), Outcome::Miss);
}
