//! Directories that push no longer: who runs the backend is told, or those who leave would stay in silence.

use axum::body::Bytes;
use serde_json::json;

use super::super::pushes::{look, readiness};
use super::directory::{acme, push};
use super::*;
use crate::domain::{Digest, Timestamp};
use crate::server::scim::answer::Matching;
use crate::server::scim::users::Write;
use crate::server::scim::{Kind, groups, users};
use crate::server::stage::NOON;

const DAY: i64 = 86_400;

/// `days` after the beginning.
fn day(days: i64) -> Timestamp {
    Timestamp::from_millis(NOON.millis() + days * DAY * 1000)
}

/// A directory with tokens that end after so many days.
async fn until(ends: &[i64]) -> Stage {
    let tokens = ends.iter().map(|days| (Digest::of(b"unused"), day(*days))).collect();
    Stage::with(|settings| {
        let mut acme = acme(&["payments"]);
        acme.tokens = tokens;
        settings.directories.push(acme);
    })
    .await
}

#[tokio::test]
async fn end_of_a_token_is_told_before_and_at_it_once() {
    let stage = until(&[30]).await;
    assert_eq!(look(&stage.backend).await, Vec::<String>::new());
    stage.at(15 * DAY);
    assert_eq!(look(&stage.backend).await, Vec::<String>::new());
    stage.at(17 * DAY);
    let soon = format!("directory acme: its last token ends at {}; name the next one", day(30));
    assert_eq!(look(&stage.backend).await, std::slice::from_ref(&soon));
    assert_eq!(readiness(&stage.backend)[0].trouble, Some(soon));
    stage.at(18 * DAY);
    assert_eq!(look(&stage.backend).await, Vec::<String>::new(), "once is enough");
    stage.at(30 * DAY);
    let over = format!(
        "directory acme: its last token ended at {}; who leaves stays signed in",
        day(30)
    );
    assert_eq!(look(&stage.backend).await, std::slice::from_ref(&over));
    assert_eq!(look(&stage.backend).await, Vec::<String>::new());
    let told = &readiness(&stage.backend)[0];
    assert_eq!((&*told.name, told.token_ends), ("acme", Some(day(30))));
    assert_eq!((told.called_at, told.trouble.as_ref()), (None, Some(&over)));
}

#[tokio::test]
async fn token_that_comes_next_is_the_one_that_counts() {
    let stage = until(&[1, 400]).await;
    stage.at(2 * DAY);
    assert_eq!(look(&stage.backend).await, Vec::<String>::new());
    stage.backend.pushes.called("acme", stage.backend.now());
    let told = &readiness(&stage.backend)[0];
    assert_eq!((told.token_ends, told.called_at), (Some(day(400)), Some(day(2))));
    assert_eq!(told.trouble, None);
}

#[tokio::test]
async fn directory_that_the_file_forgot_is_told() {
    let stage = until(&[400]).await;
    push(&stage, "bob").await;
    assert_eq!(look(&stage.backend).await, Vec::<String>::new());
    // another name, or none, in the file
    let stage = Stage::on_database(stage.dir).await;
    let forgotten = "directory acme is not in the file any more; who had left may sign in again";
    assert_eq!(look(&stage.backend).await, [forgotten]);
    assert_eq!(look(&stage.backend).await, Vec::<String>::new());
    let told = &readiness(&stage.backend)[0];
    assert_eq!((&*told.name, told.token_ends), ("acme", None));
    assert_eq!(told.trouble.as_deref(), Some(forgotten));
}

#[tokio::test]
async fn large_group_keeps_nobody_from_leaving() {
    let stage = until(&[400]).await;
    let (backend, acme) = (&stage.backend, &stage.backend.settings.directories[0]);
    let id = push(&stage, "bob").await;
    let group = groups::create(backend, acme, &json!({ "displayName": "payments" })).await;
    let group = group.unwrap().group.id;
    let busy = backend.turns.take("acme", Kind::Group).await.unwrap();
    let joins = json!({ "Operations": [{ "op": "add", "path": "members", "value": [{ "value": id }] }] });
    let (joins, matching) = (Bytes::from(joins.to_string()), Matching::default());
    let mut joining = Box::pin(groups::change(backend, acme, &group, Write::Patch(&joins), &matching));
    let left = json!({ "Operations": [{ "op": "replace", "path": "active", "value": false }] });
    let left = Bytes::from(left.to_string());
    let leaving = users::change(backend, acme, &id, Write::Patch(&left), &matching);
    tokio::select! {
        biased;
        _ = &mut joining => panic!("it is another group's turn"),
        left = leaving => assert!(!left.unwrap().active),
    }
    drop(busy);
    assert_eq!(
        joining
            .await
            .map_err(|error| format!("{error:?}"))
            .unwrap()
            .members
            .len(),
        1
    );
}
