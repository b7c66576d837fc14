//! The clients of Identity Center and of what stands beside it, one set a region, made when first needed.

use std::collections::HashMap;
use std::fmt;

use tokio::sync::Mutex;

use crate::server::provider::aws_sdk::{AwsSettings, OwnIdentity};

/// The services of one region, as ourselves.
#[derive(Clone)]
pub struct Services {
    /// Assignments and permission sets.
    pub admin: aws_sdk_ssoadmin::Client,
    /// Users.
    pub store: aws_sdk_identitystore::Client,
    /// Accounts: one service for all regions of a partition.
    pub organizations: aws_sdk_organizations::Client,
    /// Who we are.
    pub sts: aws_sdk_sts::Client,
}

/// The clients, by region.
pub struct Clients {
    us: OwnIdentity,
    by_region: Mutex<HashMap<String, Services>>,
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").field("us", &self.us).finish_non_exhaustive()
    }
}

impl Clients {
    /// None made, nothing read.
    pub fn new(settings: AwsSettings) -> Self {
        Self {
            us: OwnIdentity::new(settings),
            by_region: Mutex::default(),
        }
    }

    /// The clients of `region`.
    pub async fn of(&self, region: &str) -> Services {
        let mut made = self.by_region.lock().await;
        if let Some(services) = made.get(region) {
            return services.clone();
        }
        let config = self.us.config(region).await;
        let services = Services {
            admin: aws_sdk_ssoadmin::Client::new(&config),
            store: aws_sdk_identitystore::Client::new(&config),
            organizations: aws_sdk_organizations::Client::new(&config),
            sts: aws_sdk_sts::Client::new(&config),
        };
        made.insert(region.to_owned(), services.clone());
        services
    }
}
