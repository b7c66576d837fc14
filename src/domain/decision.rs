//! An approver's yes or no, as a value.

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::id::{DeviceId, PersonId, RequestId};
use super::text::Comment;
use super::time::Timestamp;

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Yes.
    Approve,
    /// No: one is enough.
    Deny,
}

impl Verdict {
    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
        }
    }
}

/// A decision on a request. One person decides once on one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// On what.
    pub request: RequestId,
    /// By whom.
    pub by: PersonId,
    /// Yes or no.
    pub verdict: Verdict,
    /// Index of the stage it counts for.
    pub stage: usize,
    /// In their words.
    pub comment: Option<Comment>,
    /// Digest of the body that was shown.
    pub digest: Digest,
    /// From which device.
    pub device: DeviceId,
    /// When.
    pub at: Timestamp,
}
