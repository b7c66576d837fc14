//! What every part of a running backend shares: store, policy in force, clock, randomness, providers, wake-ups.
//! Owns the one way to commit (store, then wake). Refuses rules.

use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{Notify, watch};

use crate::clock::Clock;
use crate::config::SealingKey;
use crate::domain::{Binding, Change, Known, Person, Session, Timestamp};
use crate::policy::{Bundle, Groups, SessionFacts, Who};
use crate::random::Random;
use crate::server::edge::limits::Limits;
use crate::server::failure::Failure;
use crate::server::identity::Proofs;
use crate::server::identity::sign_ins::SignIns;
use crate::server::identity::workloads::Workloads;
use crate::server::provider::{AccountsProvider, MintingProvider, Provider};
use crate::server::scim::turns::Turns;
use crate::server::service::flight::Flights;
use crate::server::service::issuer::Issuer;
use crate::server::service::pushes::Pushes;
use crate::server::service::roster::Roster;
use crate::server::settings::Settings;
use crate::server::store::Store;
use crate::server::wake::Wakes;

/// Policy as it is in force, and what is wrong with what lies in the folder.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The bundle that decides.
    pub bundle: Arc<Bundle>,
    /// Why what lies in the folder is not in force, if it is not.
    pub error: Option<String>,
}

/// A running backend.
pub struct Backend {
    /// How it was set up.
    pub settings: Settings,
    /// Where its state is.
    pub store: Arc<dyn Store>,
    /// The AWS provider.
    pub aws: Arc<dyn MintingProvider>,
    /// The provider of assignments in Identity Center.
    pub identity_center: Arc<dyn AccountsProvider>,
    /// We as OpenID Connect issuer, where we are one.
    pub issuer: Option<Arc<Issuer>>,
    /// The clock.
    pub clock: Arc<Clock>,
    /// Randomness.
    pub random: Random,
    /// Waiters of requests.
    pub wakes: Wakes,
    /// Wakes the worker after a commit that leaves work.
    pub work: Notify,
    /// Which accounts there are, as they were listed last.
    pub roster: Roster,
    /// Mints that are under way.
    pub flights: Flights,
    /// Rates and counts of callers.
    pub limits: Limits,
    /// Nonces, and proofs that were used.
    pub proofs: Proofs,
    /// Identity providers, and sign-ins on their way.
    pub sign_ins: SignIns,
    /// Issuers of workloads' tokens.
    pub workloads: Workloads,
    /// Whose turn it is to change what a directory says.
    pub turns: Turns,
    /// What was seen of directories.
    pub pushes: Pushes,
    /// Turns true when the backend stops: waits end then.
    pub stopping: watch::Receiver<bool>,
    /// Read by every call that changes something: a stop waits for them.
    pub under_way: Arc<tokio::sync::RwLock<()>>,
    /// When the worker last looked, in milliseconds.
    pub worker_tick_ms: AtomicI64,
    policy: RwLock<InForce>,
}

/// What a backend is made of.
pub struct Parts {
    /// How it is set up.
    pub settings: Settings,
    /// Where its state is.
    pub store: Arc<dyn Store>,
    /// The AWS provider.
    pub aws: Arc<dyn MintingProvider>,
    /// The provider of assignments in Identity Center.
    pub identity_center: Arc<dyn AccountsProvider>,
    /// We as OpenID Connect issuer, where we are one.
    pub issuer: Option<Arc<Issuer>>,
    /// The clock.
    pub clock: Arc<Clock>,
    /// The bundle in force.
    pub bundle: Arc<Bundle>,
    /// Turns true when the backend stops.
    pub stopping: watch::Receiver<bool>,
}

