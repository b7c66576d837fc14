//! A backend in one process for tests: the real store, policy and services, a clock set by hand, and a provider
//! that is a stand-in of ours. Exists under test only.

pub mod members;
pub mod organization;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use async_trait::async_trait;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::domain::{Binding, Duration, Killed, RoleBinding, Timestamp};
use crate::policy::{Bundle, small};
use crate::server::backend::{Backend, Caller, InForce, Parts};
use crate::server::failure::Failure;
use crate::server::identity::device::DeviceKey;
use crate::server::provider::aws::AwsSettings;
use crate::server::provider::{
    Access, AccountsProvider, Beneficiary, Credential, Description, Killer, Minter, Presence, Provider, ProviderError,
    User,
};
use crate::server::service::{file, sign_in};
use crate::server::settings::{Admin, MEMBERSHIP_AGE_S, Quota, Settings};
use crate::server::store::{MemoryStore, SqliteStore, Store};
use crate::server::worker;
use crate::wire::{Filed, NewDecision, NewRequest, NewSession, PublicKey, RequestView};

/// When every test begins.
pub const NOON: Timestamp = Timestamp::from_millis(1_795_262_400_000);

/// How long a late call waits for another to land before it.
const LATE: std::time::Duration = std::time::Duration::from_secs(2);

/// A provider that does as it is told and counts.
#[derive(Default)]
pub struct StandIn {
    /// Calls of `verify`.
    pub verified: AtomicU32,
    /// Calls of `mint`.
    pub minted: AtomicU32,
    /// Calls of `shut_out`.
    pub written: AtomicU32,
    /// Whether the next of them is late.
    pub is_late: AtomicBool,
    /// How often a call let somebody in who was shut out before.
    pub let_in: AtomicU32,
    /// Who is shut out, by role.
    pub shut_out: Mutex<BTreeMap<String, Vec<Killed>>>,
    /// What a kill switch says that is full.
    pub full: Mutex<Option<Timestamp>>,
    /// Answers to give before succeeding, first one first.
    pub errors: Mutex<Vec<ProviderError>>,
}

impl StandIn {
    /// Whether somebody is shut out of `role` who is not one of `sessions`.
    fn has_more(&self, role: &str, sessions: &[Killed]) -> bool {
        let roles = self.shut_out.lock().unwrap();
        roles
            .get(role)
            .into_iter()
            .flatten()
            .any(|session| !sessions.contains(session))
    }

    fn next(&self) -> Result<(), ProviderError> {
        let mut errors = self.errors.lock().unwrap();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors.remove(0))
        }
    }
}

#[async_trait]
impl Provider for StandIn {
    fn describe(&self) -> Description {
        Description {
            kind: "stand-in",
            has_membership: false,
            can_narrow: true,
        }
    }

    async fn resolve(&self, _: Timestamp, _: &Binding, _: Beneficiary<'_>) -> Result<Option<User>, ProviderError> {
        Ok(None)
    }

    async fn oust(&self, _: Timestamp, _: &Binding, _: &str) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn members(&self, _: Timestamp, _: &Binding) -> Result<Vec<String>, ProviderError> {
        Ok(Vec::new())
    }

    fn accepts(&self, access: &Access) -> Result<(), ProviderError> {
        if access.only.len() > 100 {
            return Err(ProviderError::PolicyTooLarge("as asked".into()));
        }
        Ok(())
    }

    async fn still_fits(&self, _: Timestamp, _: &Binding) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn grant(&self, _: Timestamp, _: &Access) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn verify(&self, _: Timestamp, _: &Access) -> Result<Presence, ProviderError> {
        self.verified.fetch_add(1, Ordering::SeqCst);
        self.next().map(|()| Presence::There)
    }

    async fn revoke(&self, _: Timestamp, _: &Access) -> Result<(), ProviderError> {
        self.next()
    }
}

#[async_trait]
impl Minter for StandIn {
    fn works_until(&self, now: Timestamp, access: &crate::server::provider::RoleAccess) -> Timestamp {
        now.plus(access.binding.session).min(access.ends_at)
    }

    async fn mint(
        &self,
        now: Timestamp,
        access: &crate::server::provider::RoleAccess,
    ) -> Result<Credential, ProviderError> {
        let count = self.minted.fetch_add(1, Ordering::SeqCst);
        self.next()?;
        Ok(Credential {
            access_key_id: format!("ASIASTANDIN{count}"),
            secret_access_key: SecretString::from("a secret that nothing stores"),
            session_token: SecretString::from("a token that nothing stores"),
            expires_at: self.works_until(now, access),
        })
    }
}

