//! Assigning and taking away: asynchronous, polled to the end, seen in the list.

use std::time::{Duration, Instant};

use jit::server::provider::identity_center::Quota;
use jit::server::provider::{Presence, ProviderError};
use serde_json::json;

use super::answers::patiently;
use super::stand::{PROD, QUICK, STAGING, Stand, refused};
use crate::harness::{LIMIT, wait_until};

/// No longer than it takes to begin and look once.
const HASTY: Quota = Quota {
    patience: Duration::from_millis(1_800),
    ..QUICK
};

#[tokio::test]
async fn creation_is_polled_until_the_assignment_exists() {
    let stand = Stand::start();
    stand.set(json!({ "create_looks": 2 }));
    let (ours, alice) = (stand.ours(), stand.user("alice"));
    let admin = stand.admin(PROD);
    assert_eq!(ours.is_assigned(&admin, &alice).await, Ok(Presence::Absent));
    assert_eq!(ours.assign(&admin, &alice).await, Ok(()));
    assert_eq!(ours.is_assigned(&admin, &alice).await, Ok(Presence::There));
    assert!(stand.count("DescribeAccountAssignmentCreationStatus") >= 2);
    assert_eq!(stand.assigned(), [format!("{PROD} {alice}")]);
}

#[tokio::test]
async fn deletion_is_polled_until_the_assignment_is_gone() {
    let stand = Stand::start();
    let (ours, alice, admin) = (stand.ours(), stand.user("alice"), stand.admin(PROD));
    stand.control(json!({ "assign": [{ "permission_set": "Admin", "account": PROD, "user": "alice" }] }));
    stand.set(json!({ "delete_looks": 2 }));
    assert_eq!(ours.unassign(&admin, &alice).await, Ok(()));
    assert_eq!(ours.is_assigned(&admin, &alice).await, Ok(Presence::Absent));
    assert!(stand.count("DescribeAccountAssignmentDeletionStatus") >= 2);
    assert_eq!(stand.assigned(), [""; 0]);
}

#[tokio::test]
async fn assigning_twice_succeeds_and_one_deletion_removes_it_for_all() {
    let stand = Stand::start();
    let (ours, alice, admin) = (stand.ours(), stand.user("alice"), stand.admin(PROD));
    for _ in 0..2 {
        assert_eq!(ours.assign(&admin, &alice).await, Ok(()));
    }
    assert_eq!(stand.count("CreateAccountAssignment"), 2);
    assert_eq!(ours.unassign(&admin, &alice).await, Ok(()));
    assert_eq!(stand.assigned(), [""; 0]);
}

#[tokio::test]
async fn taking_away_what_is_gone_succeeds() {
    let stand = Stand::start();
    let (ours, admin) = (stand.ours(), stand.admin(PROD));
    assert_eq!(ours.unassign(&admin, &stand.user("alice")).await, Ok(()));
    // a user who has left the directory, and a set that is no more
    assert_eq!(
        ours.unassign(&admin, "00000000-0000-0000-0000-000000000000").await,
        Ok(())
    );
    stand.control(json!({ "remove_permission_sets": ["Admin"] }));
    assert_eq!(ours.unassign(&admin, &stand.user("alice")).await, Ok(()));
    assert_eq!(
        ours.is_assigned(&admin, &stand.user("alice")).await,
        Ok(Presence::Absent)
    );
}

#[tokio::test]
async fn nothing_is_taken_for_gone_in_the_wrong_region() {
    let stand = Stand::start();
    let (ours, alice) = (stand.ours(), stand.user("alice"));
    let mut elsewhere = stand.admin(PROD);
    assert_eq!(ours.assign(&elsewhere, &alice).await, Ok(()));
    elsewhere.instance.region = "eu-west-1".into();
    refused(
        ours.unassign(&elsewhere, &alice).await,
        &["eu-west-1", "correct `region`"],
    );
    refused(ours.is_assigned(&elsewhere, &alice).await, &["eu-west-1"]);
    let list = ours.assigned(&elsewhere.instance, &elsewhere.permission_set_arn, PROD);
    refused(list.await, &["eu-west-1"]);
    assert_eq!(stand.assigned(), [format!("{PROD} {alice}")]);
}

#[tokio::test]
async fn set_that_was_never_provisioned_is_assigned_all_the_same() {
    let stand = Stand::start();
    assert_eq!(stand.view()["provisioned"], json!([]));
    assert_eq!(
        stand.ours().assign(&stand.admin(PROD), &stand.user("alice")).await,
        Ok(())
    );
    assert_eq!(stand.view()["provisioned"][0][1], PROD);
}

#[tokio::test]
async fn failed_creation_is_refused_with_its_reason() {
    let stand = Stand::start();
    let reason = "Received a 400 status error: IAM quota exceeded";
    stand.fault(json!({ "operation": "CreateAccountAssignment", "fault": "fail", "reason": reason }));
    let answer = stand.ours().assign(&stand.admin(PROD), &stand.user("alice")).await;
    refused(
        answer,
        &["could not assign permission set Admin in account 333333333333", reason],
    );
}

