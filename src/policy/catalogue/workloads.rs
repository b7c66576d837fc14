//! Enrolled workloads.
//! Owns what has to be written of each. Refuses names that change hands, events that strangers cause, and claims that no
//! token has.

use std::collections::BTreeMap;

use serde_json::Value;
use toml::Spanned;

use super::Target;
use super::build::Ground;
use super::groups::is_address;
use super::shape::{self, Document};
use crate::domain::{Enrolled, Wanted, WorkloadKind};
use crate::policy::finding::Source;
use crate::policy::nearest::suggestion;

/// Claims of GitHub's tokens that a workload may be enrolled by: ids, and what is decided in the repository itself.
const GITHUB: &[&str] = &[
    "repository_id",
    "repository_owner_id",
    "job_workflow_ref",
    "job_workflow_sha",
    "workflow_ref",
    "workflow_sha",
    "ref",
    "ref_type",
    "ref_protected",
    "environment",
    "event_name",
    "runner_environment",
    "repository_visibility",
    "actor_id",
    "enterprise_id",
];
/// Those that have to be there, and what each keeps out.
const GITHUB_NEEDS: &[(&str, &str)] = &[
    (
        "repository_id",
        "a repository that was deleted and made again has another",
    ),
    ("repository_owner_id", "an owner's name can be taken over"),
    (
        "job_workflow_ref",
        "or every workflow of the repository would be this one",
    ),
    ("event_name", "or pull requests of strangers would be this one"),
];
/// Events that whoever may write to the repository causes, with code that is in it.
const EVENTS: &[&str] = &[
    "push",
    "workflow_dispatch",
    "schedule",
    "release",
    "deployment",
    "merge_group",
    "repository_dispatch",
];
/// What tells tokens apart, not workloads.
const OF_THE_TOKEN: &[&str] = &["iss", "aud", "exp", "iat", "nbf", "jti", "nonce", "azp"];
/// So begin the roles of permission sets, which people hold.
const PEOPLES: &str = "AWSReservedSSO_";
/// The longest value of a claim.
const LONGEST: usize = 500;
/// How deep claims lie in others.
const DEEPEST: usize = 5;

impl<'a> Ground<'a> {
    pub(super) fn add_workloads(&mut self, source: &Source<'a>, document: &'a Document) {
        for (name, written) in &document.workload {
            if !is_name(name.get_ref()) {
                let hint = Some("write it as deploy or payments-ci: lower case letters, digits, dash, dot".to_owned());
                let message = format!("`{}` is no name of a workload", name.get_ref());
                self.find(source, name.span(), message, hint);
            }
            if self.workloads.contains_key(name.get_ref()) {
                self.twice(source, name, "workload");
                continue;
            }
            if let Some(enrolled) = self.enrolled(source, name, written) {
                self.workloads.insert(name.get_ref().clone(), enrolled);
            }
        }
    }

    fn enrolled(&mut self, source: &Source<'_>, name: &Spanned<String>, written: &shape::Workload) -> Option<Enrolled> {
        let issuer = written.issuer.get_ref();
        if !is_issuer(issuer) {
            let hint = Some("write the issuer as its tokens have it, such as https://gitlab.com".to_owned());
            self.find(source, written.issuer.span(), format!("`{issuer}` is no issuer"), hint);
        }
        let Some(kind) = WorkloadKind::parse(written.kind.get_ref()) else {
            let known = WorkloadKind::ALL.iter().map(|kind| kind.as_str());
            let hint = suggestion(written.kind.get_ref(), known);
            let message = format!("there is no kind `{}`", written.kind.get_ref());
            self.find(source, written.kind.span(), message, Some(hint));
            return None;
        };
        let before = self.findings.len();
        self.check_names(source, name, written, kind);
        let mut claims = BTreeMap::new();
        for (claim, value) in &written.claims {
            match wanted(value.get_ref(), 0) {
                Some(wanted) => {
                    claims.insert(claim.get_ref().clone(), wanted);
                }
                None => {
                    let message = format!("`{}` is nothing that a claim can be", claim.get_ref());
                    let hint = "write a text, an integer, true or false, a list of those, or a table";
                    self.find(source, value.span(), message, Some(hint.to_owned()));
                }
            }
        }
        (self.findings.len() == before).then(|| Enrolled {
            name: name.get_ref().clone(),
            issuer: issuer.clone(),
            kind,
            claims,
        })
    }

