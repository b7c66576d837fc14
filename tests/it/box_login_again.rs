//! `jit login` where somebody is signed in already, and where nothing can be kept.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::harness::{Browser, LIMIT, Run, SealedBox};
use crate::http::{Stage, code_of, with_issuer};

async fn login(stage: &Stage, machine: &SealedBox) -> Run {
    let code = code_of(stage, "alice").await;
    let url = format!("http://{}", stage.address);
    machine.jit(&["login", "--server", &url, "--identity", "alice", "--code", &code])
}

async fn live(stage: &Stage) -> usize {
    let now = stage.backend.now();
    stage.backend.store.live_sessions(None, now, 9).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn login_ends_the_session_that_it_replaces() {
    let stage = Stage::open().await;
    let machine = SealedBox::new();
    drop(login(&stage, &machine).await.exits(0));
    drop(login(&stage, &machine).await.exits(0));
    assert_eq!(live(&stage).await, 1);
    drop(machine.jit(&["whoami"]).exits(0));
    // on another machine, another session
    drop(login(&stage, &SealedBox::new()).await.exits(0));
    assert_eq!(live(&stage).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn session_that_cannot_be_kept_is_ended() {
    let stage = Stage::open().await;
    let machine = SealedBox::new();
    // where its list would be
    let state = machine.home().join(".local/state/jit");
    fs::create_dir_all(state.join("sessions.json")).unwrap();
    fs::set_permissions(&state, Permissions::from_mode(0o700)).unwrap();
    let run = login(&stage, &machine).await;
    assert!(run.status.is_some_and(|status| status != 0), "{run}");
    assert_eq!(live(&stage).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn session_of_somebody_else_than_was_meant_is_ended() {
    let (stage, issuer) = with_issuer().await;
    let machine = SealedBox::new();
    drop(login(&stage, &machine).await.exits(0));
    let url = format!("http://{}", stage.address);
    let args = ["login", "--server", &url, "--no-browser", "--identity", "alice"];
    let running = machine.jit_command(&args).start();
    let address = running.stdout_line(&format!("{url}/sign-in?"), LIMIT);
    let mut browser = Browser::of("ana - -");
    let back = issuer.begins_at(&mut browser, address.trim()).await;
    browser.follow(&back, "nowhere").await;
    let run = running.finish(LIMIT).exits(4);
    assert!(run.stderr.contains("alice is somebody else here than ana"), "{run}");
    // hers is over, and the one that was there is not
    assert_eq!(live(&stage).await, 1);
    drop(machine.jit(&["whoami"]).exits(0));
}
