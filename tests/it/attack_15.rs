//! Two workers on one store, each with its own way to AWS, and two hundred revokes of one role at once: what stands in
//! the stand-in at the end holds every one of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use jit::clock::Clock;
use jit::domain::{
    Actor, Binding, Body, Change, DeviceId, Duration, Event, Frozen, Grant, GrantId, GrantState, KillState, Person,
    PersonId, Reason, Request, RequestId, RequestState, Row, TargetName, Timestamp, Workflow, apply,
};
use jit::server;
use jit::server::backend::{Backend, Parts};
use jit::server::dev;
use jit::server::provider::aws::AwsSettings;
use jit::server::worker;
use serde_json::json;
use tokio::sync::watch;

use crate::aws_access::{in_seconds, now, provider};
use crate::harness::{AwsProxy, Fault, LIMIT, MiniStack};
use crate::kill_switch::{ids_in_policy, is_allowed, is_denied, killable, minted};

const ROLE: &str = "jit-killable-crowd";
const CROWD: u64 = 200;

fn seconds(secs: u32) -> Duration {
    Duration::from_secs(secs).unwrap()
}

fn alice() -> Person {
    Person {
        id: PersonId::from_bits(1),
        issuer: "local".into(),
        subject: "alice-of-the-crowd".into(),
        name: "alice".into(),
        since: now(),
        workload: None,
    }
}

/// Request `n` on the role, approved, and its grant, active for an hour with credentials that work as long.
fn granted(n: u64, ends_at: Timestamp) -> (Request, Grant) {
    let body = Body {
        schema: Body::SCHEMA.into(),
        id: RequestId::from_bits(n),
        requester: alice().id,
        beneficiary: alice().id,
        target: TargetName::parse("prod-admin").unwrap(),
        binding: Binding::Role(killable(ROLE, n).binding),
        duration: seconds(3600),
        start: None,
        reason: Reason::parse("everybody at once").unwrap(),
        ticket: None,
        only: vec![],
        extends: None,
        user: None,
        pre_existing: false,
        through_group: false,
        workload: None,
    };
    let grant = Grant {
        id: GrantId::from_bits(n),
        request: body.id.clone(),
        beneficiary: alice().id,
        target: body.target.clone(),
        only: vec![],
        state: GrantState::Active,
        created_at: now(),
        starts_at: now(),
        activate_by: now(),
        activated_at: Some(now()),
        anchor_at: Some(now()),
        ends_at: Some(ends_at),
        last_credential_at: Some(ends_at),
        ended_at: None,
        cause: None,
        detail: None,
        ended_by: None,
        kill: None,
        version: 1,
    };
    let workflow = Workflow {
        name: "none".into(),
        stages: vec![],
        expires_after: seconds(3600),
        activate_within: seconds(3600),
    };
    let request = Request {
        digest: body.digest(),
        body,
        frozen: Frozen {
            workflow,
            cap: seconds(3600),
            risk: 1,
            environment: "prod".into(),
            bundle_hash: "b".repeat(64),
            account: None,
            same_access: Vec::new(),
            started_by: Vec::new(),
        },
        state: RequestState::Approved,
        automatic: true,
        filed_at: now(),
        filed_from: DeviceId::parse(&"d".repeat(43)).unwrap(),
        expires_at: ends_at,
        closed_at: Some(now()),
        version: 1,
    };
    (request, grant)
}

async fn put(backend: &Backend, rows: Vec<Row>) {
    let made = Change::new(now(), "test.made", Actor::Backend, None, rows, json!({}));
    backend.store.commit(&made).await.unwrap();
}

async fn revoke(backend: &Backend, n: u64) {
    let case = backend
        .store
        .case_of_grant(&GrantId::from_bits(n))
        .await
        .unwrap()
        .unwrap();
    let reason = Reason::parse("all of them, now").unwrap();
    let by = alice().id;
    let change = apply(backend.now(), &case, &Event::Revoke { by, reason }).unwrap();
    backend.commit(&change).await.unwrap();
}

