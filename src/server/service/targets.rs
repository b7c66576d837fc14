//! What somebody may ask for.

use super::locked;
use super::view::stages;
use crate::policy::{Ask, Catalogue, Question, Target, decide};
use crate::server::backend::{Backend, Caller};
use crate::server::failure::{Failure, repeated};
use crate::wire::problem::Code;
use crate::wire::{CenterView, Problem, TargetList, TargetView};

/// Stands for a reason while nobody has given one: what may be asked for does not hang on its length.
pub const REASON_TO_COME: &str = "a reason that is still to be given";

/// Targets that policy lets `caller` ask for, by name; with `query`, those that all its words fit.
///
/// # Errors
/// What the store says.
pub async fn targets(backend: &Backend, caller: &Caller, query: Option<&str>) -> Result<TargetList, Failure> {
    let bundle = backend.bundle();
    let catalogue = bundle.catalogue();
    let groups = caller.groups(&bundle);
    let who = caller.who(&groups);
    let apart = [(caller.person.issuer.clone(), caller.person.subject.clone())];
    let now = backend.now();
    let mut found = Vec::new();
    for target in catalogue.search(query.unwrap_or_default()) {
        let ask = Ask {
            target,
            duration: target.default_duration,
            reason: REASON_TO_COME,
            ticket: None,
            only: &[],
            start: None,
        };
        let session = caller.facts();
        if decide(&bundle, &Question::Request { who, ask, session, now }).allowed {
            let automatic = decide(&bundle, &Question::AutoApprove { who, ask, session, now }).allowed;
            found.push(view(target, automatic, catalogue, &apart));
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let locks = locked::seen(backend, caller).await?;
    Ok(TargetList { targets: found, locks })
}

fn view(target: &Target, automatic: bool, catalogue: &Catalogue, apart: &[(String, String)]) -> TargetView {
    TargetView {
        name: target.name.to_string(),
        title: target.title.clone(),
        description: target.description.clone(),
        aliases: target.aliases.clone(),
        environment: target.environment.clone(),
        risk: target.risk,
        max_duration_s: target.max_duration.secs(),
        default_duration_s: target.default_duration.secs(),
        provider: "aws".to_owned(),
        account_name: target.binding.account_name().to_owned(),
        account: target.binding.account().to_owned(),
        role_arn: target.binding.arn().to_owned(),
        automatic,
        stages: stages(&target.workflow, &[], catalogue, apart),
        chain: target.binding.chain(),
        kill_switch: target.binding.kill().is_some(),
        identity_center: CenterView::of(&target.binding),
    }
}

/// No such target, with the names that are near.
pub fn unknown(catalogue: &Catalogue, given: &str) -> Failure {
    let mut problem = Problem::new(Code::TargetNotFound, format!("no target named {}", repeated(given)));
    problem.nearest = catalogue.nearest(given, 3).into_iter().map(str::to_owned).collect();
    problem.into()
}
