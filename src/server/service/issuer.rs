//! We as an OpenID Connect issuer: keys made, published, retired, removed and revoked, each with its evidence.
//! Serves the running backend and the commands beside it on one store. Refuses the network: the worker looks outside.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde_json::{Value, json};

use crate::clock::Clock;
use crate::domain::issuer_key::{key_made, key_missed, key_published, key_removed, key_retired, keys_revoked};
use crate::domain::key_life::{Due, KeyLife};
use crate::domain::{Actor, IssuerKey, KeyId, Timestamp};
use crate::random::Random;
use crate::server::issuer::{self, IssuerSettings, Published, SigningKey};
use crate::server::sealed_store;
use crate::server::store::{Store, StoreError};

/// Steps of one look: a store that somebody else changes all the time is left to the next look.
const MOST_STEPS: usize = 32;

/// Why a use case of the issuer did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The store.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// A key of the store does not open.
    #[error("key {0} does not open with this sealing key")]
    Sealed(KeyId),
    /// The sealing key is not the one of this store.
    #[error("{0}")]
    SealingKey(String),
    /// The library failed.
    #[error("no key could be made")]
    NoKey,
    /// No key is named so, or it is removed already.
    #[error("no key {0}")]
    Unknown(String),
    /// Several keys are.
    #[error("several keys begin with {0}")]
    Ambiguous(String),
}

/// Us as issuer, on a store.
pub struct Issuer {
    pub(super) settings: IssuerSettings,
    pub(super) store: Arc<dyn Store>,
    clock: Arc<Clock>,
    pub(super) random: Random,
    opened: Mutex<Option<Arc<SigningKey>>>,
    published: RwLock<Option<(Timestamp, Published)>>,
}

/// What [`Issuer::rotate`] came to.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// The key that is to sign next.
    pub key: IssuerKey,
    /// Whether it was made now; another one waited already otherwise.
    pub is_new: bool,
}

impl Issuer {
    /// The issuer of these settings on `store`.
    pub fn new(settings: IssuerSettings, store: Arc<dyn Store>, clock: Arc<Clock>) -> Self {
        Self {
            settings,
            store,
            clock,
            random: Random::default(),
            opened: Mutex::default(),
            published: RwLock::default(),
        }
    }

    /// How it is set up.
    pub fn settings(&self) -> &IssuerSettings {
        &self.settings
    }

    /// Every key of the store, those of other addresses and removed ones included.
    ///
    /// # Errors
    /// What the store says.
    pub async fn keys(&self) -> Result<Vec<IssuerKey>, StoreError> {
        self.store.issuer_keys().await
    }

