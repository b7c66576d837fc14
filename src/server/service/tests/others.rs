//! Asking for somebody else: who may, who is told what, who gets credentials. Bob and carol approve `prod-readonly`.

use serde_json::json;

use super::{active, code, view};
use crate::domain::{Actor, Change, Person, Row};
use crate::server::backend::Caller;
use crate::server::service::{decide, dry_run, end, inbox, look, mint};
use crate::server::stage::{Stage, new_request, yes};
use crate::wire::{EndGrant, NewRequest, Outcome, RequestView};

fn for_whom(name: &str, target: &str) -> NewRequest {
    NewRequest {
        on_behalf_of: Some(name.into()),
        ..new_request(target, 3600)
    }
}

/// Alice, bob, carol, and bob's request for alice.
async fn filed(stage: &Stage) -> (Caller, Caller, Caller, RequestView) {
    let [alice, bob, carol] = [
        stage.sign_in("alice").await,
        stage.sign_in("bob").await,
        stage.sign_in("carol").await,
    ];
    let filed = stage.file_as(&bob, &for_whom("alice", "prod-readonly")).await.unwrap();
    assert_eq!(filed.outcome, Outcome::Filed);
    (alice, bob, carol, filed.request)
}

#[tokio::test]
async fn request_for_another_is_given_to_them_alone() {
    let stage = Stage::new().await;
    let (alice, bob, carol, request) = filed(&stage).await;
    assert_eq!(
        (request.requester.name.as_str(), request.beneficiary.name.as_str()),
        ("bob", "alice")
    );
    assert_eq!(request.stages[0].approvers, ["carol"]);
    for who in [&alice, &bob] {
        let refused = decide::decide(&stage.backend, who, &request.id, &yes(&request), None).await;
        assert_eq!(code(refused), "policy.own_request");
        assert!(inbox::inbox(&stage.backend, who).await.unwrap().requests.is_empty());
        let listed = look::requests(&stage.backend, who, true, None).await.unwrap().requests;
        assert_eq!(listed[0].id, request.id);
    }
    decide::decide(&stage.backend, &carol, &request.id, &yes(&request), None)
        .await
        .unwrap();
    stage.work().await;
    assert!(mint::mint(&stage.backend, &alice, "prod-readonly").await.is_ok());
}

#[tokio::test]
async fn attack_02_requester_never_gets_the_beneficiarys_keys() {
    let stage = Stage::new().await;
    let (_, bob, carol, request) = filed(&stage).await;
    decide::decide(&stage.backend, &carol, &request.id, &yes(&request), None)
        .await
        .unwrap();
    stage.work().await;
    let grant = view(&stage, &bob, &request.id).await.grant.unwrap().id;
    assert_eq!(code(mint::mint(&stage.backend, &bob, &grant).await), "access.forbidden");
    assert_eq!(
        code(mint::mint(&stage.backend, &bob, "prod-readonly").await),
        "grant.not_found"
    );
}

