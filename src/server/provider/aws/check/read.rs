//! Reads from IAM what the judgement needs: provider, boundary, roles, the kill switch's policies.
//! Owns the calls and what their failures mean. Refuses to write, and to look into another account than it was told.

use std::error::Error;

use aws_sdk_iam::Client;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};

use super::clients::ShellClients;
use super::described::{Described, DescribedRole};
use crate::domain::text::shown;
use crate::server::provider::aws::bootstrap::{Plan, SHORTEST_MAXIMUM_S};

/// Longest piece of AWS's own words that is repeated, in characters.
const LONGEST_WORDS: usize = 300;

/// Why an account could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// There are no credentials to ask with.
    #[error("this shell has no AWS credentials")]
    NoCredentials,
    /// AWS said no.
    #[error("AWS refuses {call}: {said}")]
    Refused {
        /// What was asked.
        call: &'static str,
        /// Its code and its words.
        said: String,
    },
    /// No answer, or none that makes sense.
    #[error("AWS does not answer {call}: {said}")]
    Unreachable {
        /// What was asked.
        call: &'static str,
        /// What went wrong.
        said: String,
    },
}

/// Reads with the credentials of whoever runs it.
#[derive(Debug)]
pub struct Reader {
    pub(super) clients: ShellClients,
}

impl Reader {
    /// A reader that has called nobody yet.
    pub fn new(clients: ShellClients) -> Self {
        Self { clients }
    }

    /// The account that the credentials belong to.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn account(&self) -> Result<String, ReadError> {
        let answer = self.clients.sts().get_caller_identity().send().await;
        let identity = answer.map_err(|error| explain("GetCallerIdentity", &error))?;
        let account = identity.account().filter(|account| !account.is_empty());
        account.map(str::to_owned).ok_or_else(|| half("GetCallerIdentity"))
    }

    /// What there is of `plan`.
    ///
    /// # Errors
    /// [`ReadError`]: what cannot be read is never taken for well.
    pub async fn describe(&self, plan: &Plan) -> Result<Described, ReadError> {
        let iam = self.clients.iam();
        let mut described = Described {
            audiences: audiences(iam, plan).await?,
            boundary: boundary(iam, plan).await?,
            roles: roles(iam).await?,
        };
        let wanted: Vec<&str> = plan.roles.iter().map(|role| role.name()).collect();
        // where no target has one, it may be left from before
        let kill = plan.kill.clone().unwrap_or_else(|| plan.usual_kill());
        for role in &mut described.roles {
            let is = |name: &&str| name.eq_ignore_ascii_case(&role.name);
            let is_kill = is(&kill.name());
            if is_kill || wanted.iter().any(is) {
                role.boundary = boundary_of(iam, &role.name).await?;
            }
            if is_kill {
                role.attached = attached(iam, &role.name).await?;
                role.inline = inline(iam, &role.name).await?;
            }
        }
        Ok(described)
    }
}

async fn audiences(iam: &Client, plan: &Plan) -> Result<Option<Vec<String>>, ReadError> {
    let Some(arn) = plan.provider_arn() else {
        return Ok(None);
    };
    let call = iam.get_open_id_connect_provider().open_id_connect_provider_arn(arn);
    let answer = there(call.send().await, "GetOpenIDConnectProvider")?;
    Ok(answer.map(|provider| provider.client_id_list().to_vec()))
}

/// The version of the boundary that is in force.
async fn boundary(iam: &Client, plan: &Plan) -> Result<Option<String>, ReadError> {
    let arn = plan.boundary_arn();
    let answer = there(iam.get_policy().policy_arn(&arn).send().await, "GetPolicy")?;
    let Some(policy) = answer else {
        return Ok(None);
    };
    let version = policy.policy().and_then(|policy| policy.default_version_id());
    let version = version.ok_or_else(|| half("GetPolicy"))?;
    let call = iam.get_policy_version().policy_arn(&arn).version_id(version);
    let answer = there(call.send().await, "GetPolicyVersion")?;
    let document = answer.as_ref().and_then(|answer| answer.policy_version());
    let document = document.and_then(|version| version.document());
    document
        .map(|text| Some(text.to_owned()))
        .ok_or_else(|| half("GetPolicyVersion"))
}

