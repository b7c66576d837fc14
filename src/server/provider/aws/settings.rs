//! Where STS is, who we are there, and the clients that follow from it: one a region, each made when first needed.
//! Owns time-outs and endpoints; how others are reached is `network`'s. Refuses `AWS_ENDPOINT_URL*` and the profile's `endpoint_url` for its own calls:
//! whoever wants another endpoint says so in [`AwsSettings`].

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use aws_config::profile::{self, ProfileSet};
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_sdk_sts::Client;
use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::timeout::TimeoutConfig;
use aws_sdk_sts::config::{Credentials, Region, SharedCredentialsProvider};
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::service_config::ServiceConfigKey;
use tokio::sync::{Mutex, OnceCell};

use crate::domain::Partition;
use crate::network::Network;

/// How the provider reaches AWS.
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

/// The STS clients, by region.
#[derive(Debug)]
pub struct Clients {
    settings: AwsSettings,
    base: OnceCell<SdkConfig>,
    by_region: Mutex<HashMap<String, Client>>,
    keyless: Mutex<HashMap<String, Client>>,
    own_arn: OnceCell<String>,
}

impl Clients {
    /// None made, nothing read.
    pub fn new(settings: AwsSettings) -> Self {
        Self {
            settings,
            base: OnceCell::new(),
            by_region: Mutex::default(),
            keyless: Mutex::default(),
            own_arn: OnceCell::new(),
        }
    }

    /// The client of `region`'s STS.
    pub async fn of(&self, region: &str) -> Client {
        let mut clients = self.by_region.lock().await;
        if let Some(client) = clients.get(region) {
            return client.clone();
        }
        let client = Client::from_conf(self.config(region).await);
        clients.insert(region.to_owned(), client.clone());
        client
    }

    /// A client of `region`'s STS that has no credentials and looks for none: for calls that carry a token.
    pub async fn without_credentials(&self, region: &str) -> Client {
        let mut clients = self.keyless.lock().await;
        let make = || Client::from_conf(self.plain(region).build());
        clients.entry(region.to_owned()).or_insert_with(make).clone()
    }

    /// The ARN of our own identity, asked once; nothing where STS did not say.
    pub async fn own_arn(&self, client: &Client) -> Option<&str> {
        let ask = || async {
            let answer = client.get_caller_identity().send().await.ok();
            answer.and_then(|identity| identity.arn().map(str::to_owned)).ok_or(())
        };
        self.own_arn.get_or_try_init(ask).await.ok().map(String::as_str)
    }

    /// IAM, which is one service for all regions of a partition, as whoever `credentials` are.
    pub fn iam(&self, partition: Partition, credentials: Credentials) -> aws_sdk_iam::Client {
        let mut config = aws_sdk_iam::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(partition.default_region()))
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts())
            .http_client(self.settings.network.aws_client())
            .credentials_provider(credentials);
        config.set_endpoint_url(self.settings.endpoint.clone());
        aws_sdk_iam::Client::from_conf(config.build())
    }

    /// Built from nothing: made from the loaded configuration it would take its endpoint from the environment.
    async fn config(&self, region: &str) -> aws_sdk_sts::Config {
        let base = self.base.get_or_init(|| load(region, &self.settings)).await;
        let mut config = self.plain(region);
        config.set_credentials_provider(base.credentials_provider());
        if let Some(cache) = base.identity_cache() {
            config.set_identity_cache(cache);
        }
        config.set_sleep_impl(base.sleep_impl());
        config.set_time_source(base.time_source());
        config.set_http_client(base.http_client());
        config.build()
    }

    /// What every client has: region, endpoint, limits.
    fn plain(&self, region: &str) -> aws_sdk_sts::config::Builder {
        let mut config = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            // The worker has its own back-off, and somebody waits for a mint.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts())
            .http_client(self.settings.network.aws_client());
        config.set_endpoint_url(self.settings.endpoint.clone());
        config
    }
}

/// Services that finding our own identity calls: each takes its endpoint from the profile where that names one.
const FINDING_US: [&str; 3] = ["STS", "SSO", "SSO OIDC"];

/// The endpoint that the AWS profile, or one that it leads to, names for calls that find our own identity, if one does.
pub async fn profile_endpoint(settings: &AwsSettings) -> Option<String> {
    // a file that cannot be read names nothing: nobody finds our identity in it either
    let set = profile::load(&Fs::default(), &Env::default(), &Default::default(), None).await;
    let set = set.ok();
    for name in set.iter().flat_map(chain) {
        let found = endpoint_of(settings, name).await;
        if found.is_some() {
            return found;
        }
    }
    None
}

/// The profile that is used, and those that it takes its credentials from, one after the other.
fn chain(set: &ProfileSet) -> Vec<&str> {
    let mut names = vec![set.selected_profile()];
    while let Some(source) = names
        .last()
        .and_then(|name| set.get_profile(name)?.get("source_profile"))
    {
        if names.contains(&source) {
            break;
        }
        names.push(source);
    }
    names
}

/// The endpoint that the profile of this `name` names.
async fn endpoint_of(settings: &AwsSettings, name: &str) -> Option<String> {
    let loader = loader("us-east-1", settings).profile_name(name);
    let base = loader.load().await;
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
pub(super) async fn load(region: &str, settings: &AwsSettings) -> SdkConfig {
    let loader = loader(region, settings);
    match &settings.credentials {
        Some(credentials) => loader.credentials_provider(credentials.clone()).load().await,
        None => loader.load().await,
    }
}

fn loader(region: &str, settings: &AwsSettings) -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .http_client(settings.network.aws_client())
        .timeout_config(timeouts())
}

/// The longest that anything may take.
pub(super) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(10))
        .build()
}
