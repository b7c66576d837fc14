//! Filters (RFC 7644, section 3.4.2.2): whether a resource is meant.
//! Owns what comparing comes to. Refuses to compare what has no order; what no resource has is there nowhere.

use std::cmp::Ordering;

use scim_v2::filter::{AttrExp, AttrPath, CompValue, CompareOp, Filter, ValFilter};
use serde_json::{Map, Value};

use super::Kind;
use super::attributes::{self, Attribute, Type};
use super::error::{ScimError, ScimType};
use crate::domain::Timestamp;

/// Longer than any filter or path that somebody means, in bytes.
pub const LONGEST: usize = 16 * 1024;

/// The filter that is written so.
///
/// # Errors
/// [`ScimType::InvalidFilter`].
pub fn parse(text: &str) -> Result<Filter, ScimError> {
    let wrong = || ScimError::wrong(ScimType::InvalidFilter, "the filter cannot be read", text);
    if text.len() > LONGEST {
        return Err(wrong());
    }
    text.parse().map_err(|_| wrong())
}

/// What a path in a filter leads to.
struct Found<'a> {
    attribute: &'static Attribute,
    values: Vec<&'a Value>,
}

/// Where paths in a filter begin.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// At a resource.
    Resource(Kind, &'a Map<String, Value>),
    /// At one of several values of an attribute.
    Value(&'static Attribute, &'a Value),
}

fn several(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(all) => all.iter().collect(),
        one => vec![one],
    }
}

/// The part of each, whatever its case.
fn parts<'a>(values: &[&'a Value], name: &str) -> Vec<&'a Value> {
    values.iter().filter_map(|value| value.get(name)).collect()
}

impl<'a> Place<'a> {
    /// What `path` leads to; nothing where no resource has it.
    fn find(self, path: &AttrPath) -> Option<Found<'a>> {
        let (attribute, values) = match self {
            Self::Resource(kind, resource) => {
                if path
                    .uri
                    .as_ref()
                    .is_some_and(|uri| !uri.eq_ignore_ascii_case(kind.schema()))
                {
                    return None;
                }
                let attribute = attributes::find(kind, &path.name)?;
                (attribute, resource.get(attribute.name).map_or_else(Vec::new, several))
            }
            // some write a plain value as `value`
            Self::Value(of, value) => {
                let part = of.part(&path.name)?;
                (part, value.get(part.name).map_or_else(Vec::new, several))
            }
        };
        let part = match (&path.sub_attr, attribute.several) {
            (Some(name), _) => Some(attribute.part(name)?),
            // section 3.4.2.2: of several it is the value that is compared
            (None, true) => attribute.part("value"),
            (None, false) => None,
        };
        Some(match part {
            Some(part) => Found {
                attribute: part,
                values: parts(&values, part.name),
            },
            None => Found { attribute, values },
        })
    }

    fn holds(self, expression: &AttrExp) -> Result<bool, ScimError> {
        match expression {
            AttrExp::Present(path) => Ok(self.find(path).is_some_and(|found| !found.values.is_empty())),
            AttrExp::Comparison(path, op, with) => {
                let found = self.find(path);
                let Some(found) = found.filter(|found| !found.values.is_empty()) else {
                    // nothing is there: it equals nothing
                    let is_null = matches!(with, CompValue::Null);
                    return Ok(matches!((op, is_null), (CompareOp::Eq, true) | (CompareOp::Ne, false)));
                };
                if let CompareOp::Ne = op {
                    return Ok(!found.any(&CompareOp::Eq, with)?);
                }
                found.any(op, with)
            }
        }
    }
}

