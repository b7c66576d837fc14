//! A dry run tells what filing would do, and does nothing.

use super::{active, code};
use crate::server::backend::Caller;
use crate::server::failure::Failure;
use crate::server::service::dry_run;
use crate::server::stage::{Stage, new_request};
use crate::wire::{DryRun, NewRequest, Outcome};

async fn would(stage: &Stage, caller: &Caller, new: &NewRequest) -> Result<DryRun, Failure> {
    dry_run::dry_run(&stage.backend, caller, new).await
}

async fn evidence(stage: &Stage) -> usize {
    stage.backend.store.evidence(0, 1_000).await.unwrap().len()
}

#[tokio::test]
async fn dry_run_tells_who_could_approve_and_stores_nothing() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    let before = evidence(&stage).await;
    let told = would(&stage, &alice, &new_request("prod-owner", 1800)).await.unwrap();
    let approvers: Vec<_> = told.stages.iter().map(|stage| stage.approvers.clone()).collect();
    assert_eq!(approvers, [vec!["bob".to_owned()], vec!["carol".to_owned()]]);
    assert_eq!((told.outcome, told.automatic), (Outcome::Filed, false));
    assert_eq!((told.duration_s, told.cap_s), (1800, 3600));
    assert_eq!(told.policies, ["access.request"]);
    assert_eq!(evidence(&stage).await, before);
    assert!(stage.backend.store.pending(10).await.unwrap().is_empty());
    assert_eq!(stage.backend.store.left().await.unwrap(), 0);
}

#[tokio::test]
async fn dry_run_tells_what_policy_approves_by_itself() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    let told = would(&stage, &alice, &new_request("dev-admin", 60)).await.unwrap();
    assert!(told.automatic);
    assert_eq!(told.policies, ["access.dev-automatic", "access.request"]);
}

#[tokio::test]
async fn dry_run_tells_what_is_joined_covered_and_differs() {
    let stage = Stage::new().await;
    let (alice, _, live) = active(&stage).await;
    let covered = would(&stage, &alice, &new_request("prod-admin", 60)).await.unwrap();
    assert_eq!(
        (covered.outcome, covered.request.unwrap().id),
        (Outcome::Covered, live.id)
    );
    let waiting = stage.file(&alice, "prod-readonly").await.unwrap().request;
    let joined = would(&stage, &alice, &new_request("prod-readonly", 3600))
        .await
        .unwrap();
    assert_eq!(
        (joined.outcome, joined.request.unwrap().id),
        (Outcome::Joined, waiting.id)
    );
    let differs = would(&stage, &alice, &new_request("prod-readonly", 60)).await;
    assert_eq!(code(differs), "request.differs");
}

#[tokio::test]
async fn dry_run_refuses_as_filing_does() {
    let stage = Stage::new().await;
    let (alice, mallory) = (stage.sign_in("alice").await, stage.sign_in("mallory").await);
    let short = NewRequest {
        reason: "short".into(),
        ..new_request("prod-admin", 3600)
    };
    let bad_ticket = NewRequest {
        ticket: Some("no key".into()),
        ..new_request("prod-admin", 3600)
    };
    for (caller, new) in [
        (&alice, new_request("prod-admn", 3600)),
        (&alice, new_request("prod-admin", 0)),
        (&alice, new_request("prod-admin", 90_000)),
        (&alice, short),
        (&alice, bad_ticket),
        (&mallory, new_request("prod-admin", 3600)),
    ] {
        let dry = would(&stage, caller, &new).await.unwrap_err().problem;
        let real = stage.file_as(caller, &new).await.unwrap_err().problem;
        assert_eq!(dry, real, "{new:?}");
    }
}
