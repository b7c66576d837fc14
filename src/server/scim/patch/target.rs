//! What an operation does to the attribute that it is at.
//! Owns what is changed of one value, of several, and of those that a filter selects. Refuses what is not there, but where
//! it is only shown: nobody stays because their mail address could not be replaced.

use scim_v2::filter::{AttrExp, CompValue, CompareOp, ValFilter};
use serde_json::{Map, Value};

use super::{Op, Patched, wrong};
use crate::server::scim::attributes::{Attribute, Type};
use crate::server::scim::error::{ScimError, ScimType};

/// Where an operation is at.
pub(super) struct Target {
    pub attribute: &'static Attribute,
    /// Which of several values.
    pub filter: Option<ValFilter>,
    /// Which part of each.
    pub part: Option<&'static Attribute>,
}

impl Target {
    /// Does it.
    ///
    /// # Errors
    /// [`ScimError::Wrong`]; 413.
    pub fn apply(&self, patched: &mut Patched<'_>, op: Op, value: Option<&Value>) -> Result<(), ScimError> {
        match op {
            Op::Remove => self.remove(patched, value),
            Op::Add | Op::Replace => {
                let value = value
                    .ok_or_else(|| wrong(ScimType::InvalidValue, format!("{} has no value", self.attribute.name)))?;
                match (&self.filter, self.part) {
                    (Some(filter), part) => self.set_selected(patched, op, filter, part, value),
                    (None, Some(part)) => self.set_part(patched, part, value),
                    (None, None) if self.attribute.several => self.set_several(patched, op, value),
                    (None, None) => self.set(patched, op, value),
                }
            }
        }
    }

    /// The attribute as a whole, where it holds one value.
    fn set(&self, patched: &mut Patched<'_>, op: Op, value: &Value) -> Result<(), ScimError> {
        let (attribute, resource) = (self.attribute, &mut *patched.resource);
        match attribute.read(value)? {
            // nothing added is nothing
            None if op == Op::Add => {}
            None => drop(resource.remove(attribute.name)),
            Some(Value::Object(new)) => match resource.get_mut(attribute.name) {
                Some(Value::Object(old)) => old.extend(new),
                _ => drop(resource.insert(attribute.name.to_owned(), Value::Object(new))),
            },
            Some(one) => drop(resource.insert(attribute.name.to_owned(), one)),
        }
        Ok(())
    }

    /// The same, where it holds several.
    fn set_several(&self, patched: &mut Patched<'_>, op: Op, value: &Value) -> Result<(), ScimError> {
        let (values, work) = patched.values(self.attribute);
        let new = match self.attribute.read(value)? {
            Some(Value::Array(new)) => new,
            _ => Vec::new(),
        };
        work.look(new.len())?;
        if op == Op::Replace {
            values.clear();
        }
        for one in new {
            values.add(one, op == Op::Add)?;
        }
        Ok(())
    }

    /// A part of the attribute; of several values, the part of each.
    fn set_part(&self, patched: &mut Patched<'_>, part: &'static Attribute, value: &Value) -> Result<(), ScimError> {
        let read = part.read(value)?;
        if self.attribute.several {
            let (values, work) = patched.values(self.attribute);
            for place in values.everywhere(work)? {
                values.alter(place, |one| set_in(one, part, read.as_ref()));
            }
            return Ok(());
        }
        let resource = &mut *patched.resource;
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
        patched: &mut Patched<'_>,
        op: Op,
        filter: &ValFilter,
        part: Option<&'static Attribute>,
        value: &Value,
    ) -> Result<(), ScimError> {
        let attribute = self.attribute;
        let read = match part {
            Some(part) => part.read(value)?,
            None => attribute.read_one(value)?,
        };
        let (values, work) = patched.values(attribute);
        let meant = values.meant(filter, work)?;
        if !meant.is_empty() {
            for place in meant {
                values.alter(place, |one| change(one, part, read.as_ref()));
            }
            return Ok(());
        }
        // what Entra adds where there is none yet; to replace nobody in a group is an error
        let mut new = Map::new();
        if (op == Op::Add || attribute.shown_only) && made_of(filter, attribute, &mut new) {
            let mut new = Value::Object(new);
            change(&mut new, part, read.as_ref());
            return values.add(new, false);
        }
        if attribute.shown_only {
            return Ok(());
        }
        let what = format!("no value of {} is meant", attribute.name);
        Err(wrong(ScimType::NoTarget, what))
    }

    fn remove(&self, patched: &mut Patched<'_>, value: Option<&Value>) -> Result<(), ScimError> {
        let attribute = self.attribute;
        if attribute.required && self.part.is_none() {
            let what = format!("{} must be there", attribute.name);
            return Err(wrong(ScimType::Mutability, what));
        }
        match (&self.filter, self.part) {
            (None, Some(part)) => self.set_part(patched, part, &Value::Null),
            (None, None) if attribute.several => {
                // Entra names the members that leave
                let listed = value.map(|value| attribute.read(value)).transpose()?.flatten();
                let (values, work) = patched.values(attribute);
                match listed {
                    Some(Value::Array(leaving)) => {
                        work.look(leaving.len())?;
                        leaving.iter().for_each(|one| values.take_same(one));
                    }
                    _ => values.clear(),
                }
                Ok(())
            }
            (None, None) => {
                patched.resource.remove(attribute.name);
                Ok(())
            }
            (Some(filter), part) => {
                let (values, work) = patched.values(attribute);
                for place in values.meant(filter, work)? {
                    match part {
                        Some(part) => values.alter(place, |one| set_in(one, part, None)),
                        None => drop(values.take(place)),
                    }
                }
                Ok(())
            }
        }
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
