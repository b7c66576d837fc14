//! Since when what a directory says counts, and whom it does not reach.

use serde_json::{Map, json};

use super::super::{directory, sign_in};
use super::directory::{acme, afresh, approve, groups_of, patch, patch_group, push, push_group, stage};
use super::others::elsewhere;
use super::*;
use crate::domain::{Actor, Change, Device, Person, Row, Session, StartedBy, Workload};
use crate::server::scim::answer::Matching;
use crate::server::scim::groups;
use crate::server::scim::users::{self, Write};
use crate::wire::NewSession;

async fn put(stage: &Stage, row: Row) {
    let change = Change::new(
        stage.backend.now(),
        "session.proved",
        Actor::Backend,
        None,
        vec![row],
        json!({}),
    );
    stage.backend.commit(&change).await.unwrap();
}

async fn is_over(stage: &Stage, session: &Session) -> bool {
    let session = stage.backend.store.session(&session.id).await.unwrap().unwrap();
    session.ended_at.is_some()
}

#[tokio::test]
async fn attack_12_subject_of_a_row_counts_from_then_on() {
    let stage = stage().await;
    let (alice, dave) = (stage.sign_in("alice").await, stage.sign_in("dave").await);
    let id = push(&stage, "bob").await;
    push_group(&stage, "payments", &[&id]).await;
    stage.at(10);
    let request = stage.file(&alice, "prod-readonly").await.unwrap().request;
    stage.at(20);
    let other = json!({ "externalId": "dave", "userName": "dave@acme.example" });
    patch(&stage, &id, json!({ "op": "replace", "value": other })).await;
    assert_eq!(groups_of(&stage, &afresh(&stage, &dave).await).await, ["payments"]);
    assert_eq!(code(approve(&stage, &dave, &request).await), "policy.refused");
}

#[tokio::test]
async fn attack_12_group_that_was_renamed_counts_from_then_on() {
    let stage = stage().await;
    let (alice, dave) = (stage.sign_in("alice").await, stage.sign_in("dave").await);
    let id = push(&stage, "dave").await;
    let group = push_group(&stage, "all-hands", &[&id]).await;
    stage.at(10);
    let request = stage.file(&alice, "prod-readonly").await.unwrap().request;
    stage.at(20);
    let renamed = json!({ "op": "replace", "path": "displayName", "value": "payments" });
    patch_group(&stage, &group, renamed).await;
    assert_eq!(groups_of(&stage, &afresh(&stage, &dave).await).await, ["payments"]);
    assert_eq!(code(approve(&stage, &dave, &request).await), "policy.refused");
}

#[tokio::test]
async fn attack_11_group_id_of_another_counts_for_nothing() {
    let stage = Stage::with(|settings| settings.directories.push(acme(&["payments"]))).await;
    stage.edit_policy(
        "[group.payments]\nmembers = [\"local:bob\"]",
        "[group.payments]\ndirectory = { source = \"acme\", external_id = \"an-id\" }",
    );
    let (bob, id) = (stage.sign_in("bob").await, push(&stage, "bob").await);
    let body = json!({ "displayName": "payments", "externalId": "an-id", "members": [{ "value": id }] });
    let own = stage.backend.settings.directories[0].clone();
    groups::create(&stage.backend, &own, &body).await.unwrap();
    assert_eq!(groups_of(&stage, &afresh(&stage, &bob).await).await, ["engineering"]);
}

#[tokio::test]
async fn session_opened_while_its_person_left_is_over() {
    let stage = stage().await;
    let (id, local) = (push(&stage, "bob").await, [127, 0, 0, 1].into());
    let new = NewSession {
        name: "bob".into(),
        code: sign_in::issue_code(&stage.backend, "bob").await.unwrap(),
        verifier: None,
        key_storage: "file".into(),
    };
    let key = DeviceKey::of(&new_key()).unwrap();
    let token = sign_in::open(&stage.backend, &new, &key, local).await.unwrap().token;
    let session = sign_in::caller(&stage.backend, &token, local).await.unwrap().session;
    patch(&stage, &id, json!({ "op": "replace", "value": { "active": false } })).await;
    assert!(is_over(&stage, &session).await);
    // as if it had been stored a moment later
    let late = Session {
        version: session.version + 2,
        ..session
    };
    put(&stage, Row::Session(late)).await;
    let called = sign_in::caller(&stage.backend, &token, local).await;
    assert_eq!(code(called), "session.ended");
}

