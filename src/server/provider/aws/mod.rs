//! AWS, on the road `assume-role`: the backend calls STS with its own identity, one short credential at a time.
//! Owns the calls and what they carry: time box, fences, names. Refuses to keep a credential, and to read the
//! environment for an endpoint: it is called where its settings say, or at AWS's own regional endpoints.

mod answer_date;
mod errors;
mod kill;
mod kill_policy;
mod names;
mod pattern;
#[cfg(test)]
mod sample;
mod session_policy;
mod settings;
mod sts;

use async_trait::async_trait;
use aws_sdk_sts::Client;

pub use self::session_policy::session_policy;
pub use self::settings::AwsSettings;

use self::session_policy::end_of;
use self::settings::Clients;
use self::sts::{Call, LONGEST_CHAINED_S, duration_s};
use super::{Access, Credential, Description, Minter, Presence, Provider, ProviderError};
use crate::domain::Timestamp;

/// How much later than asked a credential can end: the longest call, and the clocks' greatest difference.
const SLACK_S: u32 = 10 + 30;

/// The provider of AWS roles.
#[derive(Debug)]
pub struct AwsProvider {
    clients: Clients,
}

impl AwsProvider {
    /// A provider that has called nobody and read nothing yet: that happens with the first grant.
    pub fn new(settings: AwsSettings) -> Self {
        Self {
            clients: Clients::new(settings),
        }
    }

    async fn assume(&self, now: Timestamp, access: &Access) -> Result<Credential, ProviderError> {
        let mut call = Call::new(now, access)?;
        let client = self.clients.of(&access.binding.region).await;
        if call.duration_s > LONGEST_CHAINED_S && self.runs_on_assumed_role(&client).await {
            call.duration_s = LONGEST_CHAINED_S;
        }
        call.send(&client, now).await
    }

    /// Whether our own identity is an assumed role. Asked only where it matters, beyond one hour; where STS does not
    /// say, the hour holds.
    async fn runs_on_assumed_role(&self, client: &Client) -> bool {
        match self.clients.own_arn(client).await {
            Some(arn) => arn.contains(":assumed-role/"),
            None => true,
        }
    }
}

#[async_trait]
impl Provider for AwsProvider {
    fn describe(&self) -> Description {
        Description {
            kind: "aws",
            has_membership: false,
            can_narrow: true,
        }
    }

    /// Whether the session policy fits.
    fn accepts(&self, access: &Access) -> Result<(), ProviderError> {
        session_policy::session_policy(access).map(drop)
    }

    /// Nothing to give: on this road access is a credential, and each is minted on demand.
    async fn grant(&self, _now: Timestamp, _access: &Access) -> Result<(), ProviderError> {
        Ok(())
    }

    /// One call with the final arguments, its answer thrown away: whatever STS would refuse, it refuses now.
    async fn verify(&self, now: Timestamp, access: &Access) -> Result<Presence, ProviderError> {
        self.assume(now, access).await.map(|_| Presence::There)
    }

    /// Nothing to take away: credentials end by their session policy, and no more are minted.
    async fn revoke(&self, _now: Timestamp, _access: &Access) -> Result<(), ProviderError> {
        Ok(())
    }
}

#[async_trait]
impl Minter for AwsProvider {
    /// With `chain` the end of the grant does not bound it: what the session assumed goes on without the policy, so
    /// the credential's own life is said.
    fn works_until(&self, now: Timestamp, access: &Access) -> Timestamp {
        let slack = i64::from(SLACK_S) * 1000;
        let life = i64::from(duration_s(now, access)) * 1000;
        let latest = Timestamp::from_millis(now.millis().saturating_add(life).saturating_add(slack));
        if access.binding.chain {
            latest
        } else {
            latest.min(end_of(access.ends_at))
        }
    }

    async fn mint(&self, now: Timestamp, access: &Access) -> Result<Credential, ProviderError> {
        self.assume(now, access).await
    }
}

#[cfg(test)]
mod tests {
    use super::sample::{access, now};
    use super::*;

    fn works_until(access: &Access) -> String {
        AwsProvider::new(AwsSettings::default())
            .works_until(now(), access)
            .to_string()
    }

    #[test]
    fn credential_never_works_past_the_grant() {
        assert_eq!(works_until(&access(&[])), "2026-11-20T13:00:00Z");
    }

    #[test]
    fn credential_of_long_grant_works_for_one_session() {
        let mut long = access(&[]);
        long.ends_at = Timestamp::parse("2026-11-20T16:00:00Z").unwrap();
        assert_eq!(works_until(&long), "2026-11-20T13:00:40Z");
    }

    #[test]
    fn chaining_session_is_not_bound_by_the_grant() {
        let mut chained = access(&[]);
        chained.binding.chain = true;
        chained.ends_at = Timestamp::parse("2026-11-20T12:00:20Z").unwrap();
        assert_eq!(works_until(&chained), "2026-11-20T12:15:40Z");
    }
}
