//! Signing in to Identity Center and out of it, on one's own machine: our stand-in is the other side, the backend a mock
//! that has given the permission set.

use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;
use serde_json::json;

use super::mock_center::{Granted, REQUEST, TARGET, assign, browser_of, center, count, moments_later};
use super::shown::held;
use crate::harness::{LIMIT, Run, Terminal};

const PROCESS: [&str; 2] = ["credential-process", TARGET];
const LOGIN: [&str; 3] = ["login", "--identity-center", TARGET];
const WITH_CODE: [&str; 4] = ["login", "--identity-center", TARGET, "--no-browser"];
const ASK: [&str; 6] = ["request", TARGET, "--for", "2h", "--reason", "the books"];

/// No token, no secret, no code to be exchanged.
#[track_caller]
fn tells_no_secret(granted: &Granted, run: &Run) {
    let token = granted.token();
    for name in ["accessToken", "refreshToken", "clientSecret"] {
        let secret = token[name].as_str().unwrap();
        assert!(
            !run.stdout.contains(secret) && !run.stderr.contains(secret),
            "{name}: {run}"
        );
    }
}

#[test]
fn login_with_a_code_keeps_a_token_as_aws_tools_have_it() {
    let center = center();
    let granted = Granted::start(&center);
    browser_of(&center, json!("alice"));
    let run = granted.machine.jit(&WITH_CODE).exits(0);
    held("identity_center_login_with_a_code", &run);
    tells_no_secret(&granted, &run);
    let token = granted.token();
    let mut names: Vec<&String> = token.as_object().unwrap().keys().collect();
    names.sort();
    let expected = [
        "accessToken",
        "clientId",
        "clientSecret",
        "expiresAt",
        "refreshToken",
        "region",
        "registrationExpiresAt",
        "startUrl",
    ];
    assert_eq!(names, expected);
    assert_eq!(token["startUrl"], center.made["start_url"]);
    assert_eq!(token["region"], "us-east-1");
    for name in ["expiresAt", "registrationExpiresAt"] {
        let text = token[name].as_str().unwrap();
        assert!(text.len() == 20 && text.ends_with('Z'), "{text}");
    }
    let mode = std::fs::metadata(granted.token_file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let client = center.view()["clients"][0].clone();
    assert_eq!(client["scopes"], json!(["sso:account:access"]));
    assert_eq!(client["clientType"], "public");
}

#[test]
fn login_with_a_code_prints_a_line_of_json_each() {
    let center = center();
    let granted = Granted::start(&center);
    browser_of(&center, json!("alice"));
    let lines = granted
        .machine
        .jit(&[&WITH_CODE[..], &["-o", "json"]].concat())
        .exits(0)
        .json_lines();
    assert_eq!(lines[0]["schema"], "jit/identity-center-code/1");
    assert!(lines[0]["url"].as_str().unwrap().starts_with(&center.url), "{lines:?}");
    assert_eq!(lines[1]["schema"], "jit/login-identity-center/1");
    assert_eq!(lines[1]["start_url"], center.made["start_url"]);
    assert_eq!(lines.len(), 2);
}

#[test]
fn login_with_a_browser_needs_no_code() {
    let center = center();
    let granted = Granted::start(&center);
    browser_of(&center, json!("alice"));
    let run = granted
        .machine
        .jit_command(&LOGIN)
        .env("BROWSER", granted.browser())
        .run()
        .exits(0);
    held("identity_center_login_with_a_browser", &run);
    tells_no_secret(&granted, &run);
    assert_eq!(
        (count(&center, "Authorize"), count(&center, "StartDeviceAuthorization")),
        (1, 0)
    );
    let client = center.view()["clients"][0].clone();
    assert_eq!(client["redirectUris"], json!(["http://127.0.0.1/oauth/callback"]));
    assert_eq!(client["grantTypes"], json!(["authorization_code", "refresh_token"]));
    // the only target in Identity Center need not be named
    let unnamed = granted
        .machine
        .jit_command(&LOGIN[..2])
        .env("BROWSER", granted.browser());
    drop(unnamed.run().exits(0));
}

#[test]
fn login_without_a_browser_goes_on_with_a_code() {
    let center = center();
    let granted = Granted::start(&center);
    browser_of(&center, json!("alice"));
    let run = granted
        .machine
        .jit_command(&LOGIN)
        .env("BROWSER", "/nonexistent/browser")
        .run();
    held("identity_center_login_without_a_browser", &run.exits(0));
}

#[test]
fn login_that_somebody_refuses_exits_four() {
    let center = center();
    let granted = Granted::start(&center);
    let run = granted
        .machine
        .jit_command(&LOGIN)
        .env("BROWSER", granted.browser())
        .run();
    held("identity_center_login_refused_in_the_browser", &run.exits(4));
    let waits = granted.machine.jit_command(&WITH_CODE).start();
    drop(waits.stderr_line("Open ", LIMIT));
    drop(center.control(&json!({"deny": {}})));
    held("identity_center_login_refused_by_code", &waits.finish(LIMIT).exits(4));
    assert!(!granted.machine.home().join(".aws/sso/cache").exists());
}

#[test]
fn login_ends_at_the_interrupt_key() {
    let center = center();
    let granted = Granted::start(&center);
    let waits = granted.machine.jit_command(&WITH_CODE).start();
    drop(waits.stderr_line("Open ", LIMIT));
    waits.signal(Signal::INT);
    held("identity_center_login_interrupted", &waits.finish(LIMIT).exits(130));
    assert!(!granted.machine.home().join(".aws/sso/cache").exists());
}

#[test]
fn attack_16_page_of_somebody_else_is_not_shown() {
    let center = center();
    let mut granted = Granted::start(&center);
    // the sign-in service answers by another name than the pages that it sends people to
    let other = center.url.replace("127.0.0.1", "localhost");
    granted.machine.set_env("AWS_ENDPOINT_URL_SSO_OIDC", other);
    let run = granted.machine.jit(&WITH_CODE).exits(9);
    assert!(!run.stderr.contains("/device"), "{run}");
    held("identity_center_page_is_not_aws", &run);
}

#[test]
fn attack_16_instance_of_the_backend_leads_nowhere_else() {
    let center = center();
    let granted = Granted::start(&center);
    for (start_url, region) in [
        ("https://evil.example/$(touch x)", "us-east-1"),
        ("https://evil.example/start", "evil.example/#"),
        ("file:///etc/passwd", "us-east-1"),
    ] {
        granted.change(|believed| {
            start_url.clone_into(&mut believed.start_url);
            region.clone_into(&mut believed.region);
        });
        moments_later(&granted);
        drop(granted.machine.jit(&PROCESS).exits(8));
        drop(granted.machine.jit(&WITH_CODE).exits(8));
    }
    assert_eq!(count(&center, "RegisterClient"), 0);
}

#[test]
fn request_on_a_terminal_signs_in_where_no_token_is() {
    let test = "request_on_a_terminal_signs_in_where_no_token_is";
    let center = center();
    let mut granted = Granted::start(&center);
    assign(&center, "alice");
    browser_of(&center, json!("alice"));
    let browser = granted.browser();
    granted.machine.set_env("BROWSER", browser);
    let Some(terminal) = Terminal::jit(&granted.machine, test, &ASK) else {
        return;
    };
    let screen = terminal.wait_for("Use it:");
    assert_eq!(terminal.exit_code(), 0, "{screen}");
    // tmux scrolls the first line away when the program has ended
    let filed = screen.find(REQUEST).unwrap();
    let page = screen.find("in the browser that opens now").unwrap();
    let live = screen.find("Live until").unwrap();
    assert!(filed < page && page < live, "{screen}");
}

#[test]
fn request_without_a_terminal_names_the_sign_in() {
    let center = center();
    let granted = Granted::start(&center);
    assign(&center, "alice");
    held(
        "identity_center_request_signed_out",
        &granted.machine.jit(&ASK).exits(4),
    );
    granted.signs_in(&center, "alice");
    held("identity_center_request", &granted.machine.jit(&ASK).exits(0));
}

#[test]
fn logout_takes_the_token_that_nothing_else_uses() {
    let center = center();
    let granted = Granted::start(&center);
    granted.signs_in(&center, "alice");
    let file = granted.token_file();
    drop(granted.machine.jit(&["logout"]).exits(0));
    assert!(!file.exists());
    assert_eq!(center.outcomes("Logout", "ok"), 1);
}

#[test]
fn logout_leaves_the_token_that_aws_profiles_use() {
    let center = center();
    let granted = Granted::start(&center);
    let config = granted.machine.home().join(".aws/config");
    let start_url = center.made["start_url"].as_str().unwrap();
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    let text = format!("[sso-session corp]\nsso_start_url = {start_url}\nsso_region = us-east-1\n");
    std::fs::write(&config, text).unwrap();
    granted.signs_in(&center, "alice");
    let file = granted.token_file();
    drop(granted.machine.jit(&["logout"]).exits(0));
    assert!(file.exists());
    assert_eq!(count(&center, "Logout"), 0);
}
