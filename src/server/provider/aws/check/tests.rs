//! The judgement, on documents that bootstrap writes and on what somebody made of them.

mod beside;
mod evaluator;
mod loosened;
mod planted;

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use self::evaluator::{Call, lets_in};
use super::*;
use crate::config::IssuerUrl;
use crate::domain::{KillSwitch, Road, RoleBinding, Trace};
use crate::server::provider::Statement;
use crate::server::provider::aws::bootstrap::{
    Plan, PlanError, Wanted, boundary, kill_policy, kill_trust, plans, role_trust,
};
use crate::server::provider::aws::sample::access;
use crate::server::provider::aws::web_identity::{kill_statement, statement};

const BACKEND: &str = "arn:aws:iam::999999999999:role/jit-backend";

/// The binding of a role of payments-prod.
fn binding(road: Road, role: &str) -> RoleBinding {
    let mut binding = access(&[]).binding;
    binding.road = road;
    binding.role_arn = format!("arn:aws:iam::111111111111:role/{role}");
    binding.never = vec!["ec2:*Route*".to_owned()];
    binding
}

fn killable(mut binding: RoleBinding) -> RoleBinding {
    binding.kill = Some(KillSwitch {
        role_arn: "arn:aws:iam::111111111111:role/jit/jit-kill-switch".to_owned(),
    });
    binding
}

fn plan_of(bindings: &[RoleBinding]) -> Plan {
    let wanted = Wanted {
        issuer: Some(IssuerUrl::parse("https://jit.acme.example/Prod").unwrap()),
        backend: Some(BACKEND.to_owned()),
        kill_switch: false,
    };
    let targets = bindings.iter().map(|binding| ("prod-admin", binding));
    plans(targets, &wanted).into_values().next().unwrap().unwrap()
}

/// One role on the road web-identity, and a kill switch.
fn plan() -> Plan {
    plan_of(&[plan_binding()])
}

/// As IAM's interface hands documents over.
fn encoded(document: &Value) -> String {
    utf8_percent_encode(&document.to_string(), NON_ALPHANUMERIC).to_string()
}

/// What IAM says once the plan was applied.
fn applied(plan: &Plan) -> Described {
    let mut roles: Vec<DescribedRole> = plan
        .roles
        .iter()
        .map(|role| DescribedRole {
            arn: role.arn.clone(),
            name: role.name().to_owned(),
            trust: encoded(&role_trust(plan, role)),
            max_session_s: role.max_session_s,
            boundary: Some(plan.boundary_arn()),
            ..DescribedRole::default()
        })
        .collect();
    roles.extend(plan.kill.iter().map(|kill| DescribedRole {
        arn: kill.arn.clone(),
        name: kill.name().to_owned(),
        trust: encoded(&kill_trust(plan)),
        max_session_s: 3_600,
        inline: vec![("jit-kill-switch".to_owned(), encoded(&kill_policy(plan)))],
        ..DescribedRole::default()
    }));
    Described {
        audiences: plan.issuer.as_ref().map(|_| vec!["sts.amazonaws.com".to_owned()]),
        boundary: Some(encoded(&boundary(plan))),
        roles,
    }
}

/// Severity and kind of everything that is found.
fn found(plan: &Plan, described: &Described) -> Vec<(Severity, Kind)> {
    judge(plan, described)
        .into_iter()
        .map(|f| (f.severity, f.kind))
        .collect()
}

#[test]
fn account_made_by_bootstrap_is_well() {
    let (token, backend) = (Road::WebIdentity, Road::AssumeRole);
    let mut untraced = binding(backend, "jit/jit-untraced");
    untraced.trace = Trace::Off;
    let mut long = binding(token, "jit/jit-prod-admin");
    long.session = crate::domain::Duration::parse("4h").unwrap();
    for bindings in [
        vec![binding(token, "jit/jit-prod-admin")],
        vec![killable(binding(token, "jit/jit-prod-admin"))],
        vec![binding(backend, "jit/jit-prod-admin")],
        vec![untraced.clone()],
        vec![
            binding(token, "jit/jit-prod-admin"),
            long,
            binding(backend, "jit/jit-prod-admin"),
        ],
        vec![
            killable(binding(token, "jit/a")),
            killable(binding(backend, "jit/b")),
            untraced,
        ],
        vec![binding(token, "admin"), binding(token, "deep/er/admin@x")],
    ] {
        let plan = plan_of(&bindings);
        assert_eq!(judge(&plan, &applied(&plan)), [], "{bindings:?}");
    }
}

