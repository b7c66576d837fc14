//! `jit serve` and a permission set of Identity Center: asked for, assigned, shown, shared by two grants, and gone; with the
//! backend killed in between. The other side is moto behind faults (`tests/identity_center/`).

use serde_json::{Value, json};

use crate::harness::{Backend, BackendPlan, IdentityCenter, LIMIT, SealedBox, wait_until};

const ROLE: &str = r#"provider = { kind = "aws", road = "assume-role", role = "jit/jit-dev-admin", session = "1h" }"#;

/// An organization with the account of `dev-admin`, a permission set, and Alice.
pub fn center() -> IdentityCenter {
    IdentityCenter::start(&json!({
        "organization": {"management": "999999999999"},
        "accounts": [{"id": "222222222222", "name": "dev"}],
        "permission_sets": [{"name": "Admin", "session": "PT1H", "provisioned": ["222222222222"]}],
        "users": [{"name": "alice"}, {"name": "bob"}],
    }))
}

/// A backend whose `dev-admin` and `dev-too` are that permission set in that account.
pub fn plan(center: &IdentityCenter) -> BackendPlan {
    let made = |name: &str| center.made[name].as_str().unwrap().to_owned();
    let set = center.made["permission_sets"]["Admin"].as_str().unwrap();
    let id = set.rsplit('/').next().unwrap();
    let instance = format!(
        "[identity-center]\ninstance = \"{}\"\nidentity_store = \"{}\"\nregion = \"{}\"\nstart_url = \"https://d-1111111111.awsapps.com/start\"\nuser_name = \"{{name}}\"\n\n[account.dev]",
        made("instance_arn"),
        made("identity_store_id"),
        made("region"),
    );
    let provider = format!(
        "provider = {{ kind = \"aws\", road = \"identity-center\", permission_set = \"Admin\", id = \"{id}\", session = \"1h\" }}"
    );
    let too = format!(
        "{provider}\n\n[[target]]\nname = \"dev-too\"\ntitle = \"Admin in dev, again\"\naccount = \"dev\"\nrisk = 0\napprovers = [\"engineering\"]\n{provider}"
    );
    BackendPlan::with_aws(&center.url)
        .policy("security/catalogue.toml", "[account.dev]", &instance)
        .policy("catalogue.toml", ROLE, &too)
}

/// Asks for `target` and waits until it is active.
#[track_caller]
fn get(machine: &SealedBox, target: &str, length: &str) -> Value {
    let asked = [
        "request",
        target,
        "--for",
        length,
        "--reason",
        "night shift",
        "--no-wait",
    ];
    drop(machine.jit(&asked).exits(0));
    grant_in(machine, target, "active")
}

/// The grant on `target` once it is in `state`.
#[track_caller]
pub fn grant_in(machine: &SealedBox, target: &str, state: &str) -> Value {
    wait_until(&format!("{target} {state}"), LIMIT, || {
        let shown = machine.jit(&["status", "--history", "-o", "json"]).exits(0).json();
        let requests = shown["requests"].as_array().unwrap().clone();
        let of = |request: &&Value| request["target"] == target;
        let grant = requests.iter().find(of)?["grant"].clone();
        (grant["state"] == state).then_some(grant)
    })
}

const ALICE: &str = "222222222222 Admin alice";

#[test]
fn request_for_a_permission_set_ends_in_an_assignment() {
    let center = center();
    let backend = plan(&center).start();
    let alice = backend.machine_of("alice");
    let grant = get(&alice, "dev-admin", "1h");
    assert_eq!(center.assignments(), [ALICE]);
    // a session that is begun in the last second lives for another hour
    let (end, last) = (&grant["ends_at"], &grant["last_credential_at"]);
    let time = |it: &Value| it.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(time(last).duration_since(time(end)).as_secs(), 3600);
    // it waits until it is known when the last session dies
    let given_back = alice.jit(&["drop", "dev-admin", "-o", "json"]).exits(0).json();
    assert_eq!(given_back["grants"][0]["state"], "ended");
    assert!(time(&given_back["grants"][0]["last_credential_at"]) < time(last));
    assert_eq!(center.assignments(), [""; 0]);
}

