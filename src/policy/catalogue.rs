//! The typed catalogue: targets, environments, workflows, groups.

use crate::domain::{Binding, Duration, TargetName, Workflow};

/// A target with everything that it inherits already in place.
#[derive(Clone, Debug)]
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

/// The catalogue.
#[derive(Clone, Debug)]
pub struct Catalogue {
    targets: Vec<Target>,
}

impl Catalogue {
    /// Every target, by name.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }
}
