//! Attack 25 on a backend that a file sets up: files and folders of it that somebody else can write.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::box_serve_config::{Machine, NAME, get, production};
use crate::harness::{LIMIT, wait_until};
use crate::shown::held;

#[test]
fn attack_25_files_open_to_others_keep_a_backend_from_starting() {
    let machine = Machine::new();
    machine.say(&production());
    for (name, path, mode, mend) in [
        ("file", "jit.toml", 0o666, 0o644),
        ("folder", "", 0o777, 0o700),
        ("policy", "policy", 0o775, 0o755),
        ("policy_file", "policy/10-access.cedar", 0o666, 0o644),
        ("policy_subfolder", "policy/security", 0o777, 0o700),
        ("database", "jit.db", 0o646, 0o600),
        ("key", "sealing.key", 0o640, 0o600),
    ] {
        let path = machine.etc.join(path);
        let set = |mode| fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        set(mode);
        held(
            &format!("serve_config_open_{name}_exits_three"),
            &machine.serve(&[]).run().exits(3),
        );
        set(mend);
    }
    drop(machine.start_and_stop(&[]));
    let home = machine.machine.home();
    fs::set_permissions(&home, Permissions::from_mode(0o777)).unwrap();
    held("serve_config_open_way_exits_three", &machine.serve(&[]).run().exits(3));
    fs::set_permissions(&home, Permissions::from_mode(0o700)).unwrap();
    drop(machine.start_and_stop(&[]));
}

#[test]
fn attack_25_policy_that_others_write_is_never_put_in_force() {
    let machine = Machine::new();
    let served = machine.say(&production()).start(&[]);
    let ready = || get(served.address(), NAME, "/readyz");
    let before = ready();
    assert!(before.starts_with("HTTP/1.1 200 "), "{before}");
    let hash = |answer: &str| {
        let body: Value = serde_json::from_str(answer.rsplit("\r\n\r\n").next().unwrap()).unwrap();
        body["policy_hash"].as_str().unwrap().to_owned()
    };
    let policy = machine.etc.join("policy");
    let good = fs::read_to_string(policy.join("10-access.cedar")).unwrap();
    let evil = format!("{good}\npermit (principal, action, resource);\n");
    let set = |name: &str, mode| fs::set_permissions(policy.join(name), Permissions::from_mode(mode)).unwrap();
    for (name, open, shut) in [
        ("10-access.cedar", 0o666, 0o600),
        ("security", 0o777, 0o700),
        ("", 0o777, 0o700),
    ] {
        set(name, open);
        fs::write(policy.join("10-access.cedar"), &evil).unwrap();
        let refused = wait_until("a policy that is refused", LIMIT, || {
            Some(ready()).filter(|answer| answer.contains("can be written by others; try: chmod go-w "))
        });
        assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
        assert_eq!(hash(&refused), hash(&before), "{name}");
        fs::write(policy.join("10-access.cedar"), &good).unwrap();
        set(name, shut);
        wait_until("a policy that is believed again", LIMIT, || {
            ready().starts_with("HTTP/1.1 200 ").then_some(())
        });
    }
    assert_eq!(hash(&ready()), hash(&before));
    let log = served.stop().stderr;
    assert_eq!(log.matches("policy was loaded").count(), 0, "{log}");
}
