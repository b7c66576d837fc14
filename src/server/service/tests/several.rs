//! Several grants of one person on one target: one access, until all of them are over. Bob approves, carol revokes.

use super::{code, view};
use crate::domain::Timestamp;
use crate::server::backend::Caller;
use crate::server::failure::Failure;
use crate::server::service::{decide, end, look, mint};
use crate::server::stage::{NOON, Stage, new_request, yes};
use crate::wire::{EndGrant, EndedGrant, NewRequest, Outcome, RequestView};

const HOUR: u32 = 3600;

/// What `new` asks for, approved by bob and given.
async fn given(stage: &Stage, who: &Caller, bob: &Caller, new: &NewRequest) -> RequestView {
    let filed = stage.file_as(who, new).await.unwrap();
    assert_eq!(filed.outcome, Outcome::Filed);
    decide::decide(&stage.backend, bob, &filed.request.id, &yes(&filed.request), None)
        .await
        .unwrap();
    stage.work().await;
    view(stage, who, &filed.request.id).await
}

fn longer(hours: u32) -> NewRequest {
    NewRequest {
        extend: true,
        ..new_request("prod-admin", hours * HOUR)
    }
}

async fn revoke(stage: &Stage, who: &Caller, request: &RequestView) -> Result<EndedGrant, Failure> {
    let how = EndGrant {
        reason: Some("laptop stolen".into()),
    };
    let grant = &request.grant.as_ref().unwrap().id;
    end::end(&stage.backend, who, grant, &how, None).await
}

async fn holds(stage: &Stage, who: &Caller) -> bool {
    let grants = look::grants(&stage.backend, who, Some("prod-admin")).await.unwrap();
    let minted = mint::mint(&stage.backend, who, "prod-admin").await;
    let is_held = grants.grants.iter().any(|grant| grant.state == "active");
    assert_eq!(is_held, minted.is_ok(), "{:?}", minted.err());
    is_held
}

#[tokio::test]
async fn revoke_ends_every_grant_whichever_is_named() {
    // (an extension or a plain grant beside the first, whether the first one is named)
    for (extends, names_first) in [(true, true), (true, false), (false, true), (false, false)] {
        let stage = Stage::new().await;
        let [alice, bob, carol] = [
            stage.sign_in("alice").await,
            stage.sign_in("bob").await,
            stage.sign_in("carol").await,
        ];
        let first = given(&stage, &alice, &bob, &new_request("prod-admin", HOUR)).await;
        let credential = mint::mint(&stage.backend, &alice, "prod-admin").await.unwrap();
        let more = if extends {
            longer(1)
        } else {
            new_request("prod-admin", 2 * HOUR)
        };
        let second = given(&stage, &alice, &bob, &more).await;
        let (named, other) = if names_first {
            (&first, &second)
        } else {
            (&second, &first)
        };
        let told = revoke(&stage, &carol, named).await.unwrap();
        let id = |request: &RequestView| request.grant.as_ref().unwrap().id.clone();
        assert_eq!(told.grant.id, id(named), "{extends} {names_first}");
        let beside: Vec<String> = told.beside.iter().map(|grant| grant.id.clone()).collect();
        assert_eq!(beside, [id(other)], "{extends} {names_first}");
        assert!(!told.still_held);
        // until when a copy works is told of all of them
        let last = told
            .beside
            .iter()
            .chain([&told.grant])
            .filter_map(|grant| grant.last_credential_at);
        assert_eq!(last.max(), Some(credential.expires_at));
        stage.work().await;
        assert!(!holds(&stage, &alice).await, "{extends} {names_first}");
        for request in [&first, &second] {
            let grant = view(&stage, &alice, &request.id).await.grant.unwrap();
            assert_eq!(
                (grant.state.as_str(), grant.cause.as_deref()),
                ("ended", Some("revoked"))
            );
        }
    }
}

#[tokio::test]
async fn revoke_leaves_what_is_not_the_callers_to_end() {
    let stage = Stage::new().await;
    let [alice, bob, carol] = [
        stage.sign_in("alice").await,
        stage.sign_in("bob").await,
        stage.sign_in("carol").await,
    ];
    stage.edit_policy("principal in resource.approvers || principal in resource.target.owners ||\n  principal in Jit::Group::\"security\"\n};\n\n// Stopping", "principal in Jit::Group::\"security\"\n};\n\n// Stopping");
    let own = given(&stage, &alice, &bob, &new_request("prod-admin", HOUR)).await;
    let for_alice = NewRequest {
        on_behalf_of: Some("alice".into()),
        ..new_request("prod-admin", 2 * HOUR)
    };
    let asked = given(&stage, &bob, &carol, &for_alice).await;
    // bob may end what he asked for, and nothing else of alice's
    let told = revoke(&stage, &bob, &asked).await.unwrap();
    assert!(told.still_held);
    assert!(told.beside.is_empty());
    assert!(holds(&stage, &alice).await);
    assert_eq!(code(revoke(&stage, &bob, &own).await), "policy.refused");
    assert!(!revoke(&stage, &carol, &own).await.unwrap().still_held);
    assert!(!holds(&stage, &alice).await);
}

