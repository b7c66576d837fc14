//! What these tests share: the stand-in, who comes to it, and what is assigned there.

use std::time::Duration;

use jit::domain::{Assignment, AssignmentRoad, FoundBy, Instance, Partition};
use jit::server::provider::ProviderError;
use jit::server::provider::aws::AwsSettings;
use jit::server::provider::identity_center::{IdentityCenter, Quota};
use serde_json::{Value, json};

use crate::harness::IdentityCenter as StandIn;

pub const MANAGEMENT: &str = "123456789012";
pub const DELEGATED: &str = "222222222222";
pub const PROD: &str = "333333333333";
pub const STAGING: &str = "444444444444";
pub const CLOSED: &str = "555555555555";

pub struct Stand(StandIn);

impl Stand {
    /// A management account, an account that may act for it, accounts, two sets, three people.
    pub fn start() -> Self {
        Self(StandIn::start(&json!({
            "organization": { "delegated_administrator": DELEGATED },
            "accounts": [
                { "id": DELEGATED, "name": "security" },
                { "id": PROD, "name": "prod" },
                { "id": STAGING, "name": "staging" },
                { "id": CLOSED, "name": "closed", "status": "SUSPENDED" },
            ],
            "permission_sets": [{ "name": "Admin", "session": "PT1H" }, { "name": "ReadOnly", "session": "PT2H" }],
            "users": [
                { "name": "alice", "email": "alice@example.com" },
                { "name": "bob", "email": "bob@example.com" },
            ],
            "groups": [{ "name": "admins", "members": ["bob"] }],
        })))
    }

    pub fn seed(&self, what: Value) -> Value {
        self.0.seed(&what)
    }

    pub fn control(&self, orders: Value) {
        drop(self.0.control(&orders));
    }

    pub fn view(&self) -> Value {
        self.0.view()
    }

    /// Identity Center as the management account sees it.
    pub fn ours(&self) -> IdentityCenter {
        self.ours_with(QUICK)
    }

    pub fn ours_with(&self, quota: Quota) -> IdentityCenter {
        self.called_by(MANAGEMENT, quota)
    }

    /// The same as another account sees it: in the stand-in an access key of twelve digits is that account.
    pub fn called_by(&self, account: &str, quota: Quota) -> IdentityCenter {
        let settings = AwsSettings {
            endpoint: Some(self.0.url.clone()),
            ..AwsSettings::default()
        };
        IdentityCenter::new(settings.with_keys(account, "test"), quota)
    }

    pub fn instance(&self) -> Instance {
        Instance {
            arn: self.text("/instance_arn"),
            identity_store: self.text("/identity_store_id"),
            region: "us-east-1".into(),
            start_url: "https://jit-tests.awsapps.com/start".into(),
            found_by: FoundBy::UserName,
            pattern: "{name}".into(),
            people: "local".into(),
        }
    }

    /// The set `Admin` in `account`.
    pub fn admin(&self, account: &str) -> Assignment {
        Assignment {
            road: AssignmentRoad::IdentityCenter,
            partition: Partition::Aws,
            account: account.into(),
            account_name: "prod".into(),
            instance: self.instance(),
            permission_set_arn: self.text("/permission_sets/Admin"),
            permission_set: "Admin".into(),
            session: jit::domain::Duration::from_secs(3600).unwrap(),
            chosen: None,
        }
    }

    /// The id of one of those who are there from the start.
    pub fn user(&self, name: &str) -> String {
        self.text(&format!("/users/{name}"))
    }

    /// More users, `NAME-0` and on: their ids.
    pub fn crowd(&self, name: &str, count: usize) -> Vec<String> {
        let users: Vec<Value> = (0..count).map(|n| json!({ "name": format!("{name}-{n}") })).collect();
        let made = self.seed(json!({ "users": users }));
        let id = |n| made["users"][format!("{name}-{n}")].as_str().unwrap().to_owned();
        (0..count).map(id).collect()
    }

    fn text(&self, pointer: &str) -> String {
        let found = self.0.made.pointer(pointer).and_then(Value::as_str);
        found
            .unwrap_or_else(|| panic!("{pointer} in {}", self.0.made))
            .to_owned()
    }

    /// What is assigned, as `ACCOUNT USER-ID`, in order.
    pub fn assigned(&self) -> Vec<String> {
        let view = self.view();
        let made = view["assignments"].as_array().unwrap().iter();
        let mut made: Vec<String> = made
            .map(|one| {
                format!(
                    "{} {}",
                    one["account"].as_str().unwrap(),
                    one["principal_id"].as_str().unwrap()
                )
            })
            .collect();
        made.sort();
        made
    }

    pub fn fault(&self, rule: Value) {
        self.control(json!({ "faults": [rule] }));
    }

    pub fn set(&self, settings: Value) {
        self.control(json!({ "settings": settings }));
    }

    /// How often an operation was called.
    pub fn count(&self, operation: &str) -> u64 {
        self.view()["counts"][operation].as_u64().unwrap_or(0)
    }
}

/// A quota that does not keep tests waiting.
pub const QUICK: Quota = Quota {
    calls_per_second: 200,
    creations_at_once: 10,
    patience: Duration::from_secs(25),
};

/// The words of a refusal.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(answer: Result<T, ProviderError>, parts: &[&str]) {
    let Err(ProviderError::Refused(text)) = answer else {
        panic!("no refusal: {answer:?}");
    };
    assert!(parts.iter().all(|part| text.contains(part)), "{parts:?}: {text}");
}
