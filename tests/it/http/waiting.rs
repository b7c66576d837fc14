//! Waiting for a change, and a stop while people wait and calls are under way.

use std::io::Write;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::caller::Answer;
use super::stage::{Stage, eventually};
use crate::harness::{LIMIT, StsAnswer};

#[tokio::test(flavor = "multi_thread")]
async fn wait_is_answered_at_once_where_the_version_differs() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let mut stale = alice.file("prod-admin").await;
    stale["version"] = json!("0.0.0");
    let answer = alice.wait(&stale, 30).await.is(200);
    assert_eq!(
        answer.header("etag"),
        format!("\"{}\"", answer.body["version"].as_str().unwrap())
    );
    let path = format!("/v1/requests/{}?wait=30s", stale["id"].as_str().unwrap());
    alice.get(&path).await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn wait_is_answered_when_the_request_changes() {
    let stage = Stage::open().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let filed = alice.file("prod-owner").await;
    let wait = tokio::spawn({
        let (alice, filed) = (alice.clone(), filed.clone());
        async move { alice.wait(&filed, 30).await }
    });
    stage.parked(&filed, 1).await;
    assert!(!wait.is_finished());
    bob.approve(&filed).await.is(200);
    let woken = wait.await.unwrap().is(200);
    assert_eq!(woken.body["decisions"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn wait_without_a_change_ends_in_304() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let filed = alice.file("prod-admin").await;
    let same = alice.wait(&filed, 1).await.is(304);
    assert_eq!(
        same.header("etag"),
        format!("\"{}\"", filed["version"].as_str().unwrap())
    );
    assert_eq!(same.header("jit-version"), jit::wire::VERSION);
    let path = format!("/v1/requests/{}", filed["id"].as_str().unwrap());
    for tag in [
        format!("W/\"{}\"", filed["version"].as_str().unwrap()),
        "junk".to_owned(),
    ] {
        let answer = Answer::of(alice.call(Method::GET, &path).header("if-none-match", &tag)).await;
        assert_eq!(answer.status, if tag == "junk" { 200 } else { 304 });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_ends_waits() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let filed = alice.file("prod-admin").await;
    let wait = tokio::spawn({
        let filed = filed.clone();
        async move { alice.wait(&filed, 30).await }
    });
    stage.parked(&filed, 1).await;
    // less than the wait itself
    let stopped = tokio::time::timeout(Duration::from_secs(15), stage.stop()).await;
    assert!(stopped.is_ok(), "a wait holds up a stop");
    wait.await.unwrap().is(304);
}

#[tokio::test(flavor = "multi_thread")]
async fn thousand_waiters_are_woken_by_one_commit() {
    let people: Vec<String> = (0..20).map(|n| format!("w{n:02}")).collect();
    let members: String = people.iter().map(|name| format!(", \"local:{name}\"")).collect();
    let (from, to) = (
        "members = [\"local:bob\"]",
        format!("members = [\"local:bob\"{members}]"),
    );
    let stage = Stage::open_with_policy(from, &to).await;
    let alice = stage.sign_in("alice").await;
    let filed = alice.file("prod-admin").await;
    // both ends of every connection are in this process
    let each = (jit::server::edge::connections::room() / 2 / people.len()).min(50);
    let mut waits = Vec::new();
    for name in &people {
        let waiter = stage.sign_in(name).await;
        for _ in 0..each {
            let (waiter, filed) = (waiter.clone(), filed.clone());
            waits.push(tokio::spawn(async move { waiter.wait(&filed, 30).await }));
        }
    }
    stage.parked(&filed, waits.len()).await;
    stage.sign_in("bob").await.approve(&filed).await.is(200);
    let all = async {
        for wait in waits {
            assert_eq!(wait.await.unwrap().is(200).body["state"], "approved");
        }
    };
    tokio::time::timeout(LIMIT, all).await.expect("everybody is woken");
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_answers_what_is_under_way() {
    let stage = Stage::open().await;
    let (alice, _, active) = stage.active().await;
    stage.sts.answer(StsAnswer::Held);
    let mint = tokio::spawn({
        let (alice, grant) = (alice.clone(), active["grant"].clone());
        async move { alice.mint(&grant).await }
    });
    let sts = stage.sts.clone();
    tokio::task::block_in_place(|| sts.wait_for_calls(2, LIMIT));
    let address = stage.address;
    let stopping = stage.begin_stop();
    let refused = || async { tokio::net::TcpStream::connect(address).await.is_err() };
    eventually("no new connections", refused).await;
    assert!(!mint.is_finished());
    sts.release();
    assert!(mint.await.unwrap().is(200).body["secret_access_key"].is_string());
    stopping.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_does_not_wait_for_silent_connections() {
    let stage = Stage::open().await;
    let silent = std::net::TcpStream::connect(stage.address).unwrap();
    let mut half = std::net::TcpStream::connect(stage.address).unwrap();
    half.write_all(b"GET /livez HTTP/1.1\r\nHost: ").unwrap();
    stage.nobody().get("/livez").await.is(200);
    let stopped = tokio::time::timeout(Duration::from_secs(10), stage.stop()).await;
    assert!(stopped.is_ok(), "a connection that says nothing holds up a stop");
    drop((silent, half));
}

#[tokio::test(flavor = "multi_thread")]
async fn mint_is_written_down_though_its_caller_has_gone() {
    let stage = Stage::open().await;
    let (alice, _, active) = stage.active().await;
    stage.sts.answer(StsAnswer::Held);
    let mint = tokio::spawn({
        let grant = active["grant"].clone();
        async move { alice.mint(&grant).await }
    });
    let sts = stage.sts.clone();
    tokio::task::block_in_place(|| sts.wait_for_calls(2, LIMIT));
    mint.abort();
    assert!(mint.await.is_err());
    sts.release();
    eventually("evidence of the mint", || async {
        stage.count("credential.minted").await == 1
    })
    .await;
}
