//! Access that was there before jit gave it: every text says that it remains, to who decides, has it and takes it.

use serde_json::json;

use crate::harness::{Backend, IdentityCenter, LIMIT, SealedBox, wait_until};
use crate::identity_center::{center, grant_in, plan};

const ALICE: &str = "222222222222 Admin alice";

/// Alice, who has the permission set already, and a backend where bob has to approve it.
fn house() -> (IdentityCenter, Backend, SealedBox, SealedBox) {
    let center = center();
    let made = |kind: &str, name: &str| center.made[kind][name].as_str().unwrap().to_owned();
    let before = json!({"permission_set": made("permission_sets", "Admin"), "account": "222222222222", "user": made("users", "alice")});
    center.control(&json!({"assign": [before]}));
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
    let asked = [
        "request",
        "dev-admin",
        "--for",
        "1h",
        "--reason",
        "night shift",
        "--no-wait",
    ];
    drop(alice.jit(&asked).exits(0));
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
            .contains("The access of 1 remains: it was there before jit."),
        "{revoked}"
    );
    assert!(!revoked.stderr.contains("Copies of credentials"), "{revoked}");
    assert_eq!(center.assignments(), [ALICE]);
}
