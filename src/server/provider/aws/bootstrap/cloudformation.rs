//! A plan as a CloudFormation template.
//! Owns resources and parameters. Refuses permissions: which policies a role gets is a parameter, empty until filled.

use serde_json::Value;

use super::documents::{boundary, kill_policy, kill_trust, role_trust};
use super::labels::Labels;
use super::plan::Plan;
use super::roles::RolePlan;
use super::tree::Tree;
use super::yaml::yaml;
use super::{BOUNDARY, KILL_POLICY, PATH, SHORTEST_MAXIMUM_S};
use crate::server::provider::aws::AUDIENCE;

type Members = Vec<(String, Tree)>;

/// The template of `plan`.
pub fn cloudformation(plan: &Plan) -> String {
    let mut labels = Labels::default();
    let roles: Vec<(String, &RolePlan)> = plan
        .roles
        .iter()
        .map(|role| (labels.camel(role.name()), role))
        .collect();
    let parameters = roles.iter().map(|(label, role)| (policies_of(label), parameter(role)));
    let conditions = roles.iter().map(|(label, _)| (has_policies(label), condition(label)));
    let mut resources = Members::new();
    if let Some(issuer) = &plan.issuer {
        let properties = Tree::map([
            ("Url", Tree::text(issuer.as_str())),
            ("ClientIdList", Tree::texts(&[AUDIENCE])),
        ]);
        resources.push(("Issuer".to_owned(), resource("AWS::IAM::OIDCProvider", &[], properties)));
    }
    resources.push(("Boundary".to_owned(), boundary_policy(plan)));
    resources.extend(
        roles
            .iter()
            .map(|(label, role)| (format!("Role{label}"), self::role(plan, label, role))),
    );
    resources.extend(kill_switch(plan).map(|role| ("KillSwitch".to_owned(), role)));
    let template = Tree::map([
        ("AWSTemplateFormatVersion", Tree::text("2010-09-09")),
        ("Description", Tree::text(description(plan))),
        ("Parameters", Tree::Map(parameters.collect())),
        ("Conditions", Tree::Map(conditions.collect())),
        ("Resources", Tree::Map(resources)),
    ]);
    format!("{}{}", super::HEADER, yaml(&template))
}

/// CloudFormation: 1,024 bytes at most.
fn description(plan: &Plan) -> String {
    let name: String = plan.account_name.chars().take(100).collect();
    format!("What jit needs in account {} ({name})", plan.account)
}

fn policies_of(label: &str) -> String {
    format!("PoliciesOf{label}")
}

fn has_policies(label: &str) -> String {
    format!("HasPoliciesOf{label}")
}

fn parameter(role: &RolePlan) -> Tree {
    let about = format!(
        "ARNs of the managed policies that role {} gets; none where empty",
        role.path_and_name
    );
    Tree::map([
        ("Type", Tree::text("CommaDelimitedList")),
        ("Default", Tree::text("")),
        ("Description", Tree::text(about)),
    ])
}

fn condition(label: &str) -> Tree {
    let joined = Tree::map([(
        "Fn::Join",
        Tree::List(vec![
            Tree::text(""),
            Tree::map([("Ref", Tree::text(policies_of(label)))]),
        ]),
    )]);
    let is_empty = Tree::map([("Fn::Equals", Tree::List(vec![joined, Tree::text("")]))]);
    Tree::map([("Fn::Not", Tree::List(vec![is_empty]))])
}

fn role(plan: &Plan, label: &str, role: &RolePlan) -> Tree {
    let reference = |name: &str| Tree::map([("Ref", Tree::text(name))]);
    let policies = Tree::map([(
        "Fn::If",
        Tree::List(vec![
            Tree::text(has_policies(label)),
            reference(&policies_of(label)),
            reference("AWS::NoValue"),
        ]),
    )]);
    let properties = Tree::map([
        ("RoleName", Tree::text(role.name())),
        ("Path", Tree::text(role.path())),
        ("Description", Tree::text(super::role_description(role))),
        ("MaxSessionDuration", Tree::Number(role.max_session_s)),
        ("PermissionsBoundary", reference("Boundary")),
        ("ManagedPolicyArns", policies),
        ("AssumeRolePolicyDocument", Tree::of_document(&role_trust(plan, role))),
    ]);
    resource("AWS::IAM::Role", &needs(role.by_token), properties)
}

/// A provider that a trust names should be there first.
fn needs(by_token: bool) -> Vec<&'static str> {
    if by_token { vec!["Issuer"] } else { Vec::new() }
}

fn boundary_policy(plan: &Plan) -> Tree {
    let properties = Tree::map([
        ("ManagedPolicyName", Tree::text(BOUNDARY)),
        ("Path", Tree::text(format!("/{PATH}/"))),
        ("Description", Tree::text(super::BOUNDARY_DESCRIPTION)),
        ("PolicyDocument", Tree::of_document(&boundary(plan))),
    ]);
    resource("AWS::IAM::ManagedPolicy", &[], properties)
}

fn kill_switch(plan: &Plan) -> Option<Tree> {
    let kill = plan.kill.as_ref()?;
    let document = |document: Value| Tree::of_document(&document);
    let policy = Tree::map([
        ("PolicyName", Tree::text(KILL_POLICY)),
        ("PolicyDocument", document(kill_policy(plan))),
    ]);
    let properties = Tree::map([
        ("RoleName", Tree::text(kill.name())),
        ("Path", Tree::text(kill.path())),
        ("Description", Tree::text(super::KILL_DESCRIPTION)),
        ("MaxSessionDuration", Tree::Number(SHORTEST_MAXIMUM_S)),
        ("Policies", Tree::List(vec![policy])),
        ("AssumeRolePolicyDocument", document(kill_trust(plan))),
    ]);
    Some(resource("AWS::IAM::Role", &needs(kill.by_token), properties))
}

fn resource(kind: &str, needs: &[&str], properties: Tree) -> Tree {
    let mut members = vec![("Type".to_owned(), Tree::text(kind))];
    if !needs.is_empty() {
        members.push(("DependsOn".to_owned(), Tree::texts(needs)));
    }
    members.push(("Properties".to_owned(), properties));
    Tree::Map(members)
}
