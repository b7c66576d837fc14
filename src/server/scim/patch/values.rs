//! The values of an attribute that holds several, by who they are.
//! Owns that a call costs what it says, and not that times what is there. Refuses to look at values without an end.

use std::collections::{BTreeSet, HashMap};

use scim_v2::filter::{AttrExp, CompValue, CompareOp, ValFilter};
use serde_json::{Map, Value};

use crate::server::failure::Failure;
use crate::server::scim::attributes::{Attribute, MOST_SHOWN};
use crate::server::scim::error::{ScimError, ScimType};
use crate::server::scim::filter::selects;
use crate::wire::problem::Code;

/// Values that one call looks at, those that it says included: some tenths of a second.
const MOST_LOOKS: usize = 1_000_000;

/// What one call may still look at.
#[derive(Debug)]
pub(super) struct Work {
    left: usize,
}

impl Default for Work {
    fn default() -> Self {
        Self { left: MOST_LOOKS }
    }
}

impl Work {
    /// Looks at `count` values more.
    ///
    /// # Errors
    /// 413 where that is too much.
    pub fn look(&mut self, count: usize) -> Result<(), ScimError> {
        let left = self.left.checked_sub(count).ok_or_else(|| {
            let what = format!("this call looks at more than {MOST_LOOKS} values: send several");
            ScimError::from(Failure::new(Code::BodyTooLarge, what))
        });
        self.left = left?;
        Ok(())
    }

    /// How many it looked at.
    #[cfg(test)]
    pub const fn done(&self) -> usize {
        MOST_LOOKS - self.left
    }
}

/// The values of an attribute.
#[derive(Debug)]
pub(super) struct Values {
    attribute: &'static Attribute,
    /// In their order. What was taken away leaves a gap.
    all: Vec<Option<Value>>,
    /// How many are no gap.
    count: usize,
    /// Where those of one `value` are.
    places: HashMap<String, Vec<usize>>,
}

/// What a value is found by; nothing where it has no `value`.
fn key(one: &Value) -> &str {
    one.get("value").and_then(Value::as_str).unwrap_or_default()
}

fn is_nothing(one: &Value) -> bool {
    one.as_object().is_some_and(Map::is_empty)
}

impl Values {
    /// Those of `resource`, out of it.
    pub fn of(attribute: &'static Attribute, resource: &mut Map<String, Value>) -> Self {
        let mut values = Self {
            attribute,
            all: Vec::new(),
            count: 0,
            places: HashMap::new(),
        };
        match resource.remove(attribute.name) {
            Some(Value::Array(all)) => all.into_iter().for_each(|one| values.push(one)),
            Some(one) => values.push(one),
            None => {}
        }
        values
    }

    /// Back into `resource`. What has no `value` any more is none.
    pub fn end(self, resource: &mut Map<String, Value>) {
        let kept = self.all.into_iter().flatten();
        let all: Vec<Value> = kept.filter(|one| one.get("value").is_some()).collect();
        if !all.is_empty() {
            resource.insert(self.attribute.name.to_owned(), Value::Array(all));
        }
    }

    /// Whether it is `value` alone that says who is meant: so of members, not of mail.
    fn is_by_value(&self) -> bool {
        self.attribute.part("value").is_some_and(|part| part.exact)
    }

    /// Where one is that is the same as `one`.
    fn place_of(&self, one: &Value) -> Option<usize> {
        let places = self.places.get(key(one))?;
        let is_it = |place: &&usize| self.all[**place].as_ref().is_some_and(|old| is_same(old, one));
        places.iter().find(is_it).copied()
    }

    fn push(&mut self, one: Value) {
        let is_full = self.attribute.shown_only && self.count >= MOST_SHOWN;
        if is_full || is_nothing(&one) {
            return;
        }
        self.places
            .entry(key(&one).to_owned())
            .or_default()
            .push(self.all.len());
        self.all.push(Some(one));
        self.count += 1;
    }