#[tokio::test]
async fn revoke_tells_of_a_credential_from_before() {
    let stage = Stage::new().await;
    let [alice, bob, carol] = [
        stage.sign_in("alice").await,
        stage.sign_in("bob").await,
        stage.sign_in("carol").await,
    ];
    let before = given(&stage, &alice, &bob, &new_request("prod-admin", HOUR)).await;
    mint::mint(&stage.backend, &alice, "prod-admin").await.unwrap();
    let grant = before.grant.unwrap().id;
    end::end(&stage.backend, &alice, &grant, &EndGrant::default(), None)
        .await
        .unwrap();
    stage.work().await;
    let again = given(&stage, &alice, &bob, &new_request("prod-admin", HOUR)).await;
    let told = revoke(&stage, &carol, &again).await.unwrap();
    assert_eq!(told.grant.last_credential_at, None);
    assert_eq!(told.beside.iter().map(|grant| &grant.id).collect::<Vec<_>>(), [&grant]);
    assert!(told.beside[0].last_credential_at.is_some());
}

#[tokio::test]
async fn drop_of_one_grant_ends_that_one() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let first = given(&stage, &alice, &bob, &new_request("prod-admin", HOUR)).await;
    given(&stage, &alice, &bob, &new_request("prod-admin", 2 * HOUR)).await;
    let grant = first.grant.unwrap().id;
    let told = end::end(&stage.backend, &alice, &grant, &EndGrant::default(), None)
        .await
        .unwrap();
    assert!(told.still_held);
    assert!(holds(&stage, &alice).await);
}

#[tokio::test]
async fn request_is_covered_by_the_grant_that_ends_last() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    given(&stage, &alice, &bob, &new_request("prod-admin", 2 * HOUR)).await;
    let last = given(&stage, &alice, &bob, &new_request("prod-admin", 3 * HOUR)).await;
    let covered = stage.file_for(&alice, "prod-admin", HOUR).await.unwrap();
    assert_eq!((covered.outcome, covered.request.id), (Outcome::Covered, last.id));
}

#[tokio::test]
async fn request_beyond_a_live_grant_counts_from_its_own_activation() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let first = given(&stage, &alice, &bob, &new_request("prod-admin", HOUR)).await;
    stage.at(1800);
    let beyond = given(&stage, &alice, &bob, &new_request("prod-admin", 2 * HOUR)).await;
    assert_eq!(beyond.extends, None);
    let (first, beyond) = (first.grant.unwrap(), beyond.grant.unwrap());
    let ends_after = |grant: &crate::wire::GrantView| grant.ends_at.unwrap().since(grant.activated_at.unwrap());
    assert_eq!((ends_after(&first), ends_after(&beyond)), (HOUR, 2 * HOUR));
    // the cap counts from the first activation all the same: half an hour of the four is gone
    assert_eq!(
        code(stage.file_for(&alice, "prod-admin", 4 * HOUR).await),
        "policy.over_cap"
    );
}

#[tokio::test]
async fn status_keeps_what_is_over_until_its_last_credential_dies() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let request = given(&stage, &alice, &bob, &new_request("prod-admin", HOUR)).await;
    mint::mint(&stage.backend, &alice, "prod-admin").await.unwrap();
    let grant = request.grant.unwrap().id;
    end::end(&stage.backend, &alice, &grant, &EndGrant::default(), None)
        .await
        .unwrap();
    stage.work().await;
    let listed = |who| look::requests(&stage.backend, who, true, None);
    let open = listed(&alice).await.unwrap().requests;
    let shown: Vec<_> = open
        .iter()
        .map(|r| (&r.id, r.grant.as_ref().unwrap().state.as_str()))
        .collect();
    assert_eq!(shown, [(&request.id, "ended")]);
    assert!(listed(&bob).await.unwrap().requests.is_empty());
    // it stands in nobody's way
    assert_eq!(stage.file(&alice, "prod-admin").await.unwrap().outcome, Outcome::Filed);
    stage.at(i64::from(HOUR));
    let open = listed(&alice).await.unwrap().requests;
    assert!(open.iter().all(|open| open.id != request.id), "{open:?}");
}

#[tokio::test]
async fn credential_of_no_target_says_so() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    let refused = mint::mint(&stage.backend, &alice, "prod-admn")
        .await
        .unwrap_err()
        .problem;
    assert_eq!(refused.code, "target.not_found");
    assert_eq!(refused.nearest.first().map(String::as_str), Some("prod-admin"));
    let held = mint::mint(&stage.backend, &alice, "prod-admin").await;
    assert_eq!(code(held), "grant.not_found");
}

#[tokio::test]
async fn access_that_is_shared_is_there_since_it_was_first_given() {
    let (stage, _) = Stage::of_members();
    let alice = stage.sign_in("alice").await;
    let first = stage.file(&alice, "dev-admin").await.unwrap().request;
    stage.work().await;
    stage.at(100);
    let second = stage.file(&alice, "dev-too").await.unwrap().request;
    stage.work().await;
    for (filed, activated_s) in [(&first, 0), (&second, 100)] {
        let grant = view(&stage, &alice, &filed.id).await.grant.unwrap();
        let since = Some(Timestamp::from_millis(NOON.millis()));
        let activated = Some(Timestamp::from_millis(NOON.millis() + activated_s * 1_000));
        assert_eq!((grant.given_at, grant.activated_at), (since, activated));
    }
    for filed in [&first, &second] {
        let grant = &view(&stage, &alice, &filed.id).await.grant.unwrap().id;
        end::end(&stage.backend, &alice, grant, &EndGrant::default(), None)
            .await
            .unwrap();
    }
    stage.work().await;
    let over = view(&stage, &alice, &first.id).await.grant.unwrap();
    assert_eq!((over.state.as_str(), over.given_at), ("ended", None));
}
