//! Signing in at a real identity provider through a browser: who one is then, and what cannot be had twice.

use jit::domain::SignInMethod;
use jit::server::settings::{DirectorySettings, Settings};
use reqwest::Method;
use serde_json::{Value, json};

use super::caller::Answer;
use super::oidc_house::{House, TERMINAL, Terminal, at, get};
use super::scim::{acme, send};
use super::stage::Stage;
use crate::harness::{Browser, Device};

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_at_an_identity_provider_says_who_and_how() {
    let Some(house) = House::open("sign_in_at_an_identity_provider_says_who_and_how").await else {
        return;
    };
    let ana = house.sign_in("ana pwd,mfa -").await;
    let me = ana.get("/v1/me").await.is(200).body;
    assert_eq!((&me["person"]["name"], &me["subject"]), (&json!("ana"), &json!("ana")));
    assert_eq!(
        (&me["issuer"], &me["method"]),
        (&json!(house.acme.issuer), &json!("loopback-pkce"))
    );
    assert!(me["mfa_at"].is_string(), "{me}");
    // again, on another device: the same person
    let again = house.sign_in("ana pwd -").await.get("/v1/me").await.is(200).body;
    assert_eq!(again["person"], me["person"]);
    assert_eq!(again["mfa_at"], Value::Null, "one factor is no second");
    let by_acr = house
        .sign_in("bea - urn:acme:two")
        .await
        .get("/v1/me")
        .await
        .is(200)
        .body;
    assert!(by_acr["mfa_at"].is_string(), "{by_acr}");
    assert_ne!(by_acr["person"], me["person"]);
    let proved = house.stage.evidence().await;
    let proved = proved.iter().find(|line| line.kind == "session.proved").unwrap();
    let details = &proved.payload.as_ref().unwrap()["details"];
    assert_eq!(
        (&details["with"], &details["amr"]),
        (&json!("acme"), &json!(["pwd", "mfa"]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_say_where_people_sign_in() {
    let stage = Stage::open_with(|settings| {
        settings.sign_in.push(at("acme", "https://acme.example"));
        settings.sign_in.push(at("partners", "https://partners.example"));
    })
    .await;
    let methods = get(&stage, "/v1/sign-in-methods").await.is(200).body["methods"].clone();
    assert_eq!(
        methods,
        json!([
            { "method": "loopback-pkce", "name": "acme", "issuer": "https://acme.example" },
            { "method": "remote", "name": "acme", "issuer": "https://acme.example" },
            { "method": "loopback-pkce", "name": "partners", "issuer": "https://partners.example" },
            { "method": "remote", "name": "partners", "issuer": "https://partners.example" },
            { "method": "local" },
        ])
    );
    // which of them, the person says on a page
    let terminal = Terminal::of(&stage);
    let page = Browser::of("ana - -").get(&terminal.address()).await;
    assert_eq!(page.status, 200, "{page:?}");
    for name in ["acme", "partners"] {
        assert!(
            page.text
                .contains(&format!("<a href=\"/sign-in?with={name}&amp;challenge=")),
            "{}",
            page.text
        );
    }
    let none = Browser::of("ana - -")
        .get(&format!("{}&with=nobody", terminal.address()))
        .await;
    assert_eq!(none.status, 404, "{none:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_11_same_mail_and_groups_of_another_issuer_join_nobody() {
    let Some(house) = House::open("attack_11_same_mail_and_groups_of_another_issuer_join_nobody").await else {
        return;
    };
    // `carol` of this backend is security; theirs has her name, her mail, and says `groups: ["security"]`
    let own = house.stage.sign_in("carol").await.get("/v1/me").await.is(200).body;
    let theirs = house.sign_in("carol pwd,mfa -").await;
    let me = theirs.get("/v1/me").await.is(200).body;
    assert_eq!((&me["person"]["name"], &me["groups"]), (&json!("carol"), &json!([])));
    assert_ne!(me["person"]["id"], own["person"]["id"]);
    // and she sees and decides nothing
    let alice = house.stage.sign_in("alice").await;
    let filed = alice.file("prod-admin").await;
    let refused = theirs.approve(&filed).await;
    assert!(matches!(refused.status, 403 | 404), "{refused}");
    assert_eq!(theirs.get("/v1/targets").await.is(200).body["targets"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_the_catalogue_are_known_by_issuer_and_subject() {
    let Some(house) = House::open("members_of_the_catalogue_are_known_by_issuer_and_subject").await else {
        return;
    };
    let ana = house.sign_in("ana pwd -").await;
    let catalogue = house.stage.folder().join("policy/security/catalogue.toml");
    let member = format!("\"local:alice\", \"{} ana\"", house.acme.issuer);
    super::stage::replace_in(&catalogue, "\"local:alice\"", &member);
    super::stage::eventually("the policy", || async {
        ana.get("/v1/me").await.body["groups"] == json!(["engineering"])
    })
    .await;
    ana.file("prod-admin").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_18_code_counts_once_for_its_terminal_on_its_device() {
    let Some(house) = House::open("attack_18_code_counts_once_for_its_terminal_on_its_device").await else {
        return;
    };
    let terminal = Terminal::of(&house.stage);
    let code = Browser::of("ana pwd -").follow(&terminal.address(), TERMINAL).await;
    let code = code.brings("code").unwrap();
    // without the verifier, with another, from another device
    let bare = json!({ "code": code, "key_storage": "file" });
    let bare = terminal.caller.post("/v1/sessions", &bare).await;
    bare.is(401).refuses("session.code_invalid");
    let other = terminal.brings_with(&code, &house.stage.backend.random.secret()).await;
    other.is(401).refuses("session.code_invalid");
    let elsewhere = Terminal {
        caller: house.stage.nobody_on(Device::new()),
        verifier: terminal.verifier.clone(),
        state: String::new(),
    };
    elsewhere.brings(&code).await.is(401).refuses("session.code_invalid");
    terminal.brings(&code).await.is(201);
    terminal.brings(&code).await.is(401).refuses("session.code_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_18_answer_of_the_identity_provider_counts_once_in_its_browser() {
    let Some(house) = House::open("attack_18_answer_of_the_identity_provider_counts_once_in_its_browser").await else {
        return;
    };
    let (terminal, mut browser) = (Terminal::of(&house.stage), Browser::of("ana pwd -"));
    let back = format!("{}/sign-in/callback/acme", terminal.caller.url);
    let to_us = browser.follow(&terminal.address(), &back).await.location.unwrap();
    // in another browser: somebody was given a link
    let theirs = Browser::of("mallory pwd -").get(&to_us).await;
    assert_eq!((theirs.status, &theirs.location), (400, &None), "{theirs:?}");
    assert!(theirs.text.contains("was not begun in this browser"), "{}", theirs.text);
    let page = browser.follow(&to_us, TERMINAL).await;
    assert!(page.brings("code").is_some(), "{page:?}");
    // the cookie is gone
    assert_eq!(browser.get(&to_us).await.status, 400);
    assert_eq!(house.stage.count("session.proved").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_sign_two_terminals_in() {
    let Some(house) = House::open("two_tabs_sign_two_terminals_in").await else {
        return;
    };
    let (one, two) = (Terminal::of(&house.stage), Terminal::of(&house.stage));
    let mut browser = Browser::of("ana pwd -");
    let back = format!("{}/sign-in/callback/acme", one.caller.url);
    let to_one = browser.follow(&one.address(), &back).await.location.unwrap();
    let to_two = browser.follow(&two.address(), &back).await.location.unwrap();
    let asked = browser.until_asked(&to_two, TERMINAL).await;
    let first = browser.follow(&to_one, TERMINAL).await;
    let second = browser.press(&asked).await;
    assert_eq!(first.brings("state").as_deref(), Some(one.state.as_str()));
    assert_eq!(second.brings("state").as_deref(), Some(two.state.as_str()));
    one.brings(&first.brings("code").unwrap()).await.is(201);
    two.brings(&second.brings("code").unwrap()).await.is(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn person_who_is_refused_there_is_told_in_the_terminal() {
    let Some(house) = House::open("person_who_is_refused_there_is_told_in_the_terminal").await else {
        return;
    };
    let terminal = Terminal::of(&house.stage);
    let page = Browser::of("nobody - -").follow(&terminal.address(), TERMINAL).await;
    assert_eq!(page.brings("code"), None);
    assert_eq!(page.brings("error").as_deref(), Some("acme: it refuses: access_denied"));
    assert_eq!(page.brings("state"), Some(terminal.state));
}

#[tokio::test(flavor = "multi_thread")]
async fn person_who_left_the_directory_is_told_in_the_terminal() {
    let test = "person_who_left_the_directory_is_told_in_the_terminal";
    let pushed_by = |settings: &mut Settings, issuer: &str| {
        let issuer = issuer.to_owned();
        settings.directories.push(DirectorySettings { issuer, ..acme(&["*"]) });
    };
    let Some(house) = House::open_with(test, pushed_by).await else {
        return;
    };
    let ana = house.sign_in("ana pwd,mfa -").await;
    let waiting = Terminal::of(&house.stage);
    let page = Browser::of("ana pwd,mfa -").follow(&waiting.address(), TERMINAL).await;
    let code = page.brings("code").unwrap();
    let gone = json!({ "userName": "ana@acme.example", "externalId": "ana", "active": false });
    send(&house.stage, Method::POST, "/scim/v2/Users", &gone).await.is(201);
    ana.get("/v1/me").await.is(401).refuses("session.ended");
    // neither by the code that was on its way, nor by another one: the identity provider knows her still
    waiting.brings(&code).await.is(403).refuses("access.forbidden");
    let terminal = Terminal::of(&house.stage);
    let page = Browser::of("ana pwd,mfa -").follow(&terminal.address(), TERMINAL).await;
    assert_eq!(page.brings("code"), None);
    let told = "acme: your directory says that you have left";
    assert_eq!(page.brings("error").as_deref(), Some(told));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_rotate_in_the_middle_of_a_sign_in_are_fetched_anew() {
    let Some(house) = House::open("keys_that_rotate_in_the_middle_of_a_sign_in_are_fetched_anew").await else {
        return;
    };
    // its keys as they were are known
    house.sign_in("bea pwd -").await;
    let terminal = Terminal::of(&house.stage);
    let mut browser = Browser::of("ana pwd -");
    let back = format!("{}/sign-in/callback/acme", terminal.caller.url);
    let to_us = browser.follow(&terminal.address(), &back).await.location.unwrap();
    browser.get(&format!("{}/test/rotate", house.acme.issuer)).await;
    let page = browser.follow(&to_us, TERMINAL).await;
    terminal.brings(&page.brings("code").unwrap()).await.is(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn person_from_an_identity_provider_approves_in_a_browser_method() {
    assert_eq!(SignInMethod::LoopbackPkce.as_str(), "loopback-pkce");
    let Some(house) = House::open("person_from_an_identity_provider_approves_in_a_browser_method").await else {
        return;
    };
    let catalogue = house.stage.folder().join("policy/security/catalogue.toml");
    let member = format!("\"local:bob\", \"{} bea\"", house.acme.issuer);
    super::stage::replace_in(&catalogue, "\"local:bob\"]", &format!("{member}]"));
    let bea = house.sign_in("bea pwd,mfa -").await;
    super::stage::eventually("the policy", || async {
        bea.get("/v1/me").await.body["groups"]
            .as_array()
            .is_some_and(|groups| groups.contains(&json!("payments")))
    })
    .await;
    let alice = house.stage.sign_in("alice").await;
    let filed = alice.file("prod-admin").await;
    bea.approve(&filed).await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_for_browsers_let_nothing_run_and_keep_nothing() {
    let stage = Stage::open().await;
    for path in [
        "/sign-in",
        "/sign-in?challenge=x&device=y&port=1&state=z",
        "/sign-in?challenge=x&challenge=x",
        "/sign-in?<script>alert(1)</script>=1",
        "/sign-in/callback/acme",
        "/sign-in/callback/acme?state=<script>&code=1",
        "/sign-in/callback/acme?state=a&state=b",
        "/sign-in/callback/acme?error=<b>x</b>&state=a",
    ] {
        let page = Browser::of("x").get(&format!("http://{}{path}", stage.address)).await;
        assert_eq!((page.status, &page.location), (400, &None), "{path}: {page:?}");
        let header = |name: &str| {
            page.headers
                .get(name)
                .map_or("", |value| value.to_str().unwrap())
                .to_owned()
        };
        assert_eq!(header("content-type"), "text/html; charset=utf-8", "{path}");
        assert!(
            header("content-security-policy").starts_with("default-src 'none'"),
            "{path}"
        );
        assert_eq!(
            (header("cache-control"), header("set-cookie")),
            ("no-store".into(), String::new()),
            "{path}"
        );
        assert!(
            !page.text.contains("<script") && !page.text.contains("<b>"),
            "{}",
            page.text
        );
    }
    let whole = Terminal::of(&stage).address();
    assert_eq!(
        Browser::of("x").get(&whole).await.status,
        404,
        "no identity provider is set up"
    );
    let none: Answer = get(&stage, "/v1/sign-in-methods").await.is(200);
    assert_eq!(none.body["methods"], json!([{ "method": "local" }]));
}
