//! How the issuer is set up. Refuses to read files: `config` does.

use std::sync::Arc;

use crate::config::{IssuerUrl, SealingKey};
use crate::domain::Duration;

/// A key is used for 30 days unless somebody says otherwise.
const PERIOD_S: u32 = 30 * 86_400;

/// How we are an issuer.
#[derive(Clone, Debug)]
pub struct IssuerSettings {
    /// What stands in `iss`, and where discovery document and keys are fetched.
    pub url: IssuerUrl,
    /// What wraps the private keys in the store.
    pub sealing_key: Arc<SealingKey>,
    /// How long a key is used before the next one takes over: three days at least.
    pub period: Duration,
}

impl IssuerSettings {
    /// The issuer at `url` with keys that change every 30 days.
    pub fn new(url: IssuerUrl, sealing_key: Arc<SealingKey>) -> Self {
        let period = Duration::from_secs(PERIOD_S).expect("30 days are between one second and a year");
        Self {
            url,
            sealing_key,
            period,
        }
    }
}
