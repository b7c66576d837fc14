//! An access to test with: one hour on an administrator's role.

use crate::domain::{
    Duration, GrantId, Narrowing, Partition, PersonId, RequestId, Road, RoleBinding, Timestamp, Trace,
};
use crate::server::provider::RoleAccess;

/// The instant at which tests ask.
pub fn now() -> Timestamp {
    Timestamp::parse("2026-11-20T12:00:00Z").unwrap()
}

/// One hour from [`now`], narrowed to `only`.
pub fn access(only: &[&str]) -> RoleAccess {
    RoleAccess {
        request: RequestId::parse("req_0123456789ab").unwrap(),
        grant: GrantId::parse("grt_0123456789ab").unwrap(),
        person: PersonId::parse("usr_0123456789ab").unwrap(),
        person_name: "alice".into(),
        binding: RoleBinding {
            partition: Partition::Aws,
            account: "111111111111".into(),
            account_name: "prod".into(),
            role_arn: "arn:aws:iam::111111111111:role/jit/jit-prod-admin".into(),
            region: "us-east-1".into(),
            road: Road::AssumeRole,
            session: Duration::from_secs(3600).unwrap(),
            chain: false,
            trace: Trace::Session,
            never: vec![],
            kill: None,
        },
        user: None,
        only: only.iter().map(|pair| Narrowing::parse(pair).unwrap()).collect(),
        ends_at: Timestamp::parse("2026-11-20T13:00:00.750Z").unwrap(),
    }
}
