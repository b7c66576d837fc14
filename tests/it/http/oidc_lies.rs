//! An identity provider that is down, slow, or lies; tokens that it should not have given. Its key is known here, so
//! that it can lie in every way.

use std::time::Instant;

use reqwest::Method;
use serde_json::{Value, json};

use super::caller::Answer;
use super::oidc_house::{Issuer, TERMINAL, Terminal, at, part, with_issuer};
use super::stage::Stage;
use crate::harness::{Browser, Device, RawServer};

#[tokio::test(flavor = "multi_thread")]
async fn honest_issuer_of_our_own_signs_people_in() {
    let (stage, issuer) = with_issuer().await;
    let terminal = Terminal::of(&stage);
    let page = issuer.sign_in(&terminal).await;
    let opened = terminal.brings(&page.brings("code").unwrap()).await.is(201);
    assert_eq!(opened.body["me"]["issuer"], issuer.server.url);
}

/// What the terminal is told when `issuer` is signed in at.
async fn said(stage: &Stage, issuer: &Issuer) -> String {
    let page = issuer.sign_in(&Terminal::of(stage)).await;
    assert_eq!(page.brings("code"), None, "{page:?}");
    page.brings("error").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_18_tokens_that_are_not_for_this_sign_in_are_refused() {
    let (stage, issuer) = with_issuer().await;
    let with = |name: &str, value: Value| {
        let mut claims = issuer.claims();
        claims[name] = value;
        claims
    };
    let now = issuer.claims()["iat"].as_i64().unwrap();
    for (claims, why) in [
        (
            with("nonce", json!("of another sign-in")),
            "it belongs to another sign-in",
        ),
        (with("nonce", Value::Null), "it belongs to another sign-in"),
        (with("iss", json!("https://evil.example")), "another issuer made it"),
        (with("aud", json!("another-client")), "it is for somebody else"),
        (with("aud", Value::Null), "it cannot be read"),
        (with("azp", json!("another-client")), "it is for somebody else"),
        (with("exp", json!(now - 60)), "it has ended, or the clocks differ"),
        (with("exp", Value::Null), "it cannot be read"),
        (
            with("nbf", json!(now + 600)),
            "it is from the future: the clocks differ",
        ),
        (
            with("iat", json!(now + 600)),
            "it is from the future: the clocks differ",
        ),
        (with("sub", json!("")), "it cannot be read"),
    ] {
        issuer.gives(issuer.head(), claims.clone());
        assert_eq!(
            said(&stage, &issuer).await,
            format!("acme: its token is not believed: {why}"),
            "{claims}"
        );
    }
    assert_eq!(stage.count("session.proved").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_18_tokens_that_nobodys_private_key_signed_are_refused() {
    let (stage, issuer) = with_issuer().await;
    let claims = issuer.claims();
    let unsigned = move |alg: &'static str| {
        let claims = claims.clone();
        move |nonce: &str| {
            let mut claims = claims.clone();
            claims["nonce"] = json!(nonce);
            let head = json!({ "alg": alg, "kid": "its key" });
            format!("{}.{}.", part(&head), part(&claims))
        }
    };
    for alg in ["none", "HS256", "ES384"] {
        let token = unsigned(alg);
        issuer.change(|says| says.token = std::sync::Arc::new(token));
        let why = "acme: its token is not believed: it is signed in a way that is not allowed here";
        assert_eq!(said(&stage, &issuer).await, why, "{alg}");
    }
    // another's key under its key's name
    let (other, head, claims) = (Device::new(), issuer.head(), issuer.claims());
    issuer.change(|says| {
        says.token = std::sync::Arc::new(move |nonce| {
            let mut claims = claims.clone();
            claims["nonce"] = json!(nonce);
            other.signs(&head, &claims)
        });
    });
    assert_eq!(
        said(&stage, &issuer).await,
        "acme: its token is not believed: its signature is wrong"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_18_leaked_token_of_the_identity_provider_opens_nothing() {
    let (stage, issuer) = with_issuer().await;
    let mut claims = issuer.claims();
    claims["nonce"] = json!("n");
    let token = issuer.key.signs(&issuer.head(), &claims);
    let nobody = stage.nobody();
    for scheme in ["Bearer", "DPoP"] {
        let call = nobody
            .bare(Method::GET, "/v1/me")
            .header("authorization", format!("{scheme} {token}"));
        assert_eq!(Answer::of(call).await.status, 401);
    }
    let as_code = json!({ "code": token, "verifier": "v", "key_storage": "file" });
    nobody
        .post("/v1/sessions", &as_code)
        .await
        .is(401)
        .refuses("session.code_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_18_answer_of_another_issuer_is_not_exchanged() {
    let (honest, evil) = (Issuer::start(), Issuer::start());
    let stage = Stage::open_with(|settings| {
        settings.sign_in.push(at("honest", &honest.server.url));
        settings.sign_in.push(at("evil", &evil.server.url));
    })
    .await;
    // begun at the one, answered by the other
    let terminal = Terminal::of(&stage);
    let mut browser = Browser::of("ana - -");
    let begun = browser.get(&format!("{}&with=evil", terminal.address())).await;
    let (back, state) = (begun.brings("redirect_uri").unwrap(), begun.brings("state").unwrap());
    assert!(back.ends_with("/sign-in/callback/evil"), "{back}");
    // a code of the honest one, sent on by the evil one with its own state: it comes to the honest one's address
    let theirs = back.replace("evil", "honest");
    let page = browser.get(&format!("{theirs}?state={state}&code=c")).await;
    assert_eq!((page.status, &page.location), (400, &None), "{page:?}");
    let mixed_up = format!("{back}?state={state}&code=c&iss={}", honest.server.url);
    let page = browser.follow(&mixed_up, TERMINAL).await;
    assert_eq!(
        page.brings("error").as_deref(),
        Some("evil: the answer is of another issuer")
    );
    let exchanged = |issuer: &Issuer| issuer.server.requests().iter().any(|line| line.starts_with("POST"));
    assert!(!exchanged(&honest) && !exchanged(&evil));
    // who names themselves must do so
    honest.change(|says| says.discovery["authorization_response_iss_parameter_supported"] = json!(true));
    let begun = browser.get(&format!("{}&with=honest", terminal.address())).await;
    let state = begun.brings("state").unwrap();
    let page = browser
        .follow(&format!("{theirs}?state={state}&code=c"), TERMINAL)
        .await;
    assert_eq!(
        page.brings("error").as_deref(),
        Some("honest: the answer is of another issuer")
    );
    assert!(!exchanged(&honest));
}

#[tokio::test(flavor = "multi_thread")]
async fn issuer_that_lies_about_itself_is_told_in_the_terminal() {
    for (name, value, why) in [
        (
            "issuer",
            json!("http://127.0.0.1:1"),
            "its discovery document is of another issuer",
        ),
        (
            "jwks_uri",
            json!("http://keys.example/k"),
            "its jwks_uri is not encrypted",
        ),
        (
            "token_endpoint",
            json!("ftp://127.0.0.1/t"),
            "its token_endpoint is no https address",
        ),
        (
            "authorization_endpoint",
            json!("javascript:alert(1)"),
            "its authorization_endpoint is no address",
        ),
        ("token_endpoint", json!(7), "its discovery document cannot be read"),
    ] {
        let (stage, issuer) = with_issuer().await;
        issuer.change(|says| says.discovery[name] = value);
        let page = Browser::of("ana - -").get(&Terminal::of(&stage).address()).await;
        assert_eq!(page.status, 303, "{page:?}");
        assert_eq!(page.brings("error"), Some(format!("acme: {why}")), "{page:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn issuer_that_is_down_or_no_issuer_is_told_in_the_terminal() {
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let html = RawServer::answering(200, "text/html", "<html>");
    let failing = RawServer::answering(503, "application/json", "{}");
    let elsewhere = RawServer::redirecting("http://127.0.0.1:1/");
    for (url, why) in [
        (&gone, "it does not answer"),
        (&html.url, "its discovery document cannot be read"),
        (&failing.url, "it answers 503"),
        (&elsewhere.url, "it answers 307"),
    ] {
        let stage = Stage::open_with(|settings| settings.sign_in.push(at("acme", url))).await;
        let page = Browser::of("ana - -").get(&Terminal::of(&stage).address()).await;
        assert_eq!(page.status, 303, "{page:?}");
        let said = page.brings("error").unwrap();
        assert!(said.starts_with(&format!("acme: {why}")), "{said}");
        // the rest of the backend is well
        stage.sign_in("alice").await.get("/v1/me").await.is(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_26_issuer_that_never_answers_is_given_up_once_for_all() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let stage = Stage::open_with(|settings| settings.sign_in.push(at("acme", &url))).await;
    let began = Instant::now();
    let asking: Vec<_> = (0..50)
        .map(|_| {
            let address = Terminal::of(&stage).address();
            tokio::spawn(async move { Browser::of("ana - -").get(&address).await.brings("error") })
        })
        .collect();
    stage.sign_in("alice").await.get("/v1/me").await.is(200);
    assert!(began.elapsed().as_secs() < 4, "others are served meanwhile");
    for asked in asking {
        assert_eq!(
            asked.await.unwrap().as_deref(),
            Some("acme: it does not answer: no answer in time")
        );
    }
    assert!(began.elapsed().as_secs() < 12, "they wait for one call, not for fifty");
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_26_keys_of_fifty_megabytes_are_not_read() {
    let (stage, issuer) = with_issuer().await;
    issuer.change(|says| says.keys = vec![b' '; 50 * 1024 * 1024].into());
    let before = resident_kib();
    assert_eq!(said(&stage, &issuer).await, "acme: its answer is too large");
    let grown = resident_kib().saturating_sub(before);
    // what is sent is in this process too, once more
    assert!(grown < 100 * 1024, "{grown} KiB more");
    // the rest of the backend is well
    stage.sign_in("alice").await.get("/v1/me").await.is(200);
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_26_unknown_keys_cost_their_issuer_two_calls() {
    let (stage, issuer) = with_issuer().await;
    issuer.gives(json!({ "alg": "ES256", "kid": "unknown" }), issuer.claims());
    let stage = std::sync::Arc::new(stage);
    for _ in 0..20 {
        let why = said(&stage, &issuer).await;
        assert_eq!(why, "acme: its token is not believed: no key of its issuer signed it");
    }
    let fetched = issuer
        .server
        .requests()
        .iter()
        .filter(|line| line.starts_with("GET /keys"))
        .count();
    assert_eq!(fetched, 2, "the third within a minute is not asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_18_code_of_a_sign_in_is_exchanged_once() {
    let (stage, issuer) = with_issuer().await;
    let terminal = Terminal::of(&stage);
    let mut browser = Browser::of("ana - -");
    let to_us = issuer.begins(&mut browser, &terminal).await;
    // what only looks spends nothing
    let looked = reqwest::Client::new().head(&to_us).send().await.unwrap();
    assert_eq!(looked.status().as_u16(), 400);
    // a page that is loaded again while it is on its way, and afterwards
    let (mut second, mut third) = (browser.clone(), browser.clone());
    let (first, other) = tokio::join!(browser.get(&to_us), second.get(&to_us));
    let late = third.get(&format!("{to_us}2")).await;
    assert!(first.location.is_some(), "{first:?}");
    assert_eq!(first.location, other.location);
    assert_eq!(first.location, late.location);
    assert_eq!(stage.count("session.proved").await, 0, "nobody has said yes");
    let asked = browser.get(&first.location.unwrap()).await;
    let (mut second, form) = (browser.clone(), asked.form().unwrap());
    let origin = format!("http://{}", stage.address);
    let (first, other) = tokio::join!(browser.press_from(&form, &origin), second.press_from(&form, &origin));
    assert!(first.brings("code").is_some(), "{first:?}");
    assert_eq!(first.location, other.location);
    let exchanges = issuer.server.requests();
    let exchanges = exchanges.iter().filter(|line| line.starts_with("POST")).count();
    assert_eq!((exchanges, stage.count("session.proved").await), (1, 1));
    // its cookie is gone
    assert_eq!(browser.get(&to_us).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn person_without_a_claim_that_is_required_is_not_taken() {
    let issuer = Issuer::start();
    let stage = Stage::open_with(|settings| {
        let mut acme = at("acme", &issuer.server.url);
        acme.provider.require = [("hd".to_owned(), "acme.example".to_owned())].into();
        settings.sign_in.push(acme);
    })
    .await;
    for hd in [json!(null), json!("else.example"), json!(["acme.example"]), json!(true)] {
        let mut claims = issuer.claims();
        claims["hd"] = hd;
        issuer.gives(issuer.head(), claims);
        let why = said(&stage, &issuer).await;
        assert_eq!(
            why,
            "acme: people of whom it says no hd of this company do not sign in here"
        );
    }
    assert_eq!(stage.count("session.proved").await, 0);
    let mut claims = issuer.claims();
    claims["hd"] = json!("acme.example");
    issuer.gives(issuer.head(), claims);
    let terminal = Terminal::of(&stage);
    let page = issuer.sign_in(&terminal).await;
    terminal.brings(&page.brings("code").unwrap()).await.is(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn issuer_that_refuses_the_code_is_told_in_the_terminal() {
    let (stage, issuer) = with_issuer().await;
    issuer.change(|says| says.status = 400);
    assert_eq!(said(&stage, &issuer).await, "acme: it refuses: invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn name_of_a_person_is_text_however_it_is_written() {
    let (stage, issuer) = with_issuer().await;
    let mut claims = issuer.claims();
    claims["preferred_username"] = json!("\u{202e}ana\u{1b}[31m\r\n");
    issuer.gives(issuer.head(), claims.clone());
    let terminal = Terminal::of(&stage);
    let page = issuer.sign_in(&terminal).await;
    let opened = terminal.brings(&page.brings("code").unwrap()).await.is(201);
    assert_eq!(opened.body["me"]["person"]["name"], "ana[31m");
    claims["sub"] = json!("nameless");
    for name in ["preferred_username", "email"] {
        claims[name] = json!("\u{202e} ");
    }
    issuer.gives(issuer.head(), claims);
    let terminal = Terminal::of(&stage);
    let page = issuer.sign_in(&terminal).await;
    let opened = terminal.brings(&page.brings("code").unwrap()).await.is(201);
    assert_eq!(opened.body["me"]["person"]["name"], "nameless");
}
