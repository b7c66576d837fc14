//! People and groups that a directory pushes: what counts since when, and what ends when somebody leaves.

use axum::body::Bytes;
use serde_json::json;

use super::super::{decide, inbox, mint, sign_in};
use super::*;
use crate::domain::{Digest, PersonId};
use crate::server::backend::Backend;
use crate::server::scim::answer::Matching;
use crate::server::scim::groups;
use crate::server::scim::users::{self, Write};
use crate::server::settings::DirectorySettings;

/// The people of this backend, as `acme` pushes them.
pub(crate) fn acme(groups: &[&str]) -> DirectorySettings {
    DirectorySettings {
        name: "acme".into(),
        issuer: "local".into(),
        groups: groups.iter().map(|name| (*name).to_owned()).collect(),
        tokens: vec![(Digest::of(b"unused"), crate::domain::Timestamp::from_millis(i64::MAX))],
    }
}

/// The small bundle, whose payments come from acme.
pub(crate) async fn stage() -> Stage {
    let stage = Stage::with(|settings| settings.directories.push(acme(&["payments", "all-*"]))).await;
    stage.edit_policy(
        "[group.payments]\nmembers = [\"local:bob\"]",
        "[group.payments]\ndirectory = { source = \"acme\", name = \"payments\" }",
    );
    stage
}

fn directory(backend: &Backend) -> DirectorySettings {
    backend.settings.directories[0].clone()
}

/// Pushes somebody: our id of them.
pub(crate) async fn push(stage: &Stage, name: &str) -> String {
    let body = json!({ "userName": format!("{name}@acme.example"), "externalId": name });
    let user = users::create(&stage.backend, &directory(&stage.backend), &body).await;
    user.unwrap().id
}

/// Pushes a group with members: our id of it.
pub(super) async fn push_group(stage: &Stage, name: &str, members: &[&str]) -> String {
    let members: Vec<_> = members.iter().map(|id| json!({ "value": id })).collect();
    let body = json!({ "displayName": name, "members": members });
    let group = groups::create(&stage.backend, &directory(&stage.backend), &body).await;
    group.unwrap().group.id
}

fn sent(operation: serde_json::Value) -> Bytes {
    json!({ "Operations": [operation] }).to_string().into()
}

pub(super) async fn patch(stage: &Stage, user: &str, operation: serde_json::Value) {
    let body = sent(operation);
    let write = Write::Patch(&body);
    let (backend, directory) = (&stage.backend, directory(&stage.backend));
    users::change(backend, &directory, user, write, &Matching::default())
        .await
        .unwrap();
}

pub(super) async fn patch_group(stage: &Stage, group: &str, operation: serde_json::Value) {
    let body = sent(operation);
    let write = Write::Patch(&body);
    let (backend, directory) = (&stage.backend, directory(&stage.backend));
    groups::change(backend, &directory, group, write, &Matching::default())
        .await
        .unwrap();
}

/// Somebody as the next call would know them.
pub(super) async fn afresh(stage: &Stage, caller: &Caller) -> Caller {
    let known = super::super::directory::known(&stage.backend, &caller.person).await;
    Caller {
        known: known.unwrap(),
        ..caller.clone()
    }
}

pub(super) async fn groups_of(stage: &Stage, caller: &Caller) -> Vec<String> {
    sign_in::me(&stage.backend, caller).await.unwrap().groups
}

pub(super) async fn approve(stage: &Stage, by: &Caller, request: &RequestView) -> Result<RequestView, Failure> {
    let by = afresh(stage, by).await;
    decide::decide(&stage.backend, &by, &request.id, &yes(request), None).await
}

#[tokio::test]
async fn attack_12_vote_by_a_membership_younger_than_the_request_is_void() {
    let stage = stage().await;
    let (alice, dave) = (stage.sign_in("alice").await, stage.sign_in("dave").await);
    let (id, group) = (push(&stage, "dave").await, push_group(&stage, "payments", &[]).await);
    stage.at(10);
    let request = stage.file(&alice, "prod-readonly").await.unwrap().request;
    stage.at(20);
    patch_group(
        &stage,
        &group,
        json!({ "op": "add", "path": "members", "value": [{ "value": id }] }),
    )
    .await;
    let dave = afresh(&stage, &dave).await;
    assert_eq!(groups_of(&stage, &dave).await, ["payments"]);
    assert!(inbox::inbox(&stage.backend, &dave).await.unwrap().requests.is_empty());
    assert_eq!(code(approve(&stage, &dave, &request).await), "policy.refused");
    // what is asked from now on is theirs to decide
    stage.at(30);
    let later = stage.file(&alice, "prod-admin").await.unwrap().request;
    assert_eq!(approve(&stage, &dave, &later).await.unwrap().state, "approved");
}

