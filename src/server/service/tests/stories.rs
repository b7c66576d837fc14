//! Failures that other systems had, played on ours, by their number in docs/failure-stories.md.

use std::sync::atomic::Ordering;

use tokio::task::JoinSet;

use super::{code, view};
use crate::domain::Timestamp;
use crate::server::backend::Caller;
use crate::server::provider::ProviderError;
use crate::server::service::{decide, end};
use crate::server::stage::{Stage, yes};
use crate::wire::{EndGrant, GrantView, RequestView};

/// Alice, as the provider of memberships knows her.
const ALICE: &str = "user-alice";
/// Longer than any pause between two attempts.
const PAUSE_S: i64 = 80;

async fn grant(stage: &Stage, caller: &Caller, request: &RequestView) -> GrantView {
    view(stage, caller, &request.id).await.grant.unwrap()
}

async fn state(stage: &Stage, caller: &Caller, request: &RequestView) -> String {
    grant(stage, caller, request).await.state
}

async fn give_back(stage: &Stage, caller: &Caller, request: &RequestView) {
    let id = grant(stage, caller, request).await.id;
    end::end(&stage.backend, caller, &id, &EndGrant::default(), None)
        .await
        .unwrap();
}

/// Somebody's request for `target` for an hour, as it was filed.
async fn filed(stage: &Stage, caller: &Caller, target: &str) -> RequestView {
    stage.file(caller, target).await.unwrap().request
}

/// Ten engineers more.
async fn ten(stage: &Stage) -> Vec<Caller> {
    let names: Vec<String> = (0..10).map(|n| format!("p{n}")).collect();
    let members: Vec<String> = names.iter().map(|name| format!("\"local:{name}\"")).collect();
    let all = format!("members = [\"local:alice\", {},", members.join(", "));
    stage.edit_policy("members = [\"local:alice\",", &all);
    let mut people = Vec::new();
    for name in &names {
        people.push(stage.sign_in(name).await);
    }
    people
}

#[tokio::test]
async fn story_01_earlier_end_leaves_the_later_grant_its_access() {
    let (stage, members) = Stage::of_members();
    let alice = stage.sign_in("alice").await;
    let first = filed(&stage, &alice, "dev-admin").await;
    let later = stage.file_for(&alice, "dev-too", 7_200).await.unwrap().request;
    stage.work().await;
    stage.at(3_600);
    stage.work().await;
    assert_eq!(state(&stage, &alice, &first).await, "ended");
    assert_eq!(state(&stage, &alice, &later).await, "active");
    assert!(members.has(ALICE));
    assert_eq!(members.count("revoke"), 0);
    stage.at(7_200);
    stage.work().await;
    assert!(!members.has(ALICE));
}

#[tokio::test]
async fn story_02_renewal_beside_a_revoke_is_given_anew() {
    let (stage, members) = Stage::of_members();
    let alice = stage.sign_in("alice").await;
    let first = filed(&stage, &alice, "dev-admin").await;
    stage.work().await;
    let busy = ProviderError::Throttled("another change is in progress".into());
    members.errors.lock().unwrap().push(busy);
    members.lost.lock().unwrap().push("revoke");
    give_back(&stage, &alice, &first).await;
    stage.work().await;
    let renewal = stage.file_for(&alice, "dev-too", 7_200).await.unwrap().request;
    stage.work().await;
    assert_eq!(state(&stage, &alice, &first).await, "revoking", "busy is not final");
    assert_eq!(state(&stage, &alice, &renewal).await, "granting");
    // this one takes it away, and nobody hears of it
    stage.at(PAUSE_S);
    stage.work().await;
    assert!(!members.has(ALICE));
    assert_eq!(state(&stage, &alice, &renewal).await, "granting", "nobody relies on it");
    stage.at(2 * PAUSE_S);
    stage.work().await;
    assert_eq!(state(&stage, &alice, &first).await, "ended");
    assert_eq!(state(&stage, &alice, &renewal).await, "active");
    assert!(members.has(ALICE));
    stage.at(7_200);
    stage.work().await;
    assert!(!members.has(ALICE));
}

#[tokio::test]
async fn story_03_throttled_revoke_is_tried_until_it_is_done() {
    let (stage, members) = Stage::of_members();
    let alice = stage.sign_in("alice").await;
    let held = filed(&stage, &alice, "dev-admin").await;
    stage.work().await;
    let throttled = ProviderError::Throttled("slow down".into());
    *members.errors.lock().unwrap() = vec![throttled; 20];
    stage.at(3_600);
    stage.work().await;
    for tries in 1..=20_u32 {
        let seen = grant(&stage, &alice, &held).await;
        assert_eq!((seen.state.as_str(), seen.attempts), ("revoking", tries));
        assert!(seen.last_error.unwrap().contains("slow down"));
        assert!(members.has(ALICE));
        let begun_now = Timestamp::from_millis(stage.backend.now().millis() + 3_600_000);
        assert_eq!(
            seen.last_credential_at,
            Some(begun_now),
            "a session can be begun until it is gone"
        );
        stage.at(3_600 + PAUSE_S * i64::from(tries));
        stage.work().await;
    }
    assert_eq!(state(&stage, &alice, &held).await, "ended");
    assert!(!members.has(ALICE));
}

