//! From what somebody typed to a target in one account, as that account stands now.
//! Owns when the organization is asked: always before access in an account is decided. Refuses to decide by a list that
//! was read before.

use super::targets::unknown;
use crate::domain::accounts::{is_account_id, typed_name};
use crate::domain::{AccountFacts, Choice, Request, TargetName};
use crate::policy::{Bundle, Family, Target, Unfit};
use crate::server::backend::Backend;
use crate::server::failure::{Failure, repeated};
use crate::server::service::roster::Listing;
use crate::wire::Problem;
use crate::wire::problem::Code;

/// Names that are offered where several fit.
const MOST_NEAREST: usize = 3;

/// The target that `given` names, in its account as that stands now.
///
/// # Errors
/// [`Code::TargetNotFound`] and [`Code::TargetAmbiguous`]; [`Code::TargetUnresolved`] where what its accounts are chosen
/// by is gone; [`Code::PolicyRefused`] where it cannot be had there; the provider's, where it does not answer.
pub async fn target(backend: &Backend, bundle: &Bundle, given: &str) -> Result<Target, Failure> {
    let catalogue = bundle.catalogue();
    if let Some(target) = catalogue.find(given) {
        return in_its_account(backend, bundle, target).await;
    }
    let Some((name, account)) = given.split_once('/') else {
        return Err(match catalogue.family(given) {
            Some(family) => names_no_account(family),
            None => unknown(catalogue, given),
        });
    };
    let family = catalogue.family(name).ok_or_else(|| unknown(catalogue, given))?;
    if is_account_id(account) {
        return in_account(backend, bundle, family, account).await;
    }
    let id = account_of(backend, bundle, family, account)?;
    let target = in_account(backend, bundle, family, &id).await?;
    let is_called = |facts: &AccountFacts| typed_name(&facts.name).as_deref() == Some(account);
    let is_declared = catalogue.account_id(account).is_some();
    // a list of before named it: what it is called now decides
    match is_declared || target.facts.as_ref().is_some_and(is_called) {
        true => Ok(target),
        false => Err(no_account(family, account)),
    }
}

/// A target in one account. The organization is asked only where a policy is to see what it says, or where a target in
/// many accounts could be the same access by other rules.
async fn in_its_account(backend: &Backend, bundle: &Bundle, target: &Target) -> Result<Target, Failure> {
    let mut target = target.clone();
    let is_seen = bundle.looks_at_accounts();
    if !is_seen && !bundle.catalogue().is_shared(&target) {
        return Ok(target);
    }
    let partition = target.binding.partition();
    let found = backend
        .identity_center
        .account(partition, target.binding.account())
        .await?;
    let facts = found.ok_or_else(|| {
        let account = target.binding.account();
        Failure::new(
            Code::TargetUnresolved,
            format!("the organization has no account {account}"),
        )
    })?;
    bundle.catalogue().agrees(&target, &facts).map_err(unfit)?;
    target.same_access = bundle.catalogue().same_access(&target, &facts);
    target.facts = is_seen.then_some(facts);
    Ok(target)
}

/// `family` in the account of this id.
async fn in_account(backend: &Backend, bundle: &Bundle, family: &Family, id: &str) -> Result<Target, Failure> {
    let (partition, by) = (family.accounts.partition, &family.accounts.by);
    let organization = &backend.identity_center;
    let Some(facts) = organization.account(partition, id).await? else {
        return Err(no_account(family, id));
    };
    match bundle.catalogue().member(family, &facts) {
        Ok(target) => Ok(target),
        Err(refused @ Unfit::NotChosen { .. }) => match by {
            Choice::Ou(unit) if !organization.has_unit(partition, unit).await? => Err(gone(family, unit)),
            Choice::Ou(_) | Choice::Tag { .. } => Err(unfit(refused)),
        },
        Err(refused) => Err(unfit(refused)),
    }
}

