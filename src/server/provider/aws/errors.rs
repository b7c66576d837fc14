//! What STS's refusals mean, in words that say what to do.
//! Owns the mapping of its codes. Refuses secrets: only the code and STS's own message are ever repeated.

use std::error::Error;

use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};

use super::call::Call;
use super::web_identity::AUDIENCE;
use crate::domain::Road;
use crate::domain::text::shown;
use crate::server::provider::ProviderError;
use crate::server::provider::aws_sdk::{said, unanswered};

/// What a failed call means.
pub fn explain<E>(call: &Call, error: &SdkError<E>) -> ProviderError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let region = &call.region;
    match error {
        SdkError::ServiceError(refused) => {
            let status = refused.raw().status().as_u16();
            explain_answer(call, status, refused.err().code(), refused.err().message())
        }
        _ => unanswered(&format!("STS in {region}"), error),
    }
}

fn explain_answer(call: &Call, status: u16, code: Option<&str>, message: Option<&str>) -> ProviderError {
    let Call {
        region,
        role_arn,
        duration_s,
        ..
    } = call;
    let said = said(message);
    match code.unwrap_or_default() {
        "Throttling" | "ThrottlingException" | "RequestLimitExceeded" | "TooManyRequestsException" | "SlowDown" => {
            ProviderError::Throttled(format!("STS in {region} takes no more calls for now{said}"))
        }
        "PackedPolicyTooLarge" | "PackedPolicyTooLargeException" => ProviderError::PolicyTooLarge(format!(
            "STS packs it and finds it over its limit; use fewer or shorter --only, or shorten `never`{said}"
        )),
        "AccessDenied" | "AccessDeniedException" => ProviderError::Refused(denied(call, &said)),
        "NoSuchEntity" | "NoSuchEntityException" => ProviderError::Refused(format!(
            "there is no role {role_arn}; correct the target in the catalogue{said}"
        )),
        "ValidationError" | "ValidationException" if is_about_duration(message) => ProviderError::Refused(format!(
            "{duration_s} s are longer than {role_arn} allows; lower `session` of the target in the catalogue, or raise \
             the role's maximum session duration{said}"
        )),
        "MalformedPolicyDocument" | "MalformedPolicyDocumentException" => ProviderError::Refused(format!(
            "STS does not understand the session policy; look at --only and at `never` of the target{said}"
        )),
        "RegionDisabledException" | "RegionDisabled" => ProviderError::Refused(format!(
            "STS is switched off in {region} for the backend's account; switch it on there, or give the target another \
             region{said}"
        )),
        "InvalidIdentityToken" | "InvalidIdentityTokenException" | "IDPRejectedClaim" | "IDPRejectedClaimException" => {
            ProviderError::Refused(format!(
                "AWS does not accept the token of our issuer: look at the OIDC provider of the account (address, \
                 audience {AUDIENCE}) and at what is published: jit aws check{said}"
            ))
        }
        "IDPCommunicationError" | "IDPCommunicationErrorException" => ProviderError::Unreachable(format!(
            "AWS could not fetch what our issuer publishes; it is tried again{said}"
        )),
        "ExpiredToken" | "ExpiredTokenException" => ProviderError::Refused(match call.road {
            Road::AssumeRole => format!("the backend's own AWS credentials have expired; renew them{said}"),
            Road::WebIdentity => format!("AWS finds the token expired; check the backend's clock{said}"),
        }),
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken" => ProviderError::Refused(format!(
            "STS does not accept the backend's own AWS credentials; check the key and its secret{said}"
        )),
        "" if (300..400).contains(&status) => ProviderError::Unreachable(format!(
            "STS in {region} answered {status}; redirects are not followed: check the endpoint"
        )),
        "" if status == 429 => ProviderError::Throttled(format!("STS in {region} takes no more calls for now")),
        "" => ProviderError::Unreachable(format!(
            "what answers as STS in {region} is not STS: status {status} without a cause; check the endpoint"
        )),
        code if status >= 500 => {
            ProviderError::Unreachable(format!("STS in {region} failed with {status} {}{said}", shown(code)))
        }
        code => ProviderError::Refused(format!("STS in {region} refused {role_arn} with {}{said}", shown(code))),
    }
}

