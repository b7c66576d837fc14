//! Extending what is live, through the real store and policy: alone, at once, and while it is given back.

use super::{active, code, view};
use crate::domain::{Event, GrantId, apply};
use crate::server::backend::Caller;
use crate::server::service::{decide, end, mint};
use crate::server::stage::{NOON, Stage, new_request, yes};
use crate::server::store::StoreError;
use crate::wire::{EndGrant, NewRequest, Outcome};

fn more(target: &str, secs: u32) -> NewRequest {
    NewRequest {
        extend: true,
        ..new_request(target, secs)
    }
}

/// Alice's live `dev-admin`, given by policy for an hour.
async fn live(stage: &Stage) -> Caller {
    let alice = stage.sign_in("alice").await;
    stage.file(&alice, "dev-admin").await.unwrap();
    stage.work().await;
    alice
}

fn at(secs: i64) -> crate::domain::Timestamp {
    crate::domain::Timestamp::from_millis(NOON.millis() + secs * 1000)
}

#[tokio::test]
async fn extension_is_decided_and_credentials_come_from_it() {
    let stage = Stage::new().await;
    let (alice, bob, first) = active(&stage).await;
    stage.at(600);
    let filed = stage.file_as(&alice, &more("prod-admin", 1800)).await.unwrap();
    assert_eq!(filed.outcome, Outcome::Filed);
    let extends = filed.request.extends.clone().unwrap();
    assert_eq!((extends.grant, extends.ends_at), (first.grant.unwrap().id, at(3600)));
    let before = mint::mint(&stage.backend, &alice, "prod-admin").await.unwrap();
    assert_eq!(before.grant_ends_at, at(3600));
    decide::decide(&stage.backend, &bob, &filed.request.id, &yes(&filed.request), None)
        .await
        .unwrap();
    stage.work().await;
    let after = mint::mint(&stage.backend, &alice, "prod-admin").await.unwrap();
    assert_eq!(after.grant_ends_at, at(5400));
    stage.at(3600);
    stage.work().await;
    assert!(mint::mint(&stage.backend, &alice, "prod-admin").await.is_ok());
    stage.at(5400);
    stage.work().await;
    assert_eq!(
        code(mint::mint(&stage.backend, &alice, "prod-admin").await),
        "grant.not_found"
    );
    stage.at(9 * 3600);
    stage.work().await;
    assert_eq!(stage.backend.store.left().await.unwrap(), 0);
}

#[tokio::test]
async fn attack_07_extensions_stop_at_the_cap_and_say_what_is_left() {
    let stage = Stage::new().await;
    let (alice, bob, _) = active(&stage).await;
    let over = stage
        .file_as(&alice, &more("prod-admin", 5 * 3600))
        .await
        .unwrap_err()
        .problem;
    assert_eq!((over.code.as_str(), over.cap_s), ("policy.over_cap", Some(3 * 3600)));
    let filed = stage
        .file_as(&alice, &more("prod-admin", 3 * 3600))
        .await
        .unwrap()
        .request;
    decide::decide(&stage.backend, &bob, &filed.id, &yes(&filed), None)
        .await
        .unwrap();
    stage.work().await;
    let over = stage.file_as(&alice, &more("prod-admin", 1)).await.unwrap_err().problem;
    assert_eq!((over.code.as_str(), over.cap_s), ("policy.over_cap", None));
}

#[tokio::test]
async fn extension_of_nothing_live_is_refused() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    assert_eq!(
        code(stage.file_as(&alice, &more("dev-admin", 60)).await),
        "grant.not_live"
    );
    let narrowed = NewRequest {
        only: vec!["s3:Get*".into()],
        ..more("dev-admin", 60)
    };
    assert_eq!(code(stage.file_as(&alice, &narrowed).await), "usage.narrowing");
}

#[tokio::test]
async fn extension_keeps_the_narrowing_of_what_it_extends() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    let narrowed = NewRequest {
        only: vec!["s3:Get*".into()],
        ..new_request("dev-admin", 3600)
    };
    stage.file_as(&alice, &narrowed).await.unwrap();
    stage.work().await;
    let filed = stage.file_as(&alice, &more("dev-admin", 60)).await.unwrap().request;
    assert_eq!(filed.only, ["s3:Get*"]);
}

#[tokio::test]
async fn two_extensions_at_once_are_one() {
    let stage = Stage::new().await;
    let (alice, _, _) = active(&stage).await;
    let new = more("prod-admin", 1800);
    let (one, two) = tokio::join!(stage.file_as(&alice, &new), stage.file_as(&alice, &new));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.request.id, two.request.id);
    assert_ne!(one.outcome, two.outcome);
    let automatic = live(&stage).await;
    let new = more("dev-admin", 1800);
    let (one, two) = tokio::join!(stage.file_as(&automatic, &new), stage.file_as(&automatic, &new));
    assert_eq!(one.unwrap().request.id, two.unwrap().request.id);
}

