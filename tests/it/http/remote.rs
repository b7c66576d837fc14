//! Signing in with a code that the person carries from a browser elsewhere, and what it is good for.

use jit::domain::Digest;
use serde_json::{Value, json};

use super::caller::Caller;
use super::oidc_house::{House, Terminal, at, get};
use super::stage::{Stage, eventually, replace_in};
use crate::harness::{Browser, Device, Page};

/// Where a terminal without a browser sends one.
fn address(terminal: &Terminal) -> String {
    terminal.address().replace("&port=9", "")
}

/// The code on the page.
fn code(page: &Page) -> String {
    let (_, rest) = page.text.split_once("<code>").unwrap_or_else(|| panic!("{page:?}"));
    rest.split_once("</code>").unwrap().0.to_owned()
}

/// The page that a browser of `login` ends on.
async fn page(terminal: &Terminal, login: &str) -> Page {
    Browser::of(login).follow(&address(terminal), "nowhere").await
}

/// Has policy count bea among engineers and approvers.
async fn enrol(stage: &Stage, issuer: &str, bea: &Caller) {
    let catalogue = stage.folder().join("policy/security/catalogue.toml");
    for group in ["\"local:carol\"]\n\n[group.payments]", "members = [\"local:bob\"]"] {
        let with = group.replacen("]", &format!(", \"{issuer} bea\"]"), 1);
        replace_in(&catalogue, group, &with);
    }
    eventually("the policy", || async {
        bea.get("/v1/me").await.body["groups"] == json!(["engineering", "payments"])
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn carried_code_signs_its_terminal_in_once() {
    let Some(house) = House::open("carried_code_signs_its_terminal_in_once").await else {
        return;
    };
    let terminal = Terminal::of(&house.stage);
    let page = page(&terminal, "ana pwd,mfa -").await;
    assert_eq!((page.status, &page.location), (200, &None), "{page:?}");
    assert!(page.text.contains("They want to sign in as you"), "{}", page.text);
    assert!(!page.headers.contains_key("refresh") && page.headers["cache-control"] == "no-store");
    let code = code(&page);
    let hash = Digest::of(code.replace('-', "").as_bytes());
    let kept = house
        .stage
        .backend
        .store
        .code_by_hash(hash.as_str())
        .await
        .unwrap()
        .unwrap();
    let left_s = kept.expires_at.since(house.stage.backend.now());
    assert!((200..=300).contains(&left_s), "{left_s}");
    // whoever reads it over a shoulder has neither what the terminal made nor its device
    let guessed = terminal.brings_with(&code, &house.stage.backend.random.secret()).await;
    guessed.is(401).refuses("session.code_invalid");
    let elsewhere = Terminal {
        caller: house.stage.nobody_on(Device::new()),
        verifier: terminal.verifier.clone(),
        state: String::new(),
    };
    elsewhere.brings(&code).await.is(401).refuses("session.code_invalid");
    // as people type
    let typed = code.to_lowercase().replace('-', " ");
    let opened = terminal.brings(&typed).await.is(201).body;
    assert_eq!(opened["me"]["method"], "remote");
    assert!(opened["me"]["mfa_at"].is_string(), "{opened}");
    terminal.brings(&code).await.is(401).refuses("session.code_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_09_code_that_was_carried_asks_and_approves_nothing() {
    let Some(house) = House::open("attack_09_code_that_was_carried_asks_and_approves_nothing").await else {
        return;
    };
    // a link from somebody else's terminal, which bea followed, and whose code she told
    let terminal = Terminal::of(&house.stage);
    let phished = page(&terminal, "bea pwd,mfa -").await;
    let opened = terminal.brings(&code(&phished)).await.is(201).body;
    let bea = Caller {
        token: opened["token"].as_str().map(str::to_owned),
        ..terminal.caller.clone()
    };
    enrol(&house.stage, &house.acme.issuer, &bea).await;
    let alice = house.stage.sign_in("alice").await;
    let filed = alice.file("prod-admin").await;
    let refused = bea.approve(&filed).await.is(403).refuses("policy.refused");
    assert_eq!(refused.body["reasons"][0]["policy"], "base.method");
    assert_eq!(refused.body["step_up"], Value::Null, "no second factor helps");
    bea.file("prod-admin").await;
    // nor does a carried code make a session fresh that was opened beside a browser
    let beside = house.sign_in("bea pwd -").await;
    let session = beside.get("/v1/me").await.body["session"].as_str().unwrap().to_owned();
    let terminal = Terminal {
        caller: beside,
        ..Terminal::of(&house.stage)
    };
    let address = format!("{}&renews={session}", address(&terminal));
    let page = Browser::of("bea pwd,mfa -").get(&address).await;
    assert_eq!((page.status, &page.location), (400, &None), "{page:?}");
    // a session of its own kind goes on with one
    let terminal = Terminal {
        caller: bea.clone(),
        ..Terminal::of(&house.stage)
    };
    let session = opened["me"]["session"].as_str().unwrap();
    // the provider tells whole seconds: within the same one nobody can say that a factor was shown again
    let second = || house.stage.backend.now().millis() / 1000;
    let shown = second();
    eventually("the next second", || async { second() > shown }).await;
    let address = format!("{}&renews={session}", self::address(&terminal));
    let page = Browser::of("bea pwd,mfa -").follow(&address, "nowhere").await;
    let body = json!({ "code": code(&page), "verifier": terminal.verifier });
    bea.post("/v1/sessions/renewal", &body).await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn carrying_a_code_can_be_switched_off() {
    let stage = Stage::open_with(|settings| {
        let mut acme = at("acme", "https://acme.example");
        acme.provider.remote = false;
        settings.sign_in.push(acme);
    })
    .await;
    let methods = get(&stage, "/v1/sign-in-methods").await.is(200).body["methods"].clone();
    assert_eq!(methods[0]["method"], "loopback-pkce");
    assert_eq!(methods[1], json!({ "method": "local" }));
    let page = Browser::of("x").get(&address(&Terminal::of(&stage))).await;
    assert_eq!((page.status, &page.location), (404, &None), "{page:?}");
    assert!(page.text.contains("switched off here"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn person_who_is_refused_there_is_told_on_the_page() {
    let Some(house) = House::open("person_who_is_refused_there_is_told_on_the_page").await else {
        return;
    };
    let page = page(&Terminal::of(&house.stage), "nobody - -").await;
    assert_eq!(page.status, 403, "{page:?}");
    assert!(page.text.contains("acme: it refuses: access_denied"), "{}", page.text);
    assert!(
        !page.text.contains("<code>") && !page.text.contains("<b>"),
        "{}",
        page.text
    );
}