#[async_trait]
impl Killer for StandIn {
    async fn can_shut_out(&self, _: Timestamp, _: &RoleBinding) -> Result<(), ProviderError> {
        self.next()
    }

    /// A late call lands once another has that carries more, as a slow network may have it; where none does, after a
    /// while.
    async fn shut_out(
        &self,
        _: Timestamp,
        binding: &RoleBinding,
        sessions: &[Killed],
    ) -> Result<Option<Timestamp>, ProviderError> {
        let (is_late, began) = (self.is_late.swap(false, Ordering::SeqCst), Instant::now());
        self.written.fetch_add(1, Ordering::SeqCst);
        let full = *self.full.lock().unwrap();
        while is_late && began.elapsed() < LATE && !self.has_more(&binding.role_arn, sessions) {
            tokio::task::yield_now().await;
        }
        let role = binding.role_arn.clone();
        let done = self.next();
        if !matches!(done, Err(ProviderError::Throttled(_))) {
            // an answer that is lost says nothing about what was done
            self.let_in
                .fetch_add(u32::from(self.has_more(&role, sessions)), Ordering::SeqCst);
            self.shut_out.lock().unwrap().insert(role, sessions.to_vec());
        }
        done.map(|()| full)
    }
}

/// A backend and what a test needs around it.
pub struct Stage {
    /// The backend.
    pub backend: Arc<Backend>,
    /// Its provider.
    pub provider: Arc<StandIn>,
    /// Its folder.
    pub dir: TempDir,
    _stop: watch::Sender<bool>,
}

impl Stage {
    /// The small bundle; devices that are enrolled for who asks do not decide, as in production.
    pub async fn new() -> Self {
        Self::on_database(TempDir::new().unwrap()).await
    }

    /// The same on the database in `dir`, where there is one.
    pub async fn on_database(dir: TempDir) -> Self {
        Self::on_database_with(dir, |_| {}).await
    }

    /// The same in memory, and on `identity_center` for what is assigned there.
    pub fn in_memory(identity_center: Arc<dyn AccountsProvider>) -> Self {
        let store = Arc::new(MemoryStore::default());
        Self::on(TempDir::new().unwrap(), store, Arc::default(), identity_center, |_| {})
    }

