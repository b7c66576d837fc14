//! The kill switch of a target: which role writes the policy that shuts its sessions out.
//! Owns what has to hold for it to work. Refuses to know when it is used.

use toml::Spanned;

use super::build::Ground;
use super::shape::{Account, Kill};
use super::target::{Placed, is_role};
use crate::domain::{KillSwitch, Partition, Trace};
use crate::policy::finding::{Finding, Source};

/// Paths and names of roles whose policies only AWS itself may change.
const RESERVED: [&str; 3] = ["aws-reserved/", "aws-service-role/", "AWSReservedSSO_"];

/// What is wrong with the role that an account names for it.
pub(super) fn check_kill_role(source: &Source<'_>, account: &Account) -> Option<Finding> {
    let role = account.kill_role.as_ref()?;
    let finding = |message: String| source.finding(role.span(), message);
    if !is_role(role.get_ref()) {
        let hint = "write its path and name, such as jit/jit-kill-switch, without the leading slash";
        return Some(finding(format!("`{}` is no role", role.get_ref())).with_hint(hint));
    }
    is_reserved(role.get_ref()).then(|| finding(format!("role `{}` belongs to AWS", role.get_ref())))
}

/// What the target resolves to; what keeps it from working is a finding.
pub(super) fn kill_switch(
    ground: &mut Ground<'_>,
    place: &Placed<'_>,
    account: &Account,
    target_role: &Spanned<String>,
) -> Option<KillSwitch> {
    let provider = place.target.get_ref().provider.get_ref();
    let mut find = |at: &Spanned<String>, message: String, hint: &str| {
        ground.find(&place.source, at.span(), message, Some(hint.to_owned()));
    };
    let kill_role = account.kill_role.as_ref().map(|role| role.get_ref().as_str());
    if kill_role == Some(target_role.get_ref().as_str()) {
        let hint = "whoever holds it could take the kill switch away; name another role";
        find(target_role, "this role is the account's kill_role".to_owned(), hint);
    }
    let kill = provider.kill.as_ref()?;
    let Kill::DenyPolicy = kill.get_ref();
    if is_reserved(target_role.get_ref()) {
        let message = format!("role `{}` takes no policy of ours", target_role.get_ref());
        let hint = "leave `kill` out; a permission set is shut out by a service control policy";
        find(target_role, message, hint);
    }
    let mut find = |message: String, hint: &str| {
        ground.find(&place.source, kill.span(), message, Some(hint.to_owned()));
    };
    if provider.trace == Some(Trace::Off) {
        let hint = "leave `trace` at \"session\": the tag tells which sessions to shut out";
        find("`kill` does not work with trace = \"off\"".to_owned(), hint);
    }
    let Some(role) = kill_role else {
        let name = place
            .target
            .get_ref()
            .account
            .as_ref()
            .map_or("", |name| name.get_ref());
        let hint = "add kill_role = \"jit/jit-kill-switch\" to the account in security/";
        find(format!("account `{name}` has no kill_role"), hint);
        return None;
    };
    let (partition, id) = (account.partition.unwrap_or(Partition::Aws), account.id.get_ref());
    Some(KillSwitch {
        role_arn: format!("arn:{partition}:iam::{id}:role/{role}"),
    })
}

fn is_reserved(role: &str) -> bool {
    let name = role.rsplit('/').next().unwrap_or_default();
    RESERVED
        .iter()
        .any(|word| role.starts_with(word) || name.starts_with(word))
}
