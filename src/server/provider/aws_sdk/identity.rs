//! Who we are in AWS, found once, for the clients of all services and regions.
//! Owns what each client is made of. Refuses to be made from the loaded configuration: with it would come an endpoint
//! from the environment.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_sts::config::Region;
use aws_sdk_sts::config::retry::RetryConfig;
use tokio::sync::OnceCell;

use super::settings::{AwsSettings, load, timeouts};

/// Our own identity, and how AWS is reached with it.
#[derive(Debug)]
pub struct OwnIdentity {
    settings: AwsSettings,
    base: OnceCell<SdkConfig>,
}

impl OwnIdentity {
    /// Nothing read yet: that happens with the first client.
    pub fn new(settings: AwsSettings) -> Self {
        Self {
            settings,
            base: OnceCell::new(),
        }
    }

    /// What a client in `region` is made of that comes as ourselves.
    pub async fn config(&self, region: &str) -> SdkConfig {
        let base = self.base.get_or_init(|| load(region, &self.settings)).await;
        let mut config = self.anonymous(region).into_builder();
        config.set_credentials_provider(base.credentials_provider());
        config.set_identity_cache(base.identity_cache());
        config.set_sleep_impl(base.sleep_impl());
        config.set_time_source(base.time_source());
        config.set_http_client(base.http_client());
        config.build()
    }

    /// The same without credentials: region, endpoint, limits.
    pub fn anonymous(&self, region: &str) -> SdkConfig {
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts())
            .http_client(self.settings.network.aws_client());
        config.set_endpoint_url(self.settings.endpoint.clone());
        config.build()
    }
}
