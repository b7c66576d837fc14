//! The session policy: the box that AWS itself keeps shut, even with the backend dead.
//! Owns its statements and their size. Refuses clocks and calls: a pure function of the access.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::pattern::overlap;
use crate::config::IssuerUrl;
use crate::domain::{Narrowing, RoleBinding, Timestamp};
use crate::server::provider::{ProviderError, RoleAccess};

/// STS: longest `Policy`, in characters. (A second limit, on its packed form, is known to STS alone.)
pub const LONGEST: usize = 2_048;

/// A way on to another session, which this policy would not follow. `chain = true` lifts it.
const CHAIN: &str = "sts:AssumeRole";

/// Ways out that no target lifts.
const WAYS_OUT: [&str; 3] = ["sts:AssumeRoot", "sts:GetServiceBearerToken", "sts:GetWebIdentityToken"];

/// Every write of IAM: on our own roles, policies and provider they would take the box itself apart.
pub const IAM_WRITES: [&str; 12] = [
    "iam:Add*",
    "iam:Attach*",
    "iam:Create*",
    "iam:Delete*",
    "iam:Detach*",
    "iam:PassRole",
    "iam:Put*",
    "iam:Remove*",
    "iam:Set*",
    "iam:Tag*",
    "iam:Untag*",
    "iam:Update*",
];

/// The session policy of `access`, as compact JSON; `issuer` is ours, where the backend is one.
///
/// Allow while `aws:CurrentTime` is before the end (a session policy is a ceiling: with a Deny alone it would allow
/// nothing), Deny everything from the end on (which also binds resource policies that name the session), and Deny the
/// ways out. Where it is narrowed, a Deny of all else stands beside, again for resource policies.
///
/// # Errors
/// [`ProviderError::PolicyTooLarge`] past 2,048 characters, with what to shorten.
pub fn session_policy(access: &RoleAccess, issuer: Option<&IssuerUrl>) -> Result<String, ProviderError> {
    let end = end_of(access.ends_at);
    let mut statements = allows(&access.only, &end);
    statements.push(json!({
        "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"DateGreaterThanEquals": {"aws:CurrentTime": end}},
    }));
    statements.extend(fence(&access.binding, issuer));
    statements.extend(all_else(&access.only));
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let length = text.chars().count();
    if length <= LONGEST {
        return Ok(text);
    }
    Err(ProviderError::PolicyTooLarge(format!(
        "{length} characters, STS takes {LONGEST}: {} over; {}",
        length - LONGEST,
        what_to_shorten(access)
    )))
}

/// The instant at which the box shuts: IAM compares whole seconds, and a fraction may only shorten.
pub fn end_of(ends_at: Timestamp) -> Timestamp {
    ends_at.whole_second()
}

fn what_to_shorten(access: &RoleAccess) -> String {
    let never = access.binding.never.len();
    match (access.only.len(), never) {
        (0, _) => format!("shorten `never` of the target ({never} actions), with patterns such as `ec2:Delete*`"),
        (only, 0) => format!("use fewer or shorter --only ({only} given), with patterns such as `s3:Get*`"),
        (only, _) => format!("use fewer or shorter --only ({only} given), or shorten `never` of the target ({never})"),
    }
}

/// One Allow for every set of resources.
fn allows(only: &[Narrowing], end: &Timestamp) -> Vec<Value> {
    let everything = BTreeMap::from([(vec!["*"], vec!["*"])]);
    let groups = if only.is_empty() {
        everything
    } else {
        grouped(resources_by_action(only))
    };
    groups
        .into_iter()
        .map(|(resources, actions)| {
            json!({
                "Effect": "Allow", "Action": one_or_many(actions), "Resource": one_or_many(resources),
                "Condition": {"DateLessThan": {"aws:CurrentTime": end}},
            })
        })
        .collect()
}

