//! Targets in many accounts: what the list shows, what policy sees, and what becomes of them when the organization does not
//! answer or has something no more.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::locks::{lock, unlock};
use super::many_accounts::{LEDGER, ONE, grant, in_an_hour, refusal, row, scene};
use crate::policy::many_sample::{PAYMENTS, PROD};
use crate::server::backend::Caller;
use crate::server::provider::ProviderError;
use crate::server::stage::Stage;
use crate::server::stage::members::Members;

#[tokio::test]
async fn unit_that_vanishes_says_so_and_nothing_else_is_lost() {
    let (stage, members, alice) = scene().await;
    let live = stage.file(&alice, ONE).await.unwrap();
    stage.work().await;
    let here = &members.organization;
    here.gone.lock().unwrap().insert(PROD.to_owned());
    here.put(LEDGER, "Ledger", &[], &[]);
    here.put("333333333333", "Payments", &[], &[("team", "payments")]);
    let (code, title) = refusal(stage.file(&alice, "prod-ops/333333333333").await);
    assert_eq!(code, "target.unresolved");
    assert_eq!(
        title,
        "the organization has no unit ou-ab12-11111111, which has the accounts of prod-ops"
    );
    stage.list_accounts().await;
    let shown = row(&stage, &alice, None, "prod-ops").await.unwrap().accounts.unwrap();
    assert_eq!(
        shown.missing.as_deref(),
        Some("the organization has no unit ou-ab12-11111111")
    );
    stage.file(&alice, "team-ops/333333333333").await.unwrap();
    stage.file(&alice, "dev-admin").await.unwrap();
    stage.at(3_601);
    stage.work().await;
    assert_eq!(grant(&stage, &live).await.state, "ended");
    assert_eq!(members.places_of("revoke"), [LEDGER]);
}

#[tokio::test]
async fn organization_that_does_not_answer_is_never_decided_without() {
    let (stage, members, alice) = scene().await;
    let later = stage.file_as(&alice, &in_an_hour(ONE)).await.unwrap();
    let live = stage.file(&alice, "prod-ops/333333333333").await.unwrap();
    stage.work().await;
    stage.list_accounts().await;
    let silent = |error: Option<ProviderError>| *members.organization.silent.lock().unwrap() = error;
    silent(Some(ProviderError::Throttled("too many calls".into())));
    // the list of a moment ago is shown, and decides nothing
    assert_eq!(
        row(&stage, &alice, None, "prod-ops")
            .await
            .unwrap()
            .accounts
            .unwrap()
            .count,
        2
    );
    assert_eq!(
        refusal(stage.file(&alice, "prod-ops/ledger").await).0,
        "provider.throttled"
    );
    silent(Some(ProviderError::Unreachable("no answer".into())));
    assert_eq!(refusal(stage.file(&alice, ONE).await).0, "provider.unreachable");
    stage.at(3_601);
    stage.work().await;
    assert_eq!(grant(&stage, &later).await.state, "scheduled", "it is asked again");
    assert_eq!(grant(&stage, &live).await.state, "ended", "taking away asks nobody");
    silent(None);
    stage.at(3_700);
    stage.work().await;
    assert_eq!(grant(&stage, &later).await.state, "active");
}

#[tokio::test]
async fn approved_request_that_nobody_could_look_at_expires() {
    let (stage, members, alice) = scene().await;
    let filed = stage.file_as(&alice, &in_an_hour(ONE)).await.unwrap();
    *members.organization.silent.lock().unwrap() = Some(ProviderError::Unreachable("no answer".into()));
    for secs in [3_600, 3_700, 100_000] {
        stage.at(secs);
        stage.work().await;
    }
    let over = grant(&stage, &filed).await;
    assert_eq!((over.state.as_str(), over.cause.as_deref()), ("ended", Some("expired")));
    assert_eq!(members.count("grant"), 0);
}

