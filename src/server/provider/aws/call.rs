//! The arguments that a grant leads to when STS is called.
//! Owns the 900 s floor and the longest chained session. Refuses to call: `sts` does.

use super::names::session_name;
use super::session_policy::{end_of, session_policy};
use crate::config::IssuerUrl;
use crate::domain::{Road, Timestamp, Trace};
use crate::server::provider::{ProviderError, RoleAccess};

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
    /// `RoleSessionName`.
    pub(super) session_name: String,
    /// `Policy`, the time box.
    pub(super) policy: String,
    /// `SourceIdentity`.
    pub(super) source_identity: String,
    /// The request, which the tag carries.
    pub(super) request: String,
    /// What is set beside it.
    pub(super) trace: Trace,
    /// The end that the policy boxes.
    pub(super) ends_at: Timestamp,
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
