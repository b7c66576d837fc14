//! Many at once: the quota is kept, what is taken away goes first, and exactly what should be there is there.

use std::sync::Arc;

use jit::server::provider::identity_center::Quota;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::answers::patiently;
use super::stand::{PROD, QUICK, STAGING, Stand};

/// Gives to some and takes from others, all at once: how many tries the slowest needed.
async fn at_once(stand: &Stand, quota: Quota, gives: &[String], takes: &[String]) -> u32 {
    let ours = Arc::new(stand.ours_with(quota));
    let mut work = JoinSet::new();
    for (users, gives) in [(gives, true), (takes, false)] {
        for (number, user) in users.iter().enumerate() {
            let (ours, user) = (ours.clone(), user.clone());
            let admin = stand.admin(if number % 2 == 0 { PROD } else { STAGING });
            work.spawn(async move {
                if gives {
                    patiently(|| ours.assign(&admin, &user)).await
                } else {
                    patiently(|| ours.unassign(&admin, &user)).await
                }
            });
        }
    }
    let mut most = 0;
    while let Some(tries) = work.join_next().await {
        most = most.max(tries.unwrap());
    }
    most
}

/// Those of `users` in their accounts, as the stand-in shows them.
fn where_they_belong(users: &[String]) -> Vec<String> {
    let account = |n: usize| if n.is_multiple_of(2) { PROD } else { STAGING };
    let mut all: Vec<String> = users
        .iter()
        .enumerate()
        .map(|(n, user)| format!("{} {user}", account(n)))
        .collect();
    all.sort();
    all
}

fn given(stand: &Stand, users: &[String]) {
    let account = |n: usize| if n.is_multiple_of(2) { PROD } else { STAGING };
    let all: Vec<Value> = users
        .iter()
        .enumerate()
        .map(|(n, user)| json!({ "permission_set": "Admin", "account": account(n), "user": user }))
        .collect();
    stand.control(json!({ "assign": all }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_at_once_with_half_throttled_leave_what_should_be_there() {
    let stand = Stand::start();
    let (gives, takes) = (stand.crowd("give", 100), stand.crowd("take", 100));
    given(&stand, &takes);
    stand.fault(json!({ "operation": "sso-admin:*", "fault": "throttle", "share": 0.5 }));
    at_once(&stand, QUICK, &gives, &takes).await;
    assert_eq!(stand.assigned(), where_they_belong(&gives));
    let most = stand.view()["most_outstanding"]["create"].as_u64().unwrap();
    assert!(most <= 10, "{most} creations at once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quota_of_aws_is_kept_and_taking_goes_first() {
    let stand = Stand::start();
    let (gives, takes) = (stand.crowd("give", 20), stand.crowd("take", 40));
    given(&stand, &takes);
    stand.control(json!({
        "reset_record": true,
        "settings": { "quota": { "per_second": 20, "outstanding": 10 }, "create_ms": 2_000, "delete_ms": 2_000 },
    }));
    at_once(&stand, Quota::default(), &gives, &takes).await;
    assert_eq!(stand.assigned(), where_they_belong(&gives));
    let view = stand.view();
    // 18 leave in any second; on a busy machine a few more arrive together
    assert!(
        view["busiest_second"].as_u64().unwrap() <= 24,
        "{}",
        view["busiest_second"]
    );
    // ten creations may have come before the first deletion, in the moment in which all were asked for
    let calls = view["calls"].as_array().unwrap();
    let last = |operation: &str| calls.iter().rposition(|call| call["operation"] == operation).unwrap();
    assert!(last("DeleteAccountAssignment") < last("CreateAccountAssignment"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mass_revoke_shares_its_lists() {
    let stand = Stand::start();
    let takes = stand.crowd("take", 120);
    given(&stand, &takes);
    assert_eq!(
        at_once(
            &stand,
            Quota {
                calls_per_second: 60,
                ..QUICK
            },
            &[],
            &takes
        )
        .await,
        1
    );
    assert_eq!(stand.assigned(), [""; 0]);
    let lists = stand.count("ListAccountAssignments") + stand.count("ListAccountAssignmentCreationStatus");
    // one by one it would be two each; how many share one hangs on how fast the machine is
    assert!(lists <= 80, "{lists} lists for 120 revokes");
    assert_eq!(stand.count("DeleteAccountAssignment"), 120);
}
