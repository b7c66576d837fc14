//! Holes that people leave in a trust, each planted in one that was well.

use Kind::*;
use Severity::*;
use serde_json::{Value, json};

use super::*;

const SUB: &str = "jit.acme.example/Prod:sub";
const AUD: &str = "jit.acme.example/Prod:aud";
const SOURCE: &str = "sts:SourceIdentity";
const TAG: &str = "aws:RequestTag/jit:request";
const KEYS: &str = "ForAllValues:StringEquals";
const PINNED: &str = "jit:aws/aws/111111111111/jit/jit-prod-admin:usr_*";
const OURS: &str = "arn:aws:iam::111111111111:oidc-provider/jit.acme.example/Prod";
const ACTIONS: [&str; 3] = [
    "sts:AssumeRoleWithWebIdentity",
    "sts:SetSourceIdentity",
    "sts:TagSession",
];

/// What is found once the trust of the target's role is `change` of what it was.
fn with_trust(change: impl Fn(&mut Value)) -> Vec<(Severity, Kind)> {
    let plan = plan();
    let mut described = applied(&plan);
    let mut trust = role_trust(&plan, &plan.roles[0]);
    change(&mut trust);
    described.roles[0].trust = encoded(&trust);
    found(&plan, &described)
}

/// The same with `patch` merged into its one statement (RFC 7396: null takes away).
fn with_patch(patch: &Value) -> Vec<(Severity, Kind)> {
    with_trust(|trust| merge(&mut trust["Statement"][0], patch))
}

/// The same with `statement` beside its own.
fn with_statement(statement: &Value) -> Vec<(Severity, Kind)> {
    with_trust(|trust| trust["Statement"].as_array_mut().unwrap().push(statement.clone()))
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, member) in members {
        if member.is_null() {
            target.as_object_mut().unwrap().remove(name);
        } else {
            merge(&mut target[name], member);
        }
    }
}