#[test]
fn assignment_is_gone_after_a_start_past_its_end() {
    let center = center();
    let mut backend = plan(&center).start();
    let alice = backend.machine_of("alice");
    let grant = get(&alice, "dev-admin", "5s");
    backend.kill();
    let end = grant["ends_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    wait_until("the end of the grant", LIMIT, || {
        (jiff::Timestamp::now() > end).then_some(())
    });
    assert_eq!(center.assignments(), [ALICE]);
    let _backend = backend.start_again();
    wait_until("the assignment to go", LIMIT, || {
        center.assignments().is_empty().then_some(())
    });
}

/// The call was sent and the work begun; nobody is there for the answer, nor for the end of the grant.
#[test]
fn assignment_of_a_backend_killed_in_a_call_is_gone_after_a_start() {
    let center = center();
    center.control(&json!({"settings": {"held": true}}));
    let mut backend = plan(&center).start();
    let alice = backend.machine_of("alice");
    let asked = [
        "request",
        "dev-admin",
        "--for",
        "3s",
        "--reason",
        "night shift",
        "--no-wait",
    ];
    drop(alice.jit(&asked).exits(0));
    let under_way = || center.view()["under_way"].as_array().unwrap().len();
    wait_until("the creation", LIMIT, || (under_way() == 1).then_some(()));
    backend.kill();
    let begun = jiff::Timestamp::now();
    wait_until("the end of the grant", LIMIT, || {
        (jiff::Timestamp::now().duration_since(begun).as_secs() > 3).then_some(())
    });
    center.control(&json!({"release": true, "settings": {"held": false}}));
    assert_eq!(center.assignments(), [ALICE], "what was begun goes on by itself");
    let _backend = backend.start_again();
    // well before the deadline of the call that died
    wait_until("the assignment to go", LIMIT, || {
        center.assignments().is_empty().then_some(())
    });
}

#[test]
fn overlapping_grants_keep_it_until_the_later_end() {
    let center = center();
    let backend = plan(&center).start();
    let alice = backend.machine_of("alice");
    get(&alice, "dev-admin", "1h");
    get(&alice, "dev-too", "2h");
    assert_eq!(center.outcomes("CreateAccountAssignment", "ok"), 2);
    let dropped = alice.jit(&["drop", "dev-admin"]).exits(0);
    assert!(
        dropped.stderr.contains("Another grant holds the same access"),
        "{dropped}"
    );
    let first = grant_in(&alice, "dev-admin", "ended");
    assert_eq!(first["also_held"], true);
    assert_eq!(center.assignments(), [ALICE], "the other grant holds it");
    assert_eq!(center.outcomes("DeleteAccountAssignment", "ok"), 0);
    drop(alice.jit(&["drop", "dev-too"]).exits(0));
    grant_in(&alice, "dev-too", "ended");
    assert_eq!(grant_in(&alice, "dev-admin", "ended")["also_held"], false);
    assert_eq!(center.assignments(), [""; 0]);
}

#[test]
fn attack_23_membership_from_elsewhere_stays_and_the_approver_knows() {
    let center = center();
    let made = |kind: &str, name: &str| center.made[kind][name].as_str().unwrap().to_owned();
    let before = json!({"permission_set": made("permission_sets", "Admin"), "account": "222222222222", "user": made("users", "alice")});
    center.control(&json!({"assign": [before]}));
    assert_eq!(center.assignments(), [ALICE]);
    let backend: Backend = plan(&center).start();
    let alice = backend.machine_of("alice");
    get(&alice, "dev-admin", "1h");
    let asked = alice.jit(&["status", "--history", "-o", "json"]).exits(0).json();
    let body: Value = serde_json::from_str(asked["requests"][0]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["pre_existing"], true);
    drop(alice.jit(&["drop", "dev-admin"]).exits(0));
    let over = grant_in(&alice, "dev-admin", "ended");
    assert_eq!(over["detail"], "access remains: it was there before jit gave it");
    assert_eq!(center.assignments(), [ALICE]);
    assert_eq!(center.outcomes("CreateAccountAssignment", "ok"), 0);
    assert_eq!(center.outcomes("DeleteAccountAssignment", "ok"), 0);
}

