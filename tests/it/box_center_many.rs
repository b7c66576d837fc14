//! An account of many by its name, on one's own machine: whatever takes a target knows it by its 12 digits. The backend is
//! the real one, our stand-in Identity Center.

use serde_json::json;

use super::identity_center::{listed, many};
use super::mock_center::{count, everything_in};
use crate::harness::{Backend, IdentityCenter, SealedBox};

const ID: &str = "ops/444444444444";
const NAME: &str = "ops/ledger";

/// Alice's machine; she signs in at the portal by whatever page is shown.
fn alice() -> (IdentityCenter, Backend, SealedBox) {
    let (center, plan) = many();
    let portal = json!({"organization": {"start_url": "https://d-1111111111.awsapps.com/start"}});
    drop(center.seed(&portal));
    let backend = plan.start();
    let mut alice = backend.machine_of("alice");
    for variable in ["AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"] {
        alice.set_env(variable, &center.url);
    }
    drop(center.control(&json!({"settings": {"browser": "alice"}})));
    listed(&alice, 2);
    (center, backend, alice)
}

fn sign_in(alice: &SealedBox, target: &str) {
    let login = ["login", "--identity-center", target, "--no-browser"];
    drop(alice.jit(&login).exits(0));
}

fn ask(alice: &SealedBox, target: &str) {
    let ask = ["request", target, "--for", "1h", "--reason", "night shift"];
    drop(alice.jit(&ask).exits(0));
}

#[test]
fn account_by_its_name_has_the_credentials_of_its_id() {
    let (center, _backend, alice) = alice();
    sign_in(&alice, "ops");
    ask(&alice, NAME);
    let printed = alice.jit(&["credential-process", ID]).exits(0).json();
    let key = printed["AccessKeyId"].as_str().unwrap();
    assert_eq!(alice.jit(&["credential-process", NAME]).exits(0).json(), printed);
    let command = ["/bin/sh", "-c", "echo $JIT_TARGET $AWS_ACCESS_KEY_ID"];
    let exec = alice.jit(&[&["exec", NAME, "--"], &command[..]].concat()).exits(0);
    assert_eq!(exec.stdout, format!("{ID} {key}\n"));
    let env = alice.jit(&["env", NAME, "--shell", "bash"]).exits(0);
    assert!(
        env.stdout.contains(key) && env.stderr.contains(&format!("Keys of {ID}")),
        "{env}"
    );
    drop(alice.jit(&["has", NAME]).exits(0));
    assert_eq!(count(&center, "GetRoleCredentials"), 1);
}

#[test]
fn account_that_is_given_back_by_its_name_leaves_no_credential() {
    let (_center, _backend, alice) = alice();
    sign_in(&alice, "ops");
    ask(&alice, NAME);
    let printed = alice.jit(&["credential-process", ID]).exits(0).json();
    let (key, cache) = (printed["AccessKeyId"].as_str().unwrap(), alice.home().join(".cache"));
    assert!(everything_in(&cache).contains(key));
    let given_back = alice.jit(&["drop", NAME, "-o", "json"]).exits(0).json();
    assert_eq!(given_back["target"], ID);
    assert!(!everything_in(&cache).contains(key));
    let live = std::fs::read_to_string(alice.home().join(".local/state/jit/live")).unwrap();
    assert_eq!(live, "");
    assert_eq!(alice.jit(&["credential-process", ID]).exits(10).stdout, "");
    // what was had is known by its name while a session of it may live
    for (typed, name) in [(NAME, ID), ("ops/nobody", "ops/nobody")] {
        let run = alice.jit(&["credential-process", typed]).exits(10);
        assert_eq!(
            run.stderr,
            format!("jit: no live grant for {name}: run  jit request {name}\n")
        );
    }
}

#[test]
fn setup_writes_the_digits_of_an_account() {
    let (_center, _backend, alice) = alice();
    let config = alice.home().join(".aws/config");
    let setup = |args: &[&str]| alice.jit(&[&["setup", "--yes"], args].concat());
    // nothing is open: the list has it
    drop(setup(&[NAME]).exits(0));
    let text = std::fs::read_to_string(&config).unwrap();
    assert!(
        text.contains("[profile jit-ops/444444444444]") && text.contains(&format!(" {ID} ")),
        "{text}"
    );
    assert!(!text.contains("ledger"), "{text}");
    drop(setup(&["--undo", NAME]).exits(0));
    assert!(!std::fs::read_to_string(&config).unwrap().contains("ops"));
    let none = setup(&["ops/nobody"]).exits(10);
    assert_eq!(
        none.stderr,
        "jit: no account of ops is listed as nobody\n  name the one by its 12 digits\n"
    );
}

#[test]
fn sign_in_for_an_account_finds_the_portal_of_its_target() {
    let (center, _backend, alice) = alice();
    for (at, target) in ["ops", ID, NAME, "ops/nobody"].into_iter().enumerate() {
        sign_in(&alice, target);
        assert_eq!(
            center.outcomes("StartDeviceAuthorization", "ok"),
            at as u64 + 1,
            "{target}"
        );
    }
    let beside = alice.jit(&["login", "--identity-center", "dev-admin/x", "--no-browser"]);
    assert!(beside.exits(10).stderr.contains("no target named dev-admin/x"));
}

#[test]
fn aws_tool_asks_for_an_account_of_many_by_itself() {
    let (_center, _backend, alice) = alice();
    // whether it is given within the limit is the machine's
    drop(alice.jit(&["credential-process", ID, "--request-on-miss"]));
    let asked = alice.jit(&["status", "-o", "json"]).exits(0).json();
    assert_eq!(asked["requests"][0]["target"], ID, "{asked}");
}
