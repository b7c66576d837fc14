//! Several tokens of one portal on one machine: which of them is used, which stays, and which is nobody else's. Our stand-in
//! is the other side; the backend is a mock that has given the permission set, and once the real one.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::mock_center::{Granted, TARGET, assign, center, count, now, seconds};
use crate::harness::{IdentityCenter, SealedBox};

const PROCESS: [&str; 2] = ["credential-process", TARGET];
/// `printf corp | sha1sum`
const CORP: &str = "ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

fn in_cache(machine: &SealedBox, file: &str) -> PathBuf {
    machine.home().join(".aws/sso/cache").join(file)
}

/// Puts `token` beside what is there, for nobody else to read.
fn put(machine: &SealedBox, file: &str, token: &Value) -> String {
    let (path, text) = (in_cache(machine, file), token.to_string());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, &text).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    text
}

/// `token` as an old AWS CLI keeps it: it works longer, and nothing refreshes it.
fn as_of_the_cli(mut token: Value) -> Value {
    let token_keys = token.as_object_mut().unwrap();
    for name in ["clientId", "clientSecret", "refreshToken", "registrationExpiresAt"] {
        token_keys.remove(name);
    }
    token["expiresAt"] = json!(seconds(now(), 86_400).whole_second().to_string());
    token
}

/// As if nothing were known of who wrote which.
fn forget_who_wrote(granted: &Granted) {
    std::fs::remove_file(granted.machine.home().join(".local/state/jit/identity-center.json")).unwrap();
}

/// A configuration that signs in to `center` under the name `corp`.
fn configure(machine: &SealedBox, center: &IdentityCenter) {
    let start_url = center.made["start_url"].as_str().unwrap();
    let config = machine.home().join(".aws/config");
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    let text = format!("[sso-session corp]\nsso_start_url = {start_url}\nsso_region = us-east-1\n");
    std::fs::write(&config, text).unwrap();
}

fn unknown(center: &IdentityCenter) -> u64 {
    center.outcomes("GetRoleCredentials", "UnauthorizedException")
}

#[test]
fn token_that_the_portal_knows_no_longer_makes_room() {
    let center = center();
    let granted = Granted::start(&center);
    assign(&center, "alice");
    granted.signs_in(&center, "alice");
    let mut gone = as_of_the_cli(granted.token());
    gone["accessToken"] = json!("gone");
    put(&granted.machine, &format!("{}.json", "0".repeat(40)), &gone);
    // what was written for alice goes first
    drop(granted.machine.jit(&PROCESS).exits(0));
    assert_eq!(unknown(&center), 0);
    drop(granted.machine.jit(&["drop", TARGET]).exits(0));
    forget_who_wrote(&granted);
    drop(granted.machine.jit(&PROCESS).exits(0));
    assert_eq!(unknown(&center), 1);
}

#[test]
fn token_of_another_user_makes_room() {
    let center = center();
    let granted = Granted::start(&center);
    assign(&center, "alice");
    granted.signs_in(&center, "bob");
    let bobs = as_of_the_cli(granted.token());
    granted.signs_in(&center, "alice");
    put(&granted.machine, &format!("{}.json", "0".repeat(40)), &bobs);
    let user = |at: usize| center.view()["sessions"][at]["user"].clone();
    drop(granted.machine.jit(&PROCESS).exits(0));
    assert_eq!((user(0), count(&center, "GetRoleCredentials")), (json!("alice"), 1));
    // also where nobody knows whose is whose: of a young grant without a wait, of an old one without an end
    forget_who_wrote(&granted);
    for (at, age) in [(1, 0), (2, -121)] {
        drop(granted.machine.jit(&["drop", TARGET]).exits(0));
        granted.change(|believed| believed.given_at = seconds(now(), age));
        let run = granted.machine.jit(&PROCESS).exits(0);
        assert_eq!((user(at), run.stderr.as_str()), (json!("alice"), ""));
    }
    assert_eq!(count(&center, "GetRoleCredentials"), 5);
}

#[test]
fn sign_in_leaves_the_token_that_the_aws_cli_works_with() {
    let center = center();
    let granted = Granted::start(&center);
    assign(&center, "alice");
    configure(&granted.machine, &center);
    let cli = json!({
        "startUrl": center.made["start_url"], "region": "us-east-1", "accessToken": "everyday",
        "expiresAt": seconds(now(), 86_400).whole_second().to_string(),
        "clientId": "c", "clientSecret": "s", "registrationExpiresAt": "2099-01-01T00:00:00Z",
    });
    let text = put(&granted.machine, CORP, &cli);
    granted.signs_in(&center, "alice");
    let read = || std::fs::read_to_string(in_cache(&granted.machine, CORP)).unwrap();
    assert_eq!(read(), text);
    drop(granted.machine.jit(&PROCESS).exits(0));
    assert_eq!(unknown(&center), 0);
    // one that is over is in nobody's way: then the two share one sign-in
    let mut over = cli;
    over["expiresAt"] = json!("2026-01-01T00:00:00Z");
    let text = put(&granted.machine, CORP, &over);
    granted.signs_in(&center, "alice");
    assert_ne!(read(), text);
}

#[test]
fn attack_25_token_that_stays_after_logout_is_nobody_elses() {
    let center = super::identity_center::center();
    let portal = json!({"organization": {"start_url": "https://d-1111111111.awsapps.com/start"}});
    drop(center.seed(&portal));
    let backend = super::identity_center::plan(&center).start();
    let mut machine = backend.machine_of("alice");
    backend.sign_in(&mut machine, "bob");
    for variable in ["AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"] {
        machine.set_env(variable, &center.url);
    }
    let config = machine.home().join(".aws/config");
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    let text = "[sso-session corp]\nsso_start_url = https://d-1111111111.awsapps.com/start\nsso_region = us-east-1\n";
    std::fs::write(&config, text).unwrap();
    let by = |who: &'static str, args: &[&str]| machine.jit(&[&["--identity", who], args].concat());
    drop(center.control(&json!({"settings": {"browser": "alice"}})));
    let login = ["login", "--identity-center", "dev-admin", "--no-browser"];
    drop(by("alice", &login).exits(0));
    let told = by("alice", &["logout"]).exits(0);
    assert!(
        told.stderr.ends_with(
            "jit: AWS tools stay signed in at https://d-1111111111.awsapps.com/start as alice\n  mend: aws sso logout\n"
        ),
        "{told}"
    );
    assert!(in_cache(&machine, CORP).exists());
    // bob would act as alice there
    let ask = ["request", "dev-admin", "--for", "1h", "--reason", "night shift"];
    let bob = by("bob", &ask).exits(4);
    assert!(bob.stderr.contains("signed out of Identity Center"), "{bob}");
    assert_eq!(count(&center, "GetRoleCredentials"), 0);
}
