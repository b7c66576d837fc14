//! Access that was there before jit gave it, or that a group gives, or that is not taken yet: every text says that it
//! remains, to who decides, has it and takes it.

use serde_json::json;

use crate::harness::{Backend, IdentityCenter, LIMIT, SealedBox, wait_until};
use crate::identity_center::{center, grant_in, plan};

const ALICE: &str = "222222222222 Admin alice";
const ADMINS: &str = "222222222222 Admin admins";
const ASK: [&str; 7] = [
    "request",
    "dev-admin",
    "--for",
    "1h",
    "--reason",
    "night shift",
    "--no-wait",
];

/// Alice, who has the permission set already, and a backend where bob has to approve it.
fn house() -> (IdentityCenter, Backend, SealedBox, SealedBox) {
    let center = center();
    center.control(&json!({"assign": [{"permission_set": "Admin", "account": "222222222222", "user": "alice"}]}));
    with_approver(center)
}

/// Alice, who is in a group that has it, and bob, who is in one that has not.
fn groups() -> IdentityCenter {
    let center = center();
    center.seed(&json!({"groups": [{"name": "admins", "members": ["alice"]}, {"name": "others", "members": ["bob"]}]}));
    center.control(&json!({"assign": [{"permission_set": "Admin", "account": "222222222222", "group": "admins"}]}));
    center
}

fn with_approver(center: IdentityCenter) -> (IdentityCenter, Backend, SealedBox, SealedBox) {
    let (two, dev) = (
        "risk = 2\napprovers = [\"engineering\"]",
        "risk = 0\napprovers = [\"engineering\"]",
    );
    let backend = plan(&center).policy("catalogue.toml", dev, two).start();
    let (alice, bob) = (backend.machine_of("alice"), backend.machine_of("bob"));
    (center, backend, alice, bob)
}

/// Alice asks for `dev-admin`, and bob says yes: what he read.
fn get(alice: &SealedBox, bob: &SealedBox) -> String {
    drop(alice.jit(&ASK).exits(0));
    let told = bob.jit(&["approve", "dev-admin"]).exits(0).stderr;
    grant_in(alice, "dev-admin", "active");
    told
}

const REMAINS: &str = "remains: it was there before jit";

#[test]
fn attack_23_approver_reads_that_access_remains() {
    let (center, _backend, alice, bob) = house();
    let told = get(&alice, &bob);
    assert!(
        told.contains("they have it already, not from jit: access remains after the end"),
        "{told}"
    );
    let live = alice.jit(&["status"]).exits(0);
    assert!(live.stdout.contains(REMAINS), "{live}");
    let dropped = alice.jit(&["drop", "dev-admin"]).exits(0);
    let said = dropped.stderr.trim_end();
    assert_eq!(said, "Gave dev-admin back. Access remains: it was there before jit.");
    let over = wait_until("the end", LIMIT, || {
        let history = alice.jit(&["status", "--history"]).exits(0);
        history.stdout.contains("ended").then_some(history.stdout)
    });
    assert!(over.contains(REMAINS), "{over}");
    assert_eq!(center.assignments(), [ALICE]);
}

#[test]
fn revoking_everything_names_the_access_that_remains() {
    let (center, backend, alice, bob) = house();
    get(&alice, &bob);
    let carol = backend.machine_of("carol");
    let revoke = ["revoke", "--all", "alice", "--reason", "laptop stolen"];
    let revoked = carol.jit(&revoke).exits(0);
    assert!(
        revoked
            .stderr
            .contains("The access of 1 remains: it was there before jit, or a group has it."),
        "{revoked}"
    );
    assert!(!revoked.stderr.contains("Copies of credentials"), "{revoked}");
    assert_eq!(center.assignments(), [ALICE]);
}

/// What a group has is never ours to take: it is said to who decides, has it and takes it.
#[test]
fn attack_23_access_through_a_group_is_said_to_remain() {
    let (center, backend, alice, bob) = with_approver(groups());
    let told = get(&alice, &bob);
    assert!(
        told.contains("they have it through a group already: access remains after the end"),
        "{told}"
    );
    assert_eq!(center.assignments(), [ADMINS, ALICE], "given all the same");
    let live = alice.jit(&["status"]).exits(0);
    assert!(live.stdout.contains("access remains through a group"), "{live}");
    let dropped = alice.jit(&["drop", "dev-admin"]).exits(0);
    let said = dropped.stderr.trim_end();
    assert_eq!(said, "Gave dev-admin back. Access remains through a group.");
    let over = grant_in(&alice, "dev-admin", "ended");
    assert_eq!(over["through_group"], true);
    assert_eq!(over["last_credential_at"], json!(null), "sessions go on being begun");
    assert_eq!(center.assignments(), [ADMINS], "ours is gone");

    get(&alice, &bob);
    let carol = backend.machine_of("carol");
    let revoke = ["revoke", "--all", "alice", "--reason", "laptop stolen"];
    let revoked = carol.jit(&revoke).exits(0);
    assert!(revoked.stderr.contains("The access of 1 remains"), "{revoked}");
    assert_eq!(center.assignments(), [ADMINS]);
}

