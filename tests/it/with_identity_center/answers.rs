//! Answers that are late, lost, cut or "not now": what should be there is there in the end, and nothing else.

use jit::server::provider::ProviderError;
use jit::server::provider::identity_center::IdentityCenter;
use serde_json::json;

use super::stand::{PROD, Stand};

/// How often a worker tries before these tests lose patience.
const TRIES: u32 = 12;

/// As a worker does: again while the answer may change.
pub async fn patiently<F: Future<Output = Result<(), ProviderError>>>(mut call: impl FnMut() -> F) -> u32 {
    for tries in 1..=TRIES {
        match call().await {
            Ok(()) => return tries,
            Err(error) => assert!(error.is_transient(), "{error}"),
        }
    }
    panic!("not done after {TRIES} tries")
}

/// Gives and takes under a fault: there after the one, gone after the other.
async fn gives_and_takes(stand: &Stand, ours: &IdentityCenter) {
    let (alice, admin) = (stand.user("alice"), stand.admin(PROD));
    patiently(|| ours.assign(&admin, &alice)).await;
    assert_eq!(stand.assigned(), [format!("{PROD} {alice}")]);
    patiently(|| ours.unassign(&admin, &alice)).await;
    assert_eq!(stand.assigned(), [""; 0]);
}

#[tokio::test]
async fn half_of_the_calls_may_be_throttled() {
    let stand = Stand::start();
    stand.fault(json!({ "operation": "sso-admin:*", "fault": "throttle", "share": 0.5 }));
    gives_and_takes(&stand, &stand.ours()).await;
}

#[tokio::test]
async fn too_many_requests_is_throttling_by_another_name() {
    let stand = Stand::start();
    let code = "TooManyRequestsException";
    stand.fault(json!({ "operation": "sso-admin:*", "fault": "throttle", "code": code, "status": 429, "next": 6 }));
    gives_and_takes(&stand, &stand.ours()).await;
}

#[tokio::test]
async fn conflict_is_not_final() {
    let stand = Stand::start();
    let begin = ["CreateAccountAssignment", "DeleteAccountAssignment"];
    for operation in begin {
        stand.fault(json!({ "operation": operation, "fault": "conflict", "next": 2 }));
    }
    let (ours, alice, admin) = (stand.ours(), stand.user("alice"), stand.admin(PROD));
    assert_eq!(ours.assign(&admin, &alice).await, Ok(()), "in one call");
    assert_eq!(ours.unassign(&admin, &alice).await, Ok(()), "in one call");
    assert_eq!(stand.assigned(), [""; 0]);
}

#[tokio::test]
async fn lost_answers_leave_what_should_be_there() {
    let stand = Stand::start();
    let lost = [
        "CreateAccountAssignment",
        "DeleteAccountAssignment",
        "ListAccountAssignments",
        "Describe*Status",
    ];
    for operation in lost {
        stand.fault(json!({ "operation": operation, "fault": "cut_after", "next": 1 }));
    }
    gives_and_takes(&stand, &stand.ours()).await;
    assert_eq!(stand.view()["faults"], json!([]), "all of them came");
}

#[tokio::test]
async fn cut_connections_leave_what_should_be_there() {
    for fault in ["cut_before", "cut_half", "internal"] {
        let stand = Stand::start();
        stand.fault(json!({ "operation": "sso-admin:*", "fault": fault, "share": 0.3 }));
        gives_and_takes(&stand, &stand.ours()).await;
    }
}

#[tokio::test]
async fn late_answers_are_waited_for() {
    let stand = Stand::start();
    stand.fault(json!({ "operation": "sso-admin:*", "fault": "delay_after", "ms": 300 }));
    let (ours, alice, admin) = (stand.ours(), stand.user("alice"), stand.admin(PROD));
    assert_eq!(ours.assign(&admin, &alice).await, Ok(()));
    assert_eq!(ours.unassign(&admin, &alice).await, Ok(()));
}

#[tokio::test]
async fn list_that_breaks_off_is_never_taken_for_the_whole() {
    let stand = Stand::start();
    let users = stand.crowd("user", 250);
    let all: Vec<_> = users
        .iter()
        .map(|user| json!({ "permission_set": "Admin", "account": PROD, "user": user }))
        .collect();
    stand.control(json!({ "assign": all }));
    let (ours, admin) = (stand.ours(), stand.admin(PROD));
    let listed = ours.assigned(&admin.instance, &admin.permission_set_arn, PROD).await;
    let mut listed = listed.unwrap();
    let mut wanted = users.clone();
    listed.sort();
    wanted.sort();
    assert_eq!(listed, wanted, "three pages");
    stand.fault(json!({ "operation": "ListAccountAssignments", "fault": "cut_half", "skip": 1 }));
    let broken = ours.is_assigned(&admin, &users[249]).await;
    assert!(matches!(broken, Err(ProviderError::Unreachable(_))), "{broken:?}");
}
