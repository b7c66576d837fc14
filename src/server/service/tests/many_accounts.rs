//! Targets in many accounts: which account is meant, whether it may be had there, and what is asked again before it is
//! given. The organization is a stand-in of ours; `tests/it/` has the one of AWS.

use std::sync::Arc;

use crate::domain::{Binding, Choice, GrantState, Timestamp};
use crate::policy::many_sample::{DEV, PROD};
use crate::server::backend::Caller;
use crate::server::failure::Failure;
use crate::server::service::targets;
use crate::server::stage::members::Members;
use crate::server::stage::{NOON, Stage, new_request};
use crate::server::worker::reconcile::Reconciler;
use crate::wire::{Filed, GrantView, NewRequest, TargetView};

pub(super) const LEDGER: &str = "444444444444";
pub(super) const ONE: &str = "prod-ops/444444444444";

pub(super) async fn scene() -> (Stage, Arc<Members>, Caller) {
    let (stage, members) = Stage::of_many();
    let alice = stage.sign_in("alice").await;
    (stage, members, alice)
}

/// The code and the words of a refusal.
#[track_caller]
pub(super) fn refusal(answer: Result<Filed, Failure>) -> (String, String) {
    let problem = answer.unwrap_err().problem;
    (problem.code, problem.title)
}

pub(super) async fn grant(stage: &Stage, filed: &Filed) -> GrantView {
    let id = crate::domain::RequestId::parse(&filed.request.id).unwrap();
    let case = stage.backend.store.case(&id).await.unwrap().unwrap();
    let person = stage
        .backend
        .store
        .person(&case.request().unwrap().body.requester)
        .await;
    let person = person.unwrap().unwrap();
    let viewer = crate::server::service::view::Viewer::new(&stage.backend, &person);
    viewer.of(&case).await.unwrap().grant.unwrap()
}

pub(super) fn in_an_hour(target: &str) -> NewRequest {
    NewRequest {
        start: Some(Timestamp::from_millis(NOON.millis() + 3_600_000)),
        ..new_request(target, 3_600)
    }
}

pub(super) async fn row(stage: &Stage, caller: &Caller, query: Option<&str>, name: &str) -> Option<TargetView> {
    let all = targets::targets(&stage.backend, caller, query).await.unwrap().targets;
    all.into_iter().find(|target| target.name == name)
}

#[tokio::test]
async fn account_of_many_is_bound_exactly_as_it_was_found() {
    let (stage, members, alice) = scene().await;
    let filed = stage.file(&alice, ONE).await.unwrap();
    assert_eq!(filed.request.target, ONE);
    assert_eq!(
        (filed.request.account.as_str(), filed.request.account_name.as_str()),
        (LEDGER, "Ledger")
    );
    let body: crate::domain::Body = serde_json::from_str(&filed.request.body).unwrap();
    let Binding::Assignment(assignment) = &body.binding else {
        panic!("{body:?}")
    };
    let chosen = assignment.chosen.clone().unwrap();
    assert_eq!(
        (chosen.accounts.as_str(), chosen.by),
        ("prod-workloads", Choice::Ou(PROD.into()))
    );
    stage.work().await;
    assert_eq!(grant(&stage, &filed).await.state, "active");
    assert_eq!(members.places_of("grant"), [LEDGER]);
    // renamed meanwhile: it is the same account
    members.organization.put(LEDGER, "Renamed", &[PROD], &[]);
    stage.at(3_601);
    stage.work().await;
    assert_eq!(grant(&stage, &filed).await.state, "ended");
    assert_eq!(members.places_of("revoke"), [LEDGER]);
}

#[tokio::test]
async fn account_is_found_by_its_name_in_the_list() {
    let (stage, members, alice) = scene().await;
    let (code, _) = refusal(stage.file(&alice, "prod-ops/payments").await);
    assert_eq!(code, "provider.unreachable", "nothing is listed yet");
    stage.list_accounts().await;
    let filed = stage.file(&alice, "prod-ops/payments").await.unwrap();
    assert_eq!(filed.request.target, "prod-ops/333333333333");
    let filed = stage.file(&alice, "ops/ledger").await.unwrap();
    assert_eq!(filed.request.target, ONE, "an alias, and the same account");
    // what the list says of before is not believed
    members.organization.put("333333333333", "Billing", &[PROD], &[]);
    let (code, title) = refusal(stage.file(&alice, "prod-ops/payments").await);
    assert_eq!(
        (code.as_str(), title.as_str()),
        (
            "target.not_found",
            "payments is no account of prod-ops (ou-ab12-11111111)"
        )
    );
}