#[tokio::test]
async fn drop_while_an_extension_is_approved_leaves_nothing() {
    let stage = Stage::new().await;
    let (alice, bob, first) = active(&stage).await;
    let filed = stage.file_as(&alice, &more("prod-admin", 1800)).await.unwrap().request;
    let (vote, own, grant) = (yes(&filed), EndGrant::default(), first.grant.unwrap().id);
    let (dropped, decided) = tokio::join!(
        end::end(&stage.backend, &alice, &grant, &own, None),
        decide::decide(&stage.backend, &bob, &filed.id, &vote, None),
    );
    dropped.unwrap();
    stage.work().await;
    let left = view(&stage, &alice, &filed.id).await;
    let state = left.grant.as_ref().map_or("none", |grant| grant.state.as_str());
    assert!(["none", "ended"].contains(&state), "{decided:?} {left:?}");
    assert_ne!(left.state, "pending");
    assert_eq!(
        code(mint::mint(&stage.backend, &alice, "prod-admin").await),
        "grant.not_found"
    );
    stage.at(9 * 3600);
    stage.work().await;
    assert_eq!(stage.backend.store.left().await.unwrap(), 0);
}

#[tokio::test]
async fn drop_decided_before_an_extension_was_filed_is_decided_again() {
    let stage = Stage::new().await;
    let (alice, _, first) = active(&stage).await;
    let id = GrantId::parse(&first.grant.unwrap().id).unwrap();
    let case = stage.backend.store.case_of_grant(&id).await.unwrap().unwrap();
    let drop = Event::Drop {
        by: alice.person.id.clone(),
    };
    let dropped = apply(stage.backend.now(), &case, &drop).unwrap();
    let filed = stage.file_as(&alice, &more("prod-admin", 1800)).await.unwrap().request;
    let lost = stage.backend.store.commit(&dropped).await;
    assert!(matches!(lost, Err(StoreError::Conflict)), "{lost:?}");
    end::end(&stage.backend, &alice, id.as_str(), &EndGrant::default(), None)
        .await
        .unwrap();
    stage.work().await;
    assert_eq!(view(&stage, &alice, &filed.id).await.state, "cancelled");
}

#[tokio::test]
async fn extension_filed_while_its_base_is_dropped_never_waits() {
    for turn in 0..20 {
        let stage = Stage::new().await;
        let (alice, _, first) = active(&stage).await;
        let (new, own, grant) = (more("prod-admin", 1800), EndGrant::default(), first.grant.unwrap().id);
        let (drop, file) = (
            end::end(&stage.backend, &alice, &grant, &own, None),
            stage.file_as(&alice, &new),
        );
        let filed = match turn % 2 {
            0 => tokio::join!(drop, file).1,
            _ => tokio::join!(file, drop).0,
        };
        stage.work().await;
        match filed {
            Ok(filed) => assert_eq!(view(&stage, &alice, &filed.request.id).await.state, "cancelled"),
            refused => assert_eq!(code(refused), "grant.not_live"),
        }
    }
}

#[tokio::test]
async fn revoke_of_the_first_grant_takes_its_extension() {
    let stage = Stage::new().await;
    let (alice, bob, first) = active(&stage).await;
    let filed = stage.file_as(&alice, &more("prod-admin", 1800)).await.unwrap().request;
    decide::decide(&stage.backend, &bob, &filed.id, &yes(&filed), None)
        .await
        .unwrap();
    stage.work().await;
    let why = EndGrant {
        reason: Some("ledger is frozen".into()),
    };
    end::end(&stage.backend, &bob, &first.grant.unwrap().id, &why, None)
        .await
        .unwrap();
    // before the worker has come by
    assert_eq!(
        code(mint::mint(&stage.backend, &alice, "prod-admin").await),
        "grant.not_found"
    );
    stage.work().await;
    let grant = view(&stage, &alice, &filed.id).await.grant.unwrap();
    assert_eq!(
        (grant.state.as_str(), grant.cause.as_deref()),
        ("ended", Some("revoked"))
    );
}

#[tokio::test]
async fn target_names_the_extension_that_waits() {
    let stage = Stage::new().await;
    let (alice, _, first) = active(&stage).await;
    let none = std::time::Duration::ZERO;
    let named = || crate::server::service::look::request(&stage.backend, &alice, "prod-admin", None, none);
    assert_eq!(named().await.unwrap().unwrap().id, first.id);
    let filed = stage.file_as(&alice, &more("prod-admin", 1800)).await.unwrap().request;
    assert_eq!(named().await.unwrap().unwrap().id, filed.id);
    decide::cancel(&stage.backend, &alice, "prod-admin", None)
        .await
        .unwrap();
    assert_eq!(named().await.unwrap().unwrap().id, first.id);
}
