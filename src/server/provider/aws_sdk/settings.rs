//! Where AWS is, and who we are there.
//! Owns time-outs and endpoints; how others are reached is `network`'s. Refuses `AWS_ENDPOINT_URL*` and the profile's
//! `endpoint_url` for our own calls: whoever wants another endpoint says so in [`AwsSettings`].

use std::fmt;
use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_sts::config::timeout::TimeoutConfig;
use aws_sdk_sts::config::{Credentials, Region, SharedCredentialsProvider};
use aws_types::service_config::ServiceConfigKey;

use crate::network::Network;

/// How AWS is reached.
#[derive(Clone, Default)]
pub struct AwsSettings {
    /// Called in place of AWS's own regional endpoints. In production `https`, from the backend's configuration;
    /// under `--dev` also what `AWS_ENDPOINT_URL` says.
    pub endpoint: Option<String>,
    /// Our own identity; without it the chain of every AWS tool (environment, profile, web identity, container, host).
    pub credentials: Option<SharedCredentialsProvider>,
    /// Proxy and trust, for these calls and for those that find our own identity.
    pub network: Network,
}

impl AwsSettings {
    /// These settings with fixed keys in place of the chain.
    pub fn with_keys(mut self, access_key_id: &str, secret_access_key: &str) -> Self {
        let keys = Credentials::new(access_key_id, secret_access_key, None, None, "settings");
        self.credentials = Some(SharedCredentialsProvider::new(keys));
        self
    }
}

impl fmt::Debug for AwsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsSettings")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// Services that finding our own identity calls: each takes its endpoint from the profile where that names one.
const FINDING_US: [&str; 3] = ["STS", "SSO", "SSO OIDC"];

/// The endpoint that the AWS profile names for calls that find our own identity, if it names one.
pub async fn profile_endpoint(settings: &AwsSettings) -> Option<String> {
    let base = load("us-east-1", settings).await;
    let named = |service| {
        // only the profile is asked, and it is asked even where AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is set: the chain
        // itself does not heed that one
        let key = ServiceConfigKey::builder()
            .service_id(service)
            .profile("endpoint_url")
            .env("JIT_NO_SUCH_VARIABLE");
        base.service_config()?.load_config(key.build().ok()?)
    };
    FINDING_US.into_iter().find_map(named)
}

/// Who we are, as every AWS tool finds it, unless the settings say.
pub(in crate::server::provider) async fn load(region: &str, settings: &AwsSettings) -> SdkConfig {
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .http_client(settings.network.aws_client())
        .timeout_config(timeouts());
    match &settings.credentials {
        Some(credentials) => loader.credentials_provider(credentials.clone()).load().await,
        None => loader.load().await,
    }
}

/// The longest that anything may take.
pub(in crate::server::provider) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(10))
        .build()
}
