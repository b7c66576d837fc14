//! Bodies and queries that cannot be read: each a problem that says what is wrong, and nothing is changed.

use reqwest::Method;

use super::caller::Answer;
use super::stage::Stage;

const GOOD: &str = r#"{"target":"prod-admin","duration_s":3600,"reason":"payout job stuck"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_cannot_be_read_are_problems() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let bodies = [
        "",
        "{",
        "null",
        "[]",
        "\"text\"",
        deep.as_str(),
        &GOOD[..40],
        r#"{"target":"prod-admin"}"#,
        r#"{"target":1,"duration_s":3600,"reason":"payout job stuck"}"#,
        r#"{"target":"prod-admin","duration_s":"1h","reason":"payout job stuck"}"#,
        r#"{"target":"prod-admin","duration_s":-1,"reason":"payout job stuck"}"#,
        r#"{"target":"prod-admin","duration_s":1e3,"reason":"payout job stuck"}"#,
        r#"{"target":"prod-admin","duration_s":4294967296,"reason":"payout job stuck"}"#,
        r#"{"target":"prod-admin","duration_s":3600,"reason":"payout job stuck","state":"approved"}"#,
        r#"{"target":"prod-admin","target":"dev-admin","duration_s":3600,"reason":"payout job stuck"}"#,
    ];
    for body in bodies {
        let call = alice
            .call(Method::POST, "/v1/requests")
            .header("content-type", "application/json");
        Answer::of(call.body(body.to_owned()))
            .await
            .is(400)
            .refuses("usage.body");
    }
    assert_eq!(stage.count("request.filed").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn content_type_must_be_json() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "",
        "json",
    ] {
        let call = alice.call(Method::POST, "/v1/requests").header("content-type", kind);
        Answer::of(call.body(GOOD)).await.is(400).refuses("usage.body");
    }
    let bare = alice.call(Method::POST, "/v1/requests").body(GOOD);
    Answer::of(bare).await.is(400).refuses("usage.body");
    for kind in ["application/json", "Application/JSON; charset=utf-8"] {
        let call = alice.call(Method::POST, "/v1/requests").header("content-type", kind);
        assert!(Answer::of(call.body(GOOD)).await.status < 300, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn body_over_64_kib_is_413() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let padded = |length: usize| format!("{GOOD}{}", " ".repeat(length - GOOD.len()));
    let post = |body: String| {
        let call = alice.call(Method::POST, "/v1/requests");
        Answer::of(call.header("content-type", "application/json").body(body))
    };
    post(padded(64 * 1024)).await.is(201);
    post(padded(64 * 1024 + 1)).await.is(413).refuses("body.too_large");
    let chunked = format!(
        "POST /v1/requests HTTP/1.1\r\nHost: {}\r\n{}Content-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n11000\r\n{}\r\n0\r\n\r\n",
        stage.address,
        alice.shown(&Method::POST, "/v1/requests"),
        padded(0x11000)
    );
    let answer = stage.raw(chunked).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn body_cut_short_changes_nothing() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let call = format!(
        "POST /v1/requests HTTP/1.1\r\nHost: {}\r\n{}Content-Type: application/json\r\n\
         Content-Length: 500\r\n\r\n{GOOD}",
        stage.address,
        alice.shown(&Method::POST, "/v1/requests")
    );
    let answer = stage.raw_cut(call).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(stage.count("request.filed").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn junk_in_a_query_is_a_problem() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let queries = [
        "/v1/requests?open=maybe",
        "/v1/requests?unknown=1",
        "/v1/requests?open=true&open=false",
        "/v1/targets?q=a&page=2",
        "/v1/grants?t=1",
        "/v1/requests/req_000000000000?wait=soon",
        "/v1/requests/req_000000000000?wait=-1s",
        "/v1/requests/req_000000000000?wait=1.5s",
        "/v1/requests/req_000000000000?wait=99999999999999999999s",
        "/v1/requests/req_000000000000?wait=1s&wait=2s",
    ];
    for query in queries {
        alice.get(query).await.is(400).refuses("usage.body");
    }
    alice
        .get("/v1/requests?before=req_1")
        .await
        .is(404)
        .refuses("id.malformed");
    let long = format!("/v1/targets?q={}", "a".repeat(8_000));
    assert_eq!(alice.get(&long).await.is(200).body["targets"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_repeated_escaped_and_cut() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let given = format!("\u{202e}\u{1b}[31m\r\nX: y{}", "z".repeat(3_000));
    let body = serde_json::json!({ "target": given, "duration_s": 60, "reason": "payout job stuck", });
    let refused = alice
        .post("/v1/requests", &body)
        .await
        .is(404)
        .refuses("target.not_found");
    let title = refused.body["title"].as_str().unwrap();
    assert!(
        title.contains(r"\u{202e}\u{1b}[31m\u{d}\u{a}X: y") && title.len() < 300,
        "{title}"
    );
    let path = format!("/v1/requests/{}", "%E2%80%AE%1B%0A");
    let refused = alice.get(&path).await.is(404).refuses("request.not_found");
    assert_eq!(refused.body["title"], r"no request \u{202e}\u{1b}\u{a}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reasons_that_could_deceive_are_refused() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let long = "a".repeat(2_001);
    for reason in [
        "",
        "   ",
        "a\u{0}b and more",
        "a\u{1b}[2J and more",
        "a\u{202e}b and more",
        "two\r\nlines",
        &long,
    ] {
        let body = serde_json::json!({ "target": "prod-admin", "duration_s": 3600, "reason": reason });
        let refused = alice.post("/v1/requests", &body).await;
        assert_eq!(refused.status, 400, "{reason:?} {refused}");
        refused.refuses("usage.text");
    }
    assert_eq!(stage.count("request.filed").await, 0);
}