#[test]
fn targets_of_one_role_share_its_longest_session() {
    let mut long = binding(Road::WebIdentity, "jit/jit-prod-admin");
    long.session = crate::domain::Duration::parse("4h").unwrap();
    let mut short = long.clone();
    short.session = crate::domain::Duration::parse("15m").unwrap();
    let plan = plan_of(&[short.clone(), long]);
    assert_eq!((plan.roles.len(), plan.roles[0].max_session_s), (1, 14_400));
    // IAM takes no maximum below an hour
    assert_eq!(plan_of(&[short]).roles[0].max_session_s, 3_600);
}

#[test]
fn boundary_denies_only_what_every_target_is_denied() {
    let mut other = binding(Road::WebIdentity, "jit/jit-other");
    other.never = vec!["ec2:*Route*".to_owned(), "s3:*".to_owned()];
    let plan = plan_of(&[binding(Road::WebIdentity, "jit/jit-prod-admin"), other]);
    assert_eq!(plan.never, ["ec2:*Route*"]);
}

#[test]
fn plan_that_iam_would_refuse_is_refused() {
    let wanted = Wanted {
        issuer: Some(IssuerUrl::parse("https://jit.acme.example").unwrap()),
        ..Wanted::default()
    };
    let refused = |bindings: &[RoleBinding]| {
        let targets = bindings.iter().map(|binding| ("prod-admin", binding));
        plans(targets, &wanted).into_values().next().unwrap().unwrap_err()
    };
    let token = |role| binding(Road::WebIdentity, role);
    let mut long = token("jit/jit-prod-admin");
    long.never = (0..400).map(|number| format!("ec2:*Route{number}*")).collect();
    assert!(matches!(refused(&[long]), PlanError::BoundaryTooLong(length) if length > 6_144));
    assert!(matches!(
        refused(&[token("jit/a"), token("other/A")]),
        PlanError::NameTwice(..)
    ));
    let mut switch = token("jit/jit-kill-switch");
    switch = killable(switch);
    assert!(matches!(refused(&[switch]), PlanError::NameTwice(..)));
    assert!(matches!(
        refused(&[binding(Road::AssumeRole, "jit/a")]),
        PlanError::NeedsBackend(_)
    ));
}

/// A call with the token that says `statement`.
fn call_with(statement: &Statement, action: &'static str) -> Call {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut keys = BTreeMap::from([
        ("jit.acme.example/prod:sub".to_owned(), vec![statement.subject.clone()]),
        ("jit.acme.example/prod:aud".to_owned(), vec![statement.audience.clone()]),
    ]);
    if let Some(person) = statement.claims.get("https://aws.amazon.com/source_identity") {
        keys.insert("sts:sourceidentity".to_owned(), vec![text(person)]);
    }
    if let Some(tags) = statement.claims.get("https://aws.amazon.com/tags") {
        for (name, values) in tags["principal_tags"].as_object().unwrap() {
            keys.insert(format!("aws:requesttag/{name}"), vec![text(&values[0])]);
            keys.entry("aws:tagkeys".to_owned()).or_default().push(name.clone());
        }
    }
    let provider = "arn:aws:iam::111111111111:oidc-provider/jit.acme.example/Prod".to_owned();
    Call {
        principal: ("Federated", provider),
        action,
        keys,
    }
}

#[test]
fn token_of_a_target_opens_its_role_and_no_other() {
    let plan = plan();
    let (role, kill) = (role_trust(&plan, &plan.roles[0]), kill_trust(&plan));
    let mut access = access(&[]);
    access.binding = plan_binding();
    let enter = "sts:AssumeRoleWithWebIdentity";
    for action in [enter, "sts:SetSourceIdentity", "sts:TagSession"] {
        assert!(lets_in(&role, &call_with(&statement(&access), action)), "{action}");
    }
    assert!(lets_in(&kill, &call_with(&kill_statement(&access.binding), enter)));
    assert!(!lets_in(&role, &call_with(&kill_statement(&access.binding), enter)));
    assert!(!lets_in(&kill, &call_with(&statement(&access), enter)));
    access.binding.role_arn = "arn:aws:iam::111111111111:role/jit/jit-prod-admin2".to_owned();
    assert!(!lets_in(&role, &call_with(&statement(&access), enter)));
}

/// What [`plan`] is made from.
fn plan_binding() -> RoleBinding {
    killable(binding(Road::WebIdentity, "jit/jit-prod-admin"))
}
