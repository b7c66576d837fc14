//! The real aws CLI, version 2, and `jit` on one machine: whoever signs in to Identity Center with one of them is signed
//! in with the other.

use std::path::Path;

use serde_json::json;

use super::mock_center::{ACCOUNT, Granted, TARGET, assign, center};
use crate::harness::{IdentityCenter, JitCommand, LIMIT, left_out, wait_until};

const VERSION_2: &str = "/usr/bin/aws";

/// Whether the CLI is there; says so where it is not.
fn is_here(test: &str) -> bool {
    let is_here = Path::new(VERSION_2).exists();
    if !is_here {
        left_out(test, "no /usr/bin/aws: sudo apt-get install awscli");
    }
    is_here
}

/// An AWS configuration that signs in to `center`, and endpoints that are its: version 2 knows none but AWS's own for
/// `sso login`, so its rules for them are replaced.
fn configured(granted: &Granted, center: &IdentityCenter) {
    let home = granted.machine.home();
    let start_url = center.made["start_url"].as_str().unwrap();
    std::fs::create_dir_all(home.join(".aws")).unwrap();
    let config = format!(
        "[sso-session corp]\nsso_start_url = {start_url}\nsso_region = us-east-1\nsso_registration_scopes = sso:account:access\n\
         [profile corp]\nsso_session = corp\nregion = us-east-1\nsso_account_id = {ACCOUNT}\nsso_role_name = Billing\n"
    );
    std::fs::write(home.join(".aws/config"), config).unwrap();
    let parameter = |kind: &str, built_in: &str, default: bool| match default {
        true => json!({"builtIn": built_in, "required": true, "default": false, "documentation": "", "type": kind}),
        false => json!({"builtIn": built_in, "required": false, "documentation": "", "type": kind}),
    };
    let rules = json!({
        "version": "1.0",
        "parameters": {
            "Region": parameter("String", "AWS::Region", false),
            "UseDualStack": parameter("Boolean", "AWS::UseDualStack", true),
            "UseFIPS": parameter("Boolean", "AWS::UseFIPS", true),
            "Endpoint": parameter("String", "SDK::Endpoint", false),
        },
        "rules": [{
            "conditions": [], "type": "endpoint",
            "endpoint": {"url": center.url, "properties": {}, "headers": {}},
        }],
    });
    for service in ["sso", "sso-oidc"] {
        let folder = home.join("endpoints").join(service).join("2019-06-10");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("endpoint-rule-set-1.json"), rules.to_string()).unwrap();
    }
}

fn aws(granted: &Granted, args: &[&str]) -> JitCommand {
    let home = granted.machine.home();
    granted
        .machine
        .command(VERSION_2, args)
        .env("AWS_DATA_PATH", home.join("endpoints"))
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_MAX_ATTEMPTS", "1")
        .env("AWS_PAGER", "")
        .env("PATH", "/usr/bin:/bin")
}

#[test]
fn aws_cli_uses_the_token_of_jit() {
    if !is_here("aws_cli_uses_the_token_of_jit") {
        return;
    }
    let center = center();
    let granted = Granted::start(&center);
    configured(&granted, &center);
    assign(&center, "alice");
    granted.signs_in(&center, "alice");
    let run = aws(&granted, &["configure", "export-credentials", "--profile", "corp"]).run_within(LIMIT * 2);
    let sessions = center.view()["sessions"].clone();
    assert_eq!(run.exits(0).json()["AccessKeyId"], sessions[0]["access_key_id"]);
    // and refreshes it with our registration
    let mut near = granted.token();
    let soon = super::mock_center::seconds(super::mock_center::now(), 300);
    near["expiresAt"] = json!(soon.whole_second().to_string());
    std::fs::write(granted.token_file(), near.to_string()).unwrap();
    std::fs::remove_dir_all(granted.machine.home().join(".aws/cli")).ok();
    drop(
        aws(&granted, &["configure", "export-credentials", "--profile", "corp"])
            .run_within(LIMIT * 2)
            .exits(0),
    );
    assert_ne!(granted.token()["refreshToken"], near["refreshToken"]);
    drop(granted.machine.jit(&["credential-process", TARGET]).exits(0));
}

#[test]
fn jit_uses_and_refreshes_the_token_of_the_aws_cli() {
    if !is_here("jit_uses_and_refreshes_the_token_of_the_aws_cli") {
        return;
    }
    let center = center();
    let granted = Granted::start(&center);
    configured(&granted, &center);
    assign(&center, "alice");
    drop(center.control(&json!({"settings": {"token_seconds": 600}})));
    let login = aws(&granted, &["sso", "login", "--no-browser", "--profile", "corp"]).start();
    // it asks for the token once before it says the code: approved by then, it would never say it
    wait_until("a device code that is waited for", LIMIT * 2, || {
        (center.outcomes("CreateToken", "AuthorizationPendingException") > 0).then_some(())
    });
    drop(center.control(&json!({"approve": {"user": "alice"}})));
    drop(login.finish(LIMIT * 2).exits(0));
    drop(center.control(&json!({"settings": {"token_seconds": 28_800}})));
    let before = granted.token();
    drop(granted.machine.jit(&["credential-process", TARGET]).exits(0));
    let after = granted.token();
    assert_ne!(before["accessToken"], after["accessToken"]);
    assert_eq!(before["clientId"], after["clientId"]);
    let run = aws(&granted, &["configure", "export-credentials", "--profile", "corp"]).run_within(LIMIT * 2);
    drop(run.exits(0));
    // signing out of jit leaves what is not its own
    drop(granted.machine.jit(&["logout"]).exits(0));
    assert_eq!(granted.token(), after);
}