#[tokio::test]
async fn story_04_what_is_accepted_is_active_only_once_there() {
    let (stage, members) = Stage::of_members();
    let alice = stage.sign_in("alice").await;
    members.deaf.store(2, Ordering::SeqCst);
    let asked = filed(&stage, &alice, "dev-admin").await;
    for (secs, attempts) in [(0, 1), (2, 2)] {
        stage.at(secs);
        stage.work().await;
        let seen = grant(&stage, &alice, &asked).await;
        assert_eq!(seen.state, "granting", "accepted {attempts} times");
        assert_eq!(members.count("grant"), attempts);
        assert!(!members.has(ALICE));
    }
    stage.at(5);
    stage.work().await;
    assert_eq!(state(&stage, &alice, &asked).await, "active");
    assert!(members.has(ALICE));
}

#[tokio::test]
async fn story_04_ten_approved_at_once_are_ten_active_grants() {
    let stage = Stage::new().await;
    let (people, bob) = (ten(&stage).await, stage.sign_in("bob").await);
    let mut asked = Vec::new();
    for person in &people {
        asked.push(filed(&stage, person, "prod-admin").await);
    }
    stage.provider.errors.lock().unwrap().extend([
        ProviderError::Throttled("slow down".into()),
        ProviderError::Unreachable("cut".into()),
    ]);
    let mut votes = JoinSet::new();
    for request in &asked {
        let (backend, bob, id, vote) = (stage.backend.clone(), bob.clone(), request.id.clone(), yes(request));
        votes.spawn(async move { decide::decide(&backend, &bob, &id, &vote, None).await.unwrap().state });
    }
    while let Some(decided) = votes.join_next().await {
        assert_eq!(decided.unwrap(), "approved");
    }
    let mut active = Vec::new();
    for secs in [0, PAUSE_S] {
        stage.at(secs);
        stage.work().await;
        let mut count = 0;
        for (person, request) in people.iter().zip(&asked) {
            count += u32::from(state(&stage, person, request).await == "active");
        }
        active.push(count);
    }
    assert_eq!(active, [8, 10]);
}

#[tokio::test]
async fn story_05_one_that_is_stuck_holds_up_no_other() {
    let stage = Stage::new().await;
    let (people, alice) = (ten(&stage).await, stage.sign_in("alice").await);
    let mut held = Vec::new();
    for person in &people {
        held.push(filed(&stage, person, "dev-admin").await);
    }
    stage.work().await;
    for round in 0..5 {
        let throttled = ProviderError::Throttled("slow down".into());
        stage.provider.errors.lock().unwrap().push(throttled);
        stage.at(3_600 + PAUSE_S * round);
        stage.work().await;
        let mut states = Vec::new();
        for (person, request) in people.iter().zip(&held) {
            states.push(state(&stage, person, request).await);
        }
        states.sort();
        let mut wanted = vec!["ended"; 9];
        wanted.push("revoking");
        assert_eq!(states, wanted, "round {round}");
    }
    // what is stuck keeps nobody from getting anything either
    let throttled = ProviderError::Throttled("slow down".into());
    stage.provider.errors.lock().unwrap().push(throttled);
    let asked = filed(&stage, &alice, "dev-admin").await;
    stage.at(3_600 + PAUSE_S * 5);
    stage.work().await;
    assert_eq!(state(&stage, &alice, &asked).await, "active");
    stage.at(3_600 + PAUSE_S * 6);
    stage.work().await;
    for (person, request) in people.iter().zip(&held) {
        assert_eq!(state(&stage, person, request).await, "ended");
    }
}

#[tokio::test]
async fn story_06_target_that_left_the_catalogue_still_ends() {
    let (stage, members) = Stage::of_members();
    let alice = stage.sign_in("alice").await;
    let held = filed(&stage, &alice, "dev-admin").await;
    stage.work().await;
    assert!(members.has(ALICE));
    // neither the target nor its Identity Center stands in the new catalogue
    stage.edit_policy("name = \"dev-admin\"", "name = \"dev-root\"");
    stage.at(3_600);
    stage.work().await;
    let over = grant(&stage, &alice, &held).await;
    assert_eq!((over.state.as_str(), over.cause.as_deref()), ("ended", Some("expired")));
    assert!(!members.has(ALICE));
}

