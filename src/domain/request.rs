//! A request: its body, which never changes, and its state, which does.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::accounts::AccountFacts;
use super::digest::{Digest, canonical};
use super::id::{DeviceId, GrantId, PersonId, RequestId};
use super::target::Binding;
use super::text::{Narrowing, Reason, TargetName, Ticket};
use super::time::{Duration, Timestamp};
use super::workflow::Workflow;
use super::workload::Workload;

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestState {
    /// Waits for decisions.
    Pending,
    /// Every stage said yes, or policy did; it has a grant.
    Approved,
    /// Somebody said no.
    Denied,
    /// Withdrawn by who asked.
    Cancelled,
    /// Nobody decided in time.
    Expired,
}

impl RequestState {
    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for RequestState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an extension continues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extends {
    /// A grant that was live when the extension was asked for.
    pub grant: GrantId,
    /// When that grant ends: the extension's duration counts from here.
    pub ends_at: Timestamp,
}

/// What is asked, complete. Written once; its canonical bytes are what approvers agree to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// Version of this shape: [`Body::SCHEMA`].
    pub schema: String,
    /// The request.
    pub id: RequestId,
    /// Who asks.
    pub requester: PersonId,
    /// Who gets the access.
    pub beneficiary: PersonId,
    /// To what.
    pub target: TargetName,
    /// What that resolved to when it was asked.
    pub binding: Binding,
    /// For how long: from activation, or from the end of what it extends.
    #[serde(rename = "duration_s")]
    pub duration: Duration,
    /// Not before; as soon as approved where absent.
    pub start: Option<Timestamp>,
    /// Why.
    pub reason: Reason,
    /// The ticket behind it.
    pub ticket: Option<Ticket>,
    /// What the session is narrowed to, sorted; empty means all that the role may.
    pub only: Vec<Narrowing>,
    /// What it extends. Left out of the bytes where it extends nothing, as it was before there were extensions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<Extends>,
    /// The beneficiary's id in the system itself, where access is a membership there: found once, when this was asked, and
    /// carried from then on. Left out of the bytes where there is none, as it was before there were memberships.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whether they had the membership already when this was asked, from elsewhere: it stays then. Left out of the bytes
    /// where they had not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub pre_existing: bool,
    /// Whether a group that they are in had it when this was asked: access remains for as long as both last. Left out of the
    /// bytes where none had.
    #[serde(default, skip_serializing_if = "is_false")]
    pub through_group: bool,
    /// Which workload asks and who started it, where it is no person. Left out of the bytes where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<Box<Workload>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(it: &bool) -> bool {
    !*it
}

impl Body {
    /// The version of the shape that this code writes.
    pub const SCHEMA: &str = "jit/request-body/1";

    /// RFC 8785 bytes.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        canonical(&serde_json::to_value(self).expect("strings, integers and lists have a JSON form"))
    }

    /// When access ends that begins at `begins`, whatever the cap.
    pub fn ends(&self, begins: Timestamp) -> Timestamp {
        let counted_from = self.extends.as_ref().map_or(begins, |extends| extends.ends_at);
        counted_from.plus(self.duration)
    }

    /// The name of the membership that is asked for, where access is one.
    pub fn membership(&self) -> Option<String> {
        let assignment = self.binding.assignment()?;
        self.user.as_deref().map(|user| assignment.membership(user))
    }

    /// SHA-256 of the canonical bytes: what a decision binds itself to.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.canonical_bytes())
    }
}

/// What held when the request was made, and holds for it until it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// Stages and deadlines.
    pub workflow: Workflow,
    /// The target's longest duration, counted from the first activation.
    #[serde(rename = "cap_s")]
    pub cap: Duration,
    /// The target's risk, 0 to 3.
    pub risk: u8,
    /// The target's environment.
    pub environment: String,
    /// Hash of the policy bundle that decided.
    pub bundle_hash: String,
    /// The account as the organization had it then, where policy was to see that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountFacts>,
    /// Targets in many accounts, each in this one, that were the same access then: a lock on one of them bears on this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub same_access: Vec<TargetName>,
    /// Who started the job that asks, as far as they were known then: none of them decides on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub started_by: Vec<PersonId>,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What is asked.
    pub body: Body,
    /// Its digest, as filed.
    pub digest: Digest,
    /// What held when it was asked.
    pub frozen: Frozen,
    /// Where it stands.
    pub state: RequestState,
    /// Whether policy approved it without a person.
    pub automatic: bool,
    /// When it was filed.
    pub filed_at: Timestamp,
    /// From which device.
    pub filed_from: DeviceId,
    /// A pending request dies at this instant.
    pub expires_at: Timestamp,
    /// When it left `pending`.
    pub closed_at: Option<Timestamp>,
    /// Version of the row; 1 when new.
    pub version: u64,
}

impl Request {
    /// Its id.
    pub fn id(&self) -> &RequestId {
        &self.body.id
    }

    /// From when until when it asks for access, as it was filed.
    pub fn spans(&self) -> (Timestamp, Timestamp) {
        let from = self.body.start.map_or(self.filed_at, |start| start.max(self.filed_at));
        (from, self.body.ends(from))
    }

    /// Whether the body is still the one that was filed.
    pub fn is_intact(&self) -> bool {
        self.body.digest() == self.digest
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::body;
    use super::super::target::KillSwitch;
    use super::*;

    /// As it was stored before bodies could name a kill switch or what they extend.
    const STORED: &str = r#"{"beneficiary":"usr_100000000000","binding":{"account":"111122223333","account_name":"prod","chain":false,"never":[],"partition":"aws","region":"us-east-1","road":"assume-role","role_arn":"arn:aws:iam::111122223333:role/admin","session_s":3600,"trace":"session"},"duration_s":3600,"id":"req_700000000000","only":[],"reason":"the queue is stuck","requester":"usr_100000000000","schema":"jit/request-body/1","start":null,"target":"prod-admin","ticket":null}"#;

    #[test]
    fn body_without_kill_switch_or_extension_keeps_its_digest() {
        let stored: Body = serde_json::from_str(STORED).unwrap();
        assert_eq!(stored, body(7));
        assert_eq!(String::from_utf8(stored.canonical_bytes()).unwrap(), STORED);
        assert_eq!(
            stored.digest().as_str(),
            "4f4fd43e131fb95f54a9ccef92424cb34bb97ed3d0b54c361e2ef961c51223db"
        );
    }

    #[test]
    fn kill_switch_is_part_of_what_is_approved() {
        let mut killable = body(7);
        killable.binding.role_mut().unwrap().kill = Some(KillSwitch {
            role_arn: "arn:aws:iam::111122223333:role/jit/jit-kill-switch".into(),
        });
        assert_ne!(killable.digest(), body(7).digest());
        let read: Body = serde_json::from_slice(&killable.canonical_bytes()).unwrap();
        assert_eq!(read, killable);
    }

    #[test]
    fn digest_covers_what_is_extended_and_its_end() {
        let plain = body(7);
        let extension = |grant, ends_ms| Body {
            extends: Some(Extends {
                grant: GrantId::from_bits(grant),
                ends_at: Timestamp::from_millis(ends_ms),
            }),
            ..plain.clone()
        };
        let digests = [
            plain.digest(),
            extension(1, 0).digest(),
            extension(2, 0).digest(),
            extension(1, 1).digest(),
        ];
        for (at, digest) in digests.iter().enumerate() {
            assert!(!digests[..at].contains(digest), "{at}");
        }
        let back: Body = serde_json::from_slice(&extension(1, 5).canonical_bytes()).unwrap();
        assert_eq!(back, extension(1, 5));
    }
}
