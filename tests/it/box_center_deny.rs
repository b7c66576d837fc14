//! The policy for sessions that live on after the grant: printed, judged by an evaluator that is not ours, and looked for in
//! Organizations. Our stand-in is the other side (moto has the policies), the backend a mock.

use serde_json::{Value, json};

use super::mock_center::{ACCOUNT, Granted, REQUEST, assign, center, now, seconds};
use super::shown::held;
use crate::aws_access::judged;
use crate::harness::{IdentityCenter, LIMIT, Run, wait_until};

const PRINT: [&str; 3] = ["aws", "deny-sessions", REQUEST];
const CHECK: [&str; 4] = ["aws", "deny-sessions", REQUEST, "--check"];
const ROLES: &str = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com";

/// Alice's grant, ended just now; she has a session.
fn ended(center: &IdentityCenter) -> Granted {
    let mut granted = Granted::start(center);
    assign(center, "alice");
    granted.change(|believed| believed.state = "ended");
    granted.machine.set_env("AWS_ENDPOINT_URL_ORGANIZATIONS", &center.url);
    granted.machine.set_env("AWS_ACCESS_KEY_ID", "test");
    granted.machine.set_env("AWS_SECRET_ACCESS_KEY", "test");
    granted
}

fn printed(granted: &Granted) -> Value {
    granted.machine.jit(&PRINT).exits(0).json()
}

/// Attaches `policy` to a unit, an account or the root, as an administrator does.
fn attach(center: &IdentityCenter, name: &str, policy: &Value, target: &str) {
    drop(center.seed(&json!({"policies": [{"name": name, "content": policy, "targets": [target]}]})));
}

fn looked(granted: &Granted) -> Run {
    granted.machine.jit(&CHECK)
}

#[test]
fn prepared_deny_names_the_person_and_the_set() {
    let center = center();
    let granted = ended(&center);
    let run = granted.machine.jit(&PRINT).exits(0);
    let policy = run.json();
    let condition = &policy["Statement"][0]["Condition"];
    assert_eq!(
        condition["StringEquals"],
        json!({"identitystore:UserId": center.made["users"]["alice"]})
    );
    let name = "AWSReservedSSO_Billing_????????????????";
    let path = "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com";
    assert_eq!(
        condition["ArnLike"],
        json!({"aws:PrincipalArn": [format!("{path}/{name}"), format!("{path}/*/{name}")]})
    );
    assert_eq!(policy["Statement"][0]["Effect"], "Deny");
    assert!(run.stdout.len() < 5_120, "longer than such a policy may be");
    assert!(
        run.stderr.contains("Denies everything to sessions that alice began"),
        "{run}"
    );
    assert!(!run.stderr.contains("can begin others"), "{run}");
    granted.change(|believed| believed.state = "active");
    let early = granted.machine.jit(&PRINT).exits(0);
    assert!(early.stderr.contains("alice can begin others"), "{early}");
}

#[test]
fn prepared_deny_binds_these_sessions_and_no_others() {
    let center = center();
    let granted = ended(&center);
    let mut policy = printed(&granted);
    // what every account has beside it
    let full = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    policy["Statement"].as_array_mut().unwrap().push(full);
    let (alice, bob) = (&center.made["users"]["alice"], &center.made["users"]["bob"]);
    let (before, after) = (seconds(now(), -60).to_string(), seconds(now(), 120).to_string());
    let billing = format!("{ROLES}/AWSReservedSSO_Billing_0123456789abcdef");
    let frankfurt = format!("{ROLES}/eu-central-1/AWSReservedSSO_Billing_0123456789abcdef");
    let other = format!("{ROLES}/AWSReservedSSO_BillingAdmin_0123456789abcdef");
    let cases = [
        (&billing, Some(alice), Some(&before), "Deny"),
        (&frankfurt, Some(alice), Some(&before), "Deny"),
        (&billing, Some(alice), Some(&after), "Allow"),
        (&billing, Some(bob), Some(&before), "Allow"),
        (&other, Some(alice), Some(&before), "Allow"),
        // a role or a key that has nothing to do with Identity Center
        (&billing, None, Some(&before), "Allow"),
        (&billing, Some(alice), None, "Allow"),
    ];
    let asked: Vec<Value> = cases
        .iter()
        .map(|(principal, user, begun, _)| {
            let mut keys = serde_json::Map::new();
            keys.extend(user.map(|user| ("identitystore:UserId".to_owned(), user.clone())));
            keys.extend(begun.map(|begun| ("aws:TokenIssueTime".to_owned(), json!(begun))));
            json!({
                "policy": policy.to_string(), "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k",
                "at": now().to_string(), "principal": principal, "keys": keys,
            })
        })
        .collect();
    let expected: Vec<&str> = cases.iter().map(|(.., expected)| *expected).collect();
    assert_eq!(judged(&asked), expected);
}

