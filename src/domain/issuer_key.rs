//! A key that tokens are signed with, and what changes it.
//! Owns its state and the evidence of each change. Refuses to know when a change is due: `key_life` does.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::change::{Actor, Change, Row};
use super::id::KeyId;
use super::sealing::SealingCheck;
use super::time::Timestamp;

/// An ES256 key of ours as OpenID Connect issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerKey {
    /// Its thumbprint: the `kid` of what it signs.
    pub id: KeyId,
    /// Which key of the store it is, from 1: of two that could sign, the later one does.
    pub number: u64,
    /// The issuer that it signs for.
    pub issuer: String,
    /// First half of its public point, as a JWK has it.
    pub x: String,
    /// Second half.
    pub y: String,
    /// The private half, sealed; none once the key was removed. Not in the evidence, which is kept for ever.
    #[serde(skip)]
    pub sealed: Option<String>,
    /// When it was made.
    pub made_at: Timestamp,
    /// Since when it is seen where everybody fetches it.
    pub published_at: Option<Timestamp>,
    /// From when on it signs nothing any more.
    pub retired_at: Option<Timestamp>,
    /// When it was taken out of what we publish, and its private half forgotten.
    pub removed_at: Option<Timestamp>,
    /// Counts its changes, from 1.
    pub version: u64,
}

impl IssuerKey {
    fn next(&self) -> Self {
        Self {
            version: self.version + 1,
            ..self.clone()
        }
    }
}

fn changed(now: Timestamp, kind: &str, actor: Actor, keys: Vec<IssuerKey>, details: Value) -> Change {
    let rows = keys.into_iter().map(|key| Row::IssuerKey(Box::new(key))).collect();
    Change::new(now, kind, actor, None, rows, details)
}

/// `key` is there from now on.
pub fn key_made(now: Timestamp, actor: Actor, key: IssuerKey, details: Value) -> Change {
    changed(now, "issuer.key_made", actor, vec![key], details)
}

/// `key` was seen published for the first time.
pub fn key_published(now: Timestamp, key: &IssuerKey) -> Change {
    let seen = IssuerKey {
        published_at: Some(now),
        ..key.next()
    };
    changed(now, "issuer.key_published", Actor::Backend, vec![seen], json!({}))
}

/// `key` is not where everybody fetches it any more: once it is again, its time begins anew.
pub fn key_missed(now: Timestamp, key: &IssuerKey) -> Change {
    let missed = IssuerKey {
        published_at: None,
        ..key.next()
    };
    changed(now, "issuer.key_missed", Actor::Backend, vec![missed], json!({}))
}

/// `key` signs nothing any more.
pub fn key_retired(now: Timestamp, key: &IssuerKey) -> Change {
    let retired = IssuerKey {
        retired_at: Some(now),
        ..key.next()
    };
    changed(now, "issuer.key_retired", Actor::Backend, vec![retired], json!({}))
}

/// What is left of `key` once it is removed or revoked.
pub fn without(now: Timestamp, key: &IssuerKey) -> IssuerKey {
    IssuerKey {
        sealed: None,
        retired_at: key.retired_at.or(Some(now)),
        removed_at: Some(now),
        ..key.next()
    }
}

/// No token of `key` is good any more, so nobody needs it.
pub fn key_removed(now: Timestamp, key: &IssuerKey) -> Change {
    changed(
        now,
        "issuer.key_removed",
        Actor::Backend,
        vec![without(now, key)],
        json!({}),
    )
}

/// `keys` are gone at once, whatever they signed. With `check`, nothing sealed is left, and another sealing key may come.
pub fn keys_revoked(
    now: Timestamp,
    actor: Actor,
    keys: &[&IssuerKey],
    check: Option<&SealingCheck>,
    details: Value,
) -> Change {
    let gone = keys.iter().map(|key| without(now, key)).collect();
    let mut change = changed(now, "issuer.key_revoked", actor, gone, details);
    if let Some(check) = check {
        let row = Row::SealingCheck(SealingCheck::after(Some(check), now, None));
        change.rows.push(row);
    }
    change
}
