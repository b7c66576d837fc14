//! What our own STS mock answers: the shapes of the AWS STS API reference, `AssumeRole` and
//! `AssumeRoleWithWebIdentity`, answers and errors.

use std::time::Duration;

use jiff::Timestamp;

use super::sts_recorder::StsCall;

/// How the mock answers one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StsAnswer {
    /// Credentials for the duration that was asked for.
    Grant,
    /// The role is not there, or its trust policy does not name us: STS does not tell which.
    AccessDenied,
    /// The duration is above the role's maximum.
    DurationTooLong,
    /// Session policy and tags do not fit.
    PolicyTooLarge,
    /// Too many calls.
    Throttled,
    /// The caller's own credentials have expired.
    ExpiredToken,
    /// HTTP 500 without a body.
    InternalFailure,
    /// Not XML at all.
    Junk,
    /// The connection is cut in the middle of the answer.
    Half,
    /// A redirect to another path of the same mock.
    Redirect,
    /// A grant that waits until [`super::StsRecorder::release`].
    Held,
    /// AWS does not accept the token.
    InvalidToken,
    /// A grant from an STS whose clock is ahead of ours by this.
    ClockAhead(Duration),
}

/// Status and body.
pub(super) fn render(answer: &StsAnswer, call: &StsCall, number: usize) -> (u16, String) {
    match answer {
        StsAnswer::Grant | StsAnswer::Held | StsAnswer::Half | StsAnswer::ClockAhead(_) => (200, granted(call, number)),
        StsAnswer::AccessDenied => {
            let text = format!(
                "User: arn:aws:sts::000000000000:assumed-role/jit/backend is not authorized to perform: sts:AssumeRole on resource: {}",
                call.param("RoleArn")
            );
            (403, error("AccessDenied", &text))
        }
        StsAnswer::DurationTooLong => (
            400,
            error(
                "ValidationError",
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            ),
        ),
        StsAnswer::PolicyTooLarge => (
            400,
            error(
                "PackedPolicyTooLarge",
                "Packed size of session tags and policies is 137% of the allowed limit.",
            ),
        ),
        StsAnswer::Throttled => (400, error("Throttling", "Rate exceeded")),
        StsAnswer::ExpiredToken => (
            403,
            error("ExpiredToken", "The security token included in the request is expired"),
        ),
        StsAnswer::InvalidToken => (
            400,
            error(
                "InvalidIdentityToken",
                "No OpenIDConnect provider found in your account for https://jit.example",
            ),
        ),
        StsAnswer::InternalFailure => (500, String::new()),
        StsAnswer::Redirect => (307, String::new()),
        StsAnswer::Junk => (200, "<html>this is no STS</html>".to_owned()),
    }
}

fn error(code: &str, message: &str) -> String {
    format!(
        r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"#
    )
}

fn granted(call: &StsCall, number: usize) -> String {
    let seconds: i64 = call.param("DurationSeconds").parse().unwrap_or(3600);
    let expiration = Timestamp::from_second(Timestamp::now().as_second() + seconds).unwrap();
    let (role, session) = (call.param("RoleArn"), call.param("RoleSessionName"));
    let account = role.split(':').nth(4).unwrap_or_default();
    let name = role.rsplit('/').next().unwrap_or_default();
    let action = call.param("Action");
    format!(
        r#"<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result><AssumedRoleUser><AssumedRoleId>AROAMOCK000000000000:{session}</AssumedRoleId><Arn>arn:aws:sts::{account}:assumed-role/{name}/{session}</Arn></AssumedRoleUser><Credentials><AccessKeyId>ASIAMOCK{number:012}</AccessKeyId><SecretAccessKey>mock-secret-{number}</SecretAccessKey><SessionToken>mock-token-{number}</SessionToken><Expiration>{expiration}</Expiration></Credentials><SourceIdentity>{source}</SourceIdentity><PackedPolicySize>6</PackedPolicySize></{action}Result><ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata></{action}Response>"#,
        source = call.param("SourceIdentity"),
    )
}