/// Every role: one that trusts our issuer may lie under any path.
async fn roles(iam: &Client) -> Result<Vec<DescribedRole>, ReadError> {
    let mut pages = iam.list_roles().into_paginator().send();
    let mut roles = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| explain("ListRoles", &error))?;
        roles.extend(page.roles().iter().map(|role| DescribedRole {
            arn: role.arn().to_owned(),
            name: role.role_name().to_owned(),
            trust: role.assume_role_policy_document().unwrap_or_default().to_owned(),
            max_session_s: seconds(role.max_session_duration()),
            ..DescribedRole::default()
        }));
    }
    Ok(roles)
}

/// A role's maximum; IAM's own where it says nothing.
fn seconds(maximum: Option<i32>) -> u32 {
    maximum
        .and_then(|s| u32::try_from(s).ok())
        .unwrap_or(SHORTEST_MAXIMUM_S)
}

/// `ListRoles` leaves the boundary out.
async fn boundary_of(iam: &Client, name: &str) -> Result<Option<String>, ReadError> {
    let answer = iam.get_role().role_name(name).send().await;
    let answer = answer.map_err(|error| explain("GetRole", &error))?;
    let role = answer.role().ok_or_else(|| half("GetRole"))?;
    let boundary = role.permissions_boundary().and_then(|b| b.permissions_boundary_arn());
    Ok(boundary.map(str::to_owned))
}

async fn attached(iam: &Client, name: &str) -> Result<Vec<String>, ReadError> {
    let mut pages = iam
        .list_attached_role_policies()
        .role_name(name)
        .into_paginator()
        .send();
    let mut attached = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| explain("ListAttachedRolePolicies", &error))?;
        let arns = page
            .attached_policies()
            .iter()
            .map(|p| p.policy_arn().unwrap_or("a policy without ARN"));
        attached.extend(arns.map(str::to_owned));
    }
    Ok(attached)
}

async fn inline(iam: &Client, name: &str) -> Result<Vec<(String, String)>, ReadError> {
    let mut pages = iam.list_role_policies().role_name(name).into_paginator().send();
    let mut inline = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| explain("ListRolePolicies", &error))?;
        for policy in page.policy_names() {
            let call = iam.get_role_policy().role_name(name).policy_name(policy);
            let answer = call.send().await.map_err(|error| explain("GetRolePolicy", &error))?;
            inline.push((policy.to_owned(), answer.policy_document().to_owned()));
        }
    }
    Ok(inline)
}

/// An answer, or nothing where IAM says that there is no such thing.
fn there<T, E>(answer: Result<T, SdkError<E>>, call: &'static str) -> Result<Option<T>, ReadError>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(SdkError::ServiceError(refused)) if refused.err().code() == Some("NoSuchEntity") => Ok(None),
        Err(error) => Err(explain(call, &error)),
    }
}

pub(super) fn half(call: &'static str) -> ReadError {
    ReadError::Unreachable {
        call,
        said: "half an answer".to_owned(),
    }
}

/// What a failed call means.
pub(super) fn explain<E>(call: &'static str, error: &SdkError<E>) -> ReadError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let SdkError::ServiceError(refused) = error {
        let (code, status) = (
            refused.err().code().unwrap_or_default(),
            refused.raw().status().as_u16(),
        );
        let said = words(&format!("{code} {}", refused.err().message().unwrap_or_default()));
        let is_busy = code.contains("Throttl") || code == "RequestLimitExceeded";
        return if code.is_empty() || status >= 500 || is_busy {
            let said = format!("{status} {said}");
            ReadError::Unreachable { call, said }
        } else {
            ReadError::Refused { call, said }
        };
    }
    let mut last: &(dyn Error + 'static) = error;
    let mut causes = format!("{error:?}");
    while let Some(cause) = last.source() {
        last = cause;
        causes.push_str(&format!("{cause:?}"));
    }
    // The SDK does not export the types; their names are all there is.
    let names = [
        "CredentialsNotLoaded",
        "NoIdentityResolver",
        "NoMatchingAuthSchemeError",
    ];
    if names.iter().any(|name| causes.contains(name)) {
        return ReadError::NoCredentials;
    }
    let said = words(&last.to_string());
    ReadError::Unreachable { call, said }
}

fn words(text: &str) -> String {
    shown(&text.trim().chars().take(LONGEST_WORDS).collect::<String>())
}