#[test]
fn attack_21_only_on_a_permission_set_exits_two() {
    let center = center();
    let backend = plan(&center).start();
    let alice = backend.machine_of("alice");
    let asked = [
        "request",
        "dev-admin",
        "--for",
        "1h",
        "--reason",
        "night shift",
        "--only",
        "s3:Get*",
    ];
    let refused = alice.jit(&asked).exits(2);
    assert!(refused.stderr.contains("cannot be narrowed with --only"), "{refused}");
    // reconciling lists at the start; of the request nobody heard
    for operation in ["DescribePermissionSet", "GetUserId", "CreateAccountAssignment"] {
        assert_eq!(center.outcomes(operation, "ok"), 0, "{operation}");
    }
    let status = alice.jit(&["status"]).exits(0);
    assert!(status.stdout.contains("nothing waiting"), "{status}");
    // nor is it the road's fault any less where something is live
    get(&alice, "dev-admin", "1h");
    let beside = alice.jit(&asked).exits(2);
    assert!(beside.stderr.contains("cannot be narrowed with --only"), "{beside}");
}

#[test]
fn person_without_a_user_there_is_refused_before_anybody_is_asked() {
    let center = center();
    let backend = plan(&center).start();
    let carol = backend.machine_of("carol");
    let asked = [
        "request",
        "dev-admin",
        "--for",
        "1h",
        "--reason",
        "night shift",
        "--no-wait",
    ];
    let refused = carol.jit(&asked).exits(9);
    assert!(refused.stderr.contains("carol"), "{refused}");
    assert_eq!(center.outcomes("CreateAccountAssignment", "ok"), 0);
    let status = carol.jit(&["status"]).exits(0);
    assert!(status.stdout.contains("nothing waiting"), "{status}");
}

/// Accounts below `Workloads`, one of them beside it, and a backend whose `ops` is in all of those below.
pub fn many() -> (IdentityCenter, BackendPlan) {
    let center = center();
    let more = json!({ "accounts": [
        { "id": "333333333333", "name": "Payments", "ou": "Workloads/Prod" },
        { "id": "444444444444", "name": "Ledger", "ou": "Workloads" },
        { "id": "555555555555", "name": "Sandbox", "ou": "Play" },
    ]});
    let unit = center.seed(&more)["ous"]["Workloads"].as_str().unwrap().to_owned();
    let set = center.made["permission_sets"]["Admin"].as_str().unwrap();
    let id = set.rsplit('/').next().unwrap();
    let accounts = format!("[accounts.workloads]\nou = \"{unit}\"\nenvironment = \"dev\"\n\n[account.dev]");
    let ops = format!(
        "[[target]]\nname = \"ops\"\ntitle = \"Operations\"\naccounts = \"workloads\"\nrisk = 0\napprovers = [\"engineering\"]\nprovider = {{ kind = \"aws\", road = \"identity-center\", permission_set = \"Admin\", id = \"{id}\", session = \"1h\" }}\n\n[[target]]\nname = \"dev-admin\""
    );
    let plan = plan(&center)
        .policy("security/catalogue.toml", "[account.dev]", &accounts)
        .policy("catalogue.toml", "[[target]]\nname = \"dev-admin\"", &ops);
    (center, plan)
}

/// What `jit targets` says of `ops` once its accounts are listed.
#[track_caller]
pub fn listed(machine: &SealedBox, count: u64) -> Value {
    wait_until("the accounts to be listed", LIMIT, || {
        let shown = machine.jit(&["targets", "-o", "json"]).exits(0).json();
        let all = shown["targets"].as_array().unwrap().clone();
        let ops = all.into_iter().find(|target| target["name"] == "ops")?;
        (ops["accounts"]["count"] == count).then_some(ops)
    })
}

