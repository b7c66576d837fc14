//! What follows from an event: rows, one audit event, effects. All of it is committed at once or not at all.
//! Owns the shape of a commit. Refuses to know how it is stored.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::decision::Decision;
use super::digest::Digest;
use super::grant::Grant;
use super::id::{GrantId, PersonId, RequestId};
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
}

impl From<Actor> for String {
    fn from(actor: Actor) -> String {
        match actor {
            Actor::Person(id) => id.into(),
            Actor::Backend => "backend".to_owned(),
            Actor::Operator => "operator".to_owned(),
        }
    }
}

impl TryFrom<String> for Actor {
    type Error = super::refusal::Refusal;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "backend" => Ok(Self::Backend),
            "operator" => Ok(Self::Operator),
            _ => PersonId::try_from(text).map(Self::Person),
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

/// Work that a commit leaves for the worker. Stored in the outbox; done at least once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Let a pending request die.
    Expire {
        /// Which.
        request: RequestId,
    },
    /// Ask policy again and enter `granting`.
    Activate {
        /// Which.
        grant: GrantId,
    },
    /// Call the provider and verify.
    Give {
        /// Which.
        grant: GrantId,
    },
    /// End the grant: its time is over. Committed together with `ends_at`: it is the intent to revoke.
    End {
        /// Which.
        grant: GrantId,
    },
    /// Take access away that is no membership: credentials, which are not renewed.
    Take {
        /// Which.
        grant: GrantId,
    },
    /// Let go of a membership: where nobody else holds it, the provider is called to take it away.
    LetGo {
        /// Which.
        grant: GrantId,
    },
    /// Shut out the sessions of a grant that ended early.
    Kill {
        /// Which.
        grant: GrantId,
    },
    /// Stop naming them: the last of them is over by itself.
    Unkill {
        /// Which.
        grant: GrantId,
    },
    /// Tell that a grant ends soon.
    Warn {
        /// Which.
        grant: GrantId,
    },
    /// Find every grant that was there when a lock was set, and have each ended.
    Sweep {
        /// On what.
        scope: Scope,
    },
    /// End one of them.
    Stop {
        /// Which.
        grant: GrantId,
        /// On what the lock was set.
        scope: Scope,
    },
    /// Take away a membership that nobody here gave.
    Oust {
        /// Its name.
        membership: String,
    },
}

impl Effect {
    /// The word stored beside it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Expire { .. } => "expire",
            Self::Activate { .. } => "activate",
            Self::Give { .. } => "give",
            Self::End { .. } => "end",
            Self::Take { .. } => "take",
            Self::LetGo { .. } => "let_go",
            Self::Kill { .. } => "kill",
            Self::Unkill { .. } => "unkill",
            Self::Warn { .. } => "warn",
            Self::Sweep { .. } => "sweep",
            Self::Stop { .. } => "stop",
            Self::Oust { .. } => "oust",
        }
    }

    /// Urgencies of what calls nobody: it waits for nothing but the database.
    pub const AT_ONCE: RangeInclusive<u8> = 0..=2;
    /// Urgencies of what shuts sessions out.
    pub const SHUTTING_OUT: RangeInclusive<u8> = 3..=4;
    /// Urgencies of what a system with a quota takes back.
    pub const LETTING_GO: RangeInclusive<u8> = 5..=5;
    /// Urgencies of what gives something.
    pub const GIVING: RangeInclusive<u8> = 6..=6;
    /// All of them.
    #[cfg(test)]
    pub const ALL: RangeInclusive<u8> = 0..=6;

    /// What is taken away goes before what is given: 0 is first. Ten thousand memberships that a system with a quota takes
    /// back in twenty minutes, and a role that AWS does not let us reach, keep no lock from being carried out, no deadline
    /// from being met and no session from being shut out.
    pub const fn urgency(&self) -> u8 {
        match self {
            Self::Sweep { .. } | Self::Stop { .. } => 0,
            Self::End { .. } | Self::Take { .. } => 1,
            Self::Expire { .. } | Self::Warn { .. } => 2,
            Self::Kill { .. } => 3,
            Self::Unkill { .. } => 4,
            Self::LetGo { .. } | Self::Oust { .. } => 5,
            Self::Activate { .. } | Self::Give { .. } => 6,
        }
    }

    /// Whether it ends something.
    pub fn is_ending(&self) -> bool {
        !Self::GIVING.contains(&self.urgency())
    }
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
            | Row::Membership(_) => None,
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
            | Row::Membership(_) => None,
        })
    }
}
