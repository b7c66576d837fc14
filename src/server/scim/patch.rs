//! PATCH (RFC 7644, section 3.5.2): what a list of operations makes of a resource.
//! Owns every shape that directories send. Refuses what names nothing, and what is ours alone; passes over attributes that
//! are not kept, or a directory that also sends a phone number could never say that somebody has left.

use scim_v2::filter::{AttrExp, AttrPath, CompValue, CompareOp, PatchPath, ValFilter};
use serde_json::{Map, Value};

use super::Kind;
use super::attributes::{self, Attribute, Type};
use super::error::{ScimError, ScimType};
use super::filter::selects;

/// Operations of one call.
const MOST: usize = 1_000;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Add,
    Replace,
    Remove,
}

/// Where an operation is at.
struct Target {
    attribute: &'static Attribute,
    /// Which of several values.
    filter: Option<ValFilter>,
    /// Which part of each.
    part: Option<&'static Attribute>,
}

fn wrong(kind: ScimType, what: impl Into<String>) -> ScimError {
    ScimError::Wrong(kind, what.into())
}

/// Does to `resource` what `body` says, all of it or nothing.
///
/// # Errors
/// [`ScimError::Wrong`]; `resource` is half-way then.
pub fn apply(kind: Kind, resource: &mut Map<String, Value>, body: &Value) -> Result<(), ScimError> {
    let operations = field(body, "Operations").and_then(Value::as_array);
    let Some(operations) = operations.filter(|all| (1..=MOST).contains(&all.len())) else {
        let what = format!("Operations is no list of 1 to {MOST}");
        return Err(wrong(ScimType::InvalidSyntax, what));
    };
    for operation in operations {
        apply_one(kind, resource, operation)?;
    }
    Ok(())
}

