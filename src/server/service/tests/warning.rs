//! The warning before the end.

use super::locks::lock;
use super::*;
use crate::domain::RequestId;

/// How often the end of `request` was announced.
async fn told(stage: &Stage, request: &RequestView) -> usize {
    let id = RequestId::parse(&request.id).unwrap();
    let lines = stage.backend.store.evidence(0, 1_000).await.unwrap();
    let is_it =
        |line: &&crate::server::store::Evidence| line.kind == "grant.ending" && line.request.as_ref() == Some(&id);
    lines.iter().filter(is_it).count()
}

#[tokio::test]
async fn end_is_announced_once_ten_minutes_before_and_wakes_who_waits() {
    let stage = Stage::new().await;
    let (alice, _, request) = active(&stage).await;
    stage.at(2_999);
    stage.work().await;
    assert_eq!(told(&stage, &request).await, 0);
    let mut waiting = stage.backend.wakes.listen(&RequestId::parse(&request.id).unwrap());
    stage.at(3_000);
    stage.work().await;
    waiting.changed().await;
    assert_eq!(told(&stage, &request).await, 1);
    assert_eq!(view(&stage, &alice, &request.id).await.grant.unwrap().attempts, 0);
    stage.at(3_600);
    stage.work().await;
    assert_eq!(told(&stage, &request).await, 1);
}

#[tokio::test]
async fn end_of_a_short_grant_is_not_announced() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    let request = stage.file_for(&alice, "dev-admin", 600).await.unwrap().request;
    for at in [0, 300, 599, 600] {
        stage.at(at);
        stage.work().await;
    }
    assert_eq!(told(&stage, &request).await, 0);
    assert_eq!(stage.backend.store.left().await.unwrap(), 0);
}

#[tokio::test]
async fn what_ended_early_is_not_announced() {
    let stage = Stage::new().await;
    let (_, _, request) = active(&stage).await;
    let carol = stage.sign_in("carol").await;
    lock(&stage, &carol, "alice").await.unwrap();
    stage.work().await;
    stage.at(3_600);
    stage.work().await;
    assert_eq!(told(&stage, &request).await, 0);
    // the request's own deadline
    stage.at(13 * 3_600);
    stage.work().await;
    assert_eq!(stage.backend.store.left().await.unwrap(), 0);
}

/// Story 25: who has extended in time is told of the new end.
#[tokio::test]
async fn story_25_announcement_moves_with_the_extension() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    let first = stage.file(&alice, "dev-admin").await.unwrap().request;
    stage.work().await;
    let more = NewRequest {
        extend: true,
        ..crate::server::stage::new_request("dev-admin", 3_600)
    };
    let second = stage.file_as(&alice, &more).await.unwrap().request;
    stage.work().await;
    stage.at(3_000);
    stage.work().await;
    assert_eq!((told(&stage, &first).await, told(&stage, &second).await), (0, 0));
    stage.at(6_600);
    stage.work().await;
    assert_eq!((told(&stage, &first).await, told(&stage, &second).await), (0, 1));
}
