//! A permission set of Identity Center in an account: what a target on the road `identity-center` resolves to.
//! Owns what is bound and approved. Refuses to know how Identity Center is called.

use serde::{Deserialize, Serialize};

use super::accounts::Chosen;
use super::target::Partition;
use super::time::Duration;

/// The one road on which access is an assignment in Identity Center.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssignmentRoad {
    /// The backend assigns; the client signs in to Identity Center and fetches its credentials there.
    #[default]
    IdentityCenter,
}

/// By what a person is found in the identity store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FoundBy {
    /// The user name, which is unique.
    UserName,
    /// An e-mail address, which several users may have.
    EMail,
}

/// The instance of Identity Center that a permission set belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// ARN of the instance: `arn:aws:sso:::instance/ssoins-…`.
    pub arn: String,
    /// Id of its identity store: `d-…`.
    pub identity_store: String,
    /// The region that it is in: both its own calls and the portal's go there.
    pub region: String,
    /// Where people sign in: `https://….awsapps.com/start`.
    pub start_url: String,
    /// By what a person is found there.
    pub found_by: FoundBy,
    /// What is looked for: `{name}` and `{subject}` stand for the person's.
    pub pattern: String,
    /// Whose people are found there: `local`, or an issuer. Anybody else's name might be somebody's there.
    #[serde(default = "local", skip_serializing_if = "is_local")]
    pub people: String,
}

/// The issuer of people that the backend knows by itself.
const LOCAL: &str = "local";

fn local() -> String {
    LOCAL.to_owned()
}

fn is_local(people: &str) -> bool {
    people == LOCAL
}

/// A permission set in an account. Part of the request's body: whoever approves, approves this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// How credentials come about.
    pub road: AssignmentRoad,
    /// The partition of the account.
    pub partition: Partition,
    /// The account's 12 digits.
    pub account: String,
    /// The account's name in the catalogue.
    pub account_name: String,
    /// The instance.
    pub instance: Instance,
    /// ARN of the permission set: `arn:aws:sso:::permissionSet/ssoins-…/ps-…`.
    pub permission_set_arn: String,
    /// Its name, which is also the role's name for the portal.
    pub permission_set: String,
    /// How long a session of it lives: one that was begun in the grant's last second goes on for that long.
    #[serde(rename = "session_s")]
    pub session: Duration,
    /// How the account was found, where the target names many. Left out of the body where it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<Chosen>,
}

impl Assignment {
    /// Whether this is the same access as `other`: all of it but the account's name, which whoever runs the account may
    /// change.
    pub fn is_same(&self, other: &Self) -> bool {
        let unnamed = |one: &Self| Self {
            account_name: String::new(),
            ..one.clone()
        };
        unnamed(self) == unnamed(other)
    }

    /// What two grants share when both hold it: the membership's name, of `user` in the identity store.
    pub fn membership(&self, user: &str) -> String {
        format!("{}{user}", self.memberships())
    }

    /// What the names of all of them begin with. By itself it is the name of a membership of nobody.
    pub fn memberships(&self) -> String {
        format!("{}/{}/", self.permission_set_arn, self.account)
    }
}