/// The Denies that stand in every session: ways out, the catalogue's `never`, and writes on what boxes us in.
///
/// IAM of one partition cannot be reached from another, so the ARNs carry the session's own. The provider of our issuer
/// is fenced on every road: its tokens open the other roles of the account, and the kill switch. Where the backend is no
/// issuer there is none to name, and every provider would be too much: people make those of their clusters.
fn fence(binding: &RoleBinding, issuer: Option<&IssuerUrl>) -> [Value; 2] {
    let mut out: Vec<&str> = if binding.chain { vec![] } else { vec![CHAIN] };
    out.extend(WAYS_OUT);
    out.extend(binding.never.iter().map(String::as_str));
    let partition = binding.partition;
    let own = |what: &str| format!("arn:{partition}:iam::*:{what}");
    let mut ours = vec![own("role/jit/*"), own("policy/jit/*")];
    ours.extend(issuer.map(|issuer| own(&format!("oidc-provider/{}", issuer.without_scheme()))));
    [
        json!({"Effect": "Deny", "Action": out, "Resource": "*"}),
        json!({"Effect": "Deny", "Action": IAM_WRITES, "Resource": ours}),
    ]
}

/// Denies what a narrowing leaves out.
///
/// Pairs `A1@R1, A2@R2` allow a union of products; what is outside of it splits into
/// - every action that no pair names: one Deny with `NotAction` of all actions, on every resource;
/// - each named action beyond its own resources: a Deny with `NotResource`.
///
/// Two Denies of one pair each would be wrong: `NotResource R1` would deny `A2` on `R2`, and Deny beats Allow. So the
/// second kind names its `Action`, and its `NotResource` lists the resources of *every* pair whose pattern can mean a
/// common action (`s3:Get*@b1` beside `s3:GetObject@b2`): IAM cannot say "`s3:Get*` without `s3:GetObject`" in one
/// statement, and a Deny must never take away what was asked for and approved. In that corner a resource policy that
/// names this very session may give the wider pattern on the other pair's resources; the Allow itself stays exact.
fn all_else(only: &[Narrowing]) -> Vec<Value> {
    if only.is_empty() {
        return Vec::new();
    }
    let own = resources_by_action(only);
    let actions: Vec<&str> = own.keys().copied().collect();
    let mut denies = vec![json!({"Effect": "Deny", "NotAction": one_or_many(actions), "Resource": "*"})];
    let reach = own.keys().map(|action| {
        let shared = own.iter().filter(|(other, _)| overlap(action, other));
        (
            *action,
            sorted(shared.flat_map(|(_, resources)| resources.iter().copied()).collect()),
        )
    });
    for (resources, actions) in grouped(reach.collect()) {
        if !resources.contains(&"*") {
            let (actions, resources) = (one_or_many(actions), one_or_many(resources));
            denies.push(json!({"Effect": "Deny", "Action": actions, "NotResource": resources}));
        }
    }
    denies
}

type ByAction<'a> = BTreeMap<&'a str, Vec<&'a str>>;

fn resources_by_action(only: &[Narrowing]) -> ByAction<'_> {
    let mut by_action = ByAction::new();
    for pair in only {
        by_action.entry(pair.action()).or_default().push(pair.resource());
    }
    by_action
        .into_iter()
        .map(|(action, resources)| (action, sorted(resources)))
        .collect()
}

/// Actions with the same resources share a statement.
fn grouped(by_action: ByAction<'_>) -> BTreeMap<Vec<&str>, Vec<&str>> {
    let mut groups: BTreeMap<Vec<&str>, Vec<&str>> = BTreeMap::new();
    for (action, resources) in by_action {
        groups.entry(resources).or_default().push(action);
    }
    groups
}

/// Sorted, each once; `*` swallows the rest.
fn sorted(mut resources: Vec<&str>) -> Vec<&str> {
    if resources.contains(&"*") {
        return vec!["*"];
    }
    resources.sort_unstable();
    resources.dedup();
    resources
}

