//! The stages that a request passes, frozen into it when it is made.
//! Owns what is still missing. Refuses to know who is in which group.

use serde::{Deserialize, Serialize};

use super::decision::{Decision, Verdict};
use super::time::Duration;

/// One step: so many approvals by members of these groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Its name in the catalogue.
    pub name: String,
    /// Names of groups; a member of any may decide.
    pub groups: Vec<String>,
    /// How many distinct people must say yes.
    pub approvals: u32,
    /// Names of stages that must be complete before this one opens.
    pub after: Vec<String>,
}

/// Who has to agree, and how long there is for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workflow {
    /// Its name in the catalogue.
    pub name: String,
    /// In the order of the catalogue.
    pub stages: Vec<Stage>,
    /// A pending request dies this long after it was filed.
    #[serde(rename = "expires_after_s")]
    pub expires_after: Duration,
    /// An approved request is activated within this time, or never.
    #[serde(rename = "activate_within_s")]
    pub activate_within: Duration,
}

impl Workflow {
    /// Approvals that `stage` still lacks.
    pub fn missing(&self, stage: usize, decisions: &[Decision]) -> u32 {
        let given = decisions
            .iter()
            .filter(|d| d.stage == stage && d.verdict == Verdict::Approve)
            .count();
        let given = u32::try_from(given).unwrap_or(u32::MAX);
        self.stages.get(stage).map_or(0, |s| s.approvals.saturating_sub(given))
    }

    /// Whether every stage has its approvals.
    pub fn is_satisfied(&self, decisions: &[Decision]) -> bool {
        (0..self.stages.len()).all(|stage| self.missing(stage, decisions) == 0)
    }

    /// Stages that may be decided now, in order: not complete, and all they wait for is.
    pub fn open_stages(&self, decisions: &[Decision]) -> Vec<usize> {
        let complete = |name: &String| {
            (0..self.stages.len()).any(|i| self.stages[i].name == *name && self.missing(i, decisions) == 0)
        };
        (0..self.stages.len())
            .filter(|i| self.missing(*i, decisions) > 0 && self.stages[*i].after.iter().all(complete))
            .collect()
    }
}
