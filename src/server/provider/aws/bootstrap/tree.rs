//! A document with an order of its own: what templates are made of.
//! Owns the order in which the parts of a policy are read. Refuses syntax: `yaml` and `hcl` write it.

use serde_json::Value;

/// The parts of a policy, as people write them.
const ORDER: [&str; 9] = [
    "Version",
    "Statement",
    "Sid",
    "Effect",
    "Principal",
    "Action",
    "Resource",
    "Condition",
    "Ref",
];

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// Some text.
    Text(String),
    /// A number.
    Number(u32),
    /// Values in a row.
    List(Vec<Tree>),
    /// Named values, in this order.
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// Some text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Named values.
    pub fn map<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self::Map(
            members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    }

    /// Texts in a row.
    pub fn texts<T: AsRef<str>>(texts: &[T]) -> Self {
        Self::List(texts.iter().map(|text| Self::text(text.as_ref())).collect())
    }

    /// A policy document of ours. It has neither numbers nor anything that is true or false.
    pub fn of_document(document: &Value) -> Self {
        match document {
            Value::Array(values) => Self::List(values.iter().map(Self::of_document).collect()),
            Value::Object(members) => {
                let rank = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len());
                let mut members: Vec<_> = members.iter().collect();
                members.sort_by_key(|(name, _)| (rank(name), name.as_str()));
                let ordered = members
                    .into_iter()
                    .map(|(name, value)| (name.clone(), Self::of_document(value)));
                Self::Map(ordered.collect())
            }
            Value::String(text) => Self::text(text),
            Value::Null | Value::Bool(_) | Value::Number(_) => Self::text(document.to_string()),
        }
    }

    /// Whether it fits on the line of its name.
    pub fn is_short(&self) -> bool {
        match self {
            Self::Text(_) | Self::Number(_) => true,
            Self::List(values) => values.is_empty(),
            Self::Map(members) => members.is_empty(),
        }
    }
}
