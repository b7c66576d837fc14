//! One change of an assignment as AWS has it: the call that begins it, and the call that looks at it.
//! Owns what goes into them and what comes out. Refuses to wait: that is who calls.

use aws_sdk_ssoadmin::types::{AccountAssignmentOperationStatus, PrincipalType, StatusValues, TargetType};

use super::IdentityCenter;
use super::errors::{Asked, Failure};
use super::governor::Caller;
use super::quota::Step;
use crate::domain::Assignment;
use crate::server::provider::ProviderError;
use crate::server::provider::aws_sdk::said;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// `CreateAccountAssignment`.
    Create,
    /// `DeleteAccountAssignment`.
    Delete,
}

/// What is changed, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct Membership<'a> {
    /// What and where.
    pub of: &'a Assignment,
    /// The user's id in the identity store.
    pub user: &'a str,
}

impl Membership<'_> {
    /// By which it is remembered.
    pub fn name(&self) -> String {
        self.of.membership(self.user)
    }

    /// In words.
    pub fn about(&self) -> String {
        let of = self.of;
        format!("permission set {} in account {}", of.permission_set, of.account)
    }
}

/// Where a change stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Not over.
    InProgress,
    /// Over.
    Ended(End),
}

/// How a change ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// AWS says that it is done.
    Done,
    /// AWS says that it failed, and why.
    Failed(String),
    /// AWS knows nothing of what it is about, or of the change itself.
    Unknown,
}

fn state_of(status: &AccountAssignmentOperationStatus) -> State {
    match status.status() {
        Some(StatusValues::Succeeded) => State::Ended(End::Done),
        Some(StatusValues::Failed) => State::Ended(End::Failed(said(status.failure_reason()))),
        // and whatever AWS may call it one day: the next look tells more
        Some(_) | None => State::InProgress,
    }
}

impl IdentityCenter {
    /// One call: the id of what began, and where it stands.
    pub(super) async fn begin(
        &self,
        caller: &Caller,
        one: Membership<'_>,
        change: Change,
    ) -> Result<(String, State), Failure> {
        let admin = self.clients.of(&caller.region).await.admin;
        let (of, about) = (one.of, one.about());
        let status = match change {
            Change::Create => {
                let call = admin
                    .create_account_assignment()
                    .instance_arn(&of.instance.arn)
                    .permission_set_arn(&of.permission_set_arn)
                    .target_type(TargetType::AwsAccount)
                    .target_id(&of.account)
                    .principal_type(PrincipalType::User)
                    .principal_id(one.user);
                let asked = Asked {
                    action: "sso:CreateAccountAssignment",
                    about: &about,
                };
                let answer = caller.call(&self.admin, Step::Begin, &asked, || call.clone().send());
                answer.await?.account_assignment_creation_status
            }
            Change::Delete => {
                let call = admin
                    .delete_account_assignment()
                    .instance_arn(&of.instance.arn)
                    .permission_set_arn(&of.permission_set_arn)
                    .target_type(TargetType::AwsAccount)
                    .target_id(&of.account)
                    .principal_type(PrincipalType::User)
                    .principal_id(one.user);
                let asked = Asked {
                    action: "sso:DeleteAccountAssignment",
                    about: &about,
                };
                let answer = caller.call(&self.admin, Step::Begin, &asked, || call.clone().send());
                answer.await?.account_assignment_deletion_status
            }
        };
        let id = |status: &AccountAssignmentOperationStatus| status.request_id().map(str::to_owned);
        match status.as_ref().and_then(|status| Some((id(status)?, state_of(status)))) {
            Some(begun) => Ok(begun),
            None => {
                let half =
                    format!("Identity Center accepted a change to {about} without saying which; it is tried again");
                Err(ProviderError::Unreachable(half).into())
            }
        }
    }

    /// Where a change stands.
    pub(super) async fn look(
        &self,
        caller: &Caller,
        one: Membership<'_>,
        change: Change,
        request_id: &str,
    ) -> Result<State, Failure> {
        let admin = self.clients.of(&caller.region).await.admin;
        let (instance, about) = (&one.of.instance.arn, one.about());
        let status = match change {
            Change::Create => {
                let call = admin
                    .describe_account_assignment_creation_status()
                    .instance_arn(instance)
                    .account_assignment_creation_request_id(request_id);
                let asked = Asked {
                    action: "sso:DescribeAccountAssignmentCreationStatus",
                    about: &about,
                };
                let answer = caller.call(&self.admin, Step::GoOn, &asked, || call.clone().send());
                answer.await?.account_assignment_creation_status
            }
            Change::Delete => {
                let call = admin
                    .describe_account_assignment_deletion_status()
                    .instance_arn(instance)
                    .account_assignment_deletion_request_id(request_id);
                let asked = Asked {
                    action: "sso:DescribeAccountAssignmentDeletionStatus",
                    about: &about,
                };
                let answer = caller.call(&self.admin, Step::GoOn, &asked, || call.clone().send());
                answer.await?.account_assignment_deletion_status
            }
        };
        Ok(status.as_ref().map_or(State::InProgress, state_of))
    }
}
