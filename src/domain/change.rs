//! What follows from an event: rows, one audit event, effects. All of it is committed at once or not at all.
//! Owns the shape of a commit. Refuses to know how it is stored.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::decision::Decision;
use super::digest::Digest;
use super::directory::{DirectoryGroup, DirectoryUser, MembersChange};
pub use super::effect::Effect;
use super::grant::Grant;
use super::id::{PersonId, RequestId};
use super::issuer_key::IssuerKey;
use super::lock::{Lock, Scope};
use super::membership::Membership;
use super::person::{Device, Person, Session, SignInCode};
use super::request::Request;
use super::sealing::SealingCheck;
use super::time::Timestamp;

/// A row as it shall stand. Rows with a version are inserted at 1 and replace exactly the version before
/// otherwise; the others are inserted once (a repeat of the same is no error for a device).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "row", content = "is", rename_all = "snake_case")]
pub enum Row {
    /// A request; its body is written on insertion only.
    Request(Box<Request>),
    /// A decision; one for each person and request.
    Decision(Decision),
    /// A grant.
    Grant(Grant),
    /// A person; inserted once.
    Person(Person),
    /// A device; inserted once for each person.
    Device(Device),
    /// A session.
    Session(Session),
    /// A sign-in code.
    SignInCode(SignInCode),
    /// The check value of the sealing key; there is one.
    SealingCheck(SealingCheck),
    /// A key of ours as issuer.
    IssuerKey(Box<IssuerKey>),
    /// A lock; one for each scope.
    Lock(Lock),
    /// A membership; what it is of never changes.
    Membership(Box<Membership>),
    /// Somebody in a directory.
    DirectoryUser(Box<DirectoryUser>),
    /// A group in a directory.
    DirectoryGroup(Box<DirectoryGroup>),
    /// A change of who is in one.
    DirectoryMembers(Box<MembersChange>),
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String")]
#[serde(try_from = "String")]
pub enum Actor {
    /// A person.
    Person(PersonId),
    /// The backend by itself: a deadline, the worker, a start.
    Backend,
    /// Somebody on the backend's machine, by a command there.
    Operator,
    /// A directory, with its token.
    Directory(String),
}

impl From<Actor> for String {
    fn from(actor: Actor) -> String {
        match actor {
            Actor::Person(id) => id.into(),
            Actor::Backend => "backend".to_owned(),
            Actor::Operator => "operator".to_owned(),
            Actor::Directory(source) => format!("directory:{source}"),
        }
    }
}

impl TryFrom<String> for Actor {
    type Error = super::refusal::Refusal;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "backend" => Ok(Self::Backend),
            "operator" => Ok(Self::Operator),
            other => match other.strip_prefix("directory:") {
                Some(source) => Ok(Self::Directory(source.to_owned())),
                None => PersonId::try_from(text).map(Self::Person),
            },
        }
    }
}

/// One line of evidence. Sequence number, salt and hashes are the store's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// Such as `request.filed`.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// On which request.
    pub request: Option<RequestId>,
    /// The policy bundle that was asked, where one was.
    pub bundle_hash: Option<String>,
    /// Everything else: the rows as they stand after it, and details.
    pub payload: Value,
}

/// The outbox row of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EffectId(pub i64);

/// An effect that did not work out and is tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Postpone {
    /// Which.
    pub effect: EffectId,
    /// Not before.
    pub until: Timestamp,
    /// What went wrong, for `jit status` and the log.
    pub error: String,
    /// Whether it was tried: who only waited for another has not failed at anything.
    pub is_attempt: bool,
}

/// An idempotency key with what it led to. Never an answer: a repeat is answered from the state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Once {
    /// Whose key.
    pub person: PersonId,
    /// As the client sent it.
    pub key: String,
    /// SHA-256 of method, path and body.
    pub body_hash: Digest,
    /// Id of what came of it.
    pub outcome: String,
    /// When.
    pub at: Timestamp,
}

