//! The kill switch's role: whether it may do what it must, and nothing else.
//! Owns that judgement; who enters it is `trust`'s. Refuses managed policies on it: their next version is anybody's.

use super::demand::{Demand, Fit};
use super::described::DescribedRole;
use super::document::{Document, Effect, Statement};
use super::entrance::Entrance;
use super::finding::{Findings, Kind};
use super::trust::judge_trust;
use crate::server::provider::aws::bootstrap::{KillRole, Plan, SHORTEST_MAXIMUM_S};
use crate::server::provider::aws::pattern::covers;

/// What it does.
const NEEDED: [&str; 2] = ["iam:PutRolePolicy", "iam:DeleteRolePolicy"];

/// What it may do beside that: reading gives nobody anything, and IAM knows no condition on the boundary there.
const READ: &str = "iam:GetRolePolicy";

const MEND: &str = "write its policy anew: jit aws bootstrap --kill-switch";

/// Judges the role of the kill switch.
pub fn judge_kill_switch(findings: &mut Findings, plan: &Plan, kill: &KillRole, role: &DescribedRole) {
    judge_trust(findings, &Entrance::of_kill_switch(plan, kill), &role.trust);
    if role.max_session_s > SHORTEST_MAXIMUM_S {
        let what = format!("sessions may last {} s", role.max_session_s);
        findings.hole(
            Kind::MaximumSession,
            what,
            format!("set its maximum to {SHORTEST_MAXIMUM_S} s"),
        );
    }
    if role.boundary.as_deref() == Some(plan.boundary_arn().as_str()) {
        let what = "it carries the boundary of the roles that it writes to: it could write to itself";
        findings.hole(Kind::KillSwitchWider, what, "take the boundary off this role");
    }
    for policy in &role.attached {
        findings.hole(
            Kind::KillSwitchWider,
            format!("{policy} is attached to it"),
            "detach it",
        );
    }
    let mut allows = Vec::new();
    for (name, text) in &role.inline {
        match Document::parse(text) {
            Ok(document) => allows.extend(document.statements.into_iter().filter(|s| s.effect == Effect::Allow)),
            Err(why) => {
                let what = format!("its policy {name} cannot be judged: {why}");
                findings.hole(Kind::Unreadable, what, MEND);
            }
        }
    }
    for statement in &allows {
        judge_allow(findings, plan, statement);
    }
    judge_work(findings, plan, &allows);
}

fn judge_allow(findings: &mut Findings, plan: &Plan, statement: &Statement) {
    let name = &statement.name;
    let mut wider = |what: String| findings.hole(Kind::KillSwitchWider, what, MEND);
    if let Some(inverted) = statement.inverted {
        return wider(format!("{name} allows with {inverted}"));
    }
    let mut writes = false;
    for action in &statement.actions {
        let is_needed = NEEDED.iter().any(|needed| needed.eq_ignore_ascii_case(action));
        if !is_needed && !action.eq_ignore_ascii_case(READ) {
            wider(format!("{name} allows {action}"));
        }
        writes |= is_needed;
    }
    let killable = plan.killable();
    let is_killable = |resource: &&String| killable.iter().any(|pattern| covers(pattern, resource));
    if statement.resources.is_empty() {
        wider(format!("{name} names no resource"));
    }
    for resource in statement.resources.iter().filter(|resource| !is_killable(resource)) {
        wider(format!("{name} reaches {resource}"));
    }
    if writes && !has_boundary(plan, statement) {
        wider(format!("{name} writes to roles that do not carry our boundary"));
    }
}

/// Whether the statement writes only to roles that carry our boundary.
fn has_boundary(plan: &Plan, statement: &Statement) -> bool {
    let demand = Demand {
        kind: Kind::KillSwitchWider,
        key: "iam:PermissionsBoundary".to_owned(),
        fit: Fit::Exactly(plan.boundary_arn()),
    };
    let mut conditions = statement.conditions.clone();
    for condition in &mut conditions {
        // of an ARN without stars they say the same
        condition.operator = match condition.operator.as_str() {
            "arnequals" | "arnlike" => "stringequals".to_owned(),
            other => other.to_owned(),
        };
    }
    demand.is_lacking(&conditions).is_none()
}

/// Whether it can do its work on every role.
fn judge_work(findings: &mut Findings, plan: &Plan, allows: &[Statement]) {
    for action in NEEDED {
        let acts = |s: &&Statement| {
            let covers_it = |a: &String| covers(&a.to_ascii_lowercase(), &action.to_ascii_lowercase());
            s.inverted.is_none() && s.actions.iter().any(covers_it)
        };
        let reaches = |role: &String| {
            let mut doing = allows.iter().filter(acts);
            doing.any(|s| s.resources.iter().any(|r| covers(r, role)))
        };
        if !plan.killable().iter().all(reaches) {
            let what = format!("it may not {action} on every role of jit");
            findings.fault(Kind::KillSwitchShut, what, MEND);
        }
    }
}