    /// Adds `one`, unless it is there; `yields` to it whoever was first, where it is first.
    ///
    /// # Errors
    /// `invalidValue` where nothing says who is meant.
    pub fn add(&mut self, one: Value, yields: bool) -> Result<(), ScimError> {
        if self.is_by_value() && one.get("value").is_none() {
            let what = format!("one of {} has no value", self.attribute.name);
            return Err(ScimError::Wrong(ScimType::InvalidValue, what));
        }
        if self.place_of(&one).is_some() {
            return Ok(());
        }
        // there is one first value at most
        if yields && one.get("primary") == Some(&Value::Bool(true)) {
            for old in self.all.iter_mut().flatten().filter(|old| old.get("primary").is_some()) {
                old["primary"] = Value::Bool(false);
            }
        }
        self.push(one);
        Ok(())
    }

    /// Takes all of them away.
    pub fn clear(&mut self) {
        self.all.clear();
        self.places.clear();
        self.count = 0;
    }

    /// Takes away what is at `place`.
    pub fn take(&mut self, place: usize) -> Option<Value> {
        let one = self.all.get_mut(place)?.take()?;
        if let Some(places) = self.places.get_mut(key(&one)) {
            places.retain(|other| *other != place);
            if places.is_empty() {
                self.places.remove(key(&one));
            }
        }
        self.count -= 1;
        Some(one)
    }

    /// Takes away every one that is the same as `one`.
    pub fn take_same(&mut self, one: &Value) {
        while let Some(place) = self.place_of(one) {
            self.take(place);
        }
    }

    /// Changes what is at `place`; it goes where nothing is left of it, or where it becomes one that is there.
    pub fn alter(&mut self, place: usize, change: impl FnOnce(&mut Value)) {
        let Some(mut one) = self.take(place) else { return };
        change(&mut one);
        let is_nobody = self.is_by_value() && (one.get("value").is_none() || self.place_of(&one).is_some());
        if is_nobody || is_nothing(&one) {
            return;
        }
        self.places.entry(key(&one).to_owned()).or_default().push(place);
        self.all[place] = Some(one);
        self.count += 1;
    }

    /// All places, gaps too.
    ///
    /// # Errors
    /// 413.
    pub fn everywhere(&self, work: &mut Work) -> Result<Vec<usize>, ScimError> {
        work.look(self.all.len())?;
        Ok((0..self.all.len()).collect())
    }

    /// Where those are that `filter` selects. Whoever is named is found without looking at the others.
    ///
    /// # Errors
    /// `invalidFilter`; 413.
    pub fn meant(&self, filter: &ValFilter, work: &mut Work) -> Result<Vec<usize>, ScimError> {
        if self.is_by_value()
            && let Some(named) = named(filter)
        {
            work.look(named.len())?;
            let places = named.into_iter().filter_map(|value| self.places.get(value));
            return Ok(places.flatten().copied().collect());
        }
        work.look(self.all.len().saturating_mul(terms(filter)))?;
        let mut places = Vec::new();
        for (place, one) in self.all.iter().enumerate() {
            if let Some(one) = one
                && selects(filter, self.attribute, one)?
            {
                places.push(place);
            }
        }
        Ok(places)
    }
}

/// The values that `filter` names, where it does nothing else.
fn named(filter: &ValFilter) -> Option<BTreeSet<&str>> {
    match filter {
        ValFilter::Attr(AttrExp::Comparison(path, CompareOp::Eq, CompValue::Str(value))) => {
            let is_value = path.uri.is_none() && path.sub_attr.is_none() && path.name.eq_ignore_ascii_case("value");
            is_value.then(|| BTreeSet::from([value.as_str()]))
        }
        ValFilter::Or(all) => {
            let mut values = BTreeSet::new();
            for one in all.iter() {
                values.append(&mut named(one)?);
            }
            Some(values)
        }
        ValFilter::Attr(_) | ValFilter::And(_) | ValFilter::Not(_) => None,
    }
}

/// How much a filter asks of each value.
fn terms(filter: &ValFilter) -> usize {
    match filter {
        ValFilter::Attr(_) => 1,
        ValFilter::Not(inner) => terms(inner),
        ValFilter::And(all) | ValFilter::Or(all) => all.iter().map(terms).sum(),
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
