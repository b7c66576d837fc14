//! What the tests of AWS ask for, and the judge of the policies that come out.

use jit::config::IssuerUrl;
use jit::domain::{Duration, GrantId, Narrowing, Partition, PersonId, RequestId, Road, RoleBinding, Timestamp, Trace};
use std::sync::Arc;

use async_trait::async_trait;
use jit::server::provider::aws::{AwsProvider, AwsSettings};
use jit::server::provider::{ProviderError, RoleAccess, Statement, TokenSigner};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::harness::{SealedBox, venv_program};

/// Access to the stand-in's `jit-prod-admin` until `ends_at`.
pub fn access(ends_at: Timestamp) -> RoleAccess {
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
        only: vec![],
        ends_at,
    }
}

/// The same, narrowed.
pub fn narrowed(ends_at: Timestamp, only: &[&str]) -> RoleAccess {
    let only = only.iter().map(|pair| Narrowing::parse(pair).unwrap()).collect();
    RoleAccess {
        only,
        ..access(ends_at)
    }
}

/// Now, by the machine's clock.
pub fn now() -> Timestamp {
    Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
}

/// So many seconds from now.
pub fn in_seconds(seconds: u32) -> Timestamp {
    now().plus(Duration::from_secs(seconds).unwrap())
}

/// The provider with the stand-in's root keys, against `endpoint`.
pub fn provider(endpoint: &str) -> AwsProvider {
    let settings = AwsSettings {
        endpoint: Some(endpoint.to_owned()),
        ..AwsSettings::default()
    };
    AwsProvider::new(settings.with_keys("test", "test"), signer())
}

/// The provider as it is without any AWS key, against `endpoint`.
pub fn keyless(endpoint: &str) -> AwsProvider {
    let settings = AwsSettings {
        endpoint: Some(endpoint.to_owned()),
        ..AwsSettings::default()
    };
    AwsProvider::new(settings, signer())
}

/// A signer whose tokens a test can read.
pub fn signer() -> Option<Arc<dyn TokenSigner>> {
    Some(Arc::new(Unsigned(issuer())))
}

/// Whose tokens they are.
pub fn issuer() -> IssuerUrl {
    IssuerUrl::parse("https://jit.acme.example/Prod").unwrap()
}

/// Our own mock of the issuer: its tokens say what they would say, unsigned, so that a test can read them at STS.
struct Unsigned(IssuerUrl);

#[async_trait]
impl TokenSigner for Unsigned {
    fn issuer(&self) -> &IssuerUrl {
        &self.0
    }

    async fn sign(&self, _now: Timestamp, said: &Statement) -> Result<SecretString, ProviderError> {
        let token = json!({ "sub": said.subject, "aud": said.audience, "claims": said.claims });
        Ok(token.to_string().into())
    }
}

/// One question to the judge.
pub fn case(policy: &str, action: &str, resource: &str, at: &str) -> Value {
    json!({"policy": policy, "action": action, "resource": resource, "at": at})
}

/// `Allow`, `Deny` or `ImplicitDeny` for each case, by ministack's own evaluator.
#[track_caller]
pub fn judged(cases: &[Value]) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/iam_evaluator.py");
    let asked = serde_json::to_string(cases).unwrap();
    let run = SealedBox::new()
        .command(venv_program("python"), &[script])
        .input(asked)
        .run()
        .exits(0);
    serde_json::from_value(run.json()).unwrap()
}
