//! Names of people of identity providers: who vouches for whom, and what is left of a name.

use serde_json::{Value, json};

use super::caller::Caller;
use super::oidc_house::{Issuer, Terminal, at, with_issuer};
use super::stage::Stage;

/// A backend at which people sign in at two issuers of our own.
pub async fn two_issuers() -> (Stage, Issuer, Issuer) {
    let (acme, partners) = (Issuer::start(), Issuer::start());
    let stage = Stage::open_with(|settings| {
        settings.sign_in.push(at("acme", &acme.server.url));
        settings.sign_in.push(at("partners", &partners.server.url));
    })
    .await;
    (stage, acme, partners)
}

/// Signs the person `subject` in, who calls themselves `name`.
pub async fn signs_in(stage: &Stage, (issuer, with): (&Issuer, &str), subject: &str, name: &str) -> (Caller, Value) {
    let mut claims = issuer.claims();
    claims["sub"] = json!(subject);
    claims["preferred_username"] = json!(name);
    claims["email"] = Value::Null;
    issuer.gives(issuer.head(), claims);
    let terminal = Terminal::of(stage);
    let page = issuer.sign_in_with(&terminal, with).await;
    let opened = terminal.brings(&page.brings("code").unwrap()).await.is(201);
    let caller = Caller {
        token: opened.body["token"].as_str().map(str::to_owned),
        ..terminal.caller
    };
    (caller, opened.body["me"]["person"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn people_of_one_name_are_told_apart() {
    let (stage, acme, partners) = two_issuers().await;
    let (_, ours) = signs_in(&stage, (&acme, "acme"), "00u1", "carol").await;
    let (_, theirs) = signs_in(&stage, (&partners, "partners"), "00u2", "carol").await;
    let own = stage.sign_in("carol").await.get("/v1/me").await.is(200).body["person"].clone();
    for (person, of) in [(&ours, "acme"), (&theirs, "partners"), (&own, "local")] {
        assert_eq!((&person["name"], &person["of"]), (&json!("carol"), &json!(of)));
        assert_eq!(person.get("namesakes"), None, "{person}");
    }
    // a second of the same identity provider: both are told by their ids from now on
    let (again, second) = signs_in(&stage, (&acme, "acme"), "00u3", "Carol").await;
    assert_eq!((&second["of"], &second["namesakes"]), (&json!("acme"), &json!(true)));
    let me = again.get("/v1/me").await.is(200).body;
    assert_eq!(me["person"], second);
}

#[tokio::test(flavor = "multi_thread")]
async fn local_people_are_marked_beside_the_only_provider() {
    let (stage, acme) = with_issuer().await;
    let (_, ana) = signs_in(&stage, (&acme, "acme"), "00u1", "carol").await;
    assert_eq!((&ana["name"], ana.get("of")), (&json!("carol"), None));
    let own = stage.sign_in("carol").await.get("/v1/me").await.is(200).body["person"].clone();
    assert_eq!((&own["name"], &own["of"]), (&json!("carol"), &json!("local")));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_nothing_fall_back_to_the_subject() {
    let (stage, acme, _partners) = two_issuers().await;
    for (subject, name, shown) in [
        ("00u1", "carol\u{200d}", "carol"),
        ("00u2", "\u{3164}", "00u2"),
        ("00u3", "\u{2800}\u{2800}", "00u3"),
        ("00u4", "  Carol\u{a0} Danvers ", "Carol Danvers"),
    ] {
        let (_, person) = signs_in(&stage, (&acme, "acme"), subject, name).await;
        assert_eq!(person["name"], shown, "{name:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn approvers_are_named_and_not_by_an_opaque_subject() {
    let (stage, acme, _partners) = two_issuers().await;
    drop(signs_in(&stage, (&acme, "acme"), "00u1", "ana@acme.example").await);
    let catalogue = stage.folder().join("policy/security/catalogue.toml");
    let members = format!("members = [\"local:bob\", \"{0} 00u1\", \"{0} 00u9\"]", acme.server.url);
    super::stage::replace_in(&catalogue, "members = [\"local:bob\"]", &members);
    let alice = stage.sign_in("alice").await;
    super::stage::eventually("the policy", || async {
        let targets = alice.get("/v1/targets").await.is(200).body;
        let text = targets.to_string();
        text.contains("ana@acme.example (acme)") && text.contains("00u9 (acme)") && text.contains("bob (local)")
    })
    .await;
    let filed = alice.file("prod-admin").await;
    let seen = alice
        .get(&format!("/v1/requests/{}", filed["id"].as_str().unwrap()))
        .await;
    let approvers = &seen.is(200).body["stages"][0]["approvers"];
    assert_eq!(
        *approvers,
        json!(["00u9 (acme)", "ana@acme.example (acme)", "bob (local)", "carol (local)"])
    );
}
