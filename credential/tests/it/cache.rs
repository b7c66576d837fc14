//! Writing, removing and listing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Barrier;
use std::thread;

use crate::support::{MIN, NOW, Place, account, account_at, entry, printed};
use hot::{Failure, Outcome, Problem};

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn files_are_private_from_the_start() {
    let place = Place::holding();
    place.cache.set_current(&account("alice")).unwrap();
    let file = place.file();
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(&place.cache.root().join("current")), 0o600);
    for folder in file.ancestors().skip(1).take(3) {
        assert_eq!(mode(folder), 0o700, "{folder:?}");
    }
}

#[test]
fn names_on_disk_are_percent_encoded() {
    let place = Place::new();
    let who = account_at("http://127.0.0.1:7878/", "ana@acme.example");
    place.cache.write(&who, "a.b", &entry("x", NOW + 60 * MIN)).unwrap();
    let file = place
        .cache
        .root()
        .join("http%3A%2F%2F127%2E0%2E0%2E1%3A7878/ana%40acme%2Eexample/a%2Eb");
    assert!(file.is_file());
    assert_eq!(place.cache.path(&who, "a.b").unwrap(), file);
}

#[test]
fn json_lies_in_the_file_as_it_is_printed() {
    let place = Place::holding();
    let text = fs::read_to_string(place.file()).unwrap();
    let (line, rest) = text.split_once('\n').unwrap();
    assert!(
        line.starts_with("jit-cache/1 ") && line.contains(" grt_1 full "),
        "{line}"
    );
    assert_eq!(rest, printed(place.hit(NOW)));
}

#[test]
fn writing_leaves_nothing_beside_the_file() {
    let place = Place::holding();
    place
        .cache
        .write(&account("alice"), "prod", &entry("again", NOW + 60 * MIN))
        .unwrap();
    assert_eq!(fs::read_dir(place.file().parent().unwrap()).unwrap().count(), 1);
    assert!(printed(place.hit(NOW)).contains("again"));
}

#[test]
fn leftovers_of_a_dead_writer_are_swept() {
    let place = Place::holding();
    let left = place.file().with_file_name("prod.new.1.0");
    let fresh = place.file().with_file_name("prod.new.1.1");
    fs::write(&fresh, "secret").unwrap();
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    fs::File::create(&left).unwrap().set_modified(old).unwrap();
    place
        .cache
        .write(&account("alice"), "prod", &entry("x", NOW + 60 * MIN))
        .unwrap();
    assert!(!left.exists() && fresh.exists());
    place.cache.remove(&account("alice"), "prod").unwrap();
    assert!(!fresh.exists());
}

#[test]
fn racing_writers_leave_one_whole_credential() {
    let place = Place::holding();
    let start = Barrier::new(5);
    thread::scope(|scope| {
        for says in ["a", "b", "c", "d"] {
            let (place, start) = (&place, &start);
            scope.spawn(move || {
                start.wait();
                for _ in 0..50 {
                    let entry = entry(&says.repeat(3000), NOW + 60 * MIN);
                    place.cache.write(&account("alice"), "prod", &entry).unwrap();
                }
            });
        }
        start.wait();
        for _ in 0..500 {
            printed(place.hit(NOW));
        }
    });
    assert_eq!(fs::read_dir(place.file().parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn removing_takes_credential_and_failure() {
    let place = Place::holding();
    let failure = Failure {
        until_ms: NOW + 3000,
        exit: 8,
        code: "x.y".into(),
        message: "x".into(),
        hint: None,
    };
    place
        .cache
        .remember_failure(&account("alice"), "prod", &failure)
        .unwrap();
    place.cache.remove(&account("alice"), "prod").unwrap();
    assert_eq!(place.hit(NOW), Outcome::Miss);
    place.cache.remove(&account("alice"), "prod").unwrap();
    place.cache.remove(&account("nobody"), "prod").unwrap();
}

#[test]
fn removing_all_empties_one_account_only() {
    let place = Place::holding();
    for (who, target) in [("alice", "dev"), ("bob", "prod")] {
        place
            .cache
            .write(&account(who), target, &entry("x", NOW + 60 * MIN))
            .unwrap();
    }
    place.cache.remove_all(&account("alice")).unwrap();
    assert!(!place.cache.folder(&account("alice")).exists());
    assert!(place.cache.read(&account("bob"), "prod").is_ok());
    place.cache.remove_all(&account("alice")).unwrap();
}

#[test]
fn list_has_targets_and_what_is_wrong_with_them() {
    let place = Place::holding();
    place
        .cache
        .write(&account("alice"), "a.b", &entry("x", NOW + 60 * MIN))
        .unwrap();
    fs::write(place.file().with_file_name("prod.lock"), "").unwrap();
    fs::write(place.file().with_file_name("broken"), "").unwrap();
    fs::set_permissions(place.file().with_file_name("broken"), fs::Permissions::from_mode(0o600)).unwrap();
    let listed = place.cache.list(&account("alice")).unwrap();
    let names: Vec<_> = listed.iter().map(|l| (l.target.as_str(), l.facts.is_ok())).collect();
    assert_eq!(names, [("a.b", true), ("broken", false), ("prod", true)]);
    assert!(place.cache.list(&account("nobody")).unwrap().is_empty());
}

#[test]
fn target_that_is_no_name_never_reaches_the_disk() {
    let place = Place::holding();
    for target in ["../prod", "", "prod/../x", "prod/x.lock/y", "A"] {
        assert!(
            matches!(place.cache.read(&account("alice"), target), Err(Problem::Name(_))),
            "{target:?}"
        );
        assert!(place.cache.write(&account("alice"), target, &entry("x", NOW)).is_err());
    }
}

#[test]
fn read_only_home_is_an_error_not_a_panic() {
    let place = Place::new();
    // Not even root makes a folder below a file.
    fs::write(place.cache.root(), "").unwrap();
    let problem = place
        .cache
        .write(&account("alice"), "prod", &entry("x", NOW))
        .unwrap_err();
    assert!(problem.to_string().contains("is no folder: run  rm "), "{problem}");
}
