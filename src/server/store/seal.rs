//! How an audit event becomes a line of evidence: salt, hashes, envelope (65-audit: RFC 6962 leaves).
//! Owns those bytes for every store. Refuses numbering and drawing: both come in as arguments.

use std::fmt::Write as _;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::Evidence;
use crate::domain::AuditEvent;
use crate::domain::digest::canonical;

/// Bytes of salt before each payload, so that an erased payload cannot be guessed from its hash.
pub(super) const SALT_BYTES: usize = 32;

/// `bytes` in lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // writing to a String cannot fail
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What is hashed into the tree: RFC 8785 JSON, integers and strings only.
fn envelope(seq: u64, event: &AuditEvent, payload_hash: &str) -> Vec<u8> {
    canonical(&json!({
        "seq": seq,
        "ts": event.at.millis(),
        "type": event.kind,
        "actor": String::from(event.actor.clone()),
        "request": event.request,
        "bundle_hash": event.bundle_hash,
        "payload_hash": payload_hash,
    }))
}

/// SHA-256 of 0x00 and `envelope`: a leaf never hashes like a node (RFC 6962, section 2.1).
fn leaf_hash(envelope: &[u8]) -> String {
    hex(&Sha256::new().chain_update([0]).chain_update(envelope).finalize())
}

/// SHA-256 of `salt` and the canonical `payload`.
fn payload_hash(salt: &[u8], payload: &[u8]) -> String {
    hex(&Sha256::new().chain_update(salt).chain_update(payload).finalize())
}

/// A line of evidence with the exact text of its payload.
pub(super) struct Sealed {
    /// The line.
    pub(super) line: Evidence,
    /// The payload's canonical JSON, as it was hashed.
    pub(super) payload: String,
}

/// `event` as line number `seq` under `salt`.
pub(super) fn seal(seq: u64, event: &AuditEvent, salt: &[u8; SALT_BYTES]) -> Sealed {
    let payload = canonical(&event.payload);
    let payload_hash = payload_hash(salt, &payload);
    let leaf_hash = leaf_hash(&envelope(seq, event, &payload_hash));
    Sealed {
        line: Evidence {
            seq,
            at: event.at,
            kind: event.kind.clone(),
            actor: event.actor.clone().into(),
            request: event.request.clone(),
            bundle_hash: event.bundle_hash.clone(),
            payload_hash,
            leaf_hash,
            salt: Some(hex(salt)),
            payload: Some(event.payload.clone()),
        },
        payload: String::from_utf8_lossy(&payload).into_owned(),
    }
}
