//! Whether an assignment could be made at all: asked before anybody is asked to approve it.
//! Owns the questions. Refuses to leave to Identity Center what it accepts in silence: an account that is none.

use aws_sdk_organizations::types::{Account, AccountState, AccountStatus};

use super::IdentityCenter;
use super::errors::{Asked, explain};
use super::governor::Caller;
use super::listing::next;
use super::quota::Step;
use crate::domain::text::shown;
use crate::domain::{Assignment, Duration, Partition};
use crate::server::provider::ProviderError;

/// The session of a permission set that says none.
const DEFAULT_SESSION: &str = "PT1H";

fn refused<T>(text: String) -> Result<T, ProviderError> {
    Err(ProviderError::Refused(text))
}

impl IdentityCenter {
    pub(super) async fn check_all(&self, caller: &Caller, of: &Assignment) -> Result<(), ProviderError> {
        let instance = &of.instance;
        if !of.partition.has_region(&instance.region) {
            return refused(format!(
                "{} is no region of partition {}; correct the region of Identity Center in the catalogue",
                instance.region, of.partition
            ));
        }
        self.require_instance(caller, instance).await?;
        self.check_permission_set(caller, of).await?;
        self.check_account(caller, of).await?;
        self.check_management(caller, of).await
    }

    /// The set is there, and is what approvers are shown.
    async fn check_permission_set(&self, caller: &Caller, of: &Assignment) -> Result<(), ProviderError> {
        let arn = &of.permission_set_arn;
        let about = format!("permission set {arn}");
        let asked = Asked {
            action: "sso:DescribePermissionSet",
            about: &about,
        };
        let admin = self.clients.of(&caller.region).await.admin;
        let call = admin
            .describe_permission_set()
            .instance_arn(&of.instance.arn)
            .permission_set_arn(arn);
        let answer = caller
            .call(&self.admin, Step::Begin, &asked, || call.clone().send())
            .await?;
        let Some(set) = answer.permission_set() else {
            let half = format!("Identity Center answered without {about}");
            return Err(ProviderError::Unreachable(half));
        };
        let name = set.name().unwrap_or_default();
        if name != of.permission_set {
            return refused(format!(
                "{about} is called {}, not {}; correct its name or its ARN in the catalogue",
                shown(name),
                of.permission_set
            ));
        }
        let written = set.session_duration().unwrap_or(DEFAULT_SESSION);
        let session = Duration::parse(written).ok();
        if session != Some(of.session) {
            return refused(format!(
                "a session of permission set {name} lives {}, not the {} that the catalogue says; correct `session` \
                 there, or the permission set",
                session.map_or_else(|| shown(written), |length| length.to_string()),
                of.session
            ));
        }
        Ok(())
    }

    /// The account is one of the organization's, and can be used.
    async fn check_account(&self, caller: &Caller, of: &Assignment) -> Result<(), ProviderError> {
        let there = Caller {
            region: of.partition.default_region().to_owned(),
            ..caller.clone()
        };
        match self.describe(&there, &of.account).await? {
            Some(account) if is_active(&account) => Ok(()),
            Some(account) => refused(format!(
                "account {} ({}) is {}, not ACTIVE; open it again, or take its targets out of the catalogue",
                of.account,
                of.account_name,
                shown(state_of(&account))
            )),
            None => refused(format!(
                "the organization has no account {} ({}); correct the target in the catalogue",
                of.account, of.account_name
            )),
        }
    }

    /// From a delegated administrator, Identity Center serves neither the management account nor any permission set that
    /// is provisioned there.
    async fn check_management(&self, caller: &Caller, of: &Assignment) -> Result<(), ProviderError> {
        let management = self.management_account(caller, of.partition).await?;
        if self.own_account(caller).await? == management {
            return Ok(());
        }
        if of.account == management {
            return refused(format!(
                "account {management} is the management account, which Identity Center serves only from there; take \
                 the target out of the catalogue, or run the backend in the management account"
            ));
        }
        if self.is_provisioned(caller, of, management).await? {
            return refused(format!(
                "permission set {} is also in the management account {management}, so that only the management account \
                 may assign it; make one for other accounts alone",
                of.permission_set
            ));
        }
        Ok(())
    }

    /// The organization's management account: asked once.
    pub(super) async fn management_account(
        &self,
        caller: &Caller,
        partition: Partition,
    ) -> Result<&str, ProviderError> {
        let ask = || async {
            let asked = Asked {
                action: "organizations:DescribeOrganization",
                about: "the organization",
            };
            let client = self.clients.of(partition.default_region()).await.organizations;
            let call = client.describe_organization();
            let answer = caller
                .call(&self.organizations, Step::Begin, &asked, || call.clone().send())
                .await?;
            let id = answer
                .organization
                .and_then(|organization| organization.master_account_id);
            let half = || ProviderError::Unreachable("AWS answered without the management account".to_owned());
            id.filter(|id| !id.is_empty()).ok_or_else(half)
        };
        self.management.get_or_try_init(ask).await.map(String::as_str)
    }

    /// Our own account: asked once.
    pub(super) async fn own_account(&self, caller: &Caller) -> Result<&str, ProviderError> {
        let ask = || async {
            let asked = Asked {
                action: "sts:GetCallerIdentity",
                about: "the backend's own account",
            };
            let sts = self.clients.of(&caller.region).await.sts;
            let answer = sts.get_caller_identity().send().await;
            let answer = answer.map_err(|error| explain(&asked, &caller.region, &error))?;
            let half = || ProviderError::Unreachable("STS answered without our own account".to_owned());
            answer.account.filter(|id| !id.is_empty()).ok_or_else(half)
        };
        self.own.get_or_try_init(ask).await.map(String::as_str)
    }

    /// Whether the set is provisioned to `account`.
    async fn is_provisioned(&self, caller: &Caller, of: &Assignment, account: &str) -> Result<bool, ProviderError> {
        let about = format!("account {account}");
        let asked = Asked {
            action: "sso:ListPermissionSetsProvisionedToAccount",
            about: &about,
        };
        let admin = self.clients.of(&caller.region).await.admin;
        let call = admin
            .list_permission_sets_provisioned_to_account()
            .instance_arn(&of.instance.arn)
            .account_id(account);
        let mut token = None;
        loop {
            let call = call.clone().set_next_token(token.clone());
            let page = caller
                .call(&self.admin, Step::GoOn, &asked, || call.clone().send())
                .await?;
            if page.permission_sets().contains(&of.permission_set_arn) {
                return Ok(true);
            }
            token = next(&asked, token, page.next_token())?;
            if token.is_none() {
                return Ok(false);
            }
        }
    }
}

/// `State` where AWS says it, `Status` where it is older.
pub(super) fn is_active(account: &Account) -> bool {
    match account.state() {
        Some(state) => *state == AccountState::Active,
        None => older_status(account) == Some(&AccountStatus::Active),
    }
}

pub(super) fn state_of(account: &Account) -> &str {
    match account.state() {
        Some(state) => state.as_str(),
        None => older_status(account).map_or("in no known state", AccountStatus::as_str),
    }
}

fn older_status(account: &Account) -> Option<&AccountStatus> {
    account.status()
}
