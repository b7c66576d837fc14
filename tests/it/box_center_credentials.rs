//! Credentials of a permission set: fetched with the shared token, refreshed once, waited for, never another portal's.
//! Our stand-in is the other side, the backend a mock that has given the permission set.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::json;

use super::mock_center::{ACCOUNT, Granted, TARGET, assign, center, count, moments_later, now, seconds};
use super::shown::held;
use crate::harness::LIMIT;

const PROCESS: [&str; 2] = ["credential-process", TARGET];
const ASK: [&str; 6] = ["request", TARGET, "--for", "2h", "--reason", "the books"];

#[test]
fn credentials_come_with_their_own_end() {
    let center = center();
    let granted = Granted::start(&center);
    assign(&center, "alice");
    held(
        "identity_center_process_signed_out",
        &granted.machine.jit(&PROCESS).exits(4),
    );
    moments_later(&granted);
    granted.signs_in(&center, "alice");
    let run = granted.machine.jit(&PROCESS).exits(0);
    assert_eq!(run.stderr, "");
    let printed = run.json();
    assert_eq!(
        (&printed["Version"], &printed["AccountId"]),
        (&json!(1), &json!(ACCOUNT))
    );
    let session = center.view()["sessions"][0].clone();
    assert_eq!(printed["AccessKeyId"], session["access_key_id"]);
    let end = jit::domain::Timestamp::from_millis(session["expires_ms"].as_i64().unwrap());
    assert_eq!(printed["Expiration"], end.whole_second().to_string());
    // a hit asks nobody
    assert_eq!(granted.machine.jit(&PROCESS).exits(0).json(), printed);
    drop(granted.machine.jit(&["has", TARGET]).exits(0));
    let shell = ["env", TARGET, "--shell", "bash"];
    let lines = granted.machine.jit(&shell).exits(0);
    assert!(
        lines.stdout.contains(printed["AccessKeyId"].as_str().unwrap()),
        "{lines}"
    );
    assert_eq!(count(&center, "GetRoleCredentials"), 1);
}

#[test]
fn exec_beside_its_command_fetches_from_identity_center() {
    let center = center();
    let granted = Granted::start(&center);
    assign(&center, "alice");
    granted.signs_in(&center, "alice");
    let ask = "import os, urllib.request as u; r = u.Request(os.environ['AWS_CONTAINER_CREDENTIALS_FULL_URI'], headers={'Authorization': os.environ['AWS_CONTAINER_AUTHORIZATION_TOKEN']}); print(u.urlopen(r).read().decode())";
    let python = crate::harness::venv_program("python");
    let command = [python.to_str().unwrap(), "-c", ask];
    let run = granted
        .machine
        .jit(&[&["exec", TARGET, "--refresh", "--"], &command[..]].concat())
        .exits(0);
    assert_eq!(run.json()["AccessKeyId"], center.view()["sessions"][0]["access_key_id"]);
}

#[test]
fn token_that_is_refused_is_refreshed_once() {
    let center = center();
    let granted = Granted::start(&center);
    assign(&center, "alice");
    granted.signs_in(&center, "alice");
    let before = granted.token();
    drop(center.control(&json!({"expire_tokens": true})));
    drop(granted.machine.jit(&PROCESS).exits(0));
    let after = granted.token();
    for name in ["accessToken", "refreshToken"] {
        assert_ne!(before[name], after[name], "{name}");
    }
    assert_eq!(before["clientId"], after["clientId"]);
    assert_eq!(center.outcomes("GetRoleCredentials", "UnauthorizedException"), 1);
    // and one that cannot be refreshed takes a person
    drop(center.control(&json!({"end_sessions": true})));
    drop(granted.machine.jit(&["drop", TARGET]).exits(0));
    let run = granted.machine.jit(&PROCESS).exits(4);
    assert_eq!(
        run.stderr,
        format!("jit: signed out of Identity Center: run  jit login --identity-center {TARGET}\n")
    );
    assert_eq!(run.stdout, "");
}

#[test]
fn no_access_is_waited_for_while_the_grant_is_young() {
    let center = center();
    let granted = Granted::start(&center);
    granted.signs_in(&center, "alice");
    let begun = std::time::Instant::now();
    held(
        "identity_center_process_provisioning",
        &granted.machine.jit(&PROCESS).exits(10),
    );
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    moments_later(&granted);
    let waits = granted.machine.jit_command(&ASK).start();
    drop(waits.stderr_line("is being provisioned", LIMIT));
    assign(&center, "alice");
    held("identity_center_request_provisioned", &waits.finish(LIMIT).exits(0));
}

