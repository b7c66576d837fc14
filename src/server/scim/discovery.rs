//! What the server says of itself (RFC 7644, section 4): made of the same tables that it works by.

use serde_json::{Value, json};

use super::attributes::{self, Attribute, Mutability, Type};
use super::list::{MOST, list_of};
use super::{GROUP, Kind, USER};
use crate::wire::paths;

const CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// What is offered.
pub fn config(origin: &str) -> Value {
    let offered = |supported: bool| json!({ "supported": supported });
    json!({
        "schemas": [CONFIG],
        "patch": offered(true),
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": MOST },
        "changePassword": offered(false),
        "sort": offered(false),
        "etag": offered(true),
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A token of the directory's own, in the header Authorization.",
            "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{origin}{}/ServiceProviderConfig", paths::SCIM),
        },
    })
}

/// The kinds of resources.
pub fn resource_types(origin: &str) -> Value {
    list_of(Kind::ALL.iter().map(|kind| resource_type(origin, *kind)).collect())
}

/// One of them.
pub fn resource_type(origin: &str, kind: Kind) -> Value {
    json!({
        "schemas": [RESOURCE_TYPE],
        "id": kind.name(),
        "name": kind.name(),
        "description": match kind { Kind::User => "People", Kind::Group => "Groups" },
        "endpoint": kind.endpoint(),
        "schema": kind.schema(),
        "meta": {
            "resourceType": "ResourceType",
            "location": format!("{origin}{}/ResourceTypes/{}", paths::SCIM, kind.name()),
        },
    })
}

/// Their schemas.
pub fn schemas(origin: &str) -> Value {
    list_of(Kind::ALL.iter().map(|kind| schema(origin, *kind)).collect())
}

/// One of them.
pub fn schema(origin: &str, kind: Kind) -> Value {
    let own = match kind {
        Kind::User => attributes::USER,
        Kind::Group => attributes::GROUP,
    };
    json!({
        "schemas": [SCHEMA],
        "id": kind.schema(),
        "name": kind.name(),
        "description": match kind { Kind::User => "Somebody", Kind::Group => "A group" },
        "attributes": own.iter().map(described).collect::<Vec<Value>>(),
        "meta": {
            "resourceType": "Schema",
            "location": format!("{origin}{}/Schemas/{}", paths::SCIM, kind.schema()),
        },
    })
}

/// The kind whose schema is `id`.
pub fn kind_of_schema(id: &str) -> Option<Kind> {
    match id {
        USER => Some(Kind::User),
        GROUP => Some(Kind::Group),
        _ => None,
    }
}

fn described(attribute: &Attribute) -> Value {
    let mut described = json!({
        "name": attribute.name,
        "type": match attribute.holds {
            Type::Text => "string",
            Type::Flag => "boolean",
            Type::Time => "dateTime",
            Type::Reference(_) => "reference",
            Type::Complex => "complex",
        },
        "multiValued": attribute.several,
        "description": attribute.about,
        "required": attribute.required,
        "mutability": match attribute.mutability {
            Mutability::ReadWrite => "readWrite",
            Mutability::Immutable => "immutable",
            Mutability::ReadOnly => "readOnly",
        },
        "returned": "default",
        "uniqueness": if attribute.unique { "server" } else { "none" },
    });
    match attribute.holds {
        Type::Complex => {
            described["subAttributes"] = attribute.parts.iter().map(self::described).collect();
        }
        Type::Reference(kinds) => {
            described["referenceTypes"] = json!(kinds);
            described["caseExact"] = json!(attribute.exact);
        }
        Type::Text => described["caseExact"] = json!(attribute.exact),
        Type::Flag | Type::Time => {}
    }
    described
}
