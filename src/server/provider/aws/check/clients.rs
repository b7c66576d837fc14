//! The clients that a person's look at an account goes through.
//! Owns whose credentials they carry: the shell's, found as every AWS tool finds them. Refuses to be used by the backend.

use aws_config::BehaviorVersion;
use aws_sdk_iam::config::retry::RetryConfig;

use crate::server::provider::aws_sdk::{AwsSettings, load, timeouts};

/// Where AWS is asked, where not at AWS's own endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// STS.
    pub sts: Option<String>,
    /// IAM.
    pub iam: Option<String>,
    /// Organizations.
    pub organizations: Option<String>,
}

/// STS, IAM and Organizations.
#[derive(Clone, Debug)]
pub struct ShellClients {
    sts: aws_sdk_sts::Client,
    iam: aws_sdk_iam::Client,
    organizations: aws_sdk_organizations::Client,
}

impl ShellClients {
    /// Finds the credentials, and calls nobody else.
    pub async fn find(settings: &AwsSettings, endpoints: &Endpoints, region: &str) -> Self {
        let base = load(region, settings).await;
        // somebody waits, and may well look at an account of hundreds of roles
        let retries = RetryConfig::standard().with_max_attempts(4);
        let mut sts = aws_sdk_sts::config::Builder::from(&base);
        sts.set_endpoint_url(endpoints.sts.clone());
        sts.set_retry_config(Some(retries.clone()));
        let mut iam = aws_sdk_iam::config::Builder::from(&base);
        iam.set_behavior_version(Some(BehaviorVersion::latest()));
        iam.set_endpoint_url(endpoints.iam.clone());
        iam.set_retry_config(Some(retries.clone()));
        iam.set_timeout_config(Some(timeouts()));
        let mut organizations = aws_sdk_organizations::config::Builder::from(&base);
        organizations.set_behavior_version(Some(BehaviorVersion::latest()));
        organizations.set_endpoint_url(endpoints.organizations.clone());
        organizations.set_retry_config(Some(retries));
        organizations.set_timeout_config(Some(timeouts()));
        Self {
            sts: aws_sdk_sts::Client::from_conf(sts.build()),
            iam: aws_sdk_iam::Client::from_conf(iam.build()),
            organizations: aws_sdk_organizations::Client::from_conf(organizations.build()),
        }
    }

    pub(super) fn sts(&self) -> &aws_sdk_sts::Client {
        &self.sts
    }

    pub(super) fn iam(&self) -> &aws_sdk_iam::Client {
        &self.iam
    }

    pub(super) fn organizations(&self) -> &aws_sdk_organizations::Client {
        &self.organizations
    }
}
