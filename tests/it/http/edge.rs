//! What every call passes: who may call, under which host, with which version, and what every answer carries.

use jit::domain::Duration;
use jit::server::routes::{Access, Route, table};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::caller::{Answer, Caller};
use super::stage::Stage;
use crate::harness::Device;

/// A well-formed token that nobody was given.
const UNKNOWN: [u8; 32] = [7; 32];

/// How a call shows who makes it.
type Showing = fn(&Caller, Method, &str) -> RequestBuilder;

/// What a call of every route is answered with, whose body is `{}`.
async fn answers(caller: &Caller) -> Vec<String> {
    answers_to(caller, Caller::call).await
}

async fn answers_to(caller: &Caller, showing: Showing) -> Vec<String> {
    let mut all = Vec::new();
    for route in table() {
        let path = route.path.replace("{id}", "req_000000000000");
        let mut call = showing(caller, route.method.clone(), &path);
        if route.method == Method::POST {
            call = call.json(&json!({}));
        }
        let answer = Answer::of(call).await;
        let code = answer.body["code"].as_str().unwrap_or_default();
        all.push(format!("{} {code}", answer.status));
    }
    all
}

/// With the session's token, and `proof` where there is one.
fn with_proof(caller: &Caller, method: Method, path: &str, proof: Option<String>) -> RequestBuilder {
    let token = caller.token.as_ref().unwrap();
    let call = caller
        .bare(method, path)
        .header("authorization", format!("DPoP {token}"));
    proof.into_iter().fold(call, |call, proof| call.header("dpop", proof))
}

