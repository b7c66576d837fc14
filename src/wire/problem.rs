//! Errors on the wire: RFC 9457 problem details with a stable code.

use serde::{Deserialize, Serialize};

pub use crate::domain::refusal::Code;
use crate::domain::refusal::Refusal;

/// Media type of a problem (RFC 9457, section 3).
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Why policy refused: the policy and what it advises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct PolicyReason {
    /// Id of the policy, such as `base.reason`.
    pub policy: String,
    /// Its advice to the person.
    pub advice: Option<String>,
}

/// What signing in again has to show (RFC 9470).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct StepUp {
    /// How long ago a second factor may have been shown, in seconds.
    pub max_age_s: u32,
    /// Classes of signing in that count as one, as the identity provider names them; empty where it says so otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acr_values: Vec<String>,
}

/// A problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Stable and dotted; the only part that programs read.
    pub code: String,
    /// HTTP status.
    pub status: u16,
    /// What failed, in a few words.
    pub title: String,
    /// More of it, where there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to do, in words. Never a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Finds the call in the backend's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Which policies refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<PolicyReason>,
    /// The request that stands in the way or was meant, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The longest duration that would do, in seconds; absent where none would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_s: Option<u32>,
    /// Names near the one that was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nearest: Vec<String>,
    /// What would do, where a second factor is too old, or nobody used the session for long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_up: Option<StepUp>,
}

impl Problem {
    /// A problem of `code` that says `title`.
    pub fn new(code: Code, title: impl Into<String>) -> Self {
        Self {
            code: code.as_str().to_owned(),
            status: status(code),
            title: title.into(),
            detail: None,
            hint: None,
            trace_id: None,
            reasons: Vec::new(),
            request: None,
            cap_s: None,
            nearest: Vec::new(),
            step_up: None,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The code, if this version knows it.
    pub fn code(&self) -> Option<Code> {
        Code::parse(&self.code)
    }
}

impl From<&Refusal> for Problem {
    fn from(refusal: &Refusal) -> Self {
        let mut problem = Self::new(refusal.code(), refusal.to_string());
        problem.hint = refusal.hint().map(str::to_owned);
        match refusal {
            Refusal::OverCap { cap, .. } => problem.cap_s = Some(cap.secs()),
            Refusal::OverCapExtended { left, .. } => problem.cap_s = left.map(|left| left.secs()),
            Refusal::Differs { request, .. }
            | Refusal::AlreadyDecided { request, .. }
            | Refusal::VotedAlready { request }
            | Refusal::Changed { request }
            | Refusal::ExtendedOver { request }
            | Refusal::NotApprover { request } => problem.request = Some(request.to_string()),
            _ => {}
        }
        problem
    }
}

/// The HTTP status that goes with a code.
pub const fn status(code: Code) -> u16 {
    match code {
        Code::UsageDuration
        | Code::UsageText
        | Code::UsageTime
        | Code::UsageNarrowing
        | Code::UsageTicket
        | Code::UsageCommand
        | Code::UsageBody
        | Code::CallerUnknown => 400,
        Code::SessionUnknown
        | Code::SessionEnded
        | Code::SessionProof
        | Code::SessionNonce
        | Code::SessionCodeInvalid
        | Code::SessionDeviceUnknown
        | Code::SessionTokenInvalid
        | Code::SessionPending
        | Code::SessionDenied
        | Code::SessionStepUp
        | Code::SessionIdle => 401,
        Code::PolicyRefused
        | Code::PolicyOverCap
        | Code::PolicyOwnRequest
        | Code::PolicyNewDevice
        | Code::Forbidden
        | Code::Locked
        | Code::LockOwn
        | Code::LockSecondPerson => 403,
        Code::IdMalformed
        | Code::RequestNotFound
        | Code::GrantNotFound
        | Code::TargetNotFound
        | Code::PersonNotFound
        | Code::SessionNotFound
        | Code::LockNotFound
        | Code::PathNotFound => 404,
        Code::MethodNotAllowed => 405,
        Code::RequestAmbiguous
        | Code::TargetAmbiguous
        | Code::TargetUnresolved
        | Code::LockAmbiguous
        | Code::RequestAlreadyDecided
        | Code::RequestChanged
        | Code::RequestDiffers
        | Code::GrantNotLive
        | Code::GrantNarrowedOtherwise
        | Code::CredentialElsewhere => 409,
        Code::BodyTooLarge => 413,
        Code::HostUnknown => 421,
        Code::IdempotencyReused => 422,
        Code::VersionTooOld => 426,
        Code::RequestTooMany | Code::RateLimited => 429,
        Code::ServerFailed => 500,
        Code::ProviderRefused | Code::ProviderPolicyTooLarge | Code::ProviderClock => 502,
        Code::ProviderThrottled | Code::ProviderUnreachable | Code::SessionIssuer | Code::StoreUnavailable => 503,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_an_error_status() {
        for code in Code::ALL {
            assert!((400..600).contains(&status(*code)), "{code}");
        }
    }

    #[test]
    fn problem_reads_back_and_ignores_unknown_fields() {
        let text = r#"{"code":"policy.refused","status":403,"title":"no","new_field":1}"#;
        let problem: Problem = serde_json::from_str(text).unwrap();
        assert_eq!(problem.code(), Some(Code::PolicyRefused));
    }
}
