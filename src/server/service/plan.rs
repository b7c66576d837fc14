//! What filing a request comes to: what is asked in types, what it meets, what policy says.
//! Refuses to store anything, so that a dry run tells what the real one would do.

use serde_json::{Value, json};

use crate::domain::{Body, Case, Duration, Filing, Frozen, Narrowing, Reason, Standing, Ticket, standing};
use crate::policy::{Ask, Bundle, Decision, Question, Target, decide};
use crate::server::backend::{Backend, Caller};
use crate::server::edge::limits::MOST_OPEN_REQUESTS;
use crate::server::failure::Failure;
use crate::server::provider::Access;
use crate::wire::NewRequest;
use crate::wire::problem::Code;

/// What is asked, and what it meets.
pub struct Plan<'a> {
    /// Of what.
    pub target: &'a Target,
    /// What is asked, complete.
    pub body: Body,
    /// What it stands beside.
    pub case: Case,
    /// What it meets there.
    pub standing: Standing,
    answers: Answers,
}

/// What policy says.
struct Answers {
    request: Decision,
    receive: Decision,
    automatic: Decision,
}

/// A target's name with what one could mean by it.
///
/// # Errors
/// [`Code::TargetNotFound`], with the names that are near.
pub fn target<'a>(bundle: &'a Bundle, given: &str) -> Result<&'a Target, Failure> {
    let catalogue = bundle.catalogue();
    catalogue
        .find(given)
        .ok_or_else(|| super::targets::unknown(catalogue, given))
}

impl<'a> Plan<'a> {
    /// What `new` comes to.
    ///
    /// # Errors
    /// What cannot be asked; [`standing`]'s refusals.
    pub async fn make(
        backend: &Backend,
        caller: &Caller,
        bundle: &'a Bundle,
        new: &NewRequest,
    ) -> Result<Self, Failure> {
        let target = target(bundle, &new.target)?;
        let body = body(backend, caller, target, new)?;
        let case = backend.store.case_to_file(&body.beneficiary, &target.name).await?;
        let standing = standing(backend.now(), &case, &body, target.max_duration)?;
        Ok(Self {
            target,
            answers: answers(backend, caller, bundle, target, &body),
            body,
            case,
            standing,
        })
    }

    /// What is to be filed, where it is new.
    ///
    /// # Errors
    /// Too many open requests; what the provider could never give; refusals of policy.
    pub async fn filing(&self, backend: &Backend, caller: &Caller, bundle: &Bundle) -> Result<Filing, Failure> {
        let open = backend
            .store
            .requests_of(&caller.person.id, true, None, MOST_OPEN_REQUESTS)
            .await?;
        if open.len() >= MOST_OPEN_REQUESTS as usize {
            let title = format!("you have {MOST_OPEN_REQUESTS} open requests");
            return Err(Failure::new(Code::RequestTooMany, title));
        }
        fits(backend, caller, &self.body)?;
        for answer in [&self.answers.request, &self.answers.receive] {
            if !answer.allowed {
                return Err(Failure::policy(answer));
            }
        }
        Ok(Filing {
            body: self.body.clone(),
            frozen: Frozen {
                workflow: self.target.workflow.clone(),
                cap: self.target.max_duration,
                risk: self.target.risk,
                environment: self.target.environment.clone(),
                bundle_hash: bundle.hash().as_str().to_owned(),
            },
            device: caller.session.device.clone(),
            automatic: self.answers.automatic.allowed,
            grant: backend.random.grant_id(),
        })
    }

    /// Everything that policy's answers were made from, for the evidence.
    pub fn inputs(&self) -> Value {
        let answers = &self.answers;
        json!([answers.request.inputs, answers.receive.inputs, answers.automatic.inputs])
    }

    /// Ids of the policies that permit it.
    pub fn policies(&self) -> Vec<String> {
        let answers = [&self.answers.request, &self.answers.receive, &self.answers.automatic];
        let permits = answers.into_iter().filter(|answer| answer.allowed);
        let mut ids: Vec<String> = permits
            .flat_map(|answer| answer.reasons.iter().map(|reason| reason.policy.clone()))
            .collect();
        ids.sort();
        ids.dedup();
        ids
    }
}

fn body(backend: &Backend, caller: &Caller, target: &Target, new: &NewRequest) -> Result<Body, Failure> {
    let mut only = new
        .only
        .iter()
        .map(|text| Narrowing::parse(text))
        .collect::<Result<Vec<_>, _>>()?;
    only.sort();
    only.dedup();
    Ok(Body {
        schema: Body::SCHEMA.to_owned(),
        id: backend.random.request_id(),
        requester: caller.person.id.clone(),
        beneficiary: caller.person.id.clone(),
        target: target.name.clone(),
        binding: target.binding.clone(),
        duration: Duration::from_secs(new.duration_s)?,
        start: None,
        reason: Reason::parse(new.reason.trim())?,
        ticket: new.ticket.as_deref().map(Ticket::parse).transpose()?,
        only,
    })
}

fn answers(backend: &Backend, caller: &Caller, bundle: &Bundle, target: &Target, body: &Body) -> Answers {
    let now = backend.now();
    let groups = caller.groups(bundle);
    let who = caller.who(&groups);
    let ask = Ask {
        target,
        duration: body.duration,
        reason: body.reason.as_str(),
        ticket: body.ticket.as_ref(),
        only: &body.only,
    };
    let session = caller.facts();
    Answers {
        request: decide(bundle, &Question::Request { who, ask, session, now }),
        receive: decide(bundle, &Question::Receive { who, ask, now }),
        automatic: decide(bundle, &Question::AutoApprove { who, ask, session, now }),
    }
}

/// Whether the provider could ever give what is asked: nobody shall approve what cannot be.
fn fits(backend: &Backend, caller: &Caller, body: &Body) -> Result<(), Failure> {
    let access = Access {
        request: body.id.clone(),
        grant: backend.random.grant_id(),
        person: caller.person.id.clone(),
        person_name: caller.person.name.clone(),
        binding: body.binding.clone(),
        only: body.only.clone(),
        ends_at: backend.now().plus(body.duration),
    };
    let provider = backend.provider(&body.binding);
    provider
        .accepts(&access)
        .map_err(|error| Failure::new(Code::UsageNarrowing, error.to_string()))
}