    /// The small bundle, with other settings.
    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::on_database_with(TempDir::new().unwrap(), change).await
    }

    async fn on_database_with(dir: TempDir, change: impl FnOnce(&mut Settings)) -> Self {
        let store = Arc::new(SqliteStore::open(&dir.path().join("jit.db")).await.unwrap());
        let provider = Arc::new(StandIn::default());
        Self::on(dir, store, provider.clone(), provider, change)
    }

    fn on(
        dir: TempDir,
        store: Arc<dyn Store>,
        provider: Arc<StandIn>,
        identity_center: Arc<dyn AccountsProvider>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let (stop, stopping) = watch::channel(false);
        let mut settings = Settings {
            dev: false,
            origin: "http://127.0.0.1:1".into(),
            hosts: vec!["127.0.0.1:1".into()],
            tls: None,
            trusted_proxies: None,
            policy_dir: dir.path().join("policy"),
            policy_is_guarded: false,
            database: dir.path().join("jit.db"),
            aws: AwsSettings::default(),
            identity_center: Quota::default(),
            issuer: None,
            sign_in: Vec::new(),
            workload_issuers: Vec::new(),
            admins: vec![Admin::local("carol")],
            directories: Vec::new(),
            membership_age_s: MEMBERSHIP_AGE_S,
            session_life: Duration::from_secs(12 * 3600).unwrap(),
            session_idle: Duration::from_secs(2 * 3600).unwrap(),
            code_life: Duration::from_secs(600).unwrap(),
            new_devices_decide: true,
            shared_devices_decide: false,
        };
        change(&mut settings);
        let (clock, bundle) = (Clock::manual(NOON), Arc::new(Bundle::load(&small::files()).unwrap()));
        let aws = provider.clone();
        let backend = Backend::new(Parts {
            settings,
            store,
            aws,
            identity_center,
            issuer: None,
            clock,
            bundle,
            stopping,
        });
        Self {
            backend,
            provider,
            dir,
            _stop: stop,
        }
    }

    /// Moves the clock to `secs` after noon.
    pub fn at(&self, secs: i64) {
        self.backend
            .clock
            .set(Timestamp::from_millis(NOON.millis() + secs * 1000));
    }

    /// Signs `name` in on a device of their own.
    pub async fn sign_in(&self, name: &str) -> Caller {
        self.sign_in_on(name, &new_key()).await
    }

    /// Signs `name` in on the device that has `key`.
    pub async fn sign_in_on(&self, name: &str, key: &PublicKey) -> Caller {
        self.try_sign_in(name, key).await.unwrap()
    }

    /// The same, where it may be refused.
    pub async fn try_sign_in(&self, name: &str, key: &PublicKey) -> Result<Caller, Failure> {
        let code = sign_in::issue_code(&self.backend, name).await.unwrap();
        let new = NewSession {
            name: name.into(),
            code,
            verifier: None,
            key_storage: "file".into(),
        };
        let address = IpAddr::from([127, 0, 0, 1]);
        let opened = sign_in::open(&self.backend, &new, &DeviceKey::of(key).unwrap(), address).await?;
        sign_in::caller(&self.backend, &opened.token, address).await
    }

    /// Signs `caller` in again, on the device that they have.
    pub async fn again(&self, caller: &Caller) -> Caller {
        let device = self.backend.store.device(&caller.session.device, &caller.person.id);
        let device = device.await.unwrap().unwrap();
        let key: PublicKey = serde_json::from_str(&device.public_key).unwrap();
        self.sign_in_on(&caller.person.subject, &key).await
    }

    /// Asks for `target` for an hour.
    pub async fn file(&self, caller: &Caller, target: &str) -> Result<Filed, Failure> {
        self.file_for(caller, target, 3600).await
    }

    /// Asks for `target` for `secs` seconds.
    pub async fn file_for(&self, caller: &Caller, target: &str, secs: u32) -> Result<Filed, Failure> {
        self.file_as(caller, &new_request(target, secs)).await
    }

    /// Asks for `new`.
    pub async fn file_as(&self, caller: &Caller, new: &NewRequest) -> Result<Filed, Failure> {
        file::file(&self.backend, caller, new, None).await
    }

    /// Has the worker do everything that is due.
    pub async fn work(&self) {
        worker::drain(&self.backend).await;
    }

    /// Puts the small bundle in force with `from` replaced by `to` in every file.
    pub fn edit_policy(&self, from: &str, to: &str) {
        self.edit_policies(&[(from, to)]);
    }

    /// Puts the small bundle in force with a kill switch on every target.
    pub fn with_kill_switches(&self) {
        self.edit_policies(&[
            (
                "\nenvironment =",
                "\nkill_role = \"jit/jit-kill-switch\"\nenvironment =",
            ),
            ("session = \"1h\"", "session = \"1h\", kill = \"deny-policy\""),
        ]);
    }

    /// The same with several.
    pub fn edit_policies(&self, edits: &[(&str, &str)]) {
        let mut files = small::files();
        for (from, to) in edits {
            let mut count = 0;
            for (_, bytes) in &mut files {
                let text = String::from_utf8(bytes.clone()).unwrap();
                count += text.matches(from).count();
                *bytes = text.replace(from, to).into_bytes();
            }
            assert!(count > 0, "{from} stands in no file");
        }
        let bundle = Arc::new(Bundle::load(&files).unwrap());
        self.backend.set_policy(InForce { bundle, error: None });
    }
}

/// What asks for `target` for `secs` seconds.
pub fn new_request(target: &str, secs: u32) -> NewRequest {
    NewRequest {
        target: target.into(),
        duration_s: secs,
        reason: "payout job stuck, PAY-311".into(),
        ..NewRequest::default()
    }
}

/// A yes on what `view` shows.
pub fn yes(view: &RequestView) -> NewDecision {
    NewDecision {
        verdict: "approve".into(),
        digest: view.digest.clone(),
        comment: None,
    }
}

/// The public half of a new device key.
pub fn new_key() -> PublicKey {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = pair.public_key().as_ref();
    let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    PublicKey {
        crv: "P-256".into(),
        kty: "EC".into(),
        x: coordinate(&point[1..33]),
        y: coordinate(&point[33..]),
    }
}