#[tokio::test]
async fn story_15_who_was_found_at_asking_is_given_to() {
    let (stage, members) = Stage::of_members();
    let alice = stage.sign_in("alice").await;
    let held = filed(&stage, &alice, "dev-admin").await;
    *members.found_as.lock().unwrap() = Some("user-mallory".to_owned());
    stage.work().await;
    assert_eq!(state(&stage, &alice, &held).await, "active");
    assert!(members.has(ALICE) && !members.has("user-mallory"));
    stage.at(3_600);
    stage.work().await;
    let calls = members.calls.lock().unwrap().clone();
    assert!(calls.iter().all(|(_, user)| user == ALICE), "{calls:?}");
    assert!(!members.has(ALICE));
}

#[tokio::test]
async fn story_21_what_could_never_be_given_is_filed_nowhere() {
    let (stage, members) = Stage::of_members();
    let alice = stage.sign_in("alice").await;
    let unknown = ProviderError::Refused("the organization has no account 999999999999".into());
    *members.refusal.lock().unwrap() = Some(unknown);
    let refused = stage.file(&alice, "dev-admin").await.unwrap_err().problem;
    assert_eq!(refused.code, "provider.refused");
    assert!(refused.title.contains("no account 999999999999"), "{}", refused.title);
    let filed = stage.backend.store.requests_of(&alice.person.id, false, None, 10).await;
    assert_eq!(filed.unwrap(), []);
}

#[tokio::test]
async fn story_28_rules_of_one_target_say_nothing_of_another() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    let dev = stage.file_for(&alice, "dev-admin", 12 * 3_600).await.unwrap().request;
    assert_eq!(dev.state, "approved", "automatic, and long");
    stage.work().await;
    let long = stage.file_for(&alice, "prod-admin", 4 * 3_600 + 1).await;
    assert_eq!(code(long), "policy.over_cap");
    let prod = stage.file_for(&alice, "prod-admin", 4 * 3_600).await.unwrap().request;
    stage.work().await;
    let prod = view(&stage, &alice, &prod.id).await;
    assert_eq!((prod.state.as_str(), prod.grant.is_none()), ("pending", true));
}

#[tokio::test]
async fn story_32_what_was_there_before_us_stays() {
    let (stage, members) = Stage::of_members();
    members.there.lock().unwrap().insert(ALICE.to_owned());
    let alice = stage.sign_in("alice").await;
    let held = filed(&stage, &alice, "dev-admin").await;
    stage.work().await;
    assert_eq!(state(&stage, &alice, &held).await, "active");
    stage.at(3_600);
    stage.work().await;
    let over = grant(&stage, &alice, &held).await;
    assert_eq!(over.state, "ended");
    assert!(over.detail.unwrap().starts_with("access remains"));
    assert!(members.has(ALICE));
    assert_eq!((members.count("grant"), members.count("revoke")), (0, 0));
}

#[tokio::test]
async fn story_33_what_somebody_took_outside_ends_as_any_other() {
    let (stage, members) = Stage::of_members();
    let alice = stage.sign_in("alice").await;
    let held = filed(&stage, &alice, "dev-admin").await;
    stage.work().await;
    members.there.lock().unwrap().clear();
    give_back(&stage, &alice, &held).await;
    stage.work().await;
    assert_eq!(state(&stage, &alice, &held).await, "ended");
    let again = filed(&stage, &alice, "dev-admin").await;
    stage.work().await;
    assert_eq!(state(&stage, &alice, &again).await, "active");
    assert!(members.has(ALICE));
}

#[tokio::test]
async fn story_35_lost_answer_makes_nothing_of_ours_foreign() {
    let (stage, members) = Stage::of_members();
    let alice = stage.sign_in("alice").await;
    members.lost.lock().unwrap().extend(["grant", "revoke"]);
    let held = filed(&stage, &alice, "dev-admin").await;
    stage.work().await;
    assert!(members.has(ALICE), "done, and unheard");
    assert_eq!(state(&stage, &alice, &held).await, "granting");
    stage.at(2);
    stage.work().await;
    assert_eq!(state(&stage, &alice, &held).await, "active");
    stage.at(3_600);
    stage.work().await;
    assert!(!members.has(ALICE), "taken, and unheard");
    assert_eq!(state(&stage, &alice, &held).await, "revoking");
    stage.at(3_600 + PAUSE_S);
    stage.work().await;
    let over = grant(&stage, &alice, &held).await;
    assert_eq!((over.state.as_str(), over.detail), ("ended", None));
    assert_eq!((members.count("grant"), members.count("revoke")), (2, 2));
}
