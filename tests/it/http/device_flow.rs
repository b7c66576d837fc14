//! Signing a machine in that has no browser: what it asks, what a person is asked, and what neither gets without the other.

use jit::domain::Digest;
use jit::server::settings::DirectorySettings;
use reqwest::Method;
use serde_json::{Value, json};

use super::caller::{Answer, Caller};
use super::oidc_house::{House, Terminal, at, get};
use super::scim::{acme, send};
use super::stage::{Stage, eventually, replace_in};
use crate::harness::{Browser, Device, Page};

async fn house(test: &str) -> Option<House> {
    House::open_with(test, |settings, _| settings.sign_in[0].provider.device = true).await
}

/// A machine that asks, and what it was told.
async fn asks(stage: &Stage) -> (Terminal, Value) {
    let terminal = Terminal::of(stage);
    let challenge = jit::server::identity::relying_party::challenge(&terminal.verifier);
    let body = json!({ "challenge": challenge, "machine": "build-7\u{202e}" });
    let told = terminal.caller.post("/v1/device-sign-ins", &body).await.is(201).body;
    (terminal, told)
}

async fn polls(terminal: &Terminal, told: &Value) -> Answer {
    terminal.brings(told["device_code"].as_str().unwrap()).await
}

/// What a hidden field of the page holds.
fn field(page: &Page, name: &str) -> String {
    let (_, rest) = page
        .text
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap_or_else(|| panic!("{page:?}"));
    rest.split_once('"').unwrap().0.to_owned()
}

/// Types `code` into the page for codes: the page that follows.
async fn types(browser: &mut Browser, url: &str, code: &str) -> Page {
    let page = browser.get(&format!("{url}/device")).await;
    let token = field(&page, "token");
    browser
        .post(&format!("{url}/device"), &[("token", &token), ("code", code)])
        .await
}

/// Goes from the page that names the machine to the one that asks whether it is theirs.
async fn signs_in(browser: &mut Browser, url: &str) -> Page {
    browser
        .until_asked(&format!("{url}/device/sign-in?with=acme"), "nowhere")
        .await
}

async fn says(browser: &mut Browser, url: &str, page: &Page, answer: &str) -> Page {
    let (state, token) = (field(page, "state"), field(page, "token"));
    let fields = [("state", &*state), ("token", &*token), ("answer", answer)];
    browser.post(&format!("{url}/device/answer"), &fields).await
}

/// Whoever `login` says signs the machine in.
async fn signed_in(stage: &Stage, login: &str) -> Caller {
    let (terminal, told) = asks(stage).await;
    let (mut browser, url) = (Browser::of(login), terminal.caller.url.clone());
    types(&mut browser, &url, told["user_code"].as_str().unwrap()).await;
    let page = signs_in(&mut browser, &url).await;
    says(&mut browser, &url, &page, "yes").await;
    let opened = polls(&terminal, &told).await.is(201).body;
    Caller {
        token: opened["token"].as_str().map(str::to_owned),
        ..terminal.caller
    }
}

