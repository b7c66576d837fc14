//! What somebody may ask for.

use std::collections::HashMap;

use super::people::Names;
use super::roll::Roll;
use super::roster::Listing;
use super::view::stages;
use super::{locked, step_up};
use crate::domain::accounts::typed_name;
use crate::policy::{Ask, Bundle, Catalogue, Family, Question, Target, decide, is_hit, searched, words};
use crate::server::backend::{Backend, Caller};
use crate::server::failure::{Failure, repeated};
use crate::wire::problem::Code;
use crate::wire::{AccountView, AccountsView, CenterView, Problem, StageView, TargetList, TargetView};

/// Stands for a reason while nobody has given one: what may be asked for does not hang on its length.
pub const REASON_TO_COME: &str = "a reason that is still to be given";

/// Accounts of a target that are answered with.
const MOST_MEMBERS: usize = 200;

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
    let (roll, names) = (Roll::read(backend, catalogue).await?, Names::new(backend));
    let told = async |target: &Target, automatic: bool| -> Result<TargetView, Failure> {
        let stages = stages(&target.workflow, &[], (catalogue, &roll), &apart, &names).await?;
        Ok(view(target, automatic, stages))
    };
    let mut found = Vec::new();
    for target in catalogue.search(query.unwrap_or_default()) {
        let ask = general(target);
        let session = step_up::at_best(backend, caller);
        if decide(&bundle, &Question::Request { who, ask, session, now }).allowed {
            let session = caller.facts();
            let automatic = decide(&bundle, &Question::AutoApprove { who, ask, session, now }).allowed;
            found.push(told(target, automatic).await?);
        }
    }
    for (family, accounts) in in_many(backend, &bundle, query.unwrap_or_default()) {
        let target = family.in_general();
        let ask = general(target);
        let session = step_up::at_best(backend, caller);
        if decide(&bundle, &Question::Request { who, ask, session, now }).allowed {
            let session = caller.facts();
            let automatic = decide(&bundle, &Question::AutoApprove { who, ask, session, now }).allowed;
            found.push(TargetView {
                accounts: Some(accounts),
                ..told(target, automatic).await?
            });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let locks = locked::seen(backend, caller).await?;
    Ok(TargetList { targets: found, locks })
}

fn view(target: &Target, automatic: bool, stages: Vec<StageView>) -> TargetView {
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
        stages,
        chain: target.binding.chain(),
        kill_switch: target.binding.kill().is_some(),
        accounts: None,
        identity_center: CenterView::of(&target.binding),
    }
}

/// What is asked while nobody has said why and for how long.
const fn general(target: &Target) -> Ask<'_> {
    Ask {
        target,
        duration: target.default_duration,
        reason: REASON_TO_COME,
        ticket: None,
        only: &[],
        start: None,
    }
}

/// Targets in many accounts that `query` fits, or of whose accounts it fits some; with those that it fits.
fn in_many<'a>(backend: &Backend, bundle: &'a Bundle, query: &str) -> Vec<(&'a Family, AccountsView)> {
    let words = words(query);
    let mut found = Vec::new();
    for family in bundle.catalogue().families() {
        let listing = backend.roster.listing(backend.now(), family);
        let accounts = fitting(bundle.catalogue(), family, &listing, &words);
        if accounts.count > 0 || is_hit(&words, &searched(family.in_general())) {
            found.push((family, accounts));
        }
    }
    found
}

fn fitting(catalogue: &Catalogue, family: &Family, listing: &Listing, words: &[String]) -> AccountsView {
    let mut view = AccountsView {
        chosen_by: family.accounts.by.to_string(),
        listed_at: None,
        missing: None,
        count: 0,
        members: Vec::new(),
    };
    let listed = match listing {
        Listing::Read(listed) => listed,
        Listing::Gone => {
            view.missing = Some(format!("the organization has no unit {}", family.accounts.by));
            return view;
        }
        Listing::Unread(error) => {
            let error = error.as_ref().map_or_else(String::new, |error| format!(": {error}"));
            view.missing = Some(format!("they are not listed yet{error}"));
            return view;
        }
    };
    view.listed_at = Some(listed.at);
    let of = searched(family.in_general());
    let mut typed: HashMap<String, u32> = HashMap::new();
    for one in listed.accounts.iter() {
        *typed.entry(typed_name(&one.name).unwrap_or_default()).or_default() += 1;
    }
    for one in listed.accounts.iter() {
        let name = catalogue.shown_name(&one.id, &one.name);
        let own = catalogue.account_name(&one.id).map(str::to_owned);
        let by_name = typed_name(&one.name).filter(|name| typed.get(name) == Some(&1));
        let is_free = |name: &String| catalogue.account_id(name).is_none();
        let account = own.or(by_name.filter(is_free)).unwrap_or_else(|| one.id.clone());
        let target = family.name().in_account(&account).to_string();
        let text = format!("{of} {target} {}/{} {}", family.name(), one.id, name.to_lowercase());
        if is_hit(words, &text) {
            view.count += 1;
            if view.members.len() < MOST_MEMBERS {
                view.members.push(AccountView {
                    target,
                    id: one.id.clone(),
                    name: name.to_owned(),
                });
            }
        }
    }
    view
}

/// No such target, with the names that are near.
pub fn unknown(catalogue: &Catalogue, given: &str) -> Failure {
    let mut problem = Problem::new(Code::TargetNotFound, format!("no target named {}", repeated(given)));
    problem.nearest = catalogue.nearest(given, 3).into_iter().map(str::to_owned).collect();
    problem.into()
}
