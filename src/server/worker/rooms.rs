//! What waits for whom: nothing for a provider that it does not call.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::{AT_ONCE, run};
use crate::domain::GrantState;
use crate::server::service::locks;
use crate::server::stage::Stage;
use crate::wire::NewLock;

/// Longer than any tick: what comes only after that waited for somebody.
const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn lock_is_carried_out_while_every_call_to_take_away_hangs() {
    let (stage, members) = Stage::of_members();
    let names: Vec<String> = (0..=AT_ONCE).map(|n| format!("p{n}")).collect();
    stage.assign_among(&names);
    for name in &names {
        let person = stage.sign_in(name).await;
        stage.file(&person, "dev-admin").await.unwrap();
    }
    let (alice, carol) = (stage.sign_in("alice").await, stage.sign_in("carol").await);
    stage.file_for(&alice, "dev-admin", 7_200).await.unwrap();
    stage.work().await;
    *members.unanswered.lock().unwrap() = Some("revoke");
    stage.at(3_600);
    let (_stop, stopping) = watch::channel(false);
    let worker = tokio::spawn(run(stage.backend.clone(), stopping));
    let hang = async {
        while members.count("revoke") < AT_ONCE {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, hang).await.expect("as many as there are places hang");
    let lock = NewLock {
        on: "alice".into(),
        reason: "laptop stolen".into(),
    };
    locks::lock(&stage.backend, &carol, &lock, None).await.unwrap();
    let ends = async {
        loop {
            let open = stage.backend.store.open_grants(&alice.person.id).await.unwrap();
            match open.iter().all(|grant| grant.state == GrantState::Revoking) {
                true => break,
                false => tokio::task::yield_now().await,
            }
        }
    };
    timeout(LONG, ends).await.expect("the lock waits for no provider");
    worker.abort();
}
