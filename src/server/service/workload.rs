//! Workloads: signing one in by a token of its issuer, and who is behind it.
//! Owns which enrolled workload a token is of: exactly one. Refuses a token twice, and to tell what is enrolled to whoever
//! has one.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::sign_in::{key_storage, me};
use super::{known_device, locked, people};
use crate::domain::sign_in::let_in;
use crate::domain::text::shown;
use crate::domain::{
    Behind, Digest, Duration, Enrolled, Known, Person, Refusal, Session, SignInMethod, StartedBy, Workload,
};
use crate::policy::{Catalogue, Target};
use crate::server::backend::{Backend, Caller};
use crate::server::failure::{Failure, repeated, settled};
use crate::server::identity::device::DeviceKey;
use crate::server::identity::workloads::{Brought, WorkloadError};
use crate::wire::problem::Code;
use crate::wire::{NewWorkloadSession, OpenedSession, Problem, WorkloadView, token};

/// A session of a workload lives no longer, in seconds.
const LONGEST_S: u32 = 3_600;
/// What of a token goes into the evidence, beside what it is enrolled by: which run it was.
const RUN: &[&str] = &[
    "jti",
    "sub",
    "run_id",
    "run_attempt",
    "sha",
    "actor_id",
    "pipeline_id",
    "job_id",
];
/// What is told of a token that is of no enrolled workload, so that it can be enrolled.
const TOLD: &[&str] = &[
    "sub",
    "event_name",
    "environment",
    "job_workflow_ref",
    "ref",
    "repository_id",
    "repository_owner_id",
];

/// Opens a session for the workload whose token was brought, on the device that has `key`.
///
/// # Errors
/// [`Code::SessionTokenInvalid`], [`Code::SessionIssuer`], [`Code::Locked`].
pub async fn open(
    backend: &Backend,
    new: &NewWorkloadSession,
    key: &DeviceKey,
    address: IpAddr,
) -> Result<OpenedSession, Failure> {
    let key_storage = key_storage(&new.key_storage)?;
    let brought = backend.workloads.prove(&backend.clock, new.token.trim()).await;
    let brought = brought.map_err(disbelieved)?;
    let secret = token::encode(&backend.random.bytes());
    let opened = settled!(async {
        let now = backend.now();
        let bundle = backend.bundle();
        let (enrolled, claims) = enrolled(bundle.catalogue(), &brought)?;
        if backend.store.session_of_id_token(&brought.once).await?.is_some() {
            return Err(Refusal::TokenUsed.into());
        }
        let life = Duration::from_secs(brought.ends_at.since(now).min(LONGEST_S)).map_err(|_| ended())?;
        let (person, is_new) = known(backend, enrolled, &brought, claims).await?;
        let device = known_device::enrolled(backend, &person, key, key_storage, now).await?;
        let session = Session {
            id: backend.random.session_id(),
            token_hash: Digest::of(secret.as_bytes()).to_string(),
            person: person.id.clone(),
            device: device.id.clone(),
            key_storage,
            method: SignInMethod::Workload,
            mfa_at: None,
            id_token: Some(brought.once.clone()),
            created_at: now,
            used_at: now,
            expires_at: now.plus(life).min(brought.ends_at),
            ended_at: None,
            version: 1,
        };
        let lock = locked::of_person(backend, &person.id).await?;
        let details = evidence(&person, &brought, &session);
        match let_in(now, &person, is_new, &device, &session, lock.as_ref(), details) {
            Ok(change) => backend.commit(&change).await?,
            Err(refusal) => return Err(locked::named(backend, &person.id, refusal).await),
        }
        Ok(Caller {
            person,
            session,
            known: Known::default(),
            address,
            at: now,
        })
    })?;
    Ok(OpenedSession {
        token: secret,
        me: me(backend, &opened).await?,
    })
}

fn disbelieved(error: WorkloadError) -> Failure {
    tracing::warn!(%error, "a token of a workload was not believed");
    let code = match error {
        WorkloadError::NoIssuer | WorkloadError::Token { .. } => Code::SessionTokenInvalid,
        WorkloadError::Issuer { .. } => Code::SessionIssuer,
        WorkloadError::Busy => return Failure::too_much("too many tokens are looked at", 1),
    };
    let problem = Problem::new(code, error.to_string());
    match error {
        WorkloadError::NoIssuer => problem
            .hint("who runs the backend sets it up: [[workload_issuer]]")
            .into(),
        WorkloadError::Issuer { .. } | WorkloadError::Token { .. } | WorkloadError::Busy => problem.into(),
    }
}

fn ended() -> Failure {
    let problem = Problem::new(Code::SessionTokenInvalid, "the token has ended");
    problem.hint("have its issuer make another one").into()
}

