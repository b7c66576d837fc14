//! What filing a request comes to: what is asked in types, what it meets, what policy says.
//! Refuses to store anything, so that a dry run tells what the real one would do.

use serde_json::{Value, json};

use super::{accounts, directory, locked, others, people, resolve, step_up, workload};
use crate::domain::lock::asking;
use crate::domain::{
    Behind, Body, Case, Duration, Extends, Filing, Frozen, Grant, Narrowing, Person, PersonName, Reason, Refusal,
    Scope, Standing, Ticket, Timestamp, standing,
};
use crate::policy::{Ask, Bundle, Decision, Question, Target, Who, decide};
use crate::server::backend::{Backend, Caller};
use crate::server::edge::limits::MOST_OPEN_REQUESTS;
use crate::server::failure::Failure;
use crate::server::provider::{Access, Beneficiary};
use crate::wire::problem::{Code, StepUp};
use crate::wire::{NewRequest, Outcome};

/// How many open requests are looked at to count those that one made oneself.
const OPEN_PAGE: u32 = 10 * MOST_OPEN_REQUESTS;

/// What is asked, and what it meets.
pub struct Plan {
    /// Of what, in the account as it stands now.
    pub target: Target,
    /// What is asked, complete.
    pub body: Body,
    /// Who would get it.
    pub beneficiary: Person,
    /// What it stands beside.
    pub case: Case,
    behind: Behind,
    standing: Standing,
    answers: Answers,
}

/// What a new request says, in types.
struct Asked {
    duration: Duration,
    reason: Reason,
    ticket: Option<Ticket>,
    only: Vec<Narrowing>,
    on_behalf_of: Option<PersonName>,
    extend: bool,
    start: Option<Timestamp>,
}

/// What policy says. It approves nothing by itself that is asked for somebody else: what it would look at is the
/// session of who asks.
struct Answers {
    request: Decision,
    /// What would make a yes of the answer to it.
    step_up: Option<StepUp>,
    receive: Decision,
    automatic: Option<Decision>,
}

impl Plan {
    /// What `new` comes to.
    ///
    /// # Errors
    /// What cannot be asked; [`standing`]'s refusals; policy's, where it is for somebody else: what they have is told
    /// to nobody who may not ask for them.
    pub async fn make(backend: &Backend, caller: &Caller, bundle: &Bundle, new: &NewRequest) -> Result<Self, Failure> {
        let asked = Asked::parse(new)?;
        let target = accounts::target(backend, bundle, &new.target).await?;
        let scene = Scene {
            backend,
            caller,
            bundle,
            target: &target,
            asked: &asked,
        };
        let beneficiary = scene.beneficiary().await?;
        workload::may_have(caller, &target)?;
        let behind = workload::behind(backend, bundle.catalogue(), caller.person.workload.as_deref()).await?;
        let mut case = backend.store.case_to_file(&beneficiary.id, &target.name).await?;
        let mut beside = vec![Scope::Person(caller.person.id.clone()), Scope::bound(&target.binding)];
        beside.extend(target.same_access.iter().flat_map(Scope::of_target));
        case.locks.extend(backend.store.locks_on(&beside).await?);
        let body = scene.body(&beneficiary, &case)?;
        let scopes = asking(&body, &target.same_access);
        locked::pass(backend, &caller.person.id, &case, &target.name, &scopes).await?;
        let answers = scene.answers(&beneficiary, &body).await?;
        if beneficiary.id != caller.person.id {
            answers.hold(&people::in_words(backend, &beneficiary), &body)?;
        }
        fits(backend, &beneficiary, &body)?;
        let standing = standing(backend.now(), &case, &body, target.max_duration)?;
        Ok(Self {
            target,
            body,
            beneficiary,
            case,
            behind,
            standing,
            answers,
        })
    }

    /// What it would join, or what covers it; `None` where it is new.
    ///
    /// # Errors
    /// Somebody else's that the caller may not see.
    pub async fn met(&self, backend: &Backend, caller: &Caller) -> Result<Option<(Outcome, Case)>, Failure> {
        let (outcome, case) = match &self.standing {
            Standing::New => return Ok(None),
            Standing::Joins(request) => (Outcome::Joined, backend.store.case(request).await?),
            Standing::Covered(grant) => (Outcome::Covered, backend.store.case_of_grant(grant).await?),
        };
        let case = case.unwrap_or_default();
        if resolve::may_view(backend, caller, &case).await {
            return Ok(Some((outcome, case)));
        }
        let (name, target) = (people::in_words(backend, &self.beneficiary), &self.body.target);
        let title = format!("{name} has {target} already, or has asked for it");
        Err(Failure::new(Code::RequestDiffers, title))
    }

