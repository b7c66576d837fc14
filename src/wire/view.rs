//! Bodies that are asked with and answered with.

use serde::{Deserialize, Serialize};

use super::admin::NewDevice;
use super::lock::LockView;
use crate::domain::called::{called, readable};
use crate::domain::time::Timestamp;

/// A person as others see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct PersonView {
    /// Stable id.
    pub id: String,
    /// For display: what they, or their identity provider, chose.
    pub name: String,
    /// Who vouches for them, where that is not the only one who could: the name of an identity provider, or `local`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Whether others of the same are shown by the same name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub namesakes: bool,
}

impl PersonView {
    /// As they stand in a sentence: `carol`, `carol (partners)`, `"Carol Danvers" (partners)`; with the id where others
    /// are called so.
    pub fn called(&self) -> String {
        let name = readable(&self.name).unwrap_or_else(|| self.id.clone());
        let of = match (self.of.as_deref(), self.namesakes) {
            (of, false) => of.map(str::to_owned),
            (None, true) => Some(self.id.clone()),
            (Some(of), true) => Some(format!("{of}, {}", self.id)),
        };
        called(&name, of.as_deref())
    }
}

/// A workload as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct WorkloadView {
    /// The name that it is enrolled under.
    pub name: String,
    /// Who made its token.
    pub issuer: String,
    /// Who started it, in words; absent where nobody did: a machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_by: Option<String>,
}

/// The grant that a request extends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct ExtendsView {
    /// Its id.
    pub grant: String,
    /// When it ends: the duration counts from here.
    #[cfg_attr(feature = "server", schema(value_type = String))]
    pub ends_at: Timestamp,
}

/// A stage of a workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct StageView {
    /// Its name.
    pub name: String,
    /// Groups whose members may decide.
    pub groups: Vec<String>,
    /// Those members as they are called, without who asks.
    pub approvers: Vec<String>,
    /// How many approvals it takes.
    pub approvals: u32,
    /// How many are still missing.
    pub missing: u32,
    /// Whether it can be decided now.
    pub open: bool,
}

/// A decision on a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct DecisionView {
    /// By whom.
    pub by: PersonView,
    /// `approve` or `deny`.
    pub verdict: String,
    /// Name of the stage.
    pub stage: String,
    /// In their words.
    pub comment: Option<String>,
    /// When.
    #[cfg_attr(feature = "server", schema(value_type = String))]
    pub at: Timestamp,
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct GrantView {
    /// Its id.
    pub id: String,
    /// The request behind it.
    pub request: String,
    /// On what.
    pub target: String,
    /// Who has it.
    pub beneficiary: PersonView,
    /// `scheduled`, `granting`, `active`, `revoking`, `ended` or `failed`.
    pub state: String,
    /// What it is narrowed to.
    pub only: Vec<String>,
    /// When it became active.
    #[cfg_attr(feature = "server", schema(value_type = Option<String>))]
    pub activated_at: Option<Timestamp>,
    /// Since when what it gives is there, where that can be taken and given anew while it is active: an assignment of Identity
    /// Center, which takes some time to count each time that it is given.
    #[serde(default)]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>))]
    pub given_at: Option<Timestamp>,
    /// When access ends.
    #[cfg_attr(feature = "server", schema(value_type = Option<String>))]
    pub ends_at: Option<Timestamp>,
    /// The latest instant at which a credential minted so far works. In Identity Center, which mints without us: the
    /// latest at which one could.
    #[cfg_attr(feature = "server", schema(value_type = Option<String>))]
    pub last_credential_at: Option<Timestamp>,
    /// Whether the beneficiary had the access before jit gave it: it remains after the end, and no last credential can be
    /// named.
    #[serde(default)]
    pub pre_existing: bool,
    /// Whether that is so because a group that they are in has it.
    #[serde(default)]
    pub through_group: bool,
    /// Whether another grant holds the same access of the same person: it goes on after this one, by its rules.
    #[serde(default)]
    pub also_held: bool,
    /// Whether credentials are renewed until the end.
    pub renews: bool,
    /// When it ended.
    #[cfg_attr(feature = "server", schema(value_type = Option<String>))]
    pub ended_at: Option<Timestamp>,
    /// Why it ended or is ending.
    pub cause: Option<String>,
    /// That in words.
    pub detail: Option<String>,
    /// Attempts so far of what is being done to it, 0 where nothing is.
    pub attempts: u32,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it is tried again.
    #[cfg_attr(feature = "server", schema(value_type = Option<String>))]
    pub next_attempt_at: Option<Timestamp>,
    /// Whether the end is enforced beyond this session: false where the target may chain.
    pub end_is_enforced: bool,
    /// Whether an early end shuts its sessions out at once.
    #[serde(default)]
    pub kill_switch: bool,
    /// After an early end with a kill switch: `killing` until its sessions are shut out, then `killed`, and `lifting` and
    /// `lifted` once the last of them is over by itself.
    #[serde(default)]
    pub sessions: Option<String>,
    /// Sessions of the same role that were issued before this instant are shut out with those of others: its kill switch
    /// was full.
    #[serde(default)]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>))]
    pub shut_out_before: Option<Timestamp>,
}

