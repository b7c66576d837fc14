//! The end of a grant on a permission set: what is said before it, what is left after it, and the policy for the rest.
//! Our stand-in is the other side; the backend is a mock that has given the permission set, and once the real one.

use serde_json::json;

use super::mock_center::{Granted, REQUEST, SESSION_S, TARGET, assign, center, everything_in, now, seconds};
use super::shown::held;
use crate::harness::{LIMIT, wait_until};

const PROCESS: [&str; 2] = ["credential-process", TARGET];
const ASK: [&str; 6] = ["request", TARGET, "--for", "2h", "--reason", "the books"];

#[test]
fn nothing_is_handed_out_after_the_end_of_the_grant() {
    let center = center();
    let granted = Granted::start(&center);
    assign(&center, "alice");
    granted.signs_in(&center, "alice");
    let ends_at = seconds(now(), 6);
    granted.change(|believed| believed.ends_at = ends_at);
    let printed = granted.machine.jit(&PROCESS).exits(0).json();
    // the truth: AWS takes it for an hour
    let end = jit::domain::Timestamp::parse(printed["Expiration"].as_str().unwrap()).unwrap();
    assert!(end.since(now()) > 3_500, "{printed}");
    let (key, cache) = (
        printed["AccessKeyId"].as_str().unwrap(),
        granted.machine.home().join(".cache"),
    );
    assert!(everything_in(&cache).contains(key));
    wait_until("the end of the grant", LIMIT, || {
        let run = granted.machine.jit(&PROCESS);
        (run.status != Some(0)).then_some(())
    });
    assert!(
        !everything_in(&cache).contains(key),
        "keys that work lie there after the end"
    );
    // and no session was begun after the end, give or take what two clocks of whole seconds are apart
    let sessions = center.view()["sessions"].clone();
    let begun = |one: &serde_json::Value| one["expires_ms"].as_i64().unwrap() - SESSION_S * 1000;
    let last = sessions.as_array().unwrap().iter().map(begun).max().unwrap();
    assert!(last < ends_at.millis() + 1_000, "{sessions}");
}

#[test]
fn grant_that_was_taken_leaves_nothing_in_the_cache() {
    let center = center();
    let granted = Granted::start(&center);
    assign(&center, "alice");
    granted.signs_in(&center, "alice");
    let key = granted.machine.jit(&PROCESS).exits(0).json()["AccessKeyId"]
        .as_str()
        .unwrap()
        .to_owned();
    granted.change(|believed| believed.state = "ended");
    drop(granted.machine.jit(&["status"]).exits(0));
    assert!(!everything_in(&granted.machine.home().join(".cache")).contains(&key));
}

#[test]
fn attack_21_narrowing_is_refused_before_anything_is_sent() {
    let center = center();
    let granted = Granted::start(&center);
    for more in [&["--only", "s3:Get*"][..], &["--only", "s3:Get*", "--dry-run"]] {
        let run = granted.machine.jit(&[&ASK[..], more].concat()).exits(2);
        held("attack_21_narrowing_in_identity_center", &run);
    }
    let sent: Vec<String> = granted
        .server
        .requests()
        .into_iter()
        .filter(|line| line.starts_with("POST"))
        .collect();
    assert!(sent.is_empty(), "{sent:?}");
}

#[test]
fn session_that_outlives_the_grant_is_said_everywhere() {
    let center = center();
    let granted = Granted::start(&center);
    let dry = granted.machine.jit(&[&ASK[..], &["--dry-run"]].concat()).exits(0);
    held("identity_center_dry_run", &dry);
    held("identity_center_status", &granted.machine.jit(&["status"]).exits(0));
    held(
        "identity_center_status_of_one",
        &granted.machine.jit(&["status", REQUEST]).exits(0),
    );
    let why = ["--reason", "left the team"];
    let revoked = granted
        .machine
        .jit(&[&["revoke", "grt_000000000001"], &why[..]].concat());
    held("identity_center_revoke", &revoked.exits(0));
    held("identity_center_drop", &granted.machine.jit(&["drop", TARGET]).exits(0));
}

