//! The kill switch: the backend enters a role in the target's account that may write one policy, writes it, and leaves.
//! Owns those calls and what their failures mean. Refuses to read what AWS has: the whole policy is written each time.

use std::error::Error;

use async_trait::async_trait;
use aws_sdk_iam::Client;
use aws_sdk_iam::config::Credentials;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use secrecy::ExposeSecret;
use serde_json::json;

use super::AwsProvider;
use super::kill_policy::{LONGEST, POLICY_NAME, kill_policy};
use super::web_identity;
use crate::domain::{Killed, Road, RoleBinding, Timestamp};
use crate::server::provider::aws_sdk::said;
use crate::server::provider::{Killer, ProviderError};

/// STS: shortest `DurationSeconds`. The session is used for one call.
const SESSION_S: i32 = 900;

/// How it is called in CloudTrail.
const SESSION_NAME: &str = "jit-kill-switch";

/// Room that is tried, in characters: all of it, less where other inline policies of the role take some, none.
const ROOMS: [usize; 4] = [LONGEST, LONGEST / 2, LONGEST / 8, 0];

/// What became of a call.
enum Outcome {
    Done,
    /// The role, or the policy, is not there.
    Gone,
    /// The role's inline policies would pass their limit.
    Full(String),
}

#[async_trait]
impl Killer for AwsProvider {
    async fn can_shut_out(&self, now: Timestamp, binding: &RoleBinding) -> Result<(), ProviderError> {
        self.enter(now, binding).await.map(drop)
    }

    async fn shut_out(
        &self,
        now: Timestamp,
        binding: &RoleBinding,
        sessions: &[Killed],
    ) -> Result<Option<Timestamp>, ProviderError> {
        let credentials = self.enter(now, binding).await?;
        let iam = self.clients.iam(binding.partition, credentials);
        let role = binding.role_arn.rsplit('/').next().unwrap_or_default();
        if sessions.is_empty() {
            // a role that is gone, or never had the policy, shuts nobody out
            return delete(&iam, role).await.map(|_| None);
        }
        let mut full = String::new();
        for room in ROOMS {
            let policy = kill_policy(sessions, room);
            match put(&iam, role, &policy.text).await? {
                // the sessions of a role that is gone have nothing left to do
                Outcome::Done | Outcome::Gone => return Ok(policy.issued_before),
                Outcome::Full(said) => full = said,
            }
        }
        Err(ProviderError::Refused(format!(
            "the inline policies of role {role} leave no room for {POLICY_NAME}; make one of them a managed policy{full}"
        )))
    }
}

impl AwsProvider {
    /// A session of the account's kill role that may write the policies of this one role. (IAM has no condition on a
    /// policy's name.)
    async fn enter(&self, now: Timestamp, binding: &RoleBinding) -> Result<Credentials, ProviderError> {
        let Some(kill) = &binding.kill else {
            return Err(ProviderError::Refused("the target has no kill switch".to_owned()));
        };
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Action": ["iam:PutRolePolicy", "iam:DeleteRolePolicy"],
                "Resource": binding.role_arn,
            }],
        });
        let what = format!("enter the kill switch {}", kill.role_arn);
        let given = match binding.road {
            Road::AssumeRole => {
                let sts = self.clients.of(&binding.region).await;
                let call = sts
                    .assume_role()
                    .role_arn(&kill.role_arn)
                    .role_session_name(SESSION_NAME);
                let call = call.policy(policy.to_string()).duration_seconds(SESSION_S);
                let answer = call.send().await.map_err(|error| meaning(&what, &error))?;
                answer.credentials
            }
            Road::WebIdentity => {
                let token = self.signer()?.sign(now, &web_identity::kill_statement(binding)).await?;
                let sts = self.clients.without_credentials(&binding.region).await;
                let call = sts
                    .assume_role_with_web_identity()
                    .role_arn(&kill.role_arn)
                    .role_session_name(SESSION_NAME)
                    .web_identity_token(token.expose_secret());
                let call = call.policy(policy.to_string()).duration_seconds(SESSION_S);
                let answer = call.send().await.map_err(|error| meaning(&what, &error))?;
                answer.credentials
            }
        };
        let whole = given.filter(|c| {
            !c.access_key_id().is_empty() && !c.secret_access_key().is_empty() && !c.session_token().is_empty()
        });
        let Some(whole) = whole else {
            let half = "STS answered without a whole credential for the kill switch";
            return Err(ProviderError::Unreachable(half.to_owned()));
        };
        let (id, secret) = (whole.access_key_id, whole.secret_access_key);
        Ok(Credentials::new(
            id,
            secret,
            Some(whole.session_token),
            None,
            "kill-switch",
        ))
    }
}

async fn put(iam: &Client, role: &str, policy: &str) -> Result<Outcome, ProviderError> {
    let call = iam.put_role_policy().role_name(role).policy_name(POLICY_NAME);
    match call.policy_document(policy).send().await {
        Ok(_) => Ok(Outcome::Done),
        Err(error) => understood(&format!("write {POLICY_NAME} on role {role}"), &error),
    }
}

async fn delete(iam: &Client, role: &str) -> Result<Outcome, ProviderError> {
    let call = iam.delete_role_policy().role_name(role).policy_name(POLICY_NAME);
    match call.send().await {
        Ok(_) => Ok(Outcome::Done),
        Err(error) => understood(&format!("delete {POLICY_NAME} of role {role}"), &error),
    }
}

/// What is no failure, or one that a shorter policy mends.
fn understood<E>(what: &str, error: &SdkError<E>) -> Result<Outcome, ProviderError>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let SdkError::ServiceError(refused) = error {
        match refused.err().code() {
            Some("NoSuchEntity") => return Ok(Outcome::Gone),
            Some("LimitExceeded") => return Ok(Outcome::Full(said(refused.err().message()))),
            Some(_) | None => {}
        }
    }
    Err(meaning(what, error))
}

/// What a failed call means. Everything is tried again; the words say what to do about it.
fn meaning<E>(what: &str, error: &SdkError<E>) -> ProviderError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let SdkError::ServiceError(refused) = error else {
        let mut last: &(dyn Error + 'static) = error;
        while let Some(cause) = last.source() {
            last = cause;
        }
        return ProviderError::Unreachable(format!("could not {what}{}", said(Some(&last.to_string()))));
    };
    let (status, said) = (refused.raw().status().as_u16(), said(refused.err().message()));
    let code = crate::domain::text::shown(refused.err().code().unwrap_or("no cause"));
    match refused.err().code().unwrap_or_default() {
        "Throttling" | "ThrottlingException" | "RequestLimitExceeded" | "TooManyRequestsException" | "SlowDown" => {
            ProviderError::Throttled(format!("could not {what}: AWS takes no more calls for now{said}"))
        }
        "AccessDenied" | "AccessDeniedException" => ProviderError::Refused(format!(
            "AWS does not let the backend {what}: look at the trust and the policy of the account's kill_role, and at \
             the permissions boundary it asks for{said}"
        )),
        "ConcurrentModification" | "" => {
            ProviderError::Unreachable(format!("could not {what}: status {status}, {code}{said}"))
        }
        _ if status >= 500 => ProviderError::Unreachable(format!("could not {what}: status {status}, {code}{said}")),
        _ => ProviderError::Refused(format!("AWS refused to {what} with {code}{said}")),
    }
}
