//! From files to a catalogue: names are resolved, limits inherited, contradictions found.
//! Owns everything but the targets themselves (`target`). Refuses to stop at the first finding.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;

use super::accounts::Accounts;
use super::approvals::cycle;
use super::assignment::instance;
use super::groups::Feed;
use super::humans::Human;
use super::kill::check_kill_role;
use super::owned::trespasses;
use super::shape::{self, Document, Names};
use super::target::{Placed, add_targets};
use super::{Catalogue, Declared, Drift, Member};
use crate::domain::text::is_unsafe_to_show;
use crate::domain::{Duration, Enrolled, Instance, Stage, Workflow};
use crate::policy::finding::{Finding, Source};
use crate::policy::nearest::suggestion;

/// What a stage writes for "the approvers of the target that is asked for".
pub(super) const TARGET_APPROVERS: &str = "target.approvers";

/// A definition and where it stands.
pub(super) struct Defined<'a, T> {
    pub(super) source: Source<'a>,
    pub(super) at: Range<usize>,
    pub(super) value: T,
}

/// Everything that targets refer to.
#[derive(Default)]
pub(super) struct Ground<'a> {
    pub(super) longest: Option<Duration>,
    pub(super) never: Vec<String>,
    pub(super) instance: Option<Instance>,
    /// Whether the catalogue writes one, also where it is refused.
    pub(super) has_instance: bool,
    pub(super) drift: Drift,
    pub(super) accounts: BTreeMap<&'a str, Defined<'a, &'a shape::Account>>,
    pub(super) many: BTreeMap<&'a str, Defined<'a, Accounts>>,
    pub(super) environments: BTreeMap<&'a str, Defined<'a, &'a shape::Environment>>,
    pub(super) workflows: BTreeMap<&'a str, Defined<'a, Workflow>>,
    pub(super) groups: BTreeMap<String, BTreeSet<Member>>,
    pub(super) feeds: BTreeMap<String, Feed>,
    pub(super) workloads: BTreeMap<String, Enrolled>,
    pub(super) humans: BTreeMap<String, Human>,
    pub(super) findings: Vec<Finding>,
}

/// The catalogue that `sources` describe.
///
/// # Errors
/// Every [`Finding`].
pub(in crate::policy) fn build(sources: &[Source<'_>]) -> Result<Catalogue, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut documents: Vec<(Source<'_>, Document)> = Vec::new();
    for source in sources {
        match shape::read(source) {
            Ok(document) => documents.push((*source, document)),
            Err(finding) => findings.push(finding),
        }
    }
    // what refers to a file that cannot be read would only be noise
    if !findings.is_empty() {
        return Err(findings);
    }
    let mut ground = Ground::default();
    for (source, document) in &documents {
        ground.findings.extend(trespasses(source, document));
        ground.add_groups(source, document);
        ground.add_humans(source, document);
    }
    for (source, document) in &documents {
        ground.add_organisation(source, document);
        ground.add_instance(source, document);
        ground.add_workflows(source, document);
        ground.add_environments(source, document);
        ground.add_accounts(source, document);
        ground.add_many(source, document);
        ground.add_workloads(source, document);
    }
    ground.check_environments();
    ground.check_accounts();
    ground.check_many(&documents);
    let placed: Vec<Placed<'_>> = documents
        .iter()
        .flat_map(|(source, document)| {
            document.target.iter().map(|target| Placed {
                source: *source,
                target,
            })
        })
        .collect();
    let (targets, families) = add_targets(&mut ground, &placed);
    for (source, document) in &documents {
        ground.check_whose_roles(source, document, &targets);
    }
    if !ground.findings.is_empty() {
        return Err(ground.findings);
    }
    Ok(Catalogue {
        targets,
        families,
        drift: ground.drift,
        accounts: ground
            .accounts
            .iter()
            .map(|(name, one)| declared(name, one.value))
            .collect(),
        groups: ground.groups,
        feeds: ground.feeds,
        workloads: ground.workloads,
        humans: ground.humans.into_values().collect(),
    })
}

/// An account by its name.
fn declared(name: &str, account: &shape::Account) -> (String, Declared) {
    let declared = Declared {
        id: account.id.get_ref().clone(),
        environment: account.environment.get_ref().clone(),
    };
    (name.to_owned(), declared)
}

impl<'a> Ground<'a> {
    pub(super) fn find(&mut self, source: &Source<'_>, at: Range<usize>, message: String, hint: Option<String>) {
        let finding = source.finding(at, message);
        self.findings.push(match hint {
            Some(hint) => finding.with_hint(hint),
            None => finding,
        });
    }