/// Has policy count bea among engineers and approvers.
async fn enrol(house: &House, bea: &Caller) {
    let catalogue = house.stage.folder().join("policy/security/catalogue.toml");
    for group in ["\"local:carol\"]\n\n[group.payments]", "members = [\"local:bob\"]"] {
        let with = group.replacen("]", &format!(", \"{} bea\"]", house.acme.issuer), 1);
        replace_in(&catalogue, group, &with);
    }
    eventually("the policy", || async {
        bea.get("/v1/me").await.body["groups"] == json!(["engineering", "payments"])
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn machine_is_signed_in_once_somebody_says_that_it_is_theirs() {
    let Some(house) = house("machine_is_signed_in_once_somebody_says_that_it_is_theirs").await else {
        return;
    };
    let (terminal, told) = asks(&house.stage).await;
    let url = terminal.caller.url.clone();
    assert_eq!(
        (&told["page"], &told["expires_in_s"], &told["interval_s"]),
        (&json!(format!("{url}/device")), &json!(300), &json!(5))
    );
    polls(&terminal, &told).await.is(401).refuses("session.pending");
    let slow = polls(&terminal, &told).await.is(429).refuses("rate.limited");
    assert_eq!(slow.header("retry-after"), "10");
    let mut browser = Browser::of("ana pwd,mfa -");
    let typed = told["user_code"].as_str().unwrap().to_lowercase();
    let page = types(&mut browser, &url, &typed).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(
        page.text.contains("It called from 127.0.0.1, ") && page.text.contains("It calls itself build-7, "),
        "{}",
        page.text
    );
    let page = signs_in(&mut browser, &url).await;
    assert!(page.text.contains("Yes, sign it in as ana (acme)"), "{}", page.text);
    // the identity provider's code stands in no address, and the page may be loaded again
    assert!(page.address.contains("/sign-in/confirm?state="), "{page:?}");
    let again = browser.get(&page.address).await;
    assert!(
        again.status == 200 && again.text.contains("Yes, sign it in as ana"),
        "{again:?}"
    );
    let rules = page.headers["content-security-policy"].to_str().unwrap();
    assert!(rules.contains("form-action 'self'"), "{rules}");
    // signing in alone is not a yes
    assert_eq!(house.stage.count("session.proved").await, 0);
    let done = says(&mut browser, &url, &page, "yes").await;
    assert_eq!(done.status, 200, "{done:?}");
    let hash = Digest::of(told["device_code"].as_str().unwrap().replace('-', "").as_bytes());
    let kept = house
        .stage
        .backend
        .store
        .code_by_hash(hash.as_str())
        .await
        .unwrap()
        .unwrap();
    let left_s = kept.expires_at.since(house.stage.backend.now());
    assert!((60..=120).contains(&left_s), "{left_s}");
    assert!(browser.cookies.iter().all(|(name, _)| name != "jit-device-signed-in"));
    // twice is once; a "no" that comes too late says what to do; nor is it signed in by another page of ours
    let twice = says(&mut browser, &url, &page, "yes").await;
    assert_eq!((twice.status, &twice.text), (200, &done.text));
    let late = says(&mut browser, &url, &page, "no").await;
    assert!(
        late.text.contains("is signed in already") && late.text.contains("jit logout --everywhere"),
        "{late:?}"
    );
    assert_eq!(browser.get(&page.address).await.text, done.text);
    assert_eq!(house.stage.count("session.proved").await, 1);
    let opened = polls(&terminal, &told).await.is(201).body;
    assert_eq!(
        (&opened["me"]["method"], &opened["me"]["person"]["name"]),
        (&json!("device"), &json!("ana"))
    );
    assert!(opened["me"]["mfa_at"].is_string(), "{opened}");
    polls(&terminal, &told).await.is(401).refuses("session.code_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_09_machine_that_was_signed_in_asks_and_approves_nothing() {
    let Some(house) = house("attack_09_machine_that_was_signed_in_asks_and_approves_nothing").await else {
        return;
    };
    let bea = signed_in(&house.stage, "bea pwd,mfa -").await;
    enrol(&house, &bea).await;
    let filed = house.stage.sign_in("alice").await.file("prod-admin").await;
    let refused = bea.approve(&filed).await.is(403).refuses("policy.refused");
    assert_eq!(refused.body["reasons"][0]["policy"], "base.method");
    bea.file("prod-admin").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn machine_is_asked_for_no_second_factor() {
    let Some(house) = house("machine_is_asked_for_no_second_factor").await else {
        return;
    };
    let bea = signed_in(&house.stage, "bea pwd -").await;
    let rules = house.stage.folder().join("policy/security/00-baseline.cedar");
    replace_in(
        &rules,
        "\"loopback-pkce\"].contains",
        "\"loopback-pkce\", \"device\"].contains",
    );
    enrol(&house, &bea).await;
    let filed = house.stage.sign_in("alice").await.file("prod-admin").await;
    // nobody is there who could show one
    let refused = bea.approve(&filed).await.is(403).refuses("policy.refused");
    assert_eq!(refused.body["reasons"][0]["policy"], "base.mfa-fresh");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_09_nobody_is_led_past_the_code_and_the_question() {
    let Some(house) = house("attack_09_nobody_is_led_past_the_code_and_the_question").await else {
        return;
    };
    let (terminal, told) = asks(&house.stage).await;
    let (url, code) = (terminal.caller.url.clone(), told["user_code"].as_str().unwrap());
    // no address carries the code, and no page elsewhere types it
    for path in [
        format!("/device?code={code}"),
        format!("/device?user_code={code}"),
        format!("/device/sign-in?with=acme&code={code}"),
    ] {
        let page = Browser::of("ana pwd -")
            .until_asked(&format!("{url}{path}"), "nowhere")
            .await;
        assert!(!page.text.contains("calls itself"), "{path}: {}", page.text);
    }
    let mut victim = Browser::of("ana pwd,mfa -");
    let forged = [("token", "guessed"), ("code", code)];
    let page = victim.post(&format!("{url}/device"), &forged).await;
    assert_eq!(page.status, 400, "{page:?}");
    assert!(!page.text.contains("calls itself"), "{}", page.text);
    let page = victim.get(&format!("{url}/device/sign-in?with=acme")).await;
    assert_eq!((page.status, &page.location), (400, &None), "{page:?}");
    // she typed it after all: a yes needs her page, and her cookie
    types(&mut victim, &url, code).await;
    let page = signs_in(&mut victim, &url).await;
    let state = field(&page, "state");
    let forged = [("state", &*state), ("token", "guessed"), ("answer", "yes")];
    assert_eq!(
        victim
            .clone()
            .post(&format!("{url}/device/answer"), &forged)
            .await
            .status,
        400
    );
    let other = says(&mut Browser::of("x"), &url, &page, "yes").await;
    assert_eq!(other.status, 400, "{other:?}");
    // and she may say no
    let mut second = victim.clone();
    assert_eq!(says(&mut victim, &url, &page, "no").await.status, 200);
    let late = says(&mut second, &url, &page, "yes").await;
    assert!(late.text.contains("The machine is not signed in"), "{late:?}");
    polls(&terminal, &told).await.is(401).refuses("session.denied");
    assert_eq!(house.stage.count("session.proved").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_of_a_machine_is_for_its_device_alone() {
    let Some(house) = house("code_of_a_machine_is_for_its_device_alone").await else {
        return;
    };
    let (terminal, told) = asks(&house.stage).await;
    let url = terminal.caller.url.clone();
    let mut browser = Browser::of("ana pwd -");
    types(&mut browser, &url, told["user_code"].as_str().unwrap()).await;
    let page = signs_in(&mut browser, &url).await;
    let mut second = browser.clone();
    let (first, other) = tokio::join!(
        says(&mut browser, &url, &page, "yes"),
        says(&mut second, &url, &page, "yes")
    );
    assert_eq!((first.status, &first.text), (200, &other.text));
    assert_eq!(house.stage.count("session.proved").await, 1, "once");
    let elsewhere = Terminal {
        caller: house.stage.nobody_on(Device::new()),
        verifier: terminal.verifier.clone(),
        state: String::new(),
    };
    polls(&elsewhere, &told).await.is(401).refuses("session.code_invalid");
    let guessed = Terminal {
        caller: terminal.caller.clone(),
        ..Terminal::of(&house.stage)
    };
    polls(&guessed, &told).await.is(401).refuses("session.code_invalid");
    polls(&terminal, &told).await.is(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_are_not_signed_in_unless_switched_on() {
    let stage = Stage::open_with(|settings| settings.sign_in.push(at("acme", "https://acme.example"))).await;
    let ways = get(&stage, "/v1/sign-in-methods").await.is(200).body["methods"].clone();
    assert!(
        ways.as_array().unwrap().iter().all(|way| way["method"] != "device"),
        "{ways}"
    );
    let challenge = "c".repeat(43);
    let body = json!({ "challenge": challenge, "machine": "m" });
    let nobody = stage.nobody();
    nobody
        .post("/v1/device-sign-ins", &body)
        .await
        .is(404)
        .refuses("path.not_found");
    let page = Browser::of("x").get(&format!("{}/device", nobody.url)).await;
    assert_eq!(page.status, 404, "{page:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_codes_and_bodies_are_slowed_down_and_refused() {
    let stage = Stage::open_with(|settings| {
        let mut party = at("acme", "https://acme.example");
        party.provider.device = true;
        settings.sign_in.push(party);
    })
    .await;
    let nobody = stage.nobody();
    let body = json!({ "challenge": "short", "machine": "m" });
    nobody
        .post("/v1/device-sign-ins", &body)
        .await
        .is(400)
        .refuses("usage.body");
    let bare = nobody.bare(Method::POST, "/v1/device-sign-ins").json(&body);
    Answer::of(bare).await.is(401).refuses("session.proof");
    let mut browser = Browser::of("x");
    for _ in 0..5 {
        let page = types(&mut browser, &nobody.url, "BCDF-GHJK").await;
        assert!(page.text.contains("No machine waits for that code"), "{}", page.text);
    }
    let page = types(&mut browser, &nobody.url, "BCDF-GHJK").await;
    assert!(page.text.contains("Too many wrong codes"), "{}", page.text);
    let odd = browser
        .post(&format!("{}/device", nobody.url), &[("x", "<script>")])
        .await;
    assert_eq!(odd.status, 400, "{odd:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn yes_that_was_not_stored_may_be_said_again() {
    let test = "yes_that_was_not_stored_may_be_said_again";
    let house = House::open_with(test, |settings, issuer| {
        settings.sign_in[0].provider.device = true;
        settings.directories.push(DirectorySettings {
            issuer: issuer.to_owned(),
            ..acme(&["payments"])
        });
    });
    let Some(house) = house.await else { return };
    let ana = json!({ "userName": "ana", "externalId": "ana", "active": false });
    let pushed = send(&house.stage, Method::POST, "/scim/v2/Users", &ana)
        .await
        .is(201)
        .body;
    let (terminal, told) = asks(&house.stage).await;
    let (mut browser, url) = (Browser::of("ana pwd -"), terminal.caller.url.clone());
    types(&mut browser, &url, told["user_code"].as_str().unwrap()).await;
    let page = signs_in(&mut browser, &url).await;
    let left = says(&mut browser, &url, &page, "yes").await;
    assert!(left.text.contains("your directory says that you have left"), "{left:?}");
    polls(&terminal, &told).await.is(401).refuses("session.pending");
    let back = json!({ "Operations": [{ "op": "replace", "value": { "active": true } }] });
    let path = format!("/scim/v2/Users/{}", pushed["id"].as_str().unwrap());
    send(&house.stage, Method::PATCH, &path, &back).await.is(200);
    let page = signs_in(&mut browser, &url).await;
    assert_eq!(says(&mut browser, &url, &page, "yes").await.status, 200);
    polls(&terminal, &told).await.is(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn name_of_a_machine_is_cut() {
    let stage = Stage::open_with(|settings| {
        let mut party = at("acme", "https://acme.example");
        party.provider.device = true;
        settings.sign_in.push(party);
    })
    .await;
    let terminal = Terminal::of(&stage);
    let body = json!({ "challenge": terminal.challenge(), "machine": "m".repeat(10_000) });
    let told = terminal.caller.post("/v1/device-sign-ins", &body).await.is(201).body;
    let mut browser = Browser::of("x");
    let page = types(&mut browser, &terminal.caller.url, told["user_code"].as_str().unwrap()).await;
    let says = format!("calls itself {}, and ", "m".repeat(64));
    assert!(page.text.contains(&says), "{}", page.text);
}
