//! Attack 19: after a panic nothing comes back by itself; with a broken policy on the disk, AWS gone, and the backend
//! killed and started again.

use super::harness::{BackendPlan, StsRecorder};

const ASK: [&str; 6] = ["request", "dev-admin", "--for", "1h", "--reason", "day to day"];

#[test]
fn attack_19_panic_works_with_a_broken_policy_and_without_aws() {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    let [alice, carol, bob] = ["alice", "carol", "bob"].map(|name| backend.machine_of(name));
    drop(alice.jit(&ASK).exits(0));
    drop(sts);
    backend.edit_policy("10-access.cedar", "permit (", "permitt (");
    backend.log_line("not valid");
    let stopped = carol.jit(&["panic", "--reason", "keys leaked"]).exits(0);
    assert!(
        stopped.stderr.contains("Locked everything. 1 grant ended."),
        "{stopped}"
    );
    let locked = |who: &super::harness::SealedBox| {
        let run = who.jit(&ASK).exits(5);
        assert!(run.stderr.contains("everything is locked: keys leaked"), "{run}");
        drop(who.jit(&["has", "dev-admin", "--fresh"]).exits(10));
    };
    locked(&alice);
    locked(&bob);
    let mut backend = backend;
    backend.kill();
    let backend = backend.start_again();
    locked(&alice);
    // it is known from the store alone, before anybody mends the policy
    drop(carol.jit(&["unlock", "all"]).exits(0));
    locked(&alice);
    drop(bob.jit(&["unlock", "all"]).exits(0));
    drop(backend);
}