impl Backend {
    /// A backend of these parts, with nobody waiting yet.
    pub fn new(parts: Parts) -> Arc<Self> {
        let (tick, random) = (parts.clock.now().millis(), Random::default());
        Arc::new(Self {
            sign_ins: sign_ins(&parts.settings, &random),
            workloads: workloads(&parts.settings),
            settings: parts.settings,
            store: parts.store,
            aws: parts.aws,
            identity_center: parts.identity_center,
            issuer: parts.issuer,
            proofs: Proofs::new(&random.bytes(), parts.clock.now()),
            random,
            clock: parts.clock,
            wakes: Wakes::default(),
            work: Notify::new(),
            roster: Roster::default(),
            flights: Flights::default(),
            limits: Limits::default(),
            turns: Turns::default(),
            pushes: Pushes::default(),
            stopping: parts.stopping,
            under_way: Arc::default(),
            worker_tick_ms: AtomicI64::new(tick),
            policy: RwLock::new(InForce {
                bundle: parts.bundle,
                error: None,
            }),
        })
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Policy as it is in force.
    pub fn policy(&self) -> InForce {
        self.policy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The bundle in force.
    pub fn bundle(&self) -> Arc<Bundle> {
        self.policy().bundle
    }

    /// Puts another bundle in force, or notes why the one in the folder is not.
    pub fn set_policy(&self, next: InForce) {
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = next;
    }

    /// The provider that serves `binding`.
    pub fn provider(&self, binding: &Binding) -> &dyn Provider {
        match binding {
            Binding::Role(_) => self.aws.as_ref(),
            Binding::Assignment(_) => self.identity_center.as_ref(),
        }
    }

    /// Commits `change`, then wakes who waits for it.
    ///
    /// # Errors
    /// As the store says; nothing is changed then.
    pub async fn commit(&self, change: &Change) -> Result<(), Failure> {
        self.store.commit(change).await?;
        if let Some(event) = &change.event {
            tracing::info!(
                kind = event.kind,
                request = event.request.as_ref().map(ToString::to_string),
                "changed"
            );
            if let Some(request) = &event.request {
                self.wakes.wake(request);
            }
        }
        if !change.effects.is_empty() || change.postpones.is_some() {
            self.work.notify_one();
        }
        Ok(())
    }

    /// Notes that the worker has looked.
    pub fn worker_ticked(&self) {
        self.worker_tick_ms.store(self.now().millis(), Ordering::Relaxed);
    }

    /// Whether the worker looked within the last ten seconds.
    pub fn is_worker_alive(&self) -> bool {
        self.now().millis() - self.worker_tick_ms.load(Ordering::Relaxed) < 10_000
    }
}

/// Replicas share the sealing key, so a sign-in may begin at one and end at another.
fn sign_ins(settings: &Settings, random: &Random) -> SignIns {
    let own = SealingKey::new(random.bytes());
    let key = settings.issuer.as_ref().map_or(&own, |issuer| &issuer.sealing_key);
    SignIns::new(&settings.sign_in, &settings.aws.network, key, &settings.origin)
}

fn workloads(settings: &Settings) -> Workloads {
    Workloads::new(&settings.workload_issuers, &settings.aws.network, &settings.origin)
}

/// Who is calling, proved.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The person, or the workload.
    pub person: Person,
    /// Their session.
    pub session: Session,
    /// What the directory knows of them.
    pub known: Known,
    /// The TCP peer.
    pub address: IpAddr,
    /// When they called.
    pub at: Timestamp,
}

impl Caller {
    /// The groups that `bundle` has them in; of a workload the name that it is enrolled under.
    pub fn groups(&self, bundle: &Bundle) -> Groups {
        bundle.catalogue().groups_of_person(&self.person, &self.known)
    }

    /// Them, as policy is asked about them.
    pub fn who<'a>(&'a self, groups: &'a Groups) -> Who<'a> {
        Who {
            person: &self.person,
            groups,
            active: self.known.active,
        }
    }

    /// What policy may see of the session. A local code proves no second factor.
    pub fn facts(&self) -> SessionFacts {
        SessionFacts {
            method: self.session.method,
            key_storage: self.session.key_storage,
            address: self.address,
            mfa_age_s: self.session.mfa_at.map(|at| self.at.since(at)),
        }
    }
}
