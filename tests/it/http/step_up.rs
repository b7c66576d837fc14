//! A decision that needs a second factor which was shown more recently: the challenge, and what answers it.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::ConnectOptions as _;

use super::caller::{Answer, Caller, yes};
use super::oidc_house::{House, Issuer, TERMINAL, Terminal, at};
use super::stage::{Stage, eventually, replace_in};
use crate::harness::{Browser, Device};

const KEY: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

/// What a terminal is told whose session cannot show one.
const NO_SESSION: &str = "that session is over, or cannot show a second factor";

/// Has policy count `subject` at `issuer` among the approvers.
async fn enrol(stage: &Stage, issuer: &str, caller: &Caller, subject: &str) {
    let catalogue = stage.folder().join("policy/security/catalogue.toml");
    let members = format!("members = [\"local:bob\", \"{issuer} {subject}\"]");
    replace_in(&catalogue, "members = [\"local:bob\"]", &members);
    eventually("the policy", || async {
        let groups = caller.get("/v1/me").await.body["groups"].clone();
        groups
            .as_array()
            .is_some_and(|groups| groups.contains(&json!("payments")))
    })
    .await;
}

/// Nobody has used any session for hours; second factors, which providers tell of by the second, were shown before this one.
async fn all_are_away(stage: &Stage) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(stage.folder().join("jit.db"));
    let mut connection = options.connect().await.unwrap();
    let away = sqlx::query("UPDATE sessions SET used_at = used_at - 43200000, mfa_at = mfa_at - 60000");
    away.execute(&mut connection).await.unwrap();
}

/// A terminal of whoever is signed in as `caller`, that waits for a second factor.
async fn waits(stage: &Stage, caller: &Caller) -> (Terminal, String) {
    let session = caller.get("/v1/me").await.is(200).body["session"].clone();
    let terminal = Terminal {
        caller: caller.clone(),
        ..Terminal::of(stage)
    };
    let address = format!("{}&renews={}", terminal.address(), session.as_str().unwrap());
    (terminal, address)
}

async fn renews(terminal: &Terminal, code: &str) -> Answer {
    let body = json!({ "code": code, "verifier": terminal.verifier });
    terminal.caller.post("/v1/sessions/renewal", &body).await
}

