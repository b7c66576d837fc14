//! Keys for what is no AWS tool that asks by itself: a child's environment, a shell's lines, the console.
//! Owns taking the cached JSON apart. Refuses to say more than it holds.

use std::time::{Duration, Instant};

use hot::{Entry, Refresh};
use secrecy::SecretString;
use serde::Deserialize;

use super::account::Client;
use super::backend::Deadline;
use crate::domain::text::TargetName;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};

/// The backend is asked whether a grant lives for at most so long: AWS tools wait for 2 s in all.
const LIMIT: Duration = Duration::from_millis(1_500);

/// Keys that work now.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Public half.
    pub access_key_id: String,
    /// Secret half.
    pub secret_access_key: SecretString,
    /// Session token.
    pub session_token: SecretString,
    /// They work before this instant, by the backend's clock.
    pub expires_at: Timestamp,
    /// The account's 12 digits.
    pub account: String,
    /// Whether the grant goes on after them: then asking again later gives new ones.
    pub renews: bool,
}

/// The JSON of `credential_process`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    access_key_id: String,
    secret_access_key: SecretString,
    session_token: SecretString,
    expiration: String,
    account_id: String,
}

impl Client {
    /// Keys of the live grant on `target`: those of the cache while they are fresh, else minted.
    ///
    /// # Errors
    /// As `credential_process`: exit 10 where nothing is live, with what to type.
    pub fn keys(&self, target: &TargetName) -> Result<Keys> {
        let entry = self.entry(target)?;
        let mut keys = keys(&entry)?;
        // a grant that was extended since goes on, though its old end stands beside the credential
        keys.renews = keys.renews || self.goes_on_after(&self.account()?, target, entry.facts.expires_at_ms);
        Ok(keys)
    }

    /// The same, of a grant that the backend says is live: what is cached may be of one that was revoked meanwhile.
    /// Where the backend cannot say, what is cached stands: AWS ends it by itself.
    ///
    /// # Errors
    /// As `keys`; also where the session ended.
    pub fn live_keys(&self, target: &TargetName) -> Result<Keys> {
        let entry = self.entry(target)?;
        match self.is_live(target, &entry.facts.grant) {
            Ok(false) => {
                // what is fetched then is of another grant, or the error says what there is
                self.forget(&self.account()?, target)?;
                keys(&self.entry(target)?)
            }
            Err(error) if !error.is_worth_a_retry() => Err(error),
            Ok(true) | Err(_) => keys(&entry),
        }
    }

    fn is_live(&self, target: &TargetName, grant: &str) -> Result<bool> {
        let (picked, backend) = self.signed_in()?;
        backend.set_deadline(Deadline(Instant::now() + LIMIT));
        let grants = backend.grants(target)?.grants;
        self.keep_clock(&picked, &backend);
        Ok(grants.iter().any(|g| g.id == grant && g.state == "active"))
    }
}

fn keys(entry: &Entry) -> Result<Keys> {
    let unreadable = || Error::unexpected("the cached credential cannot be read");
    let written: Written = serde_json::from_slice(entry.json.as_bytes()).map_err(|_| unreadable())?;
    Ok(Keys {
        access_key_id: written.access_key_id,
        secret_access_key: written.secret_access_key,
        session_token: written.session_token,
        expires_at: Timestamp::parse(&written.expiration).map_err(|_| unreadable())?,
        account: written.account_id,
        renews: entry.facts.refresh != Refresh::Never,
    })
}

#[cfg(test)]
mod tests {
    use hot::{Facts, Reach};

    use super::*;

    #[test]
    fn keys_are_those_that_were_cached() {
        let facts = Facts {
            expires_at_ms: 3_600_000,
            refresh: Refresh::After(2_700_000),
            grant: "grt_000000000000".into(),
            reach: Reach::Full,
        };
        let json = br#"{"Version":1,"AccessKeyId":"ASIA0","SecretAccessKey":"s","SessionToken":"t","Expiration":"1970-01-01T01:00:00Z","AccountId":"111111111111"}"#;
        let keys = keys(&Entry::new(facts, json).unwrap()).unwrap();
        assert_eq!(keys.access_key_id, "ASIA0");
        assert_eq!(keys.expires_at, Timestamp::from_millis(3_600_000));
        assert!(keys.renews);
        assert!(!format!("{keys:?}").contains("\"t\""));
    }
}
