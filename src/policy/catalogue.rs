//! The typed catalogue: targets, and who is in which group.
//! Owns looking things up. Refuses files (`build` reads their text) and decisions (Cedar makes them).

mod accounts;
mod approvals;
mod assignment;
mod build;
mod family;
mod groups;
mod humans;
mod kill;
mod owned;
mod place;
mod rules;
mod shape;
mod target;
mod workloads;

use std::collections::{BTreeMap, BTreeSet};

use super::groups::{Fed, Groups};
use super::nearest::nearest;
use crate::domain::{
    AccountFacts, Binding, Duration, Enrolled, HeldGroup, Known, Person, StartedBy, TargetName, Workflow, Workload,
    WorkloadKind,
};

pub use accounts::Accounts;
pub(super) use accounts::is_unit;
pub(super) use build::build;
pub use family::{Family, Unfit};
pub use groups::{Feed, FeedBy};
use humans::Human;

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
    /// What policies call its account: the catalogue's name of it, or else its 12 digits. Never the organization's name
    /// of it, which whoever runs the account may change.
    pub known_as: String,
    /// The account as the organization has it, where it was looked at.
    pub facts: Option<AccountFacts>,
    /// Targets in many accounts, each in this one, that are the same access, where the account was looked at.
    pub same_access: Vec<TargetName>,
}

/// An account that the catalogue names.
#[derive(Clone, Debug)]
struct Declared {
    id: String,
    environment: String,
}

/// Somebody as a source of people names them: (issuer, subject).
pub type Member = (String, String);

/// What becomes of access that nobody here gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drift {
    /// It is told.
    #[default]
    Report,
    /// It is told, and taken away.
    Remove,
}

/// The catalogue.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    targets: Vec<Target>,
    families: Vec<Family>,
    groups: BTreeMap<String, BTreeSet<Member>>,
    feeds: BTreeMap<String, Feed>,
    workloads: BTreeMap<String, Enrolled>,
    humans: Vec<Human>,
    accounts: BTreeMap<String, Declared>,
    drift: Drift,
}

impl Catalogue {
    /// Every target that is in one account, by name.
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
        let all = || self.targets.iter().chain(self.families.iter().map(Family::in_general));
        let aliases = all().flat_map(|t| &t.aliases).map(String::as_str);
        nearest(name, all().map(|t| t.name.as_str()).chain(aliases), count)
    }

    /// Targets in one account that have every word of `query` in a name, title, description or account, ignoring case.
    pub fn search(&self, query: &str) -> Vec<&Target> {
        let words = words(query);
        let hits = |target: &&Target| is_hit(&words, &searched(target));
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

    /// The groups of `who`, of whom directories know what `known` says; of a workload the name that it is enrolled under, as
    /// long as it is. No workload is in a group of people, whatever its issuer calls it or a directory says.
    pub fn groups_of_person(&self, who: &Person, known: &Known) -> Groups {
        if let Some(workload) = &who.workload {
            let name = self.is_enrolled(workload).then(|| workload.name.clone());
            return Groups::from(Vec::from_iter(name));
        }
        let feeds = |held: &HeldGroup, feed: &Feed| {
            held.source == feed.source
                && match &feed.of {
                    FeedBy::Name(name) => held.name.as_ref() == Some(name),
                    FeedBy::ExternalId(id) => held.external_id.as_ref() == Some(id),
                }
        };
        let fed = self.feeds.iter().flat_map(|(group, feed)| {
            let held = known.held.iter().filter(move |held| feeds(held, feed));
            held.map(|held| Fed {
                group: group.clone(),
                source: held.source.clone(),
                since: held.since,
            })
        });
        Groups::new(self.groups_of(&who.issuer, &who.subject), fed.collect())
    }

    /// Groups that directories feed, with what feeds each.
    pub fn feeds(&self) -> impl Iterator<Item = (&str, &Feed)> {
        self.feeds.iter().map(|(group, feed)| (group.as_str(), feed))
    }

    /// Whether what signed in as `workload` is enrolled still, by the same claims.
    pub fn is_enrolled(&self, workload: &Workload) -> bool {
        let enrolled = self.workloads.get(&workload.name);
        enrolled.is_some_and(|enrolled| enrolled.issuer == workload.issuer && enrolled.holds(workload))
    }

    /// What `issuer`, which is of `kind`, may sign in.
    pub fn enrolled_at<'a>(&'a self, issuer: &'a str, kind: WorkloadKind) -> impl Iterator<Item = &'a Enrolled> {
        let all = self.workloads.values();
        all.filter(move |enrolled| enrolled.issuer == issuer && enrolled.kind == kind)
    }

    /// Names of workloads.
    pub fn workloads(&self) -> impl Iterator<Item = &str> {
        self.workloads.keys().map(String::as_str)
    }

    /// All identities of the human who started `workload`; none where nobody is linked to that account, or nobody did.
    pub fn human_behind(&self, workload: &Workload) -> Option<&BTreeSet<Member>> {
        let id = match &workload.started_by {
            StartedBy::Nobody | StartedBy::Unknown => return None,
            StartedBy::Account(id) => id,
        };
        let mut humans = self.humans.iter();
        let human = humans.find(|human| human.has_account(&workload.issuer, id))?;
        Some(&human.identities)
    }

    /// The other identities of the human who is (issuer, subject).
    pub fn same_human(&self, issuer: &str, subject: &str) -> Vec<Member> {
        let is_it = |member: &Member| member.0 == issuer && member.1 == subject;
        let is_them = |human: &&Human| human.identities.iter().any(is_it);
        let all = self.humans.iter().filter(is_them).flat_map(|human| &human.identities);
        all.filter(|member| !is_it(member)).cloned().collect()
    }

    /// The members of a group as (issuer, subject); none where there is no such group.
    pub fn members(&self, group: &str) -> Vec<Member> {
        self.groups
            .get(group)
            .map(|members| members.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// Who vouches for members of groups, and for identities of humans.
    pub fn issuers(&self) -> BTreeSet<&str> {
        let humans = self.humans.iter().flat_map(|human| &human.identities);
        let named = self.groups.values().flatten().chain(humans);
        named.map(|(issuer, _)| issuer.as_str()).collect()
    }

    /// What becomes of access in Identity Center that nobody here gave.
    pub const fn drift(&self) -> Drift {
        self.drift
    }

    /// Whether what nobody here gave is taken away at `binding`: policy says so, and a target still gives access there.
    pub fn removes_drift(&self, binding: &Binding) -> bool {
        let is_here =
            |target: &Target| target.binding.arn() == binding.arn() && target.binding.account() == binding.account();
        let is_known = || self.targets.iter().any(is_here) || self.is_in_many(binding);
        self.drift == Drift::Remove && is_known()
    }

    /// Names of groups.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.keys().map(String::as_str)
    }

    /// Names of accounts.
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        self.accounts.keys().map(String::as_str)
    }
}

/// The words of a search.
pub fn words(query: &str) -> Vec<String> {
    query.split_whitespace().map(str::to_lowercase).collect()
}

/// Whether a text in lower case has all of them.
pub fn is_hit(words: &[String], text: &str) -> bool {
    words.iter().all(|word| text.contains(word.as_str()))
}

/// All of a target that a search looks at, in lower case.
pub fn searched(target: &Target) -> String {
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