#[test]
fn deny_that_is_attached_is_found_above_the_account() {
    let center = center();
    drop(center.seed(&json!({"accounts": [{"id": ACCOUNT, "ou": "Workloads/Prod"}]})));
    let granted = ended(&center);
    held("deny_sessions_check_not_attached", &looked(&granted).exits(1));
    let policy = printed(&granted);
    let mut others = policy.clone();
    others["Statement"][0]["Condition"]["StringEquals"]["identitystore:UserId"] = center.made["users"]["bob"].clone();
    attach(&center, "deny-bob", &others, "Workloads");
    drop(looked(&granted).exits(1));
    // and one that was written before the end: what was begun since goes on
    let mut early = policy.clone();
    early["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"] = json!("2026-01-01T00:00:00Z");
    attach(&center, "deny-early", &early, ACCOUNT);
    let run = looked(&granted).exits(1);
    assert!(run.stderr.contains("sessions that alice began since"), "{run}");
    attach(&center, "deny-alice", &policy, "Workloads");
    let run = looked(&granted).exits(0);
    assert!(run.stdout.starts_with("denied  by deny-alice (p-"), "{run}");
    let json = granted
        .machine
        .jit(&[&CHECK[..], &["-o", "json"]].concat())
        .exits(0)
        .json();
    assert_eq!(
        (&json["schema"], &json["denied"], &json["by"][0]["name"]),
        (&json!("jit/aws-deny-sessions/1"), &json!(true), &json!("deny-alice"))
    );
}

#[test]
fn sessions_that_can_be_begun_still_are_never_over() {
    let center = center();
    let granted = ended(&center);
    // the last of them is dead
    granted.change(|believed| believed.ended_at = Some(seconds(now(), -4_000)));
    let run = looked(&granted).exits(0);
    assert!(run.stdout.starts_with("over    the last of them died at "), "{run}");
    let goes_on = |pre_existing: bool, also_held: bool, snapshot: &str, word: &str| {
        granted.change(|believed| {
            believed.pre_existing = pre_existing;
            believed.also_held = also_held;
        });
        held(snapshot, &looked(&granted).exits(1));
        let json = granted.machine.jit(&[&CHECK[..], &["-o", "json"]].concat());
        let json = json.exits(1).json();
        assert_eq!((&json["over"], &json["goes_on"]), (&json!(false), &json!(word)));
        let print = granted.machine.jit(&PRINT).exits(0);
        assert!(print.stderr.contains("alice can begin others: "), "{print}");
    };
    goes_on(true, false, "deny_sessions_check_pre_existing", "pre-existing");
    goes_on(false, true, "deny_sessions_check_also_held", "also-held");
    // and what denies those of before does not deny the next
    // of those before its own second: the next one may begin in between
    let mut tries = 0;
    let run = wait_until("a look within that second", LIMIT, || {
        tries += 1;
        attach(&center, &format!("deny-alice-{tries}"), &printed(&granted), ACCOUNT);
        let run = looked(&granted).exits(1);
        run.stdout.starts_with("denied  by deny-alice-").then_some(run)
    });
    assert!(run.stderr.contains("another grant holds the same access"), "{run}");
}

#[test]
fn account_that_obeys_no_policy_is_said_to_be_one() {
    let center = center();
    let granted = ended(&center);
    drop(center.seed(&json!({"organization": {"management": ACCOUNT}})));
    let run = looked(&granted).exits(1);
    assert!(
        run.stderr.contains("is the management account: no policy binds it"),
        "{run}"
    );
}

#[test]
fn policies_that_cannot_be_read_are_never_taken_for_attached() {
    let center = center();
    let granted = ended(&center);
    attach(&center, "deny-alice", &printed(&granted), ACCOUNT);
    drop(looked(&granted).exits(0));
    for operation in [
        "DescribeOrganization",
        "ListPoliciesForTarget",
        "DescribePolicy",
        "ListParents",
    ] {
        drop(center.control(&json!({"faults": [{"operation": operation, "fault": "access_denied"}]})));
        let run = looked(&granted).exits(9);
        assert!(run.stderr.contains(operation), "{run}");
        assert!(run.stderr.contains("organizations:DescribeOrganization"), "{run}");
        drop(center.control(&json!({"clear_faults": true})));
    }
}