    /// Whether `text` can be shown as it stands and says something.
    pub(super) fn check_text(&mut self, source: &Source<'_>, text: &Spanned<String>, what: &str) {
        let (value, at) = (text.get_ref(), text.span());
        if value.trim().is_empty() {
            self.find(source, at, format!("the {what} is empty"), None);
        } else if value.chars().any(is_unsafe_to_show) {
            let hint = Some("keep to one line of plain text".to_owned());
            self.find(source, at, format!("the {what} has control characters"), hint);
        } else if value.chars().count() > 500 {
            self.find(source, at, format!("the {what} is longer than 500 characters"), None);
        }
    }

    /// Groups that there are; each that is not is a finding.
    pub(super) fn known_groups(&mut self, source: &Source<'_>, names: &Names) -> Vec<String> {
        let mut known: Vec<String> = Vec::new();
        for name in names {
            if !self.groups.contains_key(name.get_ref()) {
                let hint = suggestion(name.get_ref(), self.groups.keys().map(String::as_str));
                let message = format!("there is no group `{}`", name.get_ref());
                self.find(source, name.span(), message, Some(hint));
            } else if !known.contains(name.get_ref()) {
                known.push(name.get_ref().clone());
            }
        }
        known
    }

    /// Patterns of actions to deny, checked.
    pub(super) fn denied(&mut self, source: &Source<'_>, patterns: &Names) -> Vec<String> {
        for pattern in patterns {
            let well_formed = pattern.get_ref().split_once(':').is_some_and(|(service, action)| {
                let word = |text: &str, more: &[u8]| {
                    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
                };
                word(service, b"-") && word(action, b"*?")
            });
            if !well_formed {
                let message = format!("`{}` is no action", pattern.get_ref());
                let hint = Some("write it as iam:* or ec2:*Route*".to_owned());
                self.find(source, pattern.span(), message, hint);
            }
        }
        patterns.iter().map(|pattern| pattern.get_ref().clone()).collect()
    }

    pub(super) fn twice(&mut self, source: &Source<'_>, name: &Spanned<String>, what: &str) {
        let message = format!("{what} `{}` is defined twice", name.get_ref());
        self.find(source, name.span(), message, None);
    }

    fn add_organisation(&mut self, source: &Source<'a>, document: &'a Document) {
        let Some(organisation) = &document.organisation else {
            return;
        };
        let never = self.denied(source, &organisation.get_ref().never);
        self.never.extend(never);
        if let Some(longest) = organisation.get_ref().max_duration {
            self.longest = Some(self.longest.map_or(longest.0, |other| other.min(longest.0)));
        }
    }

    fn add_instance(&mut self, source: &Source<'a>, document: &'a Document) {
        let Some(written) = &document.identity_center else {
            return;
        };
        if self.instance.is_some() {
            let message = "[identity-center] is defined twice".to_owned();
            return self.find(source, written.span(), message, None);
        }
        self.drift = written.get_ref().drift;
        self.has_instance = true;
        match instance(source, written.get_ref()) {
            Ok(instance) => self.instance = Some(instance),
            Err(found) => self.findings.extend(found),
        }
    }

    fn add_workflows(&mut self, source: &Source<'a>, document: &'a Document) {
        for (name, written) in &document.workflow {
            self.check_text(source, name, "name of the workflow");
            if self.workflows.contains_key(name.get_ref().as_str()) {
                self.twice(source, name, "workflow");
                continue;
            }
            let value = Workflow {
                name: name.get_ref().clone(),
                stages: self.stages(source, name, written),
                expires_after: written.expires_after.0,
                activate_within: written.activate_within.0,
            };
            if let Some(stage) = cycle(&value.stages) {
                let message = format!(
                    "stage `{}` waits for itself or for no stage of this workflow",
                    stage.name
                );
                self.find(source, name.span(), message, None);
            }
            let (source, at) = (*source, name.span());
            self.workflows.insert(name.get_ref(), Defined { source, at, value });
        }
    }