/// A member of an object, whatever its case.
fn field<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let mut all = object.as_object()?.iter();
    all.find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn apply_one(kind: Kind, resource: &mut Map<String, Value>, operation: &Value) -> Result<(), ScimError> {
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
        Some(Value::String(path)) => match target(kind, path)? {
            Some(target) => target.apply(resource, op, value),
            None => Ok(()),
        },
        Some(Value::Null) | None => whole(kind, resource, op, value),
        Some(_) => Err(wrong(ScimType::InvalidPath, "path is no text")),
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
    let parsed: Result<PatchPath, _> = path.parse();
    let parsed = parsed.map_err(|_| ScimError::wrong(ScimType::InvalidPath, "the path cannot be read", path))?;
    let (attr, filter, part) = match parsed {
        PatchPath::Attr(attr) => {
            let part = attr.sub_attr.clone();
            (attr, None, part)
        }
        PatchPath::Value(value) => (value.attr, Some(value.filter), value.sub_attr),
    };
    let Some(attribute) = kept(kind, &attr) else {
        return Ok(None);
    };
    if filter.is_some() && !attribute.several {
        return Err(ScimError::wrong(
            ScimType::InvalidPath,
            "it has no several values",
            path,
        ));
    }
    let part = match part {
        Some(name) => match attribute.part(&name) {
            Some(part) => Some(part),
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

/// Without a path the value says which attributes. What is ours is passed over there: Okta sends `id` along.
fn whole(kind: Kind, resource: &mut Map<String, Value>, op: Op, value: Option<&Value>) -> Result<(), ScimError> {
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
        // what is no path is no attribute either
        let target = locate(kind, name).ok().flatten();
        if let Some(target) = target.filter(|target| target.attribute.is_writable()) {
            target.apply(resource, op, Some(value))?;
        }
    }
    Ok(())
}

impl Target {
    fn apply(&self, resource: &mut Map<String, Value>, op: Op, value: Option<&Value>) -> Result<(), ScimError> {
        match op {
            Op::Remove => self.remove(resource, value),
            Op::Add | Op::Replace => {
                let value = value
                    .ok_or_else(|| wrong(ScimType::InvalidValue, format!("{} has no value", self.attribute.name)))?;
                match (&self.filter, self.part) {
                    (Some(filter), part) => self.set_selected(resource, op, filter, part, value),
                    (None, Some(part)) => self.set_part(resource, part, value),
                    (None, None) => self.set(resource, op, value),
                }
            }
        }
    }

    /// The attribute as a whole.
    fn set(&self, resource: &mut Map<String, Value>, op: Op, value: &Value) -> Result<(), ScimError> {
        let attribute = self.attribute;
        let Some(read) = attribute.read(value)? else {
            // an empty list added is nothing added
            if op == Op::Replace {
                resource.remove(attribute.name);
            }
            return Ok(());
        };
        match (read, op) {
            (Value::Array(new), Op::Add) => {
                let mut all = list(resource, attribute);
                for one in new {
                    if !all.iter().any(|old| is_same(old, &one)) {
                        yield_first(&mut all, &one);
                        all.push(one);
                    }
                }
                put(resource, attribute, all);
            }
            (Value::Array(new), _) => {
                // named twice it is there once
                let mut all: Vec<Value> = Vec::with_capacity(new.len());
                for one in new {
                    if !all.iter().any(|old| is_same(old, &one)) {
                        all.push(one);
                    }
                }
                put(resource, attribute, all);
            }
            (Value::Object(new), _) => match resource.get_mut(attribute.name) {
                Some(Value::Object(old)) => old.extend(new),
                _ => drop(resource.insert(attribute.name.to_owned(), Value::Object(new))),
            },
            (one, _) => drop(resource.insert(attribute.name.to_owned(), one)),
        }
        Ok(())
    }

    /// A part of the attribute; of several values, the part of each.
    fn set_part(
        &self,
        resource: &mut Map<String, Value>,
        part: &'static Attribute,
        value: &Value,
    ) -> Result<(), ScimError> {
        let read = part.read(value)?;
        if self.attribute.several {
            let mut all = list(resource, self.attribute);
            for one in &mut all {
                set_in(one, part, read.as_ref());
            }
            put(resource, self.attribute, all);
            return Ok(());
        }
        let mut whole = resource
            .remove(self.attribute.name)
            .unwrap_or_else(|| Map::new().into());
        set_in(&mut whole, part, read.as_ref());
        if whole.as_object().is_some_and(|parts| !parts.is_empty()) {
            resource.insert(self.attribute.name.to_owned(), whole);
        }
        Ok(())
    }

    /// Those values that `filter` selects.
    fn set_selected(
        &self,
        resource: &mut Map<String, Value>,
        op: Op,
        filter: &ValFilter,
        part: Option<&'static Attribute>,
        value: &Value,
    ) -> Result<(), ScimError> {
        let read = match part {
            Some(part) => part.read(value)?,
            None => self.attribute.read_one(value)?,
        };
        let mut all = list(resource, self.attribute);
        let mut is_found = false;
        for one in &mut all {
            if selects(filter, self.attribute, one)? {
                is_found = true;
                change(one, part, read.as_ref());
            }
        }
        if !is_found {
            // what Entra adds where there is none yet; to replace nothing is an error
            let mut new = Map::new();
            if op == Op::Replace || !made_of(filter, self.attribute, &mut new) {
                let what = format!("no value of {} is meant", self.attribute.name);
                return Err(wrong(ScimType::NoTarget, what));
            }
            let mut new = Value::Object(new);
            change(&mut new, part, read.as_ref());
            all.push(new);
        }
        put(resource, self.attribute, all);
        Ok(())
    }

    fn remove(&self, resource: &mut Map<String, Value>, value: Option<&Value>) -> Result<(), ScimError> {
        let attribute = self.attribute;
        if attribute.required && self.part.is_none() {
            let what = format!("{} must be there", attribute.name);
            return Err(wrong(ScimType::Mutability, what));
        }
        let listed = match value {
            Some(value) if attribute.several && self.filter.is_none() && self.part.is_none() => {
                attribute.read(value)?
            }
            Some(_) | None => None,
        };
        match (&self.filter, self.part, listed) {
            // Entra names the members that leave
            (None, None, Some(Value::Array(leaving))) => {
                let mut all = list(resource, attribute);
                all.retain(|one| !leaving.iter().any(|other| is_same(one, other)));
                put(resource, attribute, all);
            }
            (None, None, _) => drop(resource.remove(attribute.name)),
            (None, Some(part), _) => return self.set_part(resource, part, &Value::Null),
            (Some(filter), part, _) => {
                let mut kept = Vec::new();
                for mut one in list(resource, attribute) {
                    if selects(filter, attribute, &one)? {
                        let Some(part) = part else { continue };
                        set_in(&mut one, part, None);
                    }
                    kept.push(one);
                }
                put(resource, attribute, kept);
            }
        }
        Ok(())
    }
}

fn list(resource: &Map<String, Value>, attribute: &Attribute) -> Vec<Value> {
    match resource.get(attribute.name) {
        Some(Value::Array(all)) => all.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    }
}

/// Values of which nothing is left are none.
fn put(resource: &mut Map<String, Value>, attribute: &Attribute, mut all: Vec<Value>) {
    all.retain(|one| one.as_object().is_none_or(|parts| !parts.is_empty()));
    match all.is_empty() {
        true => drop(resource.remove(attribute.name)),
        false => drop(resource.insert(attribute.name.to_owned(), Value::Array(all))),
    }
}

fn set_in(whole: &mut Value, part: &Attribute, value: Option<&Value>) {
    if let Some(parts) = whole.as_object_mut() {
        match value {
            Some(value) => drop(parts.insert(part.name.to_owned(), value.clone())),
            None => drop(parts.remove(part.name)),
        }
    }
}

fn change(one: &mut Value, part: Option<&Attribute>, value: Option<&Value>) {
    match (part, value) {
        (Some(part), value) => set_in(one, part, value),
        (None, Some(Value::Object(parts))) => {
            if let Some(old) = one.as_object_mut() {
                old.extend(parts.clone());
            }
        }
        (None, _) => *one = Map::new().into(),
    }
}

/// Members are the same by who they are, whatever else is said of them.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one.get("value"), other.get("value")) {
        (Some(one_value), Some(other_value)) => {
            one_value == other_value
                && (one.get("$ref").is_some() || other.get("$ref").is_some() || kinds_fit(one, other))
        }
        _ => one == other,
    }
}

