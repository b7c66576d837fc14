//! Attacks 2, 3, 13, 22 and 26 of `docs/security.md`, as somebody with a socket would try them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use jit::server::edge::connections::{self, Entrance, Seats};
use jit::server::routes::{Access, router, table};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::caller::{Answer, new_request, new_session, yes};
use super::stage::{Stage, eventually};
use crate::harness::{Device, LIMIT};

#[tokio::test(flavor = "multi_thread")]
async fn attack_02_others_get_no_credentials_over_http() {
    let stage = Stage::open().await;
    let (alice, bob, active) = stage.active().await;
    let grant = &active["grant"];
    let before = stage.sts.calls().len();
    bob.mint(grant).await.is(403).refuses("access.forbidden");
    let mallory = stage.sign_in("mallory").await;
    mallory.mint(grant).await.is(404).refuses("grant.not_found");
    stage.nobody().mint(grant).await.is(401).refuses("session.unknown");
    assert_eq!(stage.sts.calls().len(), before);
    alice.mint(grant).await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_03_own_request_is_decided_on_no_path() {
    let stage = Stage::open_with(|settings| settings.shared_devices_decide = false).await;
    let device = Device::new();
    let bob = stage.sign_in_on("bob", device.clone()).await;
    let filed = bob.file("prod-admin").await;
    bob.approve(&filed).await.is(403).refuses("policy.own_request");
    let deny = json!({ "verdict": "deny", "digest": filed["digest"], "comment": "changed my mind" });
    let path = format!("/v1/requests/{}/decisions", filed["id"].as_str().unwrap());
    bob.post(&path, &deny).await.is(403).refuses("policy.own_request");
    let inbox = bob.get("/v1/inbox").await.is(200);
    assert_eq!(inbox.body["requests"], json!([]));
    let carol_on_bobs = stage.sign_in_on("carol", device).await;
    carol_on_bobs
        .approve(&filed)
        .await
        .is(403)
        .refuses("policy.own_request");
    let bob_elsewhere = stage.sign_in("bob").await;
    bob_elsewhere
        .approve(&filed)
        .await
        .is(403)
        .refuses("policy.own_request");
    let carol = stage.sign_in("carol").await;
    assert_eq!(carol.approve(&filed).await.is(200).body["state"], "approved");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_13_forwarded_headers_change_nothing() {
    let stage = Stage::open().await;
    let forged = |call: reqwest::RequestBuilder, last: u8| {
        let address = format!("203.0.113.{last}");
        let call = call.header("x-forwarded-for", &address).header("x-real-ip", &address);
        call.header("forwarded", format!("for={address}"))
            .header("cf-connecting-ip", address)
    };
    let alice = stage.sign_in("alice").await;
    let call = alice
        .call(Method::POST, "/v1/requests")
        .json(&new_request("prod-admin"));
    Answer::of(forged(call, 7)).await.is(201);
    let evidence = stage.evidence().await;
    let filed = evidence.iter().find(|line| line.kind == "request.filed").unwrap();
    let payload = filed.payload.as_ref().unwrap().to_string();
    assert!(
        !payload.contains("203.0.113") && payload.contains("127.0.0.1"),
        "{payload}"
    );
    let wrong = new_session("alice", "0000-0000");
    for last in 0..5 {
        let call = stage.nobody().call(Method::POST, "/v1/sessions").json(&wrong);
        Answer::of(forged(call, last)).await.refuses("session.code_invalid");
    }
    let call = stage.nobody().call(Method::POST, "/v1/sessions").json(&wrong);
    Answer::of(forged(call, 99)).await.is(429).refuses("rate.limited");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_13_foreign_host_is_refused_on_every_route() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    for route in table() {
        for host in [
            "rebound.example",
            "127.0.0.1",
            "127.0.0.1:1",
            "localhost.rebound.example",
        ] {
            let call = alice.call(route.method.clone(), route.path).header("host", host);
            let refused = Answer::of(call).await.is(421);
            if route.access == Access::Directory {
                let detail = refused.body["detail"].as_str().unwrap();
                assert!(detail.starts_with("this backend has another address"), "{detail}");
            } else {
                refused.refuses("host.unknown");
            }
        }
    }
    let own = format!("LocalHost:{}", stage.address.port());
    // the proof is for the name that was called
    let proof = alice.proof(&Method::GET, &format!("http://{own}"), "/v1/me");
    let call = alice.bare(Method::GET, "/v1/me").header("dpop", proof);
    let call = call.header("authorization", format!("DPoP {}", alice.token.as_ref().unwrap()));
    Answer::of(call.header("host", own)).await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_13_second_host_and_other_authority_are_refused() {
    let stage = Stage::open().await;
    let own = stage.address.to_string();
    for head in [
        "GET /livez HTTP/1.1\r\n".to_owned(),
        format!("GET /livez HTTP/1.1\r\nHost: {own}\r\nHost: rebound.example\r\n"),
        format!("GET /livez HTTP/1.1\r\nHost: rebound.example\r\nHost: {own}\r\n"),
        format!("GET http://rebound.example/livez HTTP/1.1\r\nHost: {own}\r\n"),
        "GET /livez HTTP/1.0\r\n".to_owned(),
    ] {
        let answer = stage.raw(format!("{head}Connection: close\r\n\r\n")).await;
        let refused = answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.0 4");
        assert!(refused, "{head} was answered: {answer}");
    }
    let good = format!("GET /livez HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n");
    assert!(stage.raw(good).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_13_nobody_waits_and_nobody_waits_for_much() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let filed = alice.file("prod-admin").await;
    stage.nobody().wait(&filed, 30).await.is(401).refuses("session.unknown");
    let waits: Vec<_> = (0..50)
        .map(|_| {
            let (alice, filed) = (alice.clone(), filed.clone());
            tokio::spawn(async move { alice.wait(&filed, 30).await })
        })
        .collect();
    stage.parked(&filed, 50).await;
    eventually("a wait too many", || async {
        alice.wait(&filed, 1).await.status == 429
    })
    .await;
    let refused = alice.wait(&filed, 1).await.is(429).refuses("rate.limited");
    assert_eq!(refused.header("retry-after"), "5");
    alice.look(&filed).await.is(200);
    let path = format!("/v1/requests/{}/cancel", filed["id"].as_str().unwrap());
    alice.post(&path, &json!({})).await.is(200);
    for wait in waits {
        assert_eq!(wait.await.unwrap().is(200).body["state"], "cancelled");
    }
}

/// What the requester tries on `filed`, and what each is answered with.
fn edits(filed: &Value) -> Vec<(Method, String, Value, u16)> {
    let request = format!("/v1/requests/{}", filed["id"].as_str().unwrap());
    let decisions = format!("{request}/decisions");
    let mut with_state = new_request("prod-admin");
    with_state["state"] = json!("approved");
    let mut for_bob = new_request("prod-admin");
    for_bob["requester"] = filed["requester"].clone();
    let mut by_bob = yes(filed);
    by_bob["by"] = json!("bob");
    vec![
        (Method::PUT, request.clone(), json!({ "state": "approved" }), 405),
        (Method::PATCH, request.clone(), json!({ "state": "approved" }), 405),
        (Method::POST, request.clone(), json!({ "state": "approved" }), 405),
        (Method::DELETE, request.clone(), json!({}), 405),
        (Method::PUT, decisions.clone(), yes(filed), 405),
        (Method::PATCH, format!("{decisions}/1"), yes(filed), 404),
        (Method::POST, "/v1/requests".into(), with_state, 400),
        (Method::POST, "/v1/requests".into(), for_bob, 400),
        (Method::POST, decisions.clone(), by_bob, 400),
        (Method::POST, decisions, yes(filed), 403),
        (
            Method::POST,
            format!("{request}/cancel"),
            json!({ "state": "approved" }),
            400,
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_22_requester_edits_nothing() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let filed = alice.file("prod-admin").await;
    for (method, path, body, status) in edits(&filed) {
        let override_to = if status == 405 { "PUT" } else { "POST" };
        let call = alice.call(method.clone(), &path).json(&body);
        let answer = Answer::of(call.header("x-http-method-override", override_to)).await;
        assert_eq!(answer.status, status, "{method} {path} {answer}");
    }
    let now = alice.look(&filed).await.is(200);
    assert_eq!(now.body, filed);
    assert_eq!(stage.count("request.filed").await, 1);
    assert_eq!(
        stage
            .evidence()
            .await
            .iter()
            .filter(|l| l.kind.starts_with("request."))
            .count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_22_decision_of_another_is_not_replayed() {
    let stage = Stage::open().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let filed = alice.file("prod-owner").await;
    let path = format!("/v1/requests/{}/decisions", filed["id"].as_str().unwrap());
    let half = bob.post_once(&path, "the-key-of-bob", &yes(&filed)).await.is(200);
    assert_eq!(half.body["state"], "pending");
    let replayed = alice.post_once(&path, "the-key-of-bob", &yes(&filed)).await.is(403);
    replayed.refuses("policy.own_request");
    let again = bob.post_once(&path, "the-key-of-bob", &yes(&filed)).await.is(200);
    assert_eq!(again.body["decisions"].as_array().unwrap().len(), 1);
    bob.post_once(&path, "another-key-of-bob", &yes(&filed)).await.is(409);
    assert_eq!(alice.look(&filed).await.body["state"], "pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_22_decision_binds_to_the_body_that_was_shown() {
    let stage = Stage::open().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let (filed, other) = (alice.file("prod-admin").await, alice.file("prod-owner").await);
    let path = format!("/v1/requests/{}/decisions", filed["id"].as_str().unwrap());
    let upper = filed["digest"].as_str().unwrap().to_uppercase();
    for digest in [
        other["digest"].clone(),
        json!(""),
        json!("0".repeat(64)),
        json!(upper),
        json!(" "),
    ] {
        let body = json!({ "verdict": "approve", "digest": digest });
        bob.post(&path, &body).await.is(409).refuses("request.changed");
    }
    bob.post(&path, &json!({ "verdict": "approve" }))
        .await
        .is(400)
        .refuses("usage.body");
    assert_eq!(alice.look(&filed).await.body["state"], "pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_26_silent_connections_keep_nobody_out() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = router(&stage.backend);
    let seats = Seats::new(8);
    tokio::spawn(connections::serve(
        listener,
        Entrance::default(),
        routes,
        seats,
        stage.backend.stopping.clone(),
    ));
    let silent: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(address).unwrap()).collect();
    let own = format!("127.0.0.1:{}", stage.address.port());
    let head = format!(
        "GET /v1/me HTTP/1.1\r\nHost: {own}\r\n{}",
        alice.shown(&Method::GET, "/v1/me")
    );
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream
            .write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    assert!(answer.await.unwrap().starts_with("HTTP/1.1 200"));
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_26_slow_heads_and_bodies_are_ended() {
    let stage = Arc::new(Stage::open().await);
    let alice = stage.sign_in("alice").await;
    let own = stage.address;
    let slow = move |bytes: String| {
        let mut stream = TcpStream::connect(own).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.write_all(bytes.as_bytes()).unwrap();
        let mut answer = String::new();
        // ended by the backend: a time-out of ours would be an error here
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let head = format!("GET /livez HTTP/1.1\r\nHost: {own}\r\nX-Slow: ");
    let body = format!(
        "POST /v1/requests HTTP/1.1\r\nHost: {own}\r\n{}\
         Content-Type: application/json\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{{\"target\"",
        alice.shown(&Method::POST, "/v1/requests")
    );
    let tries = [String::new(), head, body].map(|bytes| tokio::task::spawn_blocking(move || slow(bytes)));
    alice.get("/v1/me").await.is(200);
    let mut answers = Vec::new();
    for answer in tries {
        answers.push(answer.await.unwrap());
    }
    assert_eq!(answers[0], "");
    assert!(
        answers[2].starts_with("HTTP/1.1 400 ") && answers[2].contains("took too long"),
        "{answers:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_26_huge_heads_are_refused() {
    let stage = Stage::open().await;
    let own = stage.address;
    let big = format!(
        "GET /livez HTTP/1.1\r\nHost: {own}\r\nX-Big: {}\r\n\r\n",
        "a".repeat(64 * 1024)
    );
    let many = format!(
        "GET /livez HTTP/1.1\r\nHost: {own}\r\n{}\r\n",
        "X-Many: a\r\n".repeat(1_000)
    );
    for head in [
        big,
        many,
        format!("GET /{} HTTP/1.1\r\nHost: {own}\r\n\r\n", "a".repeat(70_000)),
    ] {
        let answer = stage.raw(head).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    stage.nobody().get("/livez").await.is(200);
}
