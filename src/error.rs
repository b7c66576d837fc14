//! What a command fails with: an exit code, a stable code, a message, what to do next.
//! Owns the table from wire codes to exit codes. Refuses to print (`ui` does) and to end the process (`main` does).

use std::fmt;

use crate::domain::refusal::{Code, Refusal};
use crate::wire::Problem;

/// How a command ends. The numbers are a contract: scripts read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Done; also when whoever reads our output closed it.
    Done = 0,
    /// Something that nobody foresaw.
    Unexpected = 1,
    /// A command line that can never be right.
    Usage = 2,
    /// Configuration, or a file that is refused.
    Configuration = 3,
    /// Nobody is signed in, or the session ended.
    SignedOut = 4,
    /// Policy said no.
    Refused = 5,
    /// An approver said no.
    Denied = 6,
    /// Nobody decided in time.
    TooLate = 7,
    /// The backend cannot be reached, or is none.
    Unreachable = 8,
    /// The provider failed.
    Provider = 9,
    /// Not found, or decided, cancelled, changed, ended already.
    Gone = 10,
    /// `exec`: something of ours failed, so the command's own code is not known.
    Own = 125,
    /// `exec`: what was to be run cannot be.
    CannotRun = 126,
    /// `exec`: there is no such command.
    NoSuchCommand = 127,
    /// The interrupt key.
    Interrupted = 130,
}

impl Exit {
    /// Every code with its meaning, as the man page has it.
    pub const ALL: &[(Exit, &str)] = &[
        (Self::Done, "done"),
        (
            Self::Unexpected,
            "unexpected failure, with the backend's trace id; or what a check found is not well",
        ),
        (
            Self::Usage,
            "usage: also whatever can never be right, such as a malformed duration or an empty reason",
        ),
        (
            Self::Configuration,
            "configuration; files refused for owner, mode or link; a version too old",
        ),
        (Self::SignedOut, "not signed in, or the session ended"),
        (Self::Refused, "refused by policy"),
        (Self::Denied, "denied by an approver"),
        (
            Self::TooLate,
            "no decision in time: still pending, or the request expired",
        ),
        (
            Self::Unreachable,
            "backend unreachable, busy, or what answers is no jit backend: worth a retry",
        ),
        (
            Self::Provider,
            "the provider failed: approved, but access could not be given or taken",
        ),
        (
            Self::Gone,
            "not found, already decided, cancelled, changed, differs from what is pending, or no live grant",
        ),
        (
            Self::Own,
            "`exec`: failed before or beside the command; `exit` in the JSON has the code as above",
        ),
        (Self::CannotRun, "`exec`: the command cannot be run"),
        (Self::NoSuchCommand, "`exec`: there is no such command"),
        (Self::Interrupted, "interrupted; the request stays open"),
    ];

    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The number, where another command's code may be meant: whatever is ours is 125 then.
    pub const fn code_where(self, runs_another: bool) -> u8 {
        if runs_another && !matches!(self, Self::Done | Self::CannotRun | Self::NoSuchCommand) {
            Self::Own.code()
        } else {
            self.code()
        }
    }
}