type Row = (&'static str, Value, Severity, Kind);

fn holds(table: &[Row], with: fn(&Value) -> Vec<(Severity, Kind)>) {
    for (name, change, severity, kind) in table {
        let found = with(change);
        assert!(found.contains(&(*severity, *kind)), "{name}: {found:?}");
    }
}

/// `sub` as it is demanded, replaced.
fn sub(value: Value) -> Value {
    json!({"Condition": {"StringLike": {SUB: value}}})
}

/// `sub` demanded under another operator, as `value`.
fn sub_under(operator: &str, value: &str) -> Value {
    json!({"Condition": {"StringLike": {SUB: null}, operator: {SUB: value}}})
}

#[test]
fn planted_hole_at_the_subject_is_found() {
    let whole = "jit:aws/aws/111111111111/jit/";
    let table = [
        ("no sub", sub(json!(null)), Hole, Subject),
        ("any sub", sub(json!("*")), Hole, Subject),
        ("no value", sub(json!([])), Hole, Subject),
        (
            "wild before the colon",
            sub(json!(format!("{whole}*:usr_*"))),
            Hole,
            Subject,
        ),
        (
            "wild up to the colon",
            sub(json!(format!("{whole}jit-prod-admin*"))),
            Hole,
            Subject,
        ),
        (
            "any word behind the colon",
            sub(json!(format!("{whole}jit-prod-admin:*"))),
            Hole,
            Subject,
        ),
        (
            "one letter is wild",
            sub(json!(format!("{whole}jit-prod-admi?:usr_*"))),
            Hole,
            Subject,
        ),
        (
            "any account",
            sub(json!("jit:aws/aws/*/jit/jit-prod-admin:usr_*")),
            Hole,
            Subject,
        ),
        (
            "another target beside",
            sub(json!([PINNED, format!("{whole}dev:usr_*")])),
            Hole,
            Subject,
        ),
        (
            "a variable for the target",
            sub(json!("${aws:username}:usr_*")),
            Hole,
            Subject,
        ),
        ("if it exists", sub_under("StringLikeIfExists", PINNED), Hole, Subject),
        (
            "all of no values",
            sub_under("ForAllValues:StringLike", PINNED),
            Hole,
            Subject,
        ),
        (
            "everybody but one",
            sub_under("StringNotLike", "jit:kill/*"),
            Hole,
            Subject,
        ),
        (
            "everybody but this",
            sub_under("StringNotEquals", PINNED),
            Hole,
            Subject,
        ),
        (
            "whatever the case",
            sub_under("StringEqualsIgnoreCase", PINNED),
            Hole,
            Subject,
        ),
        (
            "of another issuer",
            json!({"Condition": {"StringLike": {SUB: null, "jit.acme.example:sub": PINNED}}}),
            Hole,
            Subject,
        ),
        ("no condition", json!({"Condition": null}), Hole, Subject),
        (
            "one person only",
            sub(json!(PINNED.replace("usr_*", "usr_1*"))),
            Fault,
            Shut,
        ),
        ("a star that is no star", sub_under("StringEquals", PINNED), Fault, Shut),
        (
            "must not be there",
            json!({"Condition": {"Null": {SUB: "true"}}}),
            Fault,
            Shut,
        ),
    ];
    holds(&table, with_patch);
}

#[test]
fn planted_hole_at_another_key_is_found() {
    let like = |key: &str, value: Value| json!({"Condition": {"StringLike": {key: value}}});
    let aud = |value: Value| json!({"Condition": {"StringEquals": {AUD: value}}});
    let aud_under = |operator: &str, value: &str| json!({"Condition": {"StringEquals": null, operator: {AUD: value}}});
    let source = |operator: &str| json!({"Condition": {"StringLike": {SOURCE: null}, operator: {SOURCE: "usr_*"}}});
    let keys = |operator: &str| json!({"Condition": {KEYS: null, operator: {"aws:TagKeys": ["jit:request"]}}});
    let table = [
        ("no aud", aud(json!(null)), Hole, Audience),
        (
            "aud beside ours",
            aud(json!(["sts.amazonaws.com", "other"])),
            Hole,
            Audience,
        ),
        ("another aud", aud(json!("other")), Hole, Audience),
        ("aud with a star", aud_under("StringLike", "sts.*"), Hole, Audience),
        (
            "aud if it exists",
            aud_under("StringEqualsIfExists", "sts.amazonaws.com"),
            Hole,
            Audience,
        ),
        ("no source identity", like(SOURCE, json!(null)), Hole, SourceIdentity),
        ("any source identity", like(SOURCE, json!("*")), Hole, SourceIdentity),
        (
            "source identity if it exists",
            source("StringLikeIfExists"),
            Hole,
            SourceIdentity,
        ),
        (
            "source identity of no values",
            source("ForAllValues:StringLike"),
            Hole,
            SourceIdentity,
        ),
        (
            "source identity is or is not",
            json!({"Condition": {"StringLike": {SOURCE: null}, "Null": {SOURCE: "false"}}}),
            Hole,
            SourceIdentity,
        ),
        ("no tag", like(TAG, json!(null)), Hole, RequestTag),
        ("any tag", like(TAG, json!("*")), Hole, RequestTag),
        (
            "tag must not be",
            json!({"Condition": {"StringLike": {TAG: null}, "Null": {TAG: "true"}}}),
            Hole,
            RequestTag,
        ),
        (
            "another tag",
            json!({"Condition": {"StringLike": {TAG: null, "aws:RequestTag/team": "req_*"}}}),
            Hole,
            RequestTag,
        ),
        (
            "tag of the principal",
            json!({"Condition": {"StringLike": {TAG: null, "aws:PrincipalTag/jit:request": "req_*"}}}),
            Hole,
            RequestTag,
        ),
        ("no limit to tags", json!({"Condition": {KEYS: null}}), Hole, TagKeys),
        ("any of the tags", keys("ForAnyValue:StringEquals"), Hole, TagKeys),
        (
            "tags if they exist",
            keys("ForAllValues:StringEqualsIfExists"),
            Hole,
            TagKeys,
        ),
        (
            "one more tag",
            json!({"Condition": {KEYS: {"aws:TagKeys": ["jit:request", "team"]}}}),
            Hole,
            TagKeys,
        ),
        (
            "a key in two spellings",
            like("STS:sourceidentity", json!("*")),
            Hole,
            Unreadable,
        ),
        (
            "an operator in two spellings",
            json!({"Condition": {"stringlike": {SUB: "*"}}}),
            Hole,
            Unreadable,
        ),
    ];
    holds(&table, with_patch);
}

#[test]
fn planted_hole_at_principal_or_action_is_found() {
    let table = [
        ("anybody", json!({"Principal": "*"}), Hole, OtherPrincipal),
        (
            "anybody of AWS",
            json!({"Principal": {"AWS": "*"}}),
            Hole,
            OtherPrincipal,
        ),
        (
            "the account",
            json!({"Principal": {"AWS": "111111111111"}}),
            Hole,
            OtherPrincipal,
        ),
        (
            "a service",
            json!({"Principal": {"Service": "ec2.amazonaws.com"}}),
            Hole,
            OtherPrincipal,
        ),
        (
            "a canonical user",
            json!({"Principal": {"CanonicalUser": "79a5"}}),
            Hole,
            OtherPrincipal,
        ),
        (
            "another provider",
            json!({"Principal": {"Federated": [OURS, "accounts.google.com"]}}),
            Hole,
            OtherPrincipal,
        ),
        (
            "ours, shortened",
            json!({"Principal": {"Federated": OURS.trim_end_matches("/Prod")}}),
            Hole,
            OtherPrincipal,
        ),
        (
            "ours as a user",
            json!({"Principal": {"AWS": OURS}}),
            Hole,
            OtherPrincipal,
        ),
        ("nobody", json!({"Principal": null}), Hole, OtherPrincipal),
        (
            "everybody but us",
            json!({"Principal": null, "NotPrincipal": {"Federated": OURS}}),
            Hole,
            Inverted,
        ),
        (
            "all actions but one",
            json!({"Action": null, "NotAction": "sts:AssumeRole"}),
            Hole,
            Inverted,
        ),
        ("every action", json!({"Action": "*"}), Hole, WiderActions),
        ("every action of sts", json!({"Action": ["sts:*"]}), Hole, WiderActions),
        (
            "every way of assuming",
            json!({"Action": ["sts:AssumeRole*", ACTIONS[1], ACTIONS[2]]}),
            Hole,
            WiderActions,
        ),
        ("nobody knows the element", json!({"Resources": "*"}), Hole, Unreadable),
        ("letters of another case", json!({"effect": "Allow"}), Hole, Unreadable),
        ("no TagSession", json!({"Action": ACTIONS[..2]}), Fault, MissingAction),
        (
            "no SetSourceIdentity",
            json!({"Action": [ACTIONS[0], ACTIONS[2]]}),
            Fault,
            MissingAction,
        ),
        ("a Deny", json!({"Effect": "Deny"}), Fault, MissingAction),
    ];
    holds(&table, with_patch);
    let none = with_trust(|trust| trust["Statement"] = json!([]));
    assert_eq!(none, [(Fault, MissingAction)]);
}

#[test]
fn planted_statement_beside_ours_is_found() {
    let table = [
        (
            "the account",
            json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": "sts:AssumeRole"}),
            Hole,
            OtherPrincipal,
        ),
        (
            "ours without conditions",
            json!({"Effect": "Allow", "Principal": {"Federated": OURS}, "Action": "sts:assumerolewithwebidentity"}),
            Hole,
            Subject,
        ),
        (
            "a deny for all",
            json!({"Effect": "Deny", "Principal": "*", "Action": "sts:*"}),
            Fault,
            Shut,
        ),
    ];
    holds(&table, with_statement);
}

#[test]
fn trust_that_is_stricter_or_written_otherwise_is_well() {
    let from_one_network = json!({"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}});
    let other_letters = json!({"Condition": {"StringLike": {SOURCE: null, "STS:SOURCEIDENTITY": "usr_*"}},
        "Action": ACTIONS.map(str::to_lowercase)});
    for patch in [json!({}), from_one_network, other_letters] {
        assert_eq!(with_patch(&patch), [], "{patch}");
    }
    let denied = json!({"Effect": "Deny", "Principal": "*", "Action": "sts:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}}});
    assert_eq!(with_statement(&denied), []);
    let alone = with_trust(|trust| trust["Statement"] = trust["Statement"][0].clone());
    assert_eq!(alone, []);
    let tagging = json!({"Effect": "Allow", "Principal": {"Federated": OURS}, "Action": ACTIONS[1..]});
    let parted = with_trust(|trust| {
        trust["Statement"][0]["Action"] = json!(ACTIONS[0]);
        trust["Statement"].as_array_mut().unwrap().push(tagging.clone());
    });
    assert_eq!(parted, []);
}
