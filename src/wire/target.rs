//! What one may ask for, and where it lies.

use serde::{Deserialize, Serialize};

use super::lock::LockView;
use super::view::StageView;
use crate::domain::target::{Binding, Partition};
use crate::domain::time::Timestamp;

/// What one may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct TargetView {
    /// Its name.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Other names.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Its environment.
    pub environment: String,
    /// 0 to 3.
    pub risk: u8,
    /// Longest duration, in seconds.
    pub max_duration_s: u32,
    /// Duration where none is given, in seconds.
    pub default_duration_s: u32,
    /// Kind of provider: `aws`.
    pub provider: String,
    /// Name of the account.
    pub account_name: String,
    /// Id of the account.
    pub account: String,
    /// The role's ARN.
    pub role_arn: String,
    /// Whether policy would approve it without a person, for the default duration.
    pub automatic: bool,
    /// Who could approve each stage.
    pub stages: Vec<StageView>,
    /// Whether a session may assume further roles.
    pub chain: bool,
    /// Whether an early end shuts its sessions out at once.
    #[serde(default)]
    pub kill_switch: bool,
    /// The accounts of which one is asked for, where the target is in many: `account` is empty then, and `account_name`
    /// their name in the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<AccountsView>,
    /// Identity Center, where it is a permission set there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_center: Option<CenterView>,
}

/// The accounts of a target in many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct AccountsView {
    /// By what they are chosen: `ou-ab12-11111111`, or `tag team=payments`.
    pub chosen_by: String,
    /// When they were listed; absent where they are not. Whether an account is one of them is looked at again whenever it is
    /// asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>))]
    pub listed_at: Option<Timestamp>,
    /// Why they are not listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// How many fit what was asked for.
    pub count: u32,
    /// The first 200 of them, by id.
    pub members: Vec<AccountView>,
}

/// An account of a target in many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct AccountView {
    /// What to ask for: by the account's name where only one has it, else by its id.
    pub target: String,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Where credentials of a permission set come from: whoever gets them signs in there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct CenterView {
    /// Where people sign in: `https://….awsapps.com/start`.
    pub start_url: String,
    /// The region of the instance.
    pub region: String,
    /// The partition of both.
    #[cfg_attr(feature = "server", schema(value_type = String))]
    pub partition: Partition,
    /// How long a session lives, in seconds: one that is begun in the grant's last second goes on for that long.
    pub session_s: u32,
}

impl CenterView {
    /// Of what `binding` resolves to, where it is a permission set.
    pub fn of(binding: &Binding) -> Option<Self> {
        let assignment = binding.assignment()?;
        Some(Self {
            start_url: assignment.instance.start_url.clone(),
            region: assignment.instance.region.clone(),
            partition: assignment.partition,
            session_s: assignment.session.secs(),
        })
    }
}

/// A list of targets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct TargetList {
    /// Sorted by name.
    pub targets: Vec<TargetView>,
    /// Locks that stand, as far as one may see them.
    #[serde(default)]
    pub locks: Vec<LockView>,
}