/// A mail address at work and the same at home are two.
fn kinds_fit(one: &Value, other: &Value) -> bool {
    match (one.get("type"), other.get("type")) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

/// There is one first value at most.
fn yield_first(all: &mut [Value], new: &Value) {
    if new.get("primary") == Some(&Value::Bool(true)) {
        for one in all {
            if one.get("primary").is_some() {
                one["primary"] = Value::Bool(false);
            }
        }
    }
}

/// The value that `filter` would select, where it says what it is made of.
fn made_of(filter: &ValFilter, attribute: &'static Attribute, parts: &mut Map<String, Value>) -> bool {
    match filter {
        ValFilter::Attr(AttrExp::Comparison(path, CompareOp::Eq, with)) => {
            let Some(part) = attribute.part(&path.name) else {
                return false;
            };
            let value = match (part.holds, with) {
                (Type::Flag, CompValue::True) => Value::Bool(true),
                (Type::Flag, CompValue::False) => Value::Bool(false),
                (Type::Text, CompValue::Str(text)) => Value::String(text.clone()),
                _ => return false,
            };
            parts.insert(part.name.to_owned(), value);
            true
        }
        ValFilter::And(all) => all.iter().all(|one| made_of(one, attribute, parts)),
        ValFilter::Attr(_) | ValFilter::Not(_) | ValFilter::Or(_) => false,
    }
}

#[cfg(test)]
mod tests;
