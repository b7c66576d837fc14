//! Why a call got no answer, or none that makes sense, in words that say what to do.
//! Owns what is the same for every service. Refuses secrets: of a service only its own message is ever repeated, cut.

use std::error::Error;

use aws_sdk_sts::error::SdkError;

use crate::domain::text::shown;
use crate::network::Cause;
use crate::server::provider::ProviderError;

/// Longest piece of a service's own message that is repeated, in characters.
const LONGEST_MESSAGE: usize = 400;

/// What a call means that `service` (`STS in us-east-1`) did not answer with a refusal of its own.
pub fn unanswered<E>(service: &str, error: &SdkError<E>) -> ProviderError
where
    E: Error + 'static,
{
    match error {
        SdkError::TimeoutError(_) => {
            ProviderError::Unreachable(format!("{service} did not answer in time; it is tried again"))
        }
        SdkError::ResponseError(half) => {
            let status = half.raw().status().as_u16();
            ProviderError::Unreachable(format!("{service} answered {status} and then nothing that makes sense"))
        }
        _ => unsent(service, error),
    }
}

/// The call never got an answer: no credentials to sign it with, or no way there.
fn unsent(service: &str, error: &(dyn Error + 'static)) -> ProviderError {
    let mut last = error;
    let mut causes = format!("{error:?}");
    while let Some(cause) = last.source() {
        last = cause;
        causes.push_str(&format!("{cause:?}"));
    }
    // The SDK does not export the types; their names are all there is, and are not repeated.
    let names = |word: &str| causes.contains(word);
    if names("CredentialsNotLoaded") || names("NoIdentityResolver") || names("NoMatchingAuthSchemeError") {
        return ProviderError::Refused(
            "the backend has no AWS credentials; give it a role, a profile or AWS_ACCESS_KEY_ID and its fellows".into(),
        );
    }
    if names("ProviderTimedOut") || names("InvalidConfiguration") || names("ProviderError") {
        return ProviderError::Unreachable(
            "the backend's own AWS credentials could not be loaded; look at its profile, its role or their endpoint"
                .into(),
        );
    }
    let cause = Cause::of(error);
    let words = said(Some(&cause.words(None)));
    let mend = cause.mend().map(|mend| format!("; {mend}")).unwrap_or_default();
    ProviderError::Unreachable(format!("{service} cannot be reached{words}{mend}"))
}

/// A service's own words, cut, with nothing in them that could move a cursor.
pub fn said(message: Option<&str>) -> String {
    match message.map(str::trim) {
        None | Some("") => String::new(),
        Some(message) => format!(
            " ({})",
            shown(&message.chars().take(LONGEST_MESSAGE).collect::<String>())
        ),
    }
}