impl Found<'_> {
    fn any(&self, op: &CompareOp, with: &CompValue) -> Result<bool, ScimError> {
        for value in &self.values {
            if compares(self.attribute, value, op, with)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether one value of `attribute` is `op` `with`.
fn compares(attribute: &Attribute, value: &Value, op: &CompareOp, with: &CompValue) -> Result<bool, ScimError> {
    let wrong = || {
        let what = format!("{} cannot be compared so", attribute.name);
        Err(ScimError::Wrong(ScimType::InvalidFilter, what))
    };
    match (attribute.holds, value, with) {
        (Type::Complex, ..) => wrong(),
        (_, _, CompValue::Null) => Ok(false),
        (Type::Flag, Value::Bool(value), with) => {
            let is_eq = match op {
                CompareOp::Eq => true,
                CompareOp::Ne => false,
                CompareOp::Co
                | CompareOp::Sw
                | CompareOp::Ew
                | CompareOp::Gt
                | CompareOp::Lt
                | CompareOp::Ge
                | CompareOp::Le => return wrong(),
            };
            let with = match with {
                CompValue::True => true,
                CompValue::False => false,
                CompValue::Str(word) if word.eq_ignore_ascii_case("true") => true,
                CompValue::Str(word) if word.eq_ignore_ascii_case("false") => false,
                CompValue::Str(_) | CompValue::Number(_) | CompValue::Null => return Ok(!is_eq),
            };
            Ok((*value == with) == is_eq)
        }
        (Type::Time, Value::String(value), CompValue::Str(with)) => {
            match (Timestamp::parse(value), Timestamp::parse(with)) {
                (Ok(value), Ok(with)) => is_so(op, value.cmp(&with)).map_or_else(wrong, Ok),
                (Err(_), _) | (_, Err(_)) => wrong(),
            }
        }
        (Type::Text | Type::Reference(_), Value::String(value), CompValue::Str(with)) => {
            let fold = |text: &str| match attribute.exact {
                true => text.to_owned(),
                false => text.to_lowercase(),
            };
            let (value, with) = (fold(value), fold(with));
            Ok(match op {
                CompareOp::Co => value.contains(&with),
                CompareOp::Sw => value.starts_with(&with),
                CompareOp::Ew => value.ends_with(&with),
                op => is_so(op, value.cmp(&with)).unwrap_or_default(),
            })
        }
        // of different types: nothing equals it, and it has no order
        _ => match op {
            CompareOp::Eq => Ok(false),
            CompareOp::Ne => Ok(true),
            CompareOp::Co
            | CompareOp::Sw
            | CompareOp::Ew
            | CompareOp::Gt
            | CompareOp::Lt
            | CompareOp::Ge
            | CompareOp::Le => wrong(),
        },
    }
}

/// Whether `order` is what `op` asks for; nothing where it asks for no order.
fn is_so(op: &CompareOp, order: Ordering) -> Option<bool> {
    match op {
        CompareOp::Eq => Some(order.is_eq()),
        CompareOp::Ne => Some(order.is_ne()),
        CompareOp::Gt => Some(order.is_gt()),
        CompareOp::Ge => Some(order.is_ge()),
        CompareOp::Lt => Some(order.is_lt()),
        CompareOp::Le => Some(order.is_le()),
        CompareOp::Co | CompareOp::Sw | CompareOp::Ew => None,
    }
}

/// Whether `filter` means `resource`.
///
/// # Errors
/// [`ScimType::InvalidFilter`].
pub fn means(filter: &Filter, kind: Kind, resource: &Map<String, Value>) -> Result<bool, ScimError> {
    match filter {
        Filter::Attr(expression) => Place::Resource(kind, resource).holds(expression),
        Filter::ValuePath(path) => {
            let Some(attribute) = attributes::find(kind, &path.attr.name) else {
                return Ok(false);
            };
            let values = resource.get(attribute.name).map_or_else(Vec::new, several);
            for value in values {
                if selects(&path.filter, attribute, value)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Filter::Not(inner) => Ok(!means(inner, kind, resource)?),
        Filter::And(all) => {
            for one in all.iter() {
                if !means(one, kind, resource)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Filter::Or(all) => {
            for one in all.iter() {
                if means(one, kind, resource)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

/// Whether `filter` selects `value`, which is one of several of `attribute`.
///
/// # Errors
/// [`ScimType::InvalidFilter`].
pub fn selects(filter: &ValFilter, attribute: &'static Attribute, value: &Value) -> Result<bool, ScimError> {
    match filter {
        ValFilter::Attr(expression) => Place::Value(attribute, value).holds(expression),
        ValFilter::Not(inner) => Ok(!selects(inner, attribute, value)?),
        ValFilter::And(all) => {
            for one in all.iter() {
                if !selects(one, attribute, value)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        ValFilter::Or(all) => {
            for one in all.iter() {
                if selects(one, attribute, value)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ana() -> Map<String, Value> {
        let ana = json!({
            "id": "9f", "externalId": "00uA", "userName": "Ana@acme.example", "active": true,
            "name": { "familyName": "O'Malley" },
            "emails": [
                { "value": "ana@acme.example", "type": "work", "primary": true },
                { "value": "a@home.example", "type": "home" },
            ],
            "meta": { "lastModified": "2026-05-13T04:42:34Z" },
        });
        ana.as_object().unwrap().clone()
    }

    fn is_meant(text: &str) -> bool {
        means(&parse(text).unwrap(), Kind::User, &ana()).unwrap()
    }

    #[test]
    fn filters_mean_what_the_rfc_says() {
        for text in [
            r#"userName eq "ana@ACME.example""#,
            r#"USERNAME Eq "ana@acme.example""#,
            r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "ana""#,
            r#"name.familyName co "O'Malley""#,
            r#"userName ew ".example" and active eq true"#,
            r#"active eq "True""#,
            r#"externalId eq "00uA""#,
            r#"displayName ne "x""#,
            r#"displayName eq null"#,
            r#"userName ne null"#,
            r#"emails pr and not (displayName pr)"#,
            r#"emails eq "a@home.example""#,
            r#"emails.type eq "home""#,
            r#"emails[type eq "work" and value co "@acme.example"]"#,
            r#"emails[not (type eq "work")]"#,
            r#"meta.lastModified gt "2026-05-13T06:00:00+03:00""#,
            r#"meta.lastModified le "2026-05-13T04:42:34.000Z""#,
            r#"userName gt "aaa" and userName lt "b""#,
            r#"displayName pr or (active eq true and userName pr)"#,
            r#"displayName pr and active eq true or userName pr"#,
        ] {
            assert!(is_meant(text), "{text}");
        }
        for text in [
            r#"userName eq "ana""#,
            r#"externalId eq "00ua""#,
            r#"emails[type eq "home" and primary eq true]"#,
            r#"emails[type eq "other"]"#,
            r#"emails ne "a@home.example""#,
            r#"nickName eq "ana""#,
            r#"nickName pr"#,
            r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:userName pr"#,
            r#"active eq false"#,
            r#"userName eq 3"#,
            r#"meta.lastModified gt "2027-01-01T00:00:00Z""#,
            r#"displayName pr and (active eq true or userName pr)"#,
        ] {
            assert!(!is_meant(text), "{text}");
        }
    }

    #[test]
    fn filters_that_say_nothing_are_refused() {
        let long = format!("userName eq \"{}\"", "a".repeat(LONGEST));
        let deep = format!("{}userName pr{}", "(".repeat(500), ")".repeat(500));
        for text in [
            "",
            "userName",
            "userName eq",
            "userName is \"a\"",
            "userName eq ana",
            "(userName pr",
            "userName pr)",
            "userName eq \"a\" and",
            "emails[type eq \"work\"",
            "emails[]",
            "not userName pr",
            "userName eq \"a",
            &long,
            &deep,
        ] {
            let refused = parse(text).unwrap_err();
            assert!(
                matches!(refused, ScimError::Wrong(ScimType::InvalidFilter, _)),
                "{text}"
            );
        }
        for text in [
            r#"active gt true"#,
            r#"active co "t""#,
            r#"name eq "x""#,
            r#"meta.lastModified gt "soon""#,
        ] {
            let refused = means(&parse(text).unwrap(), Kind::User, &ana());
            assert!(refused.is_err(), "{text}");
        }
    }
}
