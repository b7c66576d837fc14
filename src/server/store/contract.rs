//! What every store must do, as one suite that runs on each of them.
//! Owns the values that the suite plays with. Refuses to know which store it runs on.

mod audit;
mod cases;
mod commits;
mod directories;
mod issuer_keys;
mod locks;
mod memberships;
mod outbox;
mod people;
mod races;
mod sealing;
mod switches;

use std::sync::Arc;

use serde_json::json;

use super::Store;
use crate::domain::{
    Actor, Binding, Body, Bound, Change, Decision, Device, DeviceId, Digest, Duration, Effect, Frozen, Grant, GrantId,
    GrantState, KeyStorage, Once, Partition, Person, PersonId, Reason, Request, RequestId, RequestState, Road,
    RoleBinding, Row, Session, SessionId, SignInCode, SignInMethod, StartedBy, TargetName, Timestamp, Trace, Verdict,
    Workflow, Workload,
};

/// A store with the people of the suite in it. Whatever holds it up lives as long.
struct Tried {
    store: Arc<dyn Store>,
    _folder: Option<tempfile::TempDir>,
}

impl std::ops::Deref for Tried {
    type Target = dyn Store;
    fn deref(&self) -> &(dyn Store + 'static) {
        &*self.store
    }
}

impl Tried {
    async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = super::SqliteStore::open(&folder.path().join("jit.db")).await.unwrap();
        Self::with(Arc::new(store), Some(folder)).await
    }

    async fn memory() -> Self {
        Self::with(Arc::new(super::MemoryStore::default()), None).await
    }

    async fn with(store: Arc<dyn Store>, folder: Option<tempfile::TempDir>) -> Self {
        let tried = Self { store, _folder: folder };
        for person in [ALICE, BOB, CAROL] {
            tried.commit(&change(Row::Person(a_person(person)))).await.unwrap();
        }
        tried
    }
}

/// Each named function as a test on every store.
macro_rules! on_every_store {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(&super::Tried::sqlite().await).await;
            })*
        }
        mod memory {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(&super::Tried::memory().await).await;
            })*
        }
    };
}
use on_every_store;

const ALICE: u64 = 1;
const BOB: u64 = 2;
const CAROL: u64 = 3;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1000)
}

fn duration(seconds: u32) -> Duration {
    Duration::from_secs(seconds).unwrap()
}

fn person(n: u64) -> PersonId {
    PersonId::from_bits(n)
}

fn device() -> DeviceId {
    DeviceId::parse(&"d".repeat(43)).unwrap()
}

fn request_id(n: u64) -> RequestId {
    RequestId::from_bits(n)
}

fn grant_id(n: u64) -> GrantId {
    GrantId::from_bits(n)
}

fn target(name: &str) -> TargetName {
    TargetName::parse(name).unwrap()
}

fn a_person(n: u64) -> Person {
    Person {
        id: person(n),
        issuer: "local".to_owned(),
        subject: format!("person-{n}"),
        name: format!("Person {n}"),
        since: at(0),
        workload: None,
    }
}

fn a_device(owner: u64) -> Device {
    Device {
        id: device(),
        person: person(owner),
        public_key: "{}".to_owned(),
        key_storage: KeyStorage::File,
        enrolled_at: at(1),
        known_until: at(100),
        version: 1,
    }
}

fn a_session(n: u64, owner: u64) -> Session {
    Session {
        id: SessionId::from_bits(n),
        token_hash: format!("token-{n}"),
        person: person(owner),
        device: device(),
        key_storage: KeyStorage::Keyring,
        method: SignInMethod::Local,
        mfa_at: None,
        id_token: None,
        created_at: at(1),
        used_at: at(1),
        expires_at: at(3600),
        ended_at: None,
        version: 1,
    }
}

fn a_code(n: u64, owner: u64) -> SignInCode {
    SignInCode {
        code_hash: format!("code-{n}"),
        person: person(owner),
        expires_at: at(600),
        spent_at: None,
        bound: None,
        tries: 0,
        version: 1,
    }
}

