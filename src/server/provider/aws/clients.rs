//! The clients of STS, one a region, each made when first needed; and IAM's.
//! Refuses credentials where the call carries a token.

use std::collections::HashMap;

use aws_sdk_sts::Client;
use aws_sdk_sts::config::Credentials;
use tokio::sync::{Mutex, OnceCell};

use crate::domain::Partition;
use crate::server::provider::aws_sdk::{AwsSettings, OwnIdentity};

/// The STS clients, by region.
#[derive(Debug)]
pub struct Clients {
    us: OwnIdentity,
    by_region: Mutex<HashMap<String, Client>>,
    keyless: Mutex<HashMap<String, Client>>,
    own_arn: OnceCell<String>,
}

impl Clients {
    /// None made, nothing read.
    pub fn new(settings: AwsSettings) -> Self {
        Self {
            us: OwnIdentity::new(settings),
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
        let client = Client::new(&self.us.config(region).await);
        clients.insert(region.to_owned(), client.clone());
        client
    }

    /// A client of `region`'s STS that has no credentials and looks for none: for calls that carry a token.
    pub async fn without_credentials(&self, region: &str) -> Client {
        let mut clients = self.keyless.lock().await;
        let make = || Client::new(&self.us.anonymous(region));
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
        let config = self.us.anonymous(partition.default_region());
        let config = aws_sdk_iam::config::Builder::from(&config).credentials_provider(credentials);
        aws_sdk_iam::Client::from_conf(config.build())
    }
}