async fn is_killed(backend: &Backend, n: u64) -> bool {
    let grant = backend.store.grant_of(&RequestId::from_bits(n)).await.unwrap().unwrap();
    grant.kill.is_some_and(|kill| kill.state == KillState::Killed)
}

/// Another backend on the same store, with its own way to AWS.
fn second(first: &Backend, endpoint: &str, stopping: watch::Receiver<bool>) -> Arc<Backend> {
    Backend::new(Parts {
        settings: first.settings.clone(),
        store: first.store.clone(),
        aws: Arc::new(provider(endpoint)),
        identity_center: first.identity_center.clone(),
        clock: Clock::real(),
        bundle: first.bundle(),
        issuer: None,
        stopping,
    })
}

/// The requests that a body names.
fn ids(body: &str) -> BTreeSet<String> {
    body.match_indices("req_")
        .map(|(at, _)| body[at..at + 16].to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attack_15_two_workers_lose_no_session_in_the_policy() {
    MiniStack::shared().make_roles(&["111111111111:jit-kill-switch", &format!("111111111111:{ROLE}")]);
    let folder = tempfile::tempdir().unwrap();
    let data = dev::Data::take(folder.path()).unwrap();
    let aws = AwsSettings {
        endpoint: Some(MiniStack::shared().url.clone()),
        ..AwsSettings::default()
    };
    let settings = dev::settings(&data, "127.0.0.1:1".parse().unwrap(), aws.with_keys("test", "test"))
        .await
        .unwrap();
    let first = server::open(settings).await.unwrap().backend;
    let (stop, stopping) = watch::channel(false);
    let proxy = AwsProxy::before(&MiniStack::shared().url);
    let backends = [stopping.clone(), stopping.clone()].map(|stopping| second(&first, &proxy.url, stopping));
    put(&first, vec![Row::Person(alice())]).await;
    let ends_at = in_seconds(3600);
    for n in 1..=CROWD {
        let (request, grant) = granted(n, ends_at);
        put(&first, vec![Row::Request(Box::new(request)), Row::Grant(grant)]).await;
    }
    let (gone, stays) = (minted(&killable(ROLE, 77)).await, minted(&killable(ROLE, 7_777)).await);
    is_allowed(&gone);
    let workers = backends
        .clone()
        .map(|backend| tokio::spawn(worker::run(backend, stopping.clone())));
    let limit = std::time::Instant::now() + LIMIT;
    // the other half comes while a write is under way that cannot know of it, and that lands late
    proxy.then("PutRolePolicy", Fault::Late);
    for half in [1..=CROWD / 2, CROWD / 2 + 1..=CROWD] {
        let revokes = half.map(|n| {
            let backend = backends[usize::try_from(n % 2).unwrap()].clone();
            tokio::spawn(async move { revoke(&backend, n).await })
        });
        for revoke in revokes.collect::<Vec<_>>() {
            revoke.await.unwrap();
        }
        while proxy.calls_of("PutRolePolicy") == 0 {
            assert!(std::time::Instant::now() < limit, "nothing is written");
            tokio::task::yield_now().await;
        }
    }
    for n in 1..=CROWD {
        while !is_killed(&first, n).await {
            assert!(std::time::Instant::now() < limit, "session {n} is not shut out");
            tokio::task::yield_now().await;
        }
    }
    stop.send(true).unwrap();
    for worker in workers {
        worker.await.unwrap();
    }
    let expected: BTreeSet<String> = (1..=CROWD).map(|n| RequestId::from_bits(n).to_string()).collect();
    assert_eq!(ids_in_policy(ROLE), expected);
    let written: Vec<BTreeSet<String>> = proxy.done("PutRolePolicy").iter().map(|body| ids(body)).collect();
    assert!(written.len() > 1, "nothing came while it was written");
    let lost = written.windows(2).find(|pair| !pair[0].is_subset(&pair[1]));
    assert_eq!(lost, None, "an id was lost for a while");
    is_denied(&gone);
    is_allowed(&stays);
}
