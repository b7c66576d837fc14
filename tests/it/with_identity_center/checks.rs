//! What is refused before anybody is asked, and who a person is.

use jit::domain::FoundBy;
use serde_json::json;

use super::stand::{CLOSED, DELEGATED, MANAGEMENT, PROD, QUICK, Stand, refused};

#[tokio::test]
async fn assignment_that_can_be_given_passes() {
    let stand = Stand::start();
    assert_eq!(stand.ours().check(&stand.admin(PROD)).await, Ok(()));
    assert_eq!(
        stand.called_by(DELEGATED, QUICK).check(&stand.admin(PROD)).await,
        Ok(())
    );
}

#[tokio::test]
async fn unknown_account_is_refused_by_us_though_aws_accepts_it() {
    let stand = Stand::start();
    let (ours, unknown) = (stand.ours(), stand.admin("999999999999"));
    refused(
        ours.check(&unknown).await,
        &["no account 999999999999", "correct the target"],
    );
    assert_eq!(
        ours.assign(&unknown, &stand.user("alice")).await,
        Ok(()),
        "AWS says nothing"
    );
}

#[tokio::test]
async fn account_that_is_not_active_is_refused() {
    let stand = Stand::start();
    refused(
        stand.ours().check(&stand.admin(CLOSED)).await,
        &[CLOSED, "SUSPENDED, not ACTIVE"],
    );
}

#[tokio::test]
async fn management_account_is_served_only_from_itself() {
    let stand = Stand::start();
    let (management, delegated) = (stand.admin(MANAGEMENT), stand.called_by(DELEGATED, QUICK));
    refused(
        delegated.check(&management).await,
        &["is the management account", "take the target out"],
    );
    refused(
        delegated.assign(&management, &stand.user("alice")).await,
        &["sso:CreateAccountAssignment"],
    );
    assert_eq!(stand.ours().check(&management).await, Ok(()));
}

#[tokio::test]
async fn set_of_the_management_account_is_refused_to_a_delegate() {
    let stand = Stand::start();
    stand.control(json!({ "assign": [{ "permission_set": "Admin", "account": MANAGEMENT, "user": "bob" }] }));
    let poisoned = stand.admin(PROD);
    let answer = stand.called_by(DELEGATED, QUICK).check(&poisoned).await;
    refused(
        answer,
        &["also in the management account", "make one for other accounts"],
    );
    assert_eq!(stand.ours().check(&poisoned).await, Ok(()));
}

#[tokio::test]
async fn permission_set_must_be_what_the_catalogue_says() {
    let stand = Stand::start();
    let (ours, good) = (stand.ours(), stand.admin(PROD));
    let mut missing = good.clone();
    let (rest, last) = good.permission_set_arn.split_at(good.permission_set_arn.len() - 1);
    missing.permission_set_arn = format!("{rest}{}", if last == "x" { "y" } else { "x" });
    refused(
        ours.check(&missing).await,
        &["sso:DescribePermissionSet finds no", "correct the catalogue"],
    );
    refused(
        ours.assign(&missing, &stand.user("alice")).await,
        &["sso:CreateAccountAssignment finds no"],
    );
    let mut named = good.clone();
    named.permission_set = "Administrator".into();
    refused(ours.check(&named).await, &["is called Admin, not Administrator"]);
    let mut longer = good.clone();
    longer.session = jit::domain::Duration::from_secs(1800).unwrap();
    refused(
        ours.check(&longer).await,
        &["lives 1h, not the 30m", "correct `session`"],
    );
}

#[tokio::test]
async fn instance_of_another_region_is_refused() {
    let stand = Stand::start();
    let (ours, good) = (stand.ours(), stand.admin(PROD));
    let mut elsewhere = good.clone();
    elsewhere.instance.region = "eu-west-1".into();
    refused(
        ours.check(&elsewhere).await,
        &["eu-west-1 has no instance", "correct `region`"],
    );
    refused(
        ours.user(&elsewhere.instance, "alice", "s").await,
        &["eu-west-1 has no instance"],
    );
    elsewhere.instance.region = "us-gov-west-1".into();
    refused(ours.check(&elsewhere).await, &["no region of partition aws"]);
    let mut store = good.clone();
    store.instance.identity_store = "d-0000000000".into();
    refused(
        ours.check(&store).await,
        &["not d-0000000000", "correct `identity_store`"],
    );
}

#[tokio::test]
async fn missing_right_is_named() {
    let stand = Stand::start();
    stand.fault(json!({ "operation": "organizations:DescribeAccount", "fault": "access_denied" }));
    let text = [
        "organizations:DescribeAccount on account 333333333333",
        "allow it in the policy",
    ];
    refused(stand.ours().check(&stand.admin(PROD)).await, &text);
}

#[tokio::test]
async fn person_is_found_by_user_name_or_e_mail() {
    let stand = Stand::start();
    let (ours, mut instance) = (stand.ours(), stand.instance());
    assert_eq!(ours.user(&instance, "alice", "ignored").await, Ok(stand.user("alice")));
    instance.found_by = FoundBy::EMail;
    instance.pattern = "{name}@example.com".into();
    assert_eq!(ours.user(&instance, "bob", "ignored").await, Ok(stand.user("bob")));
    instance.pattern = "{subject}".into();
    assert_eq!(
        ours.user(&instance, "x", "Alice@Example.com").await,
        Ok(stand.user("alice"))
    );
}

#[tokio::test]
async fn person_without_a_user_is_refused() {
    let stand = Stand::start();
    let (ours, mut instance) = (stand.ours(), stand.instance());
    refused(
        ours.user(&instance, "mallory", "s").await,
        &["no user with the user name mallory", "add the person"],
    );
    refused(ours.user(&instance, "", "s").await, &["no user"]);
    instance.found_by = FoundBy::EMail;
    refused(
        ours.user(&instance, "mallory", "s").await,
        &["no user with the e-mail mallory"],
    );
}

#[tokio::test]
async fn two_users_with_one_e_mail_are_refused() {
    let stand = Stand::start();
    stand.seed(json!({ "users": [{ "name": "alice2", "email": "ALICE@example.com" }] }));
    let mut instance = stand.instance();
    instance.found_by = FoundBy::EMail;
    let answer = stand.ours().user(&instance, "alice@example.com", "s").await;
    refused(answer, &["more than one user", "found by user name"]);
    assert_eq!(
        stand.ours().user(&instance, "bob@example.com", "s").await,
        Ok(stand.user("bob"))
    );
}

#[tokio::test]
async fn five_thousand_accounts_and_users_are_no_trouble() {
    let stand = Stand::start();
    let users: Vec<_> = (0..5_000)
        .map(|n| json!({ "name": format!("user-{n}"), "email": format!("user-{n}@example.com") }))
        .collect();
    let made = stand.seed(json!({ "accounts": [{ "count": 5_000, "name": "many" }], "users": users }));
    let (ours, last) = (stand.ours(), made["accounts"]["many-5000"].as_str().unwrap());
    assert_eq!(ours.check(&stand.admin(last)).await, Ok(()));
    let mut instance = stand.instance();
    instance.found_by = FoundBy::EMail;
    let found = ours.user(&instance, "user-4999@example.com", "s").await;
    assert_eq!(found.as_deref(), Ok(made["users"]["user-4999"].as_str().unwrap()));
}
