//! A whole account, judged.
//! Owns what is looked at and against what. Pure: a function of the plan and of what IAM said.

use super::boundary::judge_boundary;
use super::described::{Described, DescribedRole};
use super::document::{Document, Effect, Statement};
use super::entrance::Entrance;
use super::finding::{Finding, Findings, Kind, Severity};
use super::kill_switch::judge_kill_switch;
use super::trust::judge_trust;
use crate::server::provider::aws::AUDIENCE;
use crate::server::provider::aws::bootstrap::{BOUNDARY, PATH, Plan, RolePlan};
use crate::server::provider::aws::pattern::overlap;

const ANEW: &str = "make it: jit aws bootstrap";

/// Everything that is wrong in the account, the worst first.
pub fn judge(plan: &Plan, described: &Described) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(provider(plan, described));
    found.extend(boundary(plan, described));
    for role in &plan.roles {
        found.extend(self::role(plan, role, described));
    }
    found.extend(kill_switch(plan, described));
    found.extend(unused(plan, described));
    found.sort();
    found.dedup();
    found
}

fn provider(plan: &Plan, described: &Described) -> Vec<Finding> {
    let Some(issuer) = plan.issuer_name() else {
        return Vec::new();
    };
    let mut findings = Findings::of(format!("oidc-provider/{issuer}"));
    let Some(audiences) = &described.audiences else {
        findings.fault(Kind::ProviderMissing, "there is no provider for our issuer", ANEW);
        return findings.into_vec();
    };
    for other in audiences.iter().filter(|audience| *audience != AUDIENCE) {
        let mend = format!("remove the client id {other}");
        findings.hole(Kind::ProviderAudience, format!("it takes tokens for {other} too"), mend);
    }
    if !audiences.iter().any(|audience| audience == AUDIENCE) {
        let mend = format!("add the client id {AUDIENCE}");
        findings.fault(Kind::ProviderAudience, "it takes no token of ours", mend);
    }
    findings.into_vec()
}

fn boundary(plan: &Plan, described: &Described) -> Vec<Finding> {
    let mut findings = Findings::of(format!("policy/{PATH}/{BOUNDARY}"));
    match &described.boundary {
        Some(text) => judge_boundary(&mut findings, plan, text),
        None => findings.hole(Kind::Boundary, "there is no such policy", ANEW),
    }
    findings.into_vec()
}

fn role(plan: &Plan, role: &RolePlan, described: &Described) -> Vec<Finding> {
    let mut findings = Findings::of(format!("role/{}", role.path_and_name));
    let Some(there) = found(&mut findings, described, role.name(), &role.arn) else {
        return findings.into_vec();
    };
    judge_trust(&mut findings, &Entrance::of_role(plan, role), &there.trust);
    let (maximum, wanted) = (there.max_session_s, role.max_session_s);
    let mend = format!("set its maximum session to {wanted} s");
    if maximum > wanted {
        let what = format!("sessions may last {maximum} s, the catalogue says {wanted} s");
        findings.hole(Kind::MaximumSession, what, mend);
    } else if maximum < wanted {
        let what = format!("sessions of {wanted} s are refused: its maximum is {maximum} s");
        findings.fault(Kind::MaximumSession, what, mend);
    }
    let wanted = plan.boundary_arn();
    let mend = format!("set its permissions boundary to {wanted}");
    match &there.boundary {
        Some(arn) if *arn == wanted => {}
        Some(arn) => findings.hole(Kind::Boundary, format!("its boundary is {arn}"), mend),
        None => findings.hole(Kind::Boundary, "it has no permissions boundary", mend),
    }
    findings.into_vec()
}

fn kill_switch(plan: &Plan, described: &Described) -> Vec<Finding> {
    let Some(kill) = &plan.kill else {
        return left_over(plan, described);
    };
    let mut findings = Findings::of(format!("role/{}", kill.path_and_name));
    if let Some(role) = found(&mut findings, described, kill.name(), &kill.arn) {
        judge_kill_switch(&mut findings, plan, kill, role);
    }
    findings.into_vec()
}