#[test]
fn permission_set_is_usable_from_the_approval_to_its_end() {
    let center = super::identity_center::center();
    let portal = json!({"organization": {"start_url": "https://d-1111111111.awsapps.com/start"}});
    drop(center.seed(&portal));
    let backend = super::identity_center::plan(&center).start();
    let mut alice = backend.machine_of("alice");
    for variable in ["AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"] {
        alice.set_env(variable, &center.url);
    }
    drop(center.control(&json!({"settings": {"browser": "alice", "propagation_ms": 1_500}})));
    drop(alice.jit(&["login", "--identity-center", "--no-browser"]).exits(0));
    let ask = ["request", "dev-admin", "--for", "1h", "--reason", "night shift"];
    let narrowed = alice.jit(&[&ask[..], &["--only", "s3:Get*"]].concat()).exits(2);
    assert!(narrowed.stderr.contains("cannot be narrowed"), "{narrowed}");
    let dry = alice.jit(&[&ask[..], &["--dry-run"]].concat()).exits(0);
    assert!(dry.stdout.contains("goes on for 1h after the end"), "{dry}");
    let asked = alice.jit(&ask).exits(0);
    assert!(asked.stderr.contains("is being provisioned"), "{asked}");
    assert!(
        asked
            .stderr
            .contains("A session begun in its last second goes on until"),
        "{asked}"
    );
    let process = ["credential-process", "dev-admin"];
    let printed = alice.jit(&process).exits(0).json();
    assert_eq!(printed["AccessKeyId"], center.view()["sessions"][0]["access_key_id"]);
    drop(alice.jit(&["drop", "dev-admin"]).exits(0));
    assert_eq!(alice.jit(&process).exits(10).stdout, "");
    wait_until("the assignment to go", LIMIT, || {
        center.assignments().is_empty().then_some(())
    });
}

#[test]
fn identities_on_one_machine_are_two_users_there() {
    let center = super::identity_center::center();
    let portal = json!({"organization": {"start_url": "https://d-1111111111.awsapps.com/start"}});
    drop(center.seed(&portal));
    let backend = super::identity_center::plan(&center).start();
    let mut machine = backend.machine_of("alice");
    backend.sign_in(&mut machine, "bob");
    for variable in ["AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"] {
        machine.set_env(variable, &center.url);
    }
    let login = ["login", "--identity-center", "dev-admin", "--no-browser"];
    let process = ["credential-process", "dev-admin"];
    let ask = ["request", "dev-admin", "--for", "1h", "--reason", "night shift"];
    let by = |who: &'static str, args: &[&str]| machine.jit(&[&["--identity", who], args].concat());
    let sign_in = |who: &'static str| {
        drop(center.control(&json!({"settings": {"browser": who}})));
        drop(by(who, &login).exits(0));
    };
    sign_in("alice");
    drop(by("alice", &ask).exits(0));
    // alice's token is not bob's, although both sit here
    drop(by("bob", &ask).exits(4));
    sign_in("bob");
    for who in ["alice", "bob"] {
        drop(by(who, &["drop", "dev-admin"]).exits(0));
        wait_until("the assignment to go", LIMIT, || {
            (!center.assignments().iter().any(|one| one.ends_with(who))).then_some(())
        });
        let before = center.view()["sessions"].as_array().unwrap().len();
        drop(by(who, &ask).exits(0));
        let keys = by(who, &process).exits(0).json();
        let session = center.view()["sessions"][before].clone();
        assert_eq!(
            (&session["user"], &session["access_key_id"]),
            (&json!(who), &keys["AccessKeyId"])
        );
    }
    let tokens = || {
        std::fs::read_dir(machine.home().join(".aws/sso/cache"))
            .unwrap()
            .count()
    };
    assert_eq!(tokens(), 2);
    drop(by("bob", &["logout"]).exits(0));
    assert_eq!(tokens(), 1);
    drop(by("alice", &["drop", "dev-admin"]).exits(0));
    drop(by("alice", &ask).exits(0));
}
