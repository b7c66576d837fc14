//! People, devices, sessions, codes.

use super::*;
use crate::server::store::StoreError;

on_every_store! {
    person_is_found_by_id_and_by_subject
    people_are_found_by_the_name_that_is_shown
    person_of_a_known_subject_conflicts
    repeated_person_id_is_duplicate
    device_enrolled_again_stays_as_it_is
    device_is_found_for_everybody_it_is_enrolled_for
    session_is_found_by_hash_and_by_id
    session_changes_only_its_end
    workload_is_kept_with_what_matched
    token_of_a_workload_opens_one_session
    code_is_spent_once
    sign_in_elsewhere_gives_one_code
    session_keeps_when_a_second_factor_was_shown
    use_is_noted_neither_often_nor_after_long
    open_codes_are_neither_spent_nor_old
    code_counts_its_wrong_tries
    codes_that_are_long_too_old_are_forgotten
    live_sessions_are_neither_ended_nor_old
    devices_of_a_person_are_listed_oldest_first
    device_that_is_forgotten_changes_once
    second_factor_that_was_ever_shown_is_remembered
}

async fn code_counts_its_wrong_tries(store: &Tried) {
    let code = a_code(70, ALICE);
    store.commit(&change(Row::SignInCode(code.clone()))).await.unwrap();
    let tried = SignInCode {
        tries: 3,
        version: 2,
        ..code
    };
    store.commit(&change(Row::SignInCode(tried.clone()))).await.unwrap();
    assert_eq!(store.code_by_hash("code-70").await.unwrap(), Some(tried));
}

async fn codes_that_are_long_too_old_are_forgotten(store: &Tried) {
    let [old, young] = [(80, 30), (81, 40)].map(|(n, expires)| SignInCode {
        expires_at: at(expires),
        ..a_code(n, BOB)
    });
    for code in [&old, &young] {
        store.commit(&change(Row::SignInCode(code.clone()))).await.unwrap();
    }
    store.forget_codes(at(40)).await.unwrap();
    assert_eq!(store.code_by_hash(&old.code_hash).await.unwrap(), None);
    assert_eq!(store.code_by_hash(&young.code_hash).await.unwrap(), Some(young));
}

async fn live_sessions_are_neither_ended_nor_old(store: &Tried) {
    let before = store.live_sessions(None, at(2), 100).await.unwrap().len();
    let [first, second, over, ended] = [(70, 20), (71, 30), (72, 40), (73, 50)].map(|(n, created)| Session {
        created_at: at(created),
        expires_at: if n == 72 { at(60) } else { at(3600) },
        ended_at: (n == 73).then(|| at(51)),
        ..a_session(n, if n == 70 { BOB } else { ALICE })
    });
    for session in [&first, &second, &over, &ended] {
        store.commit(&change(Row::Session(session.clone()))).await.unwrap();
    }
    let ids = |sessions: Vec<Session>| sessions.into_iter().map(|session| session.id).collect::<Vec<_>>();
    let all = ids(store.live_sessions(None, at(60), 2).await.unwrap());
    assert_eq!(all, [second.id.clone(), first.id.clone()]);
    let of_bob = ids(store.live_sessions(Some(&person(BOB)), at(60), 100).await.unwrap());
    assert_eq!(of_bob, std::slice::from_ref(&first.id));
    assert_eq!(store.live_sessions(None, at(59), 100).await.unwrap().len(), before + 3);
}

async fn devices_of_a_person_are_listed_oldest_first(store: &Tried) {
    let [old, new] = [("e", 10), ("a", 20)].map(|(letter, enrolled)| Device {
        id: DeviceId::parse(&letter.repeat(43)).unwrap(),
        person: person(BOB),
        public_key: "{}".to_owned(),
        key_storage: KeyStorage::File,
        enrolled_at: at(enrolled),
        known_until: at(100),
        version: 1,
    });
    for device in [&new, &old] {
        store.commit(&change(Row::Device(device.clone()))).await.unwrap();
    }
    assert_eq!(store.devices_of(&person(BOB)).await.unwrap(), [old, new]);
}

