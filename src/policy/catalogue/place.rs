//! Where a target is: in one account or in many, and the environment that follows from it.
//! Owns finding what the target names. Refuses to say which accounts those are.

use super::accounts::Accounts;
use super::build::Ground;
use super::shape::{self, Account};
use super::target::Placed;
use crate::policy::nearest::suggestion;

/// Where a target is.
pub(super) enum Place<'a> {
    /// In one account.
    One {
        /// Its name.
        name: &'a str,
        /// What is written of it.
        account: &'a Account,
    },
    /// In many, of which somebody asks for one.
    Many(Accounts),
}

/// Where a target is: in one account or in many, and what it inherits from there.
pub(super) struct Surroundings<'a> {
    pub(super) place: Place<'a>,
    pub(super) environment_name: String,
    pub(super) environment: &'a shape::Environment,
    pub(super) accounts: Option<Accounts>,
}

/// The account or accounts that the target names, and their environment; what is not there is a finding.
pub(super) fn surroundings<'a>(ground: &mut Ground<'a>, place: &Placed<'a>) -> Option<Surroundings<'a>> {
    let written = place.target.get_ref();
    let (name, what, known): (_, _, Vec<&str>) = match (&written.account, &written.accounts) {
        (Some(name), None) => (name, "account", ground.accounts.keys().copied().collect()),
        (None, Some(name)) => (name, "accounts", ground.many.keys().copied().collect()),
        (Some(one), Some(_)) => {
            let message = "a target has account or accounts, not both".to_owned();
            ground.find(&place.source, one.span(), message, None);
            return None;
        }
        (None, None) => {
            let hint = Some("add account = \"NAME\", or accounts = \"NAME\" for many".to_owned());
            let message = "the target names no account".to_owned();
            ground.find(&place.source, written.name.span(), message, hint);
            return None;
        }
    };
    let text = name.get_ref().as_str();
    if !known.contains(&text) {
        let hint = suggestion(text, known.iter().copied());
        let message = match what {
            "account" => format!("there is no account `{text}`"),
            _ => format!("there are no accounts `{text}`"),
        };
        ground.find(&place.source, name.span(), message, Some(hint));
        return None;
    }
    let (place, environment_name, accounts) = match ground.accounts.get(text).filter(|_| written.account.is_some()) {
        Some(account) => {
            let account = account.value;
            let environment = account.environment.get_ref().clone();
            (Place::One { name: text, account }, environment, None)
        }
        None => {
            let many = ground.many.get(text)?.value.clone();
            (Place::Many(many.clone()), many.environment.clone(), Some(many))
        }
    };
    let environment = ground.environments.get(environment_name.as_str())?.value;
    Some(Surroundings {
        place,
        environment_name,
        environment,
        accounts,
    })
}
