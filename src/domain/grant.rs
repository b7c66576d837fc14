//! A grant: access that is being given, is active, or is being taken away.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::id::{GrantId, PersonId, RequestId};
use super::request::Body;
use super::text::{Narrowing, TargetName};
use super::time::Timestamp;

/// Where a grant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrantState {
    /// Approved; nothing was called yet.
    Scheduled,
    /// Its end is durable; the provider is being asked.
    Granting,
    /// A check against the system passed.
    Active,
    /// Being taken away.
    Revoking,
    /// Over.
    Ended,
    /// The provider refused; nothing is there.
    Failed,
}

impl GrantState {
    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Granting => "granting",
            Self::Active => "active",
            Self::Revoking => "revoking",
            Self::Ended => "ended",
            Self::Failed => "failed",
        }
    }

    /// Whether access may exist or still come.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Scheduled | Self::Granting | Self::Active | Self::Revoking => true,
            Self::Ended | Self::Failed => false,
        }
    }
}

impl fmt::Display for GrantState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a grant ended or is ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndCause {
    /// Its time was over, or it was not activated in time.
    Expired,
    /// The beneficiary gave it back.
    Dropped,
    /// Somebody else took it.
    Revoked,
    /// Policy refused when it was asked again at activation.
    Refused,
    /// The target resolves otherwise than what was approved.
    Changed,
    /// The provider refused.
    Failed,
    /// Somebody else took it away, outside.
    Gone,
}

impl EndCause {
    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Dropped => "dropped",
            Self::Revoked => "revoked",
            Self::Refused => "refused",
            Self::Changed => "changed",
            Self::Failed => "failed",
            Self::Gone => "gone",
        }
    }
}

/// How far the sessions of a grant are shut out before they end by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KillState {
    /// They are to be; the role's policy is still to be written.
    Killing,
    /// The provider has taken the policy that shuts them out.
    Killed,
    /// Their last credential is dead; the policy is still to be written without them.
    Lifting,
    /// Nothing names them any more.
    Lifted,
}

impl KillState {
    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Killing => "killing",
            Self::Killed => "killed",
            Self::Lifting => "lifting",
            Self::Lifted => "lifted",
        }
    }

    /// Whether the role's policy is to shut them out.
    pub const fn is_wanted(self) -> bool {
        match self {
            Self::Killing | Self::Killed => true,
            Self::Lifting | Self::Lifted => false,
        }
    }

    /// Whether the role's policy has still to be written for it.
    pub const fn is_under_way(self) -> bool {
        match self {
            Self::Killing | Self::Lifting => true,
            Self::Killed | Self::Lifted => false,
        }
    }
}

/// The sessions of a grant that ended early, while credentials of it still worked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kill {
    /// ARN of the role that they are sessions of.
    pub role_arn: String,
    /// Since when they are to be shut out.
    pub since: Timestamp,
    /// When the last of them is over by itself.
    pub until: Timestamp,
    /// How far that is.
    pub state: KillState,
}

/// Sessions that are to be shut out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Killed {
    /// The request that they carry in their tag.
    pub request: RequestId,
    /// Since when.
    pub since: Timestamp,
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// The request behind it.
    pub request: RequestId,
    /// Who has it.
    pub beneficiary: PersonId,
    /// On what.
    pub target: TargetName,
    /// What it is narrowed to.
    pub only: Vec<Narrowing>,
    /// Where it stands.
    pub state: GrantState,
    /// When it was approved.
    pub created_at: Timestamp,
    /// Not activated before.
    pub starts_at: Timestamp,
    /// Not activated after.
    pub activate_by: Timestamp,
    /// When it entered `granting`.
    pub activated_at: Option<Timestamp>,
    /// First activation of the unbroken row of grants that this one continues; caps count from here.
    pub anchor_at: Option<Timestamp>,
    /// When access ends. Fixed on entering `granting`, before the first outside call.
    pub ends_at: Option<Timestamp>,
    /// The latest instant at which a credential minted so far works. Raised before each mint.
    pub last_credential_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it ended or is ending.
    pub cause: Option<EndCause>,
    /// The cause in words, for people.
    pub detail: Option<String>,
    /// Who took or gave it back.
    pub ended_by: Option<PersonId>,
    /// Its sessions, where they are shut out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kill: Option<Kill>,
    /// Version of the row; 1 when new.
    pub version: u64,
}

impl Grant {
    /// Whether whose it is, on what and narrowed to what are those of `body`.
    pub fn is_of(&self, body: &Body) -> bool {
        self.beneficiary == body.beneficiary && self.target == body.target && self.only == body.only
    }

    /// Whether credentials may be had at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.state == GrantState::Active && self.ends_at.is_some_and(|end| now < end)
    }

    /// Whether it is live, or about to be.
    pub fn is_live_or_coming(&self, now: Timestamp) -> bool {
        match self.state {
            GrantState::Scheduled => now <= self.activate_by,
            GrantState::Granting | GrantState::Active => self.ends_at.is_some_and(|end| now < end),
            GrantState::Revoking | GrantState::Ended | GrantState::Failed => false,
        }
    }
}
