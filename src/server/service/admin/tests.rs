//! Admins, codes that they hand out, and what a device waits for that a code enrolled.

mod how;

use super::*;
use crate::domain::person::NEW_DEVICE_S;
use crate::domain::workload::{StartedBy, Workload};
use crate::server::identity::device::DeviceKey;
use crate::server::service::tests::code;
use crate::server::service::tests::locks::{lock, unlock};
use crate::server::service::{decide, devices, sign_in};
use crate::server::stage::{Stage, new_key, yes};
use crate::wire::{NewSession, PublicKey};

const DAY: i64 = NEW_DEVICE_S as i64;

fn named(name: &str) -> NewUser {
    NewUser { name: name.into() }
}

/// A stage whose new devices wait, as a company's do.
async fn company() -> Stage {
    Stage::with(|settings| settings.new_devices_decide = false).await
}

async fn open(stage: &Stage, name: &str, code: &str, key: &PublicKey) -> Result<Caller, Failure> {
    let new = NewSession {
        name: name.into(),
        code: code.into(),
        verifier: None,
        key_storage: "file".into(),
    };
    let address = std::net::IpAddr::from([127, 0, 0, 1]);
    let opened = sign_in::open(&stage.backend, &new, &DeviceKey::of(key).unwrap(), address).await?;
    sign_in::caller(&stage.backend, &opened.token, address).await
}

async fn kinds(stage: &Stage) -> Vec<(String, String)> {
    let lines = stage.backend.store.evidence(0, 1_000).await.unwrap();
    lines.into_iter().map(|line| (line.kind, line.actor)).collect()
}

#[tokio::test]
async fn attack_05_code_that_an_admin_took_approves_nothing_for_a_day() {
    let stage = company().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let carol = stage.sign_in("carol").await;
    stage.at(2 * DAY);
    let (alice, bob, carol) = (
        stage.again(&alice).await,
        stage.again(&bob).await,
        stage.again(&carol).await,
    );
    let filed = stage.file(&alice, "prod-admin").await.unwrap().request;
    // carol, an admin, makes herself bob
    let added = add_user(&stage.backend, &carol, &named("bob")).await.unwrap();
    assert!(!added.is_new && added.decides_after_s == NEW_DEVICE_S);
    let as_bob = open(&stage, "bob", &added.code, &new_key()).await.unwrap();
    let refused = decide::decide(&stage.backend, &as_bob, &filed.id, &yes(&filed), None).await;
    assert_eq!(code(refused), "policy.new_device");
    // bob is told, where he was before; the evidence says who did it
    let told = sign_in::me(&stage.backend, &bob).await.unwrap().new_devices;
    assert_eq!(
        told.iter().map(|device| device.id.as_str()).collect::<Vec<_>>(),
        [as_bob.session.device.as_str()]
    );
    // so is she, of his: whoever came first is not known to be the right one
    assert_eq!(sign_in::me(&stage.backend, &as_bob).await.unwrap().new_devices.len(), 1);
    let by = (String::from("user.added"), carol.person.id.to_string());
    assert!(kinds(&stage).await.contains(&by));
    // his own device goes on
    let decided = decide::decide(&stage.backend, &bob, &filed.id, &yes(&filed), None).await;
    assert_eq!(decided.unwrap().state, "approved");
}

#[tokio::test]
async fn attack_05_code_that_an_admin_took_lifts_no_lock_for_a_day() {
    let stage = company().await;
    let (carol, key) = (stage.sign_in("carol").await, new_key());
    lock(&stage, &carol, "all").await.unwrap();
    let added = add_user(&stage.backend, &carol, &named("bob")).await.unwrap();
    let as_bob = open(&stage, "bob", &added.code, &key).await.unwrap();
    assert_eq!(code(unlock(&stage, &as_bob, "all").await), "policy.new_device");
}

#[tokio::test]
async fn new_device_says_yes_after_a_day_and_no_at_once() {
    let stage = company().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let filed = stage.file(&alice, "prod-admin").await.unwrap().request;
    let refused = decide::decide(&stage.backend, &bob, &filed.id, &yes(&filed), None).await;
    assert_eq!(code(refused), "policy.new_device");
    let mut no = yes(&filed);
    (no.verdict, no.comment) = ("deny".into(), Some("frozen".into()));
    let denied = decide::decide(&stage.backend, &bob, &filed.id, &no, None)
        .await
        .unwrap();
    assert_eq!(denied.state, "denied");
    for (secs, may) in [(DAY - 1, false), (DAY, true)] {
        stage.at(secs);
        assert_eq!(devices::may_say_yes(&stage.backend, &bob).await.is_ok(), may, "{secs}");
    }
}

#[tokio::test]
async fn code_is_void_after_five_wrong_ones() {
    let stage = company().await;
    let carol = stage.sign_in("carol").await;
    let added = add_user(&stage.backend, &carol, &named("dan")).await.unwrap();
    assert!(added.is_new);
    let key = new_key();
    for n in 0..4 {
        // each from another address, as far as the limits can tell
        stage.at(61 * n);
        let wrong = open(&stage, "dan", "0000-0000", &key).await;
        assert_eq!(code(wrong), "session.code_invalid");
    }
    open(&stage, "dan", &added.code, &key).await.unwrap();
    let added = add_user(&stage.backend, &carol, &named("dan")).await.unwrap();
    for n in 5..10 {
        stage.at(61 * n);
        assert_eq!(
            code(open(&stage, "dan", "0000-0000", &key).await),
            "session.code_invalid"
        );
    }
    stage.at(61 * 10);
    assert_eq!(
        code(open(&stage, "dan", &added.code, &key).await),
        "session.code_invalid"
    );
    // and nothing more is written for whoever goes on
    let before = kinds(&stage).await.len();
    assert_eq!(
        code(open(&stage, "dan", "0000-0000", &key).await),
        "session.code_invalid"
    );
    assert_eq!(kinds(&stage).await.len(), before);
}