/// The exit code that goes with a code of the wire.
pub const fn exit_of(code: Code) -> Exit {
    match code {
        Code::UsageDuration
        | Code::UsageText
        | Code::UsageTime
        | Code::UsageNarrowing
        | Code::UsageTicket
        | Code::UsageCommand
        | Code::UsageBody
        | Code::BodyTooLarge => Exit::Usage,
        Code::VersionTooOld => Exit::Configuration,
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
        | Code::SessionIdle => Exit::SignedOut,
        // too many open requests is a rule about what one may have, not a busy backend
        Code::PolicyRefused
        | Code::PolicyOverCap
        | Code::PolicyOwnRequest
        | Code::PolicyNewDevice
        | Code::Forbidden
        | Code::Locked
        | Code::LockOwn
        | Code::LockSecondPerson
        | Code::RequestTooMany => Exit::Refused,
        Code::IdMalformed
        | Code::RequestNotFound
        | Code::RequestAmbiguous
        | Code::RequestAlreadyDecided
        | Code::RequestChanged
        | Code::RequestDiffers
        | Code::GrantNotFound
        | Code::GrantNotLive
        | Code::GrantNarrowedOtherwise
        | Code::TargetNotFound
        | Code::TargetAmbiguous
        | Code::PersonNotFound
        | Code::SessionNotFound
        | Code::LockNotFound
        | Code::LockAmbiguous => Exit::Gone,
        Code::CredentialElsewhere
        | Code::ProviderRefused
        | Code::TargetUnresolved
        | Code::ProviderThrottled
        | Code::ProviderUnreachable
        | Code::ProviderPolicyTooLarge
        | Code::ProviderClock => Exit::Provider,
        // worth a retry, or something that is not the interface of a jit backend
        Code::RateLimited
        | Code::SessionIssuer
        | Code::StoreUnavailable
        | Code::HostUnknown
        | Code::CallerUnknown
        | Code::PathNotFound
        | Code::MethodNotAllowed => Exit::Unreachable,
        Code::IdempotencyReused | Code::ServerFailed => Exit::Unexpected,
    }
}

/// The exit code for a code that this version does not know.
const fn exit_of_status(status: u16) -> Exit {
    match status {
        401 => Exit::SignedOut,
        403 => Exit::Refused,
        404 | 409 | 410 => Exit::Gone,
        426 => Exit::Configuration,
        429 | 502..=504 => Exit::Unreachable,
        400..=499 => Exit::Usage,
        _ => Exit::Unexpected,
    }
}

/// The code of an error that the output has said already.
const SAID: &str = "output.said";

/// Why a command failed.
#[derive(Clone, Debug)]
pub struct Error {
    /// How the command ends.
    pub exit: Exit,
    /// Stable and dotted; the part that programs read.
    pub code: String,
    /// Lower case, in a few words. Escaped where it is printed: it may hold text from others.
    pub message: String,
    /// What to do next. A command only where this side composed it.
    pub hint: Option<String>,
    /// Finds the call in the backend's log.
    pub trace_id: Option<String>,
    /// What the backend said, where it was the backend.
    pub problem: Option<Box<Problem>>,
}