#[tokio::test]
async fn attack_12_vote_of_who_left_and_came_back_is_void_at_activation() {
    for (returns, why) in [
        (false, "no longer an approver"),
        (true, "an approver only since it was asked"),
    ] {
        let stage = stage().await;
        let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
        let id = push(&stage, "bob").await;
        let group = push_group(&stage, "payments", &[&id]).await;
        stage.at(10);
        let request = stage.file(&alice, "prod-readonly").await.unwrap().request;
        approve(&stage, &bob, &request).await.unwrap();
        stage.at(20);
        let path = format!("members[value eq \"{id}\"]");
        patch_group(&stage, &group, json!({ "op": "remove", "path": path })).await;
        if returns {
            stage.at(25);
            let back = json!({ "op": "add", "path": "members", "value": [{ "value": id }] });
            patch_group(&stage, &group, back).await;
        }
        stage.at(30);
        stage.work().await;
        let grant = view(&stage, &alice, &request.id).await.grant.unwrap();
        assert_eq!((&*grant.state, grant.cause.as_deref()), ("ended", Some("refused")));
        assert_eq!(grant.detail.unwrap(), format!("the approval of bob is void: {why}"));
    }
}

#[tokio::test]
async fn membership_of_a_day_counts_for_what_is_risky() {
    let stage = stage().await;
    stage.edit_policies(&[
        (
            "[group.payments]\nmembers = [\"local:bob\"]",
            "[group.payments]\ndirectory = { source = \"acme\", name = \"payments\" }",
        ),
        ("risk = 1", "risk = 2"),
    ]);
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let id = push(&stage, "bob").await;
    push_group(&stage, "payments", &[&id]).await;
    stage.at(86_400);
    let early = stage.file(&alice, "prod-readonly").await.unwrap().request;
    assert_eq!(code(approve(&stage, &bob, &early).await), "policy.refused");
    stage.at(86_401);
    let late = stage.file(&alice, "prod-admin").await.unwrap().request;
    let decided = approve(&stage, &bob, &late).await.unwrap();
    assert_eq!(decided.decisions.len(), 1);
}

