//! Targets in many accounts: what the list shows, what policy sees, and what becomes of them when the organization does not
//! answer or has something no more.

use std::sync::atomic::Ordering;

use super::locks::{lock, unlock};
use super::many_accounts::{LEDGER, ONE, grant, in_an_hour, refusal, row, scene};
use crate::policy::many_sample::{PAYMENTS, PROD};
use crate::server::provider::ProviderError;

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
