//! What a target resolves to: the binding that is frozen into a request and shown to approvers.
//! Refuses to read catalogues (policy does) and to call anybody.

use std::fmt;

use serde::{Deserialize, Serialize};

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

/// What a target resolves to. Part of the request's body: whoever approves, approves this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
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
