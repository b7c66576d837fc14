//! What Identity Center lists: who is assigned, and what is being created.
//! Owns paging and the sharing of one walk between those who wait for it. Refuses to take a list that it could not read
//! to its end for the whole of it, and a set that is not found for an empty list before the instance itself was seen.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ssoadmin::types::{OperationStatusFilter, PrincipalType, StatusValues};

use super::IdentityCenter;
use super::errors::{Asked, Failure};
use super::governor::Caller;
use super::quota::{Step, Urgency};
use super::shared::Boarding;
use crate::domain::Instance;
use crate::server::provider::ProviderError;

/// The most entries of a page.
const PAGE: i32 = 100;

/// How long a list waits for company.
const GATHERING: Duration = Duration::from_secs(1);

/// Whose assignments are listed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Listed {
    urgency: Urgency,
    region: String,
    instance: String,
    permission_set: String,
    account: String,
}

/// Who has a permission set in an account.
#[derive(Debug, Default)]
pub struct Assigned {
    /// Of their own.
    pub users: Vec<String>,
    /// And with them who is in one of these.
    pub groups: Vec<String>,
}

/// Whose creations are listed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Creating {
    urgency: Urgency,
    region: String,
    instance: String,
}

/// An assignment that is being created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    /// By which its end is asked for.
    pub request_id: String,
    /// Of what.
    pub permission_set: String,
    /// Where.
    pub account: String,
    /// For whom.
    pub user: String,
}

impl IdentityCenter {
    /// Who has `permission_set` in `account`.
    pub(super) async fn list(
        &self,
        caller: &Caller,
        instance: &Instance,
        permission_set: &str,
        account: &str,
    ) -> Result<Arc<Assigned>, Failure> {
        let key = Listed {
            urgency: caller.urgency,
            region: instance.region.clone(),
            instance: instance.arn.clone(),
            permission_set: permission_set.to_owned(),
            account: account.to_owned(),
        };
        let about = format!("permission set {permission_set} in account {account}");
        let asked = Asked {
            action: "sso:ListAccountAssignments",
            about: &about,
        };
        let admin = self.clients.of(&instance.region).await.admin;
        let call = admin
            .list_account_assignments()
            .instance_arn(&key.instance)
            .permission_set_arn(&key.permission_set)
            .account_id(&key.account)
            .max_results(PAGE);
        let read = |boarding: Boarding<_, _>| {
            let (call, asked) = (&call, &asked);
            async move {
                self.gather(caller).await;
                let (mut listed, mut token) = (Assigned::default(), None);
                loop {
                    let call = call.clone().set_next_token(token.clone());
                    let send = || {
                        boarding.close();
                        call.clone().send()
                    };
                    let page = caller.call(&self.admin, Step::GoOn, asked, send).await?;
                    for one in page.account_assignments() {
                        let id = one.principal_id().map(str::to_owned);
                        match one.principal_type() {
                            Some(PrincipalType::User) => listed.users.extend(id),
                            Some(PrincipalType::Group) => listed.groups.extend(id),
                            // and whatever AWS may add one day
                            Some(_) | None => {}
                        }
                    }
                    token = next(asked, token, page.next_token())?;
                    if token.is_none() {
                        return Ok(Arc::new(listed));
                    }
                }
            }
        };
        let walked = self.lists.ask(&key, caller.until, read);
        match walked.await {
            // a set that has gone takes its assignments with it
            Err(Failure::Missing(_)) => {
                self.require_instance(caller, instance).await?;
                Ok(Arc::default())
            }
            answer => answer,
        }
    }