async fn decides(caller: &Caller, filed: &Value) -> Answer {
    let path = format!("/v1/requests/{}/decisions", filed["id"].as_str().unwrap());
    caller.post_once(&path, KEY, &yes(filed)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn decision_goes_on_once_a_second_factor_was_shown() {
    let Some(house) = House::open("decision_goes_on_once_a_second_factor_was_shown").await else {
        return;
    };
    let bea = house.sign_in("bea pwd -").await;
    enrol(&house.stage, &house.acme.issuer, &bea, "bea").await;
    let filed = house.stage.sign_in("alice").await.file("prod-admin").await;
    // what waits for her is listed all the same
    let inbox = bea.get("/v1/inbox").await.is(200).body;
    assert_eq!(inbox["requests"][0]["id"], filed["id"]);
    let refused = decides(&bea, &filed).await.is(401).refuses("session.step_up");
    assert_eq!(
        refused.body["step_up"],
        json!({ "max_age_s": 3600, "acr_values": ["urn:acme:two"] })
    );
    assert_eq!(refused.body["reasons"][0]["policy"], "base.mfa-fresh");
    assert_eq!(
        refused.header("www-authenticate"),
        "DPoP error=\"insufficient_user_authentication\", max_age=\"3600\", acr_values=\"urn:acme:two\""
    );
    // her provider is asked for it, though its own session lives
    let (terminal, address) = waits(&house.stage, &bea).await;
    let asked = Browser::of("bea pwd,mfa -").get(&address).await;
    for (name, value) in [("prompt", "login"), ("max_age", "0"), ("acr_values", "urn:acme:two")] {
        assert_eq!(asked.brings(name).as_deref(), Some(value));
    }
    let asks = Browser::of("bea pwd,mfa -").until_asked(&address, TERMINAL).await;
    let says = "A terminal asks bea (acme) for a second factor.";
    assert!(asks.text.contains(says), "{}", asks.text);
    let page = Browser::of("bea pwd,mfa -").follow(&address, TERMINAL).await;
    let me = renews(&terminal, &page.brings("code").unwrap()).await.is(200).body;
    let before = bea.get("/v1/me").await.is(200).body;
    assert!(me["mfa_at"].is_string() && me == before, "{me} {before}");
    // the same session, its end as it was, and the same call again
    decides(&bea, &filed).await.is(200);
    assert_eq!(house.stage.count("session.renewed").await, 1);
    assert_eq!(house.stage.count("request.decided").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn session_that_nobody_used_decides_once_somebody_is_there() {
    let Some(house) = House::open("session_that_nobody_used_decides_once_somebody_is_there").await else {
        return;
    };
    let stage = &house.stage;
    let (bea, eve) = (house.sign_in("bea pwd,mfa -").await, house.sign_in("bea pwd -").await);
    enrol(stage, &house.acme.issuer, &bea, "bea").await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let filed = alice.file("prod-admin").await;
    all_are_away(stage).await;
    // looking is no use
    bea.get("/v1/inbox").await.is(200);
    assert!(bea.get("/v1/me").await.body["idle_since"].is_string());
    let refused = decides(&bea, &filed).await.is(401).refuses("session.idle");
    let wanted = json!({ "max_age_s": 43200, "acr_values": ["urn:acme:two"] });
    assert_eq!(
        (&refused.body["step_up"], &refused.body["hint"]),
        (&wanted, &json!("sign in again"))
    );
    assert_eq!(
        refused.header("www-authenticate"),
        "DPoP error=\"insufficient_user_authentication\", max_age=\"43200\", acr_values=\"urn:acme:two\""
    );
    // who showed no second factor, and who can show none, sign in anew
    let refused = decides(&bob, &filed).await.is(401).refuses("session.idle");
    assert_eq!(refused.body["step_up"], Value::Null);
    decides(&eve, &filed).await.is(401).refuses("session.step_up");
    let (terminal, address) = waits(stage, &bea).await;
    let page = Browser::of("bea pwd,mfa -").follow(&address, TERMINAL).await;
    let me = renews(&terminal, &page.brings("code").unwrap()).await.is(200).body;
    assert_eq!(me["idle_since"], Value::Null);
    decides(&bea, &filed).await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_18_another_person_at_step_up_changes_nothing() {
    let Some(house) = House::open("attack_18_another_person_at_step_up_changes_nothing").await else {
        return;
    };
    let bea = house.sign_in("bea pwd -").await;
    let (stage, proved) = (&house.stage, house.stage.count("session.proved").await);
    let (_, address) = waits(stage, &bea).await;
    let page = Browser::of("mallory pwd,mfa -").follow(&address, TERMINAL).await;
    assert_eq!(page.brings("code"), None, "{page:?}");
    assert_eq!(
        page.brings("error").as_deref(),
        Some("acme: somebody else signed in there than whose session it is")
    );
    // her own session at somebody else's device
    let session = bea.get("/v1/me").await.body["session"].as_str().unwrap().to_owned();
    let elsewhere = Terminal::of(stage);
    let address = format!("{}&renews={session}", elsewhere.address());
    let page = Browser::of("bea pwd,mfa -").get(&address).await;
    assert_eq!(page.brings("error").as_deref(), Some(NO_SESSION));
    // the second factor alone was not shown
    let (_, address) = waits(stage, &bea).await;
    let page = Browser::of("bea pwd -").follow(&address, TERMINAL).await;
    assert_eq!(
        page.brings("error").as_deref(),
        Some("acme: it says nothing of a second factor")
    );
    assert_eq!(bea.get("/v1/me").await.body["mfa_at"], Value::Null);
    assert_eq!(stage.count("session.proved").await, proved);
    assert_eq!(stage.count("session.renewed").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_18_code_of_a_step_up_is_for_its_session_alone() {
    let Some(house) = House::open("attack_18_code_of_a_step_up_is_for_its_session_alone").await else {
        return;
    };
    let (bea, other) = (house.sign_in("bea pwd -").await, house.sign_in("bea pwd -").await);
    let (terminal, address) = waits(&house.stage, &bea).await;
    let page = Browser::of("bea pwd,mfa -").follow(&address, TERMINAL).await;
    let code = page.brings("code").unwrap();
    let refused = |answer: Answer| answer.is(401).refuses("session.code_invalid");
    // it opens no session, is for no other one of hers, and needs its terminal
    let opening = Terminal {
        caller: Caller {
            token: None,
            ..bea.clone()
        },
        verifier: terminal.verifier.clone(),
        state: String::new(),
    };
    refused(opening.brings(&code).await);
    let beside = Terminal {
        caller: other,
        verifier: terminal.verifier.clone(),
        state: String::new(),
    };
    refused(renews(&beside, &code).await);
    let guessed = Terminal {
        caller: bea.clone(),
        ..Terminal::of(&house.stage)
    };
    refused(renews(&guessed, &code).await);
    renews(&terminal, &code).await.is(200);
    refused(renews(&terminal, &code).await);
    // and a code that opens a session shows nothing for another
    let opening = Terminal::of(&house.stage);
    let page = Browser::of("bea pwd,mfa -").follow(&opening.address(), TERMINAL).await;
    let mine = Terminal {
        caller: bea.clone(),
        verifier: opening.verifier.clone(),
        state: String::new(),
    };
    refused(renews(&mine, &page.brings("code").unwrap()).await);
    // of a session that is over
    let (_, address) = waits(&house.stage, &bea).await;
    Answer::of(bea.call(Method::DELETE, "/v1/sessions")).await.is(204);
    let page = Browser::of("bea pwd,mfa -").get(&address).await;
    assert_eq!(page.brings("error").as_deref(), Some(NO_SESSION));
}

#[tokio::test(flavor = "multi_thread")]
async fn second_factor_of_before_is_not_shown_again() {
    let issuer = Issuer::start();
    let stage = Stage::open_with(|settings| settings.sign_in.push(at("acme", &issuer.server.url))).await;
    let mut claims = issuer.claims();
    claims["amr"] = json!(["pwd", "mfa"]);
    claims["auth_time"] = json!(claims["iat"].as_i64().unwrap() - 7_200);
    issuer.gives(issuer.head(), claims.clone());
    let opening = Terminal::of(&stage);
    let page = issuer.sign_in(&opening).await;
    let opened = opening.brings(&page.brings("code").unwrap()).await.is(201).body;
    let ana = Caller {
        token: opened["token"].as_str().map(str::to_owned),
        ..opening.caller
    };
    // a provider that does not ask: it says when it last did
    let (terminal, _) = waits(&stage, &ana).await;
    let session = opened["me"]["session"].as_str().unwrap();
    let page = issuer.sign_in_for(&terminal, session).await;
    assert_eq!(
        page.brings("error").as_deref(),
        Some("acme: it did not ask for the second factor again")
    );
    claims["auth_time"] = claims["iat"].clone();
    issuer.gives(issuer.head(), claims);
    let page = issuer.sign_in_for(&terminal, session).await;
    let me = renews(&terminal, &page.brings("code").unwrap()).await.is(200).body;
    assert!(me["mfa_at"].as_str() > opened["me"]["mfa_at"].as_str(), "{me} {opened}");
}

#[tokio::test(flavor = "multi_thread")]
async fn person_who_can_show_no_second_factor_is_refused_by_policy() {
    let stage = Stage::open().await;
    let baseline = stage.folder().join("policy/security/00-baseline.cedar");
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let filed = alice.file("prod-admin").await;
    let before = stage.backend.bundle().hash().clone();
    replace_in(&baseline, "context.session.method != \"local\" && ", "");
    eventually("the policy", || async { *stage.backend.bundle().hash() != before }).await;
    let refused = bob.approve(&filed).await.is(403).refuses("policy.refused");
    assert_eq!(refused.body["step_up"], Value::Null);
    assert_eq!(bob.get("/v1/inbox").await.body["requests"], json!([]));
    // no session of hers on that device, or no session at all
    let nobody = Terminal {
        caller: stage.nobody_on(Device::new()),
        ..Terminal::of(&stage)
    };
    let page = Browser::of("x")
        .get(&format!("{}&renews=ses_000000000000", nobody.address()))
        .await;
    assert_eq!(page.brings("error").as_deref(), Some(NO_SESSION));
    for session in ["x", "%00"] {
        let page = Browser::of("x")
            .get(&format!("{}&renews={session}", nobody.address()))
            .await;
        assert_eq!((page.status, &page.location), (400, &None), "{session}: {page:?}");
    }
}