/// The id of the account that somebody calls `typed`: the catalogue's word goes before the organization's.
pub fn account_of(backend: &Backend, bundle: &Bundle, family: &Family, typed: &str) -> Result<String, Failure> {
    if let Some(id) = bundle.catalogue().account_id(typed) {
        return Ok(id.to_owned());
    }
    let listed = match backend.roster.listing(backend.now(), family) {
        Listing::Read(list) => list,
        Listing::Gone => return Err(gone(family, &family.accounts.by.to_string())),
        Listing::Unread(_) => {
            let title = format!("the accounts of {} are not listed yet", family.name());
            let problem = Problem::new(Code::ProviderUnreachable, title);
            return Err(problem.hint("name the account by its 12 digits").into());
        }
    };
    let fits = |name: &str| typed_name(name).as_deref() == Some(typed);
    let found: Vec<&str> = listed
        .accounts
        .iter()
        .filter(|one| fits(&one.name))
        .map(|one| one.id.as_str())
        .collect();
    match found.as_slice() {
        [] => Err(no_account(family, typed)),
        [one] => Ok((*one).to_owned()),
        several => {
            let title = format!(
                "{} accounts of {} are called {}",
                several.len(),
                family.name(),
                repeated(typed)
            );
            let mut problem = Problem::new(Code::TargetAmbiguous, title);
            let ids = several.iter().take(MOST_NEAREST);
            problem.nearest = ids.map(|id| family.name().in_account(id).to_string()).collect();
            Err(problem.hint("name the one by its 12 digits").into())
        }
    }
}

/// What `request` asked for, as it stands now; what has changed meanwhile in words.
///
/// # Errors
/// Where the organization does not answer: then nothing is known, and it is to be asked again.
pub async fn afresh(backend: &Backend, bundle: &Bundle, request: &Request) -> Result<Result<Target, String>, Failure> {
    let otherwise = || Ok(Err("the target resolves otherwise than what was approved".to_owned()));
    if !bundle.catalogue().still_resolves(request) {
        return otherwise();
    }
    match target(backend, bundle, request.body.target.as_str()).await {
        Ok(target) => Ok(Ok(target)),
        Err(failure) if is_answer(&failure) => Ok(Err(failure.problem.title)),
        Err(failure) => Err(failure),
    }
}

/// Whether asking again would be answered alike.
fn is_answer(failure: &Failure) -> bool {
    let answers = [
        Code::TargetNotFound,
        Code::TargetUnresolved,
        Code::PolicyRefused,
        Code::ProviderRefused,
    ];
    answers.iter().any(|code| failure.problem.code == code.as_str())
}

fn names_no_account(family: &Family) -> Failure {
    let name = family.name();
    let problem = Problem::new(Code::TargetAmbiguous, format!("{name} is in many accounts"));
    problem
        .hint(format!(
            "say which: {name}/ACCOUNT; they are listed as targets of {name}/"
        ))
        .into()
}

fn no_account(family: &Family, given: &str) -> Failure {
    let (name, by) = (family.name(), &family.accounts.by);
    let title = format!("{} is no account of {name} ({by})", repeated(given));
    let problem = Problem::new(Code::TargetNotFound, title);
    problem
        .hint(format!("its accounts are listed as targets of {name}/"))
        .into()
}

fn gone(family: &Family, unit: &str) -> Failure {
    let title = format!(
        "the organization has no unit {unit}, which has the accounts of {}",
        family.name()
    );
    let problem = Problem::new(Code::TargetUnresolved, title);
    problem
        .hint(format!(
            "who owns the policy corrects accounts.{} in it",
            family.accounts.name
        ))
        .into()
}

fn unfit(unfit: Unfit) -> Failure {
    let code = match &unfit {
        Unfit::NotChosen { .. } | Unfit::LeftOut { .. } => Code::TargetNotFound,
        Unfit::Elsewhere { .. } | Unfit::Differs { .. } => Code::PolicyRefused,
    };
    Problem::new(code, unfit.to_string()).hint(unfit.hint()).into()
}

/// Whether `typed` means `target`, in an account that was shown as `account_name`: by what was kept when it was asked
/// for, so that giving back needs nobody to answer.
pub fn means(typed: &TargetName, target: &TargetName, account_name: &str) -> bool {
    let is_one = typed.family().is_some() && typed.family() == target.family();
    typed == target || (is_one && typed.account() == typed_name(account_name).as_deref())
}
