//! Where the backend keeps its state: one trait an aggregate over one transaction.
//! Owns reading and the one commit. Refuses rules: what may change is decided before it comes here.

#[cfg(test)]
mod contract;
mod dialect;
mod directories;
mod memberships;
pub mod memory;
mod migrations;
mod seal;
mod sql;
pub mod sqlite;
mod writer;

use std::ops::RangeInclusive;

use async_trait::async_trait;

pub use directories::{By, Directories};
pub use memberships::Memberships;
pub use memory::MemoryStore;
pub use sqlite::SqliteStore;

use crate::domain::{
    Case, Change, Decision, Device, DeviceId, Digest, Effect, EffectId, Grant, GrantId, IssuerKey, Killed, Lock,
    Person, PersonId, Request, RequestId, Scope, SealingCheck, Session, SessionId, SignInCode, TargetName, Timestamp,
};

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row is not at the version it was read at: load again and decide again.
    #[error("another change came first")]
    Conflict,
    /// An id or key exists already: draw another.
    #[error("that id exists already")]
    Duplicate,
    /// The idempotency key was used up by another commit meanwhile: answer from the state.
    #[error("that idempotency key was used already")]
    Repeated,
    /// The disk is full, the file is read-only, the connection is gone.
    #[error("the database takes no writes: {0}")]
    Unavailable(String),
    /// A row that this version cannot read.
    #[error("the database holds what this version cannot read: {0}")]
    Unreadable(String),
}

/// The one way to change anything.
#[async_trait]
pub trait Commits: Send + Sync {
    /// Every row at the version it was read at, the audit event, the outbox, the idempotency key: all or nothing.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is changed then.
    async fn commit(&self, change: &Change) -> Result<(), StoreError>;

    /// What an idempotency key of `person` led to: the hash of its body and the id of the outcome.
    async fn once(&self, person: &PersonId, key: &str) -> Result<Option<(Digest, String)>, StoreError>;

    /// Forgets idempotency keys used before `before`. They promise 24 hours.
    async fn forget_once(&self, before: Timestamp) -> Result<(), StoreError>;
}

/// Requests with all that belongs to them.
#[async_trait]
pub trait Cases: Send + Sync {
    /// The case of a request.
    async fn case(&self, request: &RequestId) -> Result<Option<Case>, StoreError>;

    /// The case of the request behind a grant.
    async fn case_of_grant(&self, grant: &GrantId) -> Result<Option<Case>, StoreError>;

    /// A case without a request: what a new request of `beneficiary` for `target` would stand beside.
    async fn case_to_file(&self, beneficiary: &PersonId, target: &TargetName) -> Result<Case, StoreError>;

    /// Ids of requests that begin with `prefix`, at most `limit`.
    async fn requests_like(&self, prefix: &str, limit: u32) -> Result<Vec<RequestId>, StoreError>;

    /// Ids of grants that begin with `prefix`, at most `limit`.
    async fn grants_like(&self, prefix: &str, limit: u32) -> Result<Vec<GrantId>, StoreError>;

    /// Requests that `person` made or benefits from, newest first; `before` continues a page (exclusive).
    async fn requests_of(
        &self,
        person: &PersonId,
        open_only: bool,
        before: Option<&RequestId>,
        limit: u32,
    ) -> Result<Vec<Request>, StoreError>;

    /// Pending requests, oldest first.
    async fn pending(&self, limit: u32) -> Result<Vec<Request>, StoreError>;

    /// Decisions on a request, oldest first.
    async fn decisions(&self, request: &RequestId) -> Result<Vec<Decision>, StoreError>;

    /// The grant of a request.
    async fn grant_of(&self, request: &RequestId) -> Result<Option<Grant>, StoreError>;

    /// Grants of `person` that are open (scheduled, granting, active, revoking), those that end last first.
    async fn open_grants(&self, person: &PersonId) -> Result<Vec<Grant>, StoreError>;

    /// Requests that `person` made or benefits from whose grant is over, while a credential of it works at `now`: newest
    /// first. Those whose sessions are shut out are not among them.
    async fn outlived(&self, person: &PersonId, now: Timestamp) -> Result<Vec<Request>, StoreError>;

    /// Requests that `person` made or benefits from whose grant ended after `since` and left access behind that was there
    /// before: newest first.
    async fn left_behind(&self, person: &PersonId, since: Timestamp) -> Result<Vec<Request>, StoreError>;

    /// Grants of `beneficiary` on `target` that were activated since `since`, newest first.
    async fn grants_since(
        &self,
        beneficiary: &PersonId,
        target: &TargetName,
        since: Timestamp,
    ) -> Result<Vec<Grant>, StoreError>;
}

/// People, devices, sessions, codes.
#[async_trait]
pub trait People: Send + Sync {
    /// By id.
    async fn person(&self, id: &PersonId) -> Result<Option<Person>, StoreError>;

