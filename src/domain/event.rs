//! What can happen to a case.

use super::decision::Verdict;
use super::digest::Digest;
use super::grant::EndCause;
use super::id::{DeviceId, GrantId, PersonId};
use super::request::{Body, Frozen};
use super::text::{Comment, Reason};
use super::time::Timestamp;
use super::workload::Behind;

/// A request that is being filed. Policy has said that it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filing {
    /// What is asked.
    pub body: Body,
    /// What holds for it.
    pub frozen: Frozen,
    /// From which device.
    pub device: DeviceId,
    /// Whether policy approves it without a person.
    pub automatic: bool,
    /// Id of the grant, in case it is approved now.
    pub grant: GrantId,
}

/// A decision that is being made. Policy has said for which stages it may count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// By whom.
    pub by: PersonId,
    /// Yes or no.
    pub verdict: Verdict,
    /// In their words.
    pub comment: Option<Comment>,
    /// Digest of the body that was shown.
    pub digest: Digest,
    /// From which device.
    pub device: DeviceId,
    /// Everybody for whom that device is enrolled. Empty under `--dev`, where one machine plays all parts.
    pub device_people: Vec<PersonId>,
    /// Who is known now to have started the job that asks.
    pub behind: Behind,
    /// From when on that device says yes, where it was enrolled lately by what somebody else could have had.
    pub decides_from: Option<Timestamp>,
    /// Whoever else is the same human.
    pub same_human: Vec<PersonId>,
    /// Open stages that policy lets this person decide.
    pub stages: Vec<usize>,
    /// Id of the grant, in case this decision completes the workflow.
    pub grant: GrantId,
}

/// What can happen to a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request is filed.
    File(Box<Filing>),
    /// An approver decides.
    Decide(Box<Vote>),
    /// Who asked withdraws the request.
    Cancel {
        /// Who.
        by: PersonId,
    },
    /// The request's time is over.
    Expire,
    /// Policy agreed again: the grant enters `granting` and its end is fixed.
    Activate,
    /// At activation something stood in the way: nothing was called.
    Withhold {
        /// Why.
        cause: EndCause,
        /// In words, for people.
        detail: String,
    },
    /// The provider is about to be asked to give.
    Giving {
        /// Whether it was there when it was looked before anything was given; none where it was not looked this time.
        found: Option<bool>,
        /// It acts on the call before this instant, or never.
        until: Timestamp,
    },
    /// A call to give has come back without having been seen to do it; it is made again later.
    Paused {
        /// The instant that it was announced with: another call is not over by that.
        until: Timestamp,
        /// Where it may have given it all the same: before which instant.
        before: Option<Timestamp>,
    },
    /// The provider was asked and a check passed.
    Verified {
        /// It had given it before this instant, at which the check began: whoever says so may have slept since.
        before: Timestamp,
    },
    /// The provider refused, and nothing is there.
    NotGiven {
        /// In words, for people.
        detail: String,
    },
    /// The beneficiary gives access back.
    Drop {
        /// Who.
        by: PersonId,
    },
    /// Somebody takes it away. Policy has said that they may.
    Revoke {
        /// Who.
        by: PersonId,
        /// Why.
        reason: Reason,
    },
    /// The grant's end is near.
    Warn,
    /// A lock was set on what the grant is of. Policy has said that they may.
    Lock {
        /// Who.
        by: PersonId,
        /// Why.
        reason: Reason,
    },
    /// Whoever has it is no longer in their directory.
    Recall,
    /// The grant's time is over.
    End,
    /// Somebody else took away what it gives.
    Gone,
    /// The provider is about to be asked to take access away.
    Taking {
        /// It acts on the call before this instant, or never.
        until: Timestamp,
    },
    /// The provider has taken access away, or it was gone already.
    Taken,
    /// The provider shuts the grant's sessions out.
    Killed {
        /// Where the ids did not fit any more: every session of the role issued before this instant is shut out.
        issued_before: Option<Timestamp>,
    },
    /// The last of those sessions is over by itself.
    Outlived,
    /// The provider does not name them any more.
    Lifted,
    /// A credential is about to be minted: recorded before the provider is called.
    Mint {
        /// For whom.
        by: PersonId,
        /// To which device.
        device: DeviceId,
        /// It works until here at the latest.
        until: Timestamp,
    },
    /// It was minted.
    Minted {
        /// The public half, as CloudTrail shows it.
        access_key_id: String,
        /// To which device.
        device: DeviceId,
        /// It works until here.
        until: Timestamp,
    },
}
