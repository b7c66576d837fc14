//! How the issuer is set up. Refuses to read files: `config` does.

use std::sync::Arc;

use crate::config::{IssuerUrl, SealingKey};
use crate::domain::Duration;
use crate::domain::key_life::SHORTEST_PERIOD_S;
use crate::error::{Error, Result};

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

    /// The same with keys that are used for `period`.
    ///
    /// # Errors
    /// Exit 3 for less than three days: the next key is made two days ahead.
    pub fn rotating(mut self, period: Duration) -> Result<Self> {
        if period.secs() < SHORTEST_PERIOD_S {
            let message = format!("a key cannot change every {} s", period.secs());
            return Err(Error::configuration(message).hint("three days at least: 3d"));
        }
        self.period = period;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::issuer::sample;

    #[test]
    fn keys_change_every_three_days_at_most() {
        let every = |text: &str| sample::settings(1).rotating(Duration::parse(text).unwrap());
        assert_eq!(every("3d").unwrap().period.secs(), 3 * 86_400);
        assert_eq!(every("71h").unwrap_err().exit.code(), 3);
    }
}
