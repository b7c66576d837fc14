//! Every "no" that the lifecycle can say, with its stable code.
//! Owns codes and their wording. Refuses to know exit codes (the client maps them) and HTTP.

use std::fmt;

use super::grant::GrantState;
use super::id::{GrantId, PersonId, RequestId};
use super::lock::Scope;
use super::request::RequestState;
use super::time::{Duration, Timestamp};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A stable, dotted code: the part of an error that programs may read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code, in the order of this file.
            pub const ALL: &[Code] = &[$(Code::$name,)*];

            /// The code as it stands on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }

            /// The code that `text` names, if this version knows it.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == text)
            }
        }
    };
}

codes! {
    /// A duration that cannot be read, is zero, or is longer than a year.
    UsageDuration = "usage.duration",
    /// A reason, comment or name that is empty, too long or unsafe to show.
    UsageText = "usage.text",
    /// An instant that cannot be read.
    UsageTime = "usage.time",
    /// A narrowing that is no `ACTION[@RESOURCE]`, or is not possible on this road.
    UsageNarrowing = "usage.narrowing",
    /// A ticket key that cannot be one.
    UsageTicket = "usage.ticket",
    /// A command line that cannot be right.
    UsageCommand = "usage.command",
    /// A body, header or query that cannot be read.
    UsageBody = "usage.body",
    /// Policy says no.
    PolicyRefused = "policy.refused",
    /// Longer than the target's longest duration.
    PolicyOverCap = "policy.over_cap",
    /// A decision on one's own request, or from a device of the one who asks.
    PolicyOwnRequest = "policy.own_request",
    /// A yes from a device that a one-time code enrolled less than a day ago.
    PolicyNewDevice = "policy.new_device",
    /// A malformed id.
    IdMalformed = "id.malformed",
    /// No such request, or not one that the caller may see.
    RequestNotFound = "request.not_found",
    /// Several requests fit what was typed.
    RequestAmbiguous = "request.ambiguous",
    /// Decided, cancelled or expired before.
    RequestAlreadyDecided = "request.already_decided",
    /// Not what was shown to the approver, or the target resolves otherwise now.
    RequestChanged = "request.changed",
    /// Another request of the same person for the same target is pending and differs.
    RequestDiffers = "request.differs",
    /// Too many open requests of one person.
    RequestTooMany = "request.too_many",
    /// No such grant, or not one that the caller may see.
    GrantNotFound = "grant.not_found",
    /// Nothing live on this target.
    GrantNotLive = "grant.not_live",
    /// A live grant on the target is narrowed otherwise.
    GrantNarrowedOtherwise = "grant.narrowed_otherwise",
    /// Credentials of this grant are fetched from the system itself, by whoever has signed in there.
    CredentialElsewhere = "credential.elsewhere",
    /// No such target, or not one that the caller may see.
    TargetNotFound = "target.not_found",
    /// Several accounts of a target have that name.
    TargetAmbiguous = "target.ambiguous",
    /// What the target names its accounts by is not there any more.
    TargetUnresolved = "target.unresolved",
    /// Nobody of that name.
    PersonNotFound = "person.not_found",
    /// No session token, or one that is not known.
    SessionUnknown = "session.unknown",
    /// The session is over.
    SessionEnded = "session.ended",
    /// A call without a proof of the session's device, or with a wrong one.
    SessionProof = "session.proof",
    /// A proof without a nonce of the backend that counts still: the same call again with the one in the answer.
    SessionNonce = "session.nonce",
    /// A one-time code that is wrong, used or too old.
    SessionCodeInvalid = "session.code_invalid",
    /// A device that signs nobody in by its key alone: it takes a one-time code.
    SessionDeviceUnknown = "session.device_unknown",
    /// A workload's token that is not believed, was used before, or fits nothing that is enrolled.
    SessionTokenInvalid = "session.token_invalid",
    /// The issuer of a workload's token does not answer, or says what it should not.
    SessionIssuer = "session.issuer",
    /// Nobody has signed the machine in yet: ask again.
    SessionPending = "session.pending",
    /// Somebody said that the machine is not to be signed in.
    SessionDenied = "session.denied",
    /// Policy wants a second factor that was shown more recently; nothing else stands in the way.
    SessionStepUp = "session.step_up",
    /// Nobody used the session for long: it asks, and approves nothing before its person signs in again.
    SessionIdle = "session.idle",
    /// No such session, or one that is over.
    SessionNotFound = "session.not_found",
    /// Not for this caller.
    Forbidden = "access.forbidden",
    /// A lock stands on the person, on the target, or on everything.
    Locked = "access.locked",
    /// One's own lock is for others to lift.
    LockOwn = "lock.own",
    /// The lock on everything takes a second person to lift.
    LockSecondPerson = "lock.second_person",
    /// No lock stands on it.
    LockNotFound = "lock.not_found",
    /// A person and a target have that name.
    LockAmbiguous = "lock.ambiguous",
    /// The same idempotency key with another body.
    IdempotencyReused = "idempotency.reused",
    /// The provider refused.
    ProviderRefused = "provider.refused",
    /// The provider says to slow down.
    ProviderThrottled = "provider.throttled",
    /// The provider did not answer.
    ProviderUnreachable = "provider.unreachable",
    /// The session policy is larger than the provider takes.
    ProviderPolicyTooLarge = "provider.policy_too_large",
    /// The provider's clock and ours differ.
    ProviderClock = "provider.clock",
    /// The client is too old for this backend, or the other way round.
    VersionTooOld = "version.too_old",
    /// The address that was called is not this backend's.
    HostUnknown = "host.unknown",
    /// A trusted proxy that does not say who calls.
    CallerUnknown = "caller.unknown",
    /// No such path.
    PathNotFound = "path.not_found",
    /// The path knows no such method.
    MethodNotAllowed = "method.not_allowed",
    /// The body is larger than 64 KiB.
    BodyTooLarge = "body.too_large",
    /// Too many calls, or too many waiting.
    RateLimited = "rate.limited",
    /// The backend cannot store anything now.
    StoreUnavailable = "store.unavailable",
    /// The backend failed.
    ServerFailed = "server.failed",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A "no" with what it takes to say it well.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it is")]
pub enum Refusal {
    #[error("`{given}` is no duration")]
    BadDuration { given: String },
    #[error("`{given}` is no time")]
    BadTime { given: String },
    #[error("the start {at} is past")]
    StartPast { at: Timestamp },
    #[error("the start {at} is more than a year away")]
    StartTooFar { at: Timestamp },
    #[error("an extension starts when what it extends ends")]
    StartOfExtension,
    #[error("`{given}` is no id")]
    BadId { given: String },
    #[error("`{given}` is no target name")]
    BadTargetName { given: String },
    #[error("`{given}` is no ticket key")]
    BadTicket { given: String },
    #[error("`{given}` is no name of a person")]
    BadPersonName { given: String },
    #[error("`{given}` is no ACTION[@RESOURCE]")]
    BadNarrowing { given: String },
    #[error("the {what} is empty")]
    TextEmpty { what: &'static str },
    #[error("the {what} has {length} characters, {longest} at most")]
    TextTooLong {
        what: &'static str,
        length: usize,
        longest: usize,
    },
    #[error("the {what} has the control character {character}")]
    TextUnsafe { what: &'static str, character: String },
    #[error("{target} can be had for {cap} at most")]
    OverCap { target: String, cap: Duration },
    #[error("{target} ends at {cap_ends_at} at the latest ({cap} from its first activation)")]
    OverCapExtended {
        target: String,
        cap: Duration,
        cap_ends_at: Timestamp,
        left: Option<Duration>,
    },
    #[error("nobody decides on a request of their own")]
    OwnRequest,
    #[error("this device belongs to the person who asks")]
    OwnDevice,
    #[error("nobody knows who started this job")]
    StarterUnknown,
    #[error("that token opened a session already")]
    TokenUsed,
    #[error("this device is new and approves from {from} on")]
    DeviceNew { from: Timestamp },
    #[error("no open stage of {request} is yours to decide")]
    NotApprover { request: RequestId },
    #[error("you have decided on {request} already")]
    VotedAlready { request: RequestId },
    #[error("{request} is {state} already")]
    AlreadyDecided { request: RequestId, state: RequestState },
    #[error("{request} is not what was shown")]
    Changed { request: RequestId },
    #[error("{request} {} for the same target and {}", asked(*.is_approved, *.start), meets(*.start))]
    Differs {
        request: RequestId,
        duration: Duration,
        start: Option<Timestamp>,
        is_approved: bool,
    },
    #[error("a live grant on {target} is narrowed otherwise")]
    NarrowedOtherwise { target: String, grant: GrantId },
    #[error("no live grant on {target} to extend")]
    NothingToExtend { target: String },
    #[error("what {request} extends is over already")]
    ExtendedOver { request: RequestId },
    #[error("no request to act on")]
    RequestNotFound,
    #[error("no grant to act on")]
    GrantNotFound,
    #[error("the grant is {state}")]
    GrantNotLive { state: GrantState },
    #[error("only the beneficiary gets credentials")]
    NotBeneficiary,
    #[error("only who asked or benefits may do that")]
    NotYours,
    #[error("the code is wrong, used or too old")]
    CodeInvalid,
    #[error("this device needs a one-time code")]
    DeviceUnknown,
    #[error("a lock stands: {reason}")]
    Locked {
        scope: Scope,
        by: PersonId,
        reason: String,
        since: Timestamp,
    },
    #[error("no lock stands on it")]
    NotLocked,
    #[error("nobody lifts the lock on themselves")]
    OwnLock,
    #[error("a second person has to lift it too")]
    SecondPerson,
}

fn asked(is_approved: bool, start: Option<Timestamp>) -> String {
    let stands = if is_approved { "is approved" } else { "is pending" };
    start.map_or_else(|| stands.to_owned(), |start| format!("{stands} from {start}"))
}

fn meets(start: Option<Timestamp>) -> &'static str {
    if start.is_some() { "overlaps" } else { "differs" }
}

impl Refusal {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::BadDuration { .. } => Code::UsageDuration,
            Self::BadTime { .. } | Self::StartPast { .. } | Self::StartTooFar { .. } | Self::StartOfExtension => {
                Code::UsageTime
            }
            Self::BadId { .. } => Code::IdMalformed,
            Self::BadTargetName { .. } => Code::TargetNotFound,
            Self::BadTicket { .. } => Code::UsageTicket,
            Self::BadNarrowing { .. } => Code::UsageNarrowing,
            Self::TextEmpty { .. }
            | Self::TextTooLong { .. }
            | Self::TextUnsafe { .. }
            | Self::BadPersonName { .. } => Code::UsageText,
            Self::OverCap { .. } | Self::OverCapExtended { .. } => Code::PolicyOverCap,
            Self::OwnRequest | Self::OwnDevice | Self::StarterUnknown => Code::PolicyOwnRequest,
            Self::TokenUsed => Code::SessionTokenInvalid,
            Self::DeviceNew { .. } => Code::PolicyNewDevice,
            Self::NotApprover { .. } => Code::PolicyRefused,
            Self::VotedAlready { .. } | Self::AlreadyDecided { .. } => Code::RequestAlreadyDecided,
            Self::Changed { .. } => Code::RequestChanged,
            Self::Differs { .. } => Code::RequestDiffers,
            Self::NarrowedOtherwise { .. } => Code::GrantNarrowedOtherwise,
            Self::RequestNotFound => Code::RequestNotFound,
            Self::GrantNotFound => Code::GrantNotFound,
            Self::GrantNotLive { .. } | Self::NothingToExtend { .. } | Self::ExtendedOver { .. } => Code::GrantNotLive,
            Self::NotBeneficiary | Self::NotYours => Code::Forbidden,
            Self::CodeInvalid => Code::SessionCodeInvalid,
            Self::DeviceUnknown => Code::SessionDeviceUnknown,
            Self::Locked { .. } => Code::Locked,
            Self::NotLocked => Code::LockNotFound,
            Self::OwnLock => Code::LockOwn,
            Self::SecondPerson => Code::LockSecondPerson,
        }
    }

    /// What to do next, where the rule alone can say it. Never a command to run.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::BadDuration { .. } => Some("write it as 30m, 2h, 1h30m or 1d"),
            Self::BadTime { .. } => Some("write it as 2026-01-31T14:30:00Z"),
            Self::BadTargetName { .. } => {
                Some("names are lower case letters, digits, dot, dash and underscore; an account stands after a slash")
            }
            Self::BadTicket { .. } => Some("write it as PAY-311: letters, digits, dash, dot, slash, underscore, #"),
            Self::BadNarrowing { .. } => Some("write it as s3:GetObject or s3:Get*@arn:aws:s3:::bucket/*"),
            Self::TextEmpty { .. } => Some("say in a few words why"),
            Self::TextTooLong { .. } => Some("say it shorter and link to the rest"),
            Self::TextUnsafe { .. } => Some("keep to one line of plain text"),
            Self::OwnRequest | Self::OwnDevice => Some("ask another approver"),
            Self::StarterUnknown => Some("who owns the policy says who that account is"),
            Self::TokenUsed => Some("have its issuer make another one"),
            Self::DeviceNew { .. } => Some("use a device that you had before, or ask another approver"),
            Self::Changed { .. } => Some("look at the request again, then decide"),
            Self::NarrowedOtherwise { .. } => Some("drop the live grant first"),
            Self::CodeInvalid | Self::DeviceUnknown => Some("ask for a new code"),
            Self::OwnLock => Some("ask somebody else who may"),
            Self::SecondPerson => Some("ask somebody else who may; yours is recorded"),
            Self::BadId { .. }
            | Self::StartPast { .. }
            | Self::StartTooFar { .. }
            | Self::StartOfExtension
            | Self::BadPersonName { .. }
            | Self::OverCap { .. }
            | Self::OverCapExtended { .. }
            | Self::NotApprover { .. }
            | Self::VotedAlready { .. }
            | Self::AlreadyDecided { .. }
            | Self::Differs { .. }
            | Self::NothingToExtend { .. }
            | Self::ExtendedOver { .. }
            | Self::RequestNotFound
            | Self::GrantNotFound
            | Self::GrantNotLive { .. }
            | Self::NotBeneficiary
            | Self::Locked { .. }
            | Self::NotLocked
            | Self::NotYours => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_read_back() {
        for code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(*code));
        }
        let mut texts: Vec<_> = Code::ALL.iter().map(|c| c.as_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
    }
}
