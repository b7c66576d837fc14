//! The approval backend: opens its store, puts policy in force, answers calls and works off the outbox.
//! Refuses the terminal and the client's rooms.

pub mod backend;
pub mod beside;
pub mod configured;
pub mod dev;
pub mod edge;
pub mod failure;
pub mod handlers;
pub mod identity;
pub mod issuer;
pub mod openapi;
pub mod policy_folder;
pub mod provider;
pub mod publication;
pub mod routes;
pub mod scim;
mod sealed_store;
pub mod service;
pub mod settings;
#[cfg(test)]
pub mod stage;
pub mod store;
pub mod wake;
pub mod worker;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::Signal;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::domain::{Actor, Change};
use crate::policy::{Bundle, Finding};
use crate::server::backend::{Backend, InForce, Parts};
use crate::server::edge::connections::{self, Entrance, Seats};
use crate::server::edge::tls::{self, Tls};
use crate::server::failure::Failure;
use crate::server::provider::TokenSigner;
use crate::server::provider::aws::AwsProvider;
use crate::server::provider::identity_center::IdentityCenter;
use crate::server::service::issuer::Issuer;
use crate::server::service::{pushes, roster};
use crate::server::settings::Settings;
use crate::server::store::sqlite::SqliteStore;
use crate::server::store::{Audit, Store, StoreError};

/// At a stop, calls whose callers have gone are waited for this long.
const LONGEST_CALL_LEFT: Duration = Duration::from_secs(15);

/// Why a backend did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A folder or file cannot be used.
    #[error("{path} cannot be used: {error}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Another backend uses the folder.
    #[error("another jit serve uses {path}")]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// The policy in the folder is not valid.
    #[error("the policy in {path} is not valid")]
    Policy {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        findings: Vec<Finding>,
    },
    /// The database cannot be used.
    #[error("the database cannot be used: {0}")]
    Store(#[from] StoreError),
    /// The sealing key is not there, or another one than before.
    #[error("the sealing key {0}")]
    SealingKey(&'static str),
    /// A file of the set-up is refused.
    #[error("{0}")]
    Configuration(#[from] crate::error::Error),
    /// Something failed while starting.
    #[error("{0}")]
    Failed(String),
}

impl StartError {
    /// What is wrong, every finding on a line of its own.
    pub fn in_full(&self) -> String {
        match self {
            Self::Policy { findings, .. } => {
                let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
                lines.join("\n")
            }
            Self::Configuration(error) => match &error.hint {
                Some(hint) => format!("{error}; {hint}"),
                None => error.to_string(),
            },
            Self::Folder { .. } | Self::InUse { .. } | Self::Store(_) | Self::SealingKey(_) | Self::Failed(_) => {
                self.to_string()
            }
        }
    }
}

impl From<Failure> for StartError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.cause.unwrap_or(failure.problem.title))
    }
}

/// A backend that is open and does not serve yet.
pub struct Opened {
    /// What it is made of.
    pub backend: Arc<Backend>,
    tls: Option<(Arc<Tls>, Signal)>,
    stop: watch::Sender<bool>,
}

