//! A provider that gives at once: with it a store is filled with grants that are live, for the real one to end.
//! Refuses to take anything away.

use async_trait::async_trait;
use jit::domain::{AccountFacts, Binding, Choice, Partition, Timestamp};
use jit::server::provider::{
    Access, Beneficiary, Description, ListedAccount, Organization, Presence, Provider, ProviderError, User,
};

use crate::house;

pub struct Instantly {
    given: std::sync::Mutex<std::collections::BTreeSet<String>>,
}

impl Instantly {
    pub fn new() -> Self {
        Self {
            given: std::sync::Mutex::default(),
        }
    }
}

#[async_trait]
impl Provider for Instantly {
    fn describe(&self) -> Description {
        Description {
            kind: "instantly",
            has_membership: true,
            can_narrow: false,
        }
    }

    fn accepts(&self, _: &Access) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn resolve(&self, _: Timestamp, _: &Binding, who: Beneficiary<'_>) -> Result<Option<User>, ProviderError> {
        Ok(Some(User {
            id: house::user(who.name),
            is_member: false,
            through_group: false,
        }))
    }

    async fn still_fits(&self, _: Timestamp, _: &Binding) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn grant(&self, _: Timestamp, access: &Access) -> Result<(), ProviderError> {
        self.given.lock().map_err(poisoned)?.insert(access.grant.to_string());
        Ok(())
    }

    async fn verify(&self, _: Timestamp, access: &Access) -> Result<Presence, ProviderError> {
        let given = self.given.lock().map_err(poisoned)?;
        Ok(if given.contains(access.grant.as_str()) {
            Presence::There
        } else {
            Presence::Absent
        })
    }

    async fn revoke(&self, _: Timestamp, _: &Access) -> Result<(), ProviderError> {
        Err(too_early())
    }

    async fn oust(&self, _: Timestamp, _: &Binding, _: &str) -> Result<(), ProviderError> {
        Err(too_early())
    }

    async fn members(&self, _: Timestamp, _: &Binding) -> Result<Vec<String>, ProviderError> {
        Ok(Vec::new())
    }
}

/// No target here is in accounts that are looked up.
#[async_trait]
impl Organization for Instantly {
    async fn account(&self, _: Partition, _: &str) -> Result<Option<AccountFacts>, ProviderError> {
        Ok(None)
    }

    async fn has_unit(&self, _: Partition, _: &str) -> Result<bool, ProviderError> {
        Ok(false)
    }

    async fn accounts(&self, _: Partition, _: &Choice, _: &[String]) -> Result<Vec<ListedAccount>, ProviderError> {
        Ok(Vec::new())
    }
}

fn too_early() -> ProviderError {
    ProviderError::Refused("it ended before the backend under test was there".to_owned())
}

fn poisoned<T>(_: T) -> ProviderError {
    ProviderError::Refused("a thread of the bench panicked".to_owned())
}