/// Everything that one event changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Rows as they shall stand.
    pub rows: Vec<Row>,
    /// The evidence: there whenever a row changes, and for what happened outside without changing one
    /// (`credential.minted`). Absent where nothing happened.
    pub event: Option<AuditEvent>,
    /// What the worker shall do, and not before when.
    pub effects: Vec<(Timestamp, Effect)>,
    /// The outbox row that this commit settles.
    pub completes: Option<EffectId>,
    /// The outbox row that is tried again later.
    pub postpones: Option<Postpone>,
    /// The idempotency key that this commit uses up.
    pub once: Option<Once>,
    /// It is refused where a lock stands on one of these by then: a lock and what it forbids never pass each other.
    pub unless_locked: Vec<Scope>,
}

impl Change {
    /// A change of `rows` by `actor`, with one audit event whose payload holds those rows and `details`.
    pub fn new(
        now: Timestamp,
        kind: &str,
        actor: Actor,
        request: Option<&Request>,
        rows: Vec<Row>,
        details: Value,
    ) -> Self {
        let payload = json!({ "rows": rows, "details": details });
        let event = AuditEvent {
            kind: kind.to_owned(),
            at: now,
            actor,
            request: request.map(|r| r.id().clone()),
            bundle_hash: request.map(|r| r.frozen.bundle_hash.clone()),
            payload,
        };
        Self {
            rows,
            event: Some(event),
            ..Self::default()
        }
    }

    /// The same with one more row, in the evidence too.
    #[must_use]
    pub fn with_row(mut self, row: Option<Row>) -> Self {
        if let Some(row) = row {
            self.rows.push(row);
            if let Some(event) = &mut self.event {
                event.payload["rows"] = json!(self.rows);
            }
        }
        self
    }

    /// The same with an effect that is due at once or later.
    #[must_use]
    pub fn with_effect(mut self, due_at: Timestamp, effect: Effect) -> Self {
        self.effects.push((due_at, effect));
        self
    }

    /// The same, settling the outbox row that led to it.
    #[must_use]
    pub fn completing(mut self, effect: EffectId) -> Self {
        self.completes = Some(effect);
        self
    }

    /// The same under an idempotency key.
    #[must_use]
    pub fn once(mut self, once: Option<Once>) -> Self {
        self.once = once;
        self
    }

    /// The same, refused where a lock stands on one of `scopes`. What changes nothing needs no such guard.
    #[must_use]
    pub fn unless_locked(mut self, scopes: Vec<Scope>) -> Self {
        if self.event.is_some() {
            self.unless_locked = scopes;
        }
        self
    }

    /// The same with the policy bundle that was asked.
    #[must_use]
    pub fn decided_by(mut self, bundle_hash: &str) -> Self {
        if let Some(event) = &mut self.event {
            event.bundle_hash = Some(bundle_hash.to_owned());
        }
        self
    }

    /// The same with another detail in the audit event's payload, such as the inputs of a policy decision.
    #[must_use]
    pub fn with_detail(mut self, name: &str, value: Value) -> Self {
        if let Some(event) = &mut self.event {
            if !event.payload["details"].is_object() {
                event.payload["details"] = json!({});
            }
            event.payload["details"][name] = value;
        }
        self
    }

    /// The request row that this change writes.
    pub fn request(&self) -> Option<&Request> {
        self.rows.iter().find_map(|row| match row {
            Row::Request(request) => Some(request.as_ref()),
            Row::Decision(_)
            | Row::Grant(_)
            | Row::Person(_)
            | Row::Device(_)
            | Row::Session(_)
            | Row::SignInCode(_)
            | Row::SealingCheck(_)
            | Row::IssuerKey(_)
            | Row::Lock(_)
            | Row::Membership(_)
            | Row::DirectoryUser(_)
            | Row::DirectoryGroup(_)
            | Row::DirectoryMembers(_) => None,
        })
    }

    /// The grant row that this change writes.
    pub fn grant(&self) -> Option<&Grant> {
        self.rows.iter().find_map(|row| match row {
            Row::Grant(grant) => Some(grant),
            Row::Request(_)
            | Row::Decision(_)
            | Row::Person(_)
            | Row::Device(_)
            | Row::Session(_)
            | Row::SignInCode(_)
            | Row::SealingCheck(_)
            | Row::IssuerKey(_)
            | Row::Lock(_)
            | Row::Membership(_)
            | Row::DirectoryUser(_)
            | Row::DirectoryGroup(_)
            | Row::DirectoryMembers(_) => None,
        })
    }
}
