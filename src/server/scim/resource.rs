//! Between what is stored and what a directory sees.
//! Owns how a resource looks, and which part of it was asked for. Refuses to show what a directory did not write.

use serde_json::{Map, Value, json};

use super::Kind;
use crate::domain::{DirectoryGroup, DirectoryMember, DirectoryUser, Timestamp};
use crate::wire::paths;

/// Attributes of people that are kept as they were sent.
const DETAILS: [&str; 3] = ["name", "displayName", "emails"];

/// A resource, as it is answered with.
pub type Resource = Map<String, Value>;

/// The address of a resource.
pub fn location(origin: &str, kind: Kind, id: &str) -> String {
    format!("{origin}{}{}/{id}", paths::SCIM, kind.endpoint())
}

/// The ETag of a version.
pub fn etag(version: u64) -> String {
    format!("W/\"{version}\"")
}

fn meta(origin: &str, kind: Kind, id: &str, at: [Timestamp; 2], version: u64) -> Value {
    json!({
        "resourceType": kind.name(),
        "created": at[0].to_string(),
        "lastModified": at[1].to_string(),
        "location": location(origin, kind, id),
        "version": etag(version),
    })
}

fn begun(kind: Kind, id: &str, external_id: Option<&String>) -> Resource {
    let mut resource = Map::new();
    resource.insert("schemas".to_owned(), json!([kind.schema()]));
    resource.insert("id".to_owned(), json!(id));
    if let Some(external_id) = external_id {
        resource.insert("externalId".to_owned(), json!(external_id));
    }
    resource
}

/// Somebody.
pub fn of_user(origin: &str, user: &DirectoryUser) -> Resource {
    let mut resource = begun(Kind::User, &user.id, user.external_id.as_ref());
    resource.insert("userName".to_owned(), json!(user.user_name));
    resource.insert("active".to_owned(), json!(user.active));
    resource.extend(user.details.clone());
    let at = [user.created_at, user.changed_at];
    resource.insert("meta".to_owned(), meta(origin, Kind::User, &user.id, at, user.version));
    resource
}

/// A group with its members.
pub fn of_group(origin: &str, group: &DirectoryGroup, members: &[DirectoryMember]) -> Resource {
    let mut resource = begun(Kind::Group, &group.id, group.external_id.as_ref());
    resource.insert("displayName".to_owned(), json!(group.name));
    let member = |member: &DirectoryMember| {
        let kind = if member.is_group { Kind::Group } else { Kind::User };
        json!({ "value": member.id, "$ref": location(origin, kind, &member.id) })
    };
    if !members.is_empty() {
        let members: Vec<Value> = members.iter().map(member).collect();
        resource.insert("members".to_owned(), Value::Array(members));
    }
    let at = [group.created_at, group.changed_at];
    resource.insert(
        "meta".to_owned(),
        meta(origin, Kind::Group, &group.id, at, group.version),
    );
    resource
}

/// A text of `resource`; an empty one is none.
pub fn text(resource: &Resource, name: &str) -> Option<String> {
    let text = resource.get(name)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// What is kept of a person as it was sent.
pub fn details(resource: &Resource) -> Map<String, Value> {
    let kept = DETAILS.iter().filter_map(|name| resource.get_key_value(*name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Which attributes were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    only: Vec<String>,
    without: Vec<String>,
}

/// What is always there (RFC 7643, section 7: returned `always`).
const ALWAYS: [&str; 2] = ["schemas", "id"];

impl Selection {
    /// Of the query's `attributes` and `excludedAttributes`.
    pub fn new(kind: Kind, attributes: Option<&str>, excluded: Option<&str>) -> Self {
        let beginning = format!("{}:", kind.schema()).to_lowercase();
        let names = |list: Option<&str>| {
            let names = list
                .unwrap_or_default()
                .split(',')
                .map(|name| name.trim().to_lowercase());
            let own = names.map(|name| name.strip_prefix(&beginning).map_or(name.clone(), str::to_owned));
            own.filter(|name| !name.is_empty()).collect()
        };
        Self {
            only: names(attributes),
            without: names(excluded),
        }
    }

    /// Whether the attribute `name` is answered with, at least in part.
    pub fn has(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        let names = |list: &[String]| {
            list.iter()
                .any(|one| *one == name || one.strip_prefix(&name).is_some_and(|rest| rest.starts_with('.')))
        };
        let is_left = !self.without.contains(&name);
        ALWAYS.contains(&name.as_str()) || (self.only.is_empty() || names(&self.only)) && is_left
    }

    /// `resource` with what was asked for alone.
    pub fn of(&self, resource: Resource) -> Value {
        let chosen = resource.into_iter().filter(|(name, _)| self.has(name));
        let chosen = chosen.map(|(name, value)| {
            let part = format!("{}.", name.to_lowercase());
            let parts = |list: &[String]| -> Vec<String> {
                list.iter()
                    .filter_map(|one| one.strip_prefix(&part).map(str::to_owned))
                    .collect()
            };
            let whole = self.only.contains(&name.to_lowercase());
            let only = if whole { Vec::new() } else { parts(&self.only) };
            let value = narrowed(value, &only, &parts(&self.without));
            (name, value)
        });
        Value::Object(chosen.collect())
    }
}

fn narrowed(value: Value, only: &[String], without: &[String]) -> Value {
    match value {
        Value::Array(all) => all.into_iter().map(|one| narrowed(one, only, without)).collect(),
        Value::Object(parts) => {
            let is_meant = |name: &String| {
                let name = name.to_lowercase();
                (only.is_empty() || only.contains(&name)) && !without.contains(&name)
            };
            Value::Object(parts.into_iter().filter(|(name, _)| is_meant(name)).collect())
        }
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(attributes: Option<&str>, excluded: Option<&str>) -> Value {
        let resource = json!({
            "schemas": ["s"], "id": "1", "userName": "ana", "name": { "givenName": "Ana", "familyName": "A" },
            "emails": [{ "value": "a@b", "type": "work" }],
        });
        let resource = resource.as_object().unwrap().clone();
        Selection::new(Kind::User, attributes, excluded).of(resource)
    }

    #[test]
    fn answer_has_what_was_asked_for() {
        assert_eq!(
            chosen(
                Some("USERNAME, name.givenName,urn:ietf:params:scim:schemas:core:2.0:User:emails.value"),
                None
            ),
            json!({
                "schemas": ["s"], "id": "1", "userName": "ana", "name": { "givenName": "Ana" },
                "emails": [{ "value": "a@b" }],
            })
        );
        assert_eq!(
            chosen(None, Some("id,emails,name.familyName")),
            json!({ "schemas": ["s"], "id": "1", "userName": "ana", "name": { "givenName": "Ana" } })
        );
        assert_eq!(chosen(Some("nothing"), None), json!({ "schemas": ["s"], "id": "1" }));
        assert_eq!(chosen(None, None)["emails"][0]["type"], "work");
        assert!(!Selection::new(Kind::Group, None, Some("members")).has("members"));
        assert!(!Selection::new(Kind::Group, Some("displayName"), None).has("members"));
    }
}