    /// By issuer and subject.
    async fn person_by_subject(&self, issuer: &str, subject: &str) -> Result<Option<Person>, StoreError>;

    /// Who is shown by `name`, in whatever case of ASCII, at most `most`; whom we saw first comes first.
    async fn people_called(&self, name: &str, most: u32) -> Result<Vec<Person>, StoreError>;

    /// Everybody for whom `device` is enrolled.
    async fn people_of_device(&self, device: &DeviceId) -> Result<Vec<PersonId>, StoreError>;

    /// A device as it is enrolled for a person.
    async fn device(&self, device: &DeviceId, person: &PersonId) -> Result<Option<Device>, StoreError>;

    /// A session by the hash of its token.
    async fn session_by_hash(&self, token_hash: &str) -> Result<Option<Session>, StoreError>;

    /// A session by its id.
    async fn session(&self, id: &SessionId) -> Result<Option<Session>, StoreError>;

    /// The session that a workload's token opened, by the hash of what tells that apart.
    async fn session_of_id_token(&self, id_token: &str) -> Result<Option<Session>, StoreError>;

    /// Whether `person` ever showed a second factor, in a session that is over or not.
    async fn has_shown_mfa(&self, person: &PersonId) -> Result<bool, StoreError>;

    /// Notes that `session` was used at `at`, where its last use was between these two: neither lately nor too long ago.
    async fn note_use(
        &self,
        session: &SessionId,
        at: Timestamp,
        between: (Timestamp, Timestamp),
    ) -> Result<(), StoreError>;

    /// Sessions that are not over at `now`, of `person` or of everybody, newest first, at most `limit`.
    async fn live_sessions(
        &self,
        person: Option<&PersonId>,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError>;

    /// Devices of `person`, oldest first.
    async fn devices_of(&self, person: &PersonId) -> Result<Vec<Device>, StoreError>;

    /// A sign-in code by its hash.
    async fn code_by_hash(&self, code_hash: &str) -> Result<Option<SignInCode>, StoreError>;

    /// The code that a sign-in elsewhere gave, by the hash of its state.
    async fn code_of_sign_in(&self, sign_in: &str) -> Result<Option<SignInCode>, StoreError>;

    /// Forgets codes that were too old before `before`, spent or not: the evidence has what became of them.
    async fn forget_codes(&self, before: Timestamp) -> Result<(), StoreError>;

    /// Codes of `person` that are neither spent nor too old at `now`.
    async fn open_codes(&self, person: &PersonId, now: Timestamp) -> Result<Vec<SignInCode>, StoreError>;
}

/// An outbox row that is being worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The row.
    pub id: EffectId,
    /// What to do.
    pub effect: Effect,
    /// Attempts before this one.
    pub attempts: u32,
}

/// How an effect that is still to be done stands, for `jit status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// What.
    pub effect: Effect,
    /// Attempts so far.
    pub attempts: u32,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it is due.
    pub due_at: Timestamp,
}

/// The outbox.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Claims up to `limit` rows of these `urgencies` that are due at `now` and not claimed by a living owner, most urgent
    /// first, then by due time. A claim ends at `until`.
    async fn claim(
        &self,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        urgencies: RangeInclusive<u8>,
        limit: u32,
    ) -> Result<Vec<Claimed>, StoreError>;

    /// When the next row after `after` is due, claimed or not; the worker need not look before.
    async fn next_due(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError>;

    /// What is still to be done for a grant, soonest first. `End` rows of the far future included.
    async fn pending_effects(&self, grant: &GrantId) -> Result<Vec<Pending>, StoreError>;

    /// Rows of every kind that are left.
    async fn left(&self) -> Result<u64, StoreError>;

    /// Gives back all claims of `owner`.
    async fn release(&self, owner: &str) -> Result<(), StoreError>;
}

/// The policy by which a role shuts sessions out, as the store knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Switch {
    /// Counts every change of what is to stand in it; 0 where there never was any.
    pub version: u64,
    /// The version that the policy was written from, or a newer one is there; 0 while nobody knows.
    pub written: u64,
    /// As written, it shuts out every session of the role issued before this instant.
    pub denied_before: Option<Timestamp>,
}

/// What is to stand in the policies that shut sessions out, and who writes one now.
#[async_trait]
pub trait Switches: Send + Sync {
    /// How the policy of `role_arn` stands.
    async fn switch(&self, role_arn: &str) -> Result<Switch, StoreError>;

    /// Every session of `role_arn` that is to be shut out, those of the oldest end first.
    async fn killed(&self, role_arn: &str) -> Result<Vec<Killed>, StoreError>;

