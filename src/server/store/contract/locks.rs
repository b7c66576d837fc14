//! Locks: their rows, what they stand in the way of, what they end.

use super::*;
use crate::domain::{Kill, KillState, Lift, Lock, Scope};
use crate::server::store::{StoreError, Under};

on_every_store! {
    lock_is_read_back_as_it_was_set_and_lifted
    lock_set_by_two_at_once_conflicts
    case_holds_the_locks_that_bear_on_it
    commit_that_a_lock_forbids_changes_nothing
    commit_and_lock_at_once_never_pass_each_other
    grants_under_a_lock_are_those_that_it_ends
    lock_on_a_target_bears_on_what_is_bound_alike
    copies_of_what_is_over_are_under_a_lock
    lock_on_a_target_covers_its_accounts
    lock_on_many_accounts_bears_on_what_is_the_same_access
    sweep_is_claimed_with_its_scope
}

fn a_lock(scope: Scope) -> Lock {
    Lock {
        scope,
        bound_to: None,
        by: person(CAROL),
        reason: Reason::parse("laptop stolen").unwrap(),
        since: at(10),
        lifting: None,
        lifted: None,
        version: 1,
    }
}

fn lifted(lock: &Lock) -> Lock {
    Lock {
        lifted: Some(Lift {
            by: person(BOB),
            at: at(30),
        }),
        version: lock.version + 1,
        ..lock.clone()
    }
}

async fn put(store: &Tried, lock: &Lock) {
    store.commit(&change(Row::Lock(lock.clone()))).await.unwrap();
}

fn on(name: &str) -> Scope {
    Scope::Target(target(name))
}

async fn lock_is_read_back_as_it_was_set_and_lifted(store: &Tried) {
    let scope = Scope::Person(person(ALICE));
    assert_eq!(store.lock(&scope).await.unwrap(), None);
    let first = a_lock(scope.clone());
    put(store, &first).await;
    assert_eq!(store.lock(&scope).await.unwrap(), Some(first.clone()));
    assert_eq!(store.standing_locks(10).await.unwrap(), std::slice::from_ref(&first));
    let half = Lock {
        lifting: Some(Lift {
            by: person(BOB),
            at: at(20),
        }),
        version: 2,
        ..first
    };
    put(store, &half).await;
    assert_eq!(
        store
            .locks_on(&[Scope::All, scope.clone(), scope.clone()])
            .await
            .unwrap(),
        std::slice::from_ref(&half)
    );
    let over = lifted(&half);
    put(store, &over).await;
    assert_eq!(store.lock(&scope).await.unwrap(), Some(over.clone()));
    assert_eq!(store.locks_on(std::slice::from_ref(&scope)).await.unwrap(), []);
    assert_eq!(store.standing_locks(10).await.unwrap(), []);
    let again = Lock {
        by: person(BOB),
        reason: Reason::parse("again").unwrap(),
        since: at(40),
        version: over.version + 1,
        ..a_lock(scope.clone())
    };
    put(store, &again).await;
    assert_eq!(store.lock(&scope).await.unwrap(), Some(again));
}

async fn lock_set_by_two_at_once_conflicts(store: &Tried) {
    let lock = a_lock(Scope::All);
    put(store, &lock).await;
    for late in [lock.clone(), Lock { version: 3, ..lock }] {
        let answer = store.commit(&change(Row::Lock(late))).await;
        assert!(matches!(answer, Err(StoreError::Conflict)), "{answer:?}");
    }
}

