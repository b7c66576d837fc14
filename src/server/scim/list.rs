//! Lists (RFC 7644, section 3.4.2): which resources are meant, and which page of them.
//! Owns looking up by what is unique instead of reading everybody. Refuses pages beyond a size.

use scim_v2::filter::{AttrExp, CompValue, CompareOp, Filter};
use serde_json::{Value, json};

use super::resource::Selection;
use super::{Kind, filter};
use crate::server::scim::error::ScimError;
use crate::server::store::By;

const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// Resources of one answer.
pub const MOST: usize = 200;
/// Resources of an answer where nobody said how many.
const USUAL: usize = 100;
/// Rows that are read at once.
pub const PAGE: u32 = 500;

/// What is asked of a list.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Which resources.
    pub filter: Option<Filter>,
    /// From which on, the first is 1.
    pub start: usize,
    /// How many.
    pub count: usize,
    /// Which attributes of each.
    pub selection: Selection,
}

impl Asked {
    /// Of the query's parts.
    ///
    /// # Errors
    /// `invalidFilter`.
    pub fn new(
        filter: Option<&str>,
        start: Option<i64>,
        count: Option<i64>,
        selection: Selection,
    ) -> Result<Self, ScimError> {
        let number = |given: i64| usize::try_from(given).unwrap_or_default();
        Ok(Self {
            filter: filter.map(filter::parse).transpose()?,
            start: start.map_or(1, number).max(1),
            count: count.map_or(USUAL, number).min(MOST),
            selection,
        })
    }

    /// What is unique about the one resource that is meant, where the filter says so.
    pub fn unique(&self, kind: Kind) -> Option<By<'_>> {
        let Some(Filter::Attr(AttrExp::Comparison(path, CompareOp::Eq, CompValue::Str(given)))) = &self.filter else {
            return None;
        };
        let is_own = path
            .uri
            .as_ref()
            .is_none_or(|uri| uri.eq_ignore_ascii_case(kind.schema()));
        if !is_own || path.sub_attr.is_some() {
            return None;
        }
        let unique = match kind {
            Kind::User => "userName",
            Kind::Group => "displayName",
        };
        match path.name.as_str() {
            name if name.eq_ignore_ascii_case("id") => Some(By::Id(given)),
            name if name.eq_ignore_ascii_case("externalId") => Some(By::ExternalId(given)),
            name if name.eq_ignore_ascii_case(unique) => Some(By::Name(given)),
            _ => None,
        }
    }

    /// Whether the filter speaks of members: they are read then, however many there are.
    pub fn looks_at_members(&self) -> bool {
        let text = self.filter.as_ref().map(ToString::to_string);
        text.is_some_and(|text| text.to_lowercase().contains("members"))
    }
}

/// A page that is being filled.
#[derive(Debug)]
pub struct Page<'a> {
    asked: &'a Asked,
    total: usize,
    resources: Vec<Value>,
}

impl<'a> Page<'a> {
    /// Nothing yet.
    pub fn new(asked: &'a Asked) -> Self {
        Self {
            asked,
            total: 0,
            resources: Vec::new(),
        }
    }

    /// Counts one that is meant; says whether it belongs to the page.
    pub fn count(&mut self) -> bool {
        self.total += 1;
        self.total >= self.asked.start && self.resources.len() < self.asked.count
    }

    /// Adds it.
    pub fn add(&mut self, resource: Value) {
        self.resources.push(resource);
    }

    /// The answer.
    pub fn answer(self) -> Value {
        json!({
            "schemas": [SCHEMA],
            "totalResults": self.total,
            "startIndex": self.asked.start,
            "itemsPerPage": self.resources.len(),
            "Resources": self.resources,
        })
    }
}

/// A list of all of `resources`.
pub fn list_of(resources: Vec<Value>) -> Value {
    json!({
        "schemas": [SCHEMA],
        "totalResults": resources.len(),
        "startIndex": 1,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    })
}
