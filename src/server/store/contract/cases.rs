//! Cases with what stands beside them, prefixes, pages, lists.

use super::*;
use crate::domain::Case;

on_every_store! {
    case_holds_all_that_belongs_to_it
    case_of_grant_is_that_of_its_request
    case_of_an_extension_holds_what_it_extends
    beside_are_pending_requests_and_open_grants
    case_to_file_has_no_request_of_its_own
    ids_are_found_by_prefix
    requests_of_a_person_are_newest_first
    requests_of_a_person_continue_after_a_page
    open_requests_are_pending_or_have_an_open_grant
    pending_requests_are_oldest_first
    open_grants_are_those_that_end_last_first
    grants_since_are_those_activated_since
    outlived_are_over_while_a_credential_works
    left_behind_is_what_was_there_before_for_a_while
    every_value_comes_back_as_it_was
}

async fn put(store: &Tried, request: &Request) {
    store.commit(&filed(request)).await.unwrap();
}

/// Approves `request` and gives it grant number `n`, active until `ends`.
async fn give(store: &Tried, n: u64, request: &Request, ends: i64) -> Grant {
    let (closed, grant) = (approved(request), a_grant(n, request));
    let row = Row::Request(Box::new(closed));
    store
        .commit(&changes(vec![row, Row::Grant(grant.clone())]))
        .await
        .unwrap();
    let live = active(&grant, at(ends));
    store.commit(&change(Row::Grant(live.clone()))).await.unwrap();
    live
}

async fn end(store: &Tried, grant: &Grant) {
    let ended = Grant {
        state: GrantState::Ended,
        version: grant.version + 1,
        ..grant.clone()
    };
    store.commit(&change(Row::Grant(ended))).await.unwrap();
}

fn ids(requests: &[Request]) -> Vec<RequestId> {
    requests.iter().map(|request| request.id().clone()).collect()
}

fn named(numbers: &[u64]) -> Vec<RequestId> {
    numbers.iter().map(|n| request_id(*n)).collect()
}

fn beside(case: &Case) -> Vec<(RequestId, Option<GrantId>)> {
    let pair = |held: &crate::domain::Held| (held.request.id().clone(), held.grant.as_ref().map(|g| g.id.clone()));
    case.beside.iter().map(pair).collect()
}

async fn case_holds_all_that_belongs_to_it(store: &Tried) {
    let request = a_request(1, ALICE, "prod-admin");
    put(store, &request).await;
    store
        .commit(&change(Row::Decision(a_decision(BOB, &request))))
        .await
        .unwrap();
    let grant = give(store, 1, &request, 100).await;
    let case = store.case(request.id()).await.unwrap().unwrap();
    let whole = Case {
        request: Some(approved(&request)),
        decisions: vec![a_decision(BOB, &request)],
        grant: Some(grant),
        beside: Vec::new(),
        extended: None,
        locks: Vec::new(),
        membership: None,
    };
    assert_eq!(case, whole);
    assert_eq!(store.case(&request_id(2)).await.unwrap(), None);
}

async fn case_of_grant_is_that_of_its_request(store: &Tried) {
    let request = a_request(1, ALICE, "prod-admin");
    put(store, &request).await;
    give(store, 7, &request, 100).await;
    let case = store.case_of_grant(&grant_id(7)).await.unwrap();
    assert_eq!(case, store.case(request.id()).await.unwrap());
    assert_eq!(store.case_of_grant(&grant_id(8)).await.unwrap(), None);
}

async fn case_of_an_extension_holds_what_it_extends(store: &Tried) {
    let request = a_request(1, ALICE, "prod-admin");
    put(store, &request).await;
    let live = give(store, 1, &request, 100).await;
    let mut extension = a_request(2, ALICE, "prod-admin");
    extension.body.extends = Some(crate::domain::Extends {
        grant: live.id.clone(),
        ends_at: at(100),
    });
    extension.digest = extension.body.digest();
    put(store, &extension).await;
    let case = store.case(extension.id()).await.unwrap().unwrap();
    assert_eq!(case.extended, Some(live.clone()));
    assert_eq!(case.request, Some(extension.clone()));
    // beside it stands only what is open; what it extends is known when it is over, too
    end(store, &live).await;
    let case = store.case(extension.id()).await.unwrap().unwrap();
    assert_eq!(case.extended.map(|grant| grant.state), Some(GrantState::Ended));
    assert!(case.beside.is_empty());
}

