//! What policy is asked and what it answers, as values.
//! Refuses to look anything up: whatever a policy may see is in the question.

use serde_json::Value;

use super::catalogue::Target;
use super::groups::Groups;
use crate::domain::{
    Duration, KeyStorage, Narrowing, Person, PersonId, Request, SignInMethod, Ticket, Timestamp, Verdict,
};

/// Somebody, with the groups that the directory has them in.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    /// The person, or the workload.
    pub person: &'a Person,
    /// Their groups; of a workload the name that it is enrolled under.
    pub groups: &'a Groups,
    /// Whether the directory knows them as active.
    pub active: bool,
}

/// How somebody is signed in.
#[derive(Clone, Copy, Debug)]
pub struct SessionFacts {
    /// Method.
    pub method: SignInMethod,
    /// Where their device keeps its key.
    pub key_storage: KeyStorage,
    /// Address of the TCP peer (or what a trusted proxy says it is).
    pub address: std::net::IpAddr,
    /// Seconds since the last proof by a second factor; `None` is never (Cedar sees ten years).
    pub mfa_age_s: Option<u32>,
}

/// What is asked of a target.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The target as the catalogue has it.
    pub target: &'a Target,
    /// For how long.
    pub duration: Duration,
    /// Why; empty where nobody has said yet (listing targets): rules about reasons are silent then.
    /// Whoever files has a `Reason`, which is never empty.
    pub reason: &'a str,
    /// The ticket behind it.
    pub ticket: Option<&'a Ticket>,
    /// What it is narrowed to.
    pub only: &'a [Narrowing],
    /// Not before, where it is asked for later; absent once that has come.
    pub start: Option<Timestamp>,
}

/// What the workflow has collected.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Stages that still lack approvals.
    pub stages_open: u32,
    /// Distinct people who approved and still may.
    pub distinct_approvers: u32,
    /// Groups they were counted for.
    pub groups: Vec<String>,
}

/// What a lock is on.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// All that the backend gives.
    Everything,
    /// Somebody.
    Person {
        /// Who.
        person: &'a Person,
        /// Their groups.
        groups: &'a Groups,
        /// Whether the directory knows them as active.
        active: bool,
    },
    /// A target.
    Target(&'a Target),
}

/// A question to policy.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are who is asked about, what for, and when")]
pub enum Question<'a> {
    /// May they ask for somebody else? Asked before it is looked up who that is.
    RequestFor {
        who: Who<'a>,
        ask: Ask<'a>,
        session: SessionFacts,
        now: Timestamp,
    },
    /// May they ask?
    Request {
        who: Who<'a>,
        ask: Ask<'a>,
        session: SessionFacts,
        now: Timestamp,
    },
    /// May they have it?
    Receive { who: Who<'a>, ask: Ask<'a>, now: Timestamp },
    /// Is it approved without a person?
    AutoApprove {
        who: Who<'a>,
        ask: Ask<'a>,
        session: SessionFacts,
        now: Timestamp,
    },
    /// May they decide this stage of this request?
    Decide {
        who: Who<'a>,
        request: &'a Request,
        target: &'a Target,
        /// Who has decided on it already.
        decided_by: &'a [PersonId],
        verdict: Verdict,
        stage: usize,
        session: SessionFacts,
        now: Timestamp,
    },
    /// May it be activated now?
    Activate {
        who: Who<'a>,
        request: &'a Request,
        target: &'a Target,
        tally: &'a Tally,
        now: Timestamp,
    },
    /// May they take it from its holder?
    Revoke {
        who: Who<'a>,
        request: &'a Request,
        target: &'a Target,
        session: SessionFacts,
        now: Timestamp,
    },
    /// May they lock it? One's own lock is not asked about.
    Lock {
        who: Who<'a>,
        on: Subject<'a>,
        session: SessionFacts,
        now: Timestamp,
    },
    /// May they lift a lock on it?
    Unlock {
        who: Who<'a>,
        on: Subject<'a>,
        session: SessionFacts,
        now: Timestamp,
    },
    /// May they see this request?
    View {
        who: Who<'a>,
        request: &'a Request,
        target: &'a Target,
        now: Timestamp,
    },
}

/// Why: a policy that decided, with its advice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Its `@id`.
    pub policy: String,
    /// Its `@advice`.
    pub advice: Option<String>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Yes or no. Any error is a no.
    pub allowed: bool,
    /// The policies that decided; empty where nothing permits.
    pub reasons: Vec<Reason>,
    /// Errors in evaluation, each of which made it a no.
    pub errors: Vec<String>,
    /// Everything that the answer was made from (principal, action, resource, context, entities, bundle hash),
    /// for the audit log: deciding it again gives the same answer.
    pub inputs: Value,
}
