//! AWS: the backend calls STS, one short credential at a time. On the road `web-identity` with a token that it signs
//! itself, on `assume-role` with its own identity.
//! Owns the calls and what they carry: time box, fences, names. Refuses to keep a credential, and to read the
//! environment for an endpoint: it is called where its settings say, or at AWS's own regional endpoints.

mod answer_date;
pub mod bootstrap;
mod call;
pub mod check;
mod clients;
mod errors;
mod kill;
mod kill_policy;
mod names;
mod pattern;
#[cfg(test)]
mod sample;
mod session_policy;
mod sts;
mod web_identity;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sts::Client;

pub use self::session_policy::session_policy;
pub use self::web_identity::AUDIENCE;
pub use super::aws_sdk::{AwsSettings, profile_endpoint};

use self::call::{Call, LONGEST_CHAINED_S, duration_s};
use self::clients::Clients;
use self::session_policy::end_of;
use super::{
    Access, Beneficiary, Credential, Description, Minter, Presence, Provider, ProviderError, RoleAccess, TokenSigner,
    User,
};
use crate::config::IssuerUrl;
use crate::domain::{Binding, Road, Timestamp};

/// How much later than asked a credential can end: the longest call, and the clocks' greatest difference.
const SLACK_S: u32 = 10 + 30;

/// The provider of AWS roles.
pub struct AwsProvider {
    clients: Clients,
    signer: Option<Arc<dyn TokenSigner>>,
}

impl AwsProvider {
    /// A provider that has called nobody and read nothing yet: that happens with the first grant. Without a `signer`
    /// the road `web-identity` is closed.
    pub fn new(settings: AwsSettings, signer: Option<Arc<dyn TokenSigner>>) -> Self {
        Self {
            clients: Clients::new(settings),
            signer,
        }
    }

    async fn assume(&self, now: Timestamp, access: &RoleAccess) -> Result<Credential, ProviderError> {
        match access.binding.road {
            Road::AssumeRole => self.assume_as_ourselves(now, access).await,
            Road::WebIdentity => self.assume_by_token(now, access).await,
        }
    }

    /// The token goes to STS and nowhere else: whoever holds it picks how long a session lasts.
    async fn assume_by_token(&self, now: Timestamp, access: &RoleAccess) -> Result<Credential, ProviderError> {
        let signer = self.signer()?;
        let call = Call::new(now, access, Some(signer.issuer()))?;
        let client = self.clients.without_credentials(&access.binding.region).await;
        let token = signer.sign(now, &web_identity::statement(access)).await?;
        call.send_token(&client, now, &token).await
    }

    fn signer(&self) -> Result<&dyn TokenSigner, ProviderError> {
        let none = "this backend signs no tokens: say where its sealing key comes from in its configuration";
        self.signer
            .as_deref()
            .ok_or_else(|| ProviderError::Refused(none.to_owned()))
    }

    /// Whose tokens open roles, whatever the road of this one.
    fn issuer(&self) -> Option<&IssuerUrl> {
        self.signer.as_deref().map(TokenSigner::issuer)
    }

    async fn assume_as_ourselves(&self, now: Timestamp, access: &RoleAccess) -> Result<Credential, ProviderError> {
        let mut call = Call::new(now, access, self.issuer())?;
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
        session_policy::session_policy(&access.on_role()?, self.issuer()).map(drop)
    }

    /// Nobody to find: the session is given to whom we name.
    async fn resolve(
        &self,
        _now: Timestamp,
        _binding: &Binding,
        _beneficiary: Beneficiary<'_>,
    ) -> Result<Option<User>, ProviderError> {
        Ok(None)
    }

    /// Nothing to give: on this road access is a credential, and each is minted on demand.
    async fn grant(&self, _now: Timestamp, _access: &Access) -> Result<(), ProviderError> {
        Ok(())
    }

    /// One call with the final arguments, its answer thrown away: whatever STS would refuse, it refuses now.
    async fn verify(&self, now: Timestamp, access: &Access) -> Result<Presence, ProviderError> {
        self.assume(now, &access.on_role()?).await.map(|_| Presence::There)
    }

    /// Nothing to take away: credentials end by their session policy, and no more are minted.
    async fn revoke(&self, _now: Timestamp, _access: &Access) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn still_fits(&self, _now: Timestamp, _binding: &Binding) -> Result<(), ProviderError> {
        Ok(())
    }

    /// A session is no membership.
    async fn oust(&self, _now: Timestamp, _binding: &Binding, _user: &str) -> Result<(), ProviderError> {
        Ok(())
    }

    /// A session is no membership.
    async fn members(&self, _now: Timestamp, _binding: &Binding) -> Result<Vec<String>, ProviderError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Minter for AwsProvider {
    /// With `chain` the end of the grant does not bound it: what the session assumed goes on without the policy, so
    /// the credential's own life is said.
    fn works_until(&self, now: Timestamp, access: &RoleAccess) -> Timestamp {
        let slack = i64::from(SLACK_S) * 1000;
        let life = i64::from(duration_s(now, access)) * 1000;
        let latest = Timestamp::from_millis(now.millis().saturating_add(life).saturating_add(slack));
        if access.binding.chain {
            latest
        } else {
            latest.min(end_of(access.ends_at))
        }
    }

    async fn mint(&self, now: Timestamp, access: &RoleAccess) -> Result<Credential, ProviderError> {
        self.assume(now, access).await
    }
}

#[cfg(test)]
mod tests {
    use super::sample::{access, now};
    use super::*;

    fn works_until(access: &RoleAccess) -> String {
        AwsProvider::new(AwsSettings::default(), None)
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
