//! One account as the organization has it now, and many of them in a list.

use std::time::Instant;

use jit::domain::{Choice, Partition};
use jit::server::provider::{Organization, ProviderError};
use serde_json::json;

use super::stand::{CLOSED, DELEGATED, MANAGEMENT, PROD, QUICK, STAGING, Stand, refused};

fn unit(stand: &Stand, path: &str) -> String {
    let seeded = stand.seed(json!({}));
    seeded["ous"][path]
        .as_str()
        .unwrap_or_else(|| panic!("{path} in {seeded}"))
        .to_owned()
}

/// `PROD` below `Workloads/Prod`, `STAGING` below `Workloads` with a tag, `CLOSED` beside `PROD`.
fn stand() -> Stand {
    let stand = Stand::start();
    stand.seed(json!({ "accounts": [
        { "id": PROD, "ou": "Workloads/Prod", "tags": { "team": "payments", "env": "prod" } },
        { "id": STAGING, "ou": "Workloads", "tags": { "team": "payments" } },
        { "id": CLOSED, "ou": "Workloads/Prod", "tags": { "team": "payments" } },
        { "id": DELEGATED, "ou": "Core" },
    ] }));
    stand
}

fn tag(key: &str, value: &str) -> Choice {
    Choice::Tag {
        key: key.into(),
        value: value.into(),
    }
}

async fn ids(ours: &impl Organization, by: &Choice, except: &[String]) -> Vec<String> {
    let listed = ours.accounts(Partition::Aws, by, except).await.unwrap();
    listed.into_iter().map(|one| one.id).collect()
}

#[tokio::test]
async fn account_is_seen_with_units_and_tags_as_they_are_now() {
    let stand = stand();
    let ours = stand.ours();
    let (prod, workloads) = (unit(&stand, "Workloads/Prod"), unit(&stand, "Workloads"));
    let facts = ours.account(Partition::Aws, PROD).await.unwrap().unwrap();
    assert_eq!((facts.id.as_str(), facts.name.as_str()), (PROD, "prod"));
    assert_eq!(facts.ous[..2], [prod.clone(), workloads.clone()]);
    assert!(facts.ous[2].starts_with("r-") && facts.ous.len() == 3, "{facts:?}");
    assert_eq!(facts.tags["team"], "payments");
    assert!(facts.is_chosen(&Choice::Ou(workloads)) && facts.is_chosen(&tag("env", "prod")));
    // moved and tagged anew: the next look sees it
    stand.seed(json!({ "accounts": [{ "id": PROD, "ou": "Core", "tags": {} }] }));
    let facts = ours.account(Partition::Aws, PROD).await.unwrap().unwrap();
    assert!(
        !facts.is_chosen(&Choice::Ou(prod)) && facts.tags.is_empty(),
        "{facts:?}"
    );
}

#[tokio::test]
async fn account_that_is_none_or_closed_is_told_apart() {
    let stand = stand();
    let ours = stand.ours();
    assert_eq!(ours.account(Partition::Aws, "999999999999").await, Ok(None));
    refused(
        ours.account(Partition::Aws, CLOSED).await,
        &[CLOSED, "SUSPENDED, not ACTIVE"],
    );
}

#[tokio::test]
async fn accounts_below_a_unit_are_listed_without_what_is_left_out() {
    let stand = stand();
    let (ours, prod, workloads) = (stand.ours(), unit(&stand, "Workloads/Prod"), unit(&stand, "Workloads"));
    assert_eq!(ids(&ours, &Choice::Ou(workloads.clone()), &[]).await, [PROD, STAGING]);
    assert_eq!(ids(&ours, &Choice::Ou(workloads.clone()), &[prod]).await, [STAGING]);
    assert_eq!(ids(&ours, &Choice::Ou(workloads), &[STAGING.to_owned()]).await, [PROD]);
    assert_eq!(ids(&ours, &tag("team", "payments"), &[]).await, [PROD, STAGING]);
    let (prod, gone) = (unit(&stand, "Workloads/Prod"), "ou-ab12-99999999".to_owned());
    assert_eq!(ids(&ours, &tag("team", "payments"), &[gone, prod]).await, [STAGING]);
    assert_eq!(
        ids(&ours, &tag("team", "payments"), &[PROD.to_owned()]).await,
        [STAGING]
    );
    assert_eq!(ids(&ours, &tag("team", "Payments"), &[]).await, [""; 0]);
}

#[tokio::test]
async fn management_account_is_listed_only_where_it_is_served() {
    let stand = stand();
    let root = stand
        .ours()
        .account(Partition::Aws, PROD)
        .await
        .unwrap()
        .unwrap()
        .ous
        .pop()
        .unwrap();
    let all = Choice::Ou(root);
    assert!(ids(&stand.ours(), &all, &[]).await.contains(&MANAGEMENT.to_owned()));
    let delegated = stand.called_by(DELEGATED, QUICK);
    assert!(!ids(&delegated, &all, &[]).await.contains(&MANAGEMENT.to_owned()));
}

#[tokio::test]
async fn unit_that_vanished_is_told_from_one_that_is_there() {
    let stand = stand();
    let (ours, prod) = (stand.ours(), unit(&stand, "Workloads/Prod"));
    assert_eq!(ours.has_unit(Partition::Aws, &prod).await, Ok(true));
    stand.control(json!({ "remove_ous": ["Workloads/Prod"] }));
    assert_eq!(ours.has_unit(Partition::Aws, &prod).await, Ok(false));
    refused(
        ours.accounts(Partition::Aws, &Choice::Ou(prod), &[]).await,
        &["organizations:List", "correct the catalogue"],
    );
}

#[tokio::test]
async fn half_of_a_look_is_no_answer() {
    for operation in ["DescribeAccount", "ListParents", "ListTagsForResource"] {
        let stand = stand();
        stand.fault(json!({ "operation": operation, "fault": "cut_after" }));
        let answer = stand.ours().account(Partition::Aws, PROD).await;
        assert!(
            matches!(answer, Err(ProviderError::Unreachable(_))),
            "{operation}: {answer:?}"
        );
        stand.control(json!({ "clear_faults": true }));
        stand.fault(json!({ "operation": operation, "fault": "access_denied" }));
        let action = format!("organizations:{operation}");
        refused(
            stand.ours().account(Partition::Aws, PROD).await,
            &[&action, "allow it in the policy"],
        );
        stand.control(json!({ "clear_faults": true }));
        // too many calls: the gate tries again
        stand.fault(json!({ "operation": operation, "fault": "throttle", "next": 3 }));
        assert!(stand.ours().account(Partition::Aws, PROD).await.is_ok(), "{operation}");
    }
}

#[tokio::test]
async fn five_thousand_accounts_are_listed_by_the_page() {
    let stand = Stand::start();
    stand.seed(json!({ "accounts": [{ "count": 5_000, "name": "many", "ou": "Workloads" }] }));
    let ours = stand.ours();
    let workloads = unit(&stand, "Workloads");
    let begun = Instant::now();
    let listed = ours
        .accounts(Partition::Aws, &Choice::Ou(workloads), &[])
        .await
        .unwrap();
    println!("5,000 accounts in {:?} at 200 calls a second", begun.elapsed());
    assert_eq!(listed.len(), 5_000);
    assert_eq!(stand.count("ListAccountsForParent"), 250, "20 accounts a page");
    for one_each in ["DescribeAccount", "ListParents", "ListTagsForResource"] {
        assert_eq!(stand.count(one_each), 0, "{one_each}");
    }
}