    /// The life of `keys` at this address.
    pub fn life<'a>(&'a self, keys: &'a [IssuerKey]) -> KeyLife<'a> {
        KeyLife::new(self.settings.url.as_str(), keys)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What was seen at our address last, and when.
    pub fn published(&self) -> Option<(Timestamp, Published)> {
        self.published.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does what is due: the next key, retiring, removing. Several processes may do so at once: one of them does each.
    /// A key takes over only where the last look of this process saw it.
    ///
    /// # Errors
    /// [`IssuerError`].
    pub async fn advance(&self) -> Result<(), IssuerError> {
        for _ in 0..MOST_STEPS {
            let (now, keys) = (self.clock.now(), self.keys().await?);
            let seen = self
                .published()
                .map(|(_, published)| published.keys)
                .unwrap_or_default();
            let due = self.life(&keys).due(now, self.settings.period, &seen);
            let Some(due) = due.into_iter().next() else {
                return Ok(());
            };
            let named = |id: &KeyId| keys.iter().find(|key| key.id == *id).ok_or(StoreError::Conflict);
            let change = match due {
                Due::Make => key_made(now, Actor::Backend, self.new_key(now, &keys).await?, json!({})),
                Due::Retire(id) => key_retired(now, named(&id)?),
                Due::Remove(id) => key_removed(now, named(&id)?),
            };
            match self.store.commit(&change).await {
                // somebody else did it: look again
                Ok(()) | Err(StoreError::Conflict | StoreError::Duplicate) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// A key after `keys`. The store knows by then what it is sealed with: a revoke of every key may have freed it.
    async fn new_key(&self, now: Timestamp, keys: &[IssuerKey]) -> Result<IssuerKey, IssuerError> {
        sealed_store::check(self.store.as_ref(), &self.clock, Some(&self.settings))
            .await
            .map_err(|error| IssuerError::SealingKey(error.to_string()))?;
        let number = keys.iter().map(|key| key.number).max().unwrap_or(0) + 1;
        issuer::make(&self.random, &self.settings, number, now).map_err(|_| IssuerError::NoKey)
    }

    /// Notes what was seen at our address: keys that are there for the first time, keys that wait and are not there any
    /// more, and how it differs.
    ///
    /// # Errors
    /// What the store says.
    pub async fn note(&self, published: Published) -> Result<(), StoreError> {
        let (now, keys) = (self.clock.now(), self.keys().await?);
        let waiting: Vec<&KeyId> = self.life(&keys).waiting(now).map(|key| &key.id).collect();
        for key in &keys {
            let is_there = published.keys.contains(&key.id);
            let change = match key.published_at {
                None if is_there && key.removed_at.is_none() => key_published(now, key),
                Some(_) if !is_there && published.is_whole && waiting.contains(&&key.id) => key_missed(now, key),
                Some(_) | None => continue,
            };
            match self.store.commit(&change).await {
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        let seen = Some((self.clock.now(), published));
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = seen;
        Ok(())
    }

    /// Makes the key that is to sign next, unless one waits already.
    ///
    /// # Errors
    /// [`IssuerError`].
    pub async fn rotate(&self, details: Value) -> Result<Rotated, IssuerError> {
        for _ in 0..MOST_STEPS {
            let (now, keys) = (self.clock.now(), self.keys().await?);
            if let Some(next) = self.life(&keys).next(now) {
                let key = next.clone();
                return Ok(Rotated { key, is_new: false });
            }
            let key = self.new_key(now, &keys).await?;
            let change = key_made(now, Actor::Operator, key.clone(), details.clone());
            match self.store.commit(&change).await {
                Ok(()) => return Ok(Rotated { key, is_new: true }),
                Err(StoreError::Conflict | StoreError::Duplicate) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// `key`, opened. The last one is kept open: a token is signed in far less time than a key is opened.
    pub(super) fn opened(&self, key: &IssuerKey) -> Result<Arc<SigningKey>, IssuerError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        match &*opened {
            Some(open) if *open.id() == key.id => Ok(open.clone()),
            _ => {
                let open = issuer::open_key(&self.settings.sealing_key, key);
                let open = Arc::new(open.map_err(|_| IssuerError::Sealed(key.id.clone()))?);
                *opened = Some(open.clone());
                Ok(open)
            }
        }
    }
}

/// Takes the key that begins with `named` away at once, or every key: with all of them the store is free for another
/// sealing key. Needs none itself: whoever lost it begins anew with this.
///
/// # Errors
/// [`IssuerError`].
pub async fn revoke(
    store: &dyn Store,
    clock: &Clock,
    named: Option<&str>,
    details: Value,
) -> Result<Vec<IssuerKey>, IssuerError> {
    for _ in 0..MOST_STEPS {
        let (now, keys, check) = (clock.now(), store.issuer_keys().await?, store.sealing_check().await?);
        let gone = to_revoke(&keys, named)?;
        let check = check.filter(|check| named.is_none() && check.sealed.is_some());
        if gone.is_empty() && check.is_none() {
            return Ok(Vec::new());
        }
        let change = keys_revoked(now, Actor::Operator, &gone, check.as_ref(), details.clone());
        match store.commit(&change).await {
            Ok(()) => return Ok(gone.into_iter().cloned().collect()),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Conflict.into())
}

/// Those of `keys` that [`revoke`] takes away.
///
/// # Errors
/// [`IssuerError::Unknown`], [`IssuerError::Ambiguous`].
pub fn to_revoke<'a>(keys: &'a [IssuerKey], named: Option<&str>) -> Result<Vec<&'a IssuerKey>, IssuerError> {
    let standing: Vec<&IssuerKey> = keys.iter().filter(|key| key.removed_at.is_none()).collect();
    match named {
        Some(named) => Ok(vec![find(&standing, named)?]),
        None => Ok(standing),
    }
}

fn find<'a>(keys: &[&'a IssuerKey], named: &str) -> Result<&'a IssuerKey, IssuerError> {
    let fits = |key: &&&IssuerKey| !named.is_empty() && key.id.as_str().starts_with(named);
    let mut fitting = keys.iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(key), None) => Ok(key),
        (Some(_), Some(_)) => Err(IssuerError::Ambiguous(named.to_owned())),
        (None, _) => Err(IssuerError::Unknown(named.to_owned())),
    }
}

#[cfg(test)]
mod tests;
