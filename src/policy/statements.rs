//! From Cedar text to policies that carry their own id.
//! Owns annotations, layers and where each policy stands. Refuses templates and policies without an id.

use std::collections::BTreeMap;
use std::ops::Range;

use cedar_policy::ffi::DetailedError;
use cedar_policy::{Effect, EntityUid, Policy, PolicyId, PolicySet, ValidationError, ValidationMode, Validator};

use super::catalogue::{Catalogue, is_unit};
use super::finding::{Finding, Source};
use super::nearest::suggestion;
use super::schema::schema;
use crate::domain::accounts::is_account_id;

/// Annotations that mean something. Numbers live in the catalogue.
const ANNOTATIONS: [&str; 3] = ["id", "advice", "owner"];
/// Attributes of attributes that the entity slice holds.
const DEEPEST_LEVEL: u32 = 2;

/// Policies by their `@id`.
#[derive(Clone, Debug, Default)]
pub(super) struct Statements {
    /// What Cedar evaluates.
    pub(super) set: PolicySet,
    /// Each policy's `@advice`.
    pub(super) advice: BTreeMap<String, String>,
    /// Whether any policy asks where an account stands in the organization, or for its tags.
    pub(super) looks_at_accounts: bool,
}

/// A statement of a file and where it begins.
struct Statement<'a> {
    source: Source<'a>,
    start: usize,
    text: &'a str,
}

impl Statement<'_> {
    /// A finding where Cedar says something is wrong, or at the statement's begin.
    fn wrong(&self, error: &DetailedError) -> Finding {
        let at = error.source_locations.first().map_or(0, |label| label.loc.start);
        let label = error.source_locations.first().and_then(|label| label.label.clone());
        let message = error.message.replace('\n', " ");
        let finding = self.finding(at..at, message);
        match error.help.clone().or(label) {
            Some(hint) => finding.with_hint(hint),
            None => finding,
        }
    }

    fn finding(&self, at: Range<usize>, message: impl Into<String>) -> Finding {
        self.source.finding(self.start + at.start..self.start + at.end, message)
    }

    /// A finding at the first place that `text` stands.
    fn finding_at(&self, text: &str, message: impl Into<String>) -> Finding {
        let at = self.text.find(text).unwrap_or(0);
        self.finding(at..at, message)
    }
}