async fn beside_are_pending_requests_and_open_grants(store: &Tried) {
    let [over, live, own] = [1, 2, 3].map(|n| a_request(n, ALICE, "prod-admin"));
    put(store, &over).await;
    let over = give(store, 1, &over, 50).await;
    end(store, &over).await;
    put(store, &live).await;
    give(store, 2, &live, 100).await;
    put(store, &own).await;
    put(store, &a_request(4, ALICE, "prod-read")).await;
    put(store, &a_request(5, BOB, "prod-admin")).await;
    let of_own = store.case(own.id()).await.unwrap().unwrap();
    assert_eq!(beside(&of_own), [(request_id(2), Some(grant_id(2)))]);
    let of_live = store.case(live.id()).await.unwrap().unwrap();
    assert_eq!(beside(&of_live), [(request_id(3), None)]);
}

async fn case_to_file_has_no_request_of_its_own(store: &Tried) {
    put(store, &a_request(1, ALICE, "prod-admin")).await;
    let case = store.case_to_file(&person(ALICE), &target("prod-admin")).await.unwrap();
    assert_eq!((case.request.clone(), case.grant.clone()), (None, None));
    assert_eq!(beside(&case), [(request_id(1), None)]);
    let other = store.case_to_file(&person(BOB), &target("prod-admin")).await.unwrap();
    assert_eq!(other, Case::default());
}

async fn ids_are_found_by_prefix(store: &Tried) {
    for n in [1, 2, 33] {
        put(store, &a_request(n, ALICE, &format!("target-{n}"))).await;
    }
    let whole = request_id(2);
    assert_eq!(
        store.requests_like(whole.as_str(), 9).await.unwrap(),
        std::slice::from_ref(&whole)
    );
    assert_eq!(store.requests_like(&whole.as_str()[..5], 9).await.unwrap(), [whole]);
    assert_eq!(store.requests_like("req_1", 9).await.unwrap(), named(&[1, 33]));
    assert_eq!(store.requests_like("req_", 2).await.unwrap().len(), 2);
    for nothing in ["req_%", "req\u{5f}_", "REQ_", "grt_", "é", "req_1é"] {
        assert_eq!(store.requests_like(nothing, 9).await.unwrap(), [], "{nothing}");
    }
    give(store, 5, &a_request(1, ALICE, "target-1"), 100).await;
    assert_eq!(store.grants_like("grt_5", 9).await.unwrap(), [grant_id(5)]);
    assert_eq!(store.grants_like("grt_6", 9).await.unwrap(), []);
}

async fn requests_of_a_person_are_newest_first(store: &Tried) {
    // ids in falling order: the order is that of filing
    put(store, &a_request(9, ALICE, "prod-admin")).await;
    put(store, &a_request(8, BOB, "prod-admin")).await;
    let mut for_bob = a_body(7, BOB, "prod-read");
    for_bob.requester = person(ALICE);
    put(store, &request_of(for_bob)).await;
    let of = |n| async move { ids(&store.requests_of(&person(n), false, None, 10).await.unwrap()) };
    assert_eq!(of(ALICE).await, named(&[7, 9]));
    assert_eq!(of(BOB).await, named(&[7, 8]));
    assert_eq!(of(CAROL).await, []);
}