/// Ways in which whoever holds a good token shows that the device is not theirs, with what each is told.
const WAYS: [(&str, &str, Showing); 8] = [
    ("as a bearer", "session.proof", |caller, method, path| {
        caller.bare(method, path).bearer_auth(caller.token.as_ref().unwrap())
    }),
    ("without a proof", "session.proof", |caller, method, path| {
        with_proof(caller, method, path, None)
    }),
    ("with two proofs", "session.proof", |caller, method, path| {
        let proof = |caller: &Caller| caller.proof(&method, &caller.url, path);
        let call = with_proof(caller, method.clone(), path, Some(proof(caller)));
        call.header("dpop", proof(caller))
    }),
    ("with a proof cut short", "session.proof", |caller, method, path| {
        let mut proof = caller.proof(&method, &caller.url, path);
        proof.truncate(proof.len() - 4);
        with_proof(caller, method, path, Some(proof))
    }),
    ("from another device", "session.proof", |caller, method, path| {
        let other = Caller {
            device: Device::new(),
            ..caller.clone()
        };
        let proof = other.proof(&method, &caller.url, path);
        with_proof(caller, method, path, Some(proof))
    }),
    (
        "with a proof for another path",
        "session.proof",
        |caller, method, path| {
            let proof = caller.proof(&method, &caller.url, "/v1/other");
            with_proof(caller, method, path, Some(proof))
        },
    ),
    (
        "with a proof for another backend",
        "session.proof",
        |caller, method, path| {
            let proof = caller.proof(&method, "https://jit.example.com", path);
            with_proof(caller, method, path, Some(proof))
        },
    ),
    (
        "without a nonce of the backend",
        "session.nonce",
        |caller, method, path| {
            let (url, token) = (format!("{}{path}", caller.url), caller.token.as_deref());
            let proof = caller.device.proof(method.as_str(), &url, token, "AAAAAAAAAAA");
            with_proof(caller, method, path, Some(proof))
        },
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn access_of_every_route_is_its_column() {
    let stage = Stage::open().await;
    let ended = stage.sign_in("alice").await;
    Answer::of(ended.call(Method::DELETE, "/v1/sessions")).await.is(204);
    let unknown = jit::wire::token::encode(&UNKNOWN);
    let mut columns = vec![
        ("session.unknown", answers(&stage.nobody()).await),
        (
            "session.unknown",
            answers(&stage.with_token(Some("jits_no-token"))).await,
        ),
        ("session.unknown", answers(&stage.with_token(Some(&unknown))).await),
        ("session.ended", answers(&ended).await),
    ];
    let live = stage.sign_in("bob").await;
    for (_, code, showing) in WAYS {
        columns.push((code, answers_to(&live, showing).await));
    }
    let stage = stage
        .again(|settings| settings.session_life = Duration::from_secs(1).unwrap())
        .await;
    let expired = stage.sign_in("carol").await;
    super::stage::eventually("the end of a session", || async {
        expired.get("/v1/me").await.status == 401
    })
    .await;
    columns.push(("session.ended", answers(&expired).await));
    for (at, route) in table().iter().enumerate() {
        let row: Vec<&str> = columns.iter().map(|(_, column)| column[at].as_str()).collect();
        match route.access {
            Access::SignedIn | Access::People => {
                let wanted: Vec<String> = columns.iter().map(|(code, _)| format!("401 {code}")).collect();
                assert_eq!(row, wanted, "{}", route.path);
            }
            // a proof for opening a session knows no token
            Access::OnDevice => {
                let is_refused = |answer: &str| answer.starts_with("401 session.") || answer == "400 usage.body";
                assert!(row.iter().all(|answer| is_refused(answer)), "{row:?}");
                assert_eq!(row[0], "400 usage.body");
            }
            Access::Admin => {
                let wanted: Vec<String> = columns.iter().map(|(code, _)| format!("401 {code}")).collect();
                assert_eq!(row, wanted, "{}", route.path);
            }
            // SCIM's errors have no codes of ours
            Access::Directory => assert!(row.iter().all(|answer| answer.starts_with("401 ")), "{row:?}"),
            Access::Anyone => assert!(row.iter().all(|a| *a == row[0] && !a.starts_with("401")), "{row:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_say_how_to_come_again() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let without = with_proof(&alice, Method::GET, "/v1/me", None);
    let refused = Answer::of(without).await.is(401);
    let wrong = "DPoP error=\"invalid_dpop_proof\", algs=\"ES256\"";
    assert_eq!(refused.header("www-authenticate"), wrong);
    let nobody = stage.nobody().get("/v1/me").await.is(401);
    assert_eq!(nobody.header("www-authenticate"), "DPoP algs=\"ES256\"");
    let ended = stage.sign_in("alice").await;
    Answer::of(ended.call(Method::DELETE, "/v1/sessions")).await.is(204);
    let over = ended.get("/v1/me").await.is(401).refuses("session.ended");
    assert_eq!(
        over.header("www-authenticate"),
        "DPoP error=\"invalid_token\", algs=\"ES256\""
    );
    // whoever found its token is not told that
    let found = with_proof(&ended, Method::GET, "/v1/me", None);
    Answer::of(found).await.is(401).refuses("session.proof");
    let (_, _, without_nonce) = WAYS[7];
    let refused = Answer::of(without_nonce(&alice, Method::GET, "/v1/me")).await.is(401);
    assert_eq!(
        refused.header("www-authenticate"),
        "DPoP error=\"use_dpop_nonce\", algs=\"ES256\""
    );
    let url = format!("{}/v1/me", alice.url);
    let proof = alice
        .device
        .proof("GET", &url, alice.token.as_deref(), refused.header("dpop-nonce"));
    let call = with_proof(&alice, Method::GET, "/v1/me", Some(proof));
    let again = Answer::of(call.try_clone().unwrap()).await.is(200);
    assert_ne!(again.header("dpop-nonce"), "");
    Answer::of(call).await.is(401).refuses("session.proof");
}

#[tokio::test(flavor = "multi_thread")]
async fn table_of_routes_is_as_committed() {
    let lines: Vec<String> = table()
        .iter()
        .map(|route| {
            let alone = if route.unattended { ", unattended" } else { "" };
            format!(
                "{:6} {:30} {:?}{alone}",
                route.method.as_str(),
                route.path,
                route.access
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn session_that_lives_is_let_in_everywhere() {
    let stage = Stage::open().await;
    let elsewhere = [Access::OnDevice, Access::Directory];
    let signed_in = |(_, route): &(usize, &Route)| !elsewhere.contains(&route.access);
    for (at, route) in table().iter().enumerate().filter(signed_in) {
        let alice = stage.sign_in("alice").await;
        let answer = &answers(&alice).await[at];
        // the table signs out on its way
        let is_after = answer.contains("session.ended");
        assert!(is_after || !answer.starts_with("401"), "{} {answer}", route.path);
        if at == 0 {
            assert!(
                alice.get("/v1/me").await.status == 401,
                "signed out by DELETE /v1/sessions"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_of_admins_are_for_admins_alone() {
    let stage = Stage::open().await;
    let (alice, carol) = (stage.sign_in("alice").await, stage.sign_in("carol").await);
    let (of_alice, of_carol) = (answers(&alice).await, answers(&carol).await);
    for (at, route) in table()
        .iter()
        .enumerate()
        .filter(|(_, route)| route.access == Access::Admin)
    {
        // the table signs out on its way: each is asked anew
        assert_eq!(
            (&*of_alice[at], &*of_carol[at]),
            ("401 session.ended", "401 session.ended")
        );
        for (name, is_refused) in [("alice", true), ("bob", true), ("carol", false)] {
            let caller = stage.sign_in(name).await;
            let path = route.path.replace("{id}", "ses_000000000000");
            let mut call = caller.call(route.method.clone(), &path);
            if route.method == Method::POST {
                call = call.json(&json!({}));
            }
            let answer = Answer::of(call).await;
            let forbidden = answer.status == 403 && answer.body["code"] == "access.forbidden";
            assert_eq!(forbidden, is_refused, "{name} {path} {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_guarded_as_get_is() {
    let stage = Stage::open().await;
    for route in table().iter().filter(|route| route.method == Method::GET) {
        let path = route.path.replace("{id}", "req_000000000000");
        let status = Answer::of(stage.nobody().call(Method::HEAD, &path)).await.status;
        let closed = [Access::SignedIn, Access::People, Access::Admin, Access::Directory];
        let is_closed = closed.contains(&route.access);
        assert_eq!(status == 401, is_closed, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_and_methods_are_problems() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    for path in [
        "/",
        "/v1",
        "/v1/request",
        "/v2/me",
        "/v1/requests/a/b/c",
        "/v1/me/",
        "//v1/me",
    ] {
        alice.get(path).await.is(404).refuses("path.not_found");
    }
    for (method, path) in [
        (Method::PUT, "/v1/requests"),
        (Method::POST, "/v1/me"),
        (Method::TRACE, "/livez"),
    ] {
        let refused = Answer::of(alice.call(method, path)).await.is(405);
        assert!(!refused.header("allow").is_empty(), "{path} says what it allows");
        refused.refuses("method.not_allowed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_version_and_request_id() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    for path in [
        "/livez",
        "/readyz",
        "/v1/me",
        "/v1/requests/none",
        "/nowhere",
        "/v1/targets?x=%ff",
    ] {
        let answer = alice.get(path).await;
        assert_eq!(answer.header("jit-version"), jit::wire::VERSION, "{path}");
        assert_eq!(answer.header("x-request-id").len(), 32, "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn request_id_is_taken_where_it_is_well_formed() {
    let stage = Stage::open().await;
    let call = |id: &str| {
        stage
            .nobody()
            .call(Method::GET, "/v1/me")
            .header("x-request-id", id.to_owned())
    };
    let taken = Answer::of(call("0af7651916cd43dd-8448eb"))
        .await
        .refuses("session.unknown");
    assert_eq!(taken.header("x-request-id"), "0af7651916cd43dd-8448eb");
    let long = "a".repeat(65);
    for bad in [
        "short",
        long.as_str(),
        "has space in it",
        "semi;colon=injected",
        "<b>bold</b>",
    ] {
        let replaced = Answer::of(call(bad)).await.refuses("session.unknown");
        assert_eq!(replaced.header("x-request-id").len(), 32, "{bad}");
    }
    let head =
        "GET /livez HTTP/1.1\r\nHost: ADDRESS\r\nConnection: close\r\nX-Request-Id: aaaaaaaa\rSet-Cookie: x=1\r\n\r\n";
    let answer = stage.raw(head.replace("ADDRESS", &stage.address.to_string())).await;
    assert!(!answer.to_lowercase().contains("set-cookie"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_too_far_apart_get_426() {
    let stage = Stage::open().await;
    let call = |version: &str| {
        stage
            .nobody()
            .call(Method::GET, "/livez")
            .header("jit-version", version.to_owned())
    };
    for good in [jit::wire::VERSION, "0.1.99", "0.99.0"] {
        Answer::of(call(good)).await.is(200);
    }
    let long = "9".repeat(4_000);
    for bad in ["1.0.0", "99.0.0", "", "x", "0.18446744073709551616.0", long.as_str()] {
        let refused = Answer::of(call(bad)).await.is(426).refuses("version.too_old");
        assert!(refused.body["title"].as_str().unwrap().len() < 300, "{refused}");
    }
    Answer::of(call("0.18446744073709551615.0")).await.is(200);
}
