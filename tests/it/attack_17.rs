//! Attack 17: one machine, two backends, two people, narrowed and full access: no credential crosses.

use crate::harness::{Backend, BackendPlan, SealedBox, StsRecorder};

const ASK: [&str; 6] = ["request", "dev-admin", "--for", "1h", "--reason", "day to day"];

/// `jit ARGS` as `identity` of `backend`.
fn at<'a>(backend: &'a Backend, identity: &'a str, args: &[&'a str]) -> Vec<&'a str> {
    [&["--server", backend.url(), "--identity", identity], args].concat()
}

#[test]
fn attack_17_credential_of_one_backend_stays_with_it() {
    let (one_sts, other_sts) = (StsRecorder::start(), StsRecorder::start());
    let (one, other) = (
        BackendPlan::with_aws(&one_sts.url).start(),
        BackendPlan::with_aws(&other_sts.url).start(),
    );
    let mut machine = SealedBox::new();
    for (backend, name) in [(&one, "alice"), (&one, "bob"), (&other, "alice")] {
        backend.sign_in(&mut machine, name);
    }
    drop(machine.jit(&at(&one, "alice", &ASK)).exits(0));
    let process = ["credential-process", "dev-admin"];
    drop(machine.jit(&at(&one, "alice", &process)).exits(0));
    drop(machine.jit(&at(&other, "alice", &process)).exits(10));
    drop(machine.jit(&at(&one, "bob", &process)).exits(10));
    // the last one that signed in is the default, and holds nothing
    drop(machine.jit(&process).exits(10));
    assert!(other_sts.calls().is_empty());
}

#[test]
fn attack_17_narrowed_access_never_stands_for_full() {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    let machine = backend.machine_of("alice");
    let key = || machine.jit(&["credential-process", "dev-admin"]).exits(0).json()["AccessKeyId"].clone();
    drop(machine.jit(&[&ASK[..], &["--only", "s3:Get*"]].concat()).exits(0));
    let narrowed = key();
    let wider = machine.jit(&ASK);
    assert_ne!(wider.status, Some(0), "full access was told from narrowed: {wider}");
    drop(machine.jit(&["drop", "dev-admin"]).exits(0));
    drop(machine.jit(&["credential-process", "dev-admin"]).exits(10));
    drop(machine.jit(&ASK).exits(0));
    assert_ne!(key(), narrowed);
    let last = sts.calls().last().unwrap().policy();
    assert_eq!(last["Statement"][0]["Action"], "*", "{last}");
}
