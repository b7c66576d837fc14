//! Random changes to a trust that was well: whatever lets in a call that jit would not make, or keeps out one that it
//! makes, has a finding. What lets in and what keeps out is said by an evaluator of its own.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::evaluator::{Call, lets_in};
use super::*;

const PREFIX: &str = "jit.acme.example/prod";
const ACTIONS: [&str; 3] = [
    "sts:AssumeRoleWithWebIdentity",
    "sts:SetSourceIdentity",
    "sts:TagSession",
];

/// A call of jit for somebody.
fn ours(action: &'static str, person: &str) -> Call {
    let keys = [
        (
            format!("{PREFIX}:sub"),
            format!("jit:aws/aws/111111111111/jit/jit-prod-admin:{person}"),
        ),
        (format!("{PREFIX}:aud"), "sts.amazonaws.com".to_owned()),
        ("sts:sourceidentity".to_owned(), person.to_owned()),
        ("aws:requesttag/jit:request".to_owned(), "req_0123456789ab".to_owned()),
        ("aws:tagkeys".to_owned(), "jit:request".to_owned()),
    ];
    let provider = "arn:aws:iam::111111111111:oidc-provider/jit.acme.example/Prod".to_owned();
    Call {
        principal: ("Federated", provider),
        action,
        keys: keys.into_iter().map(|(key, value)| (key, vec![value])).collect(),
    }
}

/// Calls that would enter and that jit never makes.
fn attacks() -> Vec<Call> {
    let entering = ours(ACTIONS[0], "usr_0123456789ab");
    let mut attacks = Vec::new();
    let mut with = |key: &str, values: Option<&[&str]>| {
        let mut call = entering.clone();
        let key = key.replace('@', PREFIX);
        match values {
            Some(values) => drop(call.keys.insert(key, values.iter().map(|v| (*v).to_owned()).collect())),
            None => drop(call.keys.remove(&key)),
        }
        attacks.push(call);
    };
    for sub in [
        "jit:aws/aws/111111111111/jit/jit-dev-admin:usr_0123456789ab",
        "jit:aws/aws/222222222222/jit/jit-prod-admin:usr_0123456789ab",
        "jit:aws/aws/111111111111/jit/jit-prod-admin2:usr_0123456789ab",
        "jit:aws/aws/111111111111/jit/jit-prod-admin:backend",
        "jit:kill/aws/111111111111:backend",
        "x",
    ] {
        with("@:sub", Some(&[sub]));
    }
    with("@:aud", Some(&["other"]));
    with("@:aud", None);
    with("sts:sourceidentity", None);
    with("sts:sourceidentity", Some(&["root"]));
    with("aws:requesttag/jit:request", None);
    with("aws:requesttag/jit:request", Some(&["x"]));
    with("aws:tagkeys", Some(&["jit:request", "team"]));
    for principal in [
        ("Federated", "accounts.google.com"),
        ("AWS", "arn:aws:iam::1:root"),
        ("Service", "ec2.amazonaws.com"),
    ] {
        let mut call = entering.clone();
        call.principal = (principal.0, principal.1.to_owned());
        attacks.push(call.clone());
        call.action = "sts:AssumeRole";
        call.keys = BTreeMap::new();
        attacks.push(call);
    }
    attacks
}

