//! One call of STS: the arguments that a grant leads to, and its answer as a credential.
//! Owns the 900 s floor and the longest chained session. Refuses half an answer, a redirect and a foreign clock.

use std::time::Instant;

use aws_sdk_sts::Client;
use aws_sdk_sts::types::{Credentials, Tag};
use secrecy::{ExposeSecret, SecretString};

use super::answer_date::AnswerDate;
use super::errors::explain;
use super::names::{REQUEST_TAG, is_handed_on, is_traced, session_name};
use super::session_policy::{end_of, session_policy};
use crate::config::IssuerUrl;
use crate::domain::{Road, Timestamp, Trace};
use crate::server::provider::{Credential, ProviderError, RoleAccess};

/// STS: shortest `DurationSeconds`.
const SHORTEST_S: u32 = 900;

/// STS: longest session of a role that is assumed from an assumed role ("role chaining").
pub const LONGEST_CHAINED_S: u32 = 3_600;

/// The arguments of one `AssumeRole` or `AssumeRoleWithWebIdentity`.
#[derive(Clone, Debug)]
pub struct Call {
    /// The region whose STS is called.
    pub region: String,
    /// `RoleArn`.
    pub role_arn: String,
    /// `DurationSeconds`.
    pub duration_s: u32,
    /// With what we come.
    pub road: Road,
    session_name: String,
    policy: String,
    source_identity: String,
    request: String,
    trace: Trace,
    ends_at: Timestamp,
}

/// `max(900, min(session, remaining))`: below the floor, the session policy alone makes the end exact. A second that has
/// begun counts whole, so that the last credential of a grant reaches its end and nothing is renewed for one second more.
pub fn duration_s(now: Timestamp, access: &RoleAccess) -> u32 {
    let remaining = end_of(access.ends_at).since(now.whole_second());
    access.binding.session.secs().min(remaining).max(SHORTEST_S)
}

impl Call {
    /// The arguments that `access` leads to, where `issuer` is ours.
    ///
    /// # Errors
    /// [`ProviderError::PolicyTooLarge`]; [`ProviderError::Refused`] once the grant's end has come.
    pub fn new(now: Timestamp, access: &RoleAccess, issuer: Option<&IssuerUrl>) -> Result<Self, ProviderError> {
        if now >= end_of(access.ends_at) {
            return Err(ProviderError::Refused(format!("access ended at {}", access.ends_at)));
        }
        Ok(Self {
            region: access.binding.region.clone(),
            role_arn: access.binding.role_arn.clone(),
            duration_s: duration_s(now, access),
            road: access.binding.road,
            session_name: session_name(&access.person_name, &access.request),
            policy: session_policy(access, issuer)?,
            source_identity: access.person.as_str().to_owned(),
            request: access.request.as_str().to_owned(),
            trace: access.binding.trace,
            ends_at: end_of(access.ends_at),
        })
    }

    /// Calls `AssumeRole` once.
    ///
    /// # Errors
    /// What STS's answer means, [`ProviderError::Clock`] first: with clocks apart no other answer can be trusted.
    pub async fn send(&self, client: &Client, now: Timestamp) -> Result<Credential, ProviderError> {
        let date = AnswerDate::default();
        let began = Instant::now();
        let mut call = client
            .assume_role()
            .role_arn(&self.role_arn)
            .role_session_name(&self.session_name)
            .policy(&self.policy)
            .duration_seconds(i32::try_from(self.duration_s).unwrap_or(i32::MAX));
        if is_traced(self.trace) {
            let tag = Tag::builder().key(REQUEST_TAG).value(&self.request).build();
            call = call.source_identity(&self.source_identity);
            call = call.tags(tag.map_err(|e| ProviderError::Refused(e.to_string()))?);
        }
        if is_handed_on(self.trace) {
            call = call.transitive_tag_keys(REQUEST_TAG);
        }
        let answer = call.customize().interceptor(date.clone()).send().await;
        let clocks = date.check(now, began.elapsed());
        let answer = answer.map(|answer| answer.credentials);
        self.answered(answer.map_err(|error| explain(self, &error)), clocks)
    }