#[tokio::test]
async fn attack_28_account_outside_the_unit_is_refused() {
    let (stage, members, alice) = scene().await;
    let (code, title) = refusal(stage.file(&alice, "prod-ops/555555555555").await);
    assert_eq!(code, "target.not_found");
    assert_eq!(title, "account 555555555555 is not one of prod-ops (ou-ab12-11111111)");
    for name in [
        "prod-ops/999999999999",
        "prod-ops/sandbox",
        "prod-ops/",
        "prod-ops/../dev-admin",
        "nothing/444444444444",
    ] {
        stage.list_accounts().await;
        let (code, _) = refusal(stage.file(&alice, name).await);
        assert_eq!(code, "target.not_found", "{name}");
    }
    // neither what it is called nor what it says of itself makes it one
    members.organization.put("555555555555", PROD, &[DEV], &[("ou", PROD)]);
    assert_eq!(
        refusal(stage.file(&alice, "prod-ops/555555555555").await).0,
        "target.not_found"
    );
    stage.work().await;
    assert_eq!(members.count("grant"), 0);
}

#[tokio::test]
async fn attack_28_account_that_is_called_like_another_is_not_it() {
    let (stage, members, alice) = scene().await;
    let here = &members.organization;
    // `dev` is the catalogue's word for 222222222222
    here.put("222222222222", "development", &[PROD], &[]);
    here.put("666666666666", "Dev", &[PROD], &[]);
    here.put("777777777777", "payments", &[PROD], &[]);
    stage.list_accounts().await;
    let filed = stage.file(&alice, "prod-ops/dev").await.unwrap();
    assert_eq!(
        (filed.request.account.as_str(), filed.request.account_name.as_str()),
        ("222222222222", "dev")
    );
    let filed = stage.file(&alice, "prod-ops/666666666666").await.unwrap();
    assert_eq!(
        filed.request.account_name, "666666666666",
        "its own name would be taken for another's"
    );
    let failure = stage.file(&alice, "prod-ops/payments").await.unwrap_err();
    assert_eq!(failure.problem.code, "target.ambiguous");
    assert_eq!(
        failure.problem.nearest,
        ["prod-ops/333333333333", "prod-ops/777777777777"]
    );
}

#[tokio::test]
async fn account_that_left_the_unit_before_its_start_is_refused() {
    let (stage, members, alice) = scene().await;
    let filed = stage.file_as(&alice, &in_an_hour(ONE)).await.unwrap();
    stage.work().await;
    assert_eq!(grant(&stage, &filed).await.state, GrantState::Scheduled.as_str());
    members.organization.put(LEDGER, "Ledger", &[DEV], &[]);
    stage.at(3_600);
    stage.work().await;
    let over = grant(&stage, &filed).await;
    assert_eq!((over.state.as_str(), over.cause.as_deref()), ("ended", Some("changed")));
    let detail = over.detail.unwrap();
    assert_eq!(detail, "account 444444444444 is not one of prod-ops (ou-ab12-11111111)");
    assert_eq!(members.count("grant"), 0);
}

