//! One process fetches at a time, and nobody waits for ever.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Place, account};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn lock_is_given_to_one_at_a_time() {
    let place = Place::new();
    let first = place.cache.lock(&account("alice"), "prod", Duration::ZERO).unwrap();
    assert!(first.is_some());
    assert!(
        place
            .cache
            .lock(&account("alice"), "prod", Duration::ZERO)
            .unwrap()
            .is_none()
    );
    assert!(
        place
            .cache
            .lock(&account("alice"), "dev", Duration::ZERO)
            .unwrap()
            .is_some()
    );
    assert!(
        place
            .cache
            .lock(&account("bob"), "prod", Duration::ZERO)
            .unwrap()
            .is_some()
    );
}

#[test]
fn waiting_for_a_lock_ends_at_its_limit() {
    let place = Place::new();
    let _held = place.cache.lock(&account("alice"), "prod", Duration::ZERO).unwrap();
    let start = Instant::now();
    let limit = Duration::from_millis(80);
    assert!(place.cache.lock(&account("alice"), "prod", limit).unwrap().is_none());
    assert!(start.elapsed() >= limit && start.elapsed() < LONG);
}

#[test]
fn lock_passes_on_when_it_is_given_back() {
    let place = Place::new();
    let held = place
        .cache
        .lock(&account("alice"), "prod", Duration::ZERO)
        .unwrap()
        .unwrap();
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..20 {
            let (place, tell) = (&place, tell.clone());
            scope.spawn(move || tell.send(place.cache.lock(&account("alice"), "prod", LONG).unwrap().is_some()));
        }
        drop(held);
        for _ in 0..20 {
            assert!(told.recv_timeout(LONG).unwrap());
        }
    });
}

#[test]
fn lock_won_by_waiting_keeps_others_out() {
    let place = Place::new();
    let held = place.cache.lock(&account("alice"), "prod", Duration::ZERO).unwrap();
    let won = thread::scope(|scope| {
        let (begin, begun) = mpsc::channel();
        let place = &place;
        let waiter = scope.spawn(move || {
            begin.send(()).unwrap();
            place.cache.lock(&account("alice"), "prod", LONG).unwrap()
        });
        begun.recv_timeout(LONG).unwrap();
        // Long enough that the other thread is past its first try, whose lock would be another one.
        let limit = Duration::from_millis(50);
        assert!(place.cache.lock(&account("alice"), "prod", limit).unwrap().is_none());
        drop(held);
        waiter.join().unwrap()
    });
    assert!(won.is_some());
    assert!(
        place
            .cache
            .lock(&account("alice"), "prod", Duration::from_millis(50))
            .unwrap()
            .is_none()
    );
}

#[test]
fn lock_given_up_at_the_limit_is_not_kept() {
    let place = Place::new();
    let held = place.cache.lock(&account("alice"), "prod", Duration::ZERO).unwrap();
    assert!(
        place
            .cache
            .lock(&account("alice"), "prod", Duration::from_millis(5))
            .unwrap()
            .is_none()
    );
    drop(held);
    assert!(place.cache.lock(&account("alice"), "prod", LONG).unwrap().is_some());
}

#[test]
fn held_lock_survives_removing_all() {
    let place = Place::holding();
    let held = place.cache.lock(&account("alice"), "prod", Duration::ZERO).unwrap();
    place.cache.remove_all(&account("alice")).unwrap();
    assert!(
        place
            .cache
            .lock(&account("alice"), "prod", Duration::ZERO)
            .unwrap()
            .is_none()
    );
    drop(held);
    place.cache.remove_all(&account("alice")).unwrap();
    assert!(!place.cache.folder(&account("alice")).exists());
}