#[test]
fn account_of_many_is_found_asked_for_and_given_back() {
    let (center, plan) = many();
    let backend = plan.start();
    let alice = backend.machine_of("alice");
    let which = alice
        .jit(&["request", "ops", "--for", "1h", "--reason", "night shift"])
        .exits(10);
    let said = "jit: ops is in many accounts\n  try: jit targets ops/\n";
    assert!(which.stderr.ends_with(said), "{which}");
    listed(&alice, 2);
    let shown = alice.jit(&["targets", "ledger"]).exits(0);
    assert!(
        shown.stdout.contains("ops/ACCOUNT") && shown.stdout.contains("ops/ledger"),
        "{shown}"
    );
    assert!(
        shown.stdout.contains("Operations in Ledger 4444-4444-4444") && !shown.stdout.contains("ops/payments"),
        "{shown}"
    );
    let asked = [
        "request",
        "ops/ledger",
        "--for",
        "1h",
        "--reason",
        "night shift",
        "--no-wait",
    ];
    let filed = alice.jit(&asked).exits(0);
    assert!(
        filed
            .stderr
            .contains("ops/444444444444 (Operations in Ledger 4444-4444-4444)"),
        "{filed}"
    );
    grant_in(&alice, "ops/444444444444", "active");
    assert_eq!(center.assignments(), ["444444444444 Admin alice"]);
    drop(alice.jit(&["has", "ops/444444444444"]).exits(0));
    // giving back by the name that was typed asks the organization nothing
    center.control(&json!({ "faults": [{ "operation": "organizations:*", "fault": "cut_before" }] }));
    drop(alice.jit(&["drop", "ops/ledger"]).exits(0));
    grant_in(&alice, "ops/444444444444", "ended");
    assert_eq!(center.assignments(), [""; 0]);
}

#[test]
fn attack_28_account_that_left_the_unit_meanwhile_gets_nothing() {
    let (center, plan) = many();
    let backend = plan.start();
    let alice = backend.machine_of("alice");
    let outside = [
        "request",
        "ops/555555555555",
        "--for",
        "1h",
        "--reason",
        "night shift",
        "--no-wait",
    ];
    let refused = alice.jit(&outside).exits(10);
    assert!(
        refused.stderr.contains("account 555555555555 is not one of ops (ou-"),
        "{refused}"
    );
    let start = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(4);
    let start = start.to_string();
    let later = [
        "request",
        "ops/333333333333",
        "--at",
        &start,
        "--for",
        "1h",
        "--reason",
        "night shift",
        "--no-wait",
    ];
    drop(alice.jit(&later).exits(0));
    center.seed(&json!({ "accounts": [{ "id": "333333333333", "ou": "Play" }] }));
    let over = grant_in(&alice, "ops/333333333333", "ended");
    assert_eq!(over["cause"], "changed");
    assert!(
        over["detail"]
            .as_str()
            .unwrap()
            .starts_with("account 333333333333 is not one of ops (ou-"),
        "{over}"
    );
    assert_eq!(center.outcomes("CreateAccountAssignment", "ok"), 0);
}

#[test]
fn unit_that_vanishes_is_told_and_live_access_still_ends() {
    let (center, plan) = many();
    let backend = plan.start();
    let alice = backend.machine_of("alice");
    get(&alice, "ops/444444444444", "8s");
    center.control(&json!({ "remove_ous": ["Workloads"] }));
    let asked = [
        "request",
        "ops/333333333333",
        "--for",
        "1h",
        "--reason",
        "night shift",
        "-o",
        "json",
    ];
    let refused = alice.jit(&asked).exits(9).json();
    assert_eq!(refused["code"], "target.unresolved", "{refused}");
    grant_in(&alice, "ops/444444444444", "ended");
    assert_eq!(center.assignments(), [""; 0]);
    get(&alice, "dev-admin", "1h");
}