async fn requests_of_a_person_continue_after_a_page(store: &Tried) {
    for n in 1..=5 {
        put(store, &a_request(n, ALICE, &format!("target-{n}"))).await;
    }
    let alice = person(ALICE);
    let page = |before: Option<u64>, open_only| {
        let (before, alice) = (before.map(request_id), alice.clone());
        async move { ids(&store.requests_of(&alice, open_only, before.as_ref(), 2).await.unwrap()) }
    };
    for open_only in [false, true] {
        assert_eq!(page(None, open_only).await, named(&[5, 4]));
        assert_eq!(page(Some(4), open_only).await, named(&[3, 2]));
        assert_eq!(page(Some(1), open_only).await, []);
        assert_eq!(page(Some(77), open_only).await, []);
    }
}

async fn open_requests_are_pending_or_have_an_open_grant(store: &Tried) {
    let requests = [1, 2, 3, 4].map(|n| a_request(n, ALICE, &format!("target-{n}")));
    for request in &requests {
        put(store, request).await;
    }
    let denied = Request {
        state: RequestState::Denied,
        ..approved(&requests[0])
    };
    store.commit(&change(Row::Request(Box::new(denied)))).await.unwrap();
    let over = give(store, 2, &requests[1], 50).await;
    end(store, &over).await;
    give(store, 3, &requests[2], 100).await;
    let mut for_bob = a_body(5, BOB, "target-5");
    for_bob.requester = person(ALICE);
    let for_bob = request_of(for_bob);
    put(store, &for_bob).await;
    give(store, 5, &for_bob, 100).await;
    let open = |n| async move { ids(&store.requests_of(&person(n), true, None, 10).await.unwrap()) };
    assert_eq!(open(ALICE).await, named(&[5, 4, 3]));
    assert_eq!(open(BOB).await, named(&[5]));
}

async fn pending_requests_are_oldest_first(store: &Tried) {
    for n in [3, 2, 1] {
        put(store, &a_request(n, ALICE, &format!("target-{n}"))).await;
    }
    let closed = approved(&a_request(2, ALICE, "target-2"));
    store.commit(&change(Row::Request(Box::new(closed)))).await.unwrap();
    assert_eq!(ids(&store.pending(10).await.unwrap()), named(&[3, 1]));
    assert_eq!(ids(&store.pending(1).await.unwrap()), named(&[3]));
}

async fn open_grants_are_those_that_end_last_first(store: &Tried) {
    for (n, ends) in [(1, 100), (2, 300), (3, 200), (4, 900)] {
        let request = a_request(n, if n == 4 { BOB } else { ALICE }, &format!("target-{n}"));
        put(store, &request).await;
        give(store, n, &request, ends).await;
    }
    let waiting = a_request(5, ALICE, "target-5");
    put(store, &waiting).await;
    let rows = vec![
        Row::Request(Box::new(approved(&waiting))),
        Row::Grant(a_grant(5, &waiting)),
    ];
    store.commit(&changes(rows)).await.unwrap();
    let found = store.open_grants(&person(ALICE)).await.unwrap();
    let order: Vec<_> = found.iter().map(|grant| grant.id.clone()).collect();
    assert_eq!(order, [2, 3, 1, 5].map(grant_id));
    end(store, &found[0]).await;
    assert_eq!(store.open_grants(&person(ALICE)).await.unwrap().len(), 3);
}