    /// What is being created in `instance`, by whomever.
    pub(super) async fn creations(&self, caller: &Caller, instance: &Instance) -> Result<Arc<Vec<Creation>>, Failure> {
        let key = Creating {
            urgency: caller.urgency,
            region: instance.region.clone(),
            instance: instance.arn.clone(),
        };
        let asked = Asked {
            action: "sso:ListAccountAssignmentCreationStatus",
            about: &instance.arn,
        };
        let admin = self.clients.of(&instance.region).await.admin;
        let call = admin
            .list_account_assignment_creation_status()
            .instance_arn(&instance.arn)
            .filter(
                OperationStatusFilter::builder()
                    .status(StatusValues::InProgress)
                    .build(),
            )
            .max_results(PAGE);
        let read = |boarding: Boarding<_, _>| {
            let (call, asked) = (&call, &asked);
            async move {
                self.gather(caller).await;
                let (mut creations, mut token) = (Vec::new(), None);
                loop {
                    let call = call.clone().set_next_token(token.clone());
                    let send = || {
                        boarding.close();
                        call.clone().send()
                    };
                    let page = caller.call(&self.admin, Step::GoOn, asked, send).await?;
                    for one in page.account_assignments_creation_status() {
                        let in_progress = one.status() == Some(&StatusValues::InProgress);
                        if let Some(id) = one.request_id().filter(|_| in_progress) {
                            creations.extend(self.creation(caller, instance, id.to_owned()).await?);
                        }
                    }
                    token = next(asked, token, page.next_token())?;
                    if token.is_none() {
                        return Ok(Arc::new(creations));
                    }
                }
            }
        };
        self.creating.ask(&key, caller.until, read).await
    }

    /// Where calls wait for their turn, a list waits for more who want to see it: of ten thousand deletions each then
    /// costs two calls, not four.
    async fn gather(&self, caller: &Caller) {
        if self.admin.is_busy() {
            // where that is too long, it is read at once
            let _ = caller.pause(GATHERING, "").await;
        }
    }

    /// What the list leaves out of a creation: what it creates. Nothing where it is over by now.
    async fn creation(
        &self,
        caller: &Caller,
        instance: &Instance,
        request_id: String,
    ) -> Result<Option<Creation>, Failure> {
        let asked = Asked {
            action: "sso:DescribeAccountAssignmentCreationStatus",
            about: &instance.arn,
        };
        let admin = self.clients.of(&instance.region).await.admin;
        let call = admin
            .describe_account_assignment_creation_status()
            .instance_arn(&instance.arn)
            .account_assignment_creation_request_id(&request_id);
        let answer = caller
            .call(&self.admin, Step::GoOn, &asked, || call.clone().send())
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(Failure::Missing(_)) => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let status = answer.account_assignment_creation_status();
        let in_progress = status.filter(|status| status.status() == Some(&StatusValues::InProgress));
        Ok(in_progress.map(|status| Creation {
            request_id,
            permission_set: status.permission_set_arn().unwrap_or_default().to_owned(),
            account: status.target_id().unwrap_or_default().to_owned(),
            user: status.principal_id().unwrap_or_default().to_owned(),
        }))
    }

    /// The instance is in the region that the catalogue says: only then does "not found" say something of what is in it.
    pub(super) async fn require_instance(&self, caller: &Caller, instance: &Instance) -> Result<(), ProviderError> {
        let asked = Asked {
            action: "sso:ListInstances",
            about: &instance.arn,
        };
        let admin = self.clients.of(&instance.region).await.admin;
        let mut token = None;
        loop {
            let call = admin.list_instances().set_next_token(token.clone());
            let page = caller
                .call(&self.admin, Step::GoOn, &asked, || call.clone().send())
                .await?;
            let found = page
                .instances()
                .iter()
                .find(|one| one.instance_arn() == Some(&instance.arn));
            if let Some(found) = found {
                let store = found.identity_store_id().unwrap_or_default();
                return if store == instance.identity_store {
                    Ok(())
                } else {
                    Err(ProviderError::Refused(format!(
                        "the identity store of {} is {}, not {}; correct `identity_store` in the catalogue",
                        instance.arn,
                        crate::domain::text::shown(store),
                        instance.identity_store
                    )))
                };
            }
            token = next(&asked, token, page.next_token())?;
            if token.is_none() {
                return Err(ProviderError::Refused(format!(
                    "Identity Center in {} has no instance {}; correct `region` or the instance in the catalogue: \
                     aws sso-admin list-instances --region {}",
                    instance.region, instance.arn, instance.region
                )));
            }
        }
    }
}

/// The token of the next page; none after the last.
///
/// # Errors
/// [`ProviderError::Unreachable`] where it is that of this page again: the list would never end.
pub fn next(asked: &Asked<'_>, last: Option<String>, token: Option<&str>) -> Result<Option<String>, ProviderError> {
    let token = token.filter(|token| !token.is_empty()).map(str::to_owned);
    if token.is_some() && token == last {
        let text = format!("{} answers with the same page again and again", asked.action);
        return Err(ProviderError::Unreachable(text));
    }
    Ok(token)
}