#[test]
fn no_access_of_an_older_grant_is_final() {
    let center = center();
    let granted = Granted::start(&center);
    // bob sits at this machine: what alice was given is not his
    assign(&center, "alice");
    granted.signs_in(&center, "bob");
    granted.change(|believed| believed.given_at = seconds(now(), -121));
    held("identity_center_not_assigned", &granted.machine.jit(&PROCESS).exits(9));
    assert_eq!(count(&center, "GetRoleCredentials"), 1);
    moments_later(&granted);
    // what was given anew takes its time again
    granted.change(|believed| believed.given_anew_at = Some(now()));
    let run = granted.machine.jit(&PROCESS).exits(10);
    assert!(run.stderr.contains("is being provisioned"), "{}", run.stderr);
}

#[test]
fn processes_at_once_refresh_a_token_once() {
    let center = center();
    let granted = Granted::start(&center);
    assign(&center, "alice");
    drop(center.control(&json!({"settings": {"token_seconds": 600}})));
    granted.signs_in(&center, "alice");
    drop(center.control(&json!({"settings": {"token_seconds": 28_800}})));
    let before = center.outcomes("CreateToken", "ok");
    // a cache of credentials each, so that none finds another's
    let running: Vec<_> = (0..6)
        .map(|at| {
            let cache = granted.machine.home().join(format!("cache-{at}"));
            let account = granted.machine.home().join(".cache/jit");
            copy(&account, &cache);
            granted
                .machine
                .jit_command(&PROCESS)
                .env("JIT_CACHE_DIR", cache)
                .start()
        })
        .collect();
    for run in running {
        drop(run.finish(LIMIT).exits(0));
    }
    assert_eq!(center.outcomes("CreateToken", "ok") - before, 1);
    assert_eq!(count(&center, "GetRoleCredentials"), 6);
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir(to).unwrap();
    std::fs::set_permissions(to, PermissionsExt::from_mode(0o700)).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let new = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &new),
            false => drop(std::fs::copy(&path, &new).unwrap()),
        }
    }
}

#[test]
fn token_that_cannot_be_refreshed_now_works_to_its_end() {
    let center = center();
    let granted = Granted::start(&center);
    assign(&center, "alice");
    drop(center.control(&json!({"settings": {"token_seconds": 600}})));
    granted.signs_in(&center, "alice");
    let before = granted.token();
    drop(center.control(&json!({"faults": [{"operation": "CreateToken", "fault": "internal"}]})));
    drop(granted.machine.jit(&PROCESS).exits(0));
    assert_eq!(granted.token(), before);
}

#[test]
fn torn_token_is_none() {
    let center = center();
    let granted = Granted::start(&center);
    assign(&center, "alice");
    granted.signs_in(&center, "alice");
    let (file, whole) = (
        granted.token_file(),
        std::fs::read_to_string(granted.token_file()).unwrap(),
    );
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    drop(granted.machine.jit(&PROCESS).exits(4));
    moments_later(&granted);
    std::fs::write(&file, &whole).unwrap();
    drop(granted.machine.jit(&PROCESS).exits(0));
}

/// It may have ended between the two calls: that is no fault of the backend's.
#[test]
fn grant_that_is_not_listed_any_more_is_not_live() {
    let center = center();
    let granted = Granted::start(&center);
    assign(&center, "alice");
    granted.signs_in(&center, "alice");
    granted.change(|believed| believed.state = "unlisted");
    let run = granted.machine.jit(&PROCESS).exits(10);
    assert_eq!(
        run.stderr,
        format!("jit: no live grant for {TARGET}: run  jit request {TARGET}\n")
    );
}

#[test]
fn attack_16_odd_keys_of_the_portal_are_not_kept() {
    let center = center();
    let granted = Granted::start(&center);
    assign(&center, "alice");
    granted.signs_in(&center, "alice");
    drop(center.control(&json!({"settings": {"portal_keys": "account"}})));
    let run = granted.machine.jit(&PROCESS).exits(9);
    // the backend is not who answers so
    assert_eq!(
        run.stderr,
        "jit: the credential of Identity Center is none: try again\n"
    );
    assert_eq!(run.stdout, "");
}

#[test]
fn attack_17_token_of_another_portal_is_never_sent() {
    let center = center();
    let granted = Granted::start(&center);
    assign(&center, "alice");
    granted.signs_in(&center, "alice");
    for (start_url, region) in [
        ("https://other.awsapps.com/start", "us-east-1"),
        (center.made["start_url"].as_str().unwrap(), "eu-west-1"),
    ] {
        granted.change(|believed| {
            start_url.clone_into(&mut believed.start_url);
            region.clone_into(&mut believed.region);
        });
        moments_later(&granted);
        drop(granted.machine.jit(&PROCESS).exits(4));
    }
    assert_eq!(count(&center, "GetRoleCredentials"), 0);
}