    fn stages(&mut self, source: &Source<'_>, name: &Spanned<String>, written: &shape::Workflow) -> Vec<Stage> {
        if written.stage.is_empty() {
            let message = format!("workflow `{}` has no stage", name.get_ref());
            self.find(source, name.span(), message, None);
        }
        let mut stages: Vec<Stage> = Vec::new();
        for stage in &written.stage {
            let stage = stage.get_ref();
            self.check_text(source, &stage.name, "name of the stage");
            if stages.iter().any(|other| other.name == *stage.name.get_ref()) {
                self.twice(source, &stage.name, "stage");
            }
            if *stage.approvals.get_ref() == 0 {
                let message = "a stage of 0 approvals asks nobody".to_owned();
                self.find(source, stage.approvals.span(), message, None);
            }
            if stage.groups.get_ref().is_empty() {
                let message = "a stage without groups can never be complete".to_owned();
                self.find(source, stage.groups.span(), message, None);
            }
            let named = |group: &&Spanned<String>| group.get_ref() != TARGET_APPROVERS;
            let (named, other): (Vec<_>, Vec<_>) = stage.groups.get_ref().iter().partition(named);
            let mut groups = self.known_groups(source, &named.into_iter().cloned().collect());
            groups.extend(other.first().map(|group| group.get_ref().clone()));
            stages.push(Stage {
                name: stage.name.get_ref().clone(),
                groups,
                approvals: *stage.approvals.get_ref(),
                after: stage.after.iter().map(|name| name.get_ref().clone()).collect(),
            });
        }
        stages
    }

    fn add_environments(&mut self, source: &Source<'a>, document: &'a Document) {
        for (name, value) in &document.environment {
            self.check_text(source, name, "name of the environment");
            self.denied(source, &value.never);
            let (source, at) = (*source, name.span());
            let defined = Defined { source, at, value };
            if self.environments.insert(name.get_ref(), defined).is_some() {
                self.twice(&source, name, "environment");
            }
        }
    }

    fn add_accounts(&mut self, source: &Source<'a>, document: &'a Document) {
        for (name, value) in &document.account {
            self.check_text(source, name, "name of the account");
            let (source, at) = (*source, name.span());
            if self
                .accounts
                .insert(name.get_ref(), Defined { source, at, value })
                .is_some()
            {
                self.twice(&source, name, "account");
            }
        }
    }

    fn check_environments(&mut self) {
        let mut found = Vec::new();
        for environment in self.environments.values() {
            let workflow = &environment.value.workflow;
            match self.workflows.get(workflow.get_ref().as_str()) {
                None => {
                    let hint = suggestion(workflow.get_ref(), self.workflows.keys().copied());
                    let message = format!("there is no workflow `{}`", workflow.get_ref());
                    found.push(environment.source.finding(workflow.span(), message).with_hint(hint));
                }
                Some(defined) if !defined.source.is_security() => {
                    let message = format!(
                        "workflow `{}` of an environment stands outside security/",
                        workflow.get_ref()
                    );
                    found.push(
                        defined
                            .source
                            .finding(defined.at.clone(), message)
                            .with_hint("move it to security/"),
                    );
                }
                Some(_) => {}
            }
            if environment.value.least_risk > 3 {
                let message = format!("least_risk {} is above 3", environment.value.least_risk);
                found.push(environment.source.finding(environment.at.clone(), message));
            }
        }
        self.findings.extend(found);
    }

    fn check_accounts(&mut self) {
        let mut found = Vec::new();
        let mut ids: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, account) in &self.accounts {
            let (source, value) = (&account.source, account.value);
            let id = value.id.get_ref();
            if id.len() != 12 || !id.bytes().all(|b| b.is_ascii_digit()) {
                let message = format!("`{id}` is no account id");
                found.push(
                    source
                        .finding(value.id.span(), message)
                        .with_hint("write its 12 digits in quotes"),
                );
            } else if let Some(other) = ids.insert(id, name) {
                let message = format!("account {id} is `{other}` already");
                found.push(source.finding(value.id.span(), message).with_hint("give it one name"));
            }
            let environment = value.environment.get_ref();
            if !self.environments.contains_key(environment.as_str()) {
                let hint = suggestion(environment, self.environments.keys().copied());
                let message = format!("there is no environment `{environment}`");
                found.push(source.finding(value.environment.span(), message).with_hint(hint));
            }
            let partition = value.partition.unwrap_or(crate::domain::Partition::Aws);
            if let Some(region) = value
                .region
                .as_ref()
                .filter(|region| !lies_in(partition, region.get_ref()))
            {
                let message = format!("region `{}` is not one of partition {partition}", region.get_ref());
                found.push(source.finding(region.span(), message));
            }
            found.extend(check_kill_role(source, value));
        }
        self.findings.extend(found);
    }
}

/// Whether `region` looks like one, of this partition. It becomes a host name.
fn lies_in(partition: crate::domain::Partition, region: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    region.contains('-') && region.bytes().all(word) && partition.has_region(region)
}