#[test]
fn access_of_a_group_of_others_is_not_theirs() {
    let center = groups();
    let backend = plan(&center).start();
    let bob = backend.machine_of("bob");
    drop(bob.jit(&ASK).exits(0));
    let grant = grant_in(&bob, "dev-admin", "active");
    assert_eq!(grant["through_group"], false);
    assert!(grant["last_credential_at"].is_string(), "{grant}");
}

/// Who may not look at groups is told so when they are needed: half of an answer is none.
#[test]
fn missing_right_to_see_groups_refuses_the_request() {
    let center = groups();
    let backend = plan(&center).start();
    let alice = backend.machine_of("alice");
    let denied = json!({"operation": "ListGroupMembershipsForMember", "fault": "access_denied"});
    center.control(&json!({"faults": [denied]}));
    let refused = alice.jit(&ASK).exits(9);
    assert!(
        refused.stderr.contains("identitystore:ListGroupMembershipsForMember"),
        "{refused}"
    );
    assert_eq!(center.assignments(), [ADMINS]);
}

/// Taking is refused by AWS for longer than `drop` waits: it does not say that it is over, and it is not.
#[test]
fn access_that_is_not_taken_yet_is_not_said_to_be_back() {
    let center = center();
    let backend = plan(&center).start();
    let alice = backend.machine_of("alice");
    drop(alice.jit(&ASK).exits(0));
    grant_in(&alice, "dev-admin", "active");
    center.control(&json!({"faults": [{"operation": "DeleteAccountAssignment", "fault": "throttle"}]}));
    let dropped = alice.jit(&["drop", "dev-admin"]).exits(0);
    let held_up = "The system that gives it has not taken it away yet, and it works until then. It is tried for ever:  jit status";
    assert_eq!(dropped.stderr.trim_end(), format!("Giving dev-admin back. {held_up}"));
    assert_eq!(center.assignments(), [ALICE]);
    center.control(&json!({"clear_faults": true}));
    let grant = grant_in(&alice, "dev-admin", "ended");
    assert_eq!(center.assignments(), [""; 0]);
    // a session of an hour could be begun until it was gone
    let time = |it: &serde_json::Value| it.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let outlived = time(&grant["last_credential_at"]).duration_since(time(&grant["ended_at"]));
    assert!((3_599..=3_601).contains(&outlived.as_secs()), "{grant}");
}

/// A group has it besides: ours is there all the same until it is taken.
#[test]
fn access_of_ours_beside_a_group_is_not_said_to_be_back() {
    let center = groups();
    let backend = plan(&center).start();
    let alice = backend.machine_of("alice");
    drop(alice.jit(&ASK).exits(0));
    grant_in(&alice, "dev-admin", "active");
    center.control(&json!({"faults": [{"operation": "DeleteAccountAssignment", "fault": "throttle"}]}));
    let dropped = alice.jit(&["drop", "dev-admin"]).exits(0);
    assert!(dropped.stderr.starts_with("Giving dev-admin back. "), "{dropped}");
    assert_eq!(center.assignments(), [ADMINS, ALICE]);
}

/// Given up before it was there: its creation goes on in AWS, and a session may be begun until it is taken.
#[test]
fn access_given_up_while_it_is_given_has_a_last_credential() {
    let center = center();
    center.control(&json!({"settings": {"held": true}}));
    let backend = plan(&center).start();
    let alice = backend.machine_of("alice");
    drop(alice.jit(&ASK).exits(0));
    let under_way = || center.view()["under_way"].as_array().unwrap().len();
    wait_until("the creation", LIMIT, || (under_way() == 1).then_some(()));
    let has = alice.jit(&["has", "dev-admin"]).exits(10);
    assert!(has.stderr.contains("dev-admin is being given"), "{has}");
    assert!(has.stderr.contains("jit wait req_"), "{has}");
    let dropped = alice.jit(&["drop", "dev-admin"]).exits(0);
    assert!(!dropped.stderr.contains("No credential of it works"), "{dropped}");
    center.control(&json!({"settings": {"held": false}, "release": true}));
    let grant = grant_in(&alice, "dev-admin", "ended");
    let time = |it: &serde_json::Value| it.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let outlived = time(&grant["last_credential_at"]).duration_since(time(&grant["ended_at"]));
    assert!((3_599..=3_601).contains(&outlived.as_secs()), "{grant}");
    assert_eq!(center.assignments(), [""; 0]);
}
