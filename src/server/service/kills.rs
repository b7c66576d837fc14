//! Ending early with a kill switch, over the real store and worker, with a provider that is a stand-in of ours.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::watch;

use super::tests::{active, code, view};
use super::{end, mint};
use crate::clock::Clock;
use crate::domain::{
    Actor, Change, Duration, Event, Grant, GrantId, KillState, PersonId, Reason, RequestId, Row, Timestamp, apply,
};
use crate::server::backend::{Backend, Caller, Parts};
use crate::server::provider::ProviderError;
use crate::server::stage::{NOON, Stage};
use crate::server::worker;
use crate::wire::{EndGrant, RequestView};

const ROLE: &str = "arn:aws:iam::111111111111:role/jit/jit-prod-admin";

/// Alice's grant on a target with a kill switch, with a credential that works until it ends.
async fn killable(stage: &Stage) -> (Caller, RequestView) {
    stage.with_kill_switches();
    let (alice, _, request) = active(stage).await;
    let grant = request.grant.as_ref().unwrap();
    mint::mint(&stage.backend, &alice, &grant.id).await.unwrap();
    (alice, request)
}

async fn give_back(stage: &Stage, alice: &Caller, request: &RequestView) {
    let grant = &request.grant.as_ref().unwrap().id;
    end::end(&stage.backend, alice, grant, &EndGrant::default(), None)
        .await
        .unwrap();
}

fn shut_out(stage: &Stage) -> Vec<String> {
    let roles = stage.provider.shut_out.lock().unwrap();
    let sessions = roles.get(ROLE).map(Vec::as_slice).unwrap_or_default();
    sessions.iter().map(|session| session.request.to_string()).collect()
}

/// Whether the sessions of `request`, and no others, are shut out.
fn is_alone(stage: &Stage, request: &RequestView) -> bool {
    shut_out(stage) == std::slice::from_ref(&request.id)
}

fn fails_with(stage: &Stage, errors: &[ProviderError]) {
    stage.provider.errors.lock().unwrap().extend_from_slice(errors);
}

async fn state_of(stage: &Stage, request: &RequestView) -> (String, Option<KillState>) {
    let id = RequestId::parse(&request.id).unwrap();
    let grant = stage.backend.store.grant_of(&id).await.unwrap().unwrap();
    (grant.state.to_string(), grant.kill.map(|kill| kill.state))
}

async fn nothing_is_left(stage: &Stage) {
    stage.at(13 * 3600);
    stage.work().await;
    assert_eq!(stage.backend.store.left().await.unwrap(), 0);
}

fn stands(state: &str, kill: KillState) -> (String, Option<KillState>) {
    (state.to_owned(), Some(kill))
}

#[tokio::test]
async fn sessions_are_shut_out_until_the_last_credential_has_died() {
    let stage = Stage::new().await;
    let (alice, request) = killable(&stage).await;
    stage.at(600);
    give_back(&stage, &alice, &request).await;
    assert_eq!(state_of(&stage, &request).await, stands("revoking", KillState::Killing));
    stage.work().await;
    assert_eq!(state_of(&stage, &request).await, stands("ended", KillState::Killed));
    assert!(is_alone(&stage, &request));
    stage.at(3599);
    stage.work().await;
    assert!(is_alone(&stage, &request));
    stage.at(3600);
    stage.work().await;
    assert_eq!(state_of(&stage, &request).await, stands("ended", KillState::Lifted));
    assert!(shut_out(&stage).is_empty());
    assert_eq!(stage.provider.written.load(Ordering::SeqCst), 2);
    nothing_is_left(&stage).await;
}