/// The policies of `sources`, validated against the schema and the names of `catalogue`.
///
/// # Errors
/// Every [`Finding`].
pub(super) fn parse(sources: &[Source<'_>], catalogue: Option<&Catalogue>) -> Result<Statements, Vec<Finding>> {
    let mut parsed = Statements::default();
    let mut placed: BTreeMap<String, Statement<'_>> = BTreeMap::new();
    let mut findings = Vec::new();
    for statement in sources.iter().flat_map(split) {
        match read(&statement, catalogue) {
            Ok((id, advice, policy)) => {
                if placed.contains_key(&id) {
                    findings.push(statement.finding_at("@id", format!("the id `{id}` is taken")));
                    continue;
                }
                parsed.looks_at_accounts |= looks_at_accounts(&policy);
                if let Err(error) = parsed.set.add(policy) {
                    findings.push(statement.finding(0..0, error.to_string()));
                }
                parsed.advice.extend(advice.map(|advice| (id.clone(), advice)));
                placed.insert(id, statement);
            }
            Err(found) => findings.extend(found),
        }
    }
    findings.extend(invalid(&parsed.set, &placed));
    if findings.is_empty() { Ok(parsed) } else { Err(findings) }
}

/// What strict validation finds, warnings included: a policy that can never apply is a mistake.
/// What only follows from another mistake in the same policy is left out.
fn invalid(set: &PolicySet, placed: &BTreeMap<String, Statement<'_>>) -> Vec<Finding> {
    let result = Validator::new(schema().clone()).validate_with_level(set, ValidationMode::Strict, DEEPEST_LEVEL);
    // (policy, how much it says by itself, error): the least of each policy is reported
    let mut found: Vec<(&PolicyId, u8, DetailedError)> = Vec::new();
    for error in result.validation_errors() {
        let rank = u8::from(matches!(error, ValidationError::InvalidActionApplication(_)));
        found.push((error.policy_id(), rank, DetailedError::from(error)));
    }
    for warning in result.validation_warnings() {
        found.push((warning.policy_id(), 2, DetailedError::from(warning)));
    }
    let tells = |(id, rank, _): &&(&PolicyId, u8, DetailedError)| {
        found.iter().all(|(other, least, _)| other != id || rank <= least)
    };
    let place = |(id, _, error): &(&PolicyId, u8, DetailedError)| {
        let id: &str = (*id).as_ref();
        let mut error = error.clone();
        error.message = error.message.replace(&format!("for policy `{id}`, "), "");
        error.help = error.help.map(|help| help.replace(&format!("for policy `{id}`, "), ""));
        match placed.get(id) {
            Some(statement) => statement.wrong(&error),
            None => Finding::of_file("", error.message),
        }
    };
    found.iter().filter(tells).map(place).collect()
}

type Read = (String, Option<String>, Policy);

fn read(statement: &Statement<'_>, catalogue: Option<&Catalogue>) -> Result<Read, Vec<Finding>> {
    let policy =
        Policy::parse(None, statement.text).map_err(|errors| vec![statement.wrong(&DetailedError::from(&errors))])?;
    let mut findings = Vec::new();
    for (name, _) in policy.annotations().filter(|(name, _)| !ANNOTATIONS.contains(name)) {
        let finding = statement.finding_at(&format!("@{name}"), format!("`@{name}` means nothing"));
        findings.push(finding.with_hint(suggestion(name, ANNOTATIONS)));
    }
    if policy.effect() == Effect::Forbid && !statement.source.is_security() {
        let finding = statement.finding_at("forbid", "a forbid stands outside security/");
        findings.push(finding.with_hint("files outside security/ hold permits only"));
    }
    if let Some(catalogue) = catalogue {
        let unknown = policy
            .entity_literals()
            .into_iter()
            .filter_map(|literal| unknown(&literal, catalogue));
        findings.extend(
            unknown.map(|(name, message, hint)| statement.finding_at(&format!("\"{name}\""), message).with_hint(hint)),
        );
    }
    let id = policy.annotation("id").filter(|id| !id.is_empty()).map(str::to_owned);
    if id.is_none() {
        let finding = statement.finding(0..0, "the policy has no @id");
        findings.push(finding.with_hint("write @id(\"team.rule\") above it"));
    }
    match id {
        Some(id) if findings.is_empty() => {
            let advice = policy.annotation("advice").map(str::to_owned);
            let policy = policy.new_id(PolicyId::new(&id));
            Ok((id, advice, policy))
        }
        Some(_) | None => Err(findings),
    }
}

/// Whether it names an organizational unit or asks for a tag. A text that only looks like it counts too: then a look is
/// made that nothing needs.
fn looks_at_accounts(policy: &Policy) -> bool {
    let is_unit = |literal: &EntityUid| literal.type_name().to_string() == "Jit::Ou";
    let text = policy.to_string();
    policy.entity_literals().iter().any(is_unit) || ["hasTag", "getTag"].iter().any(|word| text.contains(word))
}

/// A name that the catalogue does not have: it passes validation and would never match.
fn unknown(literal: &EntityUid, catalogue: &Catalogue) -> Option<(String, String, String)> {
    let name = literal.id().unescaped();
    let (what, known): (&str, Vec<&str>) = match literal.type_name().to_string().as_str() {
        "Jit::Group" => ("group", catalogue.groups().collect()),
        "Jit::Workload" => ("workload", catalogue.workloads().collect()),
        "Jit::Account" if is_account_id(name) && catalogue.account_name(name).is_none() => return None,
        "Jit::Account" => ("account", catalogue.accounts().collect()),
        "Jit::Target" => {
            let in_many = catalogue.families().iter().map(|family| family.name().as_str());
            (
                "target",
                catalogue
                    .targets()
                    .iter()
                    .map(|t| t.name.as_str())
                    .chain(in_many)
                    .collect(),
            )
        }
        "Jit::Ou" if is_unit(name) => return None,
        "Jit::Ou" => {
            let hint = "write its id, such as ou-ab12-11111111, or the root's, such as r-ab12";
            return Some((
                name.to_owned(),
                format!("`{name}` is no organizational unit"),
                hint.to_owned(),
            ));
        }
        _ => return None,
    };
    let hint = suggestion(name, known.iter().copied());
    let message = format!("there is no {what} `{name}`");
    (!known.contains(&name)).then(|| (name.to_owned(), message, hint))
}

/// Cuts a file after each `;` outside strings and comments. Every piece must then parse as one policy,
/// so nothing can hide between them.
fn split<'a>(source: &Source<'a>) -> Vec<Statement<'a>> {
    let mut statements = Vec::new();
    let text = source.text;
    let (mut start, mut at) = (0, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                let rest = &bytes[at..];
                at += rest
                    .iter()
                    .position(|b| matches!(b, b'\n' | b'\r'))
                    .unwrap_or(rest.len());
            }
            b'"' => at = string_end(bytes, at),
            b';' => {
                statements.push((start, &text[start..=at]));
                at += 1;
                start = at;
            }
            _ => at += 1,
        }
    }
    statements.push((start, &text[start..]));
    statements
        .into_iter()
        .filter_map(|(start, text)| {
            let blank = blank_prefix(text);
            let statement = Statement {
                source: *source,
                start: start + blank,
                text: &text[blank..],
            };
            (!statement.text.is_empty()).then_some(statement)
        })
        .collect()
}

/// The byte after the string that begins at `at`.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    at += 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Length of the white space and comments that `text` begins with.
fn blank_prefix(text: &str) -> usize {
    let mut rest = text.trim_start();
    while let Some(comment) = rest.strip_prefix("//") {
        let end = comment.find(['\n', '\r']).unwrap_or(comment.len());
        rest = comment[end..].trim_start();
    }
    text.len() - rest.len()
}
