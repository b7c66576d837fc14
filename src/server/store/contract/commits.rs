//! One commit: all or nothing, conflicts, duplicates, once.

use super::*;
use crate::server::store::StoreError;

on_every_store! {
    one_bad_row_leaves_nothing_of_the_change
    refused_change_hurts_no_later_one
    empty_change_is_no_error
    update_needs_the_version_before
    update_of_what_is_not_there_conflicts
    repeated_request_id_is_duplicate
    repeated_grant_id_is_duplicate
    second_grant_of_a_request_conflicts
    request_body_is_written_on_insertion_only
    grant_keeps_whose_it_is
    second_pending_request_on_a_target_conflicts
    filing_beside_a_scheduled_grant_conflicts
    request_after_a_closed_one_is_filed
    second_decision_of_a_person_conflicts
    row_that_names_nothing_is_refused
    idempotency_key_is_used_up_once
    idempotency_key_is_forgotten_by_age
}

/// A change that touches everything, with `row` in the middle.
fn everything_with(row: Row) -> Change {
    let request = a_request(1, ALICE, "prod-admin");
    let mut all = filed(&request)
        .with_effect(
            at(5),
            Effect::Expire {
                request: request.id().clone(),
            },
        )
        .once(Some(once("key", "outcome")));
    all.rows.push(row);
    all
}

async fn one_bad_row_leaves_nothing_of_the_change(store: &Tried) {
    let (effects, events) = (store.left().await.unwrap(), store.evidence(0, 100).await.unwrap());
    let never_seen = Row::Session(Session {
        version: 7,
        ..a_session(9, ALICE)
    });
    let refused = store.commit(&everything_with(never_seen)).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    assert_eq!(store.case(&request_id(1)).await.unwrap(), None);
    assert_eq!(store.left().await.unwrap(), effects);
    assert_eq!(store.evidence(0, 100).await.unwrap(), events);
    assert_eq!(store.once(&person(ALICE), "key").await.unwrap(), None);
}

async fn refused_change_hurts_no_later_one(store: &Tried) {
    let never_seen = Row::Session(Session {
        version: 7,
        ..a_session(9, ALICE)
    });
    assert!(store.commit(&everything_with(never_seen)).await.is_err());
    store
        .commit(&everything_with(Row::Session(a_session(9, ALICE))))
        .await
        .unwrap();
    assert!(store.case(&request_id(1)).await.unwrap().is_some());
    assert_eq!(store.left().await.unwrap(), 1);
    assert!(store.once(&person(ALICE), "key").await.unwrap().is_some());
}

async fn empty_change_is_no_error(store: &Tried) {
    let before = store.evidence(0, 100).await.unwrap();
    store.commit(&Change::default()).await.unwrap();
    assert_eq!(store.evidence(0, 100).await.unwrap(), before);
}

async fn update_needs_the_version_before(store: &Tried) {
    let request = a_request(1, ALICE, "prod-admin");
    store.commit(&filed(&request)).await.unwrap();
    let second = approved(&request);
    store
        .commit(&change(Row::Request(Box::new(second.clone()))))
        .await
        .unwrap();
    for stale in [
        second.clone(),
        Request {
            version: 4,
            ..second.clone()
        },
        Request {
            version: 0,
            ..second.clone()
        },
    ] {
        let refused = store.commit(&change(Row::Request(Box::new(stale)))).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    }
    let case = store.case(request.id()).await.unwrap().unwrap();
    assert_eq!(case.request, Some(second));
}

async fn update_of_what_is_not_there_conflicts(store: &Tried) {
    let request = approved(&a_request(1, ALICE, "prod-admin"));
    let rows = [
        Row::Request(Box::new(request.clone())),
        Row::Grant(active(&a_grant(1, &request), at(99))),
        Row::Session(Session {
            version: 2,
            ..a_session(1, ALICE)
        }),
        Row::SignInCode(SignInCode {
            version: 2,
            ..a_code(1, ALICE)
        }),
    ];
    for row in rows {
        let refused = store.commit(&change(row)).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    }
}

async fn repeated_request_id_is_duplicate(store: &Tried) {
    store.commit(&filed(&a_request(1, ALICE, "prod-admin"))).await.unwrap();
    let refused = store.commit(&filed(&a_request(1, BOB, "prod-read"))).await;
    assert!(matches!(refused, Err(StoreError::Duplicate)), "{refused:?}");
    let case = store.case(&request_id(1)).await.unwrap().unwrap();
    assert_eq!(case.request.unwrap().body.beneficiary, person(ALICE));
}

/// Two requests on two targets, each approved.
async fn two_approved(store: &Tried) -> [Request; 2] {
    let requests = [a_request(1, ALICE, "prod-admin"), a_request(2, ALICE, "prod-read")];
    for request in &requests {
        store.commit(&filed(request)).await.unwrap();
        store
            .commit(&change(Row::Request(Box::new(approved(request)))))
            .await
            .unwrap();
    }
    requests
}

async fn repeated_grant_id_is_duplicate(store: &Tried) {
    let [first, second] = two_approved(store).await;
    store.commit(&change(Row::Grant(a_grant(1, &first)))).await.unwrap();
    let refused = store.commit(&change(Row::Grant(a_grant(1, &second)))).await;
    assert!(matches!(refused, Err(StoreError::Duplicate)), "{refused:?}");
}

