//! What a target resolves to: the binding that is frozen into a request and shown to approvers.
//! Refuses to read catalogues (policy does) and to call anybody.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::assignment::Assignment;
use super::time::Duration;

/// An AWS partition: ARNs, regions and endpoints never cross it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Partition {
    /// Commercial regions.
    Aws,
    /// GovCloud (US).
    AwsUsGov,
    /// China.
    AwsCn,
    /// European Sovereign Cloud.
    AwsEusc,
}

impl Partition {
    /// As it stands in an ARN.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsCn => "aws-cn",
            Self::AwsEusc => "aws-eusc",
        }
    }

    /// The region whose STS is called when the catalogue names none.
    pub const fn default_region(self) -> &'static str {
        match self {
            Self::Aws => "us-east-1",
            Self::AwsUsGov => "us-gov-west-1",
            Self::AwsCn => "cn-north-1",
            Self::AwsEusc => "eusc-de-east-1",
        }
    }

    /// Whether `region` lies in this partition.
    pub fn has_region(self, region: &str) -> bool {
        match self {
            Self::AwsUsGov => region.starts_with("us-gov-"),
            Self::AwsCn => region.starts_with("cn-"),
            Self::AwsEusc => region.starts_with("eusc-"),
            Self::Aws => !["us-gov-", "cn-", "eusc-", "us-iso"]
                .iter()
                .any(|p| region.starts_with(p)),
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a grant becomes credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Road {
    /// The backend calls STS `AssumeRole` with its own identity.
    AssumeRole,
    /// The backend calls STS `AssumeRoleWithWebIdentity` with a token that it signs itself: it holds no AWS key.
    WebIdentity,
}

/// Whether tag and source identity travel on to roles that a chaining session assumes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trace {
    /// Tag and source identity travel on.
    Transitive,
    /// Tag and source identity stand on this session.
    #[default]
    Session,
    /// Neither is set.
    Off,
}

/// How sessions that live on are shut out when a grant ends early: a role in their account denies them everything by an
/// inline policy on the target's role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KillSwitch {
    /// The whole ARN of the role that writes that policy.
    pub role_arn: String,
}

/// A role whose sessions STS gives out. Part of the request's body: whoever approves, approves this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleBinding {
    /// The partition of account and role.
    pub partition: Partition,
    /// The account's 12 digits.
    pub account: String,
    /// The account's name in the catalogue.
    pub account_name: String,
    /// The whole ARN of the role.
    pub role_arn: String,
    /// The region whose STS is called.
    pub region: String,
    /// How credentials come about.
    pub road: Road,
    /// Longest life of one credential; the grant renews it until its end.
    #[serde(rename = "session_s")]
    pub session: Duration,
    /// Whether the session may assume further roles. The end is then not enforced beyond it.
    pub chain: bool,
    /// What travels on when it does.
    pub trace: Trace,
    /// Actions denied to every session of this target.
    pub never: Vec<String>,
    /// How its sessions are shut out early; none where they live on until they expire. Left out of the body where there
    /// is none, so that what was approved before there were kill switches keeps its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kill: Option<KillSwitch>,
}

/// What a target resolves to. Part of the request's body: whoever approves, approves this. Told apart by its road.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Binding {
    /// A role; access is a session of it.
    Role(RoleBinding),
    /// A permission set in an account; access is its assignment.
    Assignment(Assignment),
}

impl Binding {
    /// The partition of the account.
    pub const fn partition(&self) -> Partition {
        match self {
            Self::Role(role) => role.partition,
            Self::Assignment(assignment) => assignment.partition,
        }
    }

    /// The account's 12 digits.
    pub fn account(&self) -> &str {
        match self {
            Self::Role(role) => &role.account,
            Self::Assignment(assignment) => &assignment.account,
        }
    }

    /// The account's name in the catalogue.
    pub fn account_name(&self) -> &str {
        match self {
            Self::Role(role) => &role.account_name,
            Self::Assignment(assignment) => &assignment.account_name,
        }
    }

    /// The whole ARN of the role or permission set.
    pub fn arn(&self) -> &str {
        match self {
            Self::Role(role) => &role.role_arn,
            Self::Assignment(assignment) => &assignment.permission_set_arn,
        }
    }

    /// The name of the role or permission set.
    pub fn role_name(&self) -> &str {
        match self {
            Self::Role(role) => role.role_arn.rsplit('/').next().unwrap_or(&role.role_arn),
            Self::Assignment(assignment) => &assignment.permission_set,
        }
    }

    /// The longest life of one credential.
    pub const fn session(&self) -> Duration {
        match self {
            Self::Role(role) => role.session,
            Self::Assignment(assignment) => assignment.session,
        }
    }

    /// Whether a session may assume further roles: what it makes of them outlives the grant.
    pub const fn chain(&self) -> bool {
        match self {
            Self::Role(role) => role.chain,
            // its sessions carry no policy of ours, so nothing keeps them from it
            Self::Assignment(_) => true,
        }
    }

    /// How its sessions are shut out early, where they can be.
    pub const fn kill(&self) -> Option<&KillSwitch> {
        match self {
            Self::Role(role) => role.kill.as_ref(),
            Self::Assignment(_) => None,
        }
    }

    /// The role, where access is a session of one.
    pub const fn role(&self) -> Option<&RoleBinding> {
        match self {
            Self::Role(role) => Some(role),
            Self::Assignment(_) => None,
        }
    }

    /// The role, where access is a session of one, to be changed.
    pub const fn role_mut(&mut self) -> Option<&mut RoleBinding> {
        match self {
            Self::Role(role) => Some(role),
            Self::Assignment(_) => None,
        }
    }

    /// The assignment, where access is one.
    pub const fn assignment(&self) -> Option<&Assignment> {
        match self {
            Self::Role(_) => None,
            Self::Assignment(assignment) => Some(assignment),
        }
    }
}
