//! Values for the domain's tests: people, bodies, filings, votes.
//! Owns one valid form of each; a test changes what it is about.

use proptest::test_runner::Config;

use super::assignment::{Assignment, AssignmentRoad, FoundBy, Instance};
use super::decision::Verdict;
use super::digest::Digest;
use super::event::{Filing, Vote};
use super::id::{DeviceId, GrantId, PersonId, RequestId};
use super::request::{Body, Frozen};
use super::target::{Binding, Partition, Road, RoleBinding, Trace};
use super::text::{Reason, TargetName};
use super::time::{Duration, Timestamp};
use super::workflow::{Stage, Workflow};
use super::workload::Behind;

/// `light` runs; a hundred times as many where the build asks for deep tests.
pub(super) fn runs(light: u32) -> Config {
    let cases = if option_env!("JIT_TEST_DEEP").is_some() {
        light * 100
    } else {
        light
    };
    Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    }
}

/// `ms` milliseconds after an arbitrary whole second of 2026.
pub(super) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(1_780_000_000_000 + ms)
}

pub(super) fn secs(secs: u32) -> Duration {
    Duration::from_secs(secs).unwrap()
}

pub(super) fn person(n: u64) -> PersonId {
    PersonId::from_bits(n)
}

pub(super) fn device(n: u64) -> DeviceId {
    DeviceId::parse(&format!("{n:043}")).unwrap()
}

pub(super) fn binding() -> Binding {
    Binding::Role(RoleBinding {
        partition: Partition::Aws,
        account: "111122223333".into(),
        account_name: "prod".into(),
        role_arn: "arn:aws:iam::111122223333:role/admin".into(),
        region: "us-east-1".into(),
        road: Road::AssumeRole,
        session: secs(3600),
        chain: false,
        trace: Trace::Session,
        never: vec![],
        kill: None,
    })
}

pub(super) fn assignment() -> Assignment {
    Assignment {
        road: AssignmentRoad::IdentityCenter,
        partition: Partition::Aws,
        account: "111122223333".into(),
        account_name: "prod".into(),
        instance: Instance {
            arn: "arn:aws:sso:::instance/ssoins-1111111111111111".into(),
            identity_store: "d-1111111111".into(),
            region: "eu-central-1".into(),
            start_url: "https://d-1111111111.awsapps.com/start".into(),
            found_by: FoundBy::UserName,
            pattern: "{name}".into(),
            people: "local".into(),
        },
        permission_set_arn: "arn:aws:sso:::permissionSet/ssoins-1111111111111111/ps-1111111111111111".into(),
        permission_set: "Billing".into(),
        session: secs(3600),
        chosen: None,
    }
}

/// Person 1 asks for `prod-admin` for an hour.
pub(super) fn body(id: u64) -> Body {
    Body {
        schema: Body::SCHEMA.into(),
        id: RequestId::from_bits(id),
        requester: person(1),
        beneficiary: person(1),
        target: TargetName::parse("prod-admin").unwrap(),
        binding: binding(),
        duration: secs(3600),
        start: None,
        reason: Reason::parse("the queue is stuck").unwrap(),
        ticket: None,
        only: vec![],
        extends: None,
        user: None,
        pre_existing: false,
        through_group: false,
        workload: None,
    }
}

pub(super) fn stage(name: &str, approvals: u32, after: &[&str]) -> Stage {
    Stage {
        name: name.into(),
        groups: vec![name.into()],
        approvals,
        after: after.iter().map(|&s| s.to_owned()).collect(),
    }
}

/// A cap of two hours; pending for an hour; five minutes to activate.
pub(super) fn frozen(stages: Vec<Stage>) -> Frozen {
    Frozen {
        workflow: Workflow {
            name: "reviewed".into(),
            stages,
            expires_after: secs(3600),
            activate_within: secs(300),
        },
        cap: secs(7200),
        risk: 2,
        environment: "production".into(),
        bundle_hash: "b".repeat(64),
        account: None,
        same_access: Vec::new(),
        started_by: Vec::new(),
    }
}

/// Waits for one approval; its grant would be `grt_` + the same bits.
pub(super) fn filing(id: u64) -> Filing {
    Filing {
        body: body(id),
        frozen: frozen(vec![stage("team", 1, &[])]),
        device: device(1),
        automatic: false,
        grant: GrantId::from_bits(id),
    }
}

/// Person `by` says yes, from a device of their own.
pub(super) fn vote(by: u64, digest: &Digest, grant: u64) -> Vote {
    Vote {
        by: person(by),
        verdict: Verdict::Approve,
        comment: None,
        digest: digest.clone(),
        device: device(by),
        device_people: vec![person(by)],
        behind: Behind::Nobody,
        decides_from: None,
        same_human: Vec::new(),
        stages: vec![0, 1],
        grant: GrantId::from_bits(grant),
    }
}