/// A change of one place in a document.
#[derive(Clone, Debug)]
enum Change {
    Drop,
    Text(String),
    Beside(String),
    Operator(&'static str),
    Statement(Value),
}

fn change() -> impl Strategy<Value = Change> {
    let text = || {
        prop_oneof![
            Just("*".to_owned()),
            Just("usr_*".to_owned()),
            Just("sts:*".to_owned()),
            Just("other".to_owned()),
            Just("jit:aws/aws/111111111111/jit/*:usr_*".to_owned()),
            Just("jit:aws/*".to_owned()),
            Just("?*".to_owned()),
            Just("accounts.google.com".to_owned()),
        ]
    };
    let operator = proptest::sample::select(vec![
        "StringEquals",
        "StringLike",
        "StringNotEquals",
        "StringNotLike",
        "StringLikeIfExists",
        "StringEqualsIfExists",
        "ForAllValues:StringLike",
        "ForAllValues:StringEquals",
        "ForAnyValue:StringLike",
        "ForAllValues:StringNotLike",
        "Null",
    ]);
    let statement = proptest::sample::select(vec![
        json!({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}),
        json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:root"}, "Action": "*"}),
        json!({"Effect": "Allow", "NotPrincipal": {"AWS": "arn:aws:iam::1:root"}, "Action": "sts:*"}),
        json!({"Effect": "Deny", "Principal": "*", "Action": "sts:*"}),
    ]);
    prop_oneof![
        Just(Change::Drop),
        text().prop_map(Change::Text),
        text().prop_map(Change::Beside),
        operator.prop_map(Change::Operator),
        statement.prop_map(Change::Statement),
    ]
}

/// Every place of a document, as a path.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            let escaped = name.replace('~', "~0").replace('/', "~1");
            places(member, &format!("{at}/{escaped}"), found);
        }),
        Value::Array(values) => values
            .iter()
            .enumerate()
            .for_each(|(i, member)| places(member, &format!("{at}/{i}"), found)),
        _ => {}
    }
    found.push(at.to_owned());
}

fn changed(document: &Value, change: &Change, at: usize) -> Value {
    let mut document = document.clone();
    let mut found = Vec::new();
    places(&document["Statement"][0], "/Statement/0", &mut found);
    let path = found[at % found.len()].clone();
    let (parent, name) = path.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    match change {
        Change::Statement(statement) => document["Statement"].as_array_mut().unwrap().push(statement.clone()),
        Change::Drop => match document.pointer_mut(parent).unwrap() {
            Value::Object(members) => drop(members.remove(&name)),
            Value::Array(values) => drop(values.remove(name.parse().unwrap())),
            _ => {}
        },
        Change::Text(text) => {
            let place = document.pointer_mut(&path).unwrap();
            if place.is_string() {
                *place = json!(text);
            }
        }
        Change::Beside(text) => {
            let place = document.pointer_mut(&path).unwrap();
            match place {
                Value::String(own) => *place = json!([own, text]),
                Value::Array(values) if values.first().is_some_and(|first| !first.is_object()) => {
                    values.push(json!(text))
                }
                _ => {}
            }
        }
        Change::Operator(operator) => {
            let condition = &mut document["Statement"][0]["Condition"];
            if let Some(Value::Object(members)) = condition.as_object().cloned().map(Value::Object) {
                let mut members: Map<String, Value> = members;
                let names: Vec<String> = members.keys().cloned().collect();
                let taken = members.remove(&names[at % names.len()]).unwrap();
                members.insert((*operator).to_owned(), taken);
                *condition = Value::Object(members);
            }
        }
    }
    document
}

/// Whether the evaluator can say anything of it at all.
fn is_a_policy(document: &Value) -> bool {
    document["Statement"]
        .as_array()
        .is_some_and(|statements| statements.iter().all(Value::is_object))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_change_that_matters_goes_unseen(
        changes in proptest::collection::vec((change(), 0usize..64), 1..4)
    ) {
        let plan = plan();
        let mut trust = role_trust(&plan, &plan.roles[0]);
        for (change, at) in &changes {
            if is_a_policy(&trust) && trust["Statement"][0].is_object() {
                trust = changed(&trust, change, *at);
            }
        }
        prop_assume!(is_a_policy(&trust));
        let mut described = applied(&plan);
        described.roles[0].trust = encoded(&trust);
        let findings = judge(&plan, &described);
        let has_hole = findings.iter().any(|finding| finding.severity == Severity::Hole);
        if let Some(attack) = attacks().iter().find(|call| lets_in(&trust, call)) {
            prop_assert!(has_hole, "{trust:#}\nlets in {attack:?}");
        }
        for person in ["usr_0123456789ab", "usr_zzzzzzzzzzzz"] {
            if let Some(action) = ACTIONS.iter().find(|action| !lets_in(&trust, &ours(action, person))) {
                prop_assert!(!findings.is_empty(), "{trust:#}\nkeeps out {person} at {action}");
            }
        }
    }
}