#[tokio::test]
async fn failed_creation_of_what_is_there_succeeds() {
    let stand = Stand::start();
    stand.control(json!({ "assign": [{ "permission_set": "Admin", "account": PROD, "user": "alice" }] }));
    stand.fault(json!({ "operation": "CreateAccountAssignment", "fault": "fail", "reason": "exists" }));
    assert_eq!(
        stand.ours().assign(&stand.admin(PROD), &stand.user("alice")).await,
        Ok(())
    );
}

#[tokio::test]
async fn failed_deletion_is_refused_while_it_is_listed() {
    let stand = Stand::start();
    stand.control(json!({ "assign": [{ "permission_set": "Admin", "account": PROD, "user": "alice" }] }));
    stand.fault(json!({ "operation": "DeleteAccountAssignment", "fault": "fail", "reason": "cannot", "next": 1 }));
    let (ours, admin) = (stand.ours(), stand.admin(PROD));
    refused(
        ours.unassign(&admin, &stand.user("alice")).await,
        &["could not take away", "cannot"],
    );
    assert_eq!(ours.unassign(&admin, &stand.user("alice")).await, Ok(()));
}

#[tokio::test]
async fn change_still_in_progress_is_taken_up_by_the_next_call() {
    let stand = Stand::start();
    stand.set(json!({ "held": true }));
    let (ours, alice, admin) = (stand.ours_with(HASTY), stand.user("alice"), stand.admin(PROD));
    for _ in 0..2 {
        let began = Instant::now();
        let answer = ours.assign(&admin, &alice).await;
        let told = matches!(&answer, Err(ProviderError::Unreachable(text)) if text.contains("still in progress"));
        assert!(told, "{answer:?}");
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }
    stand.control(json!({ "release": true, "settings": { "held": false } }));
    assert_eq!(ours.assign(&admin, &alice).await, Ok(()));
    assert_eq!(stand.count("CreateAccountAssignment"), 1);
}

#[tokio::test]
async fn deletion_waits_for_a_creation_whose_answer_was_lost() {
    let stand = Stand::start();
    stand.set(json!({ "held": true, "conflicts": "off" }));
    stand.fault(json!({ "operation": "CreateAccountAssignment", "fault": "cut_after", "next": 1 }));
    let (alice, admin) = (stand.user("alice"), stand.admin(PROD));
    let lost = stand.ours().assign(&admin, &alice).await;
    assert!(matches!(lost, Err(ProviderError::Unreachable(_))), "{lost:?}");
    // as after a restart: nobody remembers what was begun
    let restarted = stand.ours_with(HASTY);
    let waits = restarted.unassign(&admin, &alice).await;
    assert!(matches!(waits, Err(ProviderError::Unreachable(_))), "{waits:?}");
    stand.control(json!({ "release": true, "settings": { "held": false } }));
    assert_eq!(stand.ours().unassign(&admin, &alice).await, Ok(()));
    assert_eq!(stand.assigned(), [""; 0]);
    assert_eq!(stand.view()["under_way"], json!([]));
}

#[tokio::test]
async fn stale_deletion_does_not_stand_for_a_new_one() {
    let stand = Stand::start();
    let (ours, alice, admin) = (stand.ours_with(HASTY), stand.user("alice"), stand.admin(PROD));
    assert_eq!(ours.assign(&admin, &alice).await, Ok(()));
    stand.set(json!({ "held": true }));
    assert!(ours.unassign(&admin, &alice).await.is_err());
    stand.control(json!({ "release": true, "settings": { "held": false } }));
    // it ended, and somebody gave it again before we looked
    wait_until("the end of the deletion", LIMIT, || {
        stand.assigned().is_empty().then_some(())
    });
    stand.control(json!({ "assign": [{ "permission_set": "Admin", "account": PROD, "user": "alice" }] }));
    patiently(|| ours.unassign(&admin, &alice)).await;
    assert_eq!(stand.assigned(), [""; 0]);
}

#[tokio::test]
async fn list_names_users_of_others_and_leaves_groups_out() {
    let stand = Stand::start();
    stand.control(json!({ "assign": [
        { "permission_set": "Admin", "account": PROD, "user": "bob" },
        { "permission_set": "Admin", "account": PROD, "group": "admins" },
        { "permission_set": "Admin", "account": STAGING, "user": "alice" },
        { "permission_set": "ReadOnly", "account": PROD, "user": "alice" },
    ] }));
    let (ours, admin) = (stand.ours(), stand.admin(PROD));
    let listed = ours.assigned(&admin.instance, &admin.permission_set_arn, PROD).await;
    assert_eq!(listed, Ok(vec![stand.user("bob")]));
}
