//! IAM's evaluation of a trust policy, the plain way: of one call, with all that is known of it.
//! Shares no line with the judgement that it is held against.

use std::collections::BTreeMap;

use serde_json::Value;

/// One call of STS.
#[derive(Clone, Debug)]
pub struct Call {
    /// Kind and value.
    pub principal: (&'static str, String),
    /// The action.
    pub action: &'static str,
    /// Keys in lower case, each with its values.
    pub keys: BTreeMap<String, Vec<String>>,
}

/// Whether the document lets the call through.
pub fn lets_in(document: &Value, call: &Call) -> bool {
    let statements = match &document["Statement"] {
        Value::Array(statements) => statements.clone(),
        one => vec![one.clone()],
    };
    let hits = |effect: &str| statements.iter().any(|s| s["Effect"] == effect && applies(s, call));
    hits("Allow") && !hits("Deny")
}

fn applies(statement: &Value, call: &Call) -> bool {
    let principal = match (&statement["Principal"], &statement["NotPrincipal"]) {
        (Value::Null, Value::Null) => false,
        (Value::Null, not) => !names(not, call),
        (named, _) => names(named, call),
    };
    let act = |patterns: &Value| {
        texts(patterns)
            .iter()
            .any(|p| glob(&p.to_lowercase(), &call.action.to_lowercase()))
    };
    let action = match (&statement["Action"], &statement["NotAction"]) {
        (Value::Null, Value::Null) => false,
        (Value::Null, not) => !act(not),
        (named, _) => act(named),
    };
    let conditions = statement["Condition"].as_object().into_iter().flatten();
    principal
        && action
        && conditions
            .into_iter()
            .all(|(operator, keys)| holds(operator, keys, call))
}

fn names(principal: &Value, call: &Call) -> bool {
    if principal == "*" {
        return true;
    }
    let (kind, value) = &call.principal;
    texts(&principal[*kind])
        .iter()
        .any(|named| named == "*" || named == value)
}

fn holds(operator: &str, keys: &Value, call: &Call) -> bool {
    let lower = operator.to_lowercase();
    let (set, base) = lower.split_once(':').unwrap_or(("", &lower));
    let (base, if_exists) = base.strip_suffix("ifexists").map_or((base, false), |base| (base, true));
    keys.as_object().unwrap().iter().all(|(key, wanted)| {
        let wanted = texts(wanted);
        let given = call.keys.get(&key.to_lowercase());
        if base == "null" {
            return wanted.iter().any(|w| (w == "true") == given.is_none());
        }
        let Some(given) = given else {
            return if_exists || set == "forallvalues" || base.starts_with("stringnot");
        };
        let one = |value: &String| match base {
            "stringequals" => wanted.contains(value),
            "stringlike" => wanted.iter().any(|w| glob(w, value)),
            "stringnotequals" => !wanted.contains(value),
            "stringnotlike" => !wanted.iter().any(|w| glob(w, value)),
            other => panic!("no {other} here"),
        };
        if set == "forallvalues" {
            given.iter().all(one)
        } else {
            given.iter().any(one)
        }
    })
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

fn glob(pattern: &str, text: &str) -> bool {
    fn matches(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => matches(rest, text) || (!text.is_empty() && matches(pattern, &text[1..])),
            (Some((p, rest)), Some((t, more))) => (p == t || *p == b'?') && matches(rest, more),
            _ => false,
        }
    }
    matches(pattern.as_bytes(), text.as_bytes())
}