#[tokio::test]
async fn ordinary_end_writes_nothing() {
    let stage = Stage::new().await;
    let (_, request) = killable(&stage).await;
    stage.at(3600);
    stage.work().await;
    assert_eq!(state_of(&stage, &request).await, ("ended".to_owned(), None));
    assert_eq!(stage.provider.written.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn failed_write_is_tried_again_and_seen() {
    let stage = Stage::new().await;
    let (alice, request) = killable(&stage).await;
    let lost = ProviderError::Unreachable("cut".into());
    fails_with(
        &stage,
        &[
            ProviderError::Throttled("slow down".into()),
            lost,
            ProviderError::Refused("no".into()),
        ],
    );
    give_back(&stage, &alice, &request).await;
    for (n, said) in [(1, "slow down"), (2, "cut"), (3, "no")] {
        stage.work().await;
        let grant = view(&stage, &alice, &request.id).await.grant.unwrap();
        assert_eq!((grant.state.as_str(), grant.attempts), ("revoking", n));
        assert!(grant.last_error.unwrap().contains(said));
        stage.at(60 * i64::from(n));
    }
    stage.work().await;
    assert_eq!(state_of(&stage, &request).await, stands("ended", KillState::Killed));
}

#[tokio::test]
async fn kill_that_never_succeeds_ends_with_the_last_credential() {
    let stage = Stage::new().await;
    let (alice, request) = killable(&stage).await;
    fails_with(&stage, &[ProviderError::Unreachable("cut".into())]);
    give_back(&stage, &alice, &request).await;
    stage.work().await;
    // it was done, but nobody heard
    assert!(is_alone(&stage, &request));
    stage.at(3600);
    stage.work().await;
    assert_eq!(state_of(&stage, &request).await, stands("ended", KillState::Lifted));
    assert!(shut_out(&stage).is_empty());
    nothing_is_left(&stage).await;
}

#[tokio::test]
async fn grant_is_not_given_where_its_kill_switch_is_out_of_reach() {
    let stage = Stage::new().await;
    stage.with_kill_switches();
    let alice = stage.sign_in("alice").await;
    fails_with(&stage, &[ProviderError::Refused("no such role".into())]);
    let filed = stage.file(&alice, "dev-admin").await.unwrap().request;
    stage.work().await;
    let grant = view(&stage, &alice, &filed.id).await.grant.unwrap();
    assert_eq!(grant.state, "failed");
    assert!(grant.detail.unwrap().contains("no such role"));
    assert_eq!(stage.provider.verified.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn full_kill_switch_mints_nothing_that_is_dead_on_arrival() {
    let stage = Stage::new().await;
    let (alice, request) = killable(&stage).await;
    stage.at(100);
    *stage.provider.full.lock().unwrap() = Some(Timestamp::from_millis(NOON.millis() + 131_000));
    give_back(&stage, &alice, &request).await;
    stage.work().await;
    let (again, bob) = (
        stage.file(&alice, "prod-admin").await.unwrap().request,
        stage.sign_in("bob").await,
    );
    super::decide::decide(
        &stage.backend,
        &bob,
        &again.id,
        &crate::server::stage::yes(&again),
        None,
    )
    .await
    .unwrap();
    stage.work().await;
    let grant = view(&stage, &alice, &again.id).await.grant.unwrap().id;
    stage.at(160);
    let refused = mint::mint(&stage.backend, &alice, &grant).await;
    assert_eq!(code(refused), "rate.limited");
    stage.at(161);
    mint::mint(&stage.backend, &alice, &grant).await.unwrap();
}

/// Given, used for a credential and given back: whether the credential was to be had.
async fn round(stage: &Stage, who: &Caller) -> Result<RequestView, String> {
    let filed = stage.file(who, "dev-admin").await.unwrap().request;
    stage.work().await;
    let grant = view(stage, who, &filed.id).await.grant.unwrap().id;
    let minted = mint::mint(&stage.backend, who, &grant).await;
    // giving back is refused to nobody
    end::end(&stage.backend, who, &grant, &EndGrant::default(), None)
        .await
        .unwrap();
    stage.work().await;
    minted.map(|_| filed).map_err(|failure| failure.problem.code)
}

#[tokio::test]
async fn attack_15_one_who_ends_again_and_again_fills_no_kill_switch() {
    let stage = Stage::new().await;
    stage.with_kill_switches();
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let mut rounds = 0;
    let refused = loop {
        match round(&stage, &alice).await {
            Ok(_) => rounds += 1,
            Err(code) => break code,
        }
        assert!(rounds < 100);
    };
    assert_eq!((rounds, refused.as_str()), (20, "rate.limited"));
    let role = "arn:aws:iam::222222222222:role/jit/jit-dev-admin";
    let named = |stage: &Stage| stage.provider.shut_out.lock().unwrap().get(role).map_or(0, Vec::len);
    assert_eq!(named(&stage), 20);
    assert!(round(&stage, &bob).await.is_ok(), "it is hers alone");
    stage.at(13 * 3600);
    stage.work().await;
    let alice = stage.sign_in("alice").await;
    assert!(round(&stage, &alice).await.is_ok(), "all of them are over");
}

/// A backend on the store of `stage`, by the machine's clock.
fn another(stage: &Stage, stopping: watch::Receiver<bool>) -> Arc<Backend> {
    Backend::new(Parts {
        settings: stage.backend.settings.clone(),
        store: stage.backend.store.clone(),
        aws: stage.provider.clone(),
        identity_center: stage.provider.clone(),
        clock: Clock::real(),
        bundle: stage.backend.bundle(),
        issuer: None,
        stopping,
    })
}

/// `count` active grants like alice's, each of its own request, with credentials that work for another hour.
async fn many(stage: &Stage, count: u64) -> Vec<GrantId> {
    let (_, request) = killable(stage).await;
    let id = RequestId::parse(&request.id).unwrap();
    let case = stage.backend.store.case(&id).await.unwrap().unwrap();
    let in_an_hour = Clock::real().now().plus(Duration::from_secs(3600).unwrap());
    let mut grants = Vec::new();
    for n in 1..=count {
        let mut request = case.request.clone().unwrap();
        request.body.id = RequestId::from_bits(n);
        (request.digest, request.version) = (request.body.digest(), 1);
        let grant = Grant {
            id: GrantId::from_bits(n),
            request: RequestId::from_bits(n),
            ends_at: Some(in_an_hour),
            last_credential_at: Some(in_an_hour),
            version: 1,
            ..case.grant.clone().unwrap()
        };
        grants.push(grant.id.clone());
        let rows = vec![Row::Request(Box::new(request)), Row::Grant(grant)];
        let made = Change::new(NOON, "test.made", Actor::Backend, None, rows, serde_json::json!({}));
        stage.backend.store.commit(&made).await.unwrap();
    }
    grants
}

async fn revoke(backend: &Backend, grant: &GrantId) {
    let case = backend.store.case_of_grant(grant).await.unwrap().unwrap();
    let reason = Reason::parse("all of them, now").unwrap();
    let by = PersonId::from_bits(1);
    let change = apply(backend.now(), &case, &Event::Revoke { by, reason }).unwrap();
    backend.commit(&change).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attack_15_revokes_at_once_from_two_workers_lose_no_id() {
    let stage = Stage::new().await;
    let grants = many(&stage, 200).await;
    stage.provider.is_late.store(true, Ordering::SeqCst);
    let (stop, stopping) = watch::channel(false);
    let backends = [another(&stage, stopping.clone()), another(&stage, stopping.clone())];
    let workers = backends
        .clone()
        .map(|backend| tokio::spawn(worker::run(backend, stopping.clone())));
    let limit = std::time::Instant::now() + std::time::Duration::from_secs(60);
    for half in grants.chunks(100) {
        let revokes: Vec<_> = half
            .iter()
            .enumerate()
            .map(|(n, grant)| {
                let (backend, grant) = (backends[n % 2].clone(), grant.clone());
                tokio::spawn(async move { revoke(&backend, &grant).await })
            })
            .collect();
        for revoke in revokes {
            revoke.await.unwrap();
        }
        // the second half comes while a write is under way that cannot know of it
        while stage.provider.written.load(Ordering::SeqCst) == 0 {
            assert!(std::time::Instant::now() < limit, "nothing is written");
            tokio::task::yield_now().await;
        }
    }
    for grant in &grants {
        let state = || async {
            let case = stage.backend.store.case_of_grant(grant).await.unwrap().unwrap();
            case.grant.unwrap().kill.unwrap().state
        };
        while state().await != KillState::Killed {
            assert!(std::time::Instant::now() < limit, "{grant} is not shut out");
            tokio::task::yield_now().await;
        }
    }
    stop.send(true).unwrap();
    for worker in workers {
        worker.await.unwrap();
    }
    let mut expected: Vec<String> = (1..=200).map(|n| RequestId::from_bits(n).to_string()).collect();
    let mut found = shut_out(&stage);
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    // nor was an id lost for a while: whoever is said to be shut out stays so
    assert_eq!(stage.provider.let_in.load(Ordering::SeqCst), 0);
    let written = stage.provider.written.load(Ordering::SeqCst);
    assert!(written < 200, "{written} writes for 200 sessions");
}
