//! A policy document, read so that nothing in it is lost: names that stand twice, elements that nobody knows.
//! Owns the percent-encoding that IAM answers in. Refuses what it does not understand: what cannot be read is not well.

use percent_encoding::percent_decode_str;

use super::json::{Json, read};

/// A policy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its statements.
    pub statements: Vec<Statement>,
}

/// Whether a statement gives or takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It gives.
    Allow,
    /// It takes.
    Deny,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its name, or its place: `statement 2`.
    pub name: String,
    /// Whether it gives or takes.
    pub effect: Effect,
    /// Kind and value: (`AWS`, ARN). `*` alone is (`*`, `*`).
    pub principals: Vec<(String, String)>,
    /// Patterns of actions.
    pub actions: Vec<String>,
    /// Patterns of resources.
    pub resources: Vec<String>,
    /// `NotPrincipal`, `NotAction` or `NotResource`, where one of them stands there.
    pub inverted: Option<&'static str>,
    /// What must hold.
    pub conditions: Vec<Condition>,
}

/// One line of a condition: all lines must hold, of a line's values one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Its operator, in lower case.
    pub operator: String,
    /// Its key, in lower case: IAM does not tell them apart.
    pub key: String,
    /// Its values.
    pub values: Vec<String>,
}

impl Document {
    /// Reads `text` as IAM's interface hands it over: JSON, percent-encoded or plain.
    ///
    /// # Errors
    /// What cannot be understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let text = if text.starts_with('{') {
            text.to_owned()
        } else {
            let decoded = percent_decode_str(text).decode_utf8();
            decoded.map_err(|_| "it is not UTF-8".to_owned())?.into_owned()
        };
        let mut statements = Vec::new();
        for (name, value) in read(&text)?.members("the document", &["Version", "Id", "Statement"])? {
            if name == "Statement" {
                for (at, value) in value.one_or_many().into_iter().enumerate() {
                    statements.push(statement(at, value)?);
                }
            }
        }
        Ok(Self { statements })
    }
}

const ELEMENTS: [&str; 10] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
    "Id",
];

fn statement(at: usize, value: &Json) -> Result<Statement, String> {
    let place = format!("statement {}", at + 1);
    let mut effect = None;
    let mut read = Statement {
        name: place.clone(),
        effect: Effect::Deny,
        principals: Vec::new(),
        actions: Vec::new(),
        resources: Vec::new(),
        inverted: None,
        conditions: Vec::new(),
    };
    for (name, value) in value.members(&place, &ELEMENTS)? {
        match name {
            "Sid" | "Id" => {
                let sid = value.texts(&place)?.join(" ");
                if !sid.is_empty() {
                    read.name = format!("statement {sid}");
                }
            }
            // IAM takes no list here, so neither does whoever reads it
            "Effect" => match value {
                Json::Text(text) => effect = Some(text.clone()),
                Json::List(_) | Json::Map(_) | Json::Null => {
                    return Err(format!("{place} has an effect that is no text"));
                }
            },
            "Principal" => read.principals = principals(&place, value)?,
            "Action" => read.actions = value.texts(&place)?,
            "Resource" => read.resources = value.texts(&place)?,
            "Condition" => read.conditions = conditions(&place, value)?,
            "NotPrincipal" => read.inverted = Some("NotPrincipal"),
            "NotAction" => read.inverted = Some("NotAction"),
            _ => read.inverted = Some("NotResource"),
        }
    }
    read.effect = match effect.as_deref() {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        _ => return Err(format!("{place} has neither the effect Allow nor Deny")),
    };
    Ok(read)
}

fn principals(place: &str, value: &Json) -> Result<Vec<(String, String)>, String> {
    if let Json::Text(text) = value {
        return Ok(vec![("*".to_owned(), text.clone())]);
    }
    let mut principals = Vec::new();
    for (kind, value) in value.members(place, &["AWS", "Federated", "Service", "CanonicalUser"])? {
        principals.extend(value.texts(place)?.into_iter().map(|value| (kind.to_owned(), value)));
    }
    Ok(principals)
}

fn conditions(place: &str, value: &Json) -> Result<Vec<Condition>, String> {
    let mut conditions: Vec<Condition> = Vec::new();
    for (operator, keys) in value.any_members(place)? {
        let operator = operator.to_ascii_lowercase();
        for (key, values) in keys.any_members(place)? {
            let condition = Condition {
                operator: operator.clone(),
                key: key.to_ascii_lowercase(),
                values: values.texts(place)?,
            };
            // which of them counts is not written anywhere
            if conditions
                .iter()
                .any(|c| c.operator == condition.operator && c.key == condition.key)
            {
                return Err(format!("{place} has `{key}` twice under one operator"));
            }
            conditions.push(condition);
        }
    }
    Ok(conditions)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = r#"{"Version":"2012-10-17","Statement":{"Sid":"A","Effect":"Allow",
        "Principal":{"AWS":"x","Service":["y","z"]},"Action":"sts:*",
        "Condition":{"Bool":{"aws:SecureTransport":true},"StringLike":{"A:Sub":["1","2"]}}}}"#;

    #[test]
    fn document_is_read_plain_encoded_single_and_listed() {
        let plain = Document::parse(PLAIN).unwrap();
        let encoded = percent_encoding::utf8_percent_encode(PLAIN, percent_encoding::NON_ALPHANUMERIC).to_string();
        assert_eq!(Document::parse(&encoded).unwrap(), plain);
        let statement = &plain.statements[0];
        assert_eq!(statement.name, "statement A");
        assert_eq!(statement.principals.len(), 3);
        assert_eq!(statement.actions, ["sts:*"]);
        assert_eq!(statement.conditions[0].values, ["true"]);
        assert_eq!(statement.conditions[1].key, "a:sub");
    }

    #[test]
    fn document_that_could_mean_two_things_is_refused() {
        for text in [
            "",
            "{",
            "[]",
            r#"{"Statement":[{"Effect":"allow"}]}"#,
            r#"{"Statement":[{"Effect":["Allow"]}]}"#,
            r#"{"Statement":[{"Action":"a"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","effect":"Deny"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Effect":"Deny"}]}"#,
            r#"{"Statement":[],"Statement":[]}"#,
            r#"{"Statement":[{"Effect":"Allow","Condition":{"A":{"k":"1","K":"2"}}}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Condition":{"A":{"k":"1"},"a":{"k":"2"}}}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Condition":{"A":{"k":{"x":"1"}}}}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Surprise":"1"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Principal":{"Anybody":"1"}}]}"#,
            "%ff",
        ] {
            assert!(Document::parse(text).is_err(), "{text}");
        }
    }
}
