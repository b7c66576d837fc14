//! The permissions boundary: whether it denies what it must.
//! Owns that judgement. Refuses to weigh what it allows: less than we would is nobody's hole.

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::{Document, Effect, Statement};
use super::finding::{Findings, Kind};
use crate::server::provider::aws::bootstrap::{Plan, boundary};
use crate::server::provider::aws::pattern::covers;

const MEND: &str = "write the boundary anew: jit aws bootstrap";

/// Judges the document of the boundary against the one that the plan would write.
pub fn judge_boundary(findings: &mut Findings, plan: &Plan, text: &str) {
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(why) => return findings.hole(Kind::Unreadable, format!("it cannot be judged: {why}"), MEND),
    };
    let denies: Vec<&Statement> = document
        .statements
        .iter()
        .filter(|s| s.effect == Effect::Deny && s.inverted.is_none() && s.conditions.is_empty())
        .collect();
    let mut lacking: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (action, resource) in wanted(&boundary(plan)) {
        let is_denied = denies.iter().any(|s| {
            let acts = |pattern: &String| covers(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase());
            s.actions.iter().any(acts) && s.resources.iter().any(|pattern| covers(pattern, &resource))
        });
        if !is_denied {
            lacking.entry(resource).or_default().push(action);
        }
    }
    for (resource, actions) in lacking {
        let what = format!("{} on {resource} is not denied", actions.join(", "));
        findings.hole(Kind::BoundaryWider, what, MEND);
    }
    if !document.statements.iter().any(|s| s.effect == Effect::Allow) {
        findings.fault(Kind::Shut, "the boundary allows nothing", MEND);
    }
}

/// Every pair of action and resource that `ours` denies.
fn wanted(ours: &Value) -> Vec<(String, String)> {
    let texts = |value: &Value| -> Vec<String> {
        match value {
            Value::Array(values) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            other => other.as_str().map(str::to_owned).into_iter().collect(),
        }
    };
    let statements = ours["Statement"].as_array().into_iter().flatten();
    let denies = statements.filter(|statement| statement["Effect"] == "Deny");
    denies
        .flat_map(|statement| {
            let resources = texts(&statement["Resource"]);
            let pairs = move |action: String| resources.clone().into_iter().map(move |r| (action.clone(), r));
            texts(&statement["Action"]).into_iter().flat_map(pairs)
        })
        .collect()
}