    /// What is to be filed, where it is new.
    ///
    /// # Errors
    /// Too many open requests; what the provider could never give; refusals of policy.
    pub async fn filing(&self, backend: &Backend, caller: &Caller, bundle: &Bundle) -> Result<Filing, Failure> {
        let me = &caller.person.id;
        let open = backend.store.requests_of(me, true, None, OPEN_PAGE).await?;
        // what others ask for me is theirs to answer for
        if open.iter().filter(|request| request.body.requester == *me).count() >= MOST_OPEN_REQUESTS as usize {
            let title = format!("you have {MOST_OPEN_REQUESTS} open requests");
            return Err(Failure::new(Code::RequestTooMany, title));
        }
        self.answers
            .hold(&people::in_words(backend, &self.beneficiary), &self.body)?;
        let automatic = self.answers.automatic.as_ref().is_some_and(|answer| answer.allowed);
        let started_by = match &self.behind {
            // anybody who approves it could be who started it
            Behind::Unknown if !automatic => return Err(workload::starter_unknown(caller)),
            Behind::Nobody | Behind::Unknown => Vec::new(),
            Behind::Known(people) => people.clone(),
        };
        Ok(Filing {
            body: self.resolved(backend).await?,
            frozen: Frozen {
                workflow: self.target.workflow.clone(),
                cap: self.target.max_duration,
                risk: self.target.risk,
                environment: self.target.environment.clone(),
                bundle_hash: bundle.hash().as_str().to_owned(),
                account: self.target.facts.clone(),
                same_access: self.target.same_access.clone(),
                started_by,
            },
            device: caller.session.device.clone(),
            automatic,
            grant: backend.random.grant_id(),
        })
    }

    /// The body with whom the system itself will give access to, where it is a membership there; what stands in the way is
    /// said now and not when somebody has approved it.
    async fn resolved(&self, backend: &Backend) -> Result<Body, Failure> {
        let beneficiary = Beneficiary {
            issuer: &self.beneficiary.issuer,
            name: &self.beneficiary.name,
            subject: &self.beneficiary.subject,
        };
        let provider = backend.provider(&self.body.binding);
        let asked_at = backend.now();
        let Some(user) = provider.resolve(asked_at, &self.body.binding, beneficiary).await? else {
            return Ok(self.body.clone());
        };
        let mut body = Body {
            user: Some(user.id),
            through_group: user.through_group,
            ..self.body.clone()
        };
        if let Some(name) = body.membership().filter(|_| user.is_member) {
            let standing = backend.store.membership(&name).await?;
            body.pre_existing = !standing.is_some_and(|standing| standing.is_ours_since(asked_at));
        }
        Ok(body)
    }

    /// Everything that policy's answers were made from, for the evidence.
    pub fn inputs(&self) -> Value {
        json!(self.answers.all().map(|answer| &answer.inputs).collect::<Vec<_>>())
    }

    /// Ids of the policies that permit it.
    pub fn policies(&self) -> Vec<String> {
        let permits = self.answers.all().filter(|answer| answer.allowed);
        let mut ids: Vec<String> = permits
            .flat_map(|answer| answer.reasons.iter().map(|reason| reason.policy.clone()))
            .collect();
        ids.sort();
        ids.dedup();
        ids
    }
}

impl Answers {
    fn all(&self) -> impl Iterator<Item = &Decision> {
        [&self.request, &self.receive].into_iter().chain(&self.automatic)
    }

    fn hold(&self, beneficiary: &str, body: &Body) -> Result<(), Failure> {
        let for_another = body.requester != body.beneficiary;
        if !self.request.allowed {
            let failure = match for_another {
                true => refused_for_another(&self.request),
                false => Failure::policy(&self.request),
            };
            return Err(step_up::asked_for(failure, self.step_up.clone()));
        }
        if self.receive.allowed {
            return Ok(());
        }
        let mut failure = Failure::policy(&self.receive);
        if for_another && failure.problem.reasons.is_empty() {
            failure.problem.title = format!("policy does not let {beneficiary} have {}", body.target);
        }
        Err(failure)
    }
}

impl Asked {
    fn parse(new: &NewRequest) -> Result<Self, Failure> {
        let mut only = new
            .only
            .iter()
            .map(|text| Narrowing::parse(text))
            .collect::<Result<Vec<_>, _>>()?;
        only.sort();
        only.dedup();
        if new.extend && !only.is_empty() {
            let title = "an extension is narrowed as what it extends";
            return Err(Failure::new(Code::UsageNarrowing, title));
        }
        Ok(Self {
            duration: Duration::from_secs(new.duration_s)?,
            reason: Reason::parse(new.reason.trim())?,
            ticket: new.ticket.as_deref().map(Ticket::parse).transpose()?,
            only,
            on_behalf_of: new.on_behalf_of.as_deref().map(PersonName::parse).transpose()?,
            extend: new.extend,
            start: new.start,
        })
    }

    fn ask<'a>(&'a self, target: &'a Target, only: &'a [Narrowing]) -> Ask<'a> {
        Ask {
            target,
            duration: self.duration,
            reason: self.reason.as_str(),
            ticket: self.ticket.as_ref(),
            only,
            start: self.start,
        }
    }
}

/// Who asks whom for what.
struct Scene<'a> {
    backend: &'a Backend,
    caller: &'a Caller,
    bundle: &'a Bundle,
    target: &'a Target,
    asked: &'a Asked,
}

