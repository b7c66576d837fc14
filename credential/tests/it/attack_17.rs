//! Attack 17: two identities, two servers, narrowed and full access on one machine; no credential crosses.

use std::fs;

use crate::support::{MIN, NOW, Place, SERVER, account, account_at, entry, printed};
use hot::{Outcome, Reach};

#[test]
fn attack_17_no_credential_crosses_servers_or_identities() {
    let place = Place::holding();
    place.cache.set_current(&account("alice")).unwrap();
    for args in [
        ["prod", "--server=https://jit.other.example", "--identity=alice"],
        ["prod", "--server=http://jit.acme.example", "--identity=alice"],
        ["prod", "--server=https://jit.acme.example:8443", "--identity=alice"],
        ["prod", "--server=https://jit.acme.example", "--identity=bob"],
        ["prod", "--server=https://jit.acme.example", "--identity=Alice"],
        ["prod", "--server=https://jit.acme.example", "--identity=alice "],
        ["prod2", "--server=https://jit.acme.example", "--identity=alice"],
    ] {
        assert_eq!(place.hit_with(&args, &[], NOW), Outcome::Miss, "{args:?}");
    }
}

#[test]
fn attack_17_names_that_look_like_paths_stay_apart() {
    let place = Place::new();
    let all = [
        "a", "a/b", "a%2Fb", "..", ".", "current", ".current", "a\u{301}", "\u{e1}",
    ];
    for identity in all {
        place
            .cache
            .write(
                &account(identity),
                "prod",
                &entry(&format!("<{identity}>"), NOW + 60 * MIN),
            )
            .unwrap();
    }
    for identity in all {
        let args = ["prod", "--server", SERVER, "--identity", identity];
        assert!(
            printed(place.hit_with(&args, &[], NOW)).contains(&format!("<{identity}>")),
            "{identity}"
        );
    }
}

#[test]
fn attack_17_copied_or_linked_file_serves_nobody_else() {
    let place = Place::holding();
    let other = account_at("https://jit.other.example", "alice");
    place
        .cache
        .write(&other, "dev", &entry("other", NOW + 60 * MIN))
        .unwrap();
    let foreign = place.cache.path(&other, "prod").unwrap();
    fs::hard_link(place.file(), &foreign).unwrap();
    let args = ["prod", "--server=https://jit.other.example", "--identity=alice"];
    assert_eq!(place.hit_with(&args, &[], NOW), Outcome::Miss);
    fs::hard_link(place.file(), place.file().with_file_name("prod2")).unwrap();
    assert_eq!(
        place.hit_with(&["prod2", "--server", SERVER, "--identity=alice"], &[], NOW),
        Outcome::Miss
    );
}

#[test]
fn attack_17_remembered_failure_does_not_cross() {
    let place = Place::new();
    let failure = hot::Failure {
        until_ms: NOW + 3000,
        exit: 8,
        code: "x.y".into(),
        message: "x".into(),
        hint: None,
    };
    place.cache.remember_failure(&account("bob"), "prod", &failure).unwrap();
    assert_eq!(place.hit(NOW), Outcome::Miss);
}

#[test]
fn attack_17_narrowed_and_full_are_told_apart() {
    let place = Place::holding();
    let mut narrowed = entry("less", NOW + 60 * MIN);
    narrowed.facts.reach = Reach::Narrowed;
    narrowed.facts.grant = "grt_2".into();
    assert_eq!(
        place.cache.read(&account("alice"), "prod").unwrap().facts.reach,
        Reach::Full
    );
    place.cache.write(&account("alice"), "prod", &narrowed).unwrap();
    let facts = place.cache.read(&account("alice"), "prod").unwrap().facts;
    assert_eq!((facts.reach, facts.grant.as_str()), (Reach::Narrowed, "grt_2"));
    assert!(printed(place.hit(NOW)).contains("less"));
}