#[tokio::test]
async fn policy_sees_units_and_tags_as_they_are_now() {
    let (stage, members, alice) = scene().await;
    let forbid = r#"@id("base.payments-unit")
forbid (principal, action in [Jit::Action::"request", Jit::Action::"receive"], resource)
when { resource in Jit::Ou::"ou-ab12-22222222" || (resource.hasTag("freeze") && resource.getTag("freeze") == "yes") };

@id("base.inactive")"#;
    stage.put_in_force(&[("@id(\"base.inactive\")", forbid)]);
    assert_eq!(
        refusal(stage.file(&alice, "prod-ops/333333333333").await).0,
        "policy.refused"
    );
    let first = stage.file_as(&alice, &in_an_hour(ONE)).await.unwrap();
    members.organization.put("333333333333", "Payments", &[PROD], &[]);
    stage.file(&alice, "prod-ops/333333333333").await.unwrap();
    // a target in one account is looked at too, once a policy asks
    members
        .organization
        .put("222222222222", "development", &[PAYMENTS, PROD], &[]);
    assert_eq!(refusal(stage.file(&alice, "dev-admin").await).0, "policy.refused");
    // and again before it is given
    members
        .organization
        .put(LEDGER, "Ledger", &[PROD], &[("freeze", "yes")]);
    stage.at(3_600);
    stage.work().await;
    let over = grant(&stage, &first).await;
    assert_eq!((over.state.as_str(), over.cause.as_deref()), ("ended", Some("refused")));
}

#[tokio::test]
async fn account_that_is_left_out_or_closed_is_not_to_be_had() {
    let (stage, members, alice) = scene().await;
    stage.put_in_force(&[(
        "ou = \"ou-ab12-11111111\"",
        "ou = \"ou-ab12-11111111\"\nexcept = [\"ou-ab12-22222222\"]",
    )]);
    members.organization.put("666666666666", "Old", &[PROD], &[]);
    members
        .organization
        .suspended
        .lock()
        .unwrap()
        .insert("666666666666".to_owned());
    let (code, title) = refusal(stage.file(&alice, "prod-ops/333333333333").await);
    assert_eq!(
        (code.as_str(), title.as_str()),
        ("target.not_found", "account 333333333333 is left out of prod-ops")
    );
    let (code, title) = refusal(stage.file(&alice, "prod-ops/666666666666").await);
    assert_eq!(
        (code.as_str(), title.as_str()),
        ("provider.refused", "account 666666666666 is SUSPENDED, not ACTIVE")
    );
    stage.list_accounts().await;
    let shown = row(&stage, &alice, None, "prod-ops").await.unwrap().accounts.unwrap();
    assert_eq!(
        shown.members.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(),
        [LEDGER]
    );
}

#[tokio::test]
async fn accounts_are_listed_from_one_look_and_searched_by_name() {
    let (stage, members, alice) = scene().await;
    let shown = row(&stage, &alice, None, "prod-ops").await.unwrap().accounts.unwrap();
    assert_eq!(shown.missing.as_deref(), Some("they are not listed yet"));
    for n in 0..5_000 {
        members.organization.put(
            &format!("{}", 600_000_000_000_u64 + n),
            &format!("team {n}"),
            &[PROD],
            &[],
        );
    }
    stage.list_accounts().await;
    stage.list_accounts().await;
    assert_eq!(
        members.organization.walks.load(Ordering::SeqCst),
        2,
        "one look for each of two targets"
    );
    let shown = row(&stage, &alice, None, "prod-ops").await.unwrap().accounts.unwrap();
    assert_eq!((shown.count, shown.members.len()), (5_002, 200));
    let one = row(&stage, &alice, Some("team-4711"), "prod-ops")
        .await
        .unwrap()
        .accounts
        .unwrap();
    assert_eq!(
        one.members.iter().map(|one| one.target.as_str()).collect::<Vec<_>>(),
        ["prod-ops/team-4711"]
    );
    assert!(row(&stage, &alice, Some("no such account"), "prod-ops").await.is_none());
    assert_eq!(
        members.organization.looks.load(Ordering::SeqCst),
        0,
        "no account was asked for by itself"
    );
    // too old to be shown
    *members.organization.silent.lock().unwrap() = Some(ProviderError::Unreachable("no answer".into()));
    stage.at(3_600);
    stage.list_accounts().await;
    let shown = row(&stage, &alice, None, "prod-ops").await.unwrap().accounts.unwrap();
    assert_eq!(
        shown.missing.as_deref(),
        Some("they are not listed yet: no answer: no answer")
    );
}