/// The one workload whose claims the token has, with those that matched.
fn enrolled<'a>(catalogue: &'a Catalogue, brought: &'a Brought) -> Result<(&'a Enrolled, Map<String, Value>), Failure> {
    let mut fitting = catalogue
        .enrolled_at(&brought.issuer, brought.kind)
        .filter_map(|enrolled| Some((enrolled, enrolled.matched(&brought.claims)?)));
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one),
        (Some((one, _)), Some((other, _))) => {
            let (one, other) = (&one.name, &other.name);
            tracing::warn!(one, other, "a token is of two workloads");
            let problem = Problem::new(Code::SessionTokenInvalid, "several enrolled workloads fit this token");
            Err(problem
                .hint("who owns the policy tells them apart by more claims")
                .into())
        }
        (None, _) => {
            let said = said(&brought.claims);
            tracing::warn!(issuer = brought.issuer, said, "no workload is enrolled for a token");
            let problem = Problem::new(Code::SessionTokenInvalid, "no workload is enrolled for this token");
            Err(problem
                .hint(format!("who owns the policy enrols by what it says: {said}"))
                .into())
        }
    }
}

/// What a token says that workloads are usually enrolled by, in a line.
fn said(claims: &Map<String, Value>) -> String {
    let one = |name: &&str| {
        let value = claims.get(*name)?.as_str()?;
        Some(format!("{name} {}", repeated(value)))
    };
    TOLD.iter().filter_map(one).collect::<Vec<_>>().join(", ")
}

/// What signs in, new or not: one for each thing that matched and each who started it.
async fn known(
    backend: &Backend,
    enrolled: &Enrolled,
    brought: &Brought,
    claims: Map<String, Value>,
) -> Result<(Person, bool), Failure> {
    let workload = Workload {
        name: enrolled.name.clone(),
        issuer: brought.issuer.clone(),
        claims,
        started_by: brought.started_by.clone(),
    };
    let subject = workload.subject(brought.subject.as_deref());
    if let Some(known) = backend.store.person_by_subject(&workload.issuer, &subject).await? {
        // somebody who signs in at the same issuer is no workload, whatever they are called there
        return match known.workload.as_deref() == Some(&workload) {
            true => Ok((known, false)),
            false => Err(Failure::broken(format!("{subject} is somebody else"))),
        };
    }
    let new = Person {
        id: backend.random.person_id(),
        issuer: workload.issuer.clone(),
        subject,
        name: workload.name.clone(),
        since: backend.now(),
        workload: Some(Box::new(workload)),
    };
    Ok((new, true))
}

fn evidence(person: &Person, brought: &Brought, session: &Session) -> Value {
    let run = RUN
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), brought.claims.get(*name)?.clone())));
    json!({
        "method": session.method,
        "device": session.device,
        "workload": person.workload,
        "run": run.collect::<Map<String, Value>>(),
    })
}

/// Who is behind what `workload` asks for, by the accounts that `catalogue` links; nobody where a person asks.
///
/// # Errors
/// What the store says.
pub async fn behind(backend: &Backend, catalogue: &Catalogue, workload: Option<&Workload>) -> Result<Behind, Failure> {
    let Some(workload) = workload.filter(|workload| workload.started_by != StartedBy::Nobody) else {
        return Ok(Behind::Nobody);
    };
    let Some(human) = catalogue.human_behind(workload) else {
        return Ok(Behind::Unknown);
    };
    let mut known = Vec::new();
    for (issuer, subject) in human {
        known.extend(backend.store.person_by_subject(issuer, subject).await?);
    }
    Ok(Behind::Known(known.into_iter().map(|person| person.id).collect()))
}

/// A workload as people see it.
pub async fn view(backend: &Backend, catalogue: &Catalogue, workload: &Workload) -> WorkloadView {
    let started_by = match (&workload.started_by, catalogue.human_behind(workload)) {
        (StartedBy::Nobody, _) => None,
        (StartedBy::Unknown, _) => Some("somebody unknown".to_owned()),
        (StartedBy::Account(id), human) => {
            let mut names = Vec::new();
            for (issuer, subject) in human.into_iter().flatten() {
                let known = backend.store.person_by_subject(issuer, subject).await.ok().flatten();
                names.push(known.map_or_else(|| shown(subject), |person| people::in_words(backend, &person)));
            }
            match names.as_slice() {
                [] => Some(format!("account {id}")),
                names => Some(names.join(", ")),
            }
        }
    };
    WorkloadView {
        name: workload.name.clone(),
        issuer: workload.issuer.clone(),
        started_by,
    }
}

/// Why nobody could approve what a job asks whose human is not known, and what mends that.
pub fn starter_unknown(caller: &Caller) -> Failure {
    let mut problem = Problem::from(&Refusal::StarterUnknown);
    let workload = caller.person.workload.as_deref();
    problem.hint = Some(match workload.map(|workload| &workload.started_by) {
        Some(StartedBy::Account(id)) => format!(
            "who owns the policy says whose account that is: [human.NAME] accounts = [\"{} {id}\"]",
            caller.person.issuer
        ),
        Some(StartedBy::Unknown | StartedBy::Nobody) | None => {
            "start a new run: one that is run again does not say by whom".to_owned()
        }
    });
    problem.into()
}

/// No workload is a user of Identity Center, and one that is called like somebody there shall not be them.
pub fn may_have(caller: &Caller, target: &Target) -> Result<(), Failure> {
    if caller.person.workload.is_none() || target.binding.assignment().is_none() {
        return Ok(());
    }
    let title = format!("{} is a permission set, which no workload can have", target.name);
    Err(Problem::new(Code::PolicyRefused, title).hint("ask for a role").into())
}