    fn check_names(
        &mut self,
        source: &Source<'_>,
        name: &Spanned<String>,
        written: &shape::Workload,
        kind: WorkloadKind,
    ) {
        let has = |claim: &str| written.claims.keys().any(|name| name.get_ref() == claim);
        let mut missing: Vec<(&str, String)> = Vec::new();
        match kind {
            WorkloadKind::Github => {
                let lacking = GITHUB_NEEDS.iter().filter(|(claim, _)| !has(claim));
                missing.extend(lacking.map(|(claim, why)| (*claim, (*why).to_owned())));
                if !has("ref") && !has("environment") {
                    missing.push(("ref", "or environment: else every branch would be this one".to_owned()));
                }
            }
            WorkloadKind::Aws if !has("sub") => {
                missing.push(("sub", "the ARN of the role that it runs as".to_owned()));
            }
            WorkloadKind::Aws | WorkloadKind::Generic => {}
        }
        for (claim, why) in missing {
            let message = format!("workload `{}` says no {claim}", name.get_ref());
            self.find(source, name.span(), message, Some(why));
        }
        if written.claims.is_empty() && kind == WorkloadKind::Generic {
            let message = format!("workload `{}` says no claims", name.get_ref());
            let hint =
                "say what its tokens alone have, such as claims = { sub = \"system:serviceaccount:prod:deploy\" }";
            self.find(source, name.span(), message, Some(hint.to_owned()));
        }
        for (claim, value) in &written.claims {
            let given = claim.get_ref().as_str();
            if OF_THE_TOKEN.contains(&given) {
                let message = format!("`{given}` is the token's own, nothing of the workload");
                self.find(source, claim.span(), message, None);
            } else if kind == WorkloadKind::Github && !GITHUB.contains(&given) {
                let message = format!("nothing is enrolled by `{given}` at GitHub");
                let hint = suggestion(given, GITHUB.iter().copied());
                self.find(source, claim.span(), message, Some(hint));
            } else if kind == WorkloadKind::Github && given == "event_name" {
                self.check_events(source, value);
            }
        }
    }

    /// Nobody becomes a workload by access that they are given: they would ask as one, and approve that as themselves.
    pub(super) fn check_whose_roles(&mut self, source: &Source<'_>, document: &Document, targets: &[Target]) {
        let subs = document.workload.values().flat_map(|written| &written.claims);
        for (_, value) in subs.filter(|(claim, _)| claim.get_ref() == "sub") {
            for (account, name) in texts(value.get_ref()).into_iter().filter_map(role) {
                let is_its = |target: &&Target| {
                    let own = role(target.binding.arn());
                    own.is_some_and(|(at, own)| at == account && own.eq_ignore_ascii_case(name))
                };
                let message = match targets.iter().find(is_its) {
                    Some(target) => format!("role `{name}` is the target `{}`", target.name),
                    None if name.starts_with(PEOPLES) => format!("role `{name}` is a permission set"),
                    None => continue,
                };
                let hint = "whoever holds it would be this workload: give it a role that nobody is given";
                self.find(source, value.span(), message, Some(hint.to_owned()));
            }
        }
    }

    fn check_events(&mut self, source: &Source<'_>, written: &Spanned<toml::Value>) {
        let texts = texts(written.get_ref());
        for event in texts.into_iter().filter(|event| !EVENTS.contains(event)) {
            let message = format!("`{event}` lets code in that is in no branch of the repository");
            let hint = format!("list some of {}", EVENTS.join(", "));
            self.find(source, written.span(), message, Some(hint));
        }
    }
}

/// The texts that `written` is, or lists.
fn texts(written: &toml::Value) -> Vec<&str> {
    match written {
        toml::Value::Array(several) => several.iter().filter_map(toml::Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

/// Account and name of the role that `arn` is of, or a session of: names are unique in an account, whatever their path.
fn role(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':').skip(4);
    let (account, resource) = (parts.next()?, parts.next()?);
    let name = match resource.split_once('/')? {
        ("role", path) => path.rsplit('/').next()?,
        ("assumed-role", session) => session.split('/').next()?,
        _ => return None,
    };
    arn.starts_with("arn:").then_some((account, name))
}

fn is_name(name: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = name.as_bytes();
    (1..=63).contains(&bytes.len()) && is_plain(bytes[0]) && bytes.iter().all(|b| is_plain(*b) || b"._-".contains(b))
}

/// Whether tokens of workloads may come from `issuer`.
pub(super) fn is_issuer(issuer: &str) -> bool {
    is_address(issuer) && issuer.bytes().all(|b| b.is_ascii_graphic())
}

fn wanted(written: &toml::Value, depth: usize) -> Option<Wanted> {
    match written {
        toml::Value::Table(further) if depth < DEEPEST && !further.is_empty() => {
            let inside = |(name, value): (&String, &toml::Value)| Some((name.clone(), wanted(value, depth + 1)?));
            further.iter().map(inside).collect::<Option<_>>().map(Wanted::Inside)
        }
        toml::Value::Array(several) if !several.is_empty() => {
            several.iter().map(one).collect::<Option<_>>().map(Wanted::OneOf)
        }
        value => one(value).map(|value| Wanted::OneOf(vec![value])),
    }
}

fn one(written: &toml::Value) -> Option<Value> {
    match written {
        toml::Value::String(text) => (1..=LONGEST).contains(&text.len()).then(|| Value::from(text.as_str())),
        toml::Value::Integer(number) => Some(Value::from(*number)),
        toml::Value::Boolean(is) => Some(Value::from(*is)),
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Array(_) | toml::Value::Table(_) => None,
    }
}
