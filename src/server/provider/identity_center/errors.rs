//! What the refusals of Identity Center, its identity store and Organizations mean, in words that say what to do.
//! Owns the mapping of their codes. Refuses to take what it does not know for "nothing is there": that is tried again.

use std::error::Error;

use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};

use crate::domain::text::shown;
use crate::server::provider::ProviderError;
use crate::server::provider::aws_sdk::{said, unanswered};

/// A call, in the words in which its failure is told.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// What IAM calls it: `sso:CreateAccountAssignment`.
    pub action: &'static str,
    /// What it is about: `permission set Admin in account 111111111111`.
    pub about: &'a str,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Too many calls; nothing came of this one.
    Throttled(String),
    /// Its turn did not come: nobody was asked.
    Waiting(String),
    /// Something else is being done to the same; nothing came of this one.
    Conflict(String),
    /// What it names is not there, or not here.
    Missing(String),
    /// Anything else.
    Other(ProviderError),
}

impl From<Failure> for ProviderError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Throttled(text) => Self::Throttled(text),
            Failure::Waiting(text) => Self::Waiting(text),
            // what the other change will leave behind is not known
            Failure::Conflict(text) => Self::Unreachable(text),
            Failure::Missing(text) => Self::Refused(text),
            Failure::Other(error) => error,
        }
    }
}

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        Self::Other(error)
    }
}

impl Failure {
    /// Whether the same call can succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Throttled(_) | Self::Waiting(_) | Self::Conflict(_) => true,
            Self::Missing(_) => false,
            Self::Other(error) => error.is_transient(),
        }
    }
}

/// What a failed call means.
pub fn explain<E>(asked: &Asked<'_>, region: &str, error: &SdkError<E>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(refused) => {
            let status = refused.raw().status().as_u16();
            explain_answer(asked, region, status, refused.err().code(), refused.err().message())
        }
        _ => Failure::Other(unanswered(
            &format!("AWS in {region}, asked for {},", asked.action),
            error,
        )),
    }
}

fn explain_answer(
    Asked { action, about }: &Asked<'_>,
    region: &str,
    status: u16,
    code: Option<&str>,
    message: Option<&str>,
) -> Failure {
    let said = said(message);
    let refused = |text: String| Failure::Other(ProviderError::Refused(text));
    let unknown = |text: String| Failure::Other(ProviderError::Unreachable(text));
    match code.unwrap_or_default() {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "SlowDown" => Failure::Throttled(format!("AWS in {region} takes no more {action} for now{said}")),
        "ConflictException" | "ConcurrentModificationException" => Failure::Conflict(format!(
            "another change to {about} is in progress; {action} is tried again{said}"
        )),
        "ResourceNotFoundException"
        | "AccountNotFoundException"
        | "ChildNotFoundException"
        | "ParentNotFoundException"
        | "TargetNotFoundException"
        | "OrganizationalUnitNotFoundException" => Failure::Missing(format!(
            "{action} finds no {about} in {region}; correct the catalogue{said}"
        )),
        "AccessDenied" | "AccessDeniedException" => refused(format!(
            "AWS does not let the backend do {action} on {about}: allow it in the policy of the backend's role, which \
             belongs in the management account or the delegated administrator of Identity Center{said}"
        )),
        "ValidationException" | "ValidationError" | "InvalidInputException" => refused(format!(
            "AWS does not understand {action} on {about} in {region}; correct the catalogue{said}"
        )),
        "ServiceQuotaExceededException" => refused(format!(
            "a quota of Identity Center leaves no room for {about}; ask AWS to raise it{said}"
        )),
        "AWSOrganizationsNotInUseException" => refused(format!(
            "the backend's AWS account is in no organization; run it in the organization of {about}{said}"
        )),
        "ExpiredToken" | "ExpiredTokenException" => refused(format!(
            "the backend's own AWS credentials have expired; renew them{said}"
        )),
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => refused(format!(
            "AWS does not accept the backend's own AWS credentials; check the key, its secret and the clock{said}"
        )),
        "" if status == 429 => Failure::Throttled(format!("AWS in {region} takes no more {action} for now")),
        "" => unknown(format!(
            "what answers as AWS in {region} is not AWS: status {status} without a cause; check the endpoint"
        )),
        // InternalServerException and its kin; and whatever AWS adds one day. To take it for a refusal would end a grant
        // of which something may be there, to take it for "gone" would leave it there.
        code => unknown(format!("{action} failed with {status} {}{said}", shown(code))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(status: u16, code: &str, message: &str) -> Failure {
        let asked = Asked {
            action: "sso:DeleteAccountAssignment",
            about: "permission set Admin in account 111111111111",
        };
        let code = Some(code).filter(|code| !code.is_empty());
        explain_answer(&asked, "eu-west-1", status, code, Some(message))
    }

    #[test]
    fn refusals_name_action_and_what_to_do() {
        for (code, parts) in [
            (
                "AccessDeniedException",
                ["sso:DeleteAccountAssignment", "allow it in the policy"],
            ),
            (
                "ValidationException",
                ["sso:DeleteAccountAssignment", "correct the catalogue"],
            ),
            ("ServiceQuotaExceededException", ["account 111111111111", "raise it"]),
            ("ExpiredTokenException", ["credentials have expired", "renew them"]),
            ("UnrecognizedClientException", ["own AWS credentials", "check the key"]),
            ("AWSOrganizationsNotInUseException", ["in no organization", "run it in"]),
        ] {
            let Failure::Other(ProviderError::Refused(text)) = explained(400, code, "said so") else {
                panic!("{code} is no refusal");
            };
            assert!(parts.iter().all(|part| text.contains(part)), "{code}: {text}");
            assert!(text.contains("(said so)"), "{text}");
        }
    }

    #[test]
    fn busy_answers_are_throttled_or_in_conflict() {
        for code in ["ThrottlingException", "TooManyRequestsException", "Throttling"] {
            assert!(matches!(explained(400, code, ""), Failure::Throttled(_)), "{code}");
        }
        assert!(matches!(explained(429, "", ""), Failure::Throttled(_)));
        let conflict = explained(400, "ConflictException", "");
        assert!(matches!(conflict, Failure::Conflict(_)));
        assert!(ProviderError::from(conflict).is_transient());
    }

    #[test]
    fn unknown_answer_is_never_taken_for_gone() {
        for (status, code) in [
            (500, "InternalServerException"),
            (503, "ServiceUnavailable"),
            (400, "SomethingNewException"),
            (404, "UnknownOperationException"),
            (404, ""),
            (200, ""),
            (302, ""),
        ] {
            let known = explained(status, code, "");
            assert!(
                matches!(known, Failure::Other(ProviderError::Unreachable(_))),
                "{status} {code}"
            );
        }
    }

    #[test]
    fn foreign_message_moves_no_cursor() {
        let text = ProviderError::from(explained(400, "Odd\x1b[2J", "\x1b[2J")).to_string();
        assert!(!text.contains('\x1b'), "{text}");
    }
}