/// STS does not tell a role that is missing from one that does not trust us.
fn denied(call: &Call, said: &str) -> String {
    let role_arn = &call.role_arn;
    match call.road {
        Road::AssumeRole => format!(
            "STS does not let the backend assume {role_arn}: the role does not exist, its trust policy does not allow \
             the backend sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity, or the backend's own policy does not{said}"
        ),
        Road::WebIdentity => format!(
            "STS does not let our token into {role_arn}: the role does not exist, or its trust policy does not allow our \
             issuer sts:AssumeRoleWithWebIdentity, sts:TagSession and sts:SetSourceIdentity for this `sub` and `aud`: \
             jit aws check{said}"
        ),
    }
}

/// Both a role's maximum and the hour of a chained session are ValidationErrors; their text alone tells them apart.
fn is_about_duration(message: Option<&str>) -> bool {
    message.is_some_and(|m| {
        m.contains("MaxSessionDuration") || m.contains("session limit") || m.contains("durationSeconds")
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample::{access, now};
    use super::*;

    fn explained(status: u16, code: &str, message: &str) -> ProviderError {
        let call = Call::new(now(), &access(&[]), None).unwrap();
        explain_answer(&call, status, Some(code).filter(|c| !c.is_empty()), Some(message))
    }

    #[test]
    fn refusals_say_cause_and_what_to_do() {
        let duration = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        for (code, message, parts) in [
            (
                "AccessDenied",
                "User: arn:aws:iam::1:user/x",
                ["role/jit/jit-prod-admin", "User: arn:aws:iam::1:user/x"],
            ),
            ("ValidationError", duration, ["3600 s", "lower `session`"]),
            ("RegionDisabledException", "", ["us-east-1", "switch it on"]),
            ("ExpiredToken", "", ["own AWS credentials have expired", "renew"]),
            ("InvalidClientTokenId", "", ["own AWS credentials", "check the key"]),
            ("MalformedPolicyDocument", "Syntax", ["session policy", "Syntax"]),
            (
                "ValidationError",
                "1 validation error detected",
                ["ValidationError", "1 validation error"],
            ),
        ] {
            let ProviderError::Refused(text) = explained(400, code, message) else {
                panic!("{code} is no refusal");
            };
            assert!(parts.iter().all(|part| text.contains(part)), "{code}: {text}");
        }
    }

    #[test]
    fn refusals_of_a_token_say_where_to_look() {
        let mut by_token = access(&[]);
        by_token.binding.road = Road::WebIdentity;
        let call = Call::new(now(), &by_token, None).unwrap();
        for (code, part) in [
            ("AccessDenied", "sts:AssumeRoleWithWebIdentity"),
            ("InvalidIdentityToken", "audience sts.amazonaws.com"),
            ("IDPRejectedClaim", "what is published"),
            ("ExpiredTokenException", "check the backend's clock"),
        ] {
            let ProviderError::Refused(text) = explain_answer(&call, 400, Some(code), None) else {
                panic!("{code} is no refusal");
            };
            assert!(text.contains(part), "{code}: {text}");
        }
        let lost = explain_answer(&call, 400, Some("IDPCommunicationError"), None);
        assert!(lost.is_transient(), "{lost}");
    }

    #[test]
    fn only_a_clear_no_counts_as_refused() {
        assert!(matches!(
            explained(400, "Throttling", "Rate exceeded"),
            ProviderError::Throttled(_)
        ));
        assert!(matches!(explained(429, "", ""), ProviderError::Throttled(_)));
        assert!(matches!(
            explained(400, "PackedPolicyTooLarge", "137%"),
            ProviderError::PolicyTooLarge(_)
        ));
        for (status, code) in [
            (500, "InternalFailure"),
            (503, "ServiceUnavailable"),
            (502, ""),
            (302, ""),
            (200, ""),
            (404, ""),
        ] {
            assert!(
                matches!(explained(status, code, ""), ProviderError::Unreachable(_)),
                "{status} {code}"
            );
        }
    }

    #[test]
    fn foreign_message_is_cut_and_moves_no_cursor() {
        let text = explained(400, "Odd\x1b[2J", &format!("\x1b[2J{}", "x".repeat(9_000))).to_string();
        assert!(!text.contains('\x1b') && text.len() < 600, "{text}");
    }
}
