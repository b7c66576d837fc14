//! What filing a request would come to. Refuses to store anything, and to tell more than filing would.

use super::plan::Plan;
use super::view::{Viewer, stages};
use crate::domain::{Body, Standing};
use crate::policy::Target;
use crate::server::backend::{Backend, Caller};
use crate::server::failure::Failure;
use crate::wire::{DryRun, NewRequest, Outcome, PersonView};

/// What `new` would come to.
///
/// # Errors
/// Those of filing it.
pub async fn dry_run(backend: &Backend, caller: &Caller, new: &NewRequest) -> Result<DryRun, Failure> {
    let bundle = backend.bundle();
    let plan = Plan::make(backend, caller, &bundle, new).await?;
    let viewer = Viewer::new(backend, &caller.person);
    let mut told = told(plan.target, &plan.body, caller);
    match &plan.standing {
        Standing::New => {
            let filing = plan.filing(backend, caller, &bundle).await?;
            let apart = [(caller.person.issuer.clone(), caller.person.subject.clone())];
            told.automatic = filing.automatic;
            told.policies = plan.policies();
            told.stages = stages(&plan.target.workflow, &[], bundle.catalogue(), &apart);
        }
        Standing::Joins(request) => {
            told.outcome = Outcome::Joined;
            told.request = Some(viewer.by_id(request).await?);
        }
        Standing::Covered(grant) => {
            let covering = backend.store.case_of_grant(grant).await?.unwrap_or_default();
            told.outcome = Outcome::Covered;
            told.request = Some(viewer.of(&covering).await?);
        }
    }
    Ok(told)
}

/// What is the same whatever it meets.
fn told(target: &Target, body: &Body, caller: &Caller) -> DryRun {
    let binding = &body.binding;
    DryRun {
        outcome: Outcome::Filed,
        beneficiary: PersonView {
            id: caller.person.id.to_string(),
            name: caller.person.name.clone(),
        },
        target: body.target.to_string(),
        title: target.title.clone(),
        account_name: binding.account_name.clone(),
        account: binding.account.clone(),
        role_arn: binding.role_arn.clone(),
        duration_s: body.duration.secs(),
        cap_s: target.max_duration.secs(),
        session_s: binding.session.secs(),
        only: body.only.iter().map(ToString::to_string).collect(),
        ticket: body.ticket.as_ref().map(ToString::to_string),
        policies: Vec::new(),
        automatic: false,
        stages: Vec::new(),
        expires_after_s: target.workflow.expires_after.secs(),
        chain: binding.chain,
        request: None,
    }
}
