//! What AWS Organizations has over an account: the units above it, and which service control policies are attached.
//! Owns the calls. Refuses to take half a list for all of it, and to look at anything but these policies.

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::{ParentType, PolicyType};

use super::read::{ReadError, Reader, explain, half};
use super::session_deny::AttachedPolicy;

/// Accounts lie at most five units deep, below one root.
const DEEPEST: usize = 8;
/// More pages than an account can have policies for.
const MOST_PAGES: usize = 20;

/// Whether policies count there at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Over {
    /// The management account, which obeys none.
    Management,
    /// The service control policies over the account.
    Policies(Vec<AttachedPolicy>),
}

impl Reader {
    /// The service control policies that are attached to `account` and to everything above it.
    ///
    /// # Errors
    /// [`ReadError`]: what cannot be read is never taken for attached, or for missing.
    pub async fn policies_over(&self, account: &str) -> Result<Over, ReadError> {
        let client = self.clients.organizations();
        if management(client).await? == account {
            return Ok(Over::Management);
        }
        let mut policies = Vec::new();
        let mut place = Some(account.to_owned());
        for _ in 0..DEEPEST {
            let Some(here) = place else {
                return Ok(Over::Policies(policies));
            };
            policies.extend(attached(client, &here).await?);
            place = above(client, &here).await?;
        }
        Err(half("ListParents"))
    }
}

async fn management(client: &Client) -> Result<String, ReadError> {
    const CALL: &str = "DescribeOrganization";
    let answer = client.describe_organization().send().await;
    let organization = answer.map_err(|error| explain(CALL, &error))?.organization;
    let id = organization.and_then(|organization| organization.master_account_id);
    id.filter(|id| !id.is_empty()).ok_or_else(|| half(CALL))
}

/// The unit that `place` lies in; none above the root.
async fn above(client: &Client, place: &str) -> Result<Option<String>, ReadError> {
    const CALL: &str = "ListParents";
    if place.starts_with("r-") {
        return Ok(None);
    }
    let answer = client.list_parents().child_id(place).send().await;
    let answer = answer.map_err(|error| explain(CALL, &error))?;
    // one, as AWS has it
    let [parent] = answer.parents() else {
        return Err(half(CALL));
    };
    let is_known = matches!(parent.r#type(), Some(ParentType::Root | ParentType::OrganizationalUnit));
    let id = parent.id().filter(|id| is_known && !id.is_empty());
    id.map(|id| Some(id.to_owned())).ok_or_else(|| half(CALL))
}

async fn attached(client: &Client, place: &str) -> Result<Vec<AttachedPolicy>, ReadError> {
    const CALL: &str = "ListPoliciesForTarget";
    let (mut found, mut token) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let call = client
            .list_policies_for_target()
            .target_id(place)
            .filter(PolicyType::ServiceControlPolicy)
            .set_next_token(token);
        let page = call.send().await.map_err(|error| explain(CALL, &error))?;
        for policy in page.policies() {
            let id = policy.id().ok_or_else(|| half(CALL))?;
            found.push(AttachedPolicy {
                id: id.to_owned(),
                name: policy.name().unwrap_or_default().to_owned(),
                target: place.to_owned(),
                text: text(client, id).await?,
            });
        }
        token = page.next_token;
        if token.is_none() {
            return Ok(found);
        }
    }
    Err(half(CALL))
}

async fn text(client: &Client, id: &str) -> Result<String, ReadError> {
    const CALL: &str = "DescribePolicy";
    let answer = client.describe_policy().policy_id(id).send().await;
    let policy = answer.map_err(|error| explain(CALL, &error))?.policy;
    policy.and_then(|policy| policy.content).ok_or_else(|| half(CALL))
}
