//! How an admin has to be signed in, on which device, and how lately they showed a second factor.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::*;
use crate::config::{IdentityProvider, SecretSource, TokenAlgorithm};
use crate::domain::{Change, KeyStorage, Row, Timestamp};
use crate::server::identity::relying_party::SignInSettings;
use crate::server::settings::Admin;

const ACME: &str = "https://acme.okta.com";
const HOUR: i64 = 3_600;

/// A company whose admins are `local:carol` and ana of an identity provider.
async fn of_acme() -> Stage {
    Stage::with(|settings| {
        settings.new_devices_decide = false;
        settings.admins.push(Admin {
            issuer: ACME.into(),
            subject: "ana".into(),
        });
        settings.sign_in.push(SignInSettings {
            provider: IdentityProvider {
                name: "acme".into(),
                issuer: ACME.into(),
                client_id: "jit".into(),
                client_secret: SecretSource::Environment("NONE".into()),
                scopes: Vec::new(),
                name_claim: None,
                subject_claim: None,
                algorithms: vec![TokenAlgorithm::Es256],
                mfa_acr: Vec::new(),
                remote: true,
                require: BTreeMap::new(),
                device: true,
            },
            client_secret: SecretString::from("a secret"),
        });
    })
    .await
}

/// Ana, who signed in by `method` a moment ago and showed a second factor at `mfa_at`.
async fn ana(stage: &Stage, method: SignInMethod, mfa_at: Option<Timestamp>) -> Caller {
    let (backend, key) = (&stage.backend, DeviceKey::of(&new_key()).unwrap());
    let mut rows = Vec::new();
    let known = backend.store.person_by_subject(ACME, "ana").await.unwrap();
    let person = known.unwrap_or_else(|| {
        let new = Person {
            id: backend.random.person_id(),
            issuer: ACME.into(),
            subject: "ana".into(),
            name: "ana".into(),
            since: backend.now(),
            workload: None,
        };
        rows.push(Row::Person(new.clone()));
        new
    });
    let enrolled = known_device::enrolled(backend, &person, &key, KeyStorage::Keyring, backend.now());
    let session = Session {
        id: backend.random.session_id(),
        token_hash: key.id.to_string(),
        person: person.id.clone(),
        device: key.id.clone(),
        key_storage: KeyStorage::Keyring,
        method,
        mfa_at,
        id_token: None,
        created_at: backend.now(),
        used_at: backend.now(),
        expires_at: backend.now().plus(backend.settings.session_life),
        ended_at: None,
        version: 1,
    };
    rows.extend([Row::Device(enrolled.await.unwrap()), Row::Session(session.clone())]);
    let opened = Change::new(
        backend.now(),
        "session.opened",
        Actor::Backend,
        None,
        rows,
        serde_json::json!({}),
    );
    backend.commit(&opened).await.unwrap();
    Caller {
        person,
        session,
        known: crate::domain::Known::default(),
        address: [127, 0, 0, 1].into(),
        at: backend.now(),
    }
}

#[tokio::test]
async fn attack_09_machine_that_was_signed_in_runs_no_backend() {
    let stage = of_acme().await;
    let shown = Some(stage.backend.now());
    for method in [SignInMethod::Device, SignInMethod::Remote] {
        let phished = ana(&stage, method, shown).await;
        assert!(is_admin(&stage.backend, &phished.person));
        assert_eq!(code(admins_only(&stage.backend, &phished).await), "access.forbidden");
    }
    let beside = ana(&stage, SignInMethod::LoopbackPkce, shown).await;
    admins_only(&stage.backend, &beside).await.unwrap();
    let carol = stage.sign_in("carol").await;
    admins_only(&stage.backend, &carol).await.unwrap();
}

#[tokio::test]
async fn attack_09_password_alone_hands_out_no_code() {
    let stage = of_acme().await;
    // nobody knows that her provider shows one: she is believed as she is
    let never = ana(&stage, SignInMethod::LoopbackPkce, None).await;
    add_user(&stage.backend, &never, &named("bob")).await.unwrap();
    let shown = ana(&stage, SignInMethod::LoopbackPkce, Some(stage.backend.now())).await;
    add_user(&stage.backend, &shown, &named("bob")).await.unwrap();
    let without = ana(&stage, SignInMethod::LoopbackPkce, None).await;
    let refused = add_user(&stage.backend, &without, &named("bob")).await.err().unwrap();
    assert_eq!(refused.problem.code, "session.step_up");
    assert_eq!(refused.problem.step_up.unwrap().max_age_s, FRESH_S);
    for (secs, may) in [(HOUR, true), (HOUR + 1, false)] {
        stage.at(secs);
        let later = Caller {
            at: stage.backend.now(),
            ..shown.clone()
        };
        let added = add_user(&stage.backend, &later, &named("bob")).await;
        assert_eq!(added.is_ok(), may, "{secs}");
    }
}

#[tokio::test]
async fn attack_05_new_device_of_an_admin_hands_out_nothing() {
    let stage = company().await;
    let carol = stage.sign_in("carol").await;
    // the very first: nobody could have handed out its code
    stage.at(1);
    let added = add_user(&stage.backend, &carol, &named("carol")).await.unwrap();
    let second = open(&stage, "carol", &added.code, &new_key()).await.unwrap();
    assert_eq!(
        code(add_user(&stage.backend, &second, &named("bob")).await),
        "policy.new_device"
    );
    // nor does the first once it was forgotten and enrolled again
    sign_in::close_everywhere(&stage.backend, &second).await.unwrap();
    stage.at(2);
    let carol = stage.again(&carol).await;
    assert_eq!(
        code(add_user(&stage.backend, &carol, &named("bob")).await),
        "policy.new_device"
    );
    stage.at(2 + DAY);
    let carol = stage.again(&carol).await;
    add_user(&stage.backend, &carol, &named("bob")).await.unwrap();
}

#[tokio::test]
async fn attack_05_admin_made_by_an_admin_waits_a_day() {
    let stage = of_acme().await;
    let ana = ana(&stage, SignInMethod::LoopbackPkce, None).await;
    stage.at(1);
    let added = add_user(&stage.backend, &ana, &named("carol")).await.unwrap();
    let as_carol = open(&stage, "carol", &added.code, &new_key()).await.unwrap();
    assert_eq!(
        code(add_user(&stage.backend, &as_carol, &named("bob")).await),
        "policy.new_device"
    );
}
