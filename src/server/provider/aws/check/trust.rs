//! Who can enter a role.
//! Owns the judgement on a trust policy: every Allow must be one of our entrances, with all that it demands. Refuses to
//! let a Deny excuse an Allow.

use super::demand::allows_other_tags;
use super::document::{Document, Effect, Statement};
use super::entrance::Entrance;
use super::finding::{Findings, Kind};
use crate::server::provider::aws::names::REQUEST_TAG;
use crate::server::provider::aws::pattern::{covers, overlap};

/// Where a trust is mended.
const MEND: &str = "take it out of the trust policy";

/// Judges the trust policy `text` of a role that only `entrances` should lead into.
pub fn judge_trust(findings: &mut Findings, entrances: &[Entrance], text: &str) {
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(why) => {
            let mend = "write the trust policy anew: jit aws bootstrap";
            return findings.hole(
                Kind::Unreadable,
                format!("the trust policy cannot be judged: {why}"),
                mend,
            );
        }
    };
    for statement in document.statements.iter().filter(|s| s.effect == Effect::Allow) {
        judge_allow(findings, entrances, statement);
    }
    for entrance in entrances {
        judge_way(findings, entrance, &document);
    }
}

fn judge_allow(findings: &mut Findings, entrances: &[Entrance], statement: &Statement) {
    let name = &statement.name;
    if let Some(inverted) = statement.inverted {
        return findings.hole(Kind::Inverted, format!("{name} allows with {inverted}"), MEND);
    }
    if statement.principals.is_empty() {
        let what = format!("{name} allows and names no principal");
        return findings.hole(Kind::OtherPrincipal, what, MEND);
    }
    for principal in &statement.principals {
        let Some(entrance) = entrances.iter().find(|entrance| entrance.is_of(principal)) else {
            let (kind, value) = principal;
            let who = if value == "*" {
                "anybody".to_owned()
            } else {
                format!("{kind} {value}")
            };
            findings.hole(Kind::OtherPrincipal, format!("{name} lets in {who}"), MEND);
            continue;
        };
        judge_actions(findings, entrance, statement);
        if statement.actions.iter().any(|action| overlap(action, entrance.enter)) {
            judge_demands(findings, entrance, statement);
        }
    }
}

fn judge_actions(findings: &mut Findings, entrance: &Entrance, statement: &Statement) {
    let is_needed = |action: &String| entrance.actions().any(|needed| needed.eq_ignore_ascii_case(action));
    for action in statement.actions.iter().filter(|action| !is_needed(action)) {
        let needed: Vec<&str> = entrance.actions().collect();
        let what = format!("{} allows {action}", statement.name);
        findings.hole(Kind::WiderActions, what, format!("allow {} alone", needed.join(", ")));
    }
}

fn judge_demands(findings: &mut Findings, entrance: &Entrance, statement: &Statement) {
    for demand in &entrance.demands {
        if let Some(why) = demand.is_lacking(&statement.conditions) {
            findings.hole(demand.kind, format!("{}: {why}", statement.name), demand.mend());
        }
    }
    if entrance.keeps_tags && allows_other_tags(&statement.conditions, REQUEST_TAG) {
        let mend = format!("demand ForAllValues:StringEquals `aws:TagKeys`: [`{REQUEST_TAG}`]");
        findings.hole(Kind::TagKeys, format!("{} takes any session tag", statement.name), mend);
    }
}

/// Whether jit itself comes in by `entrance`.
fn judge_way(findings: &mut Findings, entrance: &Entrance, document: &Document) {
    let names_us = |statement: &&Statement| statement.principals.iter().any(|principal| entrance.is_of(principal));
    let ours = document.statements.iter().filter(names_us);
    let allows: Vec<&Statement> = ours
        .filter(|s| s.effect == Effect::Allow && s.inverted.is_none())
        .collect();
    let allowing = |action: &str| {
        let covers_it = |pattern: &String| covers(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase());
        allows
            .iter()
            .filter(move |s| s.actions.iter().any(covers_it))
            .collect::<Vec<_>>()
    };
    let missing: Vec<&str> = entrance
        .actions()
        .filter(|action| allowing(action).is_empty())
        .collect();
    if !missing.is_empty() {
        let what = format!("{} may not {}", entrance.principal, missing.join(", "));
        findings.fault(Kind::MissingAction, what, "allow it in the trust policy");
    }
    let refusals = entrance.actions().filter_map(|action| {
        let found: Vec<_> = allowing(action).iter().map(|s| refusal(entrance, s)).collect();
        found
            .iter()
            .all(Option::is_some)
            .then(|| found.into_iter().flatten().next())?
    });
    let mut refusals: Vec<String> = refusals.collect();
    refusals.dedup();
    for why in refusals {
        findings.fault(Kind::Shut, why, "write the trust policy anew: jit aws bootstrap");
    }
    judge_denies(findings, entrance, document);
}

/// Why `statement` does not let jit in.
fn refusal(entrance: &Entrance, statement: &Statement) -> Option<String> {
    let mut reasons = entrance
        .demands
        .iter()
        .filter_map(|demand| demand.is_refused(&statement.conditions));
    reasons.next().map(|why| format!("{}: {why}", statement.name))
}

/// A Deny opens nothing; one without a condition that names us shuts the role.
fn judge_denies(findings: &mut Findings, entrance: &Entrance, document: &Document) {
    let names_us = |s: &&Statement| s.principals.iter().any(|p| p.1 == "*" || entrance.is_of(p));
    let hits = |s: &&Statement| {
        s.actions
            .iter()
            .any(|a| entrance.actions().any(|needed| overlap(a, needed)))
    };
    let denies = document
        .statements
        .iter()
        .filter(|s| s.effect == Effect::Deny && s.conditions.is_empty());
    for statement in denies.filter(names_us).filter(hits) {
        findings.fault(Kind::Shut, format!("{} keeps jit out", statement.name), MEND);
    }
}
