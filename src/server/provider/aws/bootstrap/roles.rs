//! The roles of a plan: one for each that a target names, and the kill switch's.
//! Owns what several targets of one role come to. Refuses documents: `documents` writes them.

use crate::domain::{Partition, Road, RoleBinding, Trace};

use super::SHORTEST_MAXIMUM_S;

/// A role that targets lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolePlan {
    /// Its whole ARN.
    pub arn: String,
    /// Path and name, as the catalogue and a token's `sub` have it: `jit/jit-prod-admin`.
    pub path_and_name: String,
    /// `MaxSessionDuration`: the longest `session` of its targets, and no less than IAM takes.
    pub max_session_s: u32,
    /// Whether a token of ours opens it.
    pub by_token: bool,
    /// Whether the backend's own identity opens it.
    pub by_backend: bool,
    /// Whether every call sets tag and source identity, so that the trust can demand them.
    pub is_traced: bool,
    /// The targets that lead to it.
    pub targets: Vec<String>,
}

impl RolePlan {
    /// The role that `target` leads to.
    pub(super) fn new(target: &str, binding: &RoleBinding) -> Self {
        Self {
            arn: binding.role_arn.clone(),
            path_and_name: path_and_name(&binding.role_arn).to_owned(),
            max_session_s: binding.session.secs().max(SHORTEST_MAXIMUM_S),
            by_token: binding.road == Road::WebIdentity,
            by_backend: binding.road == Road::AssumeRole,
            is_traced: binding.trace != Trace::Off,
            targets: vec![target.to_owned()],
        }
    }

    /// The same role, for the targets of `other` too.
    pub(super) fn join(&mut self, other: Self) {
        self.max_session_s = self.max_session_s.max(other.max_session_s);
        self.by_token |= other.by_token;
        self.by_backend |= other.by_backend;
        self.is_traced &= other.is_traced;
        self.targets.extend(other.targets);
    }

    /// Its name without path: IAM's calls take it, and no two roles of an account share it.
    pub fn name(&self) -> &str {
        name(&self.path_and_name)
    }

    /// Its path as IAM's calls have it: `/jit/`.
    pub fn path(&self) -> String {
        path(&self.path_and_name)
    }

    /// The part of a token's `sub` that stands before the person, with the colon.
    pub fn subject_prefix(&self, partition: Partition, account: &str) -> String {
        format!("jit:aws/{partition}/{account}/{}:", self.path_and_name)
    }
}

/// The role that writes the policy which shuts sessions out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KillRole {
    /// Its whole ARN.
    pub arn: String,
    /// Path and name: `jit/jit-kill-switch`.
    pub path_and_name: String,
    /// Whether a token of ours opens it.
    pub by_token: bool,
    /// Whether the backend's own identity opens it.
    pub by_backend: bool,
}

impl KillRole {
    pub(super) fn new(arn: &str, by_token: bool, by_backend: bool) -> Self {
        Self {
            arn: arn.to_owned(),
            path_and_name: path_and_name(arn).to_owned(),
            by_token,
            by_backend,
        }
    }

    /// Its name without path.
    pub fn name(&self) -> &str {
        name(&self.path_and_name)
    }

    /// Its path as IAM's calls have it.
    pub fn path(&self) -> String {
        path(&self.path_and_name)
    }
}

fn path_and_name(arn: &str) -> &str {
    arn.split_once(":role/").map_or("", |(_, role)| role)
}

fn name(path_and_name: &str) -> &str {
    path_and_name.rsplit('/').next().unwrap_or_default()
}

fn path(path_and_name: &str) -> String {
    match path_and_name.rsplit_once('/') {
        Some((path, _)) => format!("/{path}/"),
        None => "/".to_owned(),
    }
}
