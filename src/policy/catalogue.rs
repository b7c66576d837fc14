//! The typed catalogue: targets, and who is in which group.
//! Owns looking things up. Refuses files (`build` reads their text) and decisions (Cedar makes them).

mod approvals;
mod assignment;
mod build;
mod kill;
mod owned;
mod rules;
mod shape;
mod target;

use std::collections::{BTreeMap, BTreeSet};

use super::nearest::nearest;
use crate::domain::{Binding, Duration, TargetName, Workflow};

pub(super) use build::build;

/// A target with everything that it inherits already in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub name: TargetName,
    /// What it is, in words.
    pub title: String,
    /// More about it.
    pub description: Option<String>,
    /// Other names.
    pub aliases: Vec<String>,
    /// Its environment: the account's, never its own claim.
    pub environment: String,
    /// 0 to 3.
    pub risk: u8,
    /// Groups that own it.
    pub owners: Vec<String>,
    /// Groups that approve it.
    pub approvers: Vec<String>,
    /// Longest duration: the least of organisation, environment and target.
    pub max_duration: Duration,
    /// Duration where none is given: at most one hour.
    pub default_duration: Duration,
    /// Stages with group names resolved (`target.approvers` is replaced).
    pub workflow: Workflow,
    /// What it resolves to.
    pub binding: Binding,
}

/// Somebody as a source of people names them: (issuer, subject).
pub type Member = (String, String);

/// The catalogue.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    targets: Vec<Target>,
    groups: BTreeMap<String, BTreeSet<Member>>,
    accounts: BTreeSet<String>,
}

impl Catalogue {
    /// Every target, by name.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// The target of this name.
    pub fn target(&self, name: &TargetName) -> Option<&Target> {
        self.named(name.as_str())
    }

    /// The target of this name or alias.
    pub fn find(&self, name_or_alias: &str) -> Option<&Target> {
        self.named(name_or_alias).or_else(|| {
            self.targets
                .iter()
                .find(|target| target.aliases.iter().any(|alias| alias == name_or_alias))
        })
    }

    fn named(&self, name: &str) -> Option<&Target> {
        let at = self.targets.binary_search_by(|t| t.name.as_str().cmp(name)).ok()?;
        self.targets.get(at)
    }

    /// Up to `count` names and aliases that look like `name`, the most alike first.
    pub fn nearest(&self, name: &str, count: usize) -> Vec<&str> {
        let aliases = self.targets.iter().flat_map(|t| &t.aliases).map(String::as_str);
        nearest(name, self.targets.iter().map(|t| t.name.as_str()).chain(aliases), count)
    }

    /// Targets that have every word of `query` in a name, title, description or account, ignoring case.
    pub fn search(&self, query: &str) -> Vec<&Target> {
        let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
        let hits = |target: &&Target| {
            let text = searched(target);
            words.iter().all(|word| text.contains(word.as_str()))
        };
        self.targets.iter().filter(hits).collect()
    }

    /// The groups that name (issuer, subject) as a member, by name.
    pub fn groups_of(&self, issuer: &str, subject: &str) -> Vec<String> {
        let holds = |members: &BTreeSet<Member>| members.iter().any(|(i, s)| i == issuer && s == subject);
        self.groups
            .iter()
            .filter(|(_, members)| holds(members))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// The members of a group as (issuer, subject); none where there is no such group.
    pub fn members(&self, group: &str) -> Vec<Member> {
        self.groups
            .get(group)
            .map(|members| members.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// Names of groups.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.keys().map(String::as_str)
    }

    /// Names of accounts.
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        self.accounts.iter().map(String::as_str)
    }
}

/// All of a target that a search looks at, in lower case.
fn searched(target: &Target) -> String {
    let mut text = format!(
        "{} {} {} {} {}",
        target.name,
        target.title,
        target.description.as_deref().unwrap_or_default(),
        target.binding.account(),
        target.binding.account_name(),
    );
    for alias in &target.aliases {
        text.push(' ');
        text.push_str(alias);
    }
    text.to_lowercase()
}
