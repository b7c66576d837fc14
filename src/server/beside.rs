//! A command on the backend's own machine, working on its store while the backend may be running.
//! Owns opening store and sealing key for it. Refuses to make, migrate or free anything: that is the backend's.

use std::path::Path;
use std::sync::Arc;

use crate::clock::Clock;
use crate::config::{IssuerUrl, SealingKey};
use crate::error::{Error, Exit, Result};
use crate::server::issuer::IssuerSettings;
use crate::server::sealed_store;
use crate::server::service::issuer::Issuer;
use crate::server::store::{Audit as _, IssuerKeys as _, SqliteStore, Store};

/// A store that is open beside its backend.
pub struct Beside {
    /// The store.
    pub store: Arc<dyn Store>,
    /// A clock that is not behind what the backend wrote.
    pub clock: Arc<Clock>,
    /// The address of the issuer.
    pub url: IssuerUrl,
    settings: std::result::Result<IssuerSettings, Error>,
}

impl Beside {
    /// The folder of a backend under `--dev`.
    ///
    /// # Errors
    /// Exit 3 where there is none, or no key in it so far.
    pub async fn dev(dir: &Path) -> Result<Self> {
        let store = open(&dir.join("jit.db")).await?;
        let keys = store.issuer_keys().await.map_err(|error| unusable(dir, &error))?;
        let newest = keys.last().and_then(|key| IssuerUrl::of_loopback(&key.issuer));
        let Some(url) = newest else {
            let message = format!("no issuer key in {}", dir.display());
            return Err(Error::new(Exit::Configuration, "issuer.no_key", message)
                .try_(format!("jit serve --dev --data {}", dir.display())));
        };
        let path = dir.join("sealing.key");
        let settings = match SealingKey::read_file(&path) {
            Ok(Some(key)) => Ok(IssuerSettings::new(url.clone(), Arc::new(key))),
            Ok(None) => Err(missing(&path)),
            Err(error) => Err(error),
        };
        Self::new(store, url, settings).await
    }

    async fn new(
        store: SqliteStore,
        url: IssuerUrl,
        settings: std::result::Result<IssuerSettings, Error>,
    ) -> Result<Self> {
        let newest = store
            .newest_at()
            .await
            .map_err(|error| unusable(Path::new("the store"), &error))?;
        Ok(Self {
            store: Arc::new(store),
            clock: Clock::real_after(newest),
            url,
            settings,
        })
    }

    /// The issuer, for what needs the sealing key.
    ///
    /// # Errors
    /// Exit 3 for a sealing key that is refused, missing, or not the one of this store.
    pub async fn issuer(&self) -> Result<Issuer> {
        let settings = self.settings.clone()?;
        sealed_store::check(self.store.as_ref(), &self.clock, Some(&settings))
            .await
            .map_err(|error| Error::new(Exit::Configuration, "server.sealing_key", error.to_string()))?;
        Ok(Issuer::new(settings, self.store.clone(), self.clock.clone()))
    }
}

async fn open(database: &Path) -> Result<SqliteStore> {
    SqliteStore::open_beside(database)
        .await
        .map_err(|error| unusable(database, &error))
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> Error {
    let message = format!("{} cannot be used: {error}", path.display());
    Error::new(Exit::Configuration, "server.store", message)
        .hint("the folder of a backend that was started once: --data DIR")
}

fn missing(path: &Path) -> Error {
    let message = format!("sealing key {} is missing", path.display());
    Error::new(Exit::Configuration, "server.sealing_key", message)
        .hint("put it back; lost for good: jit issuer revoke --all")
}
