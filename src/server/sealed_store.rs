//! Whether the sealing key is the one that the store's secrets are wrapped with.
//! Refuses a start with another one: tokens would fail later, and new secrets would be wrapped with a key nobody keeps.

use crate::clock::Clock;
use crate::domain::sealing::set_sealing_key;
use crate::random::Random;
use crate::server::StartError;
use crate::server::issuer::{self, IssuerSettings};
use crate::server::store::{Store, StoreError};

/// Holds the key of `settings` against the store. The first key that a store sees is its key from then on.
///
/// # Errors
/// [`StartError::SealingKey`] for another key, and for none where secrets are sealed.
pub async fn check(store: &dyn Store, clock: &Clock, settings: Option<&IssuerSettings>) -> Result<(), StartError> {
    loop {
        match checked(store, clock, settings).await {
            // another process was first: what it wrote is checked instead
            Err(StartError::Store(StoreError::Conflict)) => {}
            other => return other,
        }
    }
}

async fn checked(store: &dyn Store, clock: &Clock, settings: Option<&IssuerSettings>) -> Result<(), StartError> {
    let standing = store.sealing_check().await?;
    let sealed = standing.as_ref().and_then(|check| check.sealed.as_ref());
    match (sealed, settings) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(StartError::SealingKey("is missing")),
        (Some(sealed), Some(settings)) if issuer::is_check_value(&settings.sealing_key, sealed) => Ok(()),
        (Some(_), Some(_)) => Err(StartError::SealingKey("is not the one of this database")),
        (None, Some(settings)) => {
            let value = issuer::check_value(&Random::default(), &settings.sealing_key)
                .map_err(|error| StartError::Failed(error.to_string()))?;
            let set = set_sealing_key(clock.now(), standing.as_ref(), value);
            Ok(store.commit(&set).await?)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::{IssuerUrl, SealingKey};
    use crate::server::stage::NOON;
    use crate::server::store::{Audit as _, MemoryStore};

    fn with(key: u8) -> IssuerSettings {
        let url = IssuerUrl::parse("https://jit.acme.example").unwrap();
        IssuerSettings::new(url, Arc::new(SealingKey::new([key; 32])))
    }

    #[tokio::test]
    async fn store_keeps_to_the_first_key_it_saw() {
        let (store, clock) = (MemoryStore::default(), Clock::manual(NOON));
        check(&store, &clock, None).await.unwrap();
        check(&store, &clock, Some(&with(1))).await.unwrap();
        check(&store, &clock, Some(&with(1))).await.unwrap();
        let wrong = check(&store, &clock, Some(&with(2))).await.unwrap_err();
        assert_eq!(wrong.to_string(), "the sealing key is not the one of this database");
        let missing = check(&store, &clock, None).await.unwrap_err();
        assert_eq!(missing.to_string(), "the sealing key is missing");
        assert_eq!(store.evidence(0, 10).await.unwrap().len(), 1, "set once, said once");
    }
}
