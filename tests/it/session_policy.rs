//! What the session policies say, judged by somebody else's IAM evaluator at chosen instants.

use jit::domain::Timestamp;
use jit::server::provider::aws::session_policy;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::aws_access::{access, case, issuer, judged, narrowed};

const BEFORE: &str = "2026-11-20T12:59:59Z";
const END: &str = "2026-11-20T13:00:00Z";
const AFTER: &str = "2026-11-20T13:00:01Z";
const ROLE: &str = "arn:aws:iam::222222222222:role/elsewhere";
const OURS: &str = "arn:aws:iam::111111111111:role/jit/jit-prod-admin";

fn end() -> Timestamp {
    Timestamp::parse(END).unwrap()
}

#[test]
fn attack_01_policy_denies_chaining_and_everything_after_the_end() {
    let policy = session_policy(&access(end()), None).unwrap();
    let asked: &[(&str, &str, [&str; 3])] = &[
        ("s3:ListAllMyBuckets", "*", ["Allow", "Deny", "Deny"]),
        ("iam:CreateRole", ROLE, ["Allow", "Deny", "Deny"]),
        ("sts:AssumeRole", ROLE, ["Deny"; 3]),
        ("sts:AssumeRoot", "*", ["Deny"; 3]),
        ("sts:GetWebIdentityToken", "*", ["Deny"; 3]),
        ("sts:GetServiceBearerToken", "*", ["Deny"; 3]),
        ("iam:PutRolePolicy", OURS, ["Deny"; 3]),
        ("iam:UpdateAssumeRolePolicy", OURS, ["Deny"; 3]),
        ("iam:PassRole", OURS, ["Deny"; 3]),
        (
            "iam:CreatePolicyVersion",
            "arn:aws:iam::111111111111:policy/jit/boundary",
            ["Deny"; 3],
        ),
    ];
    let cases: Vec<_> = asked
        .iter()
        .flat_map(|(action, resource, _)| [BEFORE, END, AFTER].map(|at| case(&policy, action, resource, at)))
        .collect();
    let wanted: Vec<&str> = asked.iter().flat_map(|(_, _, decisions)| *decisions).collect();
    assert_eq!(judged(&cases), wanted, "{policy}");
}

/// Every call of IAM that writes on an OIDC provider.
const PROVIDER_WRITES: [&str; 7] = [
    "iam:AddClientIDToOpenIDConnectProvider",
    "iam:CreateOpenIDConnectProvider",
    "iam:DeleteOpenIDConnectProvider",
    "iam:RemoveClientIDFromOpenIDConnectProvider",
    "iam:TagOpenIDConnectProvider",
    "iam:UntagOpenIDConnectProvider",
    "iam:UpdateOpenIDConnectProviderThumbprint",
];

#[test]
fn attack_01_no_session_writes_on_the_provider_of_our_issuer() {
    let provider = |of: &str| format!("arn:aws:iam::111111111111:oidc-provider/{of}");
    let (ours, clusters) = (provider("jit.acme.example/Prod"), provider("oidc.eks.example/id/1"));
    let below = provider("jit.acme.example/Prod/other");
    let mut chained = access(end());
    chained.binding.chain = true;
    for access in [access(end()), chained, narrowed(end(), &["iam:*"])] {
        let policy = session_policy(&access, Some(&issuer())).unwrap();
        let asked = [(&ours, "Deny"), (&clusters, "Allow"), (&below, "Allow")];
        let mut cases = Vec::new();
        let mut wanted = Vec::new();
        for (action, (resource, decision)) in PROVIDER_WRITES.iter().flat_map(|w| asked.map(|a| (w, a))) {
            cases.push(case(&policy, action, resource, BEFORE));
            wanted.push(decision);
        }
        cases.push(case(&policy, "iam:GetOpenIDConnectProvider", &ours, BEFORE));
        wanted.push("Allow");
        assert_eq!(judged(&cases), wanted, "{policy}");
    }
}

#[test]
fn attack_01_chain_lifts_assume_role_until_the_end() {
    let mut chained = access(end());
    chained.binding.chain = true;
    chained.binding.never = vec!["kms:ScheduleKeyDeletion".into()];
    let policy = session_policy(&chained, None).unwrap();
    let cases = [
        case(&policy, "sts:AssumeRole", ROLE, BEFORE),
        case(&policy, "sts:AssumeRole", ROLE, END),
        case(&policy, "sts:AssumeRoot", "*", BEFORE),
        case(&policy, "kms:ScheduleKeyDeletion", "*", BEFORE),
    ];
    assert_eq!(judged(&cases), ["Allow", "Deny", "Deny", "Deny"]);
}

const ACTIONS: [&str; 6] = [
    "s3:GetObject",
    "s3:GetBucketAcl",
    "s3:PutObject",
    "ec2:StartInstances",
    "kms:Decrypt",
    "sts:AssumeRole",
];
const RESOURCES: [&str; 4] = [
    "arn:aws:s3:::b1/k",
    "arn:aws:s3:::b2/x",
    "arn:aws:s3:::b2/y",
    "arn:aws:s3:::b3/z",
];

/// A pattern of this file: a text, or one with a star at its end.
fn fits(pattern: &str, text: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(pattern == text, |start| text.starts_with(start))
}

/// What may be said of one request under `only`.
fn allowed_decisions(only: &[String], action: &str, resource: &str) -> &'static [&'static str] {
    let pairs: Vec<(&str, &str)> = only.iter().map(|o| o.split_once('@').unwrap_or((o, "*"))).collect();
    let by_action = pairs.iter().any(|(a, _)| fits(a, action));
    let by_resource = pairs.iter().any(|(_, r)| fits(r, resource));
    let by_pair = pairs.iter().any(|(a, r)| fits(a, action) && fits(r, resource));
    match (by_pair && action != "sts:AssumeRole", by_action && by_resource) {
        (true, _) => &["Allow"],
        // Overlapping patterns: never allowed, but IAM cannot always deny it in words.
        (false, true) => &["Deny", "ImplicitDeny"],
        (false, false) => &["Deny"],
    }
}

#[test]
fn narrowed_policy_allows_the_pairs_and_denies_all_else() {
    let action = proptest::sample::select(vec![
        "s3:Get*",
        "s3:GetObject",
        "s3:PutObject",
        "s3:*",
        "ec2:*",
        "sts:*",
    ]);
    let at = proptest::sample::select(vec![
        "",
        "@arn:aws:s3:::b1/*",
        "@arn:aws:s3:::b2/*",
        "@arn:aws:s3:::b2/x",
    ]);
    let only = proptest::collection::vec((action, at).prop_map(|(a, r)| format!("{a}{r}")), 1..5);
    let mut runner = TestRunner::deterministic();
    let (mut cases, mut wanted) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        let only = only.new_tree(&mut runner).unwrap().current();
        let words: Vec<&str> = only.iter().map(String::as_str).collect();
        let policy = session_policy(&narrowed(end(), &words), None).unwrap();
        for (action, resource) in ACTIONS.iter().flat_map(|a| RESOURCES.map(|r| (*a, r))) {
            cases.push(case(&policy, action, resource, BEFORE));
            wanted.push((only.clone(), action, resource));
        }
    }
    for (decision, (only, action, resource)) in judged(&cases).iter().zip(&wanted) {
        let allowed = allowed_decisions(only, action, resource);
        assert!(
            allowed.contains(&decision.as_str()),
            "{only:?}: {action} on {resource}: {decision}"
        );
    }
}
