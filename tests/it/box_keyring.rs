//! Where the device key is kept: in a real keyring, in a file, and on its way from one to the other.

use std::fs;

use serde_json::Value;

use crate::harness::{Backend, BackendPlan, Keyring, Run, SealedBox};

const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";

fn login(backend: &Backend, machine: &SealedBox, who: &str) -> Run {
    let code = backend.code(who);
    machine.jit(&["login", "--server", backend.url(), "--identity", who, "--code", code])
}

fn me(machine: &SealedBox, who: &str) -> Value {
    machine
        .jit(&["--identity", who, "whoami", "-o", "json"])
        .exits(0)
        .json()
}

/// The names of what the file of secrets has.
fn in_the_file(machine: &SealedBox) -> Vec<String> {
    let file = machine.home().join(".local/state/jit/secrets.json");
    let secrets: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    secrets.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn login_moves_the_key_of_a_file_into_the_keyring() {
    let Some(keyring) = Keyring::open("login_moves_the_key_of_a_file_into_the_keyring") else {
        return;
    };
    let backend = BackendPlan::with_aws("http://127.0.0.1:9").start();
    // over SSH, say
    let mut machine = backend.machine_of("alice");
    let key = format!("device-key {}", backend.url());
    assert!(in_the_file(&machine).contains(&key));
    machine.set_env(BUS, &keyring.bus);
    let told = login(&backend, &machine, "bob").exits(0).stderr;
    let file = machine.home().join(".local/state/jit/secrets.json");
    let moved = format!("The device key was moved from {} into the keyring.\n", file.display());
    assert!(told.ends_with(&moved), "{told}");
    assert_eq!(in_the_file(&machine), [format!("session {} alice", backend.url())]);
    let (alice, bob) = (me(&machine, "alice"), me(&machine, "bob"));
    assert_eq!(alice["device"], bob["device"]);
    assert_eq!([&alice["key_storage"], &bob["key_storage"]], ["file", "keyring"]);
    let told = login(&backend, &machine, "carol").exits(0).stderr;
    assert_eq!(told.lines().count(), 1, "{told}");
    assert_eq!(me(&machine, "carol")["device"], bob["device"]);
    // where it cannot be reached nobody has it
    machine.remove_env(BUS);
    drop(machine.jit(&["--identity", "alice", "whoami"]).exits(4));
    drop(machine.jit(&["--identity", "bob", "whoami"]).exits(3));
}

#[test]
fn keyring_keeps_its_key_beside_one_of_a_file() {
    let Some(keyring) = Keyring::open("keyring_keeps_its_key_beside_one_of_a_file") else {
        return;
    };
    let backend = BackendPlan::with_aws("http://127.0.0.1:9").start();
    let mut machine = SealedBox::new().with_env(BUS, &keyring.bus);
    let told = login(&backend, &machine, "alice").exits(0).stderr;
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(!machine.home().join(".local/state/jit/secrets.json").exists());
    machine.remove_env(BUS);
    let told = login(&backend, &machine, "bob").exits(0).stderr;
    assert!(
        told.contains("No keyring here: session and device key are in "),
        "{told}"
    );
    let before = in_the_file(&machine);
    machine.set_env(BUS, &keyring.bus);
    let told = login(&backend, &machine, "carol").exits(0).stderr;
    assert_eq!(told.lines().count(), 1, "{told}");
    assert_eq!(in_the_file(&machine), before);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|who| me(&machine, who)["device"].clone());
    assert_eq!(alice, carol);
    assert_ne!(alice, bob);
}

#[test]
fn keyring_that_does_not_answer_is_not_none() {
    let backend = BackendPlan::with_aws("http://127.0.0.1:9").start();
    let keyring = Keyring::hanging();
    let mut machine = SealedBox::new().with_env(BUS, &keyring.bus);
    let refused = login(&backend, &machine, "alice").exits(3);
    let said = "jit: the keyring failed: the keyring does not answer\n  unlock it, or set JIT_KEYRING=file and sign in again\n";
    assert_eq!(refused.stderr, said);
    assert!(!machine.home().join(".local/state/jit/secrets.json").exists());
    // the code was not spent
    drop(login(&backend, &machine.with_env("JIT_KEYRING", "file"), "alice").exits(0));
    machine = backend.machine_of("bob");
    machine.set_env(BUS, &keyring.bus);
    let told = login(&backend, &machine, "carol").exits(0).stderr;
    let stays = "secrets.json: the keyring does not answer\n  mend: unlock the keyring, then  jit login\n";
    assert!(
        told.contains("jit: the device key stays in ") && told.ends_with(stays),
        "{told}"
    );
    assert_eq!(me(&machine, "bob")["device"], me(&machine, "carol")["device"]);
}

#[test]
fn locked_keyring_makes_no_key_in_a_file() {
    let Some(keyring) = Keyring::locked("locked_keyring_makes_no_key_in_a_file") else {
        return;
    };
    let backend = BackendPlan::with_aws("http://127.0.0.1:9").start();
    let machine = SealedBox::new().with_env(BUS, &keyring.bus);
    let refused = login(&backend, &machine, "alice").exits(3);
    assert!(
        refused.stderr.starts_with("jit: the keyring failed: "),
        "{}",
        refused.stderr
    );
    assert!(!machine.home().join(".local/state/jit/secrets.json").exists());
}

#[test]
fn device_in_a_keyring_signs_in_without_a_code() {
    let Some(keyring) = Keyring::open("device_in_a_keyring_signs_in_without_a_code") else {
        return;
    };
    let backend = BackendPlan::with_aws("http://127.0.0.1:9").start();
    let machine = SealedBox::new().with_env(BUS, &keyring.bus);
    drop(login(&backend, &machine, "alice").exits(0));
    let before = me(&machine, "alice");
    drop(machine.jit(&["logout"]).exits(0));
    // by name; then, while she is the last who signed in, without one
    for args in [
        &["login", "--server", backend.url(), "--identity", "alice"][..],
        &["login"][..],
    ] {
        let told = machine.jit(args).exits(0).stderr;
        assert!(told.starts_with("Signed in as alice at "), "{told}");
    }
    let after = me(&machine, "alice");
    assert_eq!(
        (&after["device"], &after["method"]),
        (&before["device"], &"local".into())
    );
    assert_ne!(after["session"], before["session"]);
    let told = machine.jit(&["logout", "--everywhere"]).exits(0).stderr;
    assert!(told.contains("Signing in again takes a one-time code."), "{told}");
    // nobody is there to be asked for the code
    drop(
        machine
            .jit(&["login", "--server", backend.url(), "--identity", "alice"])
            .exits(2),
    );
}
