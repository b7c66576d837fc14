//! PATCH (RFC 7644, section 3.5.2): what a list of operations makes of a resource.
//! Owns every shape that directories send. Refuses what names nothing, and what is ours alone; passes over attributes that
//! are not kept, or a directory that also sends a phone number could never say that somebody has left.

mod target;
#[cfg(test)]
mod tests;
mod values;

use scim_v2::filter::{AttrPath, PatchPath};
use serde_json::{Map, Value};

use self::target::Target;
use self::values::{Values, Work};
use super::Kind;
use super::attributes::{self, Attribute};
use super::error::{ScimError, ScimType};
use super::filter::LONGEST;

/// Operations of one call.
const MOST: usize = 1_000;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Add,
    Replace,
    Remove,
}

fn wrong(kind: ScimType, what: impl Into<String>) -> ScimError {
    ScimError::Wrong(kind, what.into())
}

/// Does to `resource` what `body` says, all of it or nothing.
///
/// # Errors
/// [`ScimError::Wrong`], or 413 where it is too much for one call; `resource` is half-way then.
pub fn apply(kind: Kind, resource: &mut Map<String, Value>, body: &Value) -> Result<(), ScimError> {
    apply_within(&mut Work::default(), kind, resource, body)
}

/// What `body`, as it was sent, makes of `resource`.
///
/// # Errors
/// As [`apply`]; `invalidSyntax`.
pub fn applied(kind: Kind, mut resource: Map<String, Value>, body: &[u8]) -> Result<Map<String, Value>, ScimError> {
    apply(kind, &mut resource, &attributes::parse(body)?)?;
    Ok(resource)
}

fn apply_within(work: &mut Work, kind: Kind, resource: &mut Map<String, Value>, body: &Value) -> Result<(), ScimError> {
    let operations = field(body, "Operations").and_then(Value::as_array);
    let Some(operations) = operations.filter(|all| (1..=MOST).contains(&all.len())) else {
        let what = format!("Operations is no list of 1 to {MOST}");
        return Err(wrong(ScimType::InvalidSyntax, what));
    };
    let mut patched = Patched {
        kind,
        resource,
        several: None,
        work,
    };
    for operation in operations {
        patched.apply(operation)?;
    }
    if let Some(values) = patched.several {
        values.end(patched.resource);
    }
    Ok(())
}

/// A member of an object, whatever its case.
fn field<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let mut all = object.as_object()?.iter();
    all.find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// A resource while it is changed.
struct Patched<'a> {
    kind: Kind,
    resource: &'a mut Map<String, Value>,
    /// The values of the one attribute that holds several, once an operation was at it.
    several: Option<Values>,
    work: &'a mut Work,
}

impl Patched<'_> {
    /// The values of `attribute`, which is the one of its kind that holds several.
    fn values(&mut self, attribute: &'static Attribute) -> (&mut Values, &mut Work) {
        let values = self.several.get_or_insert_with(|| Values::of(attribute, self.resource));
        (values, self.work)
    }

    fn apply(&mut self, operation: &Value) -> Result<(), ScimError> {
        let named = field(operation, "op").and_then(Value::as_str).unwrap_or_default();
        // Entra writes them with a capital
        let op = match named.to_ascii_lowercase().as_str() {
            "add" => Op::Add,
            "replace" => Op::Replace,
            "remove" => Op::Remove,
            _ => return Err(ScimError::wrong(ScimType::InvalidSyntax, "no operation", named)),
        };
        let value = field(operation, "value");
        match field(operation, "path") {
            // the schema of the resource is all of it
            Some(Value::String(path)) if path.eq_ignore_ascii_case(self.kind.schema()) => self.whole(op, value),
            Some(Value::String(path)) => match target(self.kind, path)? {
                Some(target) => target.apply(self, op, value),
                None => Ok(()),
            },
            Some(Value::Null) | None => self.whole(op, value),
            Some(_) => Err(wrong(ScimType::InvalidPath, "path is no text")),
        }
    }

    /// Without a path the value says which attributes, itself or under the name of their schema. What is ours is passed over
    /// there: Okta sends `id` along.
    fn whole(&mut self, op: Op, value: Option<&Value>) -> Result<(), ScimError> {
        if op == Op::Remove {
            return Err(wrong(ScimType::NoTarget, "remove needs a path"));
        }
        let Some(Value::Object(attributes)) = value else {
            return Err(wrong(
                ScimType::InvalidValue,
                "without a path the value is an object of attributes",
            ));
        };
        for (name, value) in attributes {
            if name.eq_ignore_ascii_case(self.kind.schema()) {
                self.whole(op, Some(value))?;
                continue;
            }
            let target = match locate(self.kind, name) {
                Ok(target) => target,
                Err(error) if attributes::names_active(self.kind, name) => return Err(error),
                // what is no path is no attribute either
                Err(_) => None,
            };
            if let Some(target) = target.filter(|target| target.attribute.is_writable()) {
                target.apply(self, op, Some(value))?;
            }
        }
        Ok(())
    }
}

/// What `path` names; nothing where it is well written and names what is not kept.
fn target(kind: Kind, path: &str) -> Result<Option<Target>, ScimError> {
    let target = locate(kind, path)?;
    match target {
        Some(target) if !target.attribute.is_writable() => {
            let what = format!("{} is not the directory's to write", target.attribute.name);
            Err(wrong(ScimType::Mutability, what))
        }
        target => Ok(target),
    }
}

fn locate(kind: Kind, path: &str) -> Result<Option<Target>, ScimError> {
    let no_path = |what: &str| ScimError::wrong(ScimType::InvalidPath, what, path);
    let parsed = Some(path).filter(|path| path.len() <= LONGEST).map(str::parse);
    let Some(Ok(parsed)) = parsed else {
        return Err(no_path("the path cannot be read"));
    };
    let (attr, filter, part) = match parsed {
        PatchPath::Attr(attr) => {
            let part = attr.sub_attr.clone();
            (attr, None, part)
        }
        PatchPath::Value(value) => (value.attr, Some(value.filter), value.sub_attr),
    };
    let Some(attribute) = kept(kind, &attr) else {
        // `User.active`, with or without the rest of the schema's name
        let is_of_kind = attr.name.eq_ignore_ascii_case(kind.name());
        return match part.filter(|part| is_of_kind && attributes::names_active(kind, part)) {
            Some(_) => Err(no_path("the path cannot be read")),
            None => Ok(None),
        };
    };
    if filter.is_some() && !attribute.several {
        return Err(no_path("it has no several values"));
    }
    let part = match part {
        Some(name) => match attribute.part(&name) {
            Some(part) => Some(part),
            None if attribute.parts.is_empty() => return Err(no_path("it has no parts")),
            None => return Ok(None),
        },
        None => None,
    };
    Ok(Some(Target {
        attribute,
        filter,
        part,
    }))
}

fn kept(kind: Kind, path: &AttrPath) -> Option<&'static Attribute> {
    let is_own = path
        .uri
        .as_ref()
        .is_none_or(|uri| uri.eq_ignore_ascii_case(kind.schema()));
    attributes::find(kind, &path.name).filter(|_| is_own)
}