/// Opens store and policy.
///
/// # Errors
/// [`StartError`]; nothing is listened to then.
pub async fn open(settings: Settings) -> Result<Opened, StartError> {
    let tls = match &settings.tls {
        Some(files) => {
            let tls = Tls::open(files, &settings.origin, Clock::real().now())?;
            Some((Arc::new(tls), tls::hangup()?))
        }
        None => {
            // whoever has a service look at its files again does not mean to end it
            if !settings.dev {
                drop(tls::hangup()?);
            }
            None
        }
    };
    let store = Arc::new(SqliteStore::open(&settings.database).await?);
    let (bundle, broken) = bundle_to_start_with(&settings, store.as_ref()).await?;
    let bundle = Arc::new(bundle);
    let clock = Clock::real_after(store.newest_at().await?);
    sealed_store::check(store.as_ref(), &clock, settings.issuer.as_ref()).await?;
    let issuer = settings
        .issuer
        .clone()
        .map(|issuer| Arc::new(Issuer::new(issuer, store.clone(), clock.clone())));
    let signer = issuer.clone().map(|issuer| issuer as Arc<dyn TokenSigner>);
    let aws = Arc::new(AwsProvider::new(settings.aws.clone(), signer));
    let identity_center = Arc::new(IdentityCenter::new(settings.aws.clone(), settings.identity_center));
    let (stop, stopping) = watch::channel(false);
    let backend = Backend::new(Parts {
        settings,
        store,
        identity_center,
        aws,
        issuer,
        clock,
        bundle: bundle.clone(),
        stopping,
    });
    pushes::look(&backend).await;
    match broken {
        None => policy_folder::record(&backend, &bundle, None).await?,
        error => backend.set_policy(InForce { bundle, error }),
    }
    let event = Change::new(
        backend.now(),
        "backend.started",
        Actor::Backend,
        None,
        Vec::new(),
        json!({ "version": crate::wire::VERSION }),
    );
    backend.commit(&event).await?;
    Ok(Opened { backend, tls, stop })
}

/// The bundle in the folder; where that is not valid, the one that was in force last, and what is wrong with the folder:
/// what was given must end although somebody broke a file.
async fn bundle_to_start_with(settings: &Settings, store: &dyn Store) -> Result<(Bundle, Option<String>), StartError> {
    let error = match policy_folder::load(&settings.policy_dir, settings.policy_is_guarded) {
        Ok(bundle) => return Ok((bundle, None)),
        Err(error) => error,
    };
    match policy_folder::last_in_force(store).await? {
        Some(bundle) => {
            let words = error.in_full();
            tracing::error!(
                error = words,
                "the policy in the folder is not valid; the last one stays in force"
            );
            Ok((bundle, Some(words)))
        }
        None => Err(error),
    }
}

/// Serves on `listener` until `stop` resolves; then ends waits, answers what is under way and finishes its steps.
///
/// # Errors
/// None so far: a connection that cannot be taken is tried again.
pub async fn serve_on(
    opened: Opened,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let Opened {
        backend,
        tls,
        stop: stopper,
    } = opened;
    let entrance = Entrance {
        tls: tls.as_ref().map(|(tls, _)| tls.config.clone()),
        proxies: backend.settings.trusted_proxies.clone(),
    };
    let renewing = tls.map(|(tls, hangup)| {
        let (clock, stopping) = (backend.clock.clone(), backend.stopping.clone());
        tokio::spawn(tls::watch(tls, hangup, clock, stopping))
    });
    let working = tokio::spawn(worker::run(backend.clone(), backend.stopping.clone()));
    let watching = tokio::spawn(policy_folder::watch(backend.clone(), backend.stopping.clone()));
    let publishing = tokio::spawn(publication::watch(backend.clone(), backend.stopping.clone()));
    let reconciling = tokio::spawn(worker::reconcile::run(backend.clone(), backend.stopping.clone()));
    let listing = tokio::spawn(roster::run(backend.clone(), backend.stopping.clone()));
    let looking = tokio::spawn(pushes::watch(backend.clone(), backend.stopping.clone()));
    let stopping = tokio::spawn(async move {
        stop.await;
        // the receivers live as long as the backend does
        let _ = stopper.send(true);
    });
    let seats = Seats::new(connections::room());
    let router = routes::router(&backend);
    connections::serve(listener, entrance, router, seats, backend.stopping.clone()).await;
    // calls whose callers have gone
    if tokio::time::timeout(LONGEST_CALL_LEFT, backend.under_way.write())
        .await
        .is_err()
    {
        tracing::error!("a call did not end; what it had not committed is undone");
    }
    let tasks = [stopping, working, watching, publishing, reconciling, listing, looking];
    for task in tasks.into_iter().chain(renewing) {
        if let Err(error) = task.await {
            tracing::error!(%error, "a part of the backend ended badly");
        }
    }
    Ok(())
}