#[tokio::test]
async fn attack_11_name_mail_and_groups_of_another_issuer_join_nobody() {
    let stage = Stage::with(|settings| {
        settings.directories.push(acme(&["payments"]));
        settings.directories.push(DirectorySettings {
            name: "partner".into(),
            issuer: "https://idp.partner.example".into(),
            ..acme(&["payments", "security"])
        });
    })
    .await;
    stage.edit_policy(
        "[group.payments]\nmembers = [\"local:bob\"]",
        "[group.payments]\ndirectory = { source = \"acme\", name = \"payments\" }",
    );
    let partner = stage.backend.settings.directories[1].clone();
    let body = json!({ "userName": "bob", "externalId": "bob", "emails": [{ "value": "bob@acme.example" }] });
    let theirs = users::create(&stage.backend, &partner, &body).await.unwrap();
    for name in ["payments", "security"] {
        let body = json!({ "displayName": name, "members": [{ "value": theirs.id }] });
        groups::create(&stage.backend, &partner, &body).await.unwrap();
    }
    let bob = stage.sign_in("bob").await;
    assert_eq!(groups_of(&stage, &bob).await, ["engineering"]);
    // by name and mail alone acme joins nobody either
    let body = json!({ "userName": "bob", "emails": [{ "value": "bob@acme.example" }], "externalId": "Bob" });
    let own = users::create(&stage.backend, &directory(&stage.backend), &body)
        .await
        .unwrap();
    push_group(&stage, "payments", &[&own.id]).await;
    assert_eq!(groups_of(&stage, &afresh(&stage, &bob).await).await, ["engineering"]);
    // and a member is somebody of the same directory
    let body = sent(json!({ "op": "add", "path": "members", "value": [{ "value": theirs.id }] }));
    let group = stage
        .backend
        .store
        .directory_groups("acme", None, 1)
        .await
        .unwrap()
        .remove(0);
    let (write, directory) = (Write::Patch(&body), directory(&stage.backend));
    let refused = groups::change(&stage.backend, &directory, &group.id, write, &Matching::default()).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn group_counts_by_a_name_that_is_the_directorys_own() {
    let stage = Stage::with(|settings| settings.directories.push(acme(&["an-id"]))).await;
    stage.edit_policy(
        "[group.payments]\nmembers = [\"local:bob\"]",
        "[group.payments]\ndirectory = { source = \"acme\", name = \"payments\" }",
    );
    let (bob, id) = (stage.sign_in("bob").await, push(&stage, "bob").await);
    // its id is on the list, its name is not
    let body = json!({ "displayName": "payments", "externalId": "an-id", "members": [{ "value": id }] });
    let directory = directory(&stage.backend);
    groups::create(&stage.backend, &directory, &body).await.unwrap();
    assert_eq!(groups_of(&stage, &afresh(&stage, &bob).await).await, ["engineering"]);
    stage.edit_policy(
        "[group.payments]\nmembers = [\"local:bob\"]",
        "[group.payments]\ndirectory = { source = \"acme\", external_id = \"an-id\" }",
    );
    assert_eq!(
        groups_of(&stage, &afresh(&stage, &bob).await).await,
        ["engineering", "payments"]
    );
}

#[tokio::test]
async fn groups_in_groups_count_up_to_a_depth() {
    let stage = stage().await;
    let (bob, id) = (stage.sign_in("bob").await, push(&stage, "bob").await);
    let mut below = id;
    for level in 1..5 {
        below = push_group(&stage, &format!("all-{level}"), &[&below]).await;
    }
    let group = push_group(&stage, "payments", &[&below]).await;
    assert_eq!(
        groups_of(&stage, &afresh(&stage, &bob).await).await,
        ["engineering", "payments"]
    );
    // one level more is one too many
    let between = push_group(&stage, "all-5", &[&below]).await;
    let members = json!({ "op": "replace", "path": "members", "value": [{ "value": between }] });
    patch_group(&stage, &group, members).await;
    assert_eq!(groups_of(&stage, &afresh(&stage, &bob).await).await, ["engineering"]);
    // and a circle is refused
    let body = sent(json!({ "op": "add", "path": "members", "value": [{ "value": group }] }));
    let (write, directory) = (Write::Patch(&body), directory(&stage.backend));
    for inner in [&between, &group] {
        let refused = groups::change(&stage.backend, &directory, inner, write, &Matching::default()).await;
        assert!(refused.is_err(), "{inner}");
    }
}

#[tokio::test]
async fn who_leaves_loses_sessions_votes_and_grants() {
    let stage = stage().await;
    let id = push(&stage, "bob").await;
    push_group(&stage, "payments", &[&id]).await;
    stage.at(10);
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let his = stage.file(&bob, "dev-admin").await.unwrap().request;
    stage.work().await;
    assert!(mint::mint(&stage.backend, &bob, "dev-admin").await.is_ok());
    let hers = stage.file(&alice, "prod-readonly").await.unwrap().request;
    approve(&stage, &bob, &hers).await.unwrap();
    stage.at(20);
    patch(
        &stage,
        &id,
        json!({ "op": "Replace", "path": "active", "value": "False" }),
    )
    .await;
    let session = stage.backend.store.session(&bob.session.id).await.unwrap().unwrap();
    assert!(session.ended_at.is_some());
    stage.work().await;
    let grant = view(&stage, &alice, &hers.id).await.grant.unwrap();
    assert_eq!(
        grant.detail.as_deref(),
        Some("the approval of bob is void: no longer in the directory")
    );
    let bob_id: PersonId = bob.person.id.clone();
    assert_eq!(stage.backend.store.open_grants(&bob_id).await.unwrap(), []);
    let taken = view(&stage, &bob, &his.id).await.grant.unwrap();
    assert_eq!(
        (taken.cause.as_deref(), taken.state.as_str()),
        (Some("revoked"), "ended")
    );
    assert_eq!(taken.detail.as_deref(), Some("no longer in the directory"));
    // back again: as somebody new, what was given since then stays
    stage.at(30);
    patch(&stage, &id, json!({ "op": "replace", "value": { "active": true } })).await;
    let known = afresh(&stage, &bob).await.known;
    assert!(known.active && !known.lets_in(&bob.session));
    let back = stage.sign_in("bob").await;
    assert!(back.known.lets_in(&back.session));
    stage.file(&back, "dev-admin").await.unwrap();
    stage.work().await;
    assert_eq!(stage.backend.store.open_grants(&bob_id).await.unwrap().len(), 1);
    // the group counts from now on, though it never lost him
    assert_eq!(
        code(approve(&stage, &back, &stage.file(&alice, "prod-admin").await.unwrap().request).await),
        "policy.refused"
    );
}

#[tokio::test]
async fn who_is_deleted_or_joined_otherwise_has_left() {
    for deletes in [true, false] {
        let stage = stage().await;
        let (id, bob) = (push(&stage, "bob").await, stage.sign_in("bob").await);
        stage.file(&bob, "dev-admin").await.unwrap();
        stage.work().await;
        stage.at(10);
        if deletes {
            let directory = directory(&stage.backend);
            users::delete(&stage.backend, &directory, &id, &Matching::default())
                .await
                .unwrap();
        } else {
            let other = json!({ "externalId": "somebody", "userName": "somebody@acme.example" });
            patch(&stage, &id, json!({ "op": "replace", "value": other })).await;
        }
        stage.work().await;
        let session = stage.backend.store.session(&bob.session.id).await.unwrap().unwrap();
        assert!(session.ended_at.is_some());
        assert_eq!(stage.backend.store.open_grants(&bob.person.id).await.unwrap(), []);
        assert!(!afresh(&stage, &bob).await.known.active);
        // nobody signs in as them; pushed anew they are back, and old sessions stay over
        let refused = stage.try_sign_in("bob", &new_key()).await;
        assert_eq!(code(refused), "access.forbidden");
        stage.at(20);
        push(&stage, "bob").await;
        let known = afresh(&stage, &bob).await.known;
        assert!(known.active && !known.lets_in(&bob.session));
        assert!(stage.try_sign_in("bob", &new_key()).await.is_ok());
    }
}

#[tokio::test]
async fn who_was_deactivated_is_not_back_by_another_subject_in_their_row() {
    let stage = stage().await;
    let (id, bob) = (push(&stage, "bob").await, stage.sign_in("bob").await);
    stage.at(10);
    patch(
        &stage,
        &id,
        json!({ "op": "replace", "path": "active", "value": false }),
    )
    .await;
    for subject in [json!("somebody"), json!(null), json!("else")] {
        let other = json!({ "op": "replace", "path": "externalId", "value": subject });
        patch(&stage, &id, other).await;
        assert!(!afresh(&stage, &bob).await.known.active, "{subject}");
    }
    // the row that was theirs is theirs again: back, with nothing from before
    stage.at(20);
    let again = json!({ "op": "replace", "value": { "externalId": "bob", "active": true } });
    patch(&stage, &id, again).await;
    let known = afresh(&stage, &bob).await.known;
    assert!(known.active && !known.lets_in(&bob.session));
}

#[tokio::test]
async fn evidence_says_where_a_group_came_from() {
    let stage = stage().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let id = push(&stage, "bob").await;
    push_group(&stage, "payments", &[&id]).await;
    stage.at(10);
    let request = stage.file(&alice, "prod-readonly").await.unwrap().request;
    approve(&stage, &bob, &request).await.unwrap();
    let evidence = stage.backend.store.evidence(0, 100).await.unwrap();
    let decided = evidence.iter().find(|line| line.kind == "request.decided").unwrap();
    let inputs = &decided.payload.as_ref().unwrap()["details"]["policy"][0];
    assert_eq!(
        inputs["groups"],
        json!([{ "group": "payments", "directory": "acme", "since": "2026-11-21T12:00:00Z" }])
    );
    let pushed = evidence
        .iter()
        .find(|line| line.kind == "directory.group_created")
        .unwrap();
    assert_eq!(pushed.actor, "directory:acme");
}