/// A kill switch under its usual name that no target has any more. That it cannot do its work harms nobody then; who
/// enters it, and what else it may do, matters as before.
fn left_over(plan: &Plan, described: &Described) -> Vec<Finding> {
    let kill = plan.usual_kill();
    let is_target = plan.roles.iter().any(|role| role.arn == kill.arn);
    let role = described.roles.iter().find(|role| role.arn == kill.arn && !is_target);
    let Some(role) = role else {
        return Vec::new();
    };
    let mut findings = Findings::of(format!("role/{}", kill.path_and_name));
    let mend = "delete it, or give a target `kill`";
    findings.note(Kind::Unused, "it is a kill switch, and no target has one", mend);
    let as_if = Plan {
        kill: Some(kill.clone()),
        ..plan.clone()
    };
    judge_kill_switch(&mut findings, &as_if, &kill, role);
    let mut found = findings.into_vec();
    found.retain(|finding| finding.severity != Severity::Fault);
    found
}

/// The role of this name, if it is the one that is meant.
fn found<'a>(findings: &mut Findings, described: &'a Described, name: &str, arn: &str) -> Option<&'a DescribedRole> {
    let Some(role) = described.roles.iter().find(|role| role.name.eq_ignore_ascii_case(name)) else {
        findings.fault(Kind::RoleMissing, "there is no such role", ANEW);
        return None;
    };
    if role.arn != arn {
        let what = format!("the role of this name is {}", role.arn);
        findings.fault(
            Kind::RoleElsewhere,
            what,
            "correct its path in the catalogue, or make it anew",
        );
        return None;
    }
    Some(role)
}

/// Roles that our issuer's tokens open and that no target names. What they demand is judged as if one did: the backend
/// signs no token for them, and a trust that takes a token for another role is a hole all the same.
fn unused(plan: &Plan, described: &Described) -> Vec<Finding> {
    let Some(provider) = plan.provider_arn() else {
        return Vec::new();
    };
    let kill = plan.kill.clone().unwrap_or_else(|| plan.usual_kill());
    let is_known = |role: &&DescribedRole| {
        let mut arns = plan.roles.iter().map(|role| &role.arn).chain([&kill.arn]);
        arns.any(|arn| *arn == role.arn)
    };
    let mut found = Vec::new();
    for role in described.roles.iter().filter(|role| !is_known(role)) {
        let path_and_name = role
            .arn
            .split_once(":role/")
            .map_or(role.name.as_str(), |(_, rest)| rest);
        let mut findings = Findings::of(format!("role/{path_and_name}"));
        let opens = match Document::parse(&role.trust) {
            Ok(document) => document.statements.iter().any(|statement| opens(statement, &provider)),
            Err(_) => role.trust.contains("oidc-provider"),
        };
        if opens {
            let mend = "delete it, or add a target for it";
            findings.note(Kind::Unused, "it trusts our issuer, and no target names it", mend);
            let as_if = RolePlan {
                arn: role.arn.clone(),
                path_and_name: path_and_name.to_owned(),
                max_session_s: role.max_session_s,
                by_token: true,
                by_backend: false,
                is_traced: true,
                targets: Vec::new(),
            };
            judge_trust(&mut findings, &Entrance::of_role(plan, &as_if), &role.trust);
        }
        found.extend(findings.into_vec());
    }
    found
}

/// Whether a token of our issuer could open a role by this statement.
fn opens(statement: &Statement, provider: &str) -> bool {
    let names_us = |(kind, value): &(String, String)| value == provider || (value == "*" && kind != "Service");
    let enters = |action: &String| overlap(action, "sts:AssumeRoleWithWebIdentity");
    let whom = statement.inverted == Some("NotPrincipal") || statement.principals.iter().any(names_us);
    let how = statement.inverted == Some("NotAction") || statement.actions.iter().any(enters);
    statement.effect == Effect::Allow && whom && how
}