/// A grant that was ended, and what else its beneficiary had on its target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct EndedGrant {
    /// The grant.
    #[serde(flatten)]
    pub grant: GrantView,
    /// Their other grants on the target that are over as well, while a credential of theirs may still work.
    #[serde(default)]
    pub beside: Vec<GrantView>,
    /// Whether they hold the target still, by a grant that was left.
    #[serde(default)]
    pub still_held: bool,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct RequestView {
    /// Its id.
    pub id: String,
    /// Changes whenever anything below does; also the `ETag`.
    pub version: String,
    /// SHA-256 of the canonical body: what a decision binds itself to.
    pub digest: String,
    /// The canonical body itself (RFC 8785), so that whoever decides can check the digest and read what it stands for.
    pub body: String,
    /// `pending`, `approved`, `denied`, `cancelled` or `expired`.
    pub state: String,
    /// Who asked.
    pub requester: PersonView,
    /// Who gets it.
    pub beneficiary: PersonView,
    /// Which workload asks, where it is no person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<WorkloadView>,
    /// Name of the target.
    pub target: String,
    /// What the target is, in words.
    pub title: String,
    /// Name of the account.
    pub account_name: String,
    /// Id of the account.
    pub account: String,
    /// The role's ARN.
    pub role_arn: String,
    /// For how long, in seconds: from activation, or from the end of what it extends.
    pub duration_s: u32,
    /// Not before; as soon as it is approved where absent. It is decided again then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>))]
    pub start: Option<Timestamp>,
    /// What it extends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<ExtendsView>,
    /// Why.
    pub reason: String,
    /// Key of the ticket behind it. Nobody has looked it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// What it is narrowed to.
    pub only: Vec<String>,
    /// Whether policy approved it without a person.
    pub automatic: bool,
    /// When it was filed.
    #[cfg_attr(feature = "server", schema(value_type = String))]
    pub filed_at: Timestamp,
    /// A pending request dies then.
    #[cfg_attr(feature = "server", schema(value_type = String))]
    pub expires_at: Timestamp,
    /// Stages, with what is missing.
    pub stages: Vec<StageView>,
    /// Decisions, oldest first.
    pub decisions: Vec<DecisionView>,
    /// The grant, once approved.
    pub grant: Option<GrantView>,
    /// What the beneficiary had on this target in the 30 days before.
    pub before: Before,
    /// Whether a session may assume further roles: the end is then not enforced beyond it.
    pub chain: bool,
    /// Whether an early end shuts its sessions out at once.
    #[serde(default)]
    pub kill_switch: bool,
}

/// What the beneficiary had on the target in the 30 days before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Before {
    /// How many grants.
    pub grants: u32,
    /// When the last one began.
    #[cfg_attr(feature = "server", schema(value_type = Option<String>))]
    pub last_at: Option<Timestamp>,
    /// How long that one lasted, in seconds.
    pub last_duration_s: Option<u32>,
    /// How many of them were given back early.
    pub dropped_early: u32,
}

/// One's requests and grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct RequestList {
    /// Newest first.
    pub requests: Vec<RequestView>,
    /// Ask with this for the next page.
    pub next: Option<String>,
    /// Locks that stand, as far as one may see them.
    #[serde(default)]
    pub locks: Vec<LockView>,
    /// Devices that were enrolled for oneself after this one, lately.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new_devices: Vec<NewDevice>,
}

/// Live grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct GrantList {
    /// Those that end last come first.
    pub grants: Vec<GrantView>,
}

/// A decision to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewDecision {
    /// `approve` or `deny`; a "no" needs a comment.
    #[cfg_attr(feature = "server", schema(pattern = "^(approve|deny)$"))]
    pub verdict: String,
    /// Digest of the body that was shown.
    #[cfg_attr(feature = "server", schema(pattern = "^[0-9a-f]{64}$"))]
    pub digest: String,
    /// In one's own words; a "no" needs some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "server",
        schema(
            min_length = 1,
            max_length = 2000,
            pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]*$"
        )
    )]
    pub comment: Option<String>,
}

/// How to end a grant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EndGrant {
    /// Needed for somebody else's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "server",
        schema(
            min_length = 1,
            max_length = 2000,
            pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]*$"
        )
    )]
    pub reason: Option<String>,
}
