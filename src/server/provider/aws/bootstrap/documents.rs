//! The policy documents of a plan: trust, boundary, kill switch.
//! Owns what each demands, allows and denies; the check holds what it finds against the same plan.

use serde_json::{Map, Value, json};

use super::plan::Plan;
use super::roles::RolePlan;
use crate::server::provider::aws::AUDIENCE;
use crate::server::provider::aws::names::REQUEST_TAG;
use crate::server::provider::aws::session_policy::IAM_WRITES;

/// Stable ids of people begin so.
pub const PERSON: &str = "usr_*";
/// Ids of requests begin so.
pub const REQUEST: &str = "req_*";

/// Who may enter a target's role, and with what.
///
/// A trust policy can test `sub`, `aud` and `amr` of an issuer like ours, and tags and source identity: so the target
/// stands in `sub` before the person, and only the person is wild.
pub fn role_trust(plan: &Plan, role: &RolePlan) -> Value {
    let mut statements = Vec::new();
    if let (true, Some(provider), Some(issuer)) = (role.by_token, plan.provider_arn(), plan.issuer_name()) {
        let prefix = role.subject_prefix(plan.partition, &plan.account);
        let mut condition = traced();
        condition.insert(
            "StringEquals".to_owned(),
            json!({ (format!("{issuer}:aud")): AUDIENCE }),
        );
        condition["StringLike"][format!("{issuer}:sub")] = json!(format!("{prefix}{PERSON}"));
        statements.push(json!({
            "Sid": "JitToken", "Effect": "Allow",
            "Principal": { "Federated": provider },
            "Action": ["sts:AssumeRoleWithWebIdentity", "sts:SetSourceIdentity", "sts:TagSession"],
            "Condition": condition,
        }));
    }
    if let (true, Some(backend)) = (role.by_backend, &plan.backend) {
        let mut statement = json!({
            "Sid": "JitBackend", "Effect": "Allow",
            "Principal": { "AWS": backend },
            "Action": ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
        });
        if role.is_traced {
            statement["Condition"] = Value::Object(traced());
        }
        statements.push(statement);
    }
    document(statements)
}

/// What each of our calls sets: the tag and nothing beside it, and the source identity.
fn traced() -> Map<String, Value> {
    let like = json!({ (format!("aws:RequestTag/{REQUEST_TAG}")): REQUEST, "sts:SourceIdentity": PERSON });
    let keys = json!({ "aws:TagKeys": [REQUEST_TAG] });
    Map::from_iter([
        ("StringLike".to_owned(), like),
        ("ForAllValues:StringEquals".to_owned(), keys),
    ])
}

/// The permissions boundary: everything, but no write on what boxes a session in, and nothing of the catalogue's
/// `never`. What a role may do is said by its own policies.
pub fn boundary(plan: &Plan) -> Value {
    let mut statements = vec![
        json!({"Sid": "AllowUpToHere", "Effect": "Allow", "Action": "*", "Resource": "*"}),
        json!({"Sid": "KeepTheBox", "Effect": "Deny", "Action": IAM_WRITES, "Resource": plan.protected()}),
    ];
    if !plan.never.is_empty() {
        statements.push(json!({"Sid": "Never", "Effect": "Deny", "Action": plan.never, "Resource": "*"}));
    }
    document(statements)
}

/// Who may enter the kill switch's role: the backend, on nobody's behalf.
pub fn kill_trust(plan: &Plan) -> Value {
    let mut statements = Vec::new();
    let Some(kill) = &plan.kill else {
        return document(statements);
    };
    if let (true, Some(provider), Some(issuer)) = (kill.by_token, plan.provider_arn(), plan.issuer_name()) {
        statements.push(json!({
            "Sid": "JitToken", "Effect": "Allow",
            "Principal": { "Federated": provider },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {
                    (format!("{issuer}:aud")): AUDIENCE,
                    (format!("{issuer}:sub")): plan.kill_subject(),
                },
            },
        }));
    }
    if let (true, Some(backend)) = (kill.by_backend, &plan.backend) {
        statements.push(json!({
            "Sid": "JitBackend", "Effect": "Allow", "Principal": { "AWS": backend }, "Action": "sts:AssumeRole",
        }));
    }
    document(statements)
}

/// What the kill switch's role may do: write and take away inline policies, of roles that carry our boundary. IAM has no
/// condition on the name of an inline policy.
pub fn kill_policy(plan: &Plan) -> Value {
    document(vec![json!({
        "Sid": "WriteTheDeny", "Effect": "Allow",
        "Action": ["iam:DeleteRolePolicy", "iam:PutRolePolicy"],
        "Resource": plan.killable(),
        "Condition": { "StringEquals": { "iam:PermissionsBoundary": plan.boundary_arn() } },
    })])
}

fn document(statements: Vec<Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}
