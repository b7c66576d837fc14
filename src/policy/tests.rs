//! What the small bundle says, held against teams, mistakes and noise.
//! Owns the people and requests that the tests are about.

mod assignments;
mod catalogue;
mod directory;
mod findings;
mod holes;
mod locks;
mod many_accounts;
mod noise;
mod table;
mod workload_roles;
mod workloads;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::OnceLock;

use serde_json::Value;

use super::{Ask, Bundle, Decision, Finding, Question, SessionFacts, Tally, Target, Who, decide, small};
use crate::domain::{
    Body, DeviceId, Duration, Frozen, KeyStorage, Person, PersonId, Reason, Request, RequestId, RequestState,
    SignInMethod, Ticket, Timestamp, Verdict,
};

/// A team permits everything.
const PERMIT_ALL: (&str, &str) = (
    "90-team.cedar",
    r#"@id("team.all") permit (principal, action, resource);"#,
);

fn small_bundle() -> &'static Bundle {
    static BUNDLE: OnceLock<Bundle> = OnceLock::new();
    BUNDLE.get_or_init(|| loaded(&[]))
}

/// The small bundle with a team that permits everything.
fn permissive_bundle() -> &'static Bundle {
    static BUNDLE: OnceLock<Bundle> = OnceLock::new();
    BUNDLE.get_or_init(|| loaded(&[PERMIT_ALL]))
}

/// The files of the small bundle and `more`; a file of the same path is replaced.
fn files(more: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    let mut files = small::files();
    files.retain(|(path, _)| more.iter().all(|(other, _)| path != other));
    files.extend(
        more.iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())),
    );
    files
}

#[track_caller]
fn loaded(more: &[(&str, &str)]) -> Bundle {
    Bundle::load(&files(more)).unwrap_or_else(|findings| panic!("{}", said(&findings).join("\n")))
}

fn said(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

fn person(name: &str) -> Person {
    let bits = name.bytes().fold(7, |bits: u64, byte| bits * 31 + u64::from(byte));
    Person {
        id: PersonId::from_bits(bits),
        issuer: "local".to_owned(),
        subject: name.to_owned(),
        name: name.to_owned(),
        since: Timestamp::from_millis(0),
        workload: None,
    }
}

/// A question about a request of alice's, with what a test changes about it.
#[derive(Clone)]
struct Scene<'a> {
    bundle: &'a Bundle,
    who: &'a str,
    target: &'a str,
    requester: &'a str,
    beneficiary: &'a str,
    duration_s: u32,
    reason: &'a str,
    ticket: Option<Ticket>,
    start: Option<Timestamp>,
    automatic: bool,
    active: bool,
    decided_by: Vec<PersonId>,
    stage: usize,
    tally: Tally,
}

impl<'a> Scene<'a> {
    fn new(bundle: &'a Bundle, who: &'a str, target: &'a str) -> Self {
        Self {
            bundle,
            who,
            target,
            requester: "alice",
            beneficiary: "alice",
            duration_s: 3_600,
            reason: "debug the failing payout job",
            ticket: None,
            start: None,
            automatic: false,
            active: true,
            decided_by: Vec::new(),
            stage: 0,
            tally: Tally {
                stages_open: 0,
                distinct_approvers: 2,
                groups: vec!["payments".to_owned(), "security".to_owned()],
            },
        }
    }

    fn target(&self) -> &'a Target {
        self.bundle
            .catalogue()
            .find(self.target)
            .expect("the target is in the catalogue")
    }

    fn request(&self) -> Request {
        let target = self.target();
        let body = Body {
            schema: Body::SCHEMA.to_owned(),
            id: RequestId::from_bits(1),
            requester: person(self.requester).id,
            beneficiary: person(self.beneficiary).id,
            target: target.name.clone(),
            binding: target.binding.clone(),
            duration: Duration::from_secs(self.duration_s).unwrap(),
            start: None,
            reason: Reason::parse("debug the failing payout job").unwrap(),
            ticket: None,
            only: Vec::new(),
            extends: None,
            user: None,
            pre_existing: false,
            through_group: false,
            workload: None,
        };
        Request {
            digest: body.digest(),
            body,
            frozen: Frozen {
                workflow: target.workflow.clone(),
                cap: target.max_duration,
                risk: target.risk,
                environment: target.environment.clone(),
                bundle_hash: self.bundle.hash().to_string(),
                account: None,
                same_access: Vec::new(),
                started_by: Vec::new(),
            },
            state: RequestState::Pending,
            automatic: self.automatic,
            filed_at: Timestamp::from_millis(0),
            filed_from: DeviceId::parse(&"d".repeat(43)).unwrap(),
            expires_at: Timestamp::from_millis(1_000_000),
            closed_at: None,
            version: 1,
        }
    }

    fn ask(&self, action: &str) -> Decision {
        let (person, target, request) = (person(self.who), self.target(), self.request());
        let groups = self
            .bundle
            .catalogue()
            .groups_of(&person.issuer, &person.subject)
            .into();
        let who = Who {
            person: &person,
            groups: &groups,
            active: self.active,
        };
        let ask = Ask {
            target,
            duration: request.body.duration,
            reason: self.reason,
            ticket: self.ticket.as_ref(),
            only: &[],
            start: self.start,
        };
        let (session, now) = (session(), Timestamp::from_millis(1_791_000_000_500));
        let request = &request;
        let (decided_by, stage, tally) = (&self.decided_by, self.stage, &self.tally);
        let vote = |verdict| Question::Decide {
            who,
            request,
            target,
            decided_by,
            verdict,
            stage,
            session,
            now,
        };
        let question = match action {
            "request" => Question::Request { who, ask, session, now },
            "requestFor" => Question::RequestFor { who, ask, session, now },
            "receive" => Question::Receive { who, ask, now },
            "autoApprove" => Question::AutoApprove { who, ask, session, now },
            "approve" => vote(Verdict::Approve),
            "deny" => vote(Verdict::Deny),
            "activate" => Question::Activate {
                who,
                request,
                target,
                tally,
                now,
            },
            "revoke" => Question::Revoke {
                who,
                request,
                target,
                session,
                now,
            },
            "view" => Question::View {
                who,
                request,
                target,
                now,
            },
            other => panic!("no action `{other}`"),
        };
        decide(self.bundle, &question)
    }
}

fn session() -> SessionFacts {
    SessionFacts {
        method: SignInMethod::Local,
        key_storage: KeyStorage::File,
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        mfa_age_s: None,
    }
}

/// The ids of the policies that decided.
fn because(decision: &Decision) -> Vec<&str> {
    decision.reasons.iter().map(|reason| reason.policy.as_str()).collect()
}

#[track_caller]
fn assert_refused(decision: &Decision, policy: &str) {
    assert!(
        !decision.allowed && because(decision).contains(&policy),
        "{decision:#?}"
    );
    assert!(
        decision.reasons.iter().all(|reason| reason.advice.is_some()),
        "a refusal says why"
    );
}

#[track_caller]
fn assert_allowed(decision: &Decision) {
    assert!(decision.allowed && decision.errors.is_empty(), "{decision:#?}");
}

/// `value` with the member at `path` replaced.
fn altered(value: &Value, path: &str, new: Value) -> Value {
    let mut value = value.clone();
    *value.pointer_mut(path).expect("the path is there") = new;
    value
}