async fn second_grant_of_a_request_conflicts(store: &Tried) {
    let [first, _] = two_approved(store).await;
    store.commit(&change(Row::Grant(a_grant(1, &first)))).await.unwrap();
    let refused = store.commit(&change(Row::Grant(a_grant(2, &first)))).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
}

async fn request_body_is_written_on_insertion_only(store: &Tried) {
    let request = a_request(1, ALICE, "prod-admin");
    store.commit(&filed(&request)).await.unwrap();
    let mut forged = approved(&request);
    forged.body.duration = duration(1);
    forged.digest = forged.body.digest();
    forged.frozen.risk = 0;
    store.commit(&change(Row::Request(Box::new(forged)))).await.unwrap();
    let case = store.case(request.id()).await.unwrap().unwrap();
    assert_eq!(case.request, Some(approved(&request)));
}

async fn grant_keeps_whose_it_is(store: &Tried) {
    let [first, _] = two_approved(store).await;
    let grant = a_grant(1, &first);
    store.commit(&change(Row::Grant(grant.clone()))).await.unwrap();
    let next = active(&grant, at(99));
    let forged = Grant {
        beneficiary: person(BOB),
        target: target("other"),
        request: request_id(2),
        ..next.clone()
    };
    store.commit(&change(Row::Grant(forged))).await.unwrap();
    assert_eq!(store.grant_of(first.id()).await.unwrap(), Some(next));
}

async fn second_pending_request_on_a_target_conflicts(store: &Tried) {
    store.commit(&filed(&a_request(1, ALICE, "prod-admin"))).await.unwrap();
    let refused = store.commit(&filed(&a_request(2, ALICE, "prod-admin"))).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    store.commit(&filed(&a_request(3, BOB, "prod-admin"))).await.unwrap();
    store.commit(&filed(&a_request(4, ALICE, "prod-read"))).await.unwrap();
}

async fn filing_beside_a_scheduled_grant_conflicts(store: &Tried) {
    let [first, _] = two_approved(store).await;
    store.commit(&change(Row::Grant(a_grant(1, &first)))).await.unwrap();
    let refused = store.commit(&filed(&a_request(3, ALICE, "prod-admin"))).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    store
        .commit(&change(Row::Grant(active(&a_grant(1, &first), at(99)))))
        .await
        .unwrap();
    store.commit(&filed(&a_request(3, ALICE, "prod-admin"))).await.unwrap();
}

async fn request_after_a_closed_one_is_filed(store: &Tried) {
    let first = a_request(1, ALICE, "prod-admin");
    store.commit(&filed(&first)).await.unwrap();
    let denied = Request {
        state: RequestState::Denied,
        ..approved(&first)
    };
    store.commit(&change(Row::Request(Box::new(denied)))).await.unwrap();
    store.commit(&filed(&a_request(2, ALICE, "prod-admin"))).await.unwrap();
}

async fn second_decision_of_a_person_conflicts(store: &Tried) {
    let request = a_request(1, ALICE, "prod-admin");
    store.commit(&filed(&request)).await.unwrap();
    store
        .commit(&change(Row::Decision(a_decision(BOB, &request))))
        .await
        .unwrap();
    let refused = store.commit(&change(Row::Decision(a_decision(BOB, &request)))).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    store
        .commit(&change(Row::Decision(a_decision(CAROL, &request))))
        .await
        .unwrap();
    let by: Vec<_> = store
        .decisions(request.id())
        .await
        .unwrap()
        .into_iter()
        .map(|d| d.by)
        .collect();
    assert_eq!(by, [person(BOB), person(CAROL)]);
}

async fn row_that_names_nothing_is_refused(store: &Tried) {
    let request = a_request(1, ALICE, "prod-admin");
    let orphans = [
        Row::Decision(a_decision(BOB, &request)),
        Row::Grant(a_grant(1, &request)),
        Row::Request(Box::new(a_request(1, 99, "prod-admin"))),
        Row::Session(a_session(1, 99)),
        Row::SignInCode(a_code(1, 99)),
        Row::Device(a_device(99)),
    ];
    for orphan in orphans {
        let refused = store.commit(&change(orphan)).await;
        assert!(matches!(refused, Err(StoreError::Unreadable(_))), "{refused:?}");
    }
}

async fn idempotency_key_is_used_up_once(store: &Tried) {
    let keyed = |n| filed(&a_request(n, n, "prod-admin")).once(Some(once("key", &format!("outcome-{n}"))));
    store.commit(&keyed(ALICE)).await.unwrap();
    let refused = store.commit(&keyed(BOB)).await;
    assert!(matches!(refused, Err(StoreError::Repeated)), "{refused:?}");
    assert_eq!(store.case(&request_id(BOB)).await.unwrap(), None);
    let found = store.once(&person(ALICE), "key").await.unwrap();
    assert_eq!(found, Some((Digest::of(b"body"), "outcome-1".to_owned())));
    assert_eq!(store.once(&person(BOB), "key").await.unwrap(), None);
}

async fn idempotency_key_is_forgotten_by_age(store: &Tried) {
    let keyed = Change {
        once: Some(once("key", "outcome")),
        ..Change::default()
    };
    store.commit(&keyed).await.unwrap();
    store.forget_once(at(10)).await.unwrap();
    assert!(store.once(&person(ALICE), "key").await.unwrap().is_some());
    store.forget_once(at(11)).await.unwrap();
    assert_eq!(store.once(&person(ALICE), "key").await.unwrap(), None);
    store.commit(&keyed).await.unwrap();
}