#[tokio::test]
async fn attack_02_nobody_asks_for_one_who_may_not_have_it() {
    let stage = Stage::new().await;
    let (bob, mallory) = (stage.sign_in("bob").await, stage.sign_in("mallory").await);
    let refused = stage
        .file_as(&bob, &for_whom("mallory", "prod-readonly"))
        .await
        .unwrap_err()
        .problem;
    assert_eq!(
        (refused.code.as_str(), refused.status, refused.title.as_str()),
        ("policy.refused", 403, "policy does not let mallory have prod-readonly")
    );
    let refused = stage.file_as(&mallory, &for_whom("bob", "prod-readonly")).await;
    assert_eq!(code(refused), "policy.refused");
    assert!(stage.backend.store.pending(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn attack_02_beneficiary_who_left_the_group_renews_nothing() {
    let stage = Stage::new().await;
    let (alice, _, carol, request) = filed(&stage).await;
    decide::decide(&stage.backend, &carol, &request.id, &yes(&request), None)
        .await
        .unwrap();
    stage.work().await;
    assert!(mint::mint(&stage.backend, &alice, "prod-readonly").await.is_ok());
    stage.edit_policy("\"local:alice\", ", "");
    assert_eq!(
        code(mint::mint(&stage.backend, &alice, "prod-readonly").await),
        "policy.refused"
    );
}

#[tokio::test]
async fn who_may_not_ask_for_others_hears_the_same_of_every_name() {
    let stage = Stage::new().await;
    let (alice, _bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let told = |name: &'static str| {
        let (stage, alice) = (&stage, &alice);
        async move {
            stage
                .file_as(alice, &for_whom(name, "prod-readonly"))
                .await
                .unwrap_err()
                .problem
        }
    };
    assert_eq!(told("bob").await, told("nobody-of-that-name").await);
    assert_eq!(told("bob").await.code, "policy.refused");
    let bob = stage.sign_in("bob").await;
    let unknown = stage
        .file_as(&bob, &for_whom("alicia", "prod-readonly"))
        .await
        .unwrap_err()
        .problem;
    assert_eq!((unknown.code.as_str(), unknown.nearest.len()), ("person.not_found", 0));
    for name in ["", "two words", "a\u{202e}b", "-x"] {
        assert_eq!(
            code(stage.file_as(&bob, &for_whom(name, "prod-readonly")).await),
            "usage.text"
        );
    }
}

#[tokio::test]
async fn what_is_asked_for_another_is_never_automatic() {
    let stage = Stage::new().await;
    let (_alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let filed = stage
        .file_as(&bob, &for_whom("alice", "dev-admin"))
        .await
        .unwrap()
        .request;
    assert_eq!((filed.state.as_str(), filed.automatic), ("pending", false));
    assert_eq!(filed.stages[0].approvers, ["carol"]);
    let own = stage
        .file_as(&bob, &for_whom("bob", "dev-admin"))
        .await
        .unwrap()
        .request;
    assert!(own.automatic);
}

#[tokio::test]
async fn both_may_withdraw_and_give_back() {
    let stage = Stage::new().await;
    let (alice, bob, carol, request) = filed(&stage).await;
    decide::cancel(&stage.backend, &alice, &request.id, None).await.unwrap();
    let again = stage
        .file_as(&bob, &for_whom("alice", "prod-readonly"))
        .await
        .unwrap()
        .request;
    decide::cancel(&stage.backend, &bob, &again.id, None).await.unwrap();
    let third = stage
        .file_as(&bob, &for_whom("alice", "prod-readonly"))
        .await
        .unwrap()
        .request;
    decide::decide(&stage.backend, &carol, &third.id, &yes(&third), None)
        .await
        .unwrap();
    stage.work().await;
    let grant = view(&stage, &bob, &third.id).await.grant.unwrap().id;
    let ended = end::end(&stage.backend, &bob, &grant, &EndGrant::default(), None)
        .await
        .unwrap();
    assert_eq!(ended.grant.cause.as_deref(), Some("dropped"));
}

#[tokio::test]
async fn extension_of_what_one_asked_for_another_is_theirs() {
    let stage = Stage::new().await;
    let (alice, bob, carol, request) = filed(&stage).await;
    decide::decide(&stage.backend, &carol, &request.id, &yes(&request), None)
        .await
        .unwrap();
    stage.work().await;
    let more = NewRequest {
        extend: true,
        ..new_request("prod-readonly", 60)
    };
    let told = dry_run::dry_run(&stage.backend, &bob, &more).await.unwrap();
    assert_eq!(
        (told.requester.name.as_str(), told.beneficiary.name.as_str()),
        ("bob", "alice")
    );
    assert_eq!(told.policies, ["access.request", "access.request-for"]);
    assert_eq!(told.stages[0].approvers, ["carol"]);
    let filed = stage.file_as(&bob, &more).await.unwrap().request;
    assert_eq!(filed.beneficiary.name, "alice");
    // the same by herself is that one
    let joined = stage.file_as(&alice, &more).await.unwrap();
    assert_eq!((joined.outcome, joined.request.id), (Outcome::Joined, filed.id));
}

#[tokio::test]
async fn what_one_may_not_see_is_not_shown_by_asking() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    stage.file(&alice, "prod-readonly").await.unwrap();
    let seen = stage.file_as(&bob, &for_whom("alice", "prod-readonly")).await.unwrap();
    assert_eq!(seen.outcome, Outcome::Joined);
    // a bundle in which whoever may ask for others sees nothing of theirs
    stage.edit_policy(
        "  principal in resource.approvers || principal in resource.target.owners ||\n  principal in Jit",
        "  principal in Jit",
    );
    let unseen = stage
        .file_as(&bob, &for_whom("alice", "prod-readonly"))
        .await
        .unwrap_err()
        .problem;
    assert_eq!((unseen.code.as_str(), unseen.request), ("request.differs", None));
}

#[tokio::test]
async fn grant_on_a_target_that_left_the_catalogue_is_revoked_by_its_approvers() {
    let stage = Stage::new().await;
    let (_, bob, live) = active(&stage).await;
    let grant = live.grant.unwrap().id;
    stage.edit_policy("name = \"prod-admin\"", "name = \"prod-root\"");
    let why = EndGrant {
        reason: Some("the target is gone".into()),
    };
    let ended = end::end(&stage.backend, &bob, &grant, &why, None).await.unwrap();
    assert_eq!(ended.grant.cause.as_deref(), Some("revoked"));
}

#[tokio::test]
async fn grant_on_a_target_that_left_the_catalogue_is_nobody_elses_to_revoke() {
    let stage = Stage::new().await;
    let (_, bob, live) = active(&stage).await;
    let grant = live.grant.unwrap().id;
    // the bundle lets security alone take away, and the target is gone
    stage.edit_policies(&[
        ("name = \"prod-admin\"", "name = \"prod-root\""),
        (
            "principal in resource.approvers || principal in resource.target.owners ||\n  principal in",
            "principal in",
        ),
    ]);
    let why = EndGrant {
        reason: Some("the target is gone".into()),
    };
    let refused = end::end(&stage.backend, &bob, &grant, &why, None).await.unwrap_err();
    assert!(
        ["policy.refused", "grant.not_found"].contains(&refused.problem.code.as_str()),
        "{refused:?}"
    );
    let carol = stage.sign_in("carol").await;
    end::end(&stage.backend, &carol, &grant, &why, None).await.unwrap();
}

/// Somebody of another issuer, who calls themselves `name`.
pub(super) async fn elsewhere(stage: &Stage, subject: &str, name: &str) -> Person {
    let person = Person {
        id: stage.backend.random.person_id(),
        issuer: "https://partners.example".to_owned(),
        subject: subject.to_owned(),
        name: name.to_owned(),
        since: stage.backend.now(),
        workload: None,
    };
    let (by, rows) = (Actor::Backend, vec![Row::Person(person.clone())]);
    let change = Change::new(stage.backend.now(), "session.proved", by, None, rows, json!({}));
    stage.backend.commit(&change).await.unwrap();
    person
}

#[tokio::test]
async fn person_of_another_issuer_is_asked_for_by_name_or_id() {
    let stage = Stage::new().await;
    let bob = stage.sign_in("bob").await;
    drop(stage.sign_in("alice").await);
    let dora = elsewhere(&stage, "00u1", "dora").await;
    let asks = async |name: &str| dry_run::dry_run(&stage.backend, &bob, &for_whom(name, "prod-readonly")).await;
    let beneficiary = async |name: &str| match asks(name).await {
        Ok(told) => told.beneficiary.id,
        // what they may have is another question
        Err(failure) => failure.problem.title,
    };
    let by_id = beneficiary(dora.id.as_str()).await;
    assert_eq!(beneficiary("dora").await, by_id);
    assert!(
        by_id.contains("dora (https://partners.example)") || by_id == dora.id.as_str(),
        "{by_id}"
    );
    let other = elsewhere(&stage, "00u2", "dora").await;
    let failure = asks("dora").await.unwrap_err().problem;
    assert_eq!(failure.code, "request.ambiguous");
    let listed = failure.detail.unwrap();
    assert!(
        listed.contains(dora.id.as_str()) && listed.contains(other.id.as_str()),
        "{listed}"
    );
    // a name that is taken hides nobody of one's own
    drop(elsewhere(&stage, "00u3", "alice").await);
    assert_eq!(asks("alice").await.unwrap().beneficiary.of.as_deref(), None);
}
