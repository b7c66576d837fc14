//! Why a use case did not do what was asked, and what the caller is told.
//! Owns the translation of refusals, policy answers, store and provider errors into problems.

use crate::domain::Refusal;
use crate::domain::text::shown;
use crate::policy::Decision;
use crate::server::provider::ProviderError;
use crate::server::store::StoreError;
use crate::wire::Problem;
use crate::wire::problem::{Code, PolicyReason};

/// Characters of what somebody sent that answers and the log repeat.
const LONGEST_REPEATED: usize = 120;

/// What somebody sent, cut and with nothing in it that could move a cursor.
pub fn repeated(given: &str) -> String {
    shown(&given.chars().take(LONGEST_REPEATED).collect::<String>())
}

/// A "no" or an error on its way to the caller.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What the caller is told.
    pub problem: Problem,
    /// What only the log is told.
    pub cause: Option<String>,
    /// Another change came first: load and decide again.
    pub is_conflict: bool,
    /// After how many seconds another try makes sense, where that is known.
    pub retry_after_s: Option<u32>,
}

impl Failure {
    /// A failure of `code` that says `title`.
    pub fn new(code: Code, title: impl Into<String>) -> Self {
        Problem::new(code, title).into()
    }

    /// Policy said no: which policies, with their advice.
    pub fn policy(decision: &Decision) -> Self {
        let reasons: Vec<PolicyReason> = decision
            .reasons
            .iter()
            .map(|r| PolicyReason {
                policy: r.policy.clone(),
                advice: r.advice.clone(),
            })
            .collect();
        let title = if let Some(error) = decision.errors.first() {
            format!("policy could not be decided: {error}")
        } else if let Some(advice) = reasons.iter().find_map(|r| r.advice.clone()) {
            advice.trim_end_matches('.').to_owned()
        } else if reasons.is_empty() {
            "policy permits this to nobody like you".to_owned()
        } else {
            "policy refuses".to_owned()
        };
        let mut problem = Problem::new(Code::PolicyRefused, title);
        problem.reasons = reasons;
        problem.into()
    }

    /// No such request, or none that the caller may see: the same words for both.
    pub fn no_request(given: &str) -> Self {
        Problem::new(Code::RequestNotFound, format!("no request {}", repeated(given)))
            .hint("list yours with status")
            .into()
    }

    /// No such grant, or none that the caller may see: the same words for both.
    pub fn no_grant(given: &str) -> Self {
        Problem::new(Code::GrantNotFound, format!("no grant {}", repeated(given)))
            .hint("list yours with status")
            .into()
    }

    /// Too much of something: come back after `wait_s` seconds.
    pub fn too_much(title: &str, wait_s: u32) -> Self {
        let mut failure = Self::new(Code::RateLimited, format!("{title}; wait {wait_s} s"));
        failure.retry_after_s = Some(wait_s);
        failure
    }

    /// Something that cannot be.
    pub fn broken(cause: impl Into<String>) -> Self {
        let mut failure = Self::new(Code::ServerFailed, "the backend failed");
        failure.cause = Some(cause.into());
        failure
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            cause: None,
            is_conflict: false,
            retry_after_s: None,
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Problem::from(&refusal).into()
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let (problem, is_conflict) = match &error {
            StoreError::Conflict | StoreError::Duplicate => (
                Problem::new(Code::RequestAlreadyDecided, "another change came first").hint("look again"),
                true,
            ),
            // deciding again would answer another question: the handler answers from what the key led to
            StoreError::Repeated => (
                Problem::new(Code::RequestAlreadyDecided, "the same call came first").hint("look again"),
                false,
            ),
            StoreError::Unavailable(_) => {
                let problem = Problem::new(Code::StoreUnavailable, "the backend cannot store anything now");
                (
                    problem.hint("nothing was changed; try again, and tell who runs the backend"),
                    false,
                )
            }
            StoreError::Unreadable(_) => (Problem::new(Code::ServerFailed, "the backend failed"), false),
        };
        Self {
            problem,
            cause: Some(error.to_string()),
            is_conflict,
            retry_after_s: None,
        }
    }
}

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        let code = match error {
            ProviderError::Refused(_) => Code::ProviderRefused,
            ProviderError::PolicyTooLarge(_) => Code::ProviderPolicyTooLarge,
            ProviderError::Throttled(_) | ProviderError::Waiting(_) => Code::ProviderThrottled,
            ProviderError::Unreachable(_) => Code::ProviderUnreachable,
            ProviderError::Clock { .. } => Code::ProviderClock,
        };
        Problem::new(code, error.to_string()).into()
    }
}

/// Runs an async block again while another change came first. Two approvers at once are the common case; eight tries
/// in a row mean that something else is wrong. A macro, because the future of an async closure that borrows is not
/// known to be `Send`.
macro_rules! settled {
    ($attempt:expr) => {{
        let mut tries = 8_u32;
        loop {
            let answer: Result<_, crate::server::failure::Failure> = $attempt.await;
            tries -= 1;
            match answer {
                Err(failure) if failure.is_conflict && tries > 0 => {}
                answer => break answer,
            }
        }
    }};
}

pub(crate) use settled;
