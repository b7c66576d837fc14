//! Filing: what is asked, what became of it, and what would.

use serde::{Deserialize, Serialize};

use super::target::CenterView;
use super::view::{ExtendsView, PersonView, RequestView, StageView};
use crate::domain::time::Timestamp;

/// A request to file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewRequest {
    /// Name of the target.
    pub target: String,
    /// For how long, in seconds.
    #[cfg_attr(feature = "server", schema(minimum = 1))]
    pub duration_s: u32,
    /// Why.
    #[cfg_attr(
        feature = "server",
        schema(
            min_length = 1,
            max_length = 2000,
            pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]*$"
        )
    )]
    pub reason: String,
    /// `ACTION[@RESOURCE]` each; none means all that the role may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Key of the ticket behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "server",
        schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9#][A-Za-z0-9_#/.-]*$")
    )]
    pub ticket: Option<String>,
    /// For whom, by the name that this backend knows them by; for oneself where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "server",
        schema(min_length = 1, max_length = 255, pattern = "^[^\\u0000-\\u0020\\u007f-\\u00a0]*$")
    )]
    pub on_behalf_of: Option<String>,
    /// Not before; as soon as it is approved where absent. It is decided again then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>))]
    pub start: Option<Timestamp>,
    /// Whether it extends the live grant on the target: the duration then counts from that one's end, and whom it is
    /// for and what it is narrowed to are those of that grant.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub extend: bool,
}

/// What became of a request that was filed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was filed.
    Filed,
    /// The same was pending already: this is that one.
    Joined,
    /// A live grant lasts at least as long: this is the one behind it.
    Covered,
}

/// The answer to a filed request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Filed {
    /// What became of it.
    pub outcome: Outcome,
    /// The request.
    pub request: RequestView,
}

/// What filing would come to. Nothing was stored and nobody was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct DryRun {
    /// What would become of it.
    pub outcome: Outcome,
    /// Who asks.
    pub requester: PersonView,
    /// Who would get it.
    pub beneficiary: PersonView,
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
    /// For how long, in seconds.
    pub duration_s: u32,
    /// Not before; as soon as it is approved where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>))]
    pub start: Option<Timestamp>,
    /// What it would extend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<ExtendsView>,
    /// Longest duration on this target, in seconds, counted from the first activation.
    pub cap_s: u32,
    /// Longest life of one credential, in seconds; it is renewed until the end.
    pub session_s: u32,
    /// What it would be narrowed to.
    pub only: Vec<String>,
    /// Key of the ticket behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Ids of the policies that permit it; empty where it would be joined or covered.
    pub policies: Vec<String>,
    /// Whether policy would approve it without a person.
    pub automatic: bool,
    /// Who could approve each stage.
    pub stages: Vec<StageView>,
    /// A request that nobody decides dies after this, in seconds.
    pub expires_after_s: u32,
    /// Whether a session may assume further roles: the end is then not enforced beyond it.
    pub chain: bool,
    /// Identity Center, where it is a permission set there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_center: Option<CenterView>,
    /// The request that it would join, or the one behind the grant that covers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestView>,
}