#[tokio::test]
async fn who_is_pushed_as_gone_loses_what_they_have() {
    let stage = stage().await;
    let bob = stage.sign_in("bob").await;
    stage.file(&bob, "dev-admin").await.unwrap();
    stage.work().await;
    let body = json!({ "userName": "bob@acme.example", "externalId": "bob", "active": false });
    let own = stage.backend.settings.directories[0].clone();
    let user = users::create(&stage.backend, &own, &body).await.unwrap();
    stage.work().await;
    assert!(is_over(&stage, &bob.session).await);
    assert_eq!(stage.backend.store.open_grants(&bob.person.id).await.unwrap(), []);
    // what says nothing of that brings nobody back
    let body = json!({ "userName": "robert@acme.example", "externalId": "bob" });
    let write = Write::Replace(&body);
    let changed = users::change(&stage.backend, &own, &user.id, write, &Matching::default()).await;
    assert!(!changed.unwrap().active);
}

#[tokio::test]
async fn who_is_back_early_keeps_what_came_since() {
    let stage = stage().await;
    let id = push(&stage, "bob").await;
    stage.at(20);
    patch(&stage, &id, json!({ "op": "replace", "value": { "active": false } })).await;
    stage.at(25);
    patch(&stage, &id, json!({ "op": "replace", "value": { "active": true } })).await;
    stage.at(26);
    let bob = stage.sign_in("bob").await;
    stage.file(&bob, "dev-admin").await.unwrap();
    stage.work().await;
    assert_eq!(stage.backend.store.open_grants(&bob.person.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn who_is_deleted_is_in_no_group() {
    let stage = stage().await;
    let id = push(&stage, "bob").await;
    let group = push_group(&stage, "payments", &[&id]).await;
    let own = stage.backend.settings.directories[0].clone();
    users::delete(&stage.backend, &own, &id, &Matching::default())
        .await
        .unwrap();
    assert_eq!(stage.backend.store.directory_members(&group).await.unwrap(), []);
}

#[tokio::test]
async fn directory_reaches_nobody_of_another_issuer_and_no_job() {
    let stage = stage().await;
    let workload = Workload {
        name: "deploy".into(),
        issuer: "local".into(),
        claims: Map::new(),
        started_by: StartedBy::Nobody,
    };
    let job = Person {
        id: stage.backend.random.person_id(),
        issuer: "local".into(),
        subject: "repo:1".into(),
        name: "deploy".into(),
        since: stage.backend.now(),
        workload: Some(Box::new(workload)),
    };
    put(&stage, Row::Person(job.clone())).await;
    let carol = stage.sign_in("carol").await;
    let device = stage
        .backend
        .store
        .device(&carol.session.device, &carol.person.id)
        .await;
    let device = Device {
        person: job.id.clone(),
        ..device.unwrap().unwrap()
    };
    put(&stage, Row::Device(device)).await;
    let session = Session {
        id: stage.backend.random.session_id(),
        token_hash: "t".into(),
        person: job.id.clone(),
        ..carol.session
    };
    put(&stage, Row::Session(session.clone())).await;
    let dora = elsewhere(&stage, "00u1", "dora").await;
    for subject in ["repo:1", "00u1"] {
        let id = push(&stage, subject).await;
        patch(&stage, &id, json!({ "op": "replace", "value": { "active": false } })).await;
    }
    for person in [&job, &dora] {
        assert!(
            directory::known(&stage.backend, person).await.unwrap().active,
            "{}",
            person.name
        );
    }
    assert!(!is_over(&stage, &session).await);
}