#[tokio::test]
async fn lock_on_the_target_bears_on_all_its_accounts() {
    let (stage, members, alice) = scene().await;
    let held = stage.file(&alice, ONE).await.unwrap();
    stage.work().await;
    let carol = stage.sign_in("carol").await;
    let locked = lock(&stage, &carol, "ops").await.unwrap();
    assert_eq!((locked.lock.name.as_str(), locked.grants), ("prod-ops", 1));
    stage.work().await;
    let over = grant(&stage, &held).await;
    assert_eq!((over.state.as_str(), over.cause.as_deref()), ("ended", Some("locked")));
    assert_eq!(members.places_of("revoke"), [LEDGER]);
    assert_eq!(
        refusal(stage.file(&alice, "prod-ops/333333333333").await).0,
        "access.locked"
    );
    stage.file(&alice, "team-ops/333333333333").await.unwrap();
    // one account by itself
    unlock(&stage, &carol, "prod-ops").await.unwrap();
    lock(&stage, &carol, "prod-ops/444444444444").await.unwrap();
    assert_eq!(refusal(stage.file(&alice, ONE).await).0, "access.locked");
    stage.file(&alice, "prod-ops/333333333333").await.unwrap();
}

/// A target in one account of those: the same permission set by another name.
const ALONE: &str = r#"[[target]]
name = "ledger-ops"
title = "Ops in the ledger"
account = "ledger"
risk = 0
approvers = ["engineering"]
max_duration = "12h"
provider = { kind = "aws", road = "identity-center", permission_set = "Ops", id = "ps-2222222222222222", session = "1h" }

[[target]]
name = "team-ops"
"#;

/// The same permission set as `ONE`, asked for as a target of one account, and in another account as well.
async fn alike() -> (Stage, Arc<Members>, Caller, Caller) {
    let (stage, members, alice) = scene().await;
    let ledger = "\n[account.ledger]\nid = \"444444444444\"\nenvironment = \"dev\"\n\n[account.dev]";
    stage.put_in_force(&[
        ("[[target]]\nname = \"team-ops\"\n", ALONE),
        ("\n[account.dev]", ledger),
    ]);
    let carol = stage.sign_in("carol").await;
    (stage, members, alice, carol)
}

#[tokio::test]
async fn locked_family_is_not_had_in_one_account() {
    for lock_on in ["prod-ops", ONE] {
        let (stage, members, alice, carol) = alike().await;
        let held = stage.file(&alice, "ledger-ops").await.unwrap();
        let beside = stage.file(&alice, "prod-ops/333333333333").await.unwrap();
        stage.work().await;
        let locked = lock(&stage, &carol, lock_on).await.unwrap();
        let is_all = lock_on == "prod-ops";
        assert_eq!(locked.grants, 1 + u64::from(is_all), "{lock_on}");
        let failure = stage.file(&alice, "ledger-ops").await.unwrap_err().problem;
        assert_eq!(
            failure.title,
            format!("{lock_on} is locked, and this is the same access")
        );
        stage.work().await;
        let over = grant(&stage, &held).await;
        assert_eq!(
            (over.state.as_str(), over.cause.as_deref()),
            ("ended", Some("locked")),
            "{lock_on}"
        );
        assert_eq!(grant(&stage, &beside).await.state == "ended", is_all, "{lock_on}");
        assert!(members.places_of("revoke").contains(&LEDGER.to_owned()));
        unlock(&stage, &carol, lock_on).await.unwrap();
        stage.file(&alice, "ledger-ops").await.unwrap();
    }
}

