//! What filing a request would come to. Refuses to store anything, and to tell more than filing would.

use super::people::{self, Names};
use super::plan::Plan;
use super::roll::Roll;
use super::view::{Viewer, extends, stages};
use crate::domain::Person;
use crate::server::backend::{Backend, Caller};
use crate::server::failure::Failure;
use crate::wire::{CenterView, DryRun, NewRequest, Outcome};

/// What `new` would come to.
///
/// # Errors
/// Those of filing it.
pub async fn dry_run(backend: &Backend, caller: &Caller, new: &NewRequest) -> Result<DryRun, Failure> {
    let bundle = backend.bundle();
    let plan = Plan::make(backend, caller, &bundle, new).await?;
    let mut told = told(backend, &plan, caller).await?;
    if let Some((outcome, met)) = plan.met(backend, caller).await? {
        told.outcome = outcome;
        told.request = Some(Viewer::new(backend, &caller.person).of(&met).await?);
        return Ok(told);
    }
    let filing = plan.filing(backend, caller, &bundle).await?;
    let subject = |person: &Person| (person.issuer.clone(), person.subject.clone());
    let mut apart = vec![subject(&caller.person), subject(&plan.beneficiary)];
    let workload = caller.person.workload.as_deref();
    let human = workload.and_then(|workload| bundle.catalogue().human_behind(workload));
    apart.extend(human.into_iter().flatten().cloned());
    told.automatic = filing.automatic;
    told.policies = plan.policies();
    let roll = Roll::read(backend, bundle.catalogue()).await?;
    let (all, names) = ((bundle.catalogue(), &roll), Names::new(backend));
    told.stages = stages(&plan.target.workflow, &[], all, &apart, &names).await?;
    Ok(told)
}

/// What is the same whatever it meets.
async fn told(backend: &Backend, plan: &Plan, caller: &Caller) -> Result<DryRun, Failure> {
    let (target, body) = (&plan.target, &plan.body);
    let binding = &body.binding;
    Ok(DryRun {
        outcome: Outcome::Filed,
        requester: people::view(backend, &caller.person).await?,
        beneficiary: people::view(backend, &plan.beneficiary).await?,
        target: body.target.to_string(),
        title: target.title.clone(),
        account_name: binding.account_name().to_owned(),
        account: binding.account().to_owned(),
        role_arn: binding.arn().to_owned(),
        duration_s: body.duration.secs(),
        start: body.start,
        extends: extends(body),
        cap_s: target.max_duration.secs(),
        session_s: binding.session().secs(),
        only: body.only.iter().map(ToString::to_string).collect(),
        ticket: body.ticket.as_ref().map(ToString::to_string),
        policies: Vec::new(),
        automatic: false,
        stages: Vec::new(),
        expires_after_s: target.workflow.expires_after.secs(),
        chain: binding.chain(),
        identity_center: CenterView::of(binding),
        request: None,
    })
}
