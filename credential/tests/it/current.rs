//! Whose credential is meant.

use std::fs;

use crate::support::{MIN, NOW, Place, SERVER, account, account_at, entry, printed};
use hot::{Account, Choice, Origin, Outcome};

const OTHER: &str = "https://jit.other.example";

/// Four accounts with a credential each; alice here signed in last, dan at the other server.
fn four() -> Place {
    let place = Place::new();
    for who in [
        account("bob"),
        account_at(OTHER, "alice"),
        account_at(OTHER, "dan"),
        account("alice"),
    ] {
        let says = format!("{}|{}", who.origin(), who.identity());
        place.cache.write(&who, "prod", &entry(&says, NOW + 60 * MIN)).unwrap();
        place.cache.set_current(&who).unwrap();
    }
    place
}

/// Arguments, environment, and whose credential is served.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);

fn served(place: &Place, args: &[&str], set: &[(&str, &str)]) -> String {
    let args = [&["prod"], args].concat();
    printed(place.hit_with(&args, set, NOW))
}

#[test]
fn flags_win_over_environment_over_current() {
    let place = four();
    let cases: [Case; 8] = [
        (&[], &[], "https://jit.acme.example|alice"),
        (&["--identity=bob"], &[], "https://jit.acme.example|bob"),
        (
            &["--server", "HTTPS://JIT.other.example:443/"],
            &[],
            "https://jit.other.example|dan",
        ),
        (
            &["--server", OTHER, "--identity", "alice"],
            &[],
            "https://jit.other.example|alice",
        ),
        (&[], &[("JIT_IDENTITY", "bob")], "https://jit.acme.example|bob"),
        (&[], &[("JIT_SERVER", OTHER)], "https://jit.other.example|dan"),
        (
            &["--identity=alice"],
            &[("JIT_SERVER", OTHER), ("JIT_IDENTITY", "dan")],
            "https://jit.other.example|alice",
        ),
        (
            &["--server", SERVER],
            &[("JIT_SERVER", OTHER), ("JIT_IDENTITY", "")],
            "https://jit.acme.example|alice",
        ),
    ];
    for (args, set, whose) in cases {
        assert!(
            served(&place, args, set).contains(&format!("\"{whose}\"")),
            "{args:?} {set:?}"
        );
    }
}

#[test]
fn nobody_signed_in_is_a_miss() {
    let place = Place::holding();
    assert_eq!(place.cache.current().unwrap(), None);
    assert_eq!(place.hit_with(&["prod"], &[], NOW), Outcome::Miss);
    assert_eq!(place.hit_with(&["prod", "--identity=alice"], &[], NOW), Outcome::Miss);
    assert_eq!(place.hit_with(&["prod", "--server", SERVER], &[], NOW), Outcome::Miss);
}

#[test]
fn damaged_current_names_nobody() {
    let place = four();
    for text in [
        "",
        "\n",
        "../../x\n",
        "https%3A%2F%2Fjit%2Eacme%2Eexample/alice",
        "a/b/c\n",
        "\u{fffd}\n",
    ] {
        fs::write(place.cache.root().join("current"), text).unwrap();
        assert_eq!(place.cache.current().unwrap(), None, "{text:?}");
    }
}

#[test]
fn identity_called_current_is_an_identity() {
    let place = four();
    place
        .cache
        .write(&account("current"), "prod", &entry("c", NOW + 60 * MIN))
        .unwrap();
    place.cache.set_current(&account("current")).unwrap();
    assert_eq!(place.cache.current().unwrap(), Some(account("current")));
    assert!(served(&place, &["--server", SERVER], &[]).contains("\"c\""));
}

#[test]
fn choice_refuses_what_is_no_name() {
    let none = |_: &str| None;
    assert!(Choice::new(Some("h"), None, &none).is_err());
    assert!(Choice::new(None, None, &|name| (name == "JIT_SERVER").then(|| "ftp://h".into())).is_err());
    let origin = Origin::parse(SERVER).unwrap();
    assert!(Account::new(origin, "").is_err());
}
