//! JSON in which a name that stands twice is seen: `serde_json`'s own values keep the last one without a word.
//! Owns the looks at it. Refuses meaning: `document` has it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// Text; numbers and truth values as they are written.
    Text(String),
    /// Values in a row.
    List(Vec<Json>),
    /// Named values, as they stand there.
    Map(Vec<(String, Json)>),
    /// Nothing.
    Null,
}

/// Reads `text`.
pub fn read(text: &str) -> Result<Json, String> {
    serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))
}

impl Json {
    /// The members, whose names must be of `known`. Letters in another case are refused too: whether IAM takes them for
    /// the same is not written anywhere.
    pub fn members(&self, place: &str, known: &[&'static str]) -> Result<Vec<(&'static str, &Self)>, String> {
        let mut members: Vec<(&'static str, &Self)> = Vec::new();
        for (name, value) in self.any_members(place)? {
            let Some(name) = known.iter().find(|known| **known == name) else {
                return Err(format!("{place} has `{name}`, which nobody knows"));
            };
            if members.iter().any(|(other, _)| other == name) {
                return Err(format!("{place} has `{name}` twice"));
            }
            members.push((name, value));
        }
        Ok(members)
    }

    /// The members, whatever they are called.
    pub fn any_members(&self, place: &str) -> Result<Vec<(&str, &Self)>, String> {
        match self {
            Self::Map(members) => Ok(members.iter().map(|(name, value)| (name.as_str(), value)).collect()),
            Self::Text(_) | Self::List(_) | Self::Null => Err(format!("{place} is no object where one belongs")),
        }
    }

    /// The values of a list, or the one value that stands for a list.
    pub fn one_or_many(&self) -> Vec<&Self> {
        match self {
            Self::List(values) => values.iter().collect(),
            Self::Text(_) | Self::Map(_) | Self::Null => vec![self],
        }
    }

    /// The same as texts.
    pub fn texts(&self, place: &str) -> Result<Vec<String>, String> {
        let text = |value: &Self| match value {
            Self::Text(text) => Ok(text.clone()),
            Self::List(_) | Self::Map(_) | Self::Null => Err(format!("{place} has no text where one belongs")),
        };
        self.one_or_many().into_iter().map(text).collect()
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Json::Map(members))
    }
}