async fn device_that_is_forgotten_changes_once(store: &Tried) {
    store.commit(&change(Row::Device(a_device(ALICE)))).await.unwrap();
    let forgotten = a_device(ALICE).forgotten(at(50));
    store.commit(&change(Row::Device(forgotten.clone()))).await.unwrap();
    let found = store.device(&device(), &person(ALICE)).await.unwrap();
    assert_eq!(found.as_ref(), Some(&forgotten));
    // decided on what it was before
    let back = a_device(ALICE).signed_in_on(at(60), KeyStorage::Keyring);
    let late = store.commit(&change(Row::Device(back))).await;
    assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
    let anew = forgotten.signed_in_on(at(60), KeyStorage::Keyring);
    assert_eq!((anew.enrolled_at, anew.key_storage), (at(60), KeyStorage::File));
    store.commit(&change(Row::Device(anew.clone()))).await.unwrap();
    assert_eq!(store.device(&device(), &person(ALICE)).await.unwrap(), Some(anew));
}

async fn second_factor_that_was_ever_shown_is_remembered(store: &Tried) {
    assert!(!store.has_shown_mfa(&person(BOB)).await.unwrap());
    let session = Session {
        mfa_at: Some(at(7)),
        ended_at: Some(at(8)),
        ..a_session(76, BOB)
    };
    store.commit(&change(Row::Session(session))).await.unwrap();
    assert!(store.has_shown_mfa(&person(BOB)).await.unwrap());
    assert!(!store.has_shown_mfa(&person(CAROL)).await.unwrap());
}

fn a_bound_code(n: u64, sign_in: &str) -> SignInCode {
    let bound = Bound {
        sign_in: sign_in.to_owned(),
        device: device(),
        challenge: "c".to_owned(),
        method: SignInMethod::LoopbackPkce,
        mfa_at: Some(at(5)),
        renews: None,
    };
    SignInCode {
        bound: Some(Box::new(bound)),
        ..a_code(n, ALICE)
    }
}

async fn sign_in_elsewhere_gives_one_code(store: &Tried) {
    let code = a_bound_code(60, "one");
    store.commit(&change(Row::SignInCode(code.clone()))).await.unwrap();
    assert_eq!(store.code_of_sign_in("one").await.unwrap(), Some(code.clone()));
    assert_eq!(store.code_by_hash("code-60").await.unwrap(), Some(code));
    assert_eq!(store.code_of_sign_in("two").await.unwrap(), None);
    let again = store.commit(&change(Row::SignInCode(a_bound_code(61, "one")))).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
    store
        .commit(&change(Row::SignInCode(a_bound_code(61, "two"))))
        .await
        .unwrap();
}

async fn session_keeps_when_a_second_factor_was_shown(store: &Tried) {
    let session = Session {
        method: SignInMethod::LoopbackPkce,
        mfa_at: Some(at(7)),
        ..a_session(60, ALICE)
    };
    store.commit(&change(Row::Session(session.clone()))).await.unwrap();
    assert_eq!(store.session(&session.id).await.unwrap(), Some(session.clone()));
    let renewed = Session {
        mfa_at: Some(at(9)),
        version: 2,
        ..session
    };
    store.commit(&change(Row::Session(renewed.clone()))).await.unwrap();
    assert_eq!(store.session(&renewed.id).await.unwrap(), Some(renewed));
}

