//! What somebody can do with a copy of a laptop's state folder.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::harness::{BackendPlan, SealedBox};

fn put(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn copied_state_folder_without_the_keyring_calls_nobody() {
    let backend = BackendPlan::with_aws("http://127.0.0.1:9").start();
    let alice = backend.machine_of("alice");
    let state = alice.home().join(".local/state/jit");
    let thief = SealedBox::new();
    let copied = thief.home().join(".local/state/jit");
    fs::create_dir_all(&copied).unwrap();
    fs::set_permissions(&copied, Permissions::from_mode(0o700)).unwrap();
    // where there is a keyring, token and device key are in it: the list says so, and the file of secrets is not there
    let listed = fs::read_to_string(state.join("sessions.json")).unwrap();
    assert!(listed.contains("\"storage\": \"file\""), "{listed}");
    put(
        &copied.join("sessions.json"),
        &listed.replace("\"file\"", "\"keyring\""),
    );
    let mute = |args: &[&str]| {
        let command = thief.jit_command(args);
        command
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
            .run()
    };
    let run = mute(&["-vv", "--server", backend.url(), "--identity", "alice", "whoami"]);
    assert!([Some(3), Some(4)].contains(&run.status), "{run}");
    // with the file, but not its key: the token alone
    put(&copied.join("sessions.json"), &listed);
    let secrets: Value = serde_json::from_str(&fs::read_to_string(state.join("secrets.json")).unwrap()).unwrap();
    let mut without_key = secrets.clone();
    let kept = without_key.as_object_mut().unwrap();
    let before = kept.len();
    kept.retain(|name, _| !name.starts_with("device-key "));
    assert!(kept.len() < before, "{:?}", kept.keys());
    put(&copied.join("secrets.json"), &without_key.to_string());
    drop(mute(&["--server", backend.url(), "--identity", "alice", "whoami"]).exits(4));
    // all of it is the person: that is what the page says
    put(&copied.join("secrets.json"), &secrets.to_string());
    let run = mute(&["--server", backend.url(), "--identity", "alice", "whoami"]);
    assert!([Some(0), Some(4)].contains(&run.status), "{run}");
}
