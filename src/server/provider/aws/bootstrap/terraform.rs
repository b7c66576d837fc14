//! A plan as one Terraform root file.
//! Owns resources and the variable. Refuses permissions: which policies a role gets is a variable, empty until filled.

use serde_json::Value;

use super::documents::{boundary, kill_policy, kill_trust, role_trust};
use super::hcl::{attributes, comment, quoted, value};
use super::labels::Labels;
use super::plan::Plan;
use super::roles::RolePlan;
use super::tree::Tree;
use super::{BOUNDARY, KILL_POLICY, PATH, SHORTEST_MAXIMUM_S};
use crate::server::provider::aws::AUDIENCE;

/// What every file begins with. The provider's versions before 6 asked for thumbprints.
const HEAD: &str = r#"
terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}
"#;

/// The root file of `plan`.
pub fn terraform(plan: &Plan) -> String {
    let mut labels = Labels::default();
    let mut blocks = vec![provider(plan), variable(plan)];
    if let Some(issuer) = &plan.issuer {
        let lines = [
            ("url", quoted(issuer.as_str())),
            ("client_id_list", value(&Tree::texts(&[AUDIENCE]), 1)),
        ];
        blocks.push(resource("aws_iam_openid_connect_provider", "jit", &lines));
    }
    let lines = [
        ("name", quoted(BOUNDARY)),
        ("path", quoted(&format!("/{PATH}/"))),
        ("description", quoted(super::BOUNDARY_DESCRIPTION)),
        ("policy", json(&boundary(plan))),
    ];
    blocks.push(resource("aws_iam_policy", "jit_boundary", &lines));
    for role in &plan.roles {
        blocks.extend(self::role(plan, &labels.snake(role.name()), role));
    }
    blocks.extend(kill_switch(plan));
    let about = comment(&format!("# Account {} ({}).\n", plan.account, plan.account_name));
    format!("{}{}\n{HEAD}\n{}", super::HEADER, about.trim_end(), blocks.join("\n"))
}

fn provider(plan: &Plan) -> String {
    let lines = [
        ("region", quoted(&plan.region)),
        ("allowed_account_ids", value(&Tree::texts(&[&plan.account]), 1)),
    ];
    block("provider \"aws\"", &lines)
}

fn variable(plan: &Plan) -> String {
    let names: Vec<&str> = plan.roles.iter().map(|role| role.path_and_name.as_str()).collect();
    let lines = [
        (
            "description",
            quoted("ARNs of the managed policies that each role gets, by its path and name."),
        ),
        ("type", "map(set(string))".to_owned()),
        ("default", "{}".to_owned()),
    ];
    let known = value(&Tree::texts(&names), 2);
    let validation = [
        (
            "condition",
            format!("length(setsubtract(keys(var.policy_arns), {known})) == 0"),
        ),
        (
            "error_message",
            quoted("policy_arns names a role that is not in this file."),
        ),
    ];
    let inner = format!("\n  validation {{\n{}  }}\n", indented(&validation, 2));
    format!("variable \"policy_arns\" {{\n{}{inner}}}\n", indented(&lines, 1))
}

/// The role, and what attaches to it the policies that the variable names.
fn role(plan: &Plan, label: &str, role: &RolePlan) -> [String; 2] {
    let mut lines = vec![
        ("name", quoted(role.name())),
        ("path", quoted(&role.path())),
        ("description", quoted(&super::role_description(role))),
        ("max_session_duration", role.max_session_s.to_string()),
        ("permissions_boundary", "aws_iam_policy.jit_boundary.arn".to_owned()),
        ("assume_role_policy", json(&role_trust(plan, role))),
    ];
    lines.extend(needs(role.by_token));
    let attached = [
        (
            "for_each",
            format!("lookup(var.policy_arns, {}, toset([]))", quoted(&role.path_and_name)),
        ),
        ("role", format!("aws_iam_role.{label}.name")),
        ("policy_arn", "each.value".to_owned()),
    ];
    [
        resource("aws_iam_role", label, &lines),
        resource("aws_iam_role_policy_attachment", label, &attached),
    ]
}

/// A provider that a trust names should be there first.
fn needs(by_token: bool) -> Option<(&'static str, String)> {
    by_token.then(|| ("depends_on", "[aws_iam_openid_connect_provider.jit]".to_owned()))
}

fn kill_switch(plan: &Plan) -> Vec<String> {
    let Some(kill) = &plan.kill else {
        return Vec::new();
    };
    let mut lines = vec![
        ("name", quoted(kill.name())),
        ("path", quoted(&kill.path())),
        ("description", quoted(super::KILL_DESCRIPTION)),
        ("max_session_duration", SHORTEST_MAXIMUM_S.to_string()),
        ("assume_role_policy", json(&kill_trust(plan))),
    ];
    lines.extend(needs(kill.by_token));
    let policy = [
        ("name", quoted(KILL_POLICY)),
        // `kill-switch` is no label of a role: those are made of their names, and none has a dash
        ("role", "aws_iam_role.kill-switch.name".to_owned()),
        ("policy", json(&kill_policy(plan))),
    ];
    vec![
        resource("aws_iam_role", "kill-switch", &lines),
        resource("aws_iam_role_policy", "kill-switch", &policy),
    ]
}

/// A policy document, at the first level of a block.
fn json(document: &Value) -> String {
    format!("jsonencode({})", value(&Tree::of_document(document), 1))
}

fn resource(kind: &str, label: &str, lines: &[(&str, String)]) -> String {
    block(&format!("resource \"{kind}\" \"{label}\""), lines)
}

fn block(head: &str, lines: &[(&str, String)]) -> String {
    format!("{head} {{\n{}}}\n", indented(lines, 1))
}

fn indented(lines: &[(&str, String)], depth: usize) -> String {
    let lines: Vec<(String, String)> = lines
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.clone()))
        .collect();
    attributes(&lines, depth)
}
