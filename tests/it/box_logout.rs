//! `jit logout` where several identities are signed in.

use serde_json::json;

use crate::harness::{BackendPlan, SealedBox};

#[test]
fn logout_ends_the_chosen_one_and_names_who_stays() {
    let backend = BackendPlan::with_aws("http://127.0.0.1:9").start();
    let mut machine = backend.machine_of("alice");
    backend.sign_in(&mut machine, "bob");
    let run = machine.jit(&["logout", "--identity", "alice"]).exits(0);
    let said = format!(
        "Signed out alice at {}.\nStill signed in here: bob. All: jit logout --all\n",
        backend.url()
    );
    assert_eq!(run.stderr, said);
    drop(machine.jit(&["--identity", "alice", "whoami"]).exits(4));
    drop(machine.jit(&["--identity", "bob", "whoami"]).exits(0));
    let run = machine.jit(&["logout"]).exits(0);
    assert_eq!(run.stderr, format!("Signed out bob at {}.\n", backend.url()));
}

#[test]
fn logout_of_all_goes_on_after_one_that_fails() {
    let backend = BackendPlan::with_aws("http://127.0.0.1:9").start();
    let mut dead = BackendPlan::with_aws("http://127.0.0.1:9").start();
    let mut machine = dead.machine_of("alice");
    for who in ["alice", "bob"] {
        backend.sign_in(&mut machine, who);
    }
    dead.kill();
    let run = machine.jit(&["logout", "--all"]).exits(8);
    let (here, there) = (backend.url(), dead.url());
    let lines: Vec<&str> = run.stderr.lines().collect();
    let told = format!("jit: alice at {there}: signed out here, but the backend was not told: ");
    assert!(lines[0].starts_with(&told), "{run}");
    assert_eq!(
        lines[1..],
        [
            format!("Signed out alice at {here}."),
            format!("Signed out bob at {here}.")
        ]
    );
    for who in ["alice", "bob"] {
        drop(machine.jit(&["--identity", who, "whoami"]).exits(4));
    }
    let none = machine.jit(&["logout", "--all"]).exits(4);
    assert_eq!(none.stderr, "jit: signed out\n  nobody is signed in on this machine\n");
}

#[test]
fn logout_of_all_is_one_object() {
    let backend = BackendPlan::with_aws("http://127.0.0.1:9").start();
    let mut machine = backend.machine_of("alice");
    backend.sign_in(&mut machine, "bob");
    let one = machine.jit(&["logout", "--all", "--identity", "bob"]).exits(2);
    assert!(
        one.stderr.starts_with("jit: --all is every identity at every server\n"),
        "{one}"
    );
    let all = machine.jit(&["logout", "--all", "-o", "json"]).exits(0);
    let of = |who| json!({ "server": backend.url(), "identity": who, "everywhere": false });
    let wanted = json!({ "schema": "jit/logout-all/1", "sessions": [of("alice"), of("bob")] });
    assert_eq!(all.json(), wanted);
    drop(SealedBox::new().jit(&["logout", "--all"]).exits(4));
}