    /// Calls `AssumeRoleWithWebIdentity` once, unsigned: tag and source identity stand in the token.
    ///
    /// # Errors
    /// As [`Call::send`].
    pub async fn send_token(
        &self,
        client: &Client,
        now: Timestamp,
        token: &SecretString,
    ) -> Result<Credential, ProviderError> {
        let date = AnswerDate::default();
        let began = Instant::now();
        let call = client
            .assume_role_with_web_identity()
            .role_arn(&self.role_arn)
            .role_session_name(&self.session_name)
            .policy(&self.policy)
            .duration_seconds(i32::try_from(self.duration_s).unwrap_or(i32::MAX))
            .web_identity_token(token.expose_secret());
        let answer = call.customize().interceptor(date.clone()).send().await;
        let clocks = date.check(now, began.elapsed());
        let answer = answer.map(|answer| answer.credentials);
        self.answered(answer.map_err(|error| explain(self, &error)), clocks)
    }

    /// With clocks apart no answer can be trusted, whatever it says.
    fn answered(
        &self,
        answer: Result<Option<Credentials>, ProviderError>,
        clocks: Result<(), ProviderError>,
    ) -> Result<Credential, ProviderError> {
        match (answer, clocks) {
            (Ok(given), Ok(())) => self.credential(given.as_ref()),
            (Ok(_), Err(apart)) | (Err(_), Err(apart @ ProviderError::Clock { .. })) => Err(apart),
            (Err(error), _) => Err(error),
        }
    }

    /// The credential in an answer; the grant's end included, so that nobody uses it past what AWS will allow.
    fn credential(&self, given: Option<&Credentials>) -> Result<Credential, ProviderError> {
        // The SDK fills what is missing with empty words and 1970.
        let whole = given.filter(|c| {
            !c.access_key_id().is_empty() && !c.secret_access_key().is_empty() && !c.session_token().is_empty()
        });
        let Some((whole, expiration_s)) = whole.map(|c| (c, c.expiration().secs())).filter(|(_, s)| *s > 0) else {
            return Err(ProviderError::Unreachable(format!(
                "STS in {} answered without a whole credential",
                self.region
            )));
        };
        Ok(Credential {
            access_key_id: whole.access_key_id().to_owned(),
            secret_access_key: whole.secret_access_key().into(),
            session_token: whole.session_token().into(),
            expires_at: Timestamp::from_millis(expiration_s.saturating_mul(1000)).min(self.ends_at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{access, now};
    use super::*;

    #[test]
    fn duration_keeps_floor_session_and_remaining_time() {
        for (ends_at, seconds) in [
            ("2026-11-20T12:00:20Z", 900),
            ("2026-11-20T12:15:01Z", 901),
            ("2026-11-20T12:59:59.9Z", 3599),
            ("2026-11-20T20:00:00Z", 3600),
        ] {
            let mut asked = access(&[]);
            asked.ends_at = Timestamp::parse(ends_at).unwrap();
            assert_eq!(duration_s(now(), &asked), seconds, "{ends_at}");
        }
    }

    #[test]
    fn last_credential_of_a_grant_reaches_its_end() {
        let mut asked = access(&[]);
        asked.ends_at = Timestamp::parse("2026-11-20T12:30:00Z").unwrap();
        let within_a_second = Timestamp::parse("2026-11-20T12:00:00.400Z").unwrap();
        assert_eq!(duration_s(within_a_second, &asked), 1800);
    }

    #[test]
    fn nothing_is_asked_once_the_end_has_come() {
        let mut over = access(&[]);
        over.ends_at = Timestamp::parse("2026-11-20T12:00:00.900Z").unwrap();
        assert!(matches!(Call::new(now(), &over, None), Err(ProviderError::Refused(_))));
    }
}
