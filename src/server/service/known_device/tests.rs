//! Devices that sign their person in by their key alone: which, for how long, and what ends that.

use super::*;
use crate::domain::person::{KNOWN_S, NEW_DEVICE_S};
use crate::server::service::tests::code;
use crate::server::service::tests::locks::{lock, unlock};
use crate::server::service::{admin, decide, devices, sign_in};
use crate::server::stage::{Stage, new_key, yes};
use crate::wire::PublicKey;

const DAY: i64 = NEW_DEVICE_S as i64;
const KNOWN: i64 = KNOWN_S as i64;

async fn company() -> Stage {
    Stage::with(|settings| settings.new_devices_decide = false).await
}

/// Signs `name` in on `key`, which is in a keyring or in a file, with `code` where there is one.
async fn come(stage: &Stage, name: &str, code: &str, (key, at): (&PublicKey, &str)) -> Result<Caller, Failure> {
    let new = NewSession {
        name: name.into(),
        code: code.into(),
        verifier: None,
        key_storage: at.into(),
    };
    let address = IpAddr::from([127, 0, 0, 1]);
    let opened = sign_in::open(&stage.backend, &new, &DeviceKey::of(key).unwrap(), address).await?;
    sign_in::caller(&stage.backend, &opened.token, address).await
}

async fn with_code(stage: &Stage, name: &str, key: (&PublicKey, &str)) -> Caller {
    let code = sign_in::issue_code(&stage.backend, name).await.unwrap();
    come(stage, name, &code, key).await.unwrap()
}

#[tokio::test]
async fn known_device_signs_its_person_in_without_a_code() {
    let stage = company().await;
    let (alice, key) = (stage.sign_in("alice").await, new_key());
    let bob = with_code(&stage, "bob", (&key, "keyring")).await;
    stage.at(2 * DAY);
    let alice = stage.again(&alice).await;
    let filed = stage.file(&alice, "prod-admin").await.unwrap().request;
    let again = come(&stage, "bob", "", (&key, "keyring")).await.unwrap();
    assert_eq!((&again.person, again.session.mfa_at), (&bob.person, None));
    assert_eq!(again.session.method, SignInMethod::Local);
    // an approver on the second day
    let decided = decide::decide(&stage.backend, &again, &filed.id, &yes(&filed), None).await;
    assert_eq!(decided.unwrap().state, "approved");
    let lines = stage.backend.store.evidence(0, 1_000).await.unwrap();
    let opened = lines.iter().rfind(|line| line.kind == "session.opened").unwrap();
    assert_eq!(opened.payload.as_ref().unwrap()["details"]["by"], "device");
}

#[tokio::test]
async fn attack_18_device_key_is_good_for_its_person_alone() {
    let stage = company().await;
    let key = new_key();
    drop(with_code(&stage, "bob", (&key, "keyring")).await);
    stage.sign_in("alice").await;
    for (name, key) in [("alice", &key), ("nobody", &key), ("", &key), ("bob", &new_key())] {
        let refused = come(&stage, name, "", (key, "keyring")).await;
        assert_eq!(code(refused), "session.device_unknown", "{name}");
    }
}

#[tokio::test]
async fn attack_18_key_that_lay_in_a_file_takes_a_code() {
    let stage = company().await;
    let (key, other) = (new_key(), new_key());
    drop(with_code(&stage, "bob", (&key, "file")).await);
    for at in ["file", "keyring"] {
        assert_eq!(
            code(come(&stage, "bob", "", (&key, at)).await),
            "session.device_unknown"
        );
    }
    // moved into the keyring since: a copy of the file is still about
    drop(with_code(&stage, "bob", (&key, "keyring")).await);
    assert_eq!(
        code(come(&stage, "bob", "", (&key, "keyring")).await),
        "session.device_unknown"
    );
    // and out of it
    drop(with_code(&stage, "bob", (&other, "keyring")).await);
    assert_eq!(
        code(come(&stage, "bob", "", (&other, "file")).await),
        "session.device_unknown"
    );
    drop(with_code(&stage, "bob", (&other, "file")).await);
    assert_eq!(
        code(come(&stage, "bob", "", (&other, "keyring")).await),
        "session.device_unknown"
    );
}

#[tokio::test]
async fn device_is_known_for_thirty_days_after_its_last_session() {
    let stage = company().await;
    let key = new_key();
    drop(with_code(&stage, "bob", (&key, "keyring")).await);
    stage.at(KNOWN - 1);
    drop(come(&stage, "bob", "", (&key, "keyring")).await.unwrap());
    stage.at(2 * KNOWN - 2);
    drop(come(&stage, "bob", "", (&key, "keyring")).await.unwrap());
    stage.at(3 * KNOWN - 2);
    assert_eq!(
        code(come(&stage, "bob", "", (&key, "keyring")).await),
        "session.device_unknown"
    );
}