async fn grants_since_are_those_activated_since(store: &Tried) {
    for (n, began) in [(1, 100), (2, 300), (3, 200)] {
        let request = a_request(n, ALICE, "prod-admin");
        put(store, &request).await;
        let live = give(store, n, &request, 1000).await;
        let moved = Grant {
            activated_at: Some(at(began)),
            version: 3,
            ..live
        };
        store.commit(&change(Row::Grant(moved))).await.unwrap();
    }
    let (alice, on) = (person(ALICE), target("prod-admin"));
    let since = |seconds| {
        let (alice, on) = (alice.clone(), on.clone());
        async move {
            let found = store.grants_since(&alice, &on, at(seconds)).await.unwrap();
            found.into_iter().map(|grant| grant.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(since(0).await, [2, 3, 1].map(grant_id));
    assert_eq!(since(200).await, [2, 3].map(grant_id));
    assert_eq!(since(301).await, []);
}

async fn every_value_comes_back_as_it_was(store: &Tried) {
    use crate::domain::{Comment, EndCause, Narrowing, Ticket};
    let mut body = a_body(1, ALICE, "prod-admin");
    body.start = Some(at(77));
    body.ticket = Some(Ticket::parse("PAY-311").unwrap());
    body.only = vec![Narrowing::parse("s3:Get*@arn:aws:s3:::b/*").unwrap()];
    let request = request_of(body);
    put(store, &request).await;
    let comment = Some(Comment::parse("„yes“ \\ \" 😀").unwrap());
    let decision = Decision {
        comment,
        stage: 3,
        verdict: Verdict::Deny,
        ..a_decision(BOB, &request)
    };
    store.commit(&change(Row::Decision(decision.clone()))).await.unwrap();
    let live = give(store, 1, &request, 100).await;
    let over = Grant {
        state: GrantState::Ended,
        last_credential_at: Some(at(200)),
        ended_at: Some(at(150)),
        cause: Some(EndCause::Revoked),
        detail: Some("it's over".to_owned()),
        ended_by: Some(person(CAROL)),
        version: 3,
        ..live
    };
    store.commit(&change(Row::Grant(over.clone()))).await.unwrap();
    let case = store.case(request.id()).await.unwrap().unwrap();
    assert_eq!(case.request, Some(approved(&request)));
    assert!(case.request.unwrap().is_intact());
    assert_eq!((case.decisions, case.grant), (vec![decision], Some(over)));
}

async fn outlived_are_over_while_a_credential_works(store: &Tried) {
    let now = 50;
    let kill = |state| crate::domain::Kill {
        role_arn: "arn:aws:iam::111122223333:role/admin".to_owned(),
        since: at(10),
        until: at(90),
        state,
    };
    for (n, works_until, is_over, kill) in [
        (1, Some(51), true, None),
        (2, Some(50), true, None),
        (3, Some(90), false, None),
        (4, None, true, None),
        (5, Some(90), true, Some(kill(crate::domain::KillState::Killed))),
        (6, Some(60), true, None),
    ] {
        let request = a_request(n, ALICE, &format!("target-{n}"));
        put(store, &request).await;
        let live = give(store, n, &request, 100).await;
        let next = Grant {
            state: if is_over { GrantState::Ended } else { live.state },
            last_credential_at: works_until.map(at),
            kill,
            version: live.version + 1,
            ..live
        };
        store.commit(&change(Row::Grant(next))).await.unwrap();
    }
    let of_alice = store.outlived(&person(ALICE), at(now)).await.unwrap();
    assert_eq!(ids(&of_alice), named(&[6, 1]));
    assert_eq!(store.outlived(&person(BOB), at(now)).await.unwrap(), []);
}

async fn left_behind_is_what_was_there_before_for_a_while(store: &Tried) {
    for (n, ended_at, is_over, detail) in [
        (1, 51, true, Some(crate::domain::apply::REMAINS)),
        (2, 50, true, Some(crate::domain::apply::REMAINS)),
        (3, 60, false, Some(crate::domain::apply::REMAINS)),
        (4, 60, true, None),
        (5, 60, true, Some(crate::domain::apply::REMAINS)),
    ] {
        let request = a_request(n, ALICE, &format!("target-{n}"));
        put(store, &request).await;
        let live = give(store, n, &request, 100).await;
        let next = Grant {
            state: if is_over { GrantState::Ended } else { live.state },
            ended_at: Some(at(ended_at)),
            detail: detail.map(str::to_owned),
            version: live.version + 1,
            ..live
        };
        store.commit(&change(Row::Grant(next))).await.unwrap();
    }
    let of_alice = store.left_behind(&person(ALICE), at(50)).await.unwrap();
    assert_eq!(ids(&of_alice), named(&[5, 1]));
    assert_eq!(store.left_behind(&person(BOB), at(50)).await.unwrap(), []);
}