async fn case_holds_the_locks_that_bear_on_it(store: &Tried) {
    let mut request = a_request(1, ALICE, "prod-admin");
    request.body.requester = person(CAROL);
    request.digest = request.body.digest();
    store.commit(&filed(&request)).await.unwrap();
    store
        .commit(&change(Row::Decision(a_decision(BOB, &request))))
        .await
        .unwrap();
    let bearing = [
        Scope::All,
        Scope::Person(person(ALICE)),
        Scope::Person(person(BOB)),
        Scope::Person(person(CAROL)),
        on("prod-admin"),
    ];
    for scope in bearing.iter().cloned().chain([on("prod")]) {
        put(store, &a_lock(scope)).await;
    }
    let case = store.case(request.id()).await.unwrap().unwrap();
    let found: Vec<Scope> = case.locks.iter().map(|lock| lock.scope.clone()).collect();
    assert_eq!(found, bearing);
    let asked = store.case_to_file(&person(ALICE), &target("prod-admin")).await.unwrap();
    let found: Vec<Scope> = asked.locks.iter().map(|lock| lock.scope.clone()).collect();
    assert_eq!(found, [Scope::All, Scope::Person(person(ALICE)), on("prod-admin")]);
    put(store, &lifted(&a_lock(Scope::All))).await;
    let case = store.case(request.id()).await.unwrap().unwrap();
    assert!(case.locks.iter().all(|lock| lock.scope != Scope::All));
}

async fn commit_that_a_lock_forbids_changes_nothing(store: &Tried) {
    put(store, &a_lock(on("prod-admin"))).await;
    let request = a_request(1, ALICE, "prod-admin");
    let filing = |scopes: &[Scope]| Change {
        unless_locked: scopes.to_vec(),
        ..filed(&request)
    };
    let refused = store.commit(&filing(&[Scope::All, on("prod-admin")])).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    assert_eq!(store.case(request.id()).await.unwrap(), None);
    store.commit(&filing(&[Scope::All, on("prod")])).await.unwrap();
    put(store, &lifted(&a_lock(on("prod-admin")))).await;
    let grant = Change {
        unless_locked: vec![on("prod-admin")],
        ..change(Row::Grant(a_grant(1, &request)))
    };
    store.commit(&grant).await.unwrap();
}

async fn commit_and_lock_at_once_never_pass_each_other(store: &Tried) {
    for n in 1..=20 {
        let name = format!("target-{n}");
        let request = a_request(n, ALICE, &name);
        let filing = Change {
            unless_locked: vec![on(&name)],
            ..filed(&request)
        };
        let lock = change(Row::Lock(a_lock(on(&name))));
        let (one, two) = (store.store.clone(), store.store.clone());
        let filed = tokio::spawn(async move { one.commit(&filing).await });
        let locked = tokio::spawn(async move { two.commit(&lock).await });
        locked.await.unwrap().unwrap();
        let is_filed = filed.await.unwrap().is_ok();
        let lines = store.evidence(0, 1_000).await.unwrap();
        let last = |kind: &str| {
            lines
                .iter()
                .rev()
                .find(|line| line.kind == kind)
                .map_or(0, |line| line.seq)
        };
        assert!(
            !is_filed || last("request.filed") < last("test.changed"),
            "filed after the lock"
        );
        assert_eq!(store.case(request.id()).await.unwrap().is_some(), is_filed);
    }
}