/// What a request is the same access as was written down when it was filed: a name that came later is not among it.
#[tokio::test]
async fn account_of_a_later_name_locks_what_is_held() {
    let (stage, members, alice, carol) = alike().await;
    let ledger = "\n[account.ledger]\nid = \"444444444444\"\nenvironment = \"dev\"\n\n[account.dev]";
    let before = [
        ("[[target]]\nname = \"team-ops\"\n", ALONE),
        ("\n[account.dev]", ledger),
        ("name = \"prod-ops\"", "name = \"old-ops\""),
    ];
    stage.put_in_force(&before);
    let held = stage.file(&alice, "ledger-ops").await.unwrap();
    stage.work().await;
    stage.put_in_force(&before[..2]);
    assert_eq!(lock(&stage, &carol, ONE).await.unwrap().grants, 1);
    stage.work().await;
    let over = grant(&stage, &held).await;
    assert_eq!((over.state.as_str(), over.cause.as_deref()), ("ended", Some("locked")));
    assert_eq!(members.places_of("revoke"), [LEDGER]);
}

#[tokio::test]
async fn locked_target_of_one_account_bears_on_many() {
    let (stage, _, alice, carol) = alike().await;
    let held = stage.file(&alice, ONE).await.unwrap();
    stage.work().await;
    assert_eq!(lock(&stage, &carol, "ledger-ops").await.unwrap().grants, 1);
    assert_eq!(refusal(stage.file(&alice, ONE).await).0, "access.locked");
    stage.file(&alice, "prod-ops/333333333333").await.unwrap();
    stage.work().await;
    assert_eq!(grant(&stage, &held).await.cause.as_deref(), Some("locked"));
}

#[tokio::test]
async fn account_is_locked_by_its_name_or_digits() {
    let (stage, members, _) = scene().await;
    let carol = stage.sign_in("carol").await;
    // nobody waits for a list
    let failure = lock(&stage, &carol, "prod-ops/ledger").await.unwrap_err().problem;
    let digits = "name the account by its 12 digits, or prod-ops for all of them";
    assert_eq!(failure.hint.as_deref(), Some(digits));
    stage.list_accounts().await;
    let locked = lock(&stage, &carol, "prod-ops/ledger").await.unwrap();
    assert_eq!(locked.lock.name, ONE);
    assert!(unlock(&stage, &carol, "prod-ops/ledger").await.unwrap().lifted);
    let failure = lock(&stage, &carol, "prod-ops/nowhere").await.unwrap_err().problem;
    assert_eq!(failure.hint.as_deref(), Some(digits));
    drop(members);
}

/// A list by tag costs a call for every account: those by unit do not wait for it.
#[tokio::test]
async fn long_list_by_tag_holds_up_none_by_unit() {
    let (stage, members, alice) = scene().await;
    // lists are read in the order of the catalogue
    let first = r#"[[target]]
name = "first-ops"
title = "First"
accounts = "of-payments"
risk = 0
approvers = ["engineering"]
provider = { kind = "aws", road = "identity-center", permission_set = "First", id = "ps-4444444444444444", session = "1h" }

[[target]]
name = "prod-ops"
"#;
    stage.put_in_force(&[("[[target]]\nname = \"prod-ops\"\n", first)]);
    members.organization.is_stuck.store(true, Ordering::SeqCst);
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let reads = tokio::spawn(crate::server::service::roster::run(stage.backend.clone(), stopping));
    let is_listed = async || {
        let shown = row(&stage, &alice, None, "prod-ops").await.unwrap();
        shown.accounts.unwrap().missing.is_none()
    };
    let listed = async {
        while !is_listed().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), listed)
        .await
        .expect("the list by unit");
    stop.send(true).unwrap();
    reads.await.unwrap();
}