fn a_binding() -> Binding {
    Binding::Role(RoleBinding {
        partition: Partition::Aws,
        account: "111122223333".to_owned(),
        account_name: "prod".to_owned(),
        role_arn: "arn:aws:iam::111122223333:role/admin".to_owned(),
        region: "eu-central-1".to_owned(),
        road: Road::AssumeRole,
        session: duration(3600),
        chain: false,
        trace: Trace::Session,
        never: vec!["iam:*".to_owned()],
        kill: None,
    })
}

fn a_body(n: u64, beneficiary: u64, on: &str) -> Body {
    Body {
        schema: Body::SCHEMA.to_owned(),
        id: request_id(n),
        requester: person(beneficiary),
        beneficiary: person(beneficiary),
        target: target(on),
        binding: a_binding(),
        duration: duration(7200),
        start: None,
        reason: Reason::parse("Zahlung hängt – PAY-311").unwrap(),
        ticket: None,
        only: Vec::new(),
        extends: None,
        user: None,
        pre_existing: false,
        through_group: false,
        workload: None,
    }
}

fn frozen() -> Frozen {
    Frozen {
        workflow: Workflow {
            name: "one".to_owned(),
            stages: Vec::new(),
            expires_after: duration(3600),
            activate_within: duration(600),
        },
        cap: duration(14_400),
        risk: 2,
        environment: "production".to_owned(),
        bundle_hash: "b".repeat(64),
        account: None,
        same_access: Vec::new(),
        started_by: Vec::new(),
    }
}

fn request_of(body: Body) -> Request {
    Request {
        digest: body.digest(),
        body,
        frozen: frozen(),
        state: RequestState::Pending,
        automatic: false,
        filed_at: at(10),
        filed_from: device(),
        expires_at: at(3610),
        closed_at: None,
        version: 1,
    }
}

/// A pending request of `beneficiary` on `on`.
pub(super) fn a_request(n: u64, beneficiary: u64, on: &str) -> Request {
    request_of(a_body(n, beneficiary, on))
}

/// The same, approved: the next version.
pub(super) fn approved(request: &Request) -> Request {
    Request {
        state: RequestState::Approved,
        closed_at: Some(at(20)),
        version: request.version + 1,
        ..request.clone()
    }
}

/// A scheduled grant of `request`.
pub(super) fn a_grant(n: u64, request: &Request) -> Grant {
    Grant {
        id: grant_id(n),
        request: request.id().clone(),
        beneficiary: request.body.beneficiary.clone(),
        target: request.body.target.clone(),
        only: request.body.only.clone(),
        state: GrantState::Scheduled,
        created_at: at(20),
        starts_at: at(20),
        activate_by: at(620),
        activated_at: None,
        anchor_at: None,
        ends_at: None,
        last_credential_at: None,
        ended_at: None,
        cause: None,
        detail: None,
        ended_by: None,
        kill: None,
        version: 1,
    }
}

/// The same, active until `ends_at`: the next version.
fn active(grant: &Grant, ends_at: Timestamp) -> Grant {
    Grant {
        state: GrantState::Active,
        activated_at: Some(at(30)),
        anchor_at: Some(at(30)),
        ends_at: Some(ends_at),
        version: grant.version + 1,
        ..grant.clone()
    }
}

fn a_decision(by: u64, request: &Request) -> Decision {
    Decision {
        request: request.id().clone(),
        by: person(by),
        verdict: Verdict::Approve,
        stage: 0,
        comment: None,
        digest: request.digest.clone(),
        device: device(),
        at: at(15),
    }
}

fn once(key: &str, outcome: &str) -> Once {
    Once {
        person: person(ALICE),
        key: key.to_owned(),
        body_hash: Digest::of(b"body"),
        outcome: outcome.to_owned(),
        at: at(10),
    }
}

fn end_of(grant: u64) -> Effect {
    Effect::End { grant: grant_id(grant) }
}

/// A change of `rows` with its evidence.
fn changes(rows: Vec<Row>) -> Change {
    Change::new(at(10), "test.changed", Actor::Backend, None, rows, json!({}))
}

fn change(row: Row) -> Change {
    changes(vec![row])
}

fn filed(request: &Request) -> Change {
    let row = Row::Request(Box::new(request.clone()));
    Change::new(
        at(10),
        "request.filed",
        Actor::Person(person(ALICE)),
        Some(request),
        vec![row],
        json!({}),
    )
}