async fn grants_under_a_lock_are_those_that_it_ends(store: &Tried) {
    for (n, who, name) in [(1, ALICE, "db"), (2, BOB, "db"), (3, ALICE, "web"), (4, ALICE, "app")] {
        let request = a_request(n, who, name);
        store.commit(&filed(&request)).await.unwrap();
        let grant = Grant {
            created_at: at(20 + n.cast_signed()),
            ..a_grant(n, &request)
        };
        store.commit(&change(Row::Grant(grant.clone()))).await.unwrap();
        let live = Grant {
            last_credential_at: Some(at(100 + n.cast_signed())),
            ..active(&grant, at(200))
        };
        store.commit(&change(Row::Grant(live.clone()))).await.unwrap();
        if n == 4 {
            let ending = Grant {
                state: GrantState::Revoking,
                version: live.version + 1,
                ..live
            };
            store.commit(&change(Row::Grant(ending))).await.unwrap();
        }
    }
    let all = at(100);
    let under = |scope: Scope, until: Timestamp, after: Option<u64>, limit: u32| async move {
        let after = after.map(grant_id);
        let found = store.grants_under(&scope, until, after.as_ref(), limit).await.unwrap();
        found
            .iter()
            .map(|id| (1..5).find(|n| grant_id(*n) == *id).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(under(Scope::All, all, None, 10).await, [1, 2, 3]);
    assert_eq!(under(Scope::All, all, None, 2).await, [1, 2]);
    assert_eq!(under(Scope::All, all, Some(2), 2).await, [3]);
    assert_eq!(under(Scope::All, at(22), None, 10).await, [1, 2]);
    assert_eq!(under(Scope::Person(person(ALICE)), all, None, 10).await, [1, 3]);
    assert_eq!(under(on("db"), all, Some(1), 10).await, [2]);
    assert_eq!(open(store, &Scope::All, 0).await, (4, Some(at(104))));
    assert_eq!(open(store, &Scope::Person(person(BOB)), 0).await, (1, Some(at(102))));
    assert_eq!(open(store, &on("db"), 0).await, (2, Some(at(102))));
    assert_eq!(open(store, &on("none"), 0).await, (0, None));
}

/// What is open under `scope` at `now`, and until when copies work.
async fn open(store: &Tried, scope: &Scope, now: i64) -> (u64, Option<Timestamp>) {
    let Under {
        grants,
        last_credential_at,
        ..
    } = store.open_under(scope, None, at(now)).await.unwrap();
    (grants, last_credential_at)
}

async fn lock_on_a_target_bears_on_what_is_bound_alike(store: &Tried) {
    let one = a_request(1, ALICE, "dev-too");
    let bound = Scope::bound(&one.body.binding);
    let mut other = a_request(2, ALICE, "elsewhere");
    other.body.binding.role_mut().unwrap().role_arn.push('2');
    other.digest = other.body.digest();
    for (n, request) in [(1, &one), (2, &other)] {
        store.commit(&filed(request)).await.unwrap();
        store.commit(&change(Row::Grant(a_grant(n, request)))).await.unwrap();
    }
    let lock = Lock {
        bound_to: Some(bound.clone()),
        ..a_lock(on("dev-admin"))
    };
    put(store, &lock).await;
    assert_eq!(store.lock(&lock.scope).await.unwrap(), Some(lock.clone()));
    let case = |request: &Request| {
        let id = request.id().clone();
        async move { store.case(&id).await.unwrap().unwrap().locks }
    };
    assert_eq!((case(&one).await, case(&other).await), (vec![lock.clone()], vec![]));
    let standing = store.locks_on(&[bound.clone(), on("dev-admin")]).await.unwrap();
    assert_eq!(standing, std::slice::from_ref(&lock));
    let guarded = |scope: Scope| Change {
        unless_locked: vec![scope],
        ..change(Row::Person(a_person(9)))
    };
    let refused = store.commit(&guarded(bound.clone())).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    store.commit(&guarded(Scope::bound(&other.body.binding))).await.unwrap();
    let found = store.grants_under(&bound, at(100), None, 10).await.unwrap();
    assert_eq!(found, [grant_id(1)]);
    let under = store.open_under(&lock.scope, Some(&bound), at(0)).await.unwrap();
    assert_eq!(under.grants, 1);
    put(store, &lifted(&lock)).await;
    assert_eq!(store.locks_on(&[bound]).await.unwrap(), []);
}

async fn copies_of_what_is_over_are_under_a_lock(store: &Tried) {
    for (n, last) in [(1, 100), (2, 200)] {
        let request = a_request(n, ALICE, &format!("target-{n}"));
        store.commit(&filed(&request)).await.unwrap();
        let grant = a_grant(n, &request);
        store.commit(&change(Row::Grant(grant.clone()))).await.unwrap();
        let over = Grant {
            state: GrantState::Ended,
            ended_at: Some(at(50)),
            last_credential_at: Some(at(last)),
            kill: (n == 2).then(|| Kill {
                role_arn: request.body.binding.arn().to_owned(),
                since: at(40),
                until: at(last),
                state: KillState::Killed,
            }),
            version: 2,
            ..grant
        };
        store.commit(&change(Row::Grant(over))).await.unwrap();
    }
    assert_eq!(
        open(store, &Scope::All, 60).await,
        (0, Some(at(100))),
        "not what is shut out"
    );
    assert_eq!(open(store, &Scope::Person(person(ALICE)), 60).await, (0, Some(at(100))));
    assert_eq!(open(store, &on("target-1"), 60).await, (0, Some(at(100))));
    assert_eq!(open(store, &on("target-2"), 60).await, (0, None));
    assert_eq!(open(store, &Scope::All, 100).await, (0, None), "dead by then");
}

async fn lock_on_a_target_covers_its_accounts(store: &Tried) {
    let names = [
        "my_db/111122223333",
        "my_db",
        "myxdb/111122223333",
        "my_db2/111122223333",
    ];
    let mut requests = Vec::new();
    for (n, name) in (1..).zip(names) {
        let request = a_request(n, ALICE, name);
        store.commit(&filed(&request)).await.unwrap();
        store.commit(&change(Row::Grant(a_grant(n, &request)))).await.unwrap();
        requests.push(request);
    }
    for (name, ids) in [("my_db", vec![1, 2]), ("my_db/111122223333", vec![1]), ("my", vec![])] {
        let ids: Vec<GrantId> = ids.into_iter().map(grant_id).collect();
        let found = store.grants_under(&on(name), at(1_000), None, 10).await.unwrap();
        assert_eq!(found, ids, "{name}");
        assert_eq!(open(store, &on(name), 0).await.0, ids.len() as u64, "{name}");
    }
    put(store, &a_lock(on("my_db"))).await;
    for (request, is_locked) in requests.iter().zip([true, true, false, false]) {
        let case = store.case(request.id()).await.unwrap().unwrap();
        assert_eq!(!case.locks.is_empty(), is_locked, "{}", request.body.target);
    }
}

async fn sweep_is_claimed_with_its_scope(store: &Tried) {
    let sweeps = [Scope::All, Scope::Person(person(ALICE)), on("db")].map(|scope| Effect::Sweep { scope });
    let oust = Effect::Oust {
        membership: "arn:aws:sso:::permissionSet/ssoins-1/ps-1/111122223333/u-1".to_owned(),
    };
    for effect in sweeps.into_iter().chain([oust]) {
        let left = Change::default().with_effect(at(1), effect.clone());
        store.commit(&left).await.unwrap();
        let claimed = store.claim("worker", at(2), at(9), Effect::ALL, 5).await.unwrap();
        assert_eq!(claimed.len(), 1);
        assert_eq!(claimed[0].effect, effect);
        store
            .commit(&Change::default().completing(claimed[0].id))
            .await
            .unwrap();
    }
}

async fn lock_on_many_accounts_bears_on_what_is_the_same_access(store: &Tried) {
    let same = |n: u64, name: &str, same: &[&str]| {
        let mut request = a_request(n, ALICE, name);
        request.frozen.same_access = same.iter().map(|name| target(name)).collect();
        request
    };
    let one = same(1, "ledger-ops", &["all-ops/444444444444", "prod-ops/444444444444"]);
    let other = same(2, "other-ops", &["prod-ops-too/444444444444"]);
    let requests = [one, other, same(3, "dev-admin", &[])];
    for (n, request) in (1..).zip(&requests) {
        store.commit(&filed(request)).await.unwrap();
        store.commit(&change(Row::Grant(a_grant(n, request)))).await.unwrap();
    }
    for (name, is_on) in [
        ("prod-ops", true),
        ("all-ops/444444444444", true),
        ("prod-ops/444444444444", true),
        ("prod-ops/333333333333", false),
        ("ops", false),
        ("prod", false),
    ] {
        let lock = a_lock(on(name));
        put(store, &lock).await;
        let under = store.grants_under(&on(name), at(1_000), None, 10).await.unwrap();
        let wanted: Vec<GrantId> = is_on.then(|| grant_id(1)).into_iter().collect();
        assert_eq!(under, wanted, "{name}");
        for bound_to in [None, Some(Scope::Bound("1/none".into()))] {
            let open = store.open_under(&on(name), bound_to.as_ref(), at(0)).await.unwrap();
            assert_eq!(open.grants, u64::from(is_on), "{name}");
        }
        for (request, bears) in requests.iter().zip([is_on, false, false]) {
            let case = store.case(request.id()).await.unwrap().unwrap();
            assert_eq!(
                case.locks.len(),
                usize::from(bears),
                "{name} on {}",
                request.body.target
            );
        }
        put(store, &lifted(&lock)).await;
    }
}