async fn use_is_noted_neither_often_nor_after_long(store: &Tried) {
    let session = Session {
        used_at: at(100),
        ..a_session(75, ALICE)
    };
    store.commit(&change(Row::Session(session.clone()))).await.unwrap();
    let used = async |secs, between| {
        store.note_use(&session.id, at(secs), between).await.unwrap();
        store.session(&session.id).await.unwrap().unwrap()
    };
    // lately, long ago; a clock that went back
    for (secs, after, before) in [(120, 20, 100), (900, 100, 840), (50, 0, 40)] {
        assert_eq!(used(secs, (at(after), at(before))).await, session);
    }
    let later = used(200, (at(99), at(101))).await;
    assert_eq!((later.used_at, later.version), (at(200), 1));
    // what was loaded before puts it not back; what is newer counts
    for (version, used_at, kept) in [(2, 100, 200), (3, 300, 300)] {
        let renewed = Session {
            used_at: at(used_at),
            version,
            ..session.clone()
        };
        store.commit(&change(Row::Session(renewed))).await.unwrap();
        assert_eq!(store.session(&session.id).await.unwrap().unwrap().used_at, at(kept));
    }
    let ended = Session {
        ended_at: Some(at(400)),
        version: 4,
        ..session.clone()
    };
    store.commit(&change(Row::Session(ended))).await.unwrap();
    assert_eq!(used(500, (at(0), at(450))).await.used_at, at(300));
}

async fn workload_is_kept_with_what_matched(store: &Tried) {
    let claims = json!({ "repository_id": "74", "kubernetes.io": { "namespace": "prod" } });
    let workload = Workload {
        name: "deploy".to_owned(),
        issuer: "https://ci.example".to_owned(),
        claims: claims.as_object().unwrap().clone(),
        started_by: StartedBy::Account("583231".to_owned()),
    };
    let job = Person {
        issuer: workload.issuer.clone(),
        subject: workload.subject(None),
        workload: Some(Box::new(workload)),
        ..a_person(70)
    };
    store.commit(&change(Row::Person(job.clone()))).await.unwrap();
    assert_eq!(store.person(&job.id).await.unwrap(), Some(job.clone()));
    let found = store.person_by_subject(&job.issuer, &job.subject).await.unwrap();
    assert_eq!(found, Some(job));
}

async fn token_of_a_workload_opens_one_session(store: &Tried) {
    let session = |n, id_token: &str| Session {
        method: SignInMethod::Workload,
        id_token: Some(id_token.to_owned()),
        ..a_session(n, ALICE)
    };
    let first = session(70, "one");
    store.commit(&change(Row::Session(first.clone()))).await.unwrap();
    assert_eq!(store.session_of_id_token("one").await.unwrap(), Some(first.clone()));
    assert_eq!(store.session_of_id_token("two").await.unwrap(), None);
    let again = store.commit(&change(Row::Session(session(71, "one")))).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
    store.commit(&change(Row::Session(session(71, "two")))).await.unwrap();
    // one that has ended counts all the same
    let ended = Session {
        ended_at: Some(at(30)),
        version: 2,
        ..first
    };
    store.commit(&change(Row::Session(ended.clone()))).await.unwrap();
    assert_eq!(store.session_of_id_token("one").await.unwrap(), Some(ended));
    let again = store.commit(&change(Row::Session(session(72, "one")))).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
}

async fn person_is_found_by_id_and_by_subject(store: &Tried) {
    let alice = Some(a_person(ALICE));
    assert_eq!(store.person(&person(ALICE)).await.unwrap(), alice);
    assert_eq!(store.person_by_subject("local", "person-1").await.unwrap(), alice);
    assert_eq!(store.person_by_subject("elsewhere", "person-1").await.unwrap(), None);
    assert_eq!(store.person(&person(99)).await.unwrap(), None);
}

async fn people_are_found_by_the_name_that_is_shown(store: &Tried) {
    let first = a_person(ALICE);
    let other = Person {
        id: person(51),
        issuer: "https://partners.example".to_owned(),
        name: first.name.to_uppercase(),
        since: at(500),
        ..first.clone()
    };
    store.commit(&change(Row::Person(other.clone()))).await.unwrap();
    let both = store.people_called(&first.name.to_lowercase(), 9).await.unwrap();
    assert_eq!(both, [first.clone(), other]);
    assert_eq!(store.people_called(&first.name, 1).await.unwrap(), [first]);
    assert_eq!(store.people_called("nobody", 9).await.unwrap(), []);
}