    /// How many of them are sessions of `beneficiary`, and when the first of those is over by itself.
    async fn killed_of(&self, role_arn: &str, beneficiary: &PersonId) -> Result<Option<(u32, Timestamp)>, StoreError>;

    /// Takes the right to write the policy of `role_arn` until `until`, or keeps it for longer. From then on nobody
    /// knows what is written.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] while another owner has it.
    async fn hold_switch(
        &self,
        role_arn: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<(), StoreError>;

    /// Notes what `owner` has written: from which version, and whom else it shuts out.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where `owner` has lost the right meanwhile: what it wrote may be gone again.
    async fn note_written(
        &self,
        role_arn: &str,
        owner: &str,
        version: u64,
        denied_before: Option<Timestamp>,
    ) -> Result<(), StoreError>;

    /// Gives the right back.
    async fn leave_switch(&self, role_arn: &str, owner: &str) -> Result<(), StoreError>;
}

/// What is open under a lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Under {
    /// How many grants are not over.
    pub grants: u64,
    /// How many of them leave behind what their beneficiary had before.
    pub remaining: u64,
    /// The latest instant at which a credential minted under it works: of what is over already as well, unless its sessions
    /// are shut out.
    pub last_credential_at: Option<Timestamp>,
}

/// Locks, and the grants that they end.
#[async_trait]
pub trait Locks: Send + Sync {
    /// The lock on `scope` as it stands or stood last.
    async fn lock(&self, scope: &Scope) -> Result<Option<Lock>, StoreError>;

    /// Those locks on `scopes` that stand.
    async fn locks_on(&self, scopes: &[Scope]) -> Result<Vec<Lock>, StoreError>;

    /// Every lock that stands, oldest first, at most `limit`.
    async fn standing_locks(&self, limit: u32) -> Result<Vec<Lock>, StoreError>;

    /// Grants under `scope` that were approved until `until` and are neither ending nor over, oldest first; `after`
    /// continues (exclusive).
    async fn grants_under(
        &self,
        scope: &Scope,
        until: Timestamp,
        after: Option<&GrantId>,
        limit: u32,
    ) -> Result<Vec<GrantId>, StoreError>;

    /// What is open under `scope`, ending or not, and until when what was handed out under it works after `now`. For a
    /// target also whatever is bound to `bound_to`.
    async fn open_under(&self, scope: &Scope, bound_to: Option<&Scope>, now: Timestamp) -> Result<Under, StoreError>;
}

/// One line of evidence as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Position, from 1, without gaps.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Such as `request.filed`.
    pub kind: String,
    /// Who.
    pub actor: String,
    /// On which request.
    pub request: Option<RequestId>,
    /// Hash of the policy bundle that was asked.
    pub bundle_hash: Option<String>,
    /// SHA-256 of salt and payload.
    pub payload_hash: String,
    /// RFC 6962 leaf hash of the envelope.
    pub leaf_hash: String,
    /// The salt before the payload in hex, unless both were erased.
    pub salt: Option<String>,
    /// The payload, unless it was erased.
    pub payload: Option<serde_json::Value>,
}

/// The evidence and the policy bundles that it names.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Events after `after`, in order.
    async fn evidence(&self, after: u64, limit: u32) -> Result<Vec<Evidence>, StoreError>;

    /// Every `drift.found`, `account.left` and `account.refused` that there ever was, in order: what was told of is told
    /// once, whoever starts since.
    async fn told(&self) -> Result<Vec<Evidence>, StoreError>;

    /// When the newest event was written. The clock never goes behind it.
    async fn newest_at(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Keeps a bundle under its hash: canonical JSON of (path, text) pairs. Keeping it twice is no error.
    async fn keep_bundle(&self, hash: &str, files: &str, at: Timestamp) -> Result<(), StoreError>;

    /// The files of the bundle that the newest `policy.loaded` event names, as they were kept.
    async fn bundle_in_force(&self) -> Result<Option<String>, StoreError>;

    /// A kept bundle.
    async fn bundle(&self, hash: &str) -> Result<Option<String>, StoreError>;
}

/// What secrets in the store are wrapped with.
#[async_trait]
pub trait Sealing: Send + Sync {
    /// The check value of the sealing key.
    async fn sealing_check(&self) -> Result<Option<SealingCheck>, StoreError>;
}

/// The keys that we sign with as issuer.
#[async_trait]
pub trait IssuerKeys: Send + Sync {
    /// Every key that there ever was, in the order of making.
    async fn issuer_keys(&self) -> Result<Vec<IssuerKey>, StoreError>;
}

/// Everything together.
pub trait Store:
    Commits + Cases + People + Outbox + Switches + Locks + Audit + Sealing + IssuerKeys + Memberships + Directories
{
}

impl<T> Store for T where
    T: Commits + Cases + People + Outbox + Switches + Locks + Audit + Sealing + IssuerKeys + Memberships + Directories
{
}