#[tokio::test]
async fn account_that_left_the_unit_keeps_its_live_grant_until_the_end() {
    let (stage, members, alice) = scene().await;
    let filed = stage.file(&alice, ONE).await.unwrap();
    stage.work().await;
    members.organization.put(LEDGER, "Ledger", &[DEV], &[]);
    stage.at(1_800);
    stage.work().await;
    assert_eq!(grant(&stage, &filed).await.state, "active");
    let more = NewRequest {
        extend: true,
        ..new_request(ONE, 3_600)
    };
    assert_eq!(
        refusal(stage.file_as(&alice, &more).await).0,
        "target.not_found",
        "no more of it"
    );
    let mut reconciler = Reconciler::default();
    for _ in 0..3 {
        reconciler.round(&stage.backend).await.unwrap();
    }
    let evidence = stage.backend.store.evidence(0, 1_000).await.unwrap();
    let told = evidence.iter().filter(|line| line.kind == "account.left");
    assert_eq!(told.count(), 1, "once");
    // nor by a backend that was started since
    Reconciler::default().round(&stage.backend).await.unwrap();
    let evidence = stage.backend.store.evidence(0, 1_000).await.unwrap();
    let told = evidence.iter().filter(|line| line.kind == "account.left");
    assert_eq!(told.count(), 1, "once for every start");
    stage.at(3_601);
    stage.work().await;
    assert_eq!(grant(&stage, &filed).await.state, "ended");
    assert_eq!(members.places_of("revoke"), [LEDGER]);
}

#[tokio::test]
async fn attack_28_account_moved_into_a_weaker_unit_stays_where_security_has_it() {
    let (stage, members, alice) = scene().await;
    // the catalogue says that 111111111111 is prod; whoever moves it below a unit of dev does not change that
    members.organization.put("111111111111", "Payments", &[PROD], &[]);
    let (code, title) = refusal(stage.file(&alice, "prod-ops/111111111111").await);
    assert_eq!(code, "policy.refused");
    assert_eq!(title, "account 111111111111 belongs to prod, prod-ops to dev");
}

#[tokio::test]
async fn attack_04_two_targets_of_one_access_have_the_same_rules() {
    let (stage, members, alice) = scene().await;
    let weaker = [
        (
            "permission_set = \"Team\", id = \"ps-3333333333333333\", session = \"1h\"",
            "permission_set = \"Ops\", id = \"ps-2222222222222222\", session = \"1h\"",
        ),
        (
            "name = \"prod-ops\"\ntitle = \"Ops\"\naliases = [\"ops\"]\naccounts = \"prod-workloads\"\nrisk = 0",
            "name = \"prod-ops\"\ntitle = \"Ops\"\naliases = [\"ops\"]\naccounts = \"prod-workloads\"\nrisk = 2",
        ),
    ];
    stage.put_in_force(&weaker);
    // 333333333333 is below the unit and has the tag
    for (asked, other) in [("team-ops", "prod-ops"), ("prod-ops", "team-ops")] {
        let (code, title) = refusal(stage.file(&alice, &format!("{asked}/333333333333")).await);
        assert_eq!(code, "policy.refused");
        assert_eq!(
            title,
            format!("{asked} and {other} are one access in account 333333333333 and differ in risk")
        );
    }
    members
        .organization
        .put("555555555555", "Sandbox", &[DEV], &[("team", "payments")]);
    stage.file(&alice, "team-ops/555555555555").await.unwrap();
}

#[tokio::test]
async fn target_without_an_account_says_how_to_name_one() {
    let (stage, _, alice) = scene().await;
    let failure = stage.file(&alice, "prod-ops").await.unwrap_err();
    assert_eq!(failure.problem.code, "target.ambiguous");
    assert_eq!(
        failure.problem.hint.as_deref(),
        Some("say which: prod-ops/ACCOUNT; they are listed as targets of prod-ops/")
    );
}

#[tokio::test]
async fn account_that_was_closed_while_it_is_held_is_told_once() {
    let (stage, members, alice) = scene().await;
    stage.file(&alice, ONE).await.unwrap();
    stage.work().await;
    members.organization.suspended.lock().unwrap().insert(LEDGER.to_owned());
    for _ in 0..3 {
        Reconciler::default().round(&stage.backend).await.unwrap();
    }
    let evidence = stage.backend.store.evidence(0, 1_000).await.unwrap();
    let told: Vec<_> = evidence.iter().filter(|line| line.kind == "account.refused").collect();
    assert_eq!(told.len(), 1);
    let details = &told[0].payload.as_ref().unwrap()["details"];
    assert_eq!(
        (&details["account"], details["grants"][0].is_string()),
        (&LEDGER.into(), true)
    );
    assert!(details["error"].as_str().unwrap().contains("SUSPENDED"), "{details}");
}
