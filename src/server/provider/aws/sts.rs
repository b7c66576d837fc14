//! One call of STS, and its answer as a credential.
//! Owns what is sent and what counts as an answer. Refuses half an answer, a redirect and a foreign clock.

use std::time::Instant;

use aws_sdk_sts::Client;
use aws_sdk_sts::types::{Credentials, Tag};
use secrecy::{ExposeSecret, SecretString};

use super::answer_date::AnswerDate;
use super::call::Call;
use super::errors::explain;
use super::names::{REQUEST_TAG, is_handed_on, is_traced};
use crate::domain::Timestamp;
use crate::server::provider::{Credential, ProviderError};

impl Call {
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