/// What a command or one of its steps comes to.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `exit` with a stable `code`.
    pub fn new(exit: Exit, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            exit,
            code: code.into(),
            message: message.into(),
            hint: None,
            trace_id: None,
            problem: None,
        }
    }

    /// An error with a code of the wire.
    pub fn of(code: Code, message: impl Into<String>) -> Self {
        Self::new(exit_of(code), code.as_str(), message)
    }

    /// A command line that cannot be right.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::of(Code::UsageCommand, message)
    }

    /// Configuration or a local file that is wrong.
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::new(Exit::Configuration, "config.invalid", message)
    }

    /// Something that nobody foresaw.
    pub fn unexpected(message: impl Into<String>) -> Self {
        Self::new(Exit::Unexpected, "client.failed", message)
    }

    /// Nobody is signed in.
    pub fn signed_out() -> Self {
        Self::of(Code::SessionUnknown, "signed out").try_("jit login")
    }

    /// Whoever reads our output closed it: nothing is printed, and it is no failure.
    pub fn closed_pipe() -> Self {
        Self::new(Exit::Done, "output.closed", "the output was closed")
    }

    /// What was printed is the whole answer, and it was a no: nothing more is printed.
    pub fn said(exit: Exit) -> Self {
        Self::new(exit, SAID, "the output says it")
    }

    /// Whether the output has said it already.
    pub fn is_said(&self) -> bool {
        self.code == SAID
    }

    /// The same with words on what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with a command to type. Never from text that the backend sent.
    #[must_use]
    pub fn try_(self, command: impl fmt::Display) -> Self {
        self.hint(format!("try: {command}"))
    }

    /// The wire's code, if it is one.
    pub fn wire_code(&self) -> Option<Code> {
        Code::parse(&self.code)
    }

    /// Whether the same call may well succeed a moment later.
    pub fn is_worth_a_retry(&self) -> bool {
        self.exit == Exit::Unreachable
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let error = Self::of(refusal.code(), refusal.to_string());
        match refusal.hint() {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

impl From<Problem> for Error {
    /// What the backend says, in its words; hints of codes that this side knows are ours.
    fn from(problem: Problem) -> Self {
        let code = problem.code();
        let exit = code.map_or_else(|| exit_of_status(problem.status), exit_of);
        let mut error = Self::new(exit, problem.code.clone(), message(&problem));
        error.hint = match code {
            Some(Code::SessionUnknown | Code::SessionEnded | Code::SessionProof) => Some("try: jit login".to_owned()),
            Some(Code::SessionDenied) => Some("try: jit login --device".to_owned()),
            Some(Code::SessionStepUp) => Some("try: jit login --fresh".to_owned()),
            Some(Code::SessionIdle) => Some(match problem.step_up {
                Some(_) => "try: jit login --fresh".to_owned(),
                None => "try: jit login".to_owned(),
            }),
            Some(Code::VersionTooOld) => Some("install a newer jit on this machine".to_owned()),
            Some(Code::TargetNotFound) => Some(nearest(&problem)),
            Some(Code::TargetAmbiguous) if !problem.nearest.is_empty() => Some(nearest(&problem)),
            Some(Code::LockNotFound) if same_access(&problem).is_some() => same_access(&problem),
            Some(Code::RequestNotFound | Code::GrantNotFound | Code::LockNotFound) => {
                Some("try: jit status".to_owned())
            }
            _ => problem.hint.as_ref().map(|words| format!("hint: {words}")),
        };
        error.trace_id = problem.trace_id.clone();
        error.problem = Some(Box::new(problem));
        error
    }
}

/// One line: the policies that refused, else title and detail.
fn message(problem: &Problem) -> String {
    if let Some(reason) = problem.reasons.first() {
        let why = reason.advice.as_deref().unwrap_or(&problem.title);
        return format!("policy refuses: {} ({})", in_a_sentence(why), reason.policy);
    }
    match &problem.detail {
        Some(detail) => format!("{}: {detail}", problem.title),
        None => problem.title.clone(),
    }
}

/// A sentence as it stands inside another: policies' advice is written to stand alone.
fn in_a_sentence(sentence: &str) -> String {
    let sentence = sentence.trim().trim_end_matches('.');
    let mut letters = sentence.chars();
    match (letters.next(), letters.next()) {
        // not an abbreviation such as MFA
        (Some(first), Some(second)) if !second.is_uppercase() => {
            let rest = &sentence[first.len_utf8()..];
            format!("{}{rest}", first.to_lowercase())
        }
        _ => sentence.to_owned(),
    }
}

/// Where the lock stands that was meant: on another target that is the same access. A name that is none is not repeated.
fn same_access(problem: &Problem) -> Option<String> {
    let name = crate::domain::text::TargetName::parse(problem.nearest.first()?).ok()?;
    Some(format!("try: jit unlock {name}, which is the same access"))
}

/// Names that are near, as far as they can be names at all.
fn nearest(problem: &Problem) -> String {
    let names: Vec<&str> = problem
        .nearest
        .iter()
        .map(String::as_str)
        .filter(|name| crate::domain::text::TargetName::parse(name).is_ok())
        .take(3)
        .collect();
    if names.is_empty() {
        "try: jit targets".to_owned()
    } else {
        format!("did you mean {}? all: jit targets", names.join(" or "))
    }
}

#[cfg(test)]
mod tests;