async fn person_of_a_known_subject_conflicts(store: &Tried) {
    let again = Person {
        id: person(50),
        ..a_person(ALICE)
    };
    let refused = store.commit(&change(Row::Person(again))).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
}

async fn repeated_person_id_is_duplicate(store: &Tried) {
    let other = Person {
        subject: "somebody".to_owned(),
        ..a_person(ALICE)
    };
    let refused = store.commit(&change(Row::Person(other))).await;
    assert!(matches!(refused, Err(StoreError::Duplicate)), "{refused:?}");
}

async fn device_enrolled_again_stays_as_it_is(store: &Tried) {
    store.commit(&change(Row::Device(a_device(ALICE)))).await.unwrap();
    let again = Device {
        enrolled_at: at(500),
        ..a_device(ALICE)
    };
    store.commit(&change(Row::Device(again))).await.unwrap();
    let found = store.device(&device(), &person(ALICE)).await.unwrap();
    assert_eq!(found, Some(a_device(ALICE)));
}

async fn device_is_found_for_everybody_it_is_enrolled_for(store: &Tried) {
    for owner in [BOB, ALICE] {
        store.commit(&change(Row::Device(a_device(owner)))).await.unwrap();
    }
    let mut people = store.people_of_device(&device()).await.unwrap();
    people.sort();
    assert_eq!(people, [person(ALICE), person(BOB)]);
    assert_eq!(store.device(&device(), &person(CAROL)).await.unwrap(), None);
}

async fn session_is_found_by_hash_and_by_id(store: &Tried) {
    let session = a_session(1, ALICE);
    store.commit(&change(Row::Session(session.clone()))).await.unwrap();
    assert_eq!(store.session_by_hash("token-1").await.unwrap(), Some(session.clone()));
    assert_eq!(store.session(&session.id).await.unwrap(), Some(session.clone()));
    assert_eq!(store.session_by_hash("token-2").await.unwrap(), None);
    let repeated = store.commit(&change(Row::Session(session))).await;
    assert!(matches!(repeated, Err(StoreError::Duplicate)), "{repeated:?}");
}

async fn session_changes_only_its_end(store: &Tried) {
    let session = a_session(1, ALICE);
    store.commit(&change(Row::Session(session.clone()))).await.unwrap();
    let ended = Session {
        ended_at: Some(at(30)),
        version: 2,
        ..session
    };
    let forged = Session {
        person: person(BOB),
        token_hash: "other".to_owned(),
        ..ended.clone()
    };
    store.commit(&change(Row::Session(forged))).await.unwrap();
    assert_eq!(store.session(&ended.id).await.unwrap(), Some(ended));
}

async fn code_is_spent_once(store: &Tried) {
    let code = a_code(1, ALICE);
    store.commit(&change(Row::SignInCode(code.clone()))).await.unwrap();
    let spent = SignInCode {
        spent_at: Some(at(30)),
        version: 2,
        ..code
    };
    store.commit(&change(Row::SignInCode(spent.clone()))).await.unwrap();
    let again = store.commit(&change(Row::SignInCode(spent.clone()))).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
    assert_eq!(store.code_by_hash("code-1").await.unwrap(), Some(spent));
}

async fn open_codes_are_neither_spent_nor_old(store: &Tried) {
    let codes = [
        a_code(1, ALICE),
        SignInCode {
            spent_at: Some(at(1)),
            ..a_code(2, ALICE)
        },
        SignInCode {
            expires_at: at(100),
            ..a_code(3, ALICE)
        },
        a_code(4, BOB),
    ];
    store
        .commit(&changes(codes.iter().cloned().map(Row::SignInCode).collect()))
        .await
        .unwrap();
    assert_eq!(
        store.open_codes(&person(ALICE), at(100)).await.unwrap(),
        [codes[0].clone()]
    );
    let earlier = store.open_codes(&person(ALICE), at(99)).await.unwrap();
    assert_eq!(earlier, [codes[2].clone(), codes[0].clone()]);
}
