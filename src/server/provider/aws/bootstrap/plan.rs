//! What one account needs, before any words.
//! Owns the names that follow from it. Refuses to read bindings: how one comes about is `planning`'s.

use super::roles::{KillRole, RolePlan};
use super::{BOUNDARY, PATH};
use crate::config::IssuerUrl;
use crate::domain::Partition;

/// Name of the kill switch's role where the catalogue gives none.
const KILL_ROLE: &str = "jit-kill-switch";

/// What one account needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its partition.
    pub partition: Partition,
    /// Its 12 digits.
    pub account: String,
    /// Its name in the catalogue.
    pub account_name: String,
    /// The region that its targets are in.
    pub region: String,
    /// Our issuer, where a token opens one of its roles.
    pub issuer: Option<IssuerUrl>,
    /// The backend's own identity, where that opens one of its roles.
    pub backend: Option<String>,
    /// Its roles, by path and name.
    pub roles: Vec<RolePlan>,
    /// Actions that every target of the account is denied.
    pub never: Vec<String>,
    /// The kill switch, where there is one.
    pub kill: Option<KillRole>,
}

impl Plan {
    /// Our issuer as IAM knows it in ARNs and condition keys: without the scheme.
    pub fn issuer_name(&self) -> Option<&str> {
        self.issuer.as_ref().map(IssuerUrl::without_scheme)
    }

    /// The ARN of our issuer's provider in the account.
    pub fn provider_arn(&self) -> Option<String> {
        let issuer = self.issuer_name()?;
        let (partition, account) = (self.partition, &self.account);
        Some(format!("arn:{partition}:iam::{account}:oidc-provider/{issuer}"))
    }

    /// The ARN of the permissions boundary.
    pub fn boundary_arn(&self) -> String {
        self.own("policy", BOUNDARY)
    }

    /// The kill switch under its usual name, opened as the targets are: what may be left of one.
    pub fn usual_kill(&self) -> KillRole {
        let arn = usual_kill(self.partition, &self.account);
        KillRole::new(&arn, self.issuer.is_some(), self.backend.is_some())
    }

    /// The `sub` of the token that opens the kill switch.
    pub fn kill_subject(&self) -> String {
        format!("jit:kill/{}/{}:backend", self.partition, self.account)
    }

    /// What nobody's session may write to: everything under our path, and what lies elsewhere.
    pub fn protected(&self) -> Vec<String> {
        let mut arns = vec![self.own("role", "*"), self.own("policy", "*")];
        arns.extend(self.provider_arn());
        let roles = self.roles.iter().map(|role| &role.arn);
        let elsewhere = roles.chain(self.kill.iter().map(|kill| &kill.arn));
        let is_outside = |arn: &&String| !arn.contains(&format!(":role/{PATH}/"));
        arns.extend(elsewhere.filter(is_outside).cloned());
        arns
    }

    /// The roles that the kill switch may write to.
    pub fn killable(&self) -> Vec<String> {
        let is_role = |arn: &String| arn.contains(":role/");
        let is_kill = |arn: &String| self.kill.as_ref().is_some_and(|kill| kill.arn == *arn);
        self.protected()
            .into_iter()
            .filter(|arn| is_role(arn) && !is_kill(arn))
            .collect()
    }

    fn own(&self, kind: &str, name: &str) -> String {
        format!("arn:{}:iam::{}:{kind}/{PATH}/{name}", self.partition, self.account)
    }
}

/// The ARN of the kill switch's role where the catalogue gives none.
pub(super) fn usual_kill(partition: Partition, account: &str) -> String {
    format!("arn:{partition}:iam::{account}:role/{PATH}/{KILL_ROLE}")
}