/// A list of one is written without its brackets: every character counts.
fn one_or_many(words: Vec<&str>) -> Value {
    match words.as_slice() {
        [one] => json!(one),
        many => json!(many),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::access;
    use super::*;
    use crate::domain::{Partition, Road};

    fn policy(access: &RoleAccess) -> Value {
        serde_json::from_str(&session_policy(access, None).unwrap()).unwrap()
    }

    #[test]
    fn whole_policy_reads_as_designed() {
        let fence = json!([
            "sts:AssumeRole",
            "sts:AssumeRoot",
            "sts:GetServiceBearerToken",
            "sts:GetWebIdentityToken"
        ]);
        let ours = json!(["arn:aws:iam::*:role/jit/*", "arn:aws:iam::*:policy/jit/*"]);
        let (before, after) = ("DateLessThan", "DateGreaterThanEquals");
        let end = json!({"aws:CurrentTime": "2026-11-20T13:00:00Z"});
        let wanted = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {before: end}},
            {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {after: end}},
            {"Effect": "Deny", "Action": fence, "Resource": "*"},
            {"Effect": "Deny", "Action": IAM_WRITES, "Resource": ours},
        ]});
        assert_eq!(policy(&access(&[])), wanted);
    }

    #[test]
    fn policy_leaves_two_thirds_of_its_room() {
        let length = session_policy(&access(&[]), None).unwrap().len();
        assert!(length <= 700, "{length}");
    }

    #[test]
    fn longest_issuer_leaves_half_of_the_room() {
        let long = format!("https://jit.acme.example/{}", "a".repeat(230));
        let issuer = IssuerUrl::parse(&long).unwrap();
        let length = session_policy(&access(&[]), Some(&issuer)).unwrap().len();
        assert!(length <= LONGEST / 2, "{length}");
    }

    #[test]
    fn fence_names_the_provider_of_our_issuer() {
        let issuer = IssuerUrl::parse("https://jit.acme.example/Prod").unwrap();
        let mut china = access(&[]);
        china.binding.partition = Partition::AwsCn;
        for road in [Road::AssumeRole, Road::WebIdentity] {
            china.binding.road = road;
            let policy: Value = serde_json::from_str(&session_policy(&china, Some(&issuer)).unwrap()).unwrap();
            let ours = policy["Statement"][3]["Resource"].as_array().unwrap();
            assert_eq!(ours[2], "arn:aws-cn:iam::*:oidc-provider/jit.acme.example/Prod");
            assert_eq!(ours.len(), 3);
        }
    }

    #[test]
    fn chain_lifts_assume_role_and_nothing_else() {
        let mut chained = access(&[]);
        chained.binding.chain = true;
        let mut wanted = policy(&access(&[]));
        wanted["Statement"][2]["Action"].as_array_mut().unwrap().remove(0);
        assert_eq!(policy(&chained), wanted);
    }

    #[test]
    fn never_is_denied_beside_the_ways_out() {
        let mut strict = access(&[]);
        strict.binding.never = vec!["kms:ScheduleKeyDeletion".into()];
        assert_eq!(policy(&strict)["Statement"][2]["Action"][4], "kms:ScheduleKeyDeletion");
    }

    #[test]
    fn fence_names_roles_of_the_sessions_partition() {
        let mut china = access(&[]);
        china.binding.partition = Partition::AwsCn;
        assert_eq!(
            policy(&china)["Statement"][3]["Resource"][0],
            "arn:aws-cn:iam::*:role/jit/*"
        );
    }

    #[test]
    fn narrowed_policy_groups_what_shares_resources() {
        let narrowed = policy(&access(&[
            "s3:Get*@arn:aws:s3:::b/*",
            "s3:List*@arn:aws:s3:::b/*",
            "ec2:StartInstances",
        ]));
        let statements = narrowed["Statement"].as_array().unwrap();
        assert_eq!(
            (&statements[0]["Action"], &statements[0]["Resource"]),
            (&json!("ec2:StartInstances"), &json!("*"))
        );
        assert_eq!(statements[1]["Action"], json!(["s3:Get*", "s3:List*"]));
        assert_eq!(
            statements[5]["NotAction"],
            json!(["ec2:StartInstances", "s3:Get*", "s3:List*"])
        );
        assert_eq!(statements[6]["NotResource"], json!("arn:aws:s3:::b/*"));
        assert_eq!(statements.len(), 7);
    }

    #[test]
    fn too_large_policy_says_by_how_much_and_what_to_do() {
        let long = format!("s3:GetObject@arn:aws:s3:::{}", "b".repeat(480));
        let more = format!("s3:PutObject@arn:aws:s3:::{}", "c".repeat(480));
        let Err(ProviderError::PolicyTooLarge(text)) = session_policy(&access(&[&long, &more]), None) else {
            panic!("it fits");
        };
        assert!(
            text.contains("STS takes 2048") && text.contains("fewer or shorter --only (2 given)"),
            "{text}"
        );
    }
}
