//! A command on the backend's own machine, working on its store while the backend may be running.
//! Owns opening store and sealing key for it. Refuses to make, migrate or free anything: that is the backend's.

use std::path::Path;
use std::sync::Arc;

use crate::clock::Clock;
use crate::config::{IssuerUrl, SealingKey, ServerFile};
use crate::error::{Error, Exit, Result};
use crate::server::issuer::IssuerSettings;
use crate::server::sealed_store;
use crate::server::service::issuer::Issuer;
use crate::server::store::{Audit as _, IssuerKeys as _, SqliteStore, Store, StoreError};

/// What a database is to be.
const STARTED: &str = "of a backend that was started once: --config FILE, or --data DIR";

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
        let url = newest_url(&store, dir).await?;
        let path = dir.join("sealing.key");
        let settings = match SealingKey::read_file(&path) {
            Ok(Some(key)) => Ok(IssuerSettings::new(url.clone(), Arc::new(key))),
            Ok(None) => Err(missing(&path, dir)),
            Err(error) => Err(error),
        };
        Self::new(store, url, settings).await
    }

    /// What `file` sets up.
    ///
    /// # Errors
    /// Exit 3 where there is no store so far, for a plain address of which there is no key so far, and for an issuer's
    /// address that AWS refuses.
    pub async fn configured(file: &ServerFile) -> Result<Self> {
        let store = open(&file.database).await?;
        let named = file.issuer_url.as_deref().unwrap_or(file.public_url.as_str());
        let url = match named.starts_with("http://") {
            // of a backend that was tried: which port it had is known to its keys alone
            true => newest_url(&store, &file.database).await?,
            false => IssuerUrl::parse(named)?,
        };
        let settings = file
            .sealing_key
            .read_key()
            .map(|key| IssuerSettings::new(url.clone(), Arc::new(key)));
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

/// The address that the newest key of a backend on loopback was made for.
async fn newest_url(store: &SqliteStore, place: &Path) -> Result<IssuerUrl> {
    let keys = store.issuer_keys().await.map_err(|error| unusable(place, &error))?;
    let newest = keys.last().and_then(|key| IssuerUrl::of_loopback(&key.issuer));
    newest.ok_or_else(|| {
        let message = format!("no issuer key in {}", place.display());
        Error::new(Exit::Configuration, "issuer.no_key", message)
            .try_(format!("jit serve --dev --data {}", place.display()))
    })
}

async fn open(database: &Path) -> Result<SqliteStore> {
    if !database.exists() {
        let message = format!("no database at {}", database.display());
        return Err(Error::new(Exit::Configuration, "server.store", message).hint(STARTED));
    }
    SqliteStore::open_beside(database)
        .await
        .map_err(|error| unusable(database, &error))
}

fn unusable(path: &Path, error: &StoreError) -> Error {
    // what cannot be opened cannot be read either: that it takes no writes is beside the point
    let why = match error {
        StoreError::Unavailable(why) => why.clone(),
        StoreError::Conflict | StoreError::Duplicate | StoreError::Repeated | StoreError::Unreadable(_) => {
            error.to_string()
        }
    };
    let message = format!("{} cannot be used: {why}", path.display());
    Error::new(Exit::Configuration, "server.store", message).hint(STARTED)
}

fn missing(path: &Path, data: &Path) -> Error {
    let message = format!("sealing key {} is missing", path.display());
    let data = data.display();
    Error::new(Exit::Configuration, "server.sealing_key", message).hint(format!(
        "put it back; lost for good: jit issuer revoke --all --data {data}"
    ))
}
