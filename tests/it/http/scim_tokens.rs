//! Who writes what of a directory: tokens, the groups that are their own, and versions.

use jit::domain::{Digest, Timestamp};
use reqwest::Method;
use serde_json::json;

use super::caller::Answer;
use super::scim::{TOKEN, acme, call, fails, get, house, push, send, with};

#[tokio::test(flavor = "multi_thread")]
async fn attack_11_token_writes_no_group_that_is_not_its_own() {
    let stage = house().await;
    let id = push(&stage, "mallory").await;
    let security = json!({ "displayName": "security", "members": [{ "value": id }] });
    fails(
        &send(&stage, Method::POST, "/scim/v2/Groups", &security).await,
        403,
        None,
    );
    let own = json!({ "displayName": "payments" });
    let own = send(&stage, Method::POST, "/scim/v2/Groups", &own).await.is(201).body;
    let path = format!("/scim/v2/Groups/{}", own["id"].as_str().unwrap());
    for operation in [
        json!({ "op": "replace", "path": "displayName", "value": "security" }),
        json!({ "op": "replace", "value": { "displayName": "Security" } }),
    ] {
        let body = json!({ "Operations": [operation] });
        fails(&send(&stage, Method::PATCH, &path, &body).await, 403, None);
    }
    fails(&send(&stage, Method::PUT, &path, &security).await, 403, None);
    // what was written while the list was longer is not written any more, and counts for nothing
    let body = json!({ "Operations": [{ "op": "add", "path": "members", "value": [{ "value": id }] }] });
    send(&stage, Method::PATCH, &path, &body).await.is(200);
    let mallory = stage.sign_in("mallory").await;
    assert_eq!(mallory.get("/v1/me").await.is(200).body["groups"], json!(["payments"]));
    let (token, device) = (mallory.token.clone(), mallory.device.clone());
    let stage = stage
        .again(|settings| settings.directories.push(acme(&["other"])))
        .await;
    fails(&send(&stage, Method::PATCH, &path, &body).await, 403, None);
    fails(&Answer::of(call(&stage, Method::DELETE, &path)).await, 403, None);
    let mallory = super::caller::Caller {
        token,
        ..stage.nobody_on(device)
    };
    assert_eq!(mallory.get("/v1/me").await.is(200).body["groups"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn token_of_a_directory_counts_here_alone_and_until_its_end() {
    let stage = house().await;
    let bob = stage.sign_in("bob").await;
    let path = "/scim/v2/Users";
    for refused in [
        stage.nobody().bare(Method::GET, path),
        stage.nobody().bare(Method::GET, path).bearer_auth("x".repeat(43)),
        stage.nobody().bare(Method::GET, path).basic_auth("acme", Some(TOKEN)),
        stage
            .nobody()
            .bare(Method::GET, path)
            .header("authorization", format!("DPoP {TOKEN}")),
        stage
            .nobody()
            .bare(Method::GET, path)
            .bearer_auth(bob.token.as_ref().unwrap()),
        bob.call(Method::GET, path),
    ] {
        let refused = Answer::of(refused).await;
        fails(&refused, 401, None);
        assert_eq!(refused.header("www-authenticate"), "Bearer");
    }
    get(&stage, path).await.is(200);
    for path in ["/v1/me", "/v1/requests", "/v1/locks"] {
        get(&stage, path).await.is(401);
    }
    let stage = stage
        .again(|settings| {
            let mut old = acme(&["payments"]);
            old.tokens[0].1 = Timestamp::from_millis(1_000);
            old.tokens
                .push((Digest::of(b"the next token"), Timestamp::from_millis(i64::MAX)));
            settings.directories.push(old);
        })
        .await;
    fails(&get(&stage, path).await, 401, None);
    let next = stage.nobody().bare(Method::GET, path).bearer_auth("the next token");
    Answer::of(next).await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_keep_two_writers_apart() {
    let stage = house().await;
    let path = format!("/scim/v2/Users/{}", push(&stage, "bob").await);
    let body = json!({ "Operations": [{ "op": "replace", "path": "displayName", "value": "Bob" }] });
    let when = |method: Method, header: &str, etag: &str| {
        with(call(&stage, method, &path), &body).header(header.to_owned(), etag.to_owned())
    };
    fails(&Answer::of(when(Method::PATCH, "if-match", "W/\"9\"")).await, 412, None);
    let changed = Answer::of(when(Method::PATCH, "if-match", "W/\"1\"")).await.is(200);
    assert_eq!(
        (changed.header("etag"), &changed.body["meta"]["version"]),
        ("W/\"2\"", &json!("W/\"2\""))
    );
    fails(
        &Answer::of(when(Method::DELETE, "if-match", "W/\"1\"")).await,
        412,
        None,
    );
    // what changes nothing is no new version
    let same = Answer::of(when(Method::PATCH, "if-match", "*")).await.is(200);
    assert_eq!(same.header("etag"), "W/\"2\"");
    let read = call(&stage, Method::GET, &path).header("if-none-match", "W/\"2\"");
    Answer::of(read).await.is(304);
    let both = tokio::join!(
        send(&stage, Method::PATCH, &path, &body),
        Answer::of(with(
            call(&stage, Method::PATCH, &path),
            &json!({ "Operations": [{ "op": "replace", "path": "name.givenName", "value": "B" }] })
        )),
    );
    assert_eq!((both.0.status, both.1.status), (200, 200));
    assert_eq!(get(&stage, &path).await.body["name"]["givenName"], "B");
}

#[tokio::test(flavor = "multi_thread")]
async fn directory_that_calls_too_often_is_told_to_wait() {
    let stage = house().await;
    let mut slowed = None;
    for _ in 0..20_000 {
        let answer = Answer::of(call(&stage, Method::GET, "/scim/v2/ServiceProviderConfig")).await;
        if answer.status == 429 {
            slowed = Some(answer);
            break;
        }
    }
    fails(&slowed.expect("a limit"), 429, None);
}