impl Scene<'_> {
    /// Who would get it. Whether one may ask for others is asked before it is looked up who that is: whoever may not
    /// hears the same of every name.
    async fn beneficiary(&self) -> Result<Person, Failure> {
        let me = &self.caller.person;
        match &self.asked.on_behalf_of {
            Some(_) if me.workload.is_some() => {
                Err(Failure::new(Code::PolicyRefused, "a workload asks for itself alone"))
            }
            Some(name) if name.as_str() != me.subject => {
                let (answer, step_up) = self.may_ask(true, &self.asked.only);
                if !answer.allowed {
                    return Err(step_up::asked_for(refused_for_another(&answer), step_up));
                }
                others::named(self.backend, me, name).await
            }
            None if self.asked.extend => others::holder(self.backend, self.caller, &self.target.name).await,
            Some(_) | None => Ok(me.clone()),
        }
    }

    fn body(&self, beneficiary: &Person, case: &Case) -> Result<Body, Refusal> {
        let (asked, target) = (self.asked, self.target);
        let extended = match live(case, self.backend.now()) {
            _ if !asked.extend => None,
            Some((grant, ends_at)) => Some((grant, ends_at)),
            None => {
                return Err(Refusal::NothingToExtend {
                    target: target.name.to_string(),
                });
            }
        };
        Ok(Body {
            schema: Body::SCHEMA.to_owned(),
            id: self.backend.random.request_id(),
            requester: self.caller.person.id.clone(),
            beneficiary: beneficiary.id.clone(),
            target: target.name.clone(),
            binding: target.binding.clone(),
            duration: asked.duration,
            start: asked.start,
            reason: asked.reason.clone(),
            ticket: asked.ticket.clone(),
            only: extended.map_or_else(|| asked.only.clone(), |(grant, _)| grant.only.clone()),
            extends: extended.map(|(grant, ends_at)| Extends {
                grant: grant.id.clone(),
                ends_at,
            }),
            user: None,
            pre_existing: false,
            through_group: false,
            workload: self.caller.person.workload.clone(),
        })
    }

    fn may_ask(&self, for_another: bool, only: &[Narrowing]) -> (Decision, Option<StepUp>) {
        let groups = self.caller.groups(self.bundle);
        let who = self.caller.who(&groups);
        let ask = self.asked.ask(self.target, only);
        let (session, now) = (self.caller.facts(), self.backend.now());
        let question = if for_another {
            Question::RequestFor { who, ask, session, now }
        } else {
            Question::Request { who, ask, session, now }
        };
        let answer = decide(self.bundle, &question);
        let step_up = match answer.allowed {
            true => None,
            false => step_up::wanted(self.backend, self.caller, self.bundle, &question),
        };
        (answer, step_up)
    }

    async fn answers(&self, beneficiary: &Person, body: &Body) -> Result<Answers, Failure> {
        let for_another = body.requester != body.beneficiary;
        let (groups, active) = directory::groups(self.backend, self.bundle, beneficiary).await?;
        let who = Who {
            person: beneficiary,
            groups: &groups,
            active,
        };
        let ask = self.asked.ask(self.target, &body.only);
        let (session, now) = (self.caller.facts(), self.backend.now());
        let (request, step_up) = self.may_ask(for_another, &body.only);
        Ok(Answers {
            request,
            step_up,
            receive: decide(self.bundle, &Question::Receive { who, ask, now }),
            automatic: (!for_another).then(|| decide(self.bundle, &Question::AutoApprove { who, ask, session, now })),
        })
    }
}

/// Whether the provider could ever give what is asked: nobody shall approve what cannot be, whatever it stands beside.
fn fits(backend: &Backend, beneficiary: &Person, body: &Body) -> Result<(), Failure> {
    let access = Access {
        request: body.id.clone(),
        grant: backend.random.grant_id(),
        person: beneficiary.id.clone(),
        person_name: beneficiary.name.clone(),
        binding: body.binding.clone(),
        user: body.user.clone(),
        only: body.only.clone(),
        ends_at: body.ends(backend.now()),
    };
    let provider = backend.provider(&body.binding);
    provider
        .accepts(&access)
        .map_err(|error| Failure::new(Code::UsageNarrowing, error.to_string()))
}

/// Policy's "no" to asking for somebody else: the same whoever that is.
fn refused_for_another(answer: &Decision) -> Failure {
    let mut failure = Failure::policy(answer);
    if failure.problem.reasons.is_empty() && answer.errors.is_empty() {
        failure.problem.title = "policy does not let you ask for somebody else".to_owned();
    }
    failure
}

/// The live grant that ends last: what an extension continues.
fn live(case: &Case, now: Timestamp) -> Option<(&Grant, Timestamp)> {
    case.beside
        .iter()
        .filter_map(|held| held.grant.as_ref())
        .filter(|grant| grant.is_live(now))
        .filter_map(|grant| Some((grant, grant.ends_at?)))
        .max_by_key(|(_, ends_at)| *ends_at)
}
