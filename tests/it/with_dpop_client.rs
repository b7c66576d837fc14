//! A client that is not ours signs in and calls, with proofs that PyJWT makes.

use crate::harness::{BackendPlan, SealedBox, StsRecorder, venv_program};

#[test]
fn attack_18_proofs_by_another_library_count_once_and_on_their_device() {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/dpop_client.py");
    let run = SealedBox::new()
        .command(
            venv_program("python"),
            &[script, backend.url(), "alice", backend.code("alice")],
        )
        .run();
    assert_eq!(
        run.exits(0).stdout,
        "without a nonce 401 session.nonce\n\
         opened 201 alice\n\
         called 200 alice\n\
         again 401 session.proof\n\
         from elsewhere 401 session.proof\n\
         token alone 401 session.proof\n"
    );
}