#[tokio::test]
async fn attack_05_old_device_with_a_new_code_waits_a_day() {
    let stage = company().await;
    let key = new_key();
    drop(with_code(&stage, "bob", (&key, "keyring")).await);
    // within thirty days it is the device that it was
    stage.at(KNOWN - 1);
    let bob = with_code(&stage, "bob", (&key, "keyring")).await;
    devices::may_say_yes(&stage.backend, &bob).await.unwrap();
    stage.at(2 * KNOWN);
    let bob = with_code(&stage, "bob", (&key, "keyring")).await;
    assert_eq!(
        code(devices::may_say_yes(&stage.backend, &bob).await),
        "policy.new_device"
    );
    stage.at(2 * KNOWN + DAY);
    devices::may_say_yes(&stage.backend, &bob).await.unwrap();
}

#[tokio::test]
async fn attack_05_first_device_is_told_to_the_second() {
    let stage = company().await;
    let (key, own) = (new_key(), new_key());
    let thief = with_code(&stage, "kim", (&key, "keyring")).await;
    stage.at(60);
    let kim = with_code(&stage, "kim", (&own, "keyring")).await;
    let told = async |caller: &Caller| {
        let me = sign_in::me(&stage.backend, caller).await.unwrap();
        me.new_devices.into_iter().map(|device| device.id).collect::<Vec<_>>()
    };
    assert_eq!(told(&kim).await, [thief.session.device.to_string()]);
    assert_eq!(told(&thief).await, [kim.session.device.to_string()]);
    // what kim is told to do ends it, and nobody hears of it again
    sign_in::close_everywhere(&stage.backend, &kim).await.unwrap();
    assert_eq!(
        code(come(&stage, "kim", "", (&key, "keyring")).await),
        "session.device_unknown"
    );
    stage.at(120);
    let kim = with_code(&stage, "kim", (&own, "keyring")).await;
    assert!(told(&kim).await.is_empty());
    assert!(devices::may_say_yes(&stage.backend, &kim).await.is_err());
}

#[tokio::test]
async fn device_of_a_revoked_session_takes_a_code() {
    let stage = company().await;
    let (carol, key) = (stage.sign_in("carol").await, new_key());
    let bob = with_code(&stage, "bob", (&key, "keyring")).await;
    // signing out is no more than that
    sign_in::close(&stage.backend, &bob).await.unwrap();
    let bob = come(&stage, "bob", "", (&key, "keyring")).await.unwrap();
    admin::revoke(&stage.backend, &carol, bob.session.id.as_str())
        .await
        .unwrap();
    assert_eq!(
        code(come(&stage, "bob", "", (&key, "keyring")).await),
        "session.device_unknown"
    );
}

#[tokio::test]
async fn locked_person_does_not_come_back_by_a_key() {
    let stage = Stage::new().await;
    let (carol, key) = (stage.sign_in("carol").await, new_key());
    drop(with_code(&stage, "bob", (&key, "keyring")).await);
    lock(&stage, &carol, "bob").await.unwrap();
    assert_eq!(code(come(&stage, "bob", "", (&key, "keyring")).await), "access.locked");
    // whoever does not hold the key is told nothing of it
    assert_eq!(
        code(come(&stage, "bob", "", (&new_key(), "keyring")).await),
        "session.device_unknown"
    );
    unlock(&stage, &carol, "bob").await.unwrap();
    drop(come(&stage, "bob", "", (&key, "keyring")).await.unwrap());
}

#[tokio::test]
async fn first_code_is_shown_while_nobody_can_come_back() {
    let stage = company().await;
    let (key, in_file) = (new_key(), new_key());
    let waited_for = async || admin::first_code(&stage.backend).await.unwrap().is_some();
    let carol = with_code(&stage, "carol", (&in_file, "file")).await;
    assert!(!waited_for().await, "she is signed in");
    sign_in::close(&stage.backend, &carol).await.unwrap();
    assert!(waited_for().await, "her key is in a file");
    let carol = with_code(&stage, "carol", (&key, "keyring")).await;
    sign_in::close(&stage.backend, &carol).await.unwrap();
    for (secs, waits) in [(1, false), (KNOWN - 1, false), (KNOWN, true)] {
        stage.at(secs);
        assert_eq!(waited_for().await, waits, "{secs}");
    }
}