#[tokio::test]
async fn newer_code_makes_the_older_void() {
    let stage = company().await;
    let carol = stage.sign_in("carol").await;
    let first = add_user(&stage.backend, &carol, &named("dan")).await.unwrap();
    let second = add_user(&stage.backend, &carol, &named("dan")).await.unwrap();
    assert_eq!(
        code(open(&stage, "dan", &first.code, &new_key()).await),
        "session.code_invalid"
    );
    open(&stage, "dan", &second.code, &new_key()).await.unwrap();
    for wrong in ["", "a b", "x\n", "-rf", &"a".repeat(300)] {
        assert_eq!(
            code(add_user(&stage.backend, &carol, &named(wrong)).await),
            "usage.text",
            "{wrong:?}"
        );
    }
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_their_beginning() {
    let stage = Stage::new().await;
    let (alice, carol) = (stage.sign_in("alice").await, stage.sign_in("carol").await);
    let list = |person: Option<&'static str>| sessions(&stage.backend, person);
    let all = list(None).await.unwrap().sessions;
    assert_eq!(all.len(), 2);
    let of_alice = list(Some("alice")).await.unwrap().sessions;
    assert_eq!(of_alice[0].id, alice.session.id.as_str());
    assert_eq!(code(list(Some("nobody")).await), "person.not_found");
    for none in ["", "ses_", "ses_000", "ses_zzzzzzzzzzzz", "nonsense"] {
        assert_eq!(
            code(revoke(&stage.backend, &carol, none).await),
            "session.not_found",
            "{none}"
        );
    }
    let beginning = &alice.session.id.as_str()[..10];
    let ended = revoke(&stage.backend, &carol, beginning).await.unwrap();
    assert_eq!(ended.person.name, "alice");
    assert_eq!(
        code(revoke(&stage.backend, &carol, beginning).await),
        "session.not_found"
    );
    assert!(
        kinds(&stage)
            .await
            .contains(&("session.revoked".into(), carol.person.id.to_string()))
    );
    let gone = stage.backend.store.session(&alice.session.id).await.unwrap().unwrap();
    assert!(!gone.is_live(stage.backend.now()));
}

#[tokio::test]
async fn signing_out_everywhere_ends_ones_own_alone() {
    let stage = Stage::new().await;
    let (alice, beside) = (stage.sign_in("alice").await, stage.sign_in("alice").await);
    let carol = stage.sign_in("carol").await;
    sign_in::close_everywhere(&stage.backend, &alice).await.unwrap();
    for (caller, lives) in [(&alice, false), (&beside, false), (&carol, true)] {
        let session = stage.backend.store.session(&caller.session.id).await.unwrap().unwrap();
        assert_eq!(session.is_live(stage.backend.now()), lives, "{}", caller.person.name);
    }
    assert!(
        kinds(&stage)
            .await
            .contains(&("session.ended_everywhere".into(), alice.person.id.to_string()))
    );
}

#[tokio::test]
async fn locked_admin_is_none_until_somebody_lifts_it() {
    let stage = Stage::new().await;
    let (bob, carol) = (stage.sign_in("bob").await, stage.sign_in("carol").await);
    lock(&stage, &bob, "all").await.unwrap();
    admins_only(&stage.backend, &carol).await.unwrap();
    lock(&stage, &carol, "person:carol").await.unwrap();
    assert_eq!(code(admins_only(&stage.backend, &carol).await), "access.locked");
}

#[tokio::test]
async fn first_admin_is_waited_for_until_they_are_signed_in() {
    let stage = Stage::new().await;
    let (name, first) = first_code(&stage.backend).await.unwrap().unwrap();
    assert_eq!(name, "carol");
    let (_, again) = first_code(&stage.backend).await.unwrap().unwrap();
    assert_eq!(
        code(open(&stage, "carol", &first, &new_key()).await),
        "session.code_invalid"
    );
    let carol = open(&stage, "carol", &again, &new_key()).await.unwrap();
    assert!(first_code(&stage.backend).await.unwrap().is_none());
    assert!(is_admin(&stage.backend, &carol.person));
    let alice = stage.sign_in("alice").await;
    assert!(!is_admin(&stage.backend, &alice.person));
    assert_eq!(code(admins_only(&stage.backend, &alice).await), "access.forbidden");
    // of the same name at another issuer
    let other = Person {
        issuer: "https://acme.okta.com".into(),
        ..carol.person.clone()
    };
    assert!(!is_admin(&stage.backend, &other));
    // whatever an issuer of workloads calls one of them
    let workload = Workload {
        name: "deploy".into(),
        issuer: carol.person.issuer.clone(),
        claims: serde_json::Map::new(),
        started_by: StartedBy::Nobody,
    };
    let job = Person {
        workload: Some(Box::new(workload)),
        ..carol.person
    };
    assert!(!is_admin(&stage.backend, &job));
}
